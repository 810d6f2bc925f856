/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Indexes that hold codes and leave the vectors in the file answer as those that hold all. */
class CodesTest {
  private static final int DIMS = 24;

  @TempDir Path folder;

  private Path file;
  private final Random random = new Random(3);

  private void create(String... definitions) throws SQLException {
    file = folder.resolve("c.db");
    execute(definitions);
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private float[] vector() {
    float[] vector = new float[DIMS];
    for (int d = 0; d < DIMS; d++) {
      vector[d] = random.nextInt(9) == 0 ? 0 : (float) random.nextGaussian();
    }
    return vector;
  }

  /** Adds rows: every tenth is a copy of the one before, every thirtieth a zero vector. */
  private void insert(String table, int rows, boolean json) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
      connection.setAutoCommit(false);
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO " + table + " VALUES (?, ?)")) {
        float[] vector = vector();
        for (int i = 1; i <= rows; i++) {
          vector = i % 10 == 0 ? vector : i % 30 == 1 ? new float[DIMS] : vector();
          insert.setInt(1, i);
          if (json) {
            insert.setString(2, Arrays.toString(vector));
          } else {
            insert.setBytes(2, VectorCodec.encode(vector));
          }
          insert.executeUpdate();
        }
      }
      connection.commit();
    }
  }

  private Connection open(String... properties) throws SQLException {
    return DriverManager.getConnection("jdbc:faiss:" + file + ";" + String.join(";", properties));
  }

  private static List<String> ask(Connection connection, String sql, float[] query)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 1; i <= statement.getParameterMetaData().getParameterCount(); i++) {
        statement.setBytes(i, VectorCodec.encode(query));
      }
      List<String> rows = new ArrayList<>();
      try (ResultSet found = statement.executeQuery()) {
        while (found.next()) {
          StringBuilder row = new StringBuilder();
          for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
            row.append(found.getObject(i)).append(' ');
          }
          rows.add(row.toString());
        }
      }
      return rows;
    }
  }

  private static String memory(Connection connection, String table) throws SQLException {
    return ask(
            connection,
            "SELECT memory FROM \"metadata\".faiss_indexes WHERE table_name = '" + table + "'",
            null)
        .get(0)
        .strip();
  }

  private static long read(Connection connection) throws SQLException {
    return Long.parseLong(
        ask(connection, "SELECT max(vectors_read) FROM \"metadata\".faiss_indexes", null)
            .get(0)
            .strip());
  }

  private static List<String> questions(String table) {
    List<String> all = new ArrayList<>();
    all.add("SELECT faiss_search_with_scores('c', '" + table + "', ?, 25)");
    all.add("SELECT id, distance FROM faiss_neighbors('c', '" + table + "', ?, 40)");
    for (String distance :
        List.of("l2_distance", "l2_squared_distance", "cosine_distance", "l1_distance")) {
      String by = distance + "(embedding, ?)";
      all.add("SELECT id, " + by + " FROM " + table + " ORDER BY 2, 1 LIMIT 12");
      all.add("SELECT id, " + by + " FROM " + table + " WHERE id % 7 = 3 ORDER BY 2, 1 LIMIT 12");
    }
    all.add(
        "SELECT id, inner_product(embedding, ?) FROM " + table + " ORDER BY 2 DESC, 1 LIMIT 12");
    all.add("SELECT count(*) FROM " + table + " WHERE l2_distance(embedding, ?) < 5.5");
    return all;
  }

  private void same(String table) throws SQLException {
    try (Connection vectors = open("native=off");
        Connection codes = open("native=off", "memory=codes");
        Connection way = open("memory=codes")) {
      for (int round = 0; round < 4; round++) {
        float[] query = round == 3 ? new float[DIMS] : vector();
        for (String sql : questions(table)) {
          List<String> expected = ask(vectors, sql, query);
          assertEquals(expected, ask(codes, sql, query), sql);
          assertEquals(expected, ask(way, sql, query), sql);
        }
      }
      assertEquals("vectors", memory(vectors, table));
      assertEquals("codes", memory(codes, table));
    }
  }

  @Test
  void answersAreTheSame() throws SQLException {
    create("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)");
    insert("docs", 2500, false);
    same("docs");
  }

  @Test
  void idsThatAreNoRowids() throws SQLException {
    create("CREATE TABLE docs (id TEXT, embedding BLOB)");
    insert("docs", 900, false);
    execute("DELETE FROM docs WHERE rowid % 5 = 0", "UPDATE docs SET id = id % 100");
    same("docs");
  }

  @Test
  void vectorsAsJson() throws SQLException {
    create("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding TEXT)");
    insert("docs", 600, true);
    same("docs");
  }

  @Test
  void fewVectorsAreRead() throws SQLException {
    create("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)");
    insert("docs", 5000, false);
    execute("DELETE FROM docs WHERE embedding = zeroblob(" + 4 * DIMS + ")");
    try (Connection codes = open("memory=codes")) {
      for (int i = 0; i < 10; i++) {
        ask(codes, "SELECT faiss_search('c', 'docs', ?, 5)", vector());
      }
      // Those that are as near as the last one, as copies are, are read, too.
      long read = read(codes);
      assertTrue(read >= 50 && read < 10 * 5000 / 50, read + " vectors read");
    }
  }

  @Test
  void whatIsCommittedIsSeenAndWhatIsReadIsOfOneVersion() throws SQLException {
    for (String mode : List.of("delete", "wal")) {
      create("DROP TABLE IF EXISTS docs", "PRAGMA journal_mode = " + mode);
      execute("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)");
      insert("docs", 300, false);
      String search = "SELECT faiss_search_with_scores('c', 'docs', ?, 3)";
      try (Connection codes = open("memory=codes");
          Connection vectors = open()) {
        for (int i = 0; i < 5; i++) {
          float[] query = vector();
          List<String> before = ask(codes, search, query);
          execute(
              "DELETE FROM docs WHERE id = "
                  + before.get(0).replaceAll("\\D*(\\d+).*", "$1").strip());
          List<String> after = ask(codes, search, query);
          assertFalse(before.equals(after), mode);
          assertEquals(ask(vectors, search, query), after, mode);
        }
      }
    }
  }

  @Test
  void whatDoesNotFitIsLeftInTheFile() throws SQLException {
    create("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)");
    insert("docs", 4000, false);
    execute("CREATE VIEW seen AS SELECT id, embedding FROM docs");
    String search = "SELECT faiss_search('c', 'docs', ?, 5)";
    float[] query = vector();
    List<String> answer;
    try (Connection small = open("memoryLimit=500KB")) {
      answer = ask(small, search, query);
      assertEquals("codes", memory(small, "docs"));
      // A view's rows can't be found again.
      SQLException e =
          assertThrows(SQLException.class, () -> ask(small, search.replace("docs", "seen"), query));
      assertTrue(e.getMessage().contains("needs"), e.toString());
    }
    execute("CREATE TABLE touch (x)");
    try (Connection all = open()) {
      assertEquals(answer, ask(all, search, query));
      assertEquals("vectors", memory(all, "docs"));
    }
    execute("DELETE FROM docs WHERE id = 1");
    try (Connection tiny = open("memoryLimit=40KB")) {
      SQLException e = assertThrows(SQLException.class, () -> ask(tiny, search, query));
      assertTrue(e.getMessage().startsWith("table c.docs needs"), e.toString());
      assertTrue(e.getMessage().contains("limit 40 KB"), e.toString());
    }
  }

  @Test
  void explainSaysWhatIsRead() throws SQLException {
    create("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)");
    insert("docs", 50, false);
    String explain =
        "EXPLAIN PLAN FOR SELECT id FROM docs ORDER BY l2_distance(embedding, ?) LIMIT 3";
    try (Connection codes = open("memory=codes");
        Connection vectors = open()) {
      assertTrue(ask(codes, explain, vector()).get(0).contains("memory=[codes; the vectors"));
      assertFalse(ask(vectors, explain, vector()).get(0).contains("memory="));
    }
  }

  @Test
  void operandsThatContradictEachOther() throws SQLException {
    create("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)");
    SQLException e =
        assertThrows(SQLException.class, () -> open("memory=codes", "refresh=5s").close());
    assertTrue(e.getMessage().contains("'memory' is 'codes' and 'refresh' is '5s'"), e.toString());
    SQLException wrong = assertThrows(SQLException.class, () -> open("memory=disk").close());
    assertTrue(
        wrong.getMessage().contains("operand 'memory' is 'disk', expected 'auto' or 'codes'"),
        wrong.toString());
  }
}
