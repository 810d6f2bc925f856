/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Searches whose other parts only SQLite understands: the index finds the rows, none is lost. */
class NearestFirstTest {
  private static final long SEED = Long.getLong("seed", 20261126);
  private static final String BY_INDEX = "the index of hybrid.docs finds the nearest";

  @TempDir static Path folder;
  private static Connection connection;

  @BeforeAll
  static void makeDatabase() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("hybrid.db"),
            "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT, lang TEXT COLLATE NOCASE,"
                + " user TEXT, date TEXT, meta TEXT, n INTEGER, embedding BLOB)",
            "CREATE TABLE tags (doc INTEGER, tag TEXT)",
            "CREATE VIRTUAL TABLE docs_fts USING fts5(title, content='docs', content_rowid='id')");
    Random random = new Random(SEED);
    String[] words = {"cat", "dog", "Owl", "ant", "über", "100%", "a_b"};
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = sqlite.createStatement();
        PreparedStatement insert =
            sqlite.prepareStatement("INSERT INTO docs VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        PreparedStatement tag = sqlite.prepareStatement("INSERT INTO tags VALUES (?, ?)")) {
      sqlite.setAutoCommit(false);
      for (int id = 1; id <= 400; id++) {
        insert.setInt(1, id * 3);
        insert.setString(2, words[random.nextInt(7)] + " " + words[random.nextInt(7)]);
        insert.setString(3, random.nextBoolean() ? "EN" : random.nextBoolean() ? "en" : "de");
        insert.setString(4, random.nextBoolean() ? "ann" : "ben");
        insert.setString(5, "2024-0" + (1 + random.nextInt(9)) + "-15");
        insert.setString(6, "{\"lang\":\"" + words[random.nextInt(5)] + "\"}");
        insert.setInt(7, random.nextInt(50));
        float[] vector = new float[4];
        for (int i = 0; i < 4; i++) {
          // Few values, so that many rows are equally near; some zero vectors.
          vector[i] = random.nextInt(3) - 1;
        }
        insert.setBytes(8, random.nextInt(20) == 0 ? null : VectorCodec.encode(vector));
        insert.executeUpdate();
        for (int i = random.nextInt(3); i > 0; i--) {
          tag.setInt(1, id * 3);
          tag.setString(2, words[random.nextInt(7)]);
          tag.executeUpdate();
        }
      }
      statement.execute("INSERT INTO docs_fts(docs_fts) VALUES ('rebuild')");
      sqlite.commit();
    }
    connection = TestDatabase.connect(file);
  }

  @AfterAll
  static void close() throws SQLException {
    connection.close();
  }

  private static List<String> rows(String sql, Object... values) throws SQLException {
    List<String> all = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          List<Object> row = new ArrayList<>();
          for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
            row.add(rows.getObject(i));
          }
          all.add(row.toString());
        }
      }
    }
    return all;
  }

  private static String plan(String sql) throws SQLException {
    return rows("explain plan for " + sql).get(0);
  }

  private static String one(Random random, String... of) {
    return of[random.nextInt(of.length)];
  }

  /** Whatever the conditions: the same rows as without an index, which a sign keeps away. */
  @Test
  void theIndexChangesNoRow() throws SQLException {
    Random random = new Random(SEED);
    int searched = 0;
    int refused = 0;
    for (int i = 0; i < Integer.getInteger("nearest.statements", 120); i++) {
      String distance =
          one(
              random,
              "l2_distance",
              "cosine_distance",
              "inner_product",
              "l1_distance",
              "cosine_similarity",
              "l2_squared_distance");
      boolean descending = distance.equals("inner_product") || distance.equals("cosine_similarity");
      String vector =
          one(
              random,
              "'[1, 0, 0, 1]'",
              "faiss_encode('[0, 1, -1, 0]')",
              "'[0, 0, 0, 0]'",
              "null",
              "(select embedding from docs where embedding is not null and id > 300 limit 1)");
      String column = one(random, "d.embedding", "embedding");
      String call =
          distance
              + (random.nextBoolean()
                  ? "(" + column + ", " + vector + ")"
                  : "(" + vector + ", " + column + ")");
      String from =
          one(
              random,
              "docs d",
              "docs as d",
              "main.docs d",
              "docs d join tags t on t.doc = d.id",
              "docs d left join tags t on t.doc = d.id",
              "tags t, docs d",
              "docs d join docs_fts f on f.rowid = d.id");
      List<String> conditions = new ArrayList<>();
      if (from.contains("docs_fts f")) {
        conditions.add("f.title match " + one(random, "'cat OR owl'", "'d*'", "'nothing'"));
      }
      if (from.contains(",")) {
        conditions.add("t.doc = d.id");
      }
      for (int c = random.nextInt(3); c > 0; c--) {
        conditions.add(
            one(
                random,
                "d.title like '%a%'",
                "user = 'ann'",
                "lang = 'en'",
                "n & 3 = 1",
                "date > date('2024-04-01', '-1 month')",
                "d.meta ->> 'lang' like 'd%'",
                "d.title glob '*o*'",
                "n % 7 < 3 or n is null",
                "n between 5 and 30",
                "d.id in (select rowid from docs_fts where docs_fts match 'cat')",
                "exists (select 1 from tags x where x.doc = d.id and x.tag = 'cat')",
                "printf('%d', n) > '2'"));
      }
      String shown =
          one(
              random,
              "d.id, " + call + " as far",
              "d.id, upper(d.title), typeof(n)",
              "d.id, lang",
              "d.id, row_number() over (order by " + call + (descending ? " desc" : "") + ") as r");
      if (shown.contains("row_number") && descending) {
        shown = "d.id, user";
      }
      String direction = descending ? " desc" : one(random, "", " asc");
      String[] cut =
          one(
                  random,
                  "5|0|5",
                  "1|0|1",
                  "0|0|0",
                  "3 offset 2|2|3",
                  "2, 4|2|4",
                  "1000|0|1000",
                  "-1|0|1000",
                  "2 * 3|0|6",
                  "7 offset 390|390|7")
              .split("\\|");
      String sorted =
          "select "
              + shown
              + " from "
              + from
              + (conditions.isEmpty() ? "" : " where " + String.join(" and ", conditions))
              + " order by "
              + (shown.contains(" as far") && random.nextBoolean() ? "far" : call)
              + direction
              + ", d.id";
      String asked = sorted + " limit " + cut[0];
      List<String> expected;
      try {
        expected = rows(sorted);
      } catch (SQLException e) {
        // SQLite itself can't do MATCH where it chose to read the tables in another order.
        assertTrue(e.getMessage().contains("MATCH"), e.getMessage());
        refused++;
        continue;
      }
      int skip = Math.min(expected.size(), Integer.parseInt(cut[1]));
      int end = Math.min(expected.size(), skip + Integer.parseInt(cut[2]));
      assertEquals(expected.subList(skip, end), rows(asked), () -> asked + "; seed " + SEED);
      if (plan(asked).contains(BY_INDEX)) {
        searched++;
      }
    }
    assertTrue(refused < 50, "refused by SQLite: " + refused);
    assertTrue(searched > 40, "searched by an index: " + searched);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select id from docs where user = 'ann' order by l2_distance(embedding, '[1,0,0,0]')"
            + " limit 5",
        "select id from docs where id in (select rowid from docs_fts where docs_fts match 'cat')"
            + " order by l2_distance(embedding, '[1,0,0,0]') limit 5",
        "select id, cosine_distance(embedding, '[1,0,0,0]') d from docs"
            + " where date > date('2024-01-01') order by d limit 5",
        "select id, inner_product(embedding, '[1,0,0,0]') from docs where title glob 'c*'"
            + " order by 2 desc limit 5",
        "select * from (select d.id from docs d where d.title glob 'c*'"
            + " order by l2_distance('[1,0,0,0]', d.embedding) limit 5) where id > 0"
      })
  void theIndexIsUsed(String sql) throws SQLException {
    assertTrue(plan(sql).contains(BY_INDEX), plan(sql));
    assertEquals(
        rows(sql.replace("limit 5", "")).subList(0, 5).toString(), rows(sql + "").toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select count(*) from docs where title like 'c%' order by l2_distance(embedding, '[1,0,0,0]')"
            + " limit 5",
        "select distinct user from docs where title glob 'c*'"
            + " order by l2_distance(embedding, '[1,0,0,0]') limit 2",
        "select user, max(n) from docs where title like 'c%' group by user"
            + " order by l2_distance(embedding, '[1,0,0,0]') limit 2",
        "select id, count(*) over () from docs where title glob 'c*'"
            + " order by l2_distance(embedding, '[1,0,0,0]') limit 2",
        "select id from docs where title like 'c%' order by l2_distance(embedding, '[1,0,0,0]') desc"
            + " limit 5",
        "select id from docs where title like 'c%' and n > random() * 0"
            + " order by l2_distance(embedding, '[1,0,0,0]') limit 5",
        "with docs as (select id, title, embedding from docs where id < 50) select id from docs"
            + " where title like 'c%' order by l2_distance(embedding, '[1,0,0,0]') limit 5"
      })
  void whatFartherRowsChangeIsLeftToSqlite(String sql) throws SQLException {
    assertFalse(plan(sql).contains(BY_INDEX), plan(sql));
    rows(sql);
  }

  @Test
  void parametersKeepTheirNumbers() throws SQLException {
    String sql =
        "select id, ? as tag from docs where title like ? || '%' and n > :least"
            + " order by l2_distance(embedding, ?), id limit ? offset ?";
    Object[] values = {"x", "c", 3, "[1, 0, 0, 1]", 4, 1};
    List<String> expected =
        rows(sql.replace(" limit ? offset ?", ""), Arrays.copyOf(values, 4)).subList(1, 5);
    assertEquals(expected, rows(sql, values));
  }

  @Test
  void aVectorThatIsNoneIsTheSameErrorAsElsewhere() {
    for (String wrong : Arrays.asList("'[1, 2]'", "'x'", "5")) {
      String sql =
          "select id from docs where user = 'ann' order by %sl2_distance(embedding, "
              + wrong
              + ") limit 5";
      String plain = message(String.format(Locale.ROOT, sql, "+"));
      assertEquals(plain, message(String.format(Locale.ROOT, sql, "")));
      assertTrue(plain.startsWith("l2_distance"), plain);
    }
  }

  private static String message(String sql) {
    try {
      return rows(sql).toString();
    } catch (SQLException e) {
      return e.getMessage().replaceAll(" \\(line .*", "");
    }
  }
}
