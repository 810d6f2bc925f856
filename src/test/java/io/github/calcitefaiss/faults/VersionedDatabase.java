/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A database whose every answer tells which version it is of.
 *
 * <p>In version v the table docs has {@code 40 + v % 7} rows; row i is {@code (i, v, [v, i])}. So
 * the squared distance of row i from the origin is {@code v² + i²}, and an answer that mixes two
 * versions, or misses a row, shows it.
 */
final class VersionedDatabase {
  static final byte[] ORIGIN = vector(0, 0);
  static final int MOST_ROWS = 100;

  private VersionedDatabase() {}

  static byte[] vector(float... elements) {
    ByteBuffer blob = ByteBuffer.allocate(4 * elements.length).order(ByteOrder.LITTLE_ENDIAN);
    blob.asFloatBuffer().put(elements);
    return blob.array();
  }

  static int rows(int version) {
    return 40 + version % 7;
  }

  /** Opens a file as any other program would, waiting for locks. */
  static Connection sqlite(Path file) throws SQLException {
    Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
    execute(connection, "PRAGMA busy_timeout = 20000");
    return connection;
  }

  static void execute(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  static void create(Path file, String journalMode, int version) throws SQLException {
    try (Connection connection = sqlite(file)) {
      execute(
          connection,
          "PRAGMA journal_mode = " + journalMode,
          "CREATE TABLE docs (id INTEGER PRIMARY KEY, v INTEGER, embedding BLOB, filler TEXT)");
      commit(connection, version);
    }
  }

  /** Makes the whole table another version's, in one transaction. */
  static void commit(Connection connection, int version) throws SQLException {
    execute(connection, "BEGIN IMMEDIATE");
    write(connection, version);
    execute(connection, "COMMIT");
  }

  static void write(Connection connection, int version) throws SQLException {
    execute(connection, "DELETE FROM docs");
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO docs VALUES (?, ?, ?, ?)")) {
      for (int i = 1; i <= rows(version); i++) {
        insert.setInt(1, i);
        insert.setInt(2, version);
        insert.setBytes(3, vector(version, i));
        insert.setString(4, "version " + version + " ".repeat(500));
        insert.executeUpdate();
      }
    }
  }

  static int version(Connection sqlite) throws SQLException {
    try (Statement statement = sqlite.createStatement();
        ResultSet row = statement.executeQuery("SELECT max(v) FROM docs")) {
      return row.getInt(1);
    }
  }

  /** Opens it with the driver under test. */
  static Connection faiss(Path file, String... properties) throws SQLException {
    String more = properties.length == 0 ? "" : ";" + String.join(";", properties);
    return DriverManager.getConnection("jdbc:faiss:" + file + more);
  }

  /** The ways to ask for a version. */
  enum Way {
    SEARCH("SELECT faiss_search_with_scores('%s', 'docs', ?, 100)") {
      @Override
      List<int[]> read(ResultSet rows) throws SQLException {
        rows.next();
        List<int[]> found = new ArrayList<>();
        String json = rows.getString(1).replace("[", "").replace("]", "");
        String[] numbers = json.isEmpty() ? new String[0] : json.split(", ", -1);
        for (int i = 0; i < numbers.length; i += 2) {
          int id = Integer.parseInt(numbers[i]);
          double square = Double.parseDouble(numbers[i + 1]) - (double) id * id;
          found.add(new int[] {id, (int) Math.sqrt(square)});
        }
        return found;
      }
    },
    SCAN("SELECT id, v FROM docs WHERE length(embedding) = length(?)"),
    JOIN(
        "SELECT d.id, CASE WHEN round(n.distance * n.distance) = d.v * d.v + d.id * d.id"
            + " THEN d.v ELSE -1 END FROM TABLE(faiss_neighbors('%s', 'docs', ?, 100)) AS n"
            + " JOIN docs AS d ON d.id = n.id"),
    SCAN_THEN_SEARCH(
        "SELECT id, CASE WHEN faiss_search_with_scores('%s', 'docs', ?, 1) LIKE"
            + " '%%, ' || cast(v * v + 1 AS VARCHAR) || '.0]]' THEN v ELSE -1 END FROM docs");

    final String sql;

    Way(String sql) {
      this.sql = sql;
    }

    List<int[]> read(ResultSet rows) throws SQLException {
      List<int[]> found = new ArrayList<>();
      while (rows.next()) {
        found.add(new int[] {rows.getInt(1), rows.getInt(2)});
      }
      return found;
    }

    PreparedStatement prepare(Connection faiss) throws SQLException {
      return faiss.prepareStatement(String.format(Locale.ROOT, sql, faiss.getSchema()));
    }

    int ask(PreparedStatement prepared) throws SQLException {
      prepared.setBytes(1, ORIGIN);
      try (ResultSet rows = prepared.executeQuery()) {
        return oneVersion(read(rows));
      }
    }

    int ask(Connection faiss) throws SQLException {
      try (PreparedStatement prepared = prepare(faiss)) {
        return ask(prepared);
      }
    }
  }

  private static int oneVersion(List<int[]> rows) {
    int version = rows.isEmpty() ? -1 : rows.get(0)[1];
    boolean[] seen = new boolean[MOST_ROWS];
    for (int[] row : rows) {
      if (row[1] != version || version < 0 || seen[row[0]]) {
        throw new TornAnswer("row " + row[0] + " is of version " + row[1] + ", not " + version);
      }
      seen[row[0]] = true;
    }
    if (rows.size() != rows(version)) {
      throw new TornAnswer(rows.size() + " rows in version " + version);
    }
    return version;
  }

  /** An answer that is of no committed version. */
  static final class TornAnswer extends AssertionError {
    private static final long serialVersionUID = 1;

    TornAnswer(String message) {
      super(message);
    }
  }
}
