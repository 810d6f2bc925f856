/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.calcitefaiss.TestDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Columns that declare no type, or one that SQLite takes for NUMERIC, compared with numbers. */
class LooseTypesTest {
  @TempDir Path folder;

  private Path database() throws SQLException {
    return TestDatabase.write(
        folder.resolve("loose.db"),
        "CREATE TABLE ev (id INTEGER PRIMARY KEY, x, y, d DATE, ts TIMESTAMP, embedding BLOB)",
        "CREATE VIEW vw AS SELECT id, id + 0 AS k, CASE WHEN id = 1 THEN 1 ELSE 'z' END AS m FROM ev",
        "INSERT INTO ev VALUES"
            + " (1, 1, '1', 1610000000, '2024-01-01', x'0000803f00000000'),"
            + " (2, 2.5, '2', 1620000000, '2024-01-02', x'0000004000000000'),"
            + " (3, 3, 3, 2460311.5, '2024-01-03', x'0000404000000000'),"
            + " (4, 'abc', NULL, '2024-01-04', NULL, x'0000804000000000')");
  }

  @Test
  void wholeNumbersOfAnotherSourceAreFound() throws Exception {
    database();
    Path model = TestDatabase.besideCsv(folder, "loose.db", "E", "n:int\n1\n3\n");
    try (Connection both = DriverManager.getConnection("jdbc:faiss:" + model)) {
      for (String sql :
          List.of(
              "select v.id from ev v join csv.E c on v.x = c.n order by 1",
              "select v.id from ev v join csv.E c on v.y = c.n order by 1",
              "select v.id from vw v join csv.E c on v.k = c.n order by 1",
              "select id from ev where x in (select n from csv.E) order by 1",
              "select n from csv.E where n in (select x from ev) order by 1",
              "select v.id from ev v left join csv.E c on v.x = c.n where c.n > 0 order by 1",
              "select id from ev v where exists (select 1 from csv.E c where c.n = v.x) order by 1")) {
        assertEquals(List.of("1", "3"), rows(both, sql), sql);
      }
      assertEquals(
          List.of("1"), rows(both, "select v.id from vw v join csv.E c on v.m = c.n order by 1"));
    }
  }

  @ParameterizedTest
  @CsvSource({"''", ";native=off", ";native=off;types=declared"})
  void datesAreComparedWithNumbersAsSqliteDoes(String properties) throws SQLException {
    Path file = database();
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Connection faiss = DriverManager.getConnection("jdbc:faiss:" + file + properties)) {
      for (String column : List.of("d", "ts")) {
        for (String sign : List.of("<", "<=", "=", "<>", ">=", ">")) {
          for (String number : List.of("5", "999", "1610000000", "2460311.5", "9e9")) {
            String where = " from ev where " + column + " " + sign + " " + number;
            List<String> expected = rows(sqlite, "select id" + where + " order by id");
            assertEquals(
                expected,
                rows(
                    faiss,
                    "select id" + where + " order by l2_distance(embedding, '[0,0]') limit 9"),
                where);
            assertEquals(expected, rows(faiss, "select id" + where + " order by id"), where);
          }
        }
      }
    }
  }

  @Test
  void columnsThatAreNotNamedAreNotRead() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("odd.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, day TEXT, b BLOB)",
            "INSERT INTO t VALUES (1, 1, '2024-01-02 03:04', x'00'), (2, 'x', '2024-02-01', 5)");
    try (Connection faiss = DriverManager.getConnection("jdbc:faiss:" + file + ";native=off")) {
      for (String sql :
          List.of(
              "select id, date(day) from t",
              "select id from t order by date(day), id limit 9",
              "select id from t a where exists (select 1 from t b where date(b.day) > a.day)",
              "select count(*) from t where abs(id) < 2 or date(day) > '2024'",
              "select count(distinct id), count(distinct day) from t where abs(id) > 0",
              "select id, sum(id) over (order by date(day)) from t",
              "select a.id from t a left join t b on date(a.day) = b.day order by a.id")) {
        String plan = String.join("", rows(faiss, "explain plan for " + sql));
        Matcher reads =
            Pattern.compile("Jdbc(?:Project|Aggregate)\\(([^)]*)\\)\\s*SqliteTableScan")
                .matcher(plan);
        int projected = 0;
        while (reads.find()) {
          projected++;
          assertFalse(reads.group(1).matches(".*\\b[nb]=.*"), plan);
        }
        assertEquals(plan.split("SqliteTableScan", -1).length - 1, projected, plan);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select id, n, upper(s) from t order by id",
        "select n from t where upper(s) = 'A' order by id",
        "select r, upper(s), n from t",
        "select n from t union all select id from t where upper(s) <> 'B'",
        "select a.n, b.r from t a join t b on upper(a.s) = upper(b.s) and a.id = b.id order by a.id"
      })
  void aValueOfAnotherTypeAfterManyRowsEndsNothing(String sql) throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("late.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, r REAL, s TEXT)",
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 4000)"
                + " INSERT INTO t SELECT i, CASE i WHEN 3000 THEN 'x' ELSE i END,"
                + " CASE i WHEN 3500 THEN 'y' ELSE i / 2.0 END,"
                + " 'a' FROM c");
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Connection faiss = DriverManager.getConnection("jdbc:faiss:" + file + ";native=off")) {
      assertEquals(rows(sqlite, sql), rows(faiss, sql));
    }
  }

  private static List<String> rows(Connection connection, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      while (found.next()) {
        rows.add(found.getString(1));
      }
    }
    return rows;
  }
}
