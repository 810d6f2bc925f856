/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server refuses, and what holds it up: nothing that a client sends or fails to send. */
class ServerSecurityTest {
  private static final String PASSWORD = "s3cret ü";

  /** Runs until it is stopped: ten to the ninth rows to add up. */
  private static final String LONG =
      "select sum(a.id * b.id + c.id) from notes a, notes b, notes c";

  @TempDir static Path folder;
  private static Path database;

  @BeforeAll
  static void makeDatabase() throws SQLException {
    database = RunningServer.database(folder);
  }

  private static Path users(boolean digest) throws IOException {
    Path file = folder.resolve(digest ? "digest.txt" : "basic.txt");
    return Files.writeString(
        file,
        "# who may\n\n"
            + UserFile.line("alice", PASSWORD, digest)
            + "\n"
            + UserFile.line("bob", "other", true)
            + "\n");
  }

  private static RunningServer secured(boolean digest) throws Exception {
    return RunningServer.start(database, RunningServer.limits(), users(digest), digest, null, null);
  }

  private static String login(String kind, String user, String password) {
    return ";authentication=" + kind + ";avatica_user=" + user + ";avatica_password=" + password;
  }

  private static long count(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select count(*) from notes")) {
      assertTrue(rows.next());
      return rows.getLong(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"BASIC", "DIGEST"})
  void onlyWhoLogsInIsServed(String kind) throws Exception {
    try (RunningServer server = secured(kind.equals("DIGEST"))) {
      try (Connection connection = server.connect("PROTOBUF", login(kind, "alice", PASSWORD))) {
        assertEquals(1000, count(connection));
      }
      try (Connection connection = server.connect("JSON", login(kind, "bob", "other"))) {
        assertEquals(1000, count(connection));
      }
      for (String wrong :
          List.of(
              login(kind, "alice", "secret"),
              login(kind, "alice", ""),
              login(kind, "eve", PASSWORD),
              "")) {
        var e =
            assertThrows(Exception.class, () -> server.connect("PROTOBUF", wrong).close(), wrong);
        assertTrue(String.valueOf(e.getMessage()).contains("401"), e.toString());
      }
      HttpResponse<String> none = server.post("{\"request\":\"openConnection\"}");
      assertEquals(401, none.statusCode());
      assertEquals("401 Unauthorized\n", none.body());
      assertEquals(401, server.get("/metrics").statusCode());
      assertEquals(401, server.get("/").statusCode());
      assertEquals(401, server.get("/health/../metrics").statusCode());
      assertEquals(200, server.get("/health").statusCode());
      assertTrue(server.log.stream().anyMatch(line -> line.contains("refused login from=127.")));
      assertTrue(server.log.stream().anyMatch(line -> line.contains("user=alice")));
      assertFalse(server.log.toString().contains(PASSWORD));
    }
  }

  /** Ids of connections are the client's choice, and those of statements are small numbers. */
  @Test
  void aConnectionIsItsUsersAlone() throws Exception {
    try (RunningServer server = secured(false)) {
      assertEquals(200, as(server, "alice", PASSWORD, "openConnection", "").statusCode());
      String created = as(server, "alice", PASSWORD, "createStatement", "").body();
      String statement =
          ",\"statementId\":" + created.replaceAll(".*\"statementId\":(\\d+).*", "$1");
      String sql = statement + ",\"maxRowCount\":-1,\"sql\":\"select id from notes order by id\"";
      String first = as(server, "alice", PASSWORD, "prepareAndExecute", sql).body();
      assertTrue(first.contains("[[0],[1],"), first);
      String fetch = statement + ",\"offset\":100,\"fetchMaxRowCount\":5";
      for (String request : List.of("createStatement", "connectionSync")) {
        String sync =
            request.equals("connectionSync")
                ? ",\"connProps\":{\"connProps\":\"connPropsImpl\"}"
                : "";
        String answer = as(server, "bob", "other", request, sync).body();
        assertTrue(answer.contains("Connection not found"), answer);
      }
      assertTrue(
          as(server, "bob", "other", "prepareAndExecute", sql)
              .body()
              .contains("\"missingStatement\":true"));
      assertFalse(as(server, "bob", "other", "fetch", fetch).body().contains("[100]"));
      as(server, "bob", "other", "closeStatement", statement);
      // Nor through a connection of his own.
      as(server, "bob", "other", "openConnection", "", "his");
      for (String request : List.of("closeStatement", "fetch", "prepareAndExecute")) {
        as(server, "bob", "other", request, request.equals("fetch") ? fetch : sql, "his");
      }
      as(server, "bob", "other", "closeConnection", "");
      String more = as(server, "alice", PASSWORD, "fetch", fetch).body();
      assertTrue(more.contains("[100],[101]"), more);
    }
  }

