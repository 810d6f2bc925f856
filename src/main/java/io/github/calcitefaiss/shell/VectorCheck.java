/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.sqlite.IndexedTable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What reading a table's vectors would come upon: all of it, where loading an index stops at the
 * first.
 *
 * @param rows rows in the table
 * @param dimensions of most vectors, or -1 if there is none
 * @param problems a line for each kind of row that an index can't take
 */
record VectorCheck(long rows, int dimensions, List<String> problems) {
  private static final long NANOS_A_LINE = 2_000_000_000L;

  /** Rows of a kind, and the id of the first. */
  private static final class Kind {
    private long rows;
    private String first;

    private void add(Object id) {
      if (rows++ == 0) {
        first = id instanceof String ? "'" + id + "'" : String.valueOf(id);
      }
    }

    private String say(String what) {
      return String.format(
          Locale.ROOT, "%,d row%s %s (first: id %s)", rows, rows == 1 ? "" : "s", what, first);
    }
  }

  static VectorCheck of(Connection connection, IndexedTable table, Consumer<String> progress)
      throws SQLException {
    Map<String, Kind> kinds = new LinkedHashMap<>();
    Map<Integer, Kind> lengths = new HashMap<>();
    long rows = 0;
    long said = System.nanoTime();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                "SELECT "
                    + Source.quote(table.id())
                    + ", "
                    + Source.quote(table.embedding())
                    + " FROM "
                    + Source.quote(table.table()))) {
      while (result.next()) {
        if (++rows % 1024 == 0 && System.nanoTime() - said > NANOS_A_LINE) {
          said = System.nanoTime();
          progress.accept(String.format(Locale.ROOT, "%s: %,d rows read", table.table(), rows));
        }
        Object id = result.getObject(1);
        Object embedding = result.getObject(2);
        String wrong = wrong(id, embedding, table);
        if (wrong != null) {
          kinds.computeIfAbsent(wrong, k -> new Kind()).add(id);
        } else {
          lengths.computeIfAbsent(((byte[]) embedding).length, k -> new Kind()).add(id);
        }
      }
    }
    List<String> problems = new ArrayList<>();
    kinds.forEach((what, kind) -> problems.add(kind.say(what)));
    int most = -1;
    for (Map.Entry<Integer, Kind> length : lengths.entrySet()) {
      if (most < 0 || length.getValue().rows > lengths.get(most).rows) {
        most = length.getKey();
      }
    }
    int usual = most;
    lengths.forEach(
        (length, kind) -> {
          if (length != usual) {
            problems.add(
                kind.say("of " + length / 4 + " dimensions, where most have " + usual / 4));
          }
        });
    if (problems.stream().anyMatch(problem -> !problem.contains("is NULL, skipped"))) {
      problems.add("correct them, or leave them out with the operand \"onBadRow\": \"skip\"");
    }
    return new VectorCheck(rows, most < 0 ? -1 : most / 4, problems);
  }

  private static String wrong(Object id, Object embedding, IndexedTable table) {
    if (embedding == null) {
      return "whose " + table.embedding() + " is NULL, skipped";
    }
    if (id == null) {
      return "whose " + table.id() + " is NULL";
    }
    if (!(embedding instanceof byte[] blob)) {
      String type = embedding instanceof String ? "TEXT" : "a number";
      return "whose " + table.embedding() + " is " + type + ", expected a BLOB";
    }
    if (blob.length == 0 || blob.length % 4 != 0) {
      return "whose "
          + table.embedding()
          + " has "
          + blob.length
          + " bytes, no whole number of float32 elements";
    }
    ByteBuffer elements = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
    while (elements.hasRemaining()) {
      if (!Float.isFinite(elements.getFloat())) {
        return "whose " + table.embedding() + " has an element that is NaN or infinite";
      }
    }
    return null;
  }
}
