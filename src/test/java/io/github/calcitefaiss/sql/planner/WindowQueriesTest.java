/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Subqueries inside of window functions. */
class WindowQueriesTest {
  private static final String FILE = "jdbc:faiss:examples/packages.db";
  private static final String DISTANCE =
      "l2_distance(embedding, (select embedding from embeddings where id = 7))";

  @ParameterizedTest
  @ValueSource(strings = {FILE, FILE + ";native=off"})
  void theNearestOfAVectorThatAQueryGives(String url) throws SQLException {
    List<String> nearest =
        rows(url, "select id from embeddings order by " + DISTANCE + ", id limit 3");
    assertEquals(
        nearest,
        rows(
            url,
            "select id from embeddings qualify row_number() over (order by "
                + DISTANCE
                + ", id) <= 3 order by "
                + DISTANCE));
    assertEquals(
        nearest,
        rows(
            url,
            "select id from (select id, row_number() over (order by "
                + DISTANCE
                + ", id) as place from embeddings) where place <= 3 order by place"));
  }

  @ParameterizedTest
  @ValueSource(strings = {FILE, FILE + ";native=off"})
  void queriesBesideWindowsStayThoseOfTheirRow(String url) throws SQLException {
    assertEquals(
        List.of("1 1 0 1", "2 2 1 1", "3 3 2 0"),
        rows(
            url,
            "select id, row_number() over (order by (select max(x.id) from packages x where x.id <="
                + " p.id)), (select count(*) from packages x where x.id < p.id), cast(exists"
                + " (select 1 from packages y where y.id = p.id + 1 and y.id < 4) as integer) from"
                + " packages p where id < 4 order by id"));
    assertEquals(
        List.of("4", "1"),
        rows(
            url,
            "select id from packages where id < 5 qualify row_number() over (partition by (case"
                + " when id in (select 1) then 1 else 0 end) order by id desc) = 1 order by id"
                + " desc"));
  }

  private static List<String> rows(String url, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      while (found.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
          row.add(found.getString(i));
        }
        rows.add(String.join(" ", row));
      }
    }
    return rows;
  }
}
