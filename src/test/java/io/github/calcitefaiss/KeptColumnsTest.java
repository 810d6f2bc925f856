/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Columns that are kept beside the vectors: which they are, and what is seen of them. */
class KeptColumnsTest {
  private static final int ROWS = 1200;

  @TempDir Path folder;

  private Path file;

  private void create(String columns, Object[]... values) throws SQLException {
    file = folder.resolve("k.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          "CREATE TABLE docs(id INTEGER PRIMARY KEY, embedding BLOB, " + columns + ")");
      int width = values[0].length;
      try (PreparedStatement insert =
          connection.prepareStatement(
              "INSERT INTO docs VALUES (?, ?" + ", ?".repeat(width) + ")")) {
        for (int i = 0; i < ROWS; i++) {
          insert.setInt(1, i);
          insert.setBytes(2, VectorCodec.encode(new float[] {i, 1}));
          for (int c = 0; c < width; c++) {
            Object value = values[i % values.length][c];
            insert.setObject(3 + c, "row".equals(value) ? "row " + i : value);
          }
          insert.execute();
        }
      }
      connection.commit();
    }
  }

  private Connection open(String... properties) throws SQLException {
    return DriverManager.getConnection(
        "jdbc:faiss:" + file + ";native=off" + String.join("", properties));
  }

