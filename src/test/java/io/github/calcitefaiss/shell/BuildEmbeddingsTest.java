/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestProcess;
import io.github.calcitefaiss.embed.EmbeddingServer;
import io.github.calcitefaiss.embed.EmbeddingServer.Reply;
import io.github.calcitefaiss.embed.ModelFolder;
import io.github.calcitefaiss.embed.TestModels;
import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Embeddings of a table of text, with a server of three dimensions in place of a real model. */
class BuildEmbeddingsTest {
  @TempDir Path folder;
  private Path database;
  private EmbeddingServer server;
  private TestModels models;

  @BeforeEach
  void prepare() throws Exception {
    server = new EmbeddingServer();
    models = new TestModels(folder.resolve("models")).with("lengths", server);
    database = folder.resolve("notes.db");
    execute(
        "create table \"my notes\" (note_id integer primary key, title text, body text)",
        "insert into \"my notes\" values (5000000000, 'ab', 'c d'), (2, 'x', null), (3, ' ', '')",
        "create view titles as select title as id, title from \"my notes\" where note_id = 2",
        "create table many (id integer primary key, words text)",
        "insert into many with recursive n(i) as (select 1 union all select i + 1 from n"
            + " where i < 1000) select i, 'text ' || i from n");
  }

  @AfterEach
  void close() {
    models.close();
    server.close();
  }

  @Test
  void everyRowWithTextGetsItsEmbedding() throws Exception {
    assertEquals(outcome(2, 0, 0, 0), build("my notes", "note_id", "title", "body"));
    assertArrayEquals(new float[] {1, 0, 1}, embedding("2"));
    assertArrayEquals(new float[] {6, 1, 1}, embedding("5000000000"));
    assertEquals(List.of("2", "5000000000"), ids());
    assertEquals(List.of("lengths|3"), column("select model || '|' || dims from faiss_models"));
  }

  @Test
  void onlyWhatIsNewOrChangedIsEmbeddedAndWhatIsGoneIsRemoved() throws Exception {
    build("many", "id", "words");
    assertEquals(16, server.calls.get());
    assertEquals(outcome(0, 0, 0, 1000), build("many", "id", "words"));
    assertEquals(16, server.calls.get());
    execute(
        "update many set words = 'longer than it was' where id = 7",
        "update many set words = ' ' where id = 8",
        "delete from many where id in (9, 10)",
        "insert into many values (2000, 'new')");
    assertEquals(outcome(2, 0, 3, 996), build("many", "id", "words"));
    assertEquals(List.of("longer than it was", "new"), server.texts.subList(1000, 1002));
    assertArrayEquals(new float[] {18, 3, 1}, embedding("7"));
    assertEquals(998, ids().size());
  }

