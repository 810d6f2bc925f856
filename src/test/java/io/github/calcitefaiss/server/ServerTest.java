/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.embed.EmbeddingServer;
import io.github.calcitefaiss.embed.TestModels;
import io.github.calcitefaiss.index.VectorCodec;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.calcite.avatica.proto.Common;
import org.apache.calcite.avatica.proto.Responses;
import org.apache.calcite.avatica.remote.Service;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What clients get from the server, over real sockets: the thin driver's answers, and plain JSON.
 */
class ServerTest {
  private static final String NEIGHBOURS =
      "select id, distance, \"rank\" from table(faiss_neighbors('toy', 'notes', ?, ?))"
          + " order by \"rank\"";

  @TempDir static Path folder;
  private static RunningServer server;

  @BeforeAll
  static void start() throws Exception {
    server = RunningServer.start(RunningServer.database(folder), RunningServer.limits());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"PROTOBUF", "JSON"})
  void preparedSearchesTakeBlobsAndTextAndNull(String serialization) throws SQLException {
    try (Connection connection = server.connect(serialization, "");
        PreparedStatement search = connection.prepareStatement(NEIGHBOURS)) {
      search.setInt(2, 3);
      search.setBytes(1, VectorCodec.encode(new float[] {998.8f, 0}));
      assertEquals("5000000000 998 997 ", ids(search));
      search.setString(1, "[6.9, 0]");
      assertEquals("7 6 8 ", ids(search));
      search.setObject(1, VectorCodec.encode(new float[] {0, 0}));
      assertEquals("0 1 2 ", ids(search));
      search.setNull(1, Types.VARBINARY);
      assertEquals("", ids(search));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PROTOBUF", "JSON"})
  void valuesArriveAsTheyAre(String serialization) throws SQLException {
    try (Connection connection = server.connect(serialization, "");
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select id, embedding, text, cast(null as varchar) as nothing, id * 0.5 as half,"
                    + " faiss_search('toy', 'notes', embedding, 2) as found"
                    + " from notes where id in (7, 5000000000) order by id")) {
      assertTrue(rows.next());
      assertEquals("sieben ü€\ud83d\ude00", rows.getString("text"));
      assertNull(rows.getString("nothing"));
      assertArrayEquals(VectorCodec.encode(new float[] {7, 0}), rows.getBytes("embedding"));
      assertEquals("[7, 6]", rows.getString("found"));
      assertTrue(rows.next());
      assertEquals(5_000_000_000L, rows.getLong("id"));
      assertEquals(2_500_000_000.0, rows.getDouble("half"));
      assertFalse(rows.next());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PROTOBUF", "JSON"})
  void longResultsComeInFrames(String serialization) throws SQLException {
    try (Connection connection = server.connect(serialization, "");
        Statement statement = connection.createStatement()) {
      statement.setFetchSize(70);
      try (ResultSet rows = statement.executeQuery("select id from notes order by id")) {
        int count = 0;
        while (rows.next()) {
          assertEquals(count == 999 ? 5_000_000_000L : count, rows.getLong(1));
          count++;
        }
        assertEquals(1000, count);
      }
      statement.setMaxRows(5);
      try (ResultSet rows = statement.executeQuery("select id from notes")) {
        int count = 0;
        while (rows.next()) {
          count++;
        }
        assertEquals(5, count);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PROTOBUF", "JSON"})
  void errorsKeepTheirMessageAndState(String serialization) throws SQLException {
    try (Connection connection = server.connect(serialization, "");
        Statement statement = connection.createStatement()) {
      SQLException wrong =
          assertThrows(
              SQLException.class,
              () -> statement.executeQuery("select faiss_search('toy', 'note', '[1]', 1)"));
      assertTrue(wrong.getMessage().contains("did you mean 'notes'"), wrong.getMessage());
      SQLException column =
          assertThrows(SQLException.class, () -> statement.executeQuery("select nme from notes"));
      assertEquals("42S22", column.getSQLState());
      assertFalse(column.getMessage().contains("\tat "), column.getMessage());
      SQLException write =
          assertThrows(SQLException.class, () -> statement.execute("delete from notes"));
      assertTrue(write.getMessage().contains("read-only"), write.getMessage());
      // The connection is as good as before.
      try (ResultSet rows = statement.executeQuery("select count(*) from notes")) {
        assertTrue(rows.next());
        assertEquals(1000, rows.getLong(1));
      }
    }
  }

  /** As Apache's driver for Go opens every connection. */
  @Test
  void propertiesThatChangeNothingAreTaken() throws Exception {
    HttpResponse<String> answer =
        server.post(
            "{\"request\":\"openConnection\",\"connectionId\":\"go\","
                + "\"info\":{\"AutoCommit\":\"true\",\"Consistency\":\"8\","
                + "\"readOnly\":\"true\",\"transactionIsolation\":\"0\"}}");
    assertEquals(200, answer.statusCode(), answer.body());
    server.post("{\"request\":\"closeConnection\",\"connectionId\":\"go\"}");
  }

  @Test
  void aConnectionNeedsAnId() throws Exception {
    HttpResponse<String> answer = server.post("{\"request\":\"openConnection\",\"info\":{}}");
    assertTrue(answer.body().contains("\"sqlState\":\"08003\""), answer.body());
    assertTrue(answer.body().contains("names no connection"), answer.body());
  }

  /** As a cursor of phoenixdb does: with parameters first, then without, on the same handle. */
  @Test
  void aPreparedHandleRunsAnotherText() throws Exception {
    server.post("{\"request\":\"openConnection\",\"connectionId\":\"cursor\"}");
    String prepared =
        server
            .post(
                "{\"request\":\"prepare\",\"connectionId\":\"cursor\",\"maxRowCount\":-1,"
                    + "\"sql\":\"select id from notes where id = ?\"}")
            .body();
    String id = prepared.replaceAll(".*\"statement\":\\{[^{]*\"id\":(\\d+).*", "$1");
    String text =
        "{\"request\":\"prepareAndExecute\",\"connectionId\":\"cursor\",\"statementId\":"
            + id
            + ",\"maxRowCount\":-1,\"sql\":\"select id, text from notes where id < 2\"}";
    for (int i = 0; i < 2; i++) {
      HttpResponse<String> answer = server.post(text);
      assertTrue(answer.body().contains("\"rows\":[[0,\"note 0\"],[1,\"note 1\"]]"), answer.body());
    }
    server.post("{\"request\":\"closeConnection\",\"connectionId\":\"cursor\"}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select faiss_search('toy', 'notes', ?, ?) | VARBINARY BIGINT",
        "select id from notes order by l2_distance(embedding, ?) limit ? | VARBINARY INTEGER",
        "select id from notes where id = ? and text like ? | BIGINT VARCHAR",
        "select vec_to_json(faiss_encode(?)), ? | VARCHAR VARCHAR",
      })
  void parametersAreAnnouncedWithTypesThatOtherLanguagesKnow(String row) throws SQLException {
    String[] parts = row.split(" \\| ");
    try (Connection connection = server.connect();
        PreparedStatement statement = connection.prepareStatement(parts[0])) {
      ParameterMetaData parameters = statement.getParameterMetaData();
      assertEquals(
          parts[1], parameters.getParameterTypeName(1) + " " + parameters.getParameterTypeName(2));
    }
  }

  /** What a client reads that looks only where the column's type says. */
  @Test
  void aNumberInAColumnOfTextIsTextOnTheWire() throws Exception {
    server.message(new Service.OpenConnectionRequest("wire", Map.of()));
    Responses.CreateStatementResponse statement =
        Responses.CreateStatementResponse.parseFrom(
            server.message(new Service.CreateStatementRequest("wire")));
    int id = statement.getStatementId();
    Responses.ExecuteResponse first =
        Responses.ExecuteResponse.parseFrom(
            server.message(
                new Service.PrepareAndExecuteRequest(
                    "wire",
                    id,
                    "select case when id % 2 = 1 then id when id = 4 then 0.5 else 'x' end as v"
                        + " from notes where id < 6 order by id",
                    -1)));
    List<String> texts = new ArrayList<>();
    for (Common.Row row : first.getResults(0).getFirstFrame().getRowsList()) {
      texts.add(row.getValue(0).getScalarValue().getStringValue());
    }
    assertEquals("VARCHAR", first.getResults(0).getSignature().getColumns(0).getType().getName());
    assertEquals(List.of("x", "1", "x", "3", "0.5", "5"), texts);
  }

  @Test
  void metadataListsTablesAndColumns() throws SQLException {
    try (Connection connection = server.connect()) {
      assertEquals(List.of("notes"), names(connection, "toy"));
      try (ResultSet columns = connection.getMetaData().getColumns(null, "toy", "notes", null)) {
        List<String> names = new ArrayList<>();
        while (columns.next()) {
          names.add(columns.getString("COLUMN_NAME"));
        }
        assertEquals(List.of("id", "embedding", "text"), names);
      }
    }
  }

  private static List<String> names(Connection connection, String schema) throws SQLException {
    List<String> names = new ArrayList<>();
    try (ResultSet tables = connection.getMetaData().getTables(null, schema, null, null)) {
      while (tables.next()) {
        names.add(tables.getString("TABLE_NAME"));
      }
    }
    return names;
  }

  /** Requests as a program without any library writes them. */
  @Test
  void plainJsonIsEnough() throws Exception {
    assertEquals(
        200, server.post("{\"request\":\"openConnection\",\"connectionId\":\"raw\"}").statusCode());
    String created =
        server.post("{\"request\":\"createStatement\",\"connectionId\":\"raw\"}").body();
    String id = created.replaceAll(".*\"statementId\":(\\d+).*", "$1");
    HttpResponse<String> answer =
        server.post(
            "\n {\"request\":\"prepareAndExecute\",\"connectionId\":\"raw\",\"statementId\":"
                + id
                + ",\"maxRowCount\":-1,\"sql\":\"select id, text from notes where id < 2\"}");
    assertEquals(200, answer.statusCode());
    assertTrue(answer.body().contains("\"rows\":[[0,\"note 0\"],[1,\"note 1\"]]"), answer.body());
    HttpResponse<String> wrong =
        server.post(
            "{\"request\":\"prepareAndExecute\",\"connectionId\":\"raw\",\"statementId\":"
                + id
                + ",\"maxRowCount\":-1,\"sql\":\"selec\"}");
    assertEquals(500, wrong.statusCode());
    assertTrue(wrong.body().contains("\"sqlState\":\"42000\""), wrong.body());
    assertEquals(
        200,
        server.post("{\"request\":\"closeConnection\",\"connectionId\":\"raw\"}").statusCode());
    assertTrue(
        server
            .post("{\"request\":\"createStatement\",\"connectionId\":\"raw\"}")
            .body()
            .contains("Connection not found"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{}",
        "[]",
        "{\"request\":\"nonsense\"}",
        "{\"request\":\"createStatement\"}",
        "{\"request\":\"fetch\",\"connectionId\":\"x\",\"statementId\":-1}",
        "\n\u0005hello",
        "\n\u00ff\u00ff",
        "not a message",
      })
  void whatIsNoRequestGetsAnErrorAndNoTrace(String body) throws Exception {
    HttpResponse<String> answer = server.post(body);
    assertTrue(List.of(200, 400, 500).contains(answer.statusCode()), answer.toString());
    assertFalse(answer.body().contains("\tat "), answer.body());
    assertFalse(answer.body().contains("NullPointer"), answer.body());
  }

  @Test
  void nestingWithoutEndIsRefused() throws Exception {
    HttpResponse<String> answer =
        server.post("{\"request\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}");
    assertEquals(400, answer.statusCode());
    assertTrue(answer.body().length() < 2000);
    assertTrue(answer.body().contains("nesting depth"), answer.body());
    assertFalse(answer.body().contains("StreamReadConstraints"), answer.body());
  }

  @Test
  void textsAreEmbeddedForRemoteClientsAndCounted() throws Exception {
    try (EmbeddingServer embeddings = new EmbeddingServer();
        TestModels models = new TestModels(folder.resolve("models")).with("lengths", embeddings);
        Connection connection = server.connect();
        PreparedStatement statement =
            connection.prepareStatement("select vec_to_json(embed(?)), embed(?) is null")) {
      assertEquals("lengths", models.folder().defaultName());
      long texts = server.metric("embedded_texts_total");
      long batches = server.metric("embedding_batches_total");
      long hits = server.metric("embedding_hits_total");
      long failures = server.metric("embedding_failures_total");
      for (int i = 0; i < 2; i++) {
        statement.setString(1, "from afar");
        statement.setString(2, "from afar");
        try (ResultSet row = statement.executeQuery()) {
          assertTrue(row.next());
          assertEquals("[9.0, 1.0, 1.0]", row.getString(1));
        }
      }
      assertEquals(texts + 1, server.metric("embedded_texts_total"));
      assertEquals(batches + 1, server.metric("embedding_batches_total"));
      assertTrue(server.metric("embedding_hits_total") > hits);
      statement.setString(1, " ");
      assertThrows(SQLException.class, statement::executeQuery);
      assertTrue(server.metric("embedding_failures_total") > failures);
    }
  }

  @Test
  void healthAndMetricsAnswer() throws Exception {
    assertEquals("{\"status\":\"ok\"}\n", server.get("/health").body());
    long before = server.metric("rows_total");
    long statements = server.metric("statements_total{outcome=\"ok\"}");
    long errors = server.metric("statements_total{outcome=\"error\"}");
    try (Connection connection = server.connect();
        Statement statement = connection.createStatement()) {
      statement.executeQuery("select id from notes limit 3").close();
      assertThrows(SQLException.class, () -> statement.executeQuery("select x"));
      assertTrue(server.metric("connections") >= 1);
    }
    assertEquals(before + 3, server.metric("rows_total"));
    assertEquals(statements + 1, server.metric("statements_total{outcome=\"ok\"}"));
    assertEquals(errors + 1, server.metric("statements_total{outcome=\"error\"}"));
    assertEquals(0, server.metric("statements_running"));
    String text = server.get("/metrics").body();
    assertTrue(text.contains("# TYPE calcite_faiss_statement_seconds summary"), text);
    // Every line is a comment or a name and a number.
    for (String line : text.split("\n")) {
      assertTrue(
          line.matches("# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\\{[a-z]+=\"[a-z0-9]+\"\\})? [0-9.]+"),
          line);
    }
    assertEquals(404, server.get("/nothing").statusCode());
  }

  @Test
  void everyExecutionIsOneLineOfTheLog() throws SQLException {
    try (Connection connection = server.connect();
        Statement statement = connection.createStatement()) {
      statement.executeQuery("select id as logged\r\n\t from notes limit 4").close();
      assertThrows(
          SQLException.class, () -> statement.executeQuery("select 'x\u001b[2J\" ' as logged2,"));
      statement.setFetchSize(10);
      statement.executeQuery("select id as logged3 from notes").close();
    }
    String done = line("as logged ");
    assertTrue(
        done.matches(
            "\\S+Z statement user=- connection=\\S+ ms=\\d+\\.\\d rows=4"
                + " outcome=ok sql=\"select id as logged from notes limit …\""),
        done);
    String failed = line("logged2");
    assertTrue(failed.contains("outcome=error state=42000"), failed);
    assertFalse(failed.contains("\u001b"), failed);
    assertTrue(line("logged3").contains("rows=100 outcome=closed"), line("logged3"));
  }

  @Test
  void noValueIsInTheLog() throws SQLException {
    try (Connection connection = server.connect();
        PreparedStatement statement =
            connection.prepareStatement(
                "select id as logged4 from notes where id = cast(? as int)");
        Statement plain = connection.createStatement()) {
      statement.setString(1, "salary 1234' \" of ann");
      try {
        statement.executeQuery().close();
      } catch (SQLException e) {
        // Whether that is an error isn't asked here.
      }
      plain.executeQuery("select 'patient 77' as logged5 from notes limit 1").close();
      assertThrows(
          SQLException.class,
          () -> plain.executeQuery("select l2_distance('[1, 2', 'secret 9') as logged6"));
      // SQLite takes both for texts.
      assertThrows(SQLException.class, () -> plain.executeQuery("select embed(\"diagnosis\")"));
      plain.executeQuery("select \"password\" as \"logged7\" from \"notes\"").close();
      plain
          .executeQuery(
              "select id as logged8 /* allergy */ from [notes] -- illness\n where id in"
                  + " (4711471147114, 0x1267, 8.15e7) and 'x' <> [text]")
          .close();
      for (String wrong :
          List.of(
              "select id from notes where [diabetes] = 1",
              "select id from notes where `diabetes` = 1",
              "select 'asthma from notes",
              "select 'ast\"hma from notes",
              "select json_extract('{}', 9021090210902.5)",
              "select vec_slice('[1, 2]', 9021090210902, 9021090210903)",
              "select zeroblob(9021090210902)")) {
        try {
          plain.executeQuery(wrong).close();
        } catch (SQLException e) {
          // Only what the log has of it is asked here.
        }
      }
    }
    String all = String.join("\n", server.log);
    for (String value :
        List.of(
            "salary",
            "of ann",
            "patient",
            "secret",
            "[1, 2",
            "diagnosis",
            "password",
            "allergy",
            "illness",
            "4711471147114",
            "0x1267",
            "8.15e7",
            "[text]",
            "diabetes",
            "asthma",
            "hma",
            "902109021090")) {
      assertFalse(all.contains(value), all);
    }
    assertTrue(
        line("logged7").contains("select \\\"…\\\" as \\\"logged7\\\" from \\\"notes\\\""),
        line("logged7"));
    assertTrue(
        line("logged8")
            .contains(
                "sql=\"select id as logged8 from [notes] where id in (…, …, …) and '…' <> […]\""),
        line("logged8"));
    assertTrue(line("logged5").contains("sql=\"select '…' as logged5"), line("logged5"));
  }

  private static String line(String part) {
    List<String> lines = server.log.stream().filter(line -> line.contains(part)).toList();
    assertEquals(1, lines.size(), lines.toString());
    return lines.get(0);
  }

  @Test
  void aHundredClientsGetTheSameAnswers() throws Exception {
    int clients = 100;
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < clients; i++) {
        String serialization = i % 2 == 0 ? "PROTOBUF" : "JSON";
        Callable<String> client =
            () -> {
              try (Connection connection = server.connect(serialization, "");
                  PreparedStatement search = connection.prepareStatement(NEIGHBOURS)) {
                search.setInt(2, 3);
                search.setBytes(1, VectorCodec.encode(new float[] {500, 0}));
                String first = ids(search);
                return first.equals(ids(search)) ? first : "differs";
              }
            };
        answers.add(threads.submit(client));
      }
      TreeSet<String> different = new TreeSet<>();
      for (Future<String> answer : answers) {
        different.add(answer.get());
      }
      assertEquals("[500 499 501 ]", different.toString());
    } finally {
      threads.shutdownNow();
    }
  }

  private static String ids(PreparedStatement search) throws SQLException {
    StringBuilder ids = new StringBuilder();
    try (ResultSet rows = search.executeQuery()) {
      while (rows.next()) {
        ids.append(rows.getLong(1)).append(' ');
      }
    }
    return ids.toString();
  }
}
