/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A name that SQLite takes without quotes is one for Calcite, too. */
class ReservedNamesTest {
  private static final List<String> WORDS =
      List.of(
          ("any asof by call cross current cursor date date_part dateadd datediff datepart datetime"
                  + " define describe explain fetch final friday full grant grouping inner interval"
                  + " json_scope lateral left match_condition match_recognize measure merge minus"
                  + " monday natural new next offset ordinal outer over partition pattern qualify"
                  + " range recursive right rollup row rows running safe_cast safe_offset"
                  + " safe_ordinal saturday skip snapshot some stream sunday tablesample thursday"
                  + " time timestamp try_cast tuesday unknown unnest unsigned uuid variant volatile"
                  + " wednesday window with year month day user position value rank level language")
              .split(" "));

  /** In SQLite these are no alias without AS. */
  private static final List<String> NO_BARE_ALIAS =
      List.of(
          "asof", "cross", "full", "inner", "left", "natural", "outer", "over", "right", "window");

  @TempDir Path folder;

  @Test
  void columnsAndAliasesAreNamedAsInSqlite() throws SQLException {
    String columns = WORDS.stream().map(w -> w + " TEXT").collect(Collectors.joining(", "));
    String values = WORDS.stream().map(w -> "'" + w + "'").collect(Collectors.joining(", "));
    Path file =
        TestDatabase.write(
            folder.resolve("names.db"),
            "CREATE TABLE k (id INTEGER PRIMARY KEY, " + columns + ")",
            "INSERT INTO k VALUES (1, " + values + ")");
    List<String> wrong = new ArrayList<>();
    try (Connection connection = TestDatabase.connectPlanned(file);
        Statement statement = connection.createStatement()) {
      for (String word : WORDS) {
        expect(
            statement,
            ("SELECT id, %s, upper(%s), k.%s AS x FROM k WHERE %s = '%s' AND (%s LIKE '%%') AND"
                    + " %s IS NOT NULL AND %s NOT IN ('') GROUP BY id, %s ORDER BY %s DESC")
                .replace("%s", word)
                .replace("%%", "%"),
            word,
            wrong);
        String alias = NO_BARE_ALIAS.contains(word) ? "AS " + word : word;
        expect(
            statement,
            "SELECT 1, " + word + " FROM (SELECT k." + word + " " + alias + " FROM k) AS t",
            word,
            wrong);
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void keywordsRemainKeywords() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("words.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, day TEXT)",
            "INSERT INTO t VALUES (1, '2024-01-02'), (2, '2024-03-04'), (3, NULL)");
    try (Connection connection = TestDatabase.connectPlanned(file);
        Statement statement = connection.createStatement()) {
      for (String[] pair :
          new String[][] {
            {"SELECT count(*) FROM t AS a LEFT JOIN t AS b ON a.id = b.id + 1", "3"},
            {"SELECT count(*) FROM t AS a NATURAL JOIN t AS b", "2"},
            {"SELECT count(*) FROM t AS a CROSS JOIN t AS b", "9"},
            {
              "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t"
                  + " ORDER BY id DESC LIMIT 1",
              "5"
            },
            {
              "SELECT sum(id) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t"
                  + " LIMIT 1",
              "1"
            },
            {"SELECT sum(id) OVER w FROM t WINDOW w AS (PARTITION BY id)", "1"},
            {"SELECT id FROM t ORDER BY id LIMIT 1 OFFSET 1", "2"},
            {"SELECT id FROM t ORDER BY id OFFSET 2 ROWS", "3"},
            {"SELECT id FROM t ORDER BY id FETCH FIRST 1 ROW ONLY", "1"},
            {"SELECT count(*) FROM t WHERE (day > '2') IS UNKNOWN", "1"},
            {"SELECT CAST(substr(day, 1, 4) AS INTEGER) AS date FROM t LIMIT 1", "2024"},
            {"SELECT count(*) AS time FROM t WHERE date(day) = date('2024-01-02')", "1"},
            {"SELECT id FROM t WHERE id >= ANY (SELECT 3)", "3"}
          }) {
        try (ResultSet result = statement.executeQuery(pair[0])) {
          result.next();
          assertEquals(pair[1], result.getString(1), pair[0]);
        }
      }
    }
  }

  /** SQLite, which is asked last, doesn't have the other source's tables. */
  @Test
  void syntaxErrorOverAnotherSourceIsSaidAsOne() throws Exception {
    TestDatabase.write(folder.resolve("t.db"), "CREATE TABLE t (id INTEGER PRIMARY KEY)");
    Path model = TestDatabase.besideCsv(folder, "t.db", "plain", "id:int,name:string\n1,a\n");
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + model);
        Statement statement = connection.createStatement()) {
      try (ResultSet result = statement.executeQuery("SELECT p.name AS date FROM csv.plain AS p")) {
        result.next();
        assertEquals("a", result.getString("date"));
      }
      String groups =
          "SELECT count(*) OVER (ORDER BY id GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW)"
              + " FROM csv.plain";
      SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(groups));
      assertTrue(e.getMessage().startsWith("Syntax error at 'GROUPS"), e.getMessage());
    }
  }

  private static void expect(Statement statement, String sql, String word, List<String> wrong) {
    try (ResultSet result = statement.executeQuery(sql)) {
      if (!result.next() || !word.equals(result.getString(2))) {
        wrong.add(sql);
      }
    } catch (SQLException e) {
      wrong.add(sql + ": " + e.getMessage());
    }
  }
}
