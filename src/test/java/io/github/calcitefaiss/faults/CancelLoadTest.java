/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.faiss;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.faults.Threads.Asking;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A statement can be ended while its index is loaded or SQLite works for it, and used again. */
class CancelLoadTest {
  private static final int CANCELS = Integer.getInteger("faults.cancels", 60);
  private static final String SEARCH = "SELECT faiss_search('v', '%s', X'0000803f', 1)";

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void create() throws SQLException {
    file = folder.resolve("v.db");
    try (Connection writer = sqlite(file)) {
      String counted =
          "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 2000000000) ";
      execute(
          writer,
          "CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)",
          "INSERT INTO docs VALUES (7, X'0000803F')",
          // Rows without end.
          "CREATE VIEW rows_ AS " + counted + "SELECT i AS id, X'0000803F' AS embedding FROM c",
          // A first row that takes for ever.
          "CREATE VIEW step AS "
              + counted
              + "SELECT count(*) AS id, X'0000803F' AS embedding FROM c",
          // Some work: tens of milliseconds.
          "CREATE VIEW work AS WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
              + " LIMIT 50000) SELECT i AS id, X'0000803F' AS embedding FROM c");
    }
  }

  @Test
  void cancelAndTimeoutEndALoad() throws Exception {
    for (String view : new String[] {"rows_", "step"}) {
      try (Connection connection = faiss(file);
          Statement statement = connection.createStatement()) {
        Asking asking = new Asking(statement, String.format(Locale.ROOT, SEARCH, view));
        Threads.awaitIn(asking.thread, "await");
        statement.cancel();
        asking.fails("HY008");
        Threads.awaitNothingLent();
        statement.setQueryTimeout(1);
        new Asking(statement, String.format(Locale.ROOT, SEARCH, view)).fails("HYT00");
        Threads.awaitNothingLent();
        statement.setQueryTimeout(0);
        assertEquals(
            "[7]", new Asking(statement, String.format(Locale.ROOT, SEARCH, "docs")).get());
      }
    }
  }

  @Test
  void cancelAndTimeoutEndAScanInsideSqlite() throws Exception {
    for (String sql :
        new String[] {"SELECT id FROM step", "SELECT max(id) FROM rows_", "SELECT id FROM rows_"}) {
      try (Connection connection = faiss(file);
          Statement statement = connection.createStatement()) {
        Asking asking = new Asking(statement, sql);
        // One that has to compute its first row waits for it; one that doesn't goes through its
        // rows.
        Threads.awaitIn(asking.thread, sql.equals("SELECT id FROM rows_") ? "next" : "call");
        statement.cancel();
        asking.fails("HY008");
        statement.setQueryTimeout(1);
        new Asking(statement, sql).fails("HYT00");
        Threads.awaitNothingLent();
        statement.setQueryTimeout(0);
        assertEquals(
            "[7]", new Asking(statement, String.format(Locale.ROOT, SEARCH, "docs")).get());
      }
    }
  }

  @Test
  void whoWaitsForTheSameLoadGetsItThoughItsBeginnerLeft() throws Exception {
    try (Connection connection = faiss(file);
        Statement beginner = connection.createStatement();
        Statement other = connection.createStatement()) {
      Asking first = new Asking(beginner, String.format(Locale.ROOT, SEARCH, "rows_"));
      Threads.awaitIn(first.thread, "await");
      Asking second = new Asking(other, String.format(Locale.ROOT, SEARCH, "rows_"));
      Threads.awaitIn(second.thread, "await");
      beginner.cancel();
      first.fails("HY008");
      assertTrue(SqliteDatabase.lent() >= 1);
      assertEquals(Thread.State.TIMED_WAITING, waiting(second.thread));
      other.cancel();
      second.fails("HY008");
      Threads.awaitNothingLent();
    }
  }

  private static Thread.State waiting(Thread thread) {
    Threads.awaitIn(thread, "await");
    Threads.await("waits", () -> thread.getState() == Thread.State.TIMED_WAITING);
    return thread.getState();
  }

  /** {@code -Dfaults.cancels=10000} says how often. */
  @Test
  void cancelsAtAnyMoment() throws Exception {
    Random random = new Random(Long.getLong("seed", 1));
    String[] statements = {
      String.format(Locale.ROOT, SEARCH, "work"),
      "SELECT count(*) FROM work AS a WHERE l2_distance(a.embedding, X'00000000') > 0",
      "SELECT max(id) FROM work",
      // Sorted inside SQLite, which doesn't look at the flag meanwhile; also twice, for a join.
      "SELECT id FROM work ORDER BY embedding, id DESC",
      "SELECT count(*) FROM work AS a JOIN work AS b ON a.id = b.id AND"
          + " l2_distance(a.embedding, b.embedding) > 0",
      "SELECT a.id FROM work AS a ORDER BY vector_norm(a.embedding), a.id DESC",
      "SELECT n.id FROM docs AS d, LATERAL TABLE(faiss_neighbors('v', 'work', d.embedding, 10)) AS n"
    };
    int cancelled = 0;
    int answered = 0;
    try (Connection connection = faiss(file);
        Connection writer = sqlite(file)) {
      execute(writer, "PRAGMA busy_timeout = 60000");
      for (int i = 0; i < CANCELS; i++) {
        try (Statement statement = connection.createStatement()) {
          Asking asking = new Asking(statement, statements[random.nextInt(statements.length)]);
          java.util.concurrent.locks.LockSupport.parkNanos(random.nextInt(120_000_000));
          statement.cancel();
          try {
            asking.get();
            answered++;
          } catch (SQLException e) {
            assertEquals("HY008", e.getSQLState(), e.toString());
            cancelled++;
          }
          if (i % 10 == 0) {
            execute(writer, "UPDATE docs SET id = id");
            assertEquals(
                "[7]", new Asking(statement, String.format(Locale.ROOT, SEARCH, "docs")).get());
          }
        }
      }
    }
    Threads.awaitNothingLent();
    org.slf4j.LoggerFactory.getLogger(CancelLoadTest.class)
        .warn("{} cancels: {} ended, {} came too late", CANCELS, cancelled, answered);
  }
}
