/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.embed.EmbeddingServer;
import io.github.calcitefaiss.embed.EmbeddingServer.Reply;
import io.github.calcitefaiss.embed.InstalledModels;
import io.github.calcitefaiss.embed.ModelFolder;
import io.github.calcitefaiss.embed.TestModels;
import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts embedded in SQL, whichever way a statement takes. */
class EmbedTest {
  @TempDir Path folder;
  private TestModels models;
  private EmbeddingServer server;
  private Path database;

  @BeforeEach
  void prepare() throws Exception {
    server = new EmbeddingServer();
    models = new TestModels(folder.resolve("models")).with("lengths", server);
    database = folder.resolve("notes.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement()) {
      statement.execute("create table notes (id integer primary key, title text)");
      statement.execute("create table embeddings (id integer primary key, embedding blob)");
      statement.execute(
          "insert into notes values (1, 'a'), (2, 'b c'), (3, null), (4, 'dd e f'), (5, 'a')");
      try (PreparedStatement insert =
          connection.prepareStatement("insert into embeddings values (?, ?)")) {
        for (int id = 1; id <= 8; id++) {
          insert.setInt(1, id);
          insert.setBytes(2, VectorCodec.encode(new float[] {id, 0, 1}));
          insert.execute();
        }
      }
    }
  }

  @AfterEach
  void restore() {
    models.close();
    server.close();
  }

  private Connection connect(String way) throws SQLException {
    return DriverManager.getConnection("jdbc:faiss:" + database + ";native=" + way);
  }

