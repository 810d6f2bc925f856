/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.JDBCType;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dates, times and decimals as they are declared, for tools that ask for types; both ways. */
class DeclaredTypesTest {
  private static final String ALL = "select d, ts, dt, tm, p, n from t order by id";

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void write() throws SQLException {
    file =
        TestDatabase.write(
            folder.resolve("shop.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE, ts TIMESTAMP, dt DATETIME, tm TIME,"
                + " p DECIMAL(10,2), n NUMERIC)",
            "INSERT INTO t VALUES (1, '2024-03-01', '2024-03-01 12:00:00.5', '2024-03-01T12:00',"
                + " '12:30', '12.50', 12345678901234567)",
            "INSERT INTO t VALUES (2, 1709251200, 1709294400, 2460371.0, '12:30:15', 1, 0.1)",
            "INSERT INTO t VALUES (3, null, null, null, null, null, null)",
            "CREATE TABLE bad (d DATE, ts TIMESTAMP, dt DATETIME, tm TIME, p DECIMAL(10,2))",
            "INSERT INTO bad VALUES"
                + " ('2024-02-31', 1709294400123, 'soon', '2024-03-01', 'dear')",
            "INSERT INTO bad VALUES ('2024-03-01 10:00', 2024, '12:30', 0.5, x'01')",
            "CREATE VIEW v AS SELECT id, d, ts, p * 2 AS twice, CASE id WHEN 1 THEN 7 ELSE 'x' END"
                + " AS mixed, hex(p) AS text FROM t");
  }

  private Connection connect(String more) throws SQLException {
    return DriverManager.getConnection("jdbc:faiss:" + file + more);
  }

  private static List<String> announced(ResultSetMetaData meta) throws SQLException {
    List<String> types = new ArrayList<>();
    for (int i = 1; i <= meta.getColumnCount(); i++) {
      types.add(
          meta.getColumnTypeName(i)
              + (meta.getScale(i) > 0 ? " " + meta.getPrecision(i) + "," + meta.getScale(i) : ""));
    }
    return types;
  }

  private static List<Object> objects(ResultSet row) throws SQLException {
    List<Object> values = new ArrayList<>();
    for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
      values.add(row.getObject(i));
    }
    return values;
  }

