/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

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
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dates and decimals by a thin client, which reads each value by its announced type. */
class ServerTypesTest {
  @TempDir private static Path folder;
  private static RunningServer server;

  @BeforeAll
  static void start() throws Exception {
    Path file =
        TestDatabase.write(
            folder.resolve("shop.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE, ts TIMESTAMP, p DECIMAL(10,2))",
            "INSERT INTO t VALUES (1, '2024-03-01', '2024-03-01 12:00:00.5', 12345678901234567),"
                + " (2, 1709251200, 1709294400, 0.1), (3, null, null, null)",
            "CREATE TABLE bad (d DATE, p DECIMAL(10,2))",
            "INSERT INTO bad VALUES ('soon', 'dear')");
    server = RunningServer.start(file, RunningServer.limits());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** Avatica's driver sends the properties that it is given, and not those of its URL. */
  private static Connection typed(String serialization) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("types", "declared");
    properties.setProperty("url", server.server.address().toString());
    properties.setProperty("serialization", serialization);
    return DriverManager.getConnection("jdbc:avatica:remote:", properties);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PROTOBUF", "JSON"})
  void typedValuesArriveAsTheyAre(String serialization) throws SQLException {
    try (Connection connection = typed(serialization);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select d, ts, p from t order by id")) {
      assertEquals("DATE", rows.getMetaData().getColumnTypeName(1));
      assertTrue(rows.next());
      assertEquals(Date.valueOf("2024-03-01"), rows.getDate(1));
      assertEquals(Timestamp.valueOf("2024-03-01 12:00:00.5"), rows.getTimestamp(2));
      assertEquals(0, rows.getBigDecimal(3).compareTo(new BigDecimal("12345678901234567")));
      assertTrue(rows.next());
      assertEquals(Date.valueOf("2024-03-01"), rows.getDate(1));
      assertEquals(Timestamp.valueOf("2024-03-01 12:00:00"), rows.getTimestamp(2));
      assertEquals(0, rows.getBigDecimal(3).compareTo(new BigDecimal("0.1")));
      assertTrue(rows.next());
      assertNull(rows.getDate(1));
      assertNull(rows.getTimestamp(2));
      assertNull(rows.getBigDecimal(3));
    }
  }

  @Test
  void aValueOfAnotherTypeIsAnErrorThatSaysSo() throws SQLException {
    for (String column : List.of("d", "p")) {
      try (Connection connection = typed("PROTOBUF");
          Statement statement = connection.createStatement()) {
        SQLException e =
            assertThrows(
                SQLException.class, () -> statement.executeQuery("select " + column + " from bad"));
        assertTrue(
            e.getMessage().contains("soon") || e.getMessage().contains("dear"), e.getMessage());
        assertEquals("22018", e.getSQLState());
      }
      try (Connection connection = server.connect();
          Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery("select d from bad")) {
        assertTrue(row.next());
        assertEquals("soon", row.getString(1));
      }
    }
  }

  @Test
  void theCatalogueSaysTheSame() throws SQLException {
    List<String> types = new ArrayList<>();
    try (Connection connection = typed("PROTOBUF");
        ResultSet columns = connection.getMetaData().getColumns(null, null, "t", null)) {
      while (columns.next()) {
        types.add(columns.getString("TYPE_NAME"));
      }
    }
    assertEquals(List.of("BIGINT", "DATE", "TIMESTAMP", "DECIMAL"), types);
  }
}
