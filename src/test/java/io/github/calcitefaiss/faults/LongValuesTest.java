/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.run.SqlState;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Short calls that ask for values of a gigabyte, and what takes a number of characters. */
class LongValuesTest {
  @TempDir Path folder;
  private String url;

  @BeforeEach
  void database() throws SQLException {
    url = "jdbc:faiss:" + folder.resolve("t.db");
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("t.db"));
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE t (n INTEGER, x TEXT, y TEXT, large INTEGER)");
      statement.execute("INSERT INTO t VALUES (2, 'hello', 'WO', 1000000001)");
    }
  }

  private String value(String way, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url + way);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "space(1000000001)",
        "space(large)",
        "lpad('x', 1000000001)",
        "lpad(x, large, 'ab')",
        "rpad('x', 1000000001)",
        "rpad(x, 9223372036854775807)",
        "repeat('ab', 1000000000)",
        "repeat(x, large)",
        "repeat(x, 9223372036854775807)",
        "printf('%1000000001d', 1)",
        "length(zeroblob(1000000001))",
        "length(zeroblob(large))",
        "hex(zeroblob(900000000))"
      })
  void aValueThatIsTooLongIsRefusedWithTheLimit(String call) {
    for (String way : new String[] {"", ";native=off"}) {
      SQLException e =
          assertThrows(SQLException.class, () -> value(way, "SELECT " + call + " FROM t"), way);
      assertEquals(SqlState.DATA, e.getSQLState(), e.getMessage());
      assertTrue(e.getMessage().contains(" bytes, the most that this heap allows"), e.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "'[' || space(n) || ']';[  ]",
        "'[' || space(-1) || ']';[]",
        "lpad(x, n);he",
        "lpad(x, n + 5, 'ab');abhello",
        "lpad(n, 3, '0');002",
        "rpad(x, n + 6, 'ab');helloaba",
        "rpad(x, -n);",
        "repeat(y, n);WOWO",
        "chr(n + 64);B",
        "overlay(x placing y from n);hWOlo",
        "overlay(x placing y from n for n + 9);hWO",
        "overlay(x placing y from -n for n);WOllo",
        "position('l' in x from n);3",
        "left(x, n) || right(x, n);helo",
        "rand_integer(n) < 2;1",
        "length(repeat(x, 1000000));5000000"
      })
  void numbersOf64BitsAreTaken(String call, String expected) throws SQLException {
    for (String way : new String[] {"", ";native=off"}) {
      assertEquals(expected, value(way, "SELECT " + call + " FROM t"), way);
    }
  }

  @Test
  void readingALongTextAsJsonCanBeEndedByATimeout() throws SQLException {
    try (Connection connection = DriverManager.getConnection(url + ";native=off");
        Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      SQLException e =
          assertThrows(
              SQLException.class,
              () ->
                  statement
                      .executeQuery(
                          "SELECT sum(json_extract('[' || repeat(n || ',', 200000) || '1]', '$[0]'))"
                              + " FROM t, json_each('[' || repeat('1,', 100000) || '1]')")
                      .next());
      assertEquals(SqlState.TIMED_OUT, e.getSQLState(), e.getMessage());
    }
  }
}
