/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What people write for other products means the same here, in both ways, and uses the index. */
class SpellingsTest {
  @TempDir static Path folder;
  private static List<Connection> ways;

  @BeforeAll
  static void connect() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("shop.db"),
            "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, embedding BLOB)",
            "CREATE TABLE asks (id INTEGER PRIMARY KEY, embedding BLOB)",
            // (1, 0), (0, 1), (3, 4), (0, 0), none.
            "INSERT INTO items VALUES (1, 'a', x'0000803f00000000'), (2, 'b',"
                + " x'000000000000803f'), (3, 'c', x'0000404000008040'),"
                + " (4, 'd', x'0000000000000000'), (5, 'e', NULL)",
            "INSERT INTO asks VALUES (1, x'0000803f00000000'), (2, NULL),"
                + " (3, x'0000000000000000')");
    ways = List.of(TestDatabase.connect(file), TestDatabase.connectPlanned(file));
  }

  @AfterAll
  static void close() throws SQLException {
    for (Connection way : ways) {
      way.close();
    }
  }

  private static String rows(Connection way, String sql, Object... values) throws SQLException {
    List<String> all = new ArrayList<>();
    try (PreparedStatement statement = way.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
          StringBuilder row = new StringBuilder();
          for (int i = 1; i <= columns; i++) {
            row.append(i > 1 ? " " : "").append(rows.getString(i));
          }
          all.add(row.toString());
        }
      }
    }
    return String.join(", ", all);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\u0001',
      value = {
        "embedding <-> '[3, 3]' limit 2 ; 5, 3 ; L2",
        "embedding<->'[3, 3]'::vector limit 3 ; 5, 3, 1 ; L2",
        "'[3, 3]'::vector(2) <-> items.embedding limit 2 ; 5, 3 ; L2",
        "embedding <=> '[0, 2]' limit 4 ; 4, 5, 2, 3 ; COSINE_DISTANCE",
        "embedding <#> '[1, 1]' limit 3 ; 5, 3, 1 ; INNER_PRODUCT",
        "embedding <+> '[3, 3]' limit 2 ; 5, 3 ; L1",
        "vector_l2_distance(embedding, '[3, 3]') limit 2 ; 5, 3 ; L2",
        "vector_cosine_similarity(embedding, '[0, 2]') desc limit 1 ; 2 ; COSINE_SIMILARITY",
        "vector_inner_product(embedding, '[0, 2]') desc limit 1 ; 3 ; INNER_PRODUCT",
        "array_cosine_distance(embedding, '[0, 2]') limit 3 ; 4, 5, 2 ; COSINE_DISTANCE",
        "array_inner_product(embedding, '[0, 2]') desc limit 1 ; 3 ; INNER_PRODUCT",
        "array_negative_inner_product(embedding, '[0, 2]') limit 2 ; 5, 3 ; INNER_PRODUCT",
        "vector_distance(embedding, '[0, 2]') limit 3 ; 4, 5, 2 ; COSINE_DISTANCE",
        "vector_distance(embedding, '[3, 3]', EUCLIDEAN) limit 2 ; 5, 3 ; L2",
        "vector_distance(embedding, '[3, 3]', MANHATTAN) limit 2 ; 5, 3 ; L1",
        "vector_distance('dot', embedding, '[0, 2]') limit 2 ; 5, 3 ; INNER_PRODUCT",
        "vector_distance('euclidean', '[3, 3]', embedding) limit 2 ; 5, 3 ; L2",
        "vector_distance_cos(embedding, '[0, 2]') limit 3 ; 4, 5, 2 ; COSINE_DISTANCE",
        "l2_distance(embedding, '[3, 3]') fetch exact first 2 rows only ; 5, 3 ; L2",
        "l2_distance(embedding, '[3, 3]') fetch approx first 2 rows only ; 5, 3 ; L2",
        "l2_distance(embedding, '[3, 3]') fetch approximate next 2 rows only with target accuracy 90"
            + " ; 5, 3 ; L2",
        "l2_distance(embedding, '[3, 3]') offset 1 rows fetch first row only ; 3 ; L2",
      })
  void orders(String by, String ids, String metric) throws SQLException {
    String sql = "select id from items order by " + by;
    for (Connection way : ways) {
      // Rows without a distance come in no fixed order among themselves.
      assertEquals(ids.replace("5, 4", "4, 5"), rows(way, sql).replace("5, 4", "4, 5"), by);
      String plan = rows(way, "explain plan for " + sql);
      assertTrue(plan.contains("metric=[" + metric + "]") && plan.contains("exact"), plan);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\u0001',
      value = {
        "select '12'::integer + 1 ; 13",
        "select ('1' || '2')::text ; 12",
        "select vec_type('[1]'), hex(vec_f32('[1]')), vec_f32(null) ; float32 0000803F null",
        "select sum(value) from vec_each('[1, 2.5]') ; 3.5",
        "select (embedding <-> '[3, 4]') * 2 from items where id = 3 ; 0.0",
        "select 1 from items where id = 1 and '[1, 2]' <-> '[1, 2]' = 0 and '[0, 1]' <#> '[0, 2]' = -2 ; 1",
        "select '<-> :: fetch first row only' as \"a <=> b\" -- x <-> y ; <-> :: fetch first row"
            + " only",
      })
  void values(String sql, String row) throws SQLException {
    for (Connection way : ways) {
      assertEquals(row, rows(way, sql), sql);
    }
  }

  @Test
  void parametersAsPgvectorHasThem() throws SQLException {
    for (Connection way : ways) {
      assertEquals(
          "3, 2",
          rows(
              way,
              "select id from items where embedding is not null order by embedding <-> ?::vector"
                  + " limit ?",
              "[3, 4]",
              2));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\u0001',
      value = {
        "join items i exact nearest 2 by distance l2_distance(a.embedding, i.embedding)"
            + " ; 1 1, 1 4, 3 1, 3 4",
        "inner join items as i approx nearest by distance a.embedding <-> i.embedding ; 1 1, 3 4",
        "left join items i exact nearest 1 by similarity"
            + " vector_cosine_similarity(a.embedding, i.embedding) ; 1 1, 2 null, 3 null",
        "left outer join items i exact nearest 3 by distance"
            + " cosine_distance(a.embedding, i.embedding) where a.id < 2 ; 1 1, 1 2, 1 3",
        "join items i exact nearest 9 by distance cosine_distance(a.embedding, i.embedding)"
            + " ; 1 1, 1 2, 1 3",
      })
  void nearestBy(String join, String rows) throws SQLException {
    String sql = "select a.id, i.id from asks a " + join + " order by 1, 2";
    for (Connection way : ways) {
      String got = rows(way, sql).replace("3 1, 3 4", "3 1, 3 4").replace("3 2, 3 4", "3 1, 3 4");
      assertEquals(rows, got, sql);
      assertTrue(rows(way, "explain plan for " + sql).contains("VectorTopK"), sql);
    }
  }

  @Test
  void mistakesAreSaidWithTheirPlaces() {
    for (Connection way : ways) {
      assertEquals(
          "NEAREST: expected a number of rows from 1 to 100000, got 0",
          message(way, "select 1 from asks a join items i exact nearest 0 by distance 1"));
      assertEquals(
          "NEAREST: expected a number of rows from 1 to 100000, got x",
          message(way, "select 1 from asks a join items i exact nearest x by distance 1"));
      assertEquals(
          "Column 'nme' not found in any table (line 2, column 2) (did you mean 'name'?)",
          message(way, "select embedding <-> '[1, 1]'::vector(2),\n nme from items"));
    }
  }

  private static String message(Connection way, String sql) {
    return assertThrows(SQLException.class, () -> rows(way, sql)).getMessage();
  }

  /** Every expression and statement of the page runs. */
  @Test
  void thePageIsTrue() throws Exception {
    String page = Files.readString(Path.of("docs/spellings.md"));
    Matcher written = Pattern.compile("(?m)^\\|[^|]*\\|([^|]*)\\|").matcher(page);
    int tried = 0;
    try (Connection docs = DriverManager.getConnection("jdbc:faiss:examples/packages.db")) {
      while (written.find()) {
        Matcher code = Pattern.compile("`([^`]+)`").matcher(written.group(1));
        while (code.find()) {
          String q = "(select embedding from docs where id = 11)";
          String sql = code.group(1).replaceAll("\\bq\\b", q);
          if (sql.startsWith("fetch")) {
            sql = "select id from docs order by l2_distance(embedding, " + q + ") " + sql;
          } else if (!sql.startsWith("select")) {
            sql = "select " + sql + " as x from docs order by 1 limit 3";
          }
          assertTrue(rows(docs, sql).length() > 2, sql);
          tried++;
        }
      }
    }
    assertTrue(tried > 30, "tried: " + tried);
  }
}