  private List<String> rows(String way, String sql, Object... parameters) throws SQLException {
    try (Connection connection = connect(way);
        PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      List<String> rows = new ArrayList<>();
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          List<String> row = new ArrayList<>();
          for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
            row.add(result.getString(i));
          }
          rows.add(String.join("|", row.stream().map(String::valueOf).toList()));
        }
      }
      return rows;
    }
  }

  private String error(String way, String sql, Object... parameters) {
    return assertThrows(SQLException.class, () -> rows(way, sql, parameters)).getMessage();
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aTextBecomesTheBlobThatOtherFunctionsTake(String way) throws SQLException {
    assertEquals(
        List.of("[5.0, 1.0, 1.0]|3|[5.0, 1.0, 1.0]|null|null"),
        rows(
            way,
            "select faiss_decode(embed('abc d')), vector_dims(embed('lengths', 'x')),"
                + " llm_embed_decode(llm_embed('lengths', 'abc d')), embed(null),"
                + " embed('lengths', null)"));
    assertEquals(
        List.of("1.0"),
        rows(way, "select llm_embed_cosine(embed('abc d'), embed('lengths', 'abc d'))"));
    try (Connection connection = connect(way);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select embed('xy z')")) {
      row.next();
      assertArrayEquals(VectorCodec.encode(new float[] {4, 1, 1}), row.getBytes(1));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aQuestionIsAnsweredByTheIndexAndEmbeddedOnce(String way) throws SQLException {
    String sql = "select id from embeddings order by l2_distance(embedding, embed('1234')) limit 3";
    assertEquals(List.of("4", "3", "5"), rows(way, sql));
    assertTrue(rows(way, "explain plan for " + sql).get(0).contains("VectorTopK"));
    assertEquals(1, server.calls.get());
    assertEquals(List.of("4", "3", "5"), rows(way, sql));
    assertEquals(
        List.of("4", "3"),
        rows(
            way,
            "select id from embeddings order by l2_distance(embedding, embed(?)) limit 2",
            "1234"));
    assertEquals(
        List.of("[4, 3]"),
        rows(way, "select faiss_search('notes', 'embeddings', embed('1234'), 2)"));
    assertEquals(
        List.of("4"),
        rows(way, "select n.id from faiss_neighbors('notes', 'embeddings', embed('1234'), 1) n"));
    assertEquals(
        List.of("4"),
        rows(way, "select id from embeddings where l2_distance(embedding, embed('1234')) < 0.5"));
    assertEquals(1, server.calls.get());
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void columnsAreEmbeddedInProjectionsFiltersAndJoins(String way) throws SQLException {
    assertEquals(
        List.of("1|1.0", "2|3.0", "3|null", "4|6.0", "5|1.0"),
        rows(
            way,
            "select id, json_extract(vec_to_json(embed(title)), '$[0]') from notes order by id"));
    assertEquals(
        List.of("1", "5"),
        rows(
            way,
            "select id from notes where l2_distance(embed(title), embed('x')) = 0 order by id"));
    assertEquals(
        List.of("1|1", "4|6", "5|1"),
        rows(
            way,
            "select n.id, e.id from notes n join embeddings e"
                + " on l2_distance(e.embedding, embed(n.title)) < 2.5 and e.id = length(n.title)"
                + " where n.id <> 2 order by n.id"));
    assertEquals(
        List.of("1", "2", "4"),
        server.texts.stream()
            .distinct()
            .filter(text -> !text.equals("x"))
            .map(text -> text.equals("a") ? "1" : text.equals("b c") ? "2" : "4")
            .toList());
    assertEquals(server.texts.stream().distinct().count(), server.texts.size());
  }

  private void many(int rows) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table many as with recursive n(i) as (select 1 union all select i + 1 from n"
              + " where i < "
              + rows
              + ") select i as id, 'text ' || i as words, i % 2 as odd from n");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aColumnIsEmbeddedInBatches(String way) throws SQLException {
    many(1000);
    List<String> rows = rows(way, "select id, vec_to_json(embed(words)) from many order by id");
    assertEquals(1000, rows.size());
    assertEquals("7|[6.0, 1.0, 1.0]", rows.get(6));
    assertEquals("1000|[9.0, 1.0, 1.0]", rows.get(999));
    assertTrue(server.calls.get() <= 17, "calls: " + server.calls);
    assertEquals(1000, server.texts.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aSortAFilterAndAnAggregateAreEmbeddedInBatches(String way) throws SQLException {
    many(1000);
    assertEquals(
        List.of("1", "2"),
        rows(
            way,
            "select id from many order by l2_distance(embed(words), embed('text 1')), id limit 2"));
    assertTrue(server.calls.get() <= 18, "calls: " + server.calls);
    assertEquals(1000, server.texts.size());
    assertEquals(
        List.of("500"),
        rows(
            way,
            "select count(*) from many"
                + " where odd = 1 and l2_distance(embed('lengths', words), embed('x')) > 0"));
    assertEquals(
        List.of("0|499", "1|500"),
        rows(
            way,
            "select odd, count(embed(words || '')) from many where id < 1000 group by odd"
                + " order by odd"));
    assertEquals(1001, server.texts.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aConditionAndALimitKeepTextsFromBeingEmbedded(String way) throws SQLException {
    many(1000);
    rows(way, "select vec_to_json(embed(words)) from many where id between 11 and 13");
    assertEquals(List.of("text 11", "text 12", "text 13"), server.texts);
    rows(way, "select vec_to_json(embed(words)) from many limit 2");
    assertEquals(5, server.texts.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aBatchWithABadTextFailsOnlyAtIt(String way) throws SQLException {
    many(100);
    server.answer =
        (call, request) ->
            request.toString().contains("text 50") ? new Reply(400, request.toString()) : null;
    String message = error(way, "select id, embed(words) from many order by id");
    assertTrue(message.contains("refused this text (HTTP status 400)"), message);
    assertTrue(message.contains("(text 50 of those that the statement embeds"), message);
    assertEquals(49, rows(way, "select vec_to_json(embed(words)) from many where id < 50").size());
    assertEquals(
        List.of("99|null"),
        rows(
            way + ";onBadText=null",
            "select count(embed(words)), (select embed(words) from many where id = 50) from many"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aServerThatIsGoneIsAnErrorWhateverTheOperandSays(String way) throws SQLException {
    many(3);
    server.answer = (call, request) -> new Reply(401, "");
    String message = error(way + ";onBadText=null", "select embed(words) from many");
    assertTrue(message.startsWith("embed: embedding model 'lengths' answered with"), message);
    assertEquals(1, server.calls.get());
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void whatIsNotEvaluatedIsNotEmbedded(String way) throws SQLException {
    many(1000);
    rows(way, "select case when id = 5 then vec_to_json(embed(words)) end from many");
    assertEquals(List.of("text 5"), server.texts);
    assertEquals(
        List.of("1"),
        rows(
            way,
            "select count(*) from many where abs(id - 7) = 0"
                + " and l2_distance(embed(words), embed('text 7')) >= 0"));
    assertEquals(List.of("text 5", "text 7"), server.texts);
  }

  @Test
  void aLateralQuestionForEachRow() throws SQLException {
    assertEquals(
        List.of("1|1", "2|3", "4|6"),
        rows(
            "auto",
            "select n.id, t.id from notes n, lateral (select e.id from embeddings e"
                + " order by l2_distance(e.embedding, embed(n.title)) limit 1) t"
                + " where n.id in (1, 2, 4) order by n.id"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void wrongArgumentsAreSaid(String way) {
    assertTrue(
        error(way, "select embed('nobody', 'x')")
            .startsWith("embed: embedding model 'nobody' is not installed; installed: lengths"));
    assertTrue(
        error(way, "select llm_embed('e5-small-v2-q', 'x')")
            .contains("install it: ./sqlline install-model e5-small-v2-q"));
    assertTrue(error(way, "select embed(5)").contains("embed: text: expected text, got the numb"));
    assertTrue(error(way, "select embed(?)", 5).contains("embed: text: expected text, got the n"));
    assertTrue(error(way, "select embed('   ')").contains("embed: the text is empty"));
    assertTrue(
        error(
                    way,
                    "select id from embeddings order by l2_distance(embedding, embed('x'))"
                        + " limit 'many'")
                .length()
            > 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aTableOfAnotherModelIsAnErrorThatNamesBoth(String way) throws Exception {
    models.with("others", server);
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement()) {
      statement.execute("create table faiss_models (embeddings text, model text, dims integer)");
      statement.execute("insert into faiss_models values ('embeddings', 'others', 3)");
      statement.execute(
          "create view docs as select e.id, e.embedding, title from embeddings e join notes"
              + " using (id)");
    }
    for (String sql :
        List.of(
            "select id from embeddings order by l2_distance(embedding, embed('x')) limit 2",
            "select id from docs order by cosine_distance(embed(?), embedding) limit 2",
            "select id from docs where l2_distance(embedding, embed('lengths', 'x')) < 2",
            "select faiss_search('notes', 'embeddings', embed('x'), 2)",
            "select e.id from notes n join embeddings e on e.id = n.id"
                + " order by l2_distance(e.embedding, llm_embed('lengths', n.title))")) {
      String message = sql.contains("?") ? error(way, sql, "x") : error(way, sql);
      assertTrue(
          message.contains(
              "made by the model others (3 dimensions), and the text is embedded by lengths"
                  + " (3 dimensions)"),
          message);
      assertTrue(message.contains("embed('others', text)"), message);
    }
    assertEquals(
        List.of("1"),
        rows(
            way,
            "select id from docs order by l2_distance(embedding, embed('others', 'x')) limit 1"));
    assertEquals(
        List.of("1"),
        rows(
            way + ";embeddingModel=others",
            "select id from docs order by l2_distance(embedding, embed('x')) limit 1"));
    assertTrue(
        error(way + ";embeddingModel=a b", "select 1").contains("'embeddingModel' is 'a b'"));
    assertTrue(error(way + ";onBadText=x", "select 1").contains("expected 'error' or 'null'"));
  }

  @Test
  void anOperandSaysWhichModelMadeATable() throws Exception {
    models.with("others", server);
    String model =
        "inline:{version: '1.0', defaultSchema: 'n', schemas: [{name: 'n', type: 'custom',"
            + " factory: 'io.github.calcitefaiss.FaissSchemaFactory', operand: {database: '"
            + database
            + "', tables: [{table: 'embeddings', model: 'others'}]}}]}";
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + model);
        Statement statement = connection.createStatement()) {
      String sql = "select id from embeddings order by l2_distance(embedding, embed(%s'x'))";
      String message =
          assertThrows(SQLException.class, () -> first(statement, sql.replace("%s", "")))
              .getMessage();
      assertTrue(message.contains("made by the model others, and the text is"), message);
      assertEquals("1", first(statement, sql.replace("%s", "'others', ")));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void withoutAModelTheCommandIsSaid(String way) {
    System.setProperty(ModelFolder.PROPERTY, folder.resolve("none").toString());
    String message = error(way, "select embed('x')");
    assertTrue(message.startsWith("embed: no embedding model is installed"), message);
    assertTrue(message.contains("./sqlline install-model all-minilm-l6-v2-q"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aServersFailureHasNoText(String way) {
    String secret = "a text that nobody else may see";
    server.answer = (call, request) -> new Reply(401, request.toString());
    String message = error(way, "select embed(?)", secret);
    assertTrue(message.contains("'lengths' answered with the HTTP status 401"), message);
    assertTrue(
        message.contains("(text 1 of those that the statement embeds, 31 characters;"), message);
    assertFalse(message.contains(secret), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aTimeOutAndACancelEndAWait(String way) throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(2);
    server.answer =
        (call, request) -> {
          asked.countDown();
          never.await();
          return null;
        };
    try (Connection connection = connect(way);
        Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      assertThrows(SQLTimeoutException.class, () -> first(statement, "select embed('slow')"));
      statement.setQueryTimeout(0);
      Thread canceller =
          new Thread(
              () -> {
                try {
                  asked.await();
                  statement.cancel();
                } catch (InterruptedException | SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      canceller.start();
      SQLException e =
          assertThrows(SQLException.class, () -> first(statement, "select embed('slower')"));
      assertEquals("HY008", e.getSQLState());
      canceller.join();
      never.countDown();
      server.answer = (call, request) -> null;
      assertEquals("3", first(statement, "select vector_dims(embed('slow'))"));
    }
  }

  private static String first(Statement statement, String sql) throws SQLException {
    try (ResultSet row = statement.executeQuery(sql)) {
      assertTrue(row.next());
      return row.getString(1);
    }
  }

  /** The model that the example's table was made with, run for real. */
  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void aLocalModelAnswersAQuestion(String way) throws Exception {
    System.setProperty(ModelFolder.PROPERTY, InstalledModels.shared().path().toString());
    database = Path.of("examples/packages.db");
    String sql =
        "select title from docs order by l2_distance(embedding, embed('a light web server'))"
            + " limit 5";
    List<String> titles = rows(way, sql);
    assertEquals(5, titles.size());
    assertTrue(titles.contains("lighttpd") || titles.contains("nginx"), titles.toString());
    assertTrue(rows(way, "explain plan for " + sql).get(0).contains("VectorTopK"));
    assertNull(System.getProperty("OPT_OUT_TRACKING"));
  }
}
