/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What people type, on a table that has a column of each kind: by this driver as by SQLite's own,
 * and on Calcite's way the same or refused, never another value.
 */
class EverydayStatementsTest {
  private static final Pattern SORTED = Pattern.compile("(?i)order by [^()]*$");
  private static final Pattern INTERNAL =
      Pattern.compile("org\\.|java\\.|Rel#|Enumerable|Exception");

  @TempDir static Path folder;
  private static Connection sqlite;
  private static Connection here;
  private static Connection calcite;

  @BeforeAll
  static void connect() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("everyday.db"),
            "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, cat TEXT COLLATE NOCASE,"
                + " user TEXT, date TEXT, ts INTEGER, meta JSON, flag BOOLEAN, price REAL,"
                + " embedding BLOB)",
            "CREATE VIEW v AS SELECT id, upper(name) AS u, price * 1.5 AS p FROM items",
            "INSERT INTO items VALUES (1, 'Apple Pie', 'web', 'ann', '2024-01-05', 1700000000,"
                + " '{\"lang\":\"de\",\"n\":1}', 1, 1.5, x'0000803F0000000000000000'),"
                + " (2, 'banana', 'WEB', 'sa', '2024-02-05', 1700000000001,"
                + " '{\"lang\":\"en\",\"n\":2}', 0, 2.5, x'000000000000803F00000000'),"
                + " (3, 'Cherry', 'db', 'ann', '2024-02-15', 1700000000003, NULL, 1, NULL,"
                + " x'00000000000000000000803F'), (4, 'date', 'Db', 'bob', '2025-01-01', 0,"
                + " '{\"lang\":\"da\"}', NULL, 10.0, x'0000003F0000003F00000000')");
    sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
    here = TestDatabase.connect(file);
    calcite = TestDatabase.connectPlanned(file);
  }

  @AfterAll
  static void close() throws SQLException {
    sqlite.close();
    here.close();
    calcite.close();
  }

  static Stream<String> statements() throws IOException {
    try (InputStream in = EverydayStatementsTest.class.getResourceAsStream("/ways/everyday.sql")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("-- "));
    }
  }

  @Test
  void thereAreHundreds() throws IOException {
    assertTrue(statements().count() > 200);
    assertTrue(statements().filter(line -> line.startsWith("~")).count() < 45);
  }

  @ParameterizedTest
  @MethodSource("statements")
  void isAnsweredAsBySqlite(String line) throws SQLException {
    boolean refused = line.startsWith("~ ");
    String sql = refused ? line.substring(2) : line;
    List<String> expected = rows(sqlite, sql);
    assertEquals(expected, rows(here, sql), sql);
    if (refused) {
      String message = assertThrows(SQLException.class, () -> rows(calcite, sql), sql).getMessage();
      assertAll(
          () -> assertTrue(message.length() < 400, message),
          () -> assertTrue(!INTERNAL.matcher(message).find(), message));
    } else {
      assertEquals(expected, rows(calcite, sql), sql);
    }
  }

  private static List<String> rows(Connection way, String sql) throws SQLException {
    List<String> all = new ArrayList<>();
    try (Statement statement = way.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      ResultSetMetaData columns = rows.getMetaData();
      while (rows.next()) {
        StringBuilder row = new StringBuilder();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
          row.append(shown(rows.getObject(i))).append(" | ");
        }
        all.add(row.toString());
      }
    }
    if (!SORTED.matcher(sql).find()) {
      Collections.sort(all);
    }
    return all;
  }

  private static String shown(Object value) {
    if (value instanceof byte[] bytes) {
      return "blob " + java.util.HexFormat.of().formatHex(bytes);
    } else if (value instanceof Boolean flag) {
      return (flag ? 1 : 0) + ":Long";
    } else if (value instanceof Integer number) {
      return number + ":Long";
    }
    return value == null ? "null" : value + ":" + value.getClass().getSimpleName();
  }
}
