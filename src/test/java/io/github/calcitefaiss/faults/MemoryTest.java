/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.faiss;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestProcess;
import io.github.calcitefaiss.index.MemorySize;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory is charged before it is taken: an error with sizes, not a heap that is full. */
class MemoryTest {
  @TempDir Path folder;

  private static String series(int n) {
    return "FROM (WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s LIMIT "
        + n
        + ") SELECT value FROM s)";
  }

  private Path database() throws SQLException {
    Path file = folder.resolve("m.db");
    try (Connection writer = sqlite(file)) {
      for (String table : new String[] {"a", "b", "c"}) {
        execute(
            writer,
            "CREATE TABLE " + table + " (id INTEGER PRIMARY KEY, embedding BLOB)",
            // 3000 rows of 64 dimensions: about 1 MB.
            "INSERT INTO " + table + " SELECT value, zeroblob(256) " + series(3000));
      }
      execute(
          writer,
          "CREATE TABLE large (id INTEGER PRIMARY KEY, embedding BLOB)",
          "INSERT INTO large SELECT value, zeroblob(256) " + series(40000),
          "CREATE VIEW large_view AS SELECT id, embedding FROM large",
          "CREATE TABLE odd (id INTEGER PRIMARY KEY, embedding BLOB)",
          "INSERT INTO odd VALUES (1, zeroblob(8)), (2, zeroblob(100000000))",
          "CREATE TABLE ids (id TEXT, embedding BLOB)",
          "INSERT INTO ids SELECT hex(zeroblob(100000)), zeroblob(8) " + series(20));
    }
    return file;
  }

  private static String search(Connection connection, String table) throws SQLException {
    return search(connection, table, 256);
  }

  private static String search(Connection connection, String table, int bytes) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT faiss_search('m', ?, ?, 1)")) {
      statement.setString(1, table);
      statement.setBytes(2, new byte[bytes]);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  private static Long rows(Connection connection, String table) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT row_count FROM \"metadata\".faiss_indexes WHERE table_name = '"
                    + table
                    + "'")) {
      row.next();
      return (Long) row.getObject(1);
    }
  }

  @Test
  void aTableThatDoesNotFitIsAnErrorWithSizes() throws SQLException {
    try (Connection connection = faiss(database(), "memoryLimit=3MB")) {
      assertEquals("[1]", search(connection, "a"));
      assertEquals("[1]", search(connection, "b"));
      for (String table : new String[] {"large", "large_view", "ids"}) {
        SQLException e = assertThrows(SQLException.class, () -> search(connection, table));
        assertEquals("53200", e.getSQLState());
        assertTrue(
            e.getMessage().startsWith("table m." + table + " needs ")
                && e.getMessage().contains("; limit 3072 KB (operand memoryLimit"),
            e.toString());
        if (table.equals("large")) {
          assertTrue(e.getMessage().matches("table m.large needs \\d+ KB;.*"), e.toString());
          assertNotNull(rows(connection, "a"), "put out for what can't fit");
        }
      }
      assertEquals("[1]", search(connection, "a"));
    }
  }

  @Test
  void idleIndexesMakeRoom() throws SQLException {
    try (Connection connection = faiss(database(), "memoryLimit=2500KB")) {
      search(connection, "a");
      search(connection, "b");
      search(connection, "a");
      search(connection, "c");
      assertNull(rows(connection, "b"));
      assertEquals(3000L, rows(connection, "a"));
      assertEquals(3000L, rows(connection, "c"));
      assertEquals("[1]", search(connection, "b"));
    }
  }

  @Test
  void aHugeBlobIsNotEvenRead() throws SQLException {
    try (Connection connection = faiss(database())) {
      SQLException e = assertThrows(SQLException.class, () -> search(connection, "odd"));
      assertTrue(
          e.getMessage()
              .contains(
                  "table m.odd, the row with id 2: its embedding is a BLOB of"
                      + " 100000000 bytes"),
          e.toString());
    }
  }

  @Test
  void amountsAreReadAsPeopleWriteThem() throws SQLException {
    assertEquals(512L << 20, MemorySize.parse("512MB"));
    assertEquals(512L << 20, MemorySize.parse(" 512 MiB"));
    assertEquals(2L << 30, MemorySize.parse("2g"));
    assertEquals(100, MemorySize.parse("100"));
    for (String wrong : new String[] {"", "MB", "-1", "1.5GB", "1e9", "999999999999TB"}) {
      assertEquals(-1, MemorySize.parse(wrong), wrong);
    }
    Path file = database();
    SQLException e =
        assertThrows(SQLException.class, () -> faiss(file, "memoryLimit=lots").close());
    assertTrue(e.getMessage().contains("operand 'memoryLimit' is 'lots'"), e.toString());
  }

  /**
   * In a virtual machine with little memory a large table is answered from its codes, a large view,
   * whose rows can't be found again, is an error, and a small table works.
   */
  @Test
  void inASmallHeap() throws Exception {
    Path file = folder.resolve("m.db");
    try (Connection writer = sqlite(file)) {
      execute(
          writer,
          "CREATE TABLE large (id INTEGER PRIMARY KEY, embedding BLOB)",
          "INSERT INTO large SELECT value, zeroblob(4096) " + series(20000),
          "CREATE VIEW large_view AS SELECT id, embedding FROM large",
          "CREATE TABLE small (id INTEGER PRIMARY KEY, embedding BLOB)",
          "INSERT INTO small SELECT value, zeroblob(256) " + series(3000));
    }
    Process process =
        TestProcess.of(
                MemoryTest.class,
                List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                file.toString())
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), out);
    assertTrue(out.contains("large [1]"), out);
    assertTrue(out.contains("53200 table m.large_view needs"), out);
    assertTrue(out.contains("small [1]"), out);
    assertTrue(out.contains("53200 Out of memory while running the statement"), out);
    assertTrue(out.endsWith("last [1]" + System.lineSeparator()), out);
  }

  /** The small virtual machine. */
  public static void main(String[] args) throws SQLException {
    try (Connection connection = faiss(Path.of(args[0]))) {
      for (int i = 0; i < 3; i++) {
        try {
          say("large " + search(connection, "large", 4096));
          search(connection, "large_view", 4096);
        } catch (SQLException e) {
          say(e.getSQLState() + " " + e.getMessage());
        }
        say("small " + search(connection, "small"));
      }
      // What nothing limits beforehand: all rows of a sort that Calcite does.
      try (Connection calcite = faiss(Path.of(args[0]), "native=off");
          Statement statement = calcite.createStatement()) {
        String sql =
            "SELECT a.id + b.id AS x, 'a row ' || a.id || ' ' || b.id AS y"
                + " FROM small a CROSS JOIN small b ORDER BY y, x";
        try (ResultSet rows = statement.executeQuery(sql)) {
          rows.next();
          say("no error");
        } catch (SQLException e) {
          say(e.getSQLState() + " " + e.getMessage());
        }
        try (ResultSet row = statement.executeQuery("SELECT count(*) FROM small")) {
          row.next();
          say("counted " + row.getLong(1));
        }
      }
      say("last " + search(connection, "small"));
    }
  }

  private static void say(String line) {
    new java.io.PrintStream(
            new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8)
        .println(line);
  }
}