  @Test
  void nothingIsWrittenWhereNothingChanged() throws Exception {
    build("many", "id", "words");
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      String version = "pragma data_version";
      String before = column(statement, version).get(0);
      build("many", "id", "words");
      assertEquals(before, column(statement, version).get(0));
    }
  }

  @Test
  void textIdsFromAView() throws Exception {
    execute("create view named as select 'id ' || id as id, words from many where id < 101");
    assertEquals(outcome(100, 0, 0, 0), build("named", "id", "words"));
    assertArrayEquals(new float[] {8, 1, 1}, embedding("'id 100'"));
    assertEquals(outcome(0, 0, 0, 100), build("named", "id", "words"));
  }

  @Test
  void aSecondModelNeedsATableOfItsOwn() throws Exception {
    models.with("others", server);
    build("my notes", "note_id", "title");
    BuildEmbeddings.Job other = job("my notes", "embeddings", "others", false, false, "title");
    String refused =
        assertThrows(BuildEmbeddings.JobException.class, () -> run(other)).getMessage();
    assertTrue(
        refused.contains(
            "made by the model lengths (3 dimensions), asked for is others (3 dimensions)"),
        refused);
    run(job("my notes", "second", "others", false, false, "title"));
    assertEquals(2, ids().size());
    run(job("my notes", "embeddings", "others", false, true, "title"));
    assertEquals(
        List.of("embeddings others", "second others"),
        column("select embeddings || ' ' || model from faiss_models order by 1"));
  }

  @Test
  void aTableThatAnotherProgramMadeIsNotReplacedUnasked() throws Exception {
    execute("create table embeddings (id integer primary key, embedding blob)");
    String message =
        assertThrows(
                BuildEmbeddings.JobException.class, () -> build("my notes", "note_id", "title"))
            .getMessage();
    assertTrue(message.contains("was not made by build-embeddings"), message);
    run(job("my notes", "embeddings", null, false, true, "title"));
    assertEquals(2, ids().size());
  }

  @Test
  void aTextThatIsRefusedNamesItsRowOrIsNull() throws Exception {
    server.answer =
        (call, request) ->
            request.toString().contains("text 500") ? new Reply(400, request.toString()) : null;
    String message =
        assertThrows(BuildEmbeddings.JobException.class, () -> build("many", "id", "words"))
            .getMessage();
    assertTrue(message.startsWith("the row of many with the id 500 can't be embedded"), message);
    assertFalse(message.contains("text 500"), message);
    assertTrue(ids().size() >= 499, "rows of its batch are kept");
    BuildEmbeddings.Outcome outcome = run(job("many", "embeddings", null, true, false, "words"));
    assertEquals(1, outcome.failed());
    assertEquals(1000, ids().size());
    assertNull(embedding("500"));
    int calls = server.calls.get();
    assertEquals(
        outcome(0, 0, 0, 1000), run(job("many", "embeddings", null, true, false, "words")));
    assertEquals(calls, server.calls.get());
  }

  @Test
  void aProcessThatIsKilledIsGoneOnFrom() throws Exception {
    CountDownLatch killed = new CountDownLatch(1);
    CountDownLatch ninth = new CountDownLatch(1);
    server.answer =
        (call, request) -> {
          if (call > 8) {
            ninth.countDown();
            killed.await();
          }
          return null;
        };
    Process process =
        TestProcess.of(
                Main.class,
                List.of("-D" + ModelFolder.PROPERTY + "=" + models.folder().path()),
                "build-embeddings",
                database.toString(),
                "many",
                "id",
                "words")
            .redirectOutput(folder.resolve("out").toFile())
            .start();
    assertTrue(ninth.await(60, TimeUnit.SECONDS));
    process.destroyForcibly().waitFor();
    killed.countDown();
    server.answer = (call, request) -> null;
    server.texts.clear();
    assertEquals(outcome(488, 0, 0, 512), build("many", "id", "words"));
    assertEquals(1000, ids().size());
    assertFalse(server.texts.contains("text 512"));
    assertEquals(List.of("ok"), column("pragma integrity_check"));
  }

  @Test
  void itFollowsWhatOthersWrite() throws Exception {
    BlockingQueue<BuildEmbeddings.Outcome> outcomes = new LinkedBlockingQueue<>();
    AtomicBoolean stop = new AtomicBoolean();
    try (BuildEmbeddings build =
        BuildEmbeddings.open(
            job("my notes", "embeddings", null, false, false, "title"),
            line -> {},
            () -> {
              if (stop.get()) {
                throw new CancellationException();
              }
            })) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  build.follow(outcomes::add, e -> {});
                } catch (BuildEmbeddings.JobException | CancellationException e) {
                  stop.set(true);
                }
              });
      thread.start();
      assertEquals(outcome(2, 0, 0, 0), outcomes.poll(30, TimeUnit.SECONDS));
      execute("insert into \"my notes\" values (7, 'seven', null)");
      assertEquals(outcome(1, 0, 0, 2), outcomes.poll(30, TimeUnit.SECONDS));
      execute("delete from \"my notes\" where note_id = 7");
      assertEquals(outcome(0, 0, 1, 2), outcomes.poll(30, TimeUnit.SECONDS));
      stop.set(true);
      thread.join();
    }
  }

  @Test
  void progressHasRowsRateAndTimeLeft() throws Exception {
    List<String> lines = new ArrayList<>();
    BuildEmbeddings.run(job("many", "embeddings", null, false, false, "words"), lines::add);
    assertTrue(
        lines.get(lines.size() - 1).matches("1,000 of 1,000 rows, \\d+ rows/s, 0 s left"),
        lines.toString());
  }

  @Test
  void wrongNamesAreSaidAndNothingIsWritten() throws Exception {
    assertSays("no such table: main.note", "note", "note_id", "title");
    assertSays("no such column", "my notes", "note_id", "titel");
    assertSays("replaced by its own embeddings", "embeddings", "id", "embedding");
    execute("create table twice (id, text)", "insert into twice values (1, 'a'), (1, 'b')");
    assertSays("column id of twice has the value 1 twice", "twice", "id", "text");
    Path missing = folder.resolve("missing.db");
    BuildEmbeddings.Job job =
        new BuildEmbeddings.Job(missing, "t", "id", List.of("x"), "embeddings", null, false, false);
    var e = assertThrows(BuildEmbeddings.JobException.class, () -> run(job));
    assertEquals("no such database: " + missing, e.getMessage());
    assertTrue(!missing.toFile().exists());
  }

  @Test
  void withoutAModelTheCommandIsSaid() {
    try (TestModels none = new TestModels(folder.resolve("none"))) {
      assertSays(none.folder().path() + "); install one", "my notes", "note_id", "title");
      assertSays("./sqlline install-model all-minilm-l6-v2-q", "my notes", "note_id", "title");
    }
  }

  @Test
  void theCommandsBuildAndSearch() throws Exception {
    String db = database.toString();
    Terminal built = Terminal.run("build-embeddings", db, "my notes", "note_id", "title,body");
    assertEquals("", built.err().replaceAll("build-embeddings: 2 of 2 rows.*\\R", ""));
    assertEquals("embeddings: 2 embedded, 0 removed, 0 unchanged\n", built.out());
    String found = Terminal.run("search", db, "123456 ", "-k", "1").out();
    assertTrue(found.contains("5000000000"), found);
    assertEquals(1, Terminal.run("search", db, "some words", "--model", "nobody").exitCode());
    assertTrue(
        Terminal.run("build-embeddings", db, "my notes", "note_id", "title", "--on-bad-row", "x")
            .err()
            .contains("expected error or null"));
    Terminal listed = Terminal.run("models");
    assertTrue(listed.out().contains("lengths"), listed.out());
    assertTrue(listed.out().contains("default"), listed.out());
    assertTrue(listed.out().contains("bge-small-en-v15-q"), listed.out());
    Terminal installed =
        Terminal.run("install-model", "again", "--url", server.url(), "--model", "m", "--default");
    assertEquals(0, installed.exitCode(), installed.err());
    assertTrue(installed.out().contains("embed(text) uses it"), installed.out());
    assertEquals("again", models.folder().defaultName());
    assertTrue(
        Terminal.run("install-model", "nobody").err().contains("there are: all-minilm-l6-v2-q"));
    assertTrue(Terminal.run("install-model", "x", "--onnx", "f").err().contains("go together"));
    assertTrue(
        Terminal.run(
                "install-model", "../x", "--url", "http://h", "--model", "m", "--dimensions", "3")
            .err()
            .contains("can't be a model's name"));
  }

  private void assertSays(String message, String table, String id, String... texts) {
    var e = assertThrows(BuildEmbeddings.JobException.class, () -> build(table, id, texts));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private static BuildEmbeddings.Outcome outcome(
      long embedded, long failed, long removed, long unchanged) {
    return new BuildEmbeddings.Outcome(embedded, failed, removed, unchanged);
  }

  private BuildEmbeddings.Outcome build(String table, String id, String... texts)
      throws BuildEmbeddings.JobException {
    return run(
        new BuildEmbeddings.Job(
            database, table, id, List.of(texts), "embeddings", null, false, false));
  }

  private BuildEmbeddings.Job job(
      String table, String embeddings, String model, boolean skip, boolean rebuild, String text) {
    String id = table.equals("many") ? "id" : "note_id";
    return new BuildEmbeddings.Job(
        database, table, id, List.of(text), embeddings, model, skip, rebuild);
  }

  private static BuildEmbeddings.Outcome run(BuildEmbeddings.Job job)
      throws BuildEmbeddings.JobException {
    return BuildEmbeddings.run(job, line -> {});
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
      byte[] blob = result.getBytes(1);
      return blob == null ? null : VectorCodec.decode(blob);
    }
  }

  private List<String> ids() throws SQLException {
    return column("select id from embeddings order by id");
  }

  private List<String> column(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      return column(statement, sql);
    }
  }

  private static List<String> column(Statement statement, String sql) throws SQLException {
    List<String> values = new ArrayList<>();
    try (ResultSet result = statement.executeQuery(sql)) {
      while (result.next()) {
        values.add(result.getString(1));
      }
    }
    return values;
  }

  private Connection connect() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + database);
  }
}