  private static HttpResponse<String> as(
      RunningServer server, String user, String password, String request, String more)
      throws Exception {
    return as(server, user, password, request, more, "known");
  }

  private static HttpResponse<String> as(
      RunningServer server,
      String user,
      String password,
      String request,
      String more,
      String connection)
      throws Exception {
    String basic =
        Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    return server.post(
        "{\"request\":\"" + request + "\",\"connectionId\":\"" + connection + "\"" + more + "}",
        "Authorization",
        "Basic " + basic);
  }

  /** Whoever sends slowly, or much at once, doesn't keep others from asking whether it is up. */
  @Test
  void slowBodiesLeaveHealthAnswered() throws Exception {
    try (RunningServer server = RunningServer.start(database, RunningServer.limits())) {
      URI address = URI.create(server.server.address());
      List<Socket> slow = new ArrayList<>();
      try {
        for (int i = 0; i < 220; i++) {
          Socket socket = new Socket(address.getHost(), address.getPort());
          slow.add(socket);
          socket
              .getOutputStream()
              .write(
                  ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{")
                      .getBytes(StandardCharsets.US_ASCII));
        }
        for (int i = 0; i < 5; i++) {
          assertEquals(200, server.get("/health").statusCode());
        }
      } finally {
        for (Socket socket : slow) {
          socket.close();
        }
      }
    }
  }

  @Test
  void aPageOfAnotherSiteReadsNoMetrics() throws Exception {
    try (RunningServer server = RunningServer.start(database, RunningServer.limits())) {
      URI address = URI.create(server.server.address());
      try (Socket socket = new Socket(address.getHost(), address.getPort())) {
        socket
            .getOutputStream()
            .write(
                "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
        String answer =
            new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertTrue(answer.startsWith("HTTP/1.1 403"), answer);
      }
    }
  }

  @Test
  void listeningBeyondThisMachineNeedsUsers() throws Exception {
    for (String host : List.of("0.0.0.0", "::")) {
      var options =
          new FaissServer.Options(
              "jdbc:faiss:" + database,
              host,
              0,
              null,
              false,
              null,
              null,
              RunningServer.limits(),
              false);
      var e = assertThrows(IOException.class, () -> new FaissServer(options, line -> {}).close());
      assertTrue(e.getMessage().contains("--users"), e.getMessage());
    }
    var options =
        new FaissServer.Options(
            "jdbc:faiss:" + database,
            "0.0.0.0",
            0,
            users(false),
            false,
            null,
            null,
            RunningServer.limits(),
            false);
    new FaissServer(options, line -> {}).close();
  }

  @ParameterizedTest
  @CsvSource({
    "model,/etc/model.json",
    "model,inline:{}",
    "MODEL,x.json",
    "schemaFactory,io.github.calcitefaiss.FaissSchemaFactory",
    "schemaType,JDBC",
    "parserFactory,java.lang.Object",
    "typeSystem,java.lang.Object",
    "metaTableFactory,java.lang.Object",
    "metaColumnFactory,java.lang.Object",
    "factory,java.lang.Object",
    "fun,spatial",
    "spark,true",
    "materializationsEnabled,true",
    "database,/etc/passwd",
    "tables,notes",
    "onBadRow,skip",
    "busyTimeout,1",
    "jdbcUrl,jdbc:sqlite::memory:",
    "avatica.connectioncache.maxcapacity,1",
    "calcite.model.classes.allowed,x",
  })
  void aClientCantSetWhatNamesAClassAModelOrAPath(String name, String value) throws Exception {
    try (RunningServer server = RunningServer.start(database, RunningServer.limits())) {
      HttpResponse<String> answer =
          server.post(
              "{\"request\":\"openConnection\",\"connectionId\":\"x\",\"info\":{\""
                  + name
                  + "\":\""
                  + value
                  + "\"}}");
      assertEquals(500, answer.statusCode());
      assertTrue(
          answer.body().contains("Connection property '" + name + "' can't be set by a client"),
          answer.body());
      assertTrue(answer.body().contains("\"sqlState\":\"42501\""), answer.body());
      assertEquals(0, server.metric("connections"));
    }
  }

  @Test
  void whatIsHarmlessReachesTheDriver() throws Exception {
    try (RunningServer server = RunningServer.start(database, RunningServer.limits())) {
      try (Connection connection = server.connect("PROTOBUF", ";lex=MYSQL;user=x");
          Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("select `id` from `notes` limit 1")) {
        assertTrue(rows.next());
      }
      // The thin driver keeps this one to itself; other clients send it.
      String answer = openWithSchema(server, "no");
      assertTrue(answer.contains("There is no schema 'no'"), answer);
      assertEquals(0, server.metric("connections"));
      assertTrue(openWithSchema(server, "toy").contains("\"response\":\"openConnection\""));
      assertEquals(1, server.metric("connections"));
    }
  }

  private static String openWithSchema(RunningServer server, String schema) throws Exception {
    return server
        .post(
            "{\"request\":\"openConnection\",\"connectionId\":\"s\",\"info\":{\"schema\":\""
                + schema
                + "\"}}")
        .body();
  }

  @Test
  void tlsServesThoseWhoTrustIt() throws Exception {
    Path store = folder.resolve("server.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "server",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("keytool.txt").toFile())
            .start();
    assertEquals(0, keytool.waitFor(), () -> read(folder.resolve("keytool.txt")));
    KeyStore key = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
    try (RunningServer server =
        RunningServer.start(
            database, RunningServer.limits(), users(false), false, key, "changeit")) {
      assertTrue(server.server.address().startsWith("https://"));
      String trust = ";truststore=" + store + ";truststore_password=changeit";
      try (Connection connection =
          server.connect("PROTOBUF", trust + login("BASIC", "alice", PASSWORD))) {
        assertEquals(1000, count(connection));
      }
      // Whoever does not know the certificate does not send a password.
      assertThrows(
          Exception.class,
          () -> server.connect("PROTOBUF", login("BASIC", "alice", PASSWORD)).close());
      URI plain = URI.create(server.server.address().replace("https:", "http:") + "/health");
      assertThrows(
          IOException.class,
          () ->
              RunningServer.HTTP.send(
                  HttpRequest.newBuilder(plain).timeout(Duration.ofSeconds(10)).build(),
                  HttpResponse.BodyHandlers.ofString()));
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void bodiesBeyondTheLimitAreRefused() throws Exception {
    Limits small = new Limits(10, Duration.ofSeconds(60), 0, 2000, Duration.ofMinutes(10));
    try (RunningServer server = RunningServer.start(database, small)) {
      String large = "{\"request\":\"openConnection\",\"x\":\"" + "y".repeat(3000) + "\"}";
      HttpResponse<String> declared = server.post(large);
      assertEquals(413, declared.statusCode());
      assertTrue(declared.body().contains("2000 bytes"), declared.body());
      // Without a length it comes in chunks.
      HttpRequest chunked =
          HttpRequest.newBuilder(URI.create(server.server.address() + "/"))
              .POST(
                  HttpRequest.BodyPublishers.ofInputStream(
                      () -> new ByteArrayInputStream(large.getBytes(StandardCharsets.UTF_8))))
              .build();
      assertEquals(
          413, RunningServer.HTTP.send(chunked, HttpResponse.BodyHandlers.ofString()).statusCode());
      try (Connection connection = server.connect()) {
        assertEquals(1000, count(connection));
      }
    }
  }

  @Test
  void connectionsBeyondTheLimitAreRefusedAndPlacesComeBack() throws Exception {
    Limits two = new Limits(2, Duration.ofSeconds(60), 0, 1 << 20, Duration.ofMinutes(10));
    try (RunningServer server = RunningServer.start(database, two)) {
      Connection first = server.connect();
      Connection second = server.connect();
      var e = assertThrows(Exception.class, () -> server.connect().close());
      assertTrue(e.getMessage().contains("--max-connections"), e.getMessage());
      assertEquals(1, server.metric("connections_refused_total"));
      first.close();
      try (Connection third = server.connect()) {
        assertEquals(1000, count(third));
      }
      second.close();
      assertEquals(0, server.metric("connections"));
      // One that fails to open takes no place.
      for (int i = 0; i < 3; i++) {
        assertTrue(openWithSchema(server, "no").contains("There is no schema"));
      }
      server.connect().close();
    }
  }

  @Test
  void resultsBeyondTheRowLimitAreAnErrorAndNotCutOff() throws Exception {
    Limits rows = new Limits(10, Duration.ofSeconds(60), 250, 1 << 20, Duration.ofMinutes(10));
    try (RunningServer server = RunningServer.start(database, rows);
        Connection connection = server.connect();
        Statement statement = connection.createStatement()) {
      assertEquals(250, read(statement, "select id from notes limit 250"));
      var e = assertThrows(Exception.class, () -> read(statement, "select id from notes"));
      assertTrue(e.toString().contains("more than 250 rows"), e.toString());
      statement.setMaxRows(20);
      assertEquals(20, read(statement, "select id from notes"));
    }
  }

  private static int read(Statement statement, String sql) throws SQLException {
    int count = 0;
    try (ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        count++;
      }
    }
    return count;
  }

  @Test
  void statementsBeyondTheirTimeAreEnded() throws Exception {
    Limits second = new Limits(10, Duration.ofSeconds(1), 0, 1 << 20, Duration.ofMinutes(10));
    try (RunningServer server = RunningServer.start(database, second);
        Connection connection = server.connect();
        Statement statement = connection.createStatement()) {
      var e = assertThrows(SQLException.class, () -> read(statement, LONG));
      assertEquals("HYT00", e.getSQLState(), e.getMessage());
      assertEquals(1, read(statement, "select count(*) from notes"));
    }
  }

  @Test
  void clientsThatVanishLeaveNothingBehind() throws Exception {
    Limits brief = new Limits(10, Duration.ofSeconds(60), 0, 1 << 20, Duration.ofMillis(400));
    try (RunningServer server = RunningServer.start(database, brief)) {
      List<Socket> sockets = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        sockets.add(new Socket("127.0.0.1", server.server.port()));
        // More is promised than comes.
        send(sockets.get(i), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"reque");
      }
      for (Socket socket : sockets) {
        socket.close();
      }
      // Gone between the first frame and the second.
      server.post("{\"request\":\"openConnection\",\"connectionId\":\"gone\"}");
      String created =
          server.post("{\"request\":\"createStatement\",\"connectionId\":\"gone\"}").body();
      server.post(
          "{\"request\":\"prepareAndExecute\",\"connectionId\":\"gone\",\"statementId\":"
              + created.replaceAll(".*\"statementId\":(\\d+).*", "$1")
              + ",\"maxRowCount\":-1,\"sql\":\"select id from notes\"}");
      await(() -> metric(server, "connections") == 0);
      try (Connection connection = server.connect()) {
        assertEquals(1000, count(connection));
      }
    }
  }

  private static long metric(RunningServer server, String name) {
    try {
      return server.metric(name);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static void send(Socket socket, String text) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(text.getBytes(StandardCharsets.US_ASCII));
    out.flush();
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, "waited for a minute");
      Thread.onSpinWait();
    }
  }

  @Test
  void webPagesAreRefused() throws Exception {
    try (RunningServer server = RunningServer.start(database, RunningServer.limits())) {
      assertEquals(403, server.post("{}", "Origin", "http://localhost").statusCode());
    }
  }

  @Test
  void closingEndsStatementsAndListensNoMore() throws Exception {
    RunningServer server = RunningServer.start(database, RunningServer.limits());
    Connection connection = server.connect();
    CompletableFuture<Integer> running =
        CompletableFuture.supplyAsync(
            () -> {
              try (Statement statement = connection.createStatement()) {
                return read(statement, LONG);
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            });
    await(() -> metric(server, "statements_running") == 1);
    int port = server.server.port();
    server.close();
    var e = assertThrows(ExecutionException.class, () -> running.get(30, TimeUnit.SECONDS));
    assertTrue(e.getCause().getCause() instanceof SQLException, e.toString());
    assertTrue(
        server.log.stream().anyMatch(line -> line.contains("state=HY008")), server.log.toString());
    assertTrue(server.log.get(server.log.size() - 1).endsWith(" stopped"));
    assertThrows(IOException.class, () -> new Socket("127.0.0.1", port).close());
  }
}
