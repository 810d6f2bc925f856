/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.calcitefaiss.faults.Threads.Asking;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long a cancel and a timeout take to end a statement, by what it is busy with.
 *
 * <p>It says the median and the maximum, and where the thread was if it went on for long; {@code
 * -Dfaults.latencies=100} says how often each is cancelled, {@code -Dfaults.only=join} picks those
 * whose name holds a word. The assertion only finds what never looks at the flag, since times
 * depend on the machine.
 */
@Tag("slow")
class CancelLatencyTest {
  private static final Logger LOGGER = LoggerFactory.getLogger(CancelLatencyTest.class);
  private static final int TRIES = Integer.getInteger("faults.latencies", 20);
  private static final long LONGEST_DELAY = TimeUnit.MILLISECONDS.toNanos(1200);
  private static final long PROMISED = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long NEVER = TimeUnit.SECONDS.toNanos(10);
  private static final int ROWS = 150_000;
  private static final int DIMS = 64;

  @TempDir static Path folder;
  private static String url;

  @BeforeAll
  static void create() throws SQLException {
    for (String name : new String[] {"a", "b"}) {
      try (Connection writer = sqlite(folder.resolve(name + ".db"))) {
        execute(
            writer,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, name TEXT, embedding BLOB)",
            "CREATE TABLE few (id INTEGER PRIMARY KEY, n INTEGER, name TEXT, embedding BLOB)",
            "CREATE TABLE json (id INTEGER PRIMARY KEY, value TEXT)",
            "BEGIN");
        try (PreparedStatement insert =
            writer.prepareStatement("INSERT INTO t VALUES (?, ?, ?, ?)")) {
          Random random = new Random(7);
          float[] vector = new float[DIMS];
          for (int i = 0; i < ROWS; i++) {
            for (int d = 0; d < DIMS; d++) {
              vector[d] = (float) random.nextGaussian();
            }
            insert.setInt(1, i);
            insert.setInt(2, i % 1000);
            insert.setString(3, "row " + i);
            insert.setBytes(4, VersionedDatabase.vector(vector));
            insert.execute();
          }
        }
        execute(
            writer,
            "INSERT INTO few SELECT * FROM t WHERE id < 2000",
            "INSERT INTO json WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
                + " LIMIT 1000000) SELECT 1, json_group_array(i + 0.5) FROM c",
            "INSERT INTO json SELECT 2, json_group_array('element ' || id) FROM t",
            "CREATE VIEW v AS SELECT * FROM t",
            "COMMIT");
      }
    }
    url =
        "jdbc:faiss:model='inline:{\"version\": \"1.0\", \"defaultSchema\": \"a\", \"schemas\": ["
            + schema("a")
            + ", "
            + schema("b")
            + "]}'";
  }

  private static String schema(String name) {
    return String.format(
        Locale.ROOT,
        "{\"name\": \"%s\", \"type\": \"custom\", \"factory\":"
            + " \"io.github.calcitefaiss.FaissSchemaFactory\", \"operand\": {\"database\": \"%s\"}}",
        name,
        folder.resolve(name + ".db").toString().replace("\\", "/"));
  }

  private static String numbers(int count, String format) {
    return IntStream.range(0, count)
        .mapToObj(i -> String.format(Locale.ROOT, format, i))
        .collect(Collectors.joining(", "));
  }

  static Stream<Arguments> statements() {
    String only = System.getProperty("faults.only", "");
    return allStatements().filter(each -> each.get()[0].toString().contains(only));
  }

  private static Stream<Arguments> allStatements() {
    String query = "(SELECT embedding FROM few WHERE id = 7)";
    return Stream.of(
        arguments(
            "kernel search, a lateral join of searches",
            "SELECT COUNT(*) FROM t AS q, LATERAL TABLE(faiss_neighbors('a', 't', q.embedding, 50))"
                + " AS n"),
        arguments(
            "kernel search, one large k for each row",
            "SELECT faiss_search('a', 't', embedding, 50000) FROM few"),
        arguments(
            "index load",
            "SELECT faiss_search('a', 'v', " + query + ", 3) || faiss_refresh('a', 'v') FROM few"),
        arguments("plain scan", "SELECT * FROM t"),
        arguments(
            "scan and filter", "SELECT COUNT(*) FROM t AS x WHERE vector_norm(embedding) < 0"),
        arguments(
            "sort", "SELECT * FROM t AS x ORDER BY vector_norm(embedding) + id, embedding, name"),
        arguments(
            "sort of a union",
            "SELECT name || n AS c, embedding FROM (SELECT * FROM a.t UNION ALL SELECT * FROM b.t)"
                + " AS x ORDER BY c DESC"),
        arguments(
            "aggregate",
            "SELECT name || n, COUNT(*), MAX(vector_norm(embedding)) FROM (SELECT * FROM a.t UNION"
                + " ALL SELECT * FROM b.t) AS x GROUP BY name || n"),
        arguments(
            "distinct aggregate",
            "SELECT n, COUNT(DISTINCT name || id) FROM (SELECT * FROM a.t UNION ALL SELECT * FROM"
                + " b.t) AS x GROUP BY n"),
        arguments(
            "hash join with a residual",
            "SELECT COUNT(*) FROM a.t AS x JOIN b.t AS y ON x.n = y.n AND x.id + y.id < 0"),
        arguments(
            "hash join with a residual, left",
            "SELECT COUNT(*) FROM a.t AS x LEFT JOIN b.t AS y ON x.n = y.n AND x.id * y.id < 0"),
        arguments(
            "hash join of one key",
            "SELECT COUNT(*) FROM a.t AS x JOIN b.t AS y ON MOD(x.id, 1) = MOD(y.id, 1)"
                + " AND x.name || y.name = ''"),
        arguments("hash join", "SELECT x.name, y.name FROM a.t AS x JOIN b.t AS y ON x.id = y.id"),
        arguments(
            "nested loop join",
            "SELECT COUNT(*) FROM a.t AS x JOIN b.t AS y ON x.id < y.n AND x.name || y.name = ''"),
        arguments(
            "nested loop, left",
            "SELECT COUNT(*) FROM a.few AS x LEFT JOIN b.t AS y ON x.name > y.name || 'z'"),
        arguments(
            "merge or semi join",
            "SELECT COUNT(*) FROM a.t WHERE EXISTS (SELECT 1 FROM b.t AS y WHERE y.n = a.t.n AND"
                + " y.id + a.t.id < 0)"),
        arguments(
            "lateral join",
            "SELECT COUNT(*) FROM a.t AS x, LATERAL (SELECT y.id FROM b.t AS y WHERE y.n > x.n"
                + " ORDER BY vector_norm(y.embedding) LIMIT 1) AS z"),
        arguments(
            "window",
            "SELECT SUM(id) OVER (ORDER BY id ROWS BETWEEN 90000 PRECEDING AND 5 FOLLOWING),"
                + " MAX(id) OVER (ORDER BY id ROWS BETWEEN 50000 PRECEDING AND 50000 FOLLOWING)"
                + " FROM t"),
        arguments(
            "window by partition",
            "SELECT RANK() OVER (PARTITION BY n ORDER BY name || id), COUNT(*) OVER (ORDER BY"
                + " name) FROM t"),
        arguments(
            "IN list, planning",
            "SELECT COUNT(*) FROM t WHERE id IN (" + numbers(4000, "%d") + ")"),
        arguments(
            "IN list, of expressions",
            "SELECT COUNT(*) FROM t WHERE name || '' IN (" + numbers(3000, "'row %d'") + ")"),
        arguments("values, planning", "SELECT * FROM (VALUES " + numbers(1000, "(%d, 'x')") + ")"),
        arguments(
            "joins, planning",
            "SELECT COUNT(*) FROM "
                + IntStream.range(0, 12)
                    .mapToObj(i -> (i % 2 == 0 ? "a.few" : "b.few") + " AS j" + i)
                    .collect(Collectors.joining(", "))
                + " WHERE "
                + IntStream.range(1, 12)
                    .mapToObj(i -> "j" + (i - 1) + ".id = j" + i + ".id")
                    .collect(Collectors.joining(" AND "))),
        arguments(
            "expressions, planning",
            "SELECT " + numbers(3000, "CASE WHEN id = %d THEN name ELSE NULL END") + " FROM few"),
        arguments(
            "or, planning",
            "SELECT COUNT(*) FROM few WHERE "
                + IntStream.range(0, 600)
                    .mapToObj(i -> "id > " + i + " AND n < " + (i + 9))
                    .collect(Collectors.joining(" OR "))),
        arguments(
            "union all, planning",
            IntStream.range(0, 150)
                .mapToObj(i -> "SELECT id + " + i + " FROM few")
                .collect(Collectors.joining(" UNION ALL "))),
        arguments(
            "json_each of 10 MB",
            "SELECT COUNT(*) FROM json, json_each(json.value) AS e WHERE e.atom IS NULL"),
        arguments(
            "json of 10 MB encoded",
            "SELECT COUNT(faiss_encode(value)) FROM few, (SELECT value FROM json WHERE id = 1) AS"
                + " j WHERE few.id + CHAR_LENGTH(value) > 0"),
        arguments(
            "recursive query",
            "WITH RECURSIVE r (n) AS (SELECT id FROM few UNION ALL SELECT n + 1 FROM r)"
                + " SELECT COUNT(*) FROM r"),
        arguments(
            "recursive query, inside SQLite",
            "WITH RECURSIVE r (n) AS (VALUES 1 UNION SELECT n + 1 FROM r) SELECT COUNT(*) FROM r"),
        arguments(
            "faiss_agg",
            "SELECT faiss_agg(x.id, x.embedding, f.embedding, 10) FROM a.t AS x, (SELECT embedding"
                + " FROM b.few WHERE id = 7) AS f GROUP BY MOD(x.n, 2)"),
        arguments(
            "faiss_agg, large k",
            "SELECT faiss_agg(x.id, x.embedding, f.embedding, 100000) FROM (SELECT * FROM a.t UNION"
                + " ALL SELECT * FROM b.t) AS x, (SELECT embedding FROM b.few WHERE id = 7) AS f"),
        arguments(
            "set operations",
            "SELECT id, name FROM a.t UNION SELECT id, name FROM b.t EXCEPT SELECT n, name FROM"
                + " a.t"));
  }

  private record Latency(long nanos, boolean answered, String where) {}

  @ParameterizedTest(name = "{0}")
  @MethodSource("statements")
  void cancelled(String name, String sql) throws Exception {
    Random random = new Random(Long.getLong("seed", 1));
    List<Latency> all = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url)) {
      for (int i = 0; i < TRIES; i++) {
        try (Statement statement = connection.createStatement()) {
          // Another text each time, so that it is planned each time.
          String other = sql + " ".repeat(i);
          all.add(cancel(statement, other, (long) (random.nextDouble() * LONGEST_DELAY)));
        }
      }
      say("cancel", name, all);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("statements")
  void timedOut(String name, String sql) throws Exception {
    List<Latency> all = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (int i = 0; i < Math.max(1, TRIES / 10); i++) {
        statement.setQueryTimeout(1);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        all.add(awaitEnd(new Asking(statement, sql), end, "HYT00"));
      }
      say("timeout", name, all);
    }
  }

  @ParameterizedTest
  @MethodSource("waits")
  void cancelledWhileAWriterHoldsTheFile(String sql) throws Exception {
    Random random = new Random(Long.getLong("seed", 1));
    List<Latency> all = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url);
        Connection writer = sqlite(folder.resolve("a.db"))) {
      execute(writer, "BEGIN EXCLUSIVE");
      for (int i = 0; i < TRIES; i++) {
        try (Statement statement = connection.createStatement()) {
          all.add(cancel(statement, sql, random.nextInt(200_000_000)));
        }
      }
      execute(writer, "ROLLBACK");
      say("cancel", "a writer's lock", all);
    }
  }

  static Stream<String> waits() {
    return Stream.of("SELECT COUNT(*) FROM t", "SELECT faiss_search('a', 't', X'00', 1) FROM t");
  }

  private static Latency cancel(Statement statement, String sql, long delay) throws Exception {
    Asking asking = new Asking(statement, sql);
    LockSupport.parkNanos(delay);
    long start = System.nanoTime();
    statement.cancel();
    return awaitEnd(asking, start, "HY008");
  }

  /** Waits for a statement's end, which should come soon after a point in time. */
  private static Latency awaitEnd(Asking asking, long start, String state) throws Exception {
    TimeUnit.NANOSECONDS.timedJoin(
        asking.thread, Math.max(1, start + PROMISED - System.nanoTime()));
    String where = "";
    if (asking.thread.isAlive()) {
      where =
          Stream.of(asking.thread.getStackTrace())
              .limit(25)
              .map(frame -> "\n    " + frame)
              .collect(Collectors.joining());
    }
    asking.thread.join(TimeUnit.NANOSECONDS.toMillis(NEVER) * 6);
    long nanos = System.nanoTime() - start;
    try {
      asking.get();
      return new Latency(nanos, true, where);
    } catch (SQLException e) {
      assertEquals(state, e.getSQLState(), e.toString());
      return new Latency(nanos, false, where);
    }
  }

  private static void say(String what, String name, List<Latency> all) {
    List<Long> ended = new ArrayList<>();
    StringBuilder where = new StringBuilder();
    for (Latency latency : all) {
      if (!latency.answered()) {
        ended.add(latency.nanos() / 1_000_000);
      }
      where.append(latency.where().isEmpty() ? "" : "\n  " + latency.nanos() / 1_000_000 + " ms:");
      where.append(latency.where());
    }
    Collections.sort(ended);
    LOGGER.warn(
        "{} | {} | {} ended, median {} ms, 90% {} ms, longest {} ms | {} answered before{}",
        what,
        name,
        ended.size(),
        ended.isEmpty() ? "-" : ended.get(ended.size() / 2),
        ended.isEmpty() ? "-" : ended.get(ended.size() * 9 / 10),
        ended.isEmpty() ? "-" : ended.get(ended.size() - 1),
        all.size() - ended.size(),
        where);
    assertTrue(
        ended.isEmpty() || ended.get(ended.size() - 1) < NEVER / 1_000_000,
        name + " doesn't look at the cancel flag: " + ended + where);
  }
}