  private static List<String> ask(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (found.next()) {
        rows.add(String.valueOf(found.getObject(1)));
      }
      return rows;
    }
  }

  private static List<String> nearest(Connection connection, String where) throws SQLException {
    return ask(
        connection,
        "SELECT id FROM docs WHERE "
            + where
            + " ORDER BY l2_distance(embedding, '[0,1]'), id LIMIT 3");
  }

  private static String filterIn(Connection connection, String where) throws SQLException {
    String plan =
        ask(
                connection,
                "EXPLAIN PLAN FOR SELECT id FROM docs WHERE "
                    + where
                    + " ORDER BY l2_distance(embedding, '[0,1]') LIMIT 3")
            .get(0);
    int start = plan.indexOf("filterIn=[") + "filterIn=[".length();
    return plan.substring(start, plan.indexOf(']', start));
  }

  private static String kept(Connection connection) throws SQLException {
    return ask(connection, "SELECT kept_columns FROM \"metadata\".faiss_indexes").get(0);
  }

  @Test
  void numbersAndFewTextsAreKept() throws SQLException {
    create(
        "n INTEGER, price REAL, section TEXT, title TEXT, day DATE, other BLOB",
        new Object[] {1, 1.5, "iron", "row", "2024-01-01", new byte[] {1}},
        new Object[] {2, null, "wood", "row", "2024-01-02", null},
        new Object[] {null, 2.5, "iron", "row", "2024-02-01", new byte[] {2}});
    try (Connection connection = open()) {
      assertEquals(
          "index, if it keeps n, section", filterIn(connection, "n = 1 AND section = 'iron'"));
      assertEquals(List.of("0", "3", "6"), nearest(connection, "n = 1 AND section = 'iron'"));
      assertEquals("n, section", kept(connection));
      assertEquals("index", filterIn(connection, "n = 1 AND section = 'iron'"));
      assertEquals("index, if it keeps day, n", filterIn(connection, "n = 1 AND day > '2024'"));
      assertEquals("SQLite", filterIn(connection, "n = 1 AND title <> 'row 0'"));
      assertEquals("SQLite", filterIn(connection, "n = price"));
      assertEquals(List.of("3", "6", "9"), nearest(connection, "n = 1 AND title <> 'row 0'"));
      assertEquals(
          List.of("2", "5", "8"),
          nearest(connection, "day >= '2024-01-03' AND (price > 2 OR price IS NULL)"));
      assertEquals("n, section, day, price", kept(connection));
      assertEquals("index", filterIn(connection, "n = 1 AND day > '2024'"));
      // Four columns of a byte a row and of two or three bits, and what their values take.
      long bytes =
          Long.parseLong(
              ask(connection, "SELECT kept_bytes FROM \"metadata\".faiss_indexes").get(0));
      assertTrue(bytes >= 5 * ROWS && bytes < 5 * ROWS + 2000, bytes + " bytes");
      long all =
          Long.parseLong(ask(connection, "SELECT bytes FROM \"metadata\".faiss_indexes").get(0));
      try (Connection without = open(";columns=none")) {
        assertEquals(List.of("0", "3", "6"), nearest(without, "n = 1 AND section = 'iron'"));
        assertEquals("", kept(without));
        assertEquals("SQLite", filterIn(without, "n = 1"));
        assertEquals(
            all - bytes,
            Long.parseLong(ask(without, "SELECT bytes FROM \"metadata\".faiss_indexes").get(0)));
      }
    }
  }

  @Test
  void namedColumnsAreKeptWhateverTheyHold() throws SQLException {
    create(
        "n INTEGER, title TEXT, other BLOB",
        new Object[] {1, "row", new byte[] {1}},
        new Object[] {2, "row", null});
    try (Connection connection = open(";columns=TITLE, \"other\"")) {
      assertEquals("index", filterIn(connection, "title = 'row 7'"));
      assertEquals("SQLite", filterIn(connection, "n = 1"));
      assertEquals(List.of("7"), nearest(connection, "title = 'row 7'"));
      assertEquals(List.of("99", "999"), nearest(connection, "title IN ('row 99', 'row 999')"));
      assertEquals(List.of("1", "3", "5"), nearest(connection, "other IS NULL"));
      assertEquals(List.of("0", "2", "4"), nearest(connection, "other >= x'01'"));
      assertEquals("title, other", kept(connection));
      assertEquals("index", filterIn(connection, "title = 'row 7'"));
    }
  }

  @Test
  void manyNumbersAreKept() throws SQLException {
    // More than are numbered as they come.
    file = folder.resolve("k.db");
    int rows = 70_000;
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TABLE docs(id INTEGER PRIMARY KEY, embedding BLOB, n INTEGER, r REAL, u NUMERIC)");
      statement.execute(
          "WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < "
              + (rows - 1)
              + ") INSERT INTO docs SELECT i, x'0000803f00000000', CASE WHEN i % 10 = 0 THEN NULL"
              + " ELSE 1000000 - i END, i + 0.5, CASE WHEN i = 69999 THEN 0.25 ELSE i END FROM c");
    }
    String[] filters = {
      "n IS NULL AND id > 15",
      "n < 999990",
      "n <= 999988.5",
      "n IN (999999, 930003, 5)",
      "r = 69999.5",
      "r BETWEEN 10 AND 12",
      "u < 1 AND u > 0",
      "u >= 69997"
    };
    try (Connection auto = open();
        Connection none = open(";columns=none");
        Connection named = open(";columns=n,r,u")) {
      for (String filter : filters) {
        List<String> expected = nearest(none, filter);
        assertEquals(expected, nearest(auto, filter), filter);
        assertEquals(expected, nearest(named, filter), filter);
      }
      assertEquals("n, r", kept(auto));
      assertEquals("n, r, u", kept(named));
    }
  }

  @Test
  void textsThatCompareOtherwiseAreNotKept() throws SQLException {
    create(
        "n INTEGER, section TEXT COLLATE NOCASE, plain TEXT",
        new Object[] {1, "Iron", "a"},
        new Object[] {2, "wood", "b"});
    try (Connection connection = open()) {
      assertEquals(List.of("0", "2", "4"), nearest(connection, "section = 'iron'"));
      assertEquals(List.of("1", "3", "5"), nearest(connection, "section = 'WOOD' AND n = 2"));
      assertEquals("", kept(connection));
      assertEquals(List.of("1", "3", "5"), nearest(connection, "n = 2"));
      assertEquals("n", kept(connection));
    }
  }

  @Test
  void aChangeOfAKeptColumnAloneIsSeen() throws SQLException {
    create("n INTEGER", new Object[] {1}, new Object[] {2});
    try (Connection connection = open();
        Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      for (int i = 0; i < 5; i++) {
        assertEquals(
            List.of("" + 2 * i, "" + (2 * i + 2), "" + (2 * i + 4)), nearest(connection, "n = 1"));
        statement.execute("UPDATE docs SET n = 3 WHERE id = " + 2 * i);
        assertEquals("" + 2 * i, nearest(connection, "n = 3 AND id >= " + 2 * i).get(0));
      }
    }
  }

  @Test
  void valuesAreThoseOfTheVersionThatAStatementSees() throws SQLException {
    create("n INTEGER", new Object[] {1}, new Object[] {2});
    String order = " ORDER BY l2_distance(embedding, '[0,1]') LIMIT 2";
    try (Connection connection = open();
        Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      for (int i = 3; i < 6; i++) {
        // The first asks for the column, so that the others may take it from there.
        assertEquals("1", nearest(connection, "n = 2").get(0));
        statement.execute("UPDATE docs SET n = " + i + " WHERE id = 0");
        for (String where : new String[] {"", " WHERE n <> 7", " WHERE n <> 7"}) {
          String sql = "SELECT n FROM docs" + where + order;
          assertEquals(List.of("" + i, "2"), ask(connection, sql), sql);
        }
      }
    }
  }

  @Test
  void columnsGoWhereMemoryIsShort() throws SQLException {
    create("n INTEGER, m INTEGER", new Object[] {1, 1}, new Object[] {2, 2});
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      statement.execute("CREATE TABLE other AS SELECT * FROM docs");
    }
    boolean refused = false;
    boolean gone = false;
    boolean stayed = false;
    for (long limit = 8192; limit < 400_000 && !stayed; limit += 16_384) {
      // Another version each time, so that nothing is left in the cache.
      try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
          Statement statement = writer.createStatement()) {
        statement.execute("UPDATE docs SET n = n + 1 WHERE id < 5");
      }
      try (Connection connection = open(";memory=codes;memoryLimit=" + limit + "B")) {
        assertEquals(List.of("0", "2", "4"), nearest(connection, "m = 1"));
        ask(connection, "SELECT id FROM other ORDER BY l2_distance(embedding, '[5,1]') LIMIT 1");
        String all =
            "SELECT kept_columns FROM \"metadata\".faiss_indexes WHERE table_name = 'docs'";
        String kept = ask(connection, all).get(0);
        gone |= kept.isEmpty();
        stayed = kept.equals("m");
        assertEquals(List.of("1", "3", "5"), nearest(connection, "m = 2"));
      } catch (SQLException e) {
        refused = true;
      }
    }
    assertTrue(refused, "no limit was too low for an index");
    assertTrue(gone, "no limit was too low for the columns");
    assertTrue(stayed, "all limits were too low for the columns");
  }

  @Test
  void columnsAreOfTheRowsThatHaveAUsableVector() throws SQLException {
    create(
        "n INTEGER, t TEXT", new Object[] {1, "a"}, new Object[] {2, "b"}, new Object[] {3, "a"});
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      statement.execute("CREATE INDEX docs_n ON docs(n)");
      statement.execute("UPDATE docs SET embedding = NULL WHERE id IN (0, 10, 1199)");
      statement.execute("UPDATE docs SET embedding = x'010203' WHERE id IN (1, 3, 600)");
      statement.execute("UPDATE docs SET embedding = 'none' WHERE id = 6");
    }
    for (String id : new String[] {"", " WHERE id > 0", " ORDER BY id DESC"}) {
      try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
          Statement statement = writer.createStatement()) {
        statement.execute("DROP TABLE IF EXISTS named");
        statement.execute(
            "CREATE TABLE named(id INT PRIMARY KEY, embedding BLOB, n INTEGER, t TEXT)");
        statement.execute("INSERT INTO named SELECT * FROM docs" + id);
        statement.execute("DELETE FROM named WHERE id % 11 = 9");
      }
      try (Connection connection = open(";onBadRow=skip");
          Connection none = open(";onBadRow=skip;columns=none")) {
        for (String where : new String[] {"n = 1", "n > 1 AND t = 'a'", "t <> 'a' OR n IS NULL"}) {
          for (String table : new String[] {"docs", "named"}) {
            String sql =
                "SELECT id FROM "
                    + table
                    + " WHERE "
                    + where
                    + " ORDER BY l2_distance(embedding, '[1000,1]'), id LIMIT 400";
            assertEquals(ask(none, sql), ask(connection, sql), sql);
          }
        }
        assertEquals(
            List.of("docs n, t", "named n, t"),
            ask(
                connection,
                "SELECT table_name || ' ' || kept_columns FROM \"metadata\".faiss_indexes"));
      }
    }
  }

  @Test
  void rowsOfOneIdAreToldApartOrLeftToSqlite() throws SQLException {
    create("n INTEGER", new Object[] {1}, new Object[] {2}, new Object[] {3});
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      statement.execute("CREATE TABLE twice(id INTEGER, embedding BLOB, n INTEGER)");
      // The first of two rows of one id has no usable vector.
      statement.execute("INSERT INTO twice SELECT id, x'00', n + 1 FROM docs WHERE id < 9");
      statement.execute("INSERT INTO twice SELECT id, embedding, n FROM docs WHERE id < 30");
    }
    try (Connection connection = open(";onBadRow=skip");
        Connection none = open(";onBadRow=skip;columns=none")) {
      for (int n = 1; n < 5; n++) {
        String sql =
            "SELECT id, n FROM twice WHERE n = "
                + n
                + " ORDER BY l2_distance(embedding, '[0,1]'), id LIMIT 20";
        assertEquals(ask(none, sql), ask(connection, sql), sql);
      }
    }
  }

  @Test
  void columnsOfVectorsOfSeveralDimensionsAreKept() throws SQLException {
    create("n INTEGER, model TEXT", new Object[] {1, "a"}, new Object[] {2, "b"});
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      statement.execute(
          "UPDATE docs SET embedding = CAST(embedding || x'0000803f' AS BLOB) WHERE model = 'b'");
    }
    try (Connection connection = open();
        Connection none = open(";columns=none")) {
      for (String[] ask : new String[][] {{"a", "[90,1]"}, {"b", "[90,1,1]"}}) {
        String sql =
            "SELECT id FROM docs WHERE model = '"
                + ask[0]
                + "' AND n < 3 ORDER BY l2_distance(embedding, '"
                + ask[1]
                + "'), id LIMIT 5";
        assertEquals(5, ask(none, sql).size());
        assertEquals(ask(none, sql), ask(connection, sql), sql);
      }
      assertEquals("model, n", kept(connection));
    }
  }

  @Test
  void manyStatementsAtOnceReadColumnsOfTheirVersion() throws Exception {
    create("n INTEGER, m INTEGER", new Object[] {1, 0}, new Object[] {2, 0});
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      statement.execute("PRAGMA journal_mode = WAL");
      List<Future<?>> readers = new ArrayList<>();
      for (int t = 0; t < 3; t++) {
        readers.add(
            threads.submit(
                () -> {
                  try (Connection connection = open()) {
                    for (int i = 0; i < 20; i++) {
                      // All rows have one m in each version, and another one in the next.
                      String sql =
                          "SELECT m FROM docs WHERE n <> 5 AND m = (SELECT max(m) FROM docs)"
                              + " ORDER BY l2_distance(embedding, '[0,1]') LIMIT 1200";
                      assertEquals(ROWS, ask(connection, sql).size());
                      String m = ask(connection, "SELECT max(m) FROM docs").get(0);
                      List<String> found = nearest(connection, "m >= " + m);
                      assertEquals(List.of("0", "1", "2"), found);
                    }
                  }
                  return null;
                }));
      }
      int commits = 0;
      while (readers.stream().anyMatch(reader -> !reader.isDone())) {
        statement.execute("UPDATE docs SET m = m + 1");
        commits++;
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
      assertTrue(commits > 1, commits + " commits");
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void anIdOfIntegersIsKeptForNothing() throws SQLException {
    create("n INTEGER", new Object[] {1}, new Object[] {2});
    try (Connection connection = open();
        Connection named = open(";columns=n");
        Connection none = open(";columns=none")) {
      assertEquals("index, if it keeps id", filterIn(connection, "id > 3"));
      assertEquals("index, if it keeps id, n", filterIn(named, "id > 3 AND n = 1"));
      for (Connection any : new Connection[] {connection, named, none}) {
        assertEquals(List.of("4", "6", "8"), nearest(any, "id > 3 AND n = 1"));
        assertEquals(List.of("7", "1100"), nearest(any, "id IN (7, 1100, 5000)"));
        assertEquals(List.of("1198", "1199"), nearest(any, "id BETWEEN 1197.5 AND 1e9"));
        assertEquals(List.of(), nearest(any, "id < 0 OR id IS NULL"));
        assertEquals(List.of("0", "1", "2"), nearest(any, "id <> 3"));
        assertEquals(List.of("9"), nearest(any, "id = '9'"));
        assertEquals(any == none ? "" : "n", kept(any));
      }
      assertEquals("index", filterIn(connection, "id > 3"));
      assertEquals("index", filterIn(named, "id > 3"));
      assertEquals("SQLite", filterIn(none, "id > 3"));
    }
  }

  @Test
  void valuesOfSeveralKindsMayShareAList() throws SQLException {
    create("n INTEGER", new Object[] {1}, new Object[] {2});
    try (Connection connection = open();
        Connection none = open(";columns=none")) {
      for (Connection any : new Connection[] {connection, none}) {
        for (String order : new String[] {"l2_distance(embedding, '[0,1]')", "id"}) {
          String sql = "SELECT id FROM docs WHERE id %s (?, 14.5, ?) %s ORDER BY %s LIMIT 3";
          String in = String.format(Locale.ROOT, sql, "IN", "", order);
          String notIn = String.format(Locale.ROOT, sql, "NOT IN", "AND id > 10", order);
          assertEquals(List.of("12", "41"), ask(any, in, 41, 12), in);
          assertEquals(List.of("12", "14", "15"), ask(any, notIn, 11, 13), notIn);
          sql = "SELECT id FROM docs WHERE id IN (3, 14.5, -7, '16', 'x') ORDER BY " + order;
          assertEquals(List.of("3", "16"), ask(any, sql + " LIMIT 3"), sql);
          sql = "SELECT id FROM docs WHERE id IN (3, -7.5, 12.0) ORDER BY " + order;
          assertEquals(List.of("3", "12"), ask(any, sql + " LIMIT 3"), sql);
        }
      }
    }
  }

  private static List<String> ask(Connection connection, String sql, int first, int last)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setInt(1, first);
      statement.setInt(2, last);
      try (ResultSet found = statement.executeQuery()) {
        List<String> rows = new ArrayList<>();
        while (found.next()) {
          rows.add(found.getString(1));
        }
        return rows;
      }
    }
  }

  @Test
  void anIdOfTextsIsLeftToSqlite() throws SQLException {
    create("n INTEGER", new Object[] {1});
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      statement.execute("CREATE TABLE named(id TEXT PRIMARY KEY, embedding BLOB)");
      statement.execute(
          "INSERT INTO named SELECT CASE id WHEN 8 THEN 8 ELSE 'x' || id END, embedding FROM docs"
              + " WHERE id < 20");
      statement.execute("DROP TABLE docs");
    }
    try (Connection connection = open()) {
      String sql =
          "SELECT id FROM named WHERE id < 'x12'"
              + " ORDER BY l2_distance(embedding, '[8,1]') LIMIT 3";
      assertEquals(List.of("8", "x10", "x11"), ask(connection, sql));
      String plan = ask(connection, "EXPLAIN PLAN FOR " + sql).get(0);
      assertTrue(plan.contains("filterIn=[SQLite]"), plan);
    }
  }

  @Test
  void operandsAreChecked() throws SQLException {
    create("section TEXT, n INTEGER", new Object[] {"a", 1});
    String message =
        assertThrows(SQLException.class, () -> open(";columns=sektion").close()).getMessage();
    assertEquals(
        "schema 'k': operand 'columns': no indexed table has a column 'sektion' beside its id and"
            + " vector (did you mean 'section'?); indexed tables: docs",
        message);
    message = assertThrows(SQLException.class, () -> open(";columns=n,,").close()).getMessage();
    assertEquals(
        "schema 'k': operand 'columns' is 'n,,', expected 'auto', 'none', or names of columns",
        message);
  }
}
