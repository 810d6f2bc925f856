/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real becomes the same text wherever it becomes one. */
class RealTextTest {
  @TempDir Path folder;

  @Test
  void realsBecomeSqlitesTexts() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("reals.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, r REAL, x)",
            "INSERT INTO t (r, x) VALUES (0.0, 0.0), (-0.0, -0.0), (1e20, 1e20), (1e-10, 1e-10),"
                + " (727000000.123456, 727000000.123456), (0.1, 1), (12345678.5, 'a'), (1e15, NULL),"
                + " (NULL, x'61'), (123456789012345680.0, 9007199254740993), (1e999, -1e999)");
    for (String sql :
        List.of(
            "SELECT r || ' €' FROM t ORDER BY id",
            "SELECT x || ' €' FROM t ORDER BY id",
            "SELECT cast(r AS TEXT) FROM t ORDER BY id",
            "SELECT cast(x AS TEXT) FROM t ORDER BY id",
            "SELECT length(r), upper(r), substr(r, 1, 3), replace(r, '0', '_') FROM t ORDER BY id",
            "SELECT group_concat(r, ';'), group_concat(x, ';') FROM (SELECT * FROM t ORDER BY id)",
            "SELECT cast(r * 2 AS TEXT), r * 2 || '' FROM t ORDER BY id",
            "SELECT count(*) FROM t WHERE r || '' = '0.0'",
            "SELECT concat(r, '-', x) FROM t ORDER BY id",
            "SELECT 1e20 || '', 0.0 || 'x', -0.0 || '', 1e-5 || '', 0.5 || 0.0, x'6162' || ''",
            "SELECT cast(0.0 AS TEXT), cast(1e15 AS VARCHAR), cast(x'6162' AS TEXT), 100.0 || r"
                + " FROM t ORDER BY id")) {
      try (Connection sqlite = TestDatabase.connect(file);
          Connection planned = TestDatabase.connectPlanned(file)) {
        assertEquals(rows(sqlite, sql), rows(planned, sql), sql);
      }
    }
  }

  private static List<List<Object>> rows(Connection connection, String sql) throws SQLException {
    List<List<Object>> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      while (result.next()) {
        List<Object> row = new ArrayList<>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          row.add(result.getObject(i));
        }
        rows.add(row);
      }
    }
    return rows;
  }
}
