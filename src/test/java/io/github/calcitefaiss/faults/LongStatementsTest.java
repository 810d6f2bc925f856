/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestProcess;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.shell.Main;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many long statements at once. */
class LongStatementsTest {
  private static final int AT_ONCE = 20;

  /** How a statement may end that is too much: as a person is told. */
  private static final Set<String> SAID =
      Set.of(SqlState.TIMED_OUT, SqlState.MEMORY, SqlState.TOO_COMPLEX, SqlState.SYNTAX);

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void database() throws SQLException {
    file = folder.resolve("t.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE t (n INTEGER)");
    }
  }

  private static String in(int length) {
    StringBuilder sql = new StringBuilder("SELECT n FROM t WHERE n IN (0");
    for (int i = 1; sql.length() < length; i++) {
      sql.append(',').append(i);
    }
    return sql.append(')').toString();
  }

  private static String columns(int length) {
    StringBuilder sql = new StringBuilder("SELECT n");
    for (int i = 1; sql.length() < length; i++) {
      sql.append(", n + ").append(i).append(" AS c").append(i);
    }
    return sql.append(" FROM t").toString();
  }

  private static String or(int length) {
    StringBuilder sql = new StringBuilder("SELECT n FROM t WHERE n = 0");
    for (int i = 0; sql.length() < length; i++) {
      sql.append(i % 2 == 0 ? " OR n * 2 = " : " AND n + 1 > ").append(i);
    }
    return sql.toString();
  }

  private static String run(String url, String sql, int seconds) {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(seconds);
      statement.executeQuery(sql).close();
      return "answered";
    } catch (SQLException e) {
      return SAID.contains(e.getSQLState()) ? e.getSQLState() : e.toString();
    }
  }

  private static long beingPlanned() {
    return Thread.getAllStackTraces().values().stream()
        .filter(
            stack ->
                Arrays.stream(stack)
                    .anyMatch(frame -> frame.getClassName().contains(".FaissPrepare")))
        .count();
  }

  @Test
  void oneIsPlannedAtATime() throws Exception {
    String url = "jdbc:faiss:" + file + ";native=off";
    String sql = in(100_000);
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger most = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(9);
    try {
      Future<?> looking =
          threads.submit(
              () -> {
                while (!over.get()) {
                  most.accumulateAndGet((int) beingPlanned(), Math::max);
                  LockSupport.parkNanos(1_000_000);
                }
              });
      List<Future<String>> states = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        states.add(threads.submit(() -> run(url, sql, 60)));
      }
      for (Future<String> state : states) {
        assertTrue(SAID.contains(state.get()), state.get());
      }
      // What was left behind ends by itself.
      Threads.await("nothing is planned any more", () -> beingPlanned() == 0);
      over.set(true);
      looking.get();
    } finally {
      over.set(true);
      threads.shutdown();
    }
    assertEquals(1, most.get(), "planned at once");
  }

  @Test
  void anExpressionWhoseParsingNothingCouldEndIsRefused() throws Exception {
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + file + ";native=off");
        Statement statement = connection.createStatement()) {
      SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(or(900_000)));
      assertEquals(SqlState.SYNTAX, e.getSQLState());
      assertTrue(
          e.getMessage()
              .matches(
                  "Syntax error: expression is too long: got more than 10000 operators; put values"
                      + " into IN \\(…\\), or into a table \\(line 1, column \\d+\\)"),
          e.getMessage());
    }
  }

  /** In a small heap a server refuses what has no room, and goes on answering all else. */
  @Test
  void aServerStaysUp() throws Exception {
    Path log = folder.resolve("log.txt");
    Process process =
        TestProcess.of(
                Main.class,
                List.of("-Xmx128m", "-XX:TieredStopAtLevel=1"),
                "serve",
                "jdbc:faiss:" + file + ";native=off",
                "--port",
                "0",
                "--statement-timeout",
                "4")
            .redirectOutput(log.toFile())
            .start();
    ExecutorService threads = Executors.newCachedThreadPool();
    AtomicBoolean over = new AtomicBoolean();
    try {
      Threads.await("it listens", () -> read(log).contains(" (pages"));
      int at = read(log).indexOf(" at http://") + 4;
      String server = read(log).substring(at, read(log).indexOf(' ', at));
      Future<Integer> health = threads.submit(() -> health(server, over));
      List<String> kinds =
          List.of(
              in(900_000),
              in(300_000),
              columns(300_000),
              or(300_000),
              "SELECT " + "(".repeat(900_000));
      List<Future<String>> states = new ArrayList<>();
      for (int i = 0; i < AT_ONCE; i++) {
        String sql = kinds.get(i % kinds.size());
        states.add(threads.submit(() -> run("jdbc:avatica:remote:url=" + server, sql, 0)));
      }
      for (Future<String> state : states) {
        assertTrue(SAID.contains(state.get()), state.get());
      }
      over.set(true);
      assertTrue(health.get() > 0);
      assertEquals(
          "answered", run("jdbc:avatica:remote:url=" + server, "SELECT count(*) FROM t", 0));
      assertFalse(read(log).contains("Exception"), () -> read(log));
      assertFalse(read(log).contains("OutOfMemory"), () -> read(log));
    } finally {
      over.set(true);
      process.destroyForcibly();
      threads.shutdown();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Asks until it is over; how often there was an answer. */
  private static int health(String server, AtomicBoolean over) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    HttpRequest ask =
        HttpRequest.newBuilder(URI.create(server + "/health"))
            .timeout(Duration.ofSeconds(30))
            .build();
    int answers = 0;
    do {
      assertEquals(200, client.send(ask, HttpResponse.BodyHandlers.ofString()).statusCode());
      answers++;
      LockSupport.parkNanos(5_000_000);
    } while (!over.get());
    return answers;
  }
}