  private static List<String> texts(ResultSet row) throws SQLException {
    List<String> values = new ArrayList<>();
    for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
      values.add(row.getString(i));
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {";types=declared", ";types=declared;native=off"})
  void valuesAreOfTheDeclaredTypeAndTheirTextIsSqlites(String way) throws SQLException {
    try (Connection connection = connect(way);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(ALL)) {
      assertEquals(
          List.of(
              "DATE", "TIMESTAMP 23,3", "TIMESTAMP 23,3", "TIME 12,3", "DECIMAL 10,2", "DECIMAL"),
          announced(rows.getMetaData()));
      assertEquals("java.sql.Timestamp", rows.getMetaData().getColumnClassName(2));
      assertTrue(rows.next());
      assertEquals(
          List.of(
              Date.valueOf("2024-03-01"),
              Timestamp.valueOf("2024-03-01 12:00:00.5"),
              Timestamp.valueOf("2024-03-01 12:00:00"),
              Time.valueOf("12:30:00"),
              new BigDecimal("12.5"),
              new BigDecimal("12345678901234567")),
          objects(rows));
      assertEquals(
          List.of(
              "2024-03-01",
              "2024-03-01 12:00:00.5",
              "2024-03-01T12:00",
              "12:30",
              "12.5",
              "12345678901234567"),
          texts(rows));
      assertTrue(rows.next());
      assertEquals(
          List.of(
              Date.valueOf("2024-03-01"),
              Timestamp.valueOf("2024-03-01 12:00:00"),
              Timestamp.valueOf("2024-03-01 12:00:00"),
              Time.valueOf("12:30:15"),
              new BigDecimal("1"),
              new BigDecimal("0.1")),
          objects(rows));
      assertEquals(
          List.of("1709251200", "1709294400", "2460371", "12:30:15", "1", "0.1"), texts(rows));
      assertTrue(rows.next());
      for (int i = 1; i <= 6; i++) {
        assertNull(rows.getObject(i));
      }
      assertNull(rows.getTimestamp(2));
      assertNull(rows.getObject(1, LocalDate.class));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {";types=declared", ";types=declared;native=off"})
  void aValueOfAnotherTypeIsGivenAsItIs(String way) throws SQLException {
    try (Connection connection = connect(way);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select d, ts, dt, tm, p from bad")) {
      assertTrue(rows.next());
      List<String> texts = List.of("2024-02-31", "1709294400123", "soon", "2024-03-01", "dear");
      assertEquals(texts, texts(rows));
      assertEquals(texts, objects(rows).stream().map(String::valueOf).toList());
      for (int i = 1; i <= 3; i++) {
        int column = i;
        SQLException e = assertThrows(SQLException.class, () -> rows.getTimestamp(column));
        assertTrue(e.getMessage().contains("can't be read as a date or time"), e.getMessage());
        assertEquals("22018", e.getSQLState());
      }
      assertThrows(SQLException.class, () -> rows.getBigDecimal(5));
    }
  }

  /** A time of day in a DATE isn't cut off, and a year isn't taken for a day of the stone age. */
  @Test
  void whatTheTypeWouldLoseIsGivenAsItIs() throws SQLException {
    try (Connection connection = connect(";types=declared");
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select * from bad where p = x'01'")) {
      assertTrue(rows.next());
      assertEquals("2024-03-01 10:00", rows.getObject(1));
      assertEquals(Date.valueOf("2024-03-01"), rows.getDate(1));
      assertEquals(2024L, rows.getObject(2));
      assertEquals("12:30", rows.getObject(3));
      assertEquals(0.5, rows.getObject(4));
      assertEquals(1, ((byte[]) rows.getObject(5)).length);
    }
  }

  @Test
  void theCatalogueSaysTheSame() throws SQLException {
    try (Connection connection = connect(";types=declared");
        ResultSet columns = connection.getMetaData().getColumns(null, null, "t", null)) {
      List<String> types = new ArrayList<>();
      while (columns.next()) {
        types.add(
            columns.getString("TYPE_NAME")
                + " "
                + columns.getString("COLUMN_SIZE")
                + " "
                + columns.getString("DECIMAL_DIGITS"));
      }
      assertEquals("DATE 10 null", types.get(1));
      assertTrue(types.get(2).startsWith("TIMESTAMP"), types.get(2));
      assertTrue(types.get(4).startsWith("TIME"), types.get(4));
      assertEquals("DECIMAL 10 2", types.get(5));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ";native=off"})
  void withoutThePropertyValuesAreWhatSqliteKeeps(String way) throws SQLException {
    try (Connection connection = connect(way);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(ALL)) {
      assertEquals(
          List.of("VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "DOUBLE"),
          announced(rows.getMetaData()));
      assertTrue(rows.next());
      assertEquals(
          List.of(
              "2024-03-01",
              "2024-03-01 12:00:00.5",
              "2024-03-01T12:00",
              "12:30",
              12.5,
              12345678901234567L),
          objects(rows));
      assertTrue(rows.next());
      assertEquals(1L, rows.getObject(5));
      assertEquals("1", rows.getString(5));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ";native=off", ";types=declared"})
  void aDateAsAParameterIsComparedAsText(String way) throws SQLException {
    try (Connection connection = connect(way);
        PreparedStatement day = connection.prepareStatement("select count(*) from t where d = ?");
        PreparedStatement moment =
            connection.prepareStatement("select count(*) from t where tm = ? or ts = ?")) {
      day.setDate(1, Date.valueOf("2024-03-01"));
      assertEquals(1, count(day));
      day.setObject(1, LocalDate.of(2024, 3, 1));
      assertEquals(1, count(day));
      day.setObject(1, Date.valueOf("2024-03-01"), JDBCType.DATE);
      assertEquals(1, count(day));
      moment.setTime(1, Time.valueOf("12:30:15"));
      moment.setTimestamp(2, Timestamp.valueOf("2024-03-01 12:00:00"));
      assertEquals(1, count(moment));
    }
    try (Connection connection = connect("");
        PreparedStatement echo = connection.prepareStatement("select ?")) {
      echo.setTimestamp(1, Timestamp.valueOf("2024-03-01 12:00:00"));
      try (ResultSet row = echo.executeQuery()) {
        assertTrue(row.next());
        assertEquals("2024-03-01 12:00:00", row.getString(1));
      }
    }
  }

  private static int count(PreparedStatement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery()) {
      assertTrue(row.next());
      return row.getInt(1);
    }
  }

  /** Comparisons are SQLite's, whatever is announced. */
  @Test
  void comparisonsAreSqlites() throws SQLException {
    for (String types : List.of("sqlite", "declared")) {
      try (Connection connection = connect(";types=" + types);
          Statement statement = connection.createStatement();
          ResultSet rows =
              statement.executeQuery(
                  "select group_concat(id) from t where d < '2024-03-02' and d >= 1709251200")) {
        assertTrue(rows.next());
        assertEquals("1,2", rows.getString(1));
      }
    }
  }

  @Test
  void aMomentHasNoZoneUnlessACalendarGivesOne() throws SQLException {
    TimeZone before = TimeZone.getDefault();
    try {
      for (String zone : List.of("Asia/Tokyo", "America/New_York", "Europe/Berlin")) {
        TimeZone.setDefault(TimeZone.getTimeZone(zone));
        try (Connection connection = connect(";types=declared");
            Statement statement = connection.createStatement();
            ResultSet row =
                statement.executeQuery(
                    "select d, ts, '2024-03-31 02:30', '2024-03-10 02:30', '1500-01-01',"
                        + " '2024-03-01T10:00:00+02:00' from t where id = 2")) {
          assertTrue(row.next());
          assertEquals("2024-03-01", row.getDate(1).toString());
          assertEquals("2024-03-01 12:00:00.0", row.getTimestamp(2).toString());
          assertEquals(LocalDateTime.of(2024, 3, 31, 2, 30), row.getObject(3, LocalDateTime.class));
          assertEquals(LocalDateTime.of(2024, 3, 10, 2, 30), row.getObject(4, LocalDateTime.class));
          assertEquals("1500-01-01", row.getDate(5).toString());
          assertEquals(LocalDate.of(1500, 1, 1), row.getObject(5, LocalDate.class));
          assertEquals("2024-03-01 08:00:00.0", row.getTimestamp(6).toString());
          Calendar utc = Calendar.getInstance(TimeZone.getTimeZone("UTC"), Locale.ROOT);
          assertEquals(1709294400000L, row.getTimestamp(2, utc).getTime());
          assertEquals(1709251200000L, row.getDate(1, utc).getTime());
        }
      }
    } finally {
      TimeZone.setDefault(before);
    }
  }

  @Test
  void millisecondsAreRefusedWithAdvice() throws SQLException {
    try (Connection connection = connect("");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select ts from bad")) {
      assertTrue(row.next());
      SQLException e = assertThrows(SQLException.class, () -> row.getTimestamp(1));
      assertTrue(e.getMessage().endsWith("datetime(\"ts\" / 1000, 'unixepoch')"), e.getMessage());
    }
  }

  /** Tools can't read a column of any type: it is announced as what its values are. */
  @ParameterizedTest
  @ValueSource(strings = {"", ";native=off"})
  void computedColumnsHaveATypeThatToolsCanRead(String way) throws SQLException {
    String join = "select v.twice, v.mixed, v.text, v.twice + 1 from v join t on t.id = v.id";
    try (Connection connection = connect(way);
        Statement statement = connection.createStatement()) {
      try (ResultSet none = statement.executeQuery("select * from (" + join + ") where 1 = 0")) {
        assertEquals(
            List.of("DOUBLE", "VARCHAR", "VARCHAR"), announced(none.getMetaData()).subList(0, 3));
      }
      try (ResultSet rows = statement.executeQuery(join + " where v.id < 3 order by v.id")) {
        assertEquals("DOUBLE", announced(rows.getMetaData()).get(3));
        assertTrue(rows.isBeforeFirst());
        assertTrue(rows.next());
        assertEquals(List.of(25.0, 7L, "31322E35", 26.0), objects(rows));
        assertEquals(1, rows.getRow());
        assertTrue(rows.next());
        assertEquals("x", rows.getObject(2));
      }
    }
  }

  @Test
  void anotherValueOfThePropertyIsRefused() {
    SQLException e = assertThrows(SQLException.class, () -> connect(";types=strict").close());
    assertEquals("Property 'types' is 'strict', expected declared or sqlite", e.getMessage());
  }
}
