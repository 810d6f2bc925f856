/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * BOOLEAN, DATE, TIME, TIMESTAMP and DECIMAL columns, which may hold values of any type, and
 * comparisons of columns of every affinity: Calcite's way gives what SQLite gives.
 */
class MixedValuesTest {
  private static final String ONE = "(select 1 as one from csv.ONE) cross join ";

  @TempDir private static Path folder;

  private static Connection sqlite;
  private static Connection planned;
  private static Connection joined;

  @BeforeAll
  static void open() throws Exception {
    Path file =
        TestDatabase.write(
            folder.resolve("t.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, ok BOOLEAN, d DATE, ts TIMESTAMP, tm TIME,"
                + " n INTEGER, x REAL, s TEXT, u, p DECIMAL(10,2), q NUMERIC)",
            "INSERT INTO t VALUES (1, 1, '2024-03-01', '2024-03-01 12:00:00', '12:30:15', 1, 1.0,"
                + " '1', 1, 1, 1.5), (2, 0, 19000, 1709251200, 0.5, 2, 2.5, '1.0', '1', 2.5, 2),"
                + " (3, 1, '2023-12-31', '2023-12-31', '00:00', 0, -1.0, 'abc', 'abc', 0, 'x'),"
                + " (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
                + " (5, 0, 2460311.5, '2024-03-01 12:00:00', '23:59', 19000, 19000.0, '19000', 2.5,"
                + " 19000, 19000)",
            "CREATE TABLE m (id INTEGER PRIMARY KEY, ok BOOLEAN, d DATE)",
            "INSERT INTO m VALUES (1, 1, '2024-03-01'), (2, 2, 19000), (3, 'yes', 'x'), (4, 0, 2.5),"
                + " (5, NULL, NULL), (6, 'true', '2024'), (7, 1.5, x'01')",
            "CREATE TABLE c (id INTEGER PRIMARY KEY, ok BOOLEAN, d DATE, p DECIMAL(10,2),"
                + " n INTEGER, s TEXT)",
            "INSERT INTO c VALUES (1, 1, '2024-03-01', 1.25, 1, '1'), (2, 0, '2023-12-31', 2.5, 2,"
                + " '2'), (3, 1, '2024-01-15', 3, 3, 'abc'), (4, NULL, NULL, NULL, NULL, NULL)");
    Path model = TestDatabase.besideCsv(folder, "t.db", "ONE", "N:int\n1\n");
    sqlite = DriverManager.getConnection("jdbc:faiss:" + file);
    planned = DriverManager.getConnection("jdbc:faiss:" + file + ";native=off");
    joined = DriverManager.getConnection("jdbc:faiss:" + model);
  }

  @AfterAll
  static void close() throws SQLException {
    sqlite.close();
    planned.close();
    joined.close();
  }

  @Test
  void everyWayGivesTheValuesOfSqlite() throws IOException {
    List<String> wrong = new ArrayList<>();
    int asked = 0;
    for (String statement : statements()) {
      String plain = statement.replace("{one}", "");
      List<String> expected = rows(sqlite, plain);
      assertTrue(!expected.toString().startsWith("[error"), plain + ": " + expected);
      compare(wrong, plain, expected, rows(planned, plain));
      asked++;
      if (statement.contains("{one}")) {
        String other = statement.replace("{one}", ONE);
        compare(wrong, other, expected, rows(joined, other));
        asked++;
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(asked > 200, "only " + asked);
  }

  @Test
  void everyPairOfColumnsIsComparedAsInSqlite() {
    List<String> columns = List.of("ok", "d", "n", "x", "s", "u", "p");
    List<String> wrong = new ArrayList<>();
    for (String a : columns) {
      for (String b : columns) {
        String pair = String.format(Locale.ROOT, "a.%s %%s b.%s", a, b);
        String signs =
            Stream.of("=", "<>", "<", ">=", "is", "is not")
                .map(sign -> String.format(Locale.ROOT, pair, sign))
                .collect(Collectors.joining(", "));
        String tables = " from %st a, t b order by a.id, b.id";
        String in =
            String.format(Locale.ROOT, "select id from t where %s in (select %s from t)", a, b);
        String on =
            "select a.id, b.id from %st a join t b on " + String.format(Locale.ROOT, pair, "=");
        String signed = "select a.id, b.id, " + signs + tables;
        List<String> expected = rows(sqlite, String.format(Locale.ROOT, on, ""));
        compare(
            wrong,
            String.format(Locale.ROOT, on, ""),
            expected,
            rows(planned, String.format(Locale.ROOT, on, "")));
        compare(
            wrong,
            String.format(Locale.ROOT, on, ONE),
            expected,
            rows(joined, String.format(Locale.ROOT, on, ONE)));
        compare(wrong, in, rows(sqlite, in), rows(planned, in));
        String all = String.format(Locale.ROOT, signed, "");
        compare(wrong, all, rows(sqlite, all), rows(planned, all));
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void parametersAreComparedAsInSqlite() throws SQLException {
    List<String> wrong = new ArrayList<>();
    for (String sql :
        List.of(
            "select id from {one}c where ok = ? order by id",
            "select id from {one}c where ok > ? order by id",
            "select id from {one}t where d = ? order by id",
            "select id from {one}t where ts = ? order by id",
            "select id from {one}t where d between ? and '2025' order by id",
            "select id from {one}t where p >= ? order by id",
            "select id, coalesce(ok, ?) from {one}t order by id")) {
      for (Object value :
          new Object[] {
            "1",
            "0",
            "2024-03-01",
            1L,
            2.5,
            true,
            false,
            Date.valueOf("2024-03-01"),
            Timestamp.valueOf("2024-03-01 12:00:00"),
            "19000",
            19000L,
            "abc",
            null
          }) {
        String plain = sql.replace("{one}", "");
        List<String> expected = rows(sqlite, plain, value);
        compare(wrong, plain + " " + value, expected, rows(planned, plain, value));
        compare(wrong, sql + " " + value, expected, rows(joined, sql.replace("{one}", ONE), value));
      }
    }
    assertEquals(List.of(), wrong);
  }

  private static List<String> rows(Connection connection, String sql, Object value)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      if (value instanceof Boolean flag) {
        statement.setBoolean(1, flag);
      } else if (value instanceof Date day) {
        statement.setDate(1, day);
      } else if (value instanceof Timestamp moment) {
        statement.setTimestamp(1, moment);
      } else {
        statement.setObject(1, value);
      }
      return rows(statement.executeQuery());
    }
  }

  private static void compare(
      List<String> wrong, String sql, List<String> expected, List<String> got) {
    if (!expected.equals(got)) {
      wrong.add(sql + "\n  expected " + expected + "\n  got " + got + "\n");
    }
  }

  private static List<String> statements() throws IOException {
    try (InputStream in = MixedValuesTest.class.getResourceAsStream("mixed-values.sql")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("--"))
          .toList();
    }
  }

  private static List<String> rows(Connection connection, String sql) {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      rows.addAll(rows(found));
    } catch (SQLException e) {
      return List.of("error: " + e.getMessage());
    }
    if (!sql.contains("order by")) {
      Collections.sort(rows);
    }
    return rows;
  }

  private static List<String> rows(ResultSet found) throws SQLException {
    List<String> rows = new ArrayList<>();
    int count = found.getMetaData().getColumnCount();
    while (found.next()) {
      List<String> row = new ArrayList<>();
      for (int i = 1; i <= count; i++) {
        row.add(shown(found.getObject(i)));
      }
      rows.add(String.join(", ", row));
    }
    return rows;
  }

  private static String shown(Object value) {
    return value == null
        ? "null"
        : value instanceof byte[] bytes
            ? "x'" + HexFormat.of().formatHex(bytes) + "'"
            : value + " " + value.getClass().getSimpleName();
  }
}
