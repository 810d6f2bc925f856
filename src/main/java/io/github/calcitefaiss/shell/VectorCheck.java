/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sqlite.Identifiers;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.MixedDimensions;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What reading a table's vectors would come upon: all of it, where loading an index stops at the
 * first.
 *
 * @param rows rows in the table
 * @param dimensions of the vectors, with the number of rows where there are several; empty for none
 * @param json whether they are JSON texts
 * @param facts a line for each thing worth knowing that is no problem
 * @param problems a line for each kind of row that an index can't take
 */
record VectorCheck(
    long rows, String dimensions, boolean json, List<String> facts, List<String> problems) {
  private static final long NANOS_A_LINE = 2_000_000_000L;

  /** Lengths this near to 1 are 1, rounded. */
  private static final double UNIT = 1e-3;

  private static final String HARDLY = " is hardly ";

  /** The last of the problems, where rows can't be used. */
  static final String CORRECT =
      "correct them, or leave them out with the operand \"onBadRow\": \"skip\"";

  /** Of fewer elements than these nothing can be told. */
  private static final int FEWEST = 8;

  /** Rows of a kind, and the id of the first. */
  private static final class Kind {
    private long rows;
    private String first;

    private void add(Object id, boolean known) {
      if (rows++ == 0 && known) {
        first = id instanceof String ? "'" + id + "'" : String.valueOf(id);
      }
    }

    private String say(String what) {
      return String.format(Locale.ROOT, "%,d row%s %s", rows, rows == 1 ? "" : "s", what)
          + (first == null ? "" : " (first: id " + first + ")");
    }
  }

  /** The lengths of vectors, and a hash of each. */
  private static final class Values {
    private long[] hashes = new long[1024];
    private int count;
    private double shortest = Double.POSITIVE_INFINITY;
    private double longest;
    private long units;

    private void add(double[] vector) {
      double square = 0;
      for (double element : vector) {
        square += element * element;
      }
      double length = Math.sqrt(square);
      shortest = Math.min(shortest, length);
      longest = Math.max(longest, length);
      units += Math.abs(length - 1) < UNIT ? 1 : 0;
      if (count == hashes.length) {
        hashes = Arrays.copyOf(hashes, 2 * count);
      }
      long hash = 1125899906842597L;
      for (double element : vector) {
        hash = 31 * hash + Double.hashCode(element) * 0x9E3779B97F4A7C15L;
      }
      hashes[count++] = hash;
    }

    private long repeated() {
      Arrays.sort(hashes, 0, count);
      long repeated = 0;
      for (int i = 1; i < count; i++) {
        repeated += hashes[i] == hashes[i - 1] ? 1 : 0;
      }
      return repeated;
    }

    private String lengths() {
      if (units == count) {
        return "all of length 1, so that L2, cosine and inner product order alike";
      }
      return String.format(Locale.ROOT, "lengths from %.4g to %.4g", shortest, longest)
          + (units > 0 ? String.format(Locale.ROOT, ", %,d of length 1", units) : "");
    }
  }

  static VectorCheck of(Connection connection, IndexedTable table, Consumer<String> progress)
      throws SQLException {
    return of(connection, table, NumberForm.FLOAT32, progress);
  }

  /** Checks blobs of a form; the table's id may be null, where it has none. */
  static VectorCheck of(
      Connection connection, IndexedTable table, NumberForm form, Consumer<String> progress)
      throws SQLException {
    boolean ids = table.id() != null;
    Map<String, Kind> kinds = new LinkedHashMap<>();
    Map<Integer, Kind> dims = new TreeMap<>();
    Values values = new Values();
    Boolean json = null;
    long rows = 0;
    long said = System.nanoTime();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                "SELECT "
                    + (ids ? Identifiers.quote(table.id()) : "0")
                    + ", "
                    + Identifiers.quote(table.embedding())
                    + " FROM "
                    + Identifiers.quote(table.table()))) {
      while (result.next()) {
        if (++rows % 1024 == 0 && System.nanoTime() - said > NANOS_A_LINE) {
          said = System.nanoTime();
          progress.accept(String.format(Locale.ROOT, "%s: %,d rows read", table.table(), rows));
        }
        Object id = result.getObject(1);
        Object embedding = result.getObject(2);
        double[] vector = null;
        String wrong = null;
        try {
          vector = vector(id, embedding, table, form, json);
        } catch (VectorException e) {
          wrong = e.getMessage();
        }
        if (vector == null) {
          kinds.computeIfAbsent(wrong, k -> new Kind()).add(id, ids);
        } else {
          json = json == null ? embedding instanceof String : json;
          values.add(vector);
          dims.computeIfAbsent(vector.length, k -> new Kind()).add(id, ids);
        }
      }
    }
    List<String> problems = new ArrayList<>();
    kinds.forEach((what, kind) -> problems.add(kind.say(what)));
    List<String> facts = new ArrayList<>();
    if (values.count > 0) {
      facts.add((json ? "JSON text, " : form.label() + ", ") + values.lengths());
      long repeated = values.repeated();
      if (repeated > 0) {
        facts.add(
            repeated == 1
                ? "1 vector is the same as another"
                : String.format(Locale.ROOT, "%,d vectors are the same as another", repeated));
      }
    }
    long repeatedIds = ids ? repeatedIds(connection, table) : 0;
    if (repeatedIds > 0) {
      facts.add(
          String.format(Locale.ROOT, "%,d rows have the %s of another", repeatedIds, table.id()));
    }
    String telling =
        dims.size() < 2 ? null : MixedDimensions.tellingColumn(connection, table, dims.size());
    if (telling != null) {
      facts.add("dimensions are told apart by the column " + telling);
    } else {
      mixed(dims, problems);
    }
    if (problems.stream()
        .anyMatch(problem -> !problem.contains("is NULL, skipped") && !problem.contains(HARDLY))) {
      problems.add(CORRECT);
    }
    return new VectorCheck(rows, words(dims), Boolean.TRUE.equals(json), facts, problems);
  }

  private static String words(Map<Integer, Kind> dims) {
    if (dims.size() == 1) {
      return String.valueOf(dims.keySet().iterator().next());
    }
    List<String> words = new ArrayList<>();
    dims.forEach((d, kind) -> words.add(String.format(Locale.ROOT, "%d (%,d)", d, kind.rows)));
    return String.join(", ", words);
  }

  private static void mixed(Map<Integer, Kind> dims, List<String> problems) {
    int usual = -1;
    for (Map.Entry<Integer, Kind> each : dims.entrySet()) {
      if (usual < 0 || each.getValue().rows > dims.get(usual).rows) {
        usual = each.getKey();
      }
    }
    for (Map.Entry<Integer, Kind> each : dims.entrySet()) {
      if (each.getKey() != usual) {
        problems.add(
            each.getValue().say("of " + each.getKey() + " dimensions, where most have " + usual));
      }
    }
  }

  private static long repeatedIds(Connection connection, IndexedTable table) throws SQLException {
    String id = Identifiers.quote(table.id());
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT count("
                    + id
                    + ") - count(DISTINCT "
                    + id
                    + ") FROM "
                    + Identifiers.quote(table.table()))) {
      return row.getLong(1);
    }
  }

  /** The vector of a row; what is wrong with it is the message. */
  private static double[] vector(
      Object id, Object embedding, IndexedTable table, NumberForm form, Boolean json) {
    String whose = "whose " + table.embedding();
    if (embedding == null) {
      throw new VectorException(whose + " is NULL, skipped");
    }
    if (id == null) {
      throw new VectorException("whose " + table.id() + " is NULL");
    }
    if (embedding instanceof String text
        && !Boolean.FALSE.equals(json)
        && text.strip().startsWith("[")) {
      try {
        float[] parsed = VectorJson.parse(text);
        double[] vector = new double[parsed.length];
        for (int i = 0; i < vector.length; i++) {
          vector[i] = parsed[i];
        }
        return vector;
      } catch (VectorException e) {
        throw new VectorException(whose + " is a JSON array that isn't one of numbers");
      }
    }
    if (!(embedding instanceof byte[] blob)) {
      String type = embedding instanceof String ? "TEXT" : "a number";
      throw new VectorException(
          whose
              + " is "
              + type
              + (Boolean.TRUE.equals(json) ? ", expected JSON" : ", expected a BLOB"));
    }
    if (Boolean.TRUE.equals(json)) {
      throw new VectorException(whose + " is a BLOB, where others are JSON");
    }
    double[] vector = form.elements(blob);
    if (vector == null) {
      throw new VectorException(
          whose
              + " has "
              + blob.length
              + " bytes, no whole number of "
              + form.label()
              + " elements");
    }
    int strange = 0;
    for (double element : vector) {
      if (!Double.isFinite(element)) {
        throw new VectorException(whose + " has an element that is NaN or infinite");
      }
      strange += form.usual(element) ? 0 : 1;
    }
    if (vector.length >= FEWEST && strange > vector.length / 10) {
      throw new VectorException(
          whose + HARDLY + form.label() + ": elements are below 1e-10 or beyond 1e10");
    }
    return vector;
  }
}
