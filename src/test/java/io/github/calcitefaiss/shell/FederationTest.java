/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.calcitefaiss.TestProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * docs/federation.md, statement by statement: SQLite twice, CSV, and PostgreSQL where there is one.
 */
class FederationTest {
  private static final Document DOCUMENT = new Document("federation.md");

  @TempDir static Path folder;
  private static Postgres postgres;
  private static Path model;

  @BeforeAll
  static void makeSources() throws Exception {
    postgres = Postgres.start();
    for (Document.Block block : DOCUMENT.blocks("sql")) {
      if (block.code().startsWith("-- sqlite3 reviews.db")) {
        execute("jdbc:sqlite:" + folder.resolve("reviews.db"), block.code());
      } else if (block.code().startsWith("-- psql") && postgres != null) {
        execute(postgres.url() + "?user=postgres", block.code());
      }
    }
    String text = DOCUMENT.blocks("json").get(0).code();
    text = text.replace("\"examples/", "\"" + Path.of("examples").toAbsolutePath() + "/");
    if (postgres == null) {
      text = text.replaceAll("(?s),\\s*\\{ \"name\": \"fleet\".*?\\}", "");
    } else {
      text = text.replace("jdbc:postgresql://localhost:5432/postgres", postgres.url());
    }
    model = Files.writeString(folder.resolve("federation.json"), text);
  }

  @AfterAll
  static void stop() throws Exception {
    if (postgres != null) {
      postgres.close();
    }
  }

  private static void execute(String url, String script) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (String sql : script.split(";\n")) {
        statement.execute(sql);
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> everyStatementGivesWhatStandsBelowIt() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Document.Block block : DOCUMENT.blocks("sql")) {
      if (block.output() != null) {
        tests.add(DynamicTest.dynamicTest(block.code(), () -> run(block)));
      }
    }
    assertTrue(tests.size() >= 9);
    return tests.stream();
  }

  /** In a process of its own: where a process works can't be changed. */
  @Test
  void aModelInTheWorkingFolderFindsTheFoldersThatItNames() throws Exception {
    Process process =
        TestProcess.of(
                Main.class,
                List.of(),
                "federated.json",
                "--outputformat=csv",
                "-e",
                "select count(*) as n from csv.archive")
            .directory(Path.of("examples").toFile())
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    assertTrue(said.lines().anyMatch("3576"::equals), said);
  }

  private static void run(Document.Block block) throws Exception {
    assumeTrue(postgres != null || !block.code().contains("fleet."), Postgres.MISSING);
    if (block.code().startsWith("explain")) {
      try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + model);
          Statement statement = connection.createStatement();
          ResultSet plan = statement.executeQuery(block.code())) {
        assertTrue(plan.next());
        DOCUMENT.checkPlan(block, plan.getString(1));
      }
    } else {
      Terminal terminal = Terminal.run(model.toString(), "-e", block.code().strip());
      assertEquals(0, terminal.exitCode(), terminal.err());
      DOCUMENT.check(block, terminal.out());
    }
  }

  /**
   * Calcite's JDBC adapter throws where others say no, when asked whether it is a SQLite schema.
   */
  @Test
  void aSchemaOfTheJdbcAdapterStandsBesideOurs() throws Exception {
    Path mixed =
        Files.writeString(
            folder.resolve("mixed.json"),
            String.format(
                Locale.ROOT,
                """
            { "version": "1.0", "defaultSchema": "reviews", "schemas": [
              { "name": "other", "type": "jdbc", "jdbcDriver": "org.sqlite.JDBC",
                "jdbcUrl": "jdbc:sqlite:%s" },
              { "name": "reviews", "type": "custom",
                "factory": "io.github.calcitefaiss.FaissSchemaFactory",
                "operand": { "database": "reviews.db" } } ] }
            """,
                folder.resolve("reviews.db")));
    assertTrue(Terminal.run("info", mixed.toString()).out().startsWith("Schema reviews: "));
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + mixed);
        Statement statement = connection.createStatement()) {
      try (ResultSet rows =
          statement.executeQuery(
              "select count(*) from reviews r join other.reviews o on o.id = r.id")) {
        assertTrue(rows.next());
        assertEquals(6, rows.getInt(1));
      }
      SQLException e =
          assertThrows(
              SQLException.class,
              () -> statement.executeQuery("select faiss_search('other', 'x', '[1]', 1)").next());
      assertTrue(e.getMessage().contains("other"), e.getMessage());
      assertTrue(e.getMessage().contains("reviews"), e.getMessage());
    }
  }
}
