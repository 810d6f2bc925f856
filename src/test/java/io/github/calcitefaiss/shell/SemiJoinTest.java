/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of another source say which vectors are searched: a CSV file, and PostgreSQL. */
class SemiJoinTest {
  @TempDir static Path folder;
  private static Postgres postgres;
  private static Connection connection;

  @BeforeAll
  static void makeSources() throws Exception {
    Path file = folder.resolve("docs.db");
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement s = sqlite.createStatement()) {
      s.execute("CREATE TABLE docs(id INTEGER PRIMARY KEY, title TEXT, n INTEGER, embedding BLOB)");
      try (PreparedStatement p = sqlite.prepareStatement("INSERT INTO docs VALUES (?, ?, ?, ?)")) {
        for (int i = 1; i <= 500; i++) {
          p.setInt(1, i);
          p.setString(2, "d" + i);
          p.setInt(3, i % 7);
          p.setBytes(4, VectorCodec.encode(new float[] {i, 1}));
          p.execute();
        }
      }
    }
    Files.createDirectory(folder.resolve("csv"));
    Files.writeString(
        folder.resolve("csv").resolve("picks.csv"),
        "doc:long,who:string\n20,ann\n7,ann\n300,bob\n301,ann\n999,ann\n,ann\n");
    postgres = Postgres.start();
    String more = "";
    if (postgres != null) {
      try (Connection c = DriverManager.getConnection(postgres.url() + "?user=postgres");
          Statement s = c.createStatement()) {
        s.execute("CREATE TABLE picks(doc BIGINT, who TEXT)");
        s.execute(
            "INSERT INTO picks VALUES (20,'ann'),(7,'ann'),(300,'bob'),(301,'ann'),(999,'ann'),"
                + " (NULL,'ann')");
      }
      more =
          ", { \"name\": \"pg\", \"type\": \"jdbc\", \"jdbcDriver\": \"org.postgresql.Driver\","
              + " \"jdbcUrl\": \""
              + postgres.url()
              + "\", \"jdbcUser\": \"postgres\", \"jdbcSchema\": \"public\" }";
    }
    Path model =
        Files.writeString(
            folder.resolve("model.json"),
            String.format(
                Locale.ROOT,
                """
            { "version": "1.0", "defaultSchema": "docs", "schemas": [
              { "name": "docs", "type": "custom",
                "factory": "io.github.calcitefaiss.FaissSchemaFactory",
                "operand": { "database": "docs.db" } },
              { "name": "csv", "type": "custom",
                "factory": "org.apache.calcite.adapter.file.FileSchemaFactory",
                "operand": { "directory": "csv" } }%s ] }
            """,
                more));
    connection = DriverManager.getConnection("jdbc:faiss:" + model);
  }

  @AfterAll
  static void stop() throws Exception {
    connection.close();
    if (postgres != null) {
      postgres.close();
    }
  }

  private static List<String> rows(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet results = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (results.next()) {
        rows.add(results.getString(1));
      }
      return rows;
    }
  }

  private static void restricts(String picks) throws SQLException {
    String[] forms = {
      "SELECT title FROM docs WHERE id IN (SELECT doc FROM %s WHERE who = 'ann')"
          + " ORDER BY l2_distance(embedding, '[9, 1]') LIMIT 3",
      "SELECT title FROM docs WHERE EXISTS (SELECT 1 FROM %s p WHERE p.doc = docs.id AND"
          + " p.who = 'ann') ORDER BY l2_distance(embedding, '[9, 1]') LIMIT 3",
      "SELECT title FROM docs JOIN %s p ON p.doc = docs.id WHERE p.who = 'ann'"
          + " ORDER BY l2_distance(embedding, '[9, 1]') LIMIT 3",
    };
    for (String form : forms) {
      String sql = String.format(Locale.ROOT, form, picks);
      String plan = rows("EXPLAIN PLAN FOR " + sql).get(0);
      assertTrue(plan.contains("VectorTopK(table=[[docs, docs]]"), plan);
      assertTrue(plan.contains("filterIn=[input]"), plan);
      assertEquals(List.of("d7", "d20", "d301"), rows(sql), sql);
      String filtered = sql.replace(" ORDER BY", " AND docs.n <> 0 ORDER BY");
      assertEquals(List.of("d20"), rows(filtered), filtered);
    }
    String not =
        "SELECT title FROM docs WHERE NOT EXISTS (SELECT 1 FROM %s p WHERE p.doc = docs.id)"
            + " ORDER BY l2_distance(embedding, '[7, 1]') LIMIT 1";
    assertEquals(List.of("d6"), rows(String.format(Locale.ROOT, not, picks)));
  }

  @Test
  void aCsvFileRestrictsTheSearch() throws SQLException {
    restricts("csv.picks");
  }

  @Test
  void postgresRestrictsTheSearch() throws SQLException {
    assumeTrue(postgres != null, Postgres.MISSING);
    restricts("pg.picks");
  }
}
