/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.index.VectorCodec;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.calcite.avatica.proto.Common;
import org.apache.calcite.avatica.remote.ProtobufTranslationImpl;
import org.apache.calcite.avatica.remote.Service;

/** A server on a free port over a small database, and ways to talk to it. */
final class RunningServer implements AutoCloseable {
  static final HttpClient HTTP = HttpClient.newHttpClient();

  final FaissServer server;
  final List<String> log = new CopyOnWriteArrayList<>();

  private RunningServer(FaissServer.Options options) throws IOException, SQLException {
    server = new FaissServer(options, log::add);
  }

  static RunningServer start(Path database, Limits limits) throws IOException, SQLException {
    return start(database, limits, null, false, null, null);
  }

  static RunningServer start(
      Path database, Limits limits, Path users, boolean digest, KeyStore key, String keyPassword)
      throws IOException, SQLException {
    return new RunningServer(
        new FaissServer.Options(
            "jdbc:faiss:" + database,
            "127.0.0.1",
            0,
            users,
            digest,
            key,
            keyPassword,
            limits,
            false));
  }

  /** Limits that no test but one about them reaches. */
  static Limits limits() {
    return new Limits(200, Duration.ofSeconds(60), 0, 1 << 20, Duration.ofMinutes(10));
  }

  /** Writes a database with a table of 1000 vectors of two elements, (i, 0) under the id i. */
  static Path database(Path folder) throws SQLException {
    Path file = folder.resolve("toy.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("create table notes (id integer primary key, embedding blob, text text)");
      try (PreparedStatement insert =
          connection.prepareStatement("insert into notes values (?, ?, ?)")) {
        for (int i = 0; i < 1000; i++) {
          insert.setLong(1, i == 999 ? 5_000_000_000L : i);
          insert.setBytes(2, VectorCodec.encode(new float[] {i, 0}));
          insert.setString(3, i == 7 ? "sieben ü€\ud83d\ude00" : "note " + i);
          insert.addBatch();
        }
        insert.executeBatch();
      }
      connection.commit();
    }
    return file;
  }

  /** Avatica's thin driver, connected; more properties as {@code ;name=value}. */
  Connection connect(String serialization, String more) throws SQLException {
    return DriverManager.getConnection(
        "jdbc:avatica:remote:url=" + server.address() + ";serialization=" + serialization + more);
  }

  Connection connect() throws SQLException {
    return connect("PROTOBUF", "");
  }

  HttpResponse<String> post(String body, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server.address() + "/"))
            .POST(HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** The message of a protobuf response, out of its envelope. */
  byte[] message(Service.Request request) throws Exception {
    HttpRequest post =
        HttpRequest.newBuilder(URI.create(server.address() + "/"))
            .POST(
                HttpRequest.BodyPublishers.ofByteArray(
                    new ProtobufTranslationImpl().serializeRequest(request)))
            .build();
    byte[] answer = HTTP.send(post, HttpResponse.BodyHandlers.ofByteArray()).body();
    return Common.WireMessage.parseFrom(answer).getWrappedMessage().toByteArray();
  }

  HttpResponse<String> get(String path) throws Exception {
    return HTTP.send(
        HttpRequest.newBuilder(URI.create(server.address() + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** A value of /metrics. */
  long metric(String name) throws Exception {
    for (String line : get("/metrics").body().lines().toList()) {
      if (line.startsWith("calcite_faiss_" + name + " ")) {
        return Math.round(Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)));
      }
    }
    throw new AssertionError("no metric " + name);
  }

  @Override
  public void close() {
    server.close();
  }
}
