/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.create;
import static io.github.calcitefaiss.faults.VersionedDatabase.faiss;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Arguments without measure give an answer or an error, and leave the connection usable. */
class HostileInputTest {
  @TempDir Path folder;

  /** The answer, or the SQLSTATE of a proper error. */
  private static String ask(Connection connection, String sql, Object... arguments) {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < arguments.length; i++) {
        statement.setObject(i + 1, arguments[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getString(1) : null;
      }
    } catch (SQLException e) {
      assertFalse(String.valueOf(e.getMessage()).contains("Internal error"), e.toString());
      assertTrue(e.getMessage().length() < 3000, "a message of " + e.getMessage().length());
      return e.getSQLState();
    }
  }

  @Test
  void hugeArguments() throws SQLException {
    Path file = folder.resolve("v.db");
    create(file, "DELETE", 1);
    try (Connection connection = faiss(file)) {
      String longArray = "[" + "0.125,".repeat(1_700_000) + "1]";
      String deep = "[".repeat(10_000);
      String deepClosed = deep + "1" + "]".repeat(10_000);
      String longNumber = "[" + "9".repeat(1_000_000) + "]";
      for (String json : List.of(deep, deepClosed, longNumber)) {
        assertEquals("22000", ask(connection, "SELECT faiss_encode(?)", json));
        assertEquals("22000", ask(connection, "SELECT l2_distance(?, X'00000000')", json));
      }
      assertEquals(
          Integer.toString(4 * 1_700_001),
          ask(connection, "SELECT length(faiss_encode(?))", longArray));
      for (String json : List.of(deep, deepClosed, "{\"a\":".repeat(10_000))) {
        assertEquals("22000", ask(connection, "SELECT json_extract(?, '$[0]')", json));
        assertEquals(
            "22000", ask(connection, "SELECT count(*) FROM json_each(CAST(? AS VARCHAR))", json));
      }
      assertEquals(
          "1700001",
          ask(connection, "SELECT count(*) FROM json_each(CAST(? AS VARCHAR))", longArray));
      byte[] blob = new byte[64 << 20];
      assertEquals("22000", ask(connection, "SELECT faiss_search('v', 'docs', ?, 3)", blob));
      assertEquals("22000", ask(connection, "SELECT faiss_search('v', 'docs', ?, 3)", longArray));
      assertEquals(
          Integer.toString(64 << 20), ask(connection, "SELECT length(?)", new Object[] {blob}));
      String all = ask(connection, "SELECT faiss_search('v', 'docs', X'0000000000000000', 100)");
      for (String k : List.of("2147483647", "2147483648", "9223372036854775807", "1e300", "1e18")) {
        assertEquals(
            all,
            ask(connection, "SELECT faiss_search('v', 'docs', X'0000000000000000', " + k + ")"),
            k);
        assertEquals(
            all,
            ask(
                connection,
                "SELECT faiss_agg(id, embedding, X'0000000000000000', " + k + ") FROM docs"),
            k);
      }
      ask(connection, "SELECT json_extract('[1]', ?)", "$" + "[0]".repeat(300_000));
      assertEquals(
          VersionedDatabase.rows(1),
          Integer.parseInt(ask(connection, "SELECT count(*) FROM docs")));
    }
  }

  @Test
  void deepAndLongStatements() throws SQLException {
    Path file = folder.resolve("v.db");
    create(file, "DELETE", 1);
    try (Connection connection = faiss(file);
        Statement statement = connection.createStatement()) {
      for (String sql :
          List.of(
              "SELECT " + "(".repeat(10_000) + "1" + ")".repeat(10_000),
              "SELECT " + "-".repeat(1) + "(-".repeat(10_000) + "1" + ")".repeat(10_000),
              "SELECT 1" + " + 1".repeat(20_000),
              "SELECT " + "CASE WHEN 1=1 THEN ".repeat(3000) + "1" + " END".repeat(3000),
              "SELECT * FROM " + "(SELECT * FROM ".repeat(2000) + "docs" + ")".repeat(2000),
              "SELECT " + "faiss_encode(".repeat(2000) + "'[1]'" + ")".repeat(2000),
              "SELECT X'" + "00".repeat(1_000_000) + "'",
              "SELECT '" + "x".repeat(5_000_000) + "'",
              "SELECT /*" + "x".repeat(5_000_000) + "*/ 1",
              "[".repeat(10_000),
              "\"".repeat(9_999),
              "VALUES (1)" + ", (1)".repeat(10_000),
              "SELECT 1 -- " + "x".repeat(1_000_000))) {
        try (ResultSet rows = statement.executeQuery(sql)) {
          rows.next();
        } catch (SQLException e) {
          assertFalse(
              String.valueOf(e.getMessage()).contains("Internal error"),
              sql.substring(0, Math.min(80, sql.length())) + ": " + e);
          assertFalse(String.valueOf(e.getMessage()).contains("64 KB"), e.toString());
          assertTrue(e.getMessage().length() < 3000, "a message of " + e.getMessage().length());
        }
      }
      try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM docs")) {
        rows.next();
        assertEquals(VersionedDatabase.rows(1), rows.getInt(1));
      }
    }
  }
}
