/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The queries that the READMEs of pgvector and sqlite-vec teach, in this project's SQL.
 *
 * @see <a href="https://github.com/pgvector/pgvector#querying">pgvector</a>
 * @see <a href="https://github.com/asg017/sqlite-vec#sample-usage">sqlite-vec</a>
 */
class OthersReadmeTest {
  @TempDir Path directory;

  private Connection connection;

  @BeforeEach
  void connect() throws SQLException {
    Path file = directory.resolve("vectors.db");
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = sqlite.createStatement()) {
      statement.execute("CREATE TABLE items(id INTEGER PRIMARY KEY, category_id, embedding BLOB)");
      statement.execute("CREATE TABLE vec_examples(id INTEGER PRIMARY KEY, embedding BLOB)");
      float[][] items = {{1, 2, 3}, {4, 5, 6}, {3, 1, 2}};
      float[][] examples = {
        {-0.200f, 0.250f, 0.341f, -0.211f, 0.645f, 0.935f, -0.316f, -0.924f},
        {0.443f, -0.501f, 0.355f, -0.771f, 0.707f, -0.708f, -0.185f, 0.362f},
        {0.716f, -0.927f, 0.134f, 0.052f, -0.669f, 0.793f, -0.634f, -0.162f},
        {-0.710f, 0.330f, 0.656f, 0.041f, -0.990f, 0.726f, 0.385f, -0.958f},
      };
      insert(sqlite, "INSERT INTO items VALUES (?, ?, ?)", items, true);
      insert(sqlite, "INSERT INTO vec_examples VALUES (?, ?)", examples, false);
    }
    connection = DriverManager.getConnection("jdbc:faiss:" + file);
  }

  private static void insert(Connection sqlite, String sql, float[][] vectors, boolean category)
      throws SQLException {
    try (PreparedStatement insert = sqlite.prepareStatement(sql)) {
      for (int i = 0; i < vectors.length; i++) {
        insert.setInt(1, i + 1);
        if (category) {
          insert.setInt(2, 123);
        }
        insert.setBytes(category ? 3 : 2, VectorCodec.encode(vectors[i]));
        insert.execute();
      }
    }
  }

  @AfterEach
  void disconnect() throws SQLException {
    connection.close();
  }

  /** Checks a statement's rows, and that the index finds them. */
  private void indexed(String sql, String... expected) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet plan = statement.executeQuery("EXPLAIN PLAN FOR " + sql)) {
      plan.next();
      String text = plan.getString(1);
      assertTrue(text.contains("VectorTopK"), () -> sql + "\n" + text);
    }
    rows(sql, expected);
  }

  private void rows(String sql, String... expected) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet results = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (results.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= results.getMetaData().getColumnCount(); i++) {
          row.add(results.getString(i));
        }
        rows.add(String.join("|", row));
      }
      assertEquals(List.of(expected), rows, sql);
    }
  }

  @Test
  void pgvector() throws SQLException {
    indexed(
        "SELECT id FROM items ORDER BY l2_distance(embedding, '[3,1,2]') LIMIT 5", "3", "1", "2");
    indexed(
        "SELECT id FROM items WHERE id <> 1 ORDER BY"
            + " l2_distance(embedding, (SELECT embedding FROM items WHERE id = 1)) LIMIT 5",
        "3",
        "2");
    indexed("SELECT id FROM items WHERE l2_distance(embedding, '[3,1,2]') < 5", "3", "1");
    rows(
        "SELECT id, l2_squared_distance(embedding, '[3,1,2]') AS distance FROM items ORDER BY id",
        "1|6.0",
        "2|33.0",
        "3|0.0");
    rows(
        "SELECT inner_product(embedding, '[3,1,2]') FROM items ORDER BY id",
        "11.0",
        "29.0",
        "14.0");
    indexed(
        "SELECT id, 1 - cosine_distance(embedding, '[3,1,2]') AS cosine_similarity FROM items"
            + " ORDER BY cosine_similarity DESC LIMIT 1",
        "3|1.0");
    indexed(
        "SELECT id FROM items WHERE category_id = 123"
            + " ORDER BY l2_distance(embedding, '[3,1,2]') LIMIT 5",
        "3",
        "1",
        "2");
    indexed(
        "SELECT id FROM (SELECT id, embedding FROM items"
            + " ORDER BY inner_product(embedding, '[1,1,1]') DESC LIMIT 2) AS t"
            + " ORDER BY cosine_distance(embedding, '[3,1,2]') LIMIT 1",
        "2");
    indexed(
        "WITH nearest_results AS (SELECT id, l2_distance(embedding, '[3,1,2]') AS distance"
            + " FROM items ORDER BY distance LIMIT 5)"
            + " SELECT id FROM nearest_results WHERE distance < 5 ORDER BY distance",
        "3",
        "1");
  }

  @Test
  void sqliteVec() throws SQLException {
    String query = "'[0.890, 0.544, 0.825, 0.961, 0.358, 0.0196, 0.521, 0.175]'";
    indexed(
        "SELECT id FROM vec_examples ORDER BY vec_distance_l2(embedding, " + query + ") LIMIT 2",
        "2",
        "1");
    indexed(
        "SELECT id, rank FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY vec_distance_cosine(embedding, "
            + query
            + ")) AS rank FROM vec_examples) WHERE rank <= 1",
        "1|1");
    rows("SELECT vec_to_json(embedding) FROM items WHERE id = 1", "[1.0, 2.0, 3.0]");
    rows("SELECT vec_length(embedding) FROM items WHERE id = 1", "3");
  }
}
