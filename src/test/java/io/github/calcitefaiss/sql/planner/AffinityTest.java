/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values of json_each meet columns as they do in SQLite. */
class AffinityTest {
  @TempDir static Path folder;
  private static Connection sqlite;
  private static Connection ours;

  @BeforeAll
  static void connect() throws SQLException {
    Path file = folder.resolve("a.db");
    sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
    try (Statement statement = sqlite.createStatement()) {
      statement.execute("CREATE TABLE t(i INTEGER, s TEXT, d REAL)");
      statement.execute("INSERT INTO t VALUES (1, '1', 1.0), (2, 'two', 2.5), (5, '5', 5)");
    }
    ours = DriverManager.getConnection("jdbc:faiss:" + file);
  }

  @AfterAll
  static void close() throws SQLException {
    ours.close();
    sqlite.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT i FROM t, json_each('[\"1\", 2, 5.0, \"x\", null]') AS j WHERE i = j.value",
        "SELECT s FROM t, json_each('[1, \"two\", 5]') AS j WHERE s = j.value",
        "SELECT d FROM t, json_each('[1, \"2.5\", 7]') AS j WHERE j.value = d",
        "SELECT i FROM t WHERE i IN (SELECT value FROM json_each('[\"1\", 5]'))",
        "SELECT s FROM t WHERE s IN (SELECT value FROM json_each('[1, 5]'))",
        "SELECT i FROM t WHERE i NOT IN (SELECT value FROM json_each('[\"1\", 5]'))",
        "SELECT i, j.value FROM t LEFT JOIN json_each('[\"1\", \"x\"]') AS j ON t.i = j.value",
        "SELECT value FROM json_each('[\"5\", 5]') WHERE value = 5",
        "SELECT value FROM json_each('[10, 9, 2]') ORDER BY value",
        "SELECT min(value), max(value), count(value) FROM json_each('[1, 3.5, \"x\", null]')",
        "SELECT sum(value) * 1.0, avg(value) FROM json_each('[10, 9, 2]')",
        "SELECT CAST(i AS TEXT), CAST(i AS REAL) FROM t",
        "SELECT i, max(value) FROM t, json_each('[3, 9]') GROUP BY i",
      })
  void asInSqlite(String sql) throws SQLException {
    assertEquals(rows(sqlite, sql), rows(ours, sql));
  }

  private static List<String> rows(Connection connection, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      while (result.next()) {
        StringBuilder row = new StringBuilder();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          row.append(result.getString(i)).append(" | ");
        }
        rows.add(row.toString());
      }
    }
    if (!sql.contains("ORDER BY")) {
      Collections.sort(rows);
    }
    return rows;
  }
}
