/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.commit;
import static io.github.calcitefaiss.faults.VersionedDatabase.create;
import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.faiss;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static io.github.calcitefaiss.faults.VersionedDatabase.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.faults.Threads.Asking;
import io.github.calcitefaiss.faults.VersionedDatabase.Way;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Waiting for writers, being waited for, and never for ever. */
class LockTest {
  private static final String SEARCH =
      "SELECT faiss_search('v', 'docs', X'0000000000000000', 1) FROM (VALUES 1) AS t";

  @TempDir Path folder;

  private Path database(String mode) throws SQLException {
    Path file = folder.resolve("v.db");
    create(file, mode, 1);
    return file;
  }

  private static void lock(Connection writer, String mode) throws SQLException {
    if (mode.equals("WAL")) {
      execute(writer, "PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE");
      execute(writer, "UPDATE docs SET v = v");
    } else {
      execute(writer, "BEGIN EXCLUSIVE");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"DELETE", "WAL"})
  void aLockedFileIsAClearErrorAndTheNextQueryWorks(String mode) throws SQLException {
    Path file = database(mode);
    try (Connection writer = sqlite(file)) {
      lock(writer, mode);
      SQLException e =
          assertThrows(SQLException.class, () -> faiss(file, "busyTimeout=30").close());
      assertTrue(
          e.getMessage().contains(file + " is locked by a writer for more than 30 ms"), e + "");
    }
    try (Connection connection = faiss(file, "busyTimeout=30")) {
      try (PreparedStatement prepared = Way.SEARCH.prepare(connection)) {
        assertEquals(1, Way.SEARCH.ask(prepared));
        if (mode.equals("DELETE")) {
          try (Connection writer = sqlite(file)) {
            lock(writer, mode);
            for (Way way : Way.values()) {
              SQLException e = assertThrows(SQLException.class, () -> way.ask(connection));
              assertTrue(e.getMessage().contains("is locked by a writer"), e.toString());
              assertEquals("08006", e.getSQLState());
            }
            assertThrows(SQLException.class, () -> Way.SEARCH.ask(prepared));
          }
        }
        assertEquals(1, Way.SEARCH.ask(prepared));
        assertEquals(1, Way.JOIN.ask(connection));
      }
    }
  }

  /** A writer in another process doesn't hinder this: SQLite shares a lock within a process. */
  @Test
  void anOpenResultThatAWriterInThisProcessWaitsForIsNamed() throws Exception {
    Path file = database("DELETE");
    try (Connection writer = sqlite(file);
        Connection connection = faiss(file, "busyTimeout=30");
        Statement reader = connection.createStatement()) {
      ResultSet open = reader.executeQuery("SELECT id FROM docs");
      assertTrue(open.next());
      Thread waiting =
          new Thread(
              () -> {
                try {
                  commit(writer, 2);
                } catch (SQLException e) {
                  throw new AssertionError(e);
                }
              });
      waiting.start();
      Threads.await(
          "the writer waits",
          () -> {
            try (Statement statement = connection.createStatement()) {
              statement.executeQuery("SELECT v FROM docs").close();
              return false;
            } catch (SQLException e) {
              assertTrue(e.getMessage().contains("close that first"), e.toString());
              return true;
            }
          });
      open.close();
      waiting.join();
      assertEquals(2, Way.SCAN.ask(connection));
    }
  }

  /**
   * What a writer leaves that is killed while it waits for a reader, without having synchronized:
   * its journal, which nobody can undo as long as that reader has its lock.
   */
  @Test
  void anOpenResultIsNamedThatADeadWritersTransactionCantBeUndoneFor() throws Exception {
    Path file = database("DELETE");
    Path copy = Files.copy(file, folder.resolve("copy.db"));
    try (Connection connection = faiss(file, "busyTimeout=30");
        Statement reader = connection.createStatement()) {
      ResultSet open = reader.executeQuery("SELECT id FROM docs");
      assertTrue(open.next());
      try (Connection writer = sqlite(copy)) {
        execute(writer, "PRAGMA synchronous = OFF", "BEGIN IMMEDIATE");
        write(writer, 2);
        Files.copy(folder.resolve("copy.db-journal"), folder.resolve("v.db-journal"));
        execute(writer, "ROLLBACK");
      }
      try (Statement statement = connection.createStatement()) {
        SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(SEARCH));
        assertEquals("08006", e.getSQLState());
        assertTrue(e.getMessage().contains("if its writer died"), e.toString());
        open.close();
        statement.executeQuery(SEARCH).close();
      }
      assertEquals(1, Way.SEARCH.ask(connection));
      assertFalse(Files.exists(folder.resolve("v.db-journal")));
    }
  }

  @Test
  void whoWaitsForAWriterIsCancelledTimedOutOrServed() throws Exception {
    Path file = database("DELETE");
    try (Connection writer = sqlite(file);
        Connection connection = faiss(file, "busyTimeout=600000");
        Statement statement = connection.createStatement()) {
      execute(writer, "BEGIN EXCLUSIVE");
      Asking cancelled = new Asking(statement, SEARCH);
      Threads.awaitIn(cancelled.thread, "patiently");
      statement.cancel();
      cancelled.fails("HY008");

      statement.setQueryTimeout(1);
      new Asking(statement, SEARCH).fails("HYT00");
      statement.setQueryTimeout(0);

      Asking served = new Asking(statement, SEARCH);
      Threads.awaitIn(served.thread, "patiently");
      execute(writer, "COMMIT");
      assertEquals("[1]", served.get());
    }
  }

  @Test
  void whoWaitsIsCancelledThoughOthersWaitForTheSameWriter() throws Exception {
    Path file = database("DELETE");
    try (Connection writer = sqlite(file);
        Connection connection = faiss(file, "busyTimeout=600000");
        Statement first = connection.createStatement();
        Statement second = connection.createStatement()) {
      execute(writer, "BEGIN EXCLUSIVE");
      Asking waiting = new Asking(first, SEARCH);
      Threads.awaitIn(waiting.thread, "patiently");
      Asking cancelled = new Asking(second, SEARCH);
      Threads.awaitIn(cancelled.thread, "executeQuery");
      second.cancel();
      cancelled.fails("HY008");
      assertTrue(waiting.thread.isAlive());
      execute(writer, "COMMIT");
      assertEquals("[1]", waiting.get());
    }
  }

  @Test
  void manyScansAreOpenAtOnceAndInsideEachOther() throws SQLException {
    Path file = database("WAL");
    try (Connection connection = faiss(file)) {
      List<ResultSet> open = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        ResultSet rows =
            connection.createStatement().executeQuery("SELECT id, v FROM docs WHERE id > " + i);
        rows.next();
        open.add(rows);
      }
      for (Way way : Way.values()) {
        assertEquals(1, way.ask(connection));
      }
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "SELECT count(*) FROM docs AS a WHERE EXISTS (SELECT 1 FROM docs AS b WHERE"
                      + " b.id = a.id AND l2_distance(a.embedding, b.embedding) = 0 AND"
                      + " b.id IN (SELECT c.id FROM docs AS c WHERE"
                      + " vector_norm(c.embedding) >= 0))")) {
        row.next();
        assertEquals(VersionedDatabase.rows(1), row.getInt(1));
      }
    }
    Threads.awaitNothingLent();
  }

  @ParameterizedTest
  @ValueSource(strings = {"DELETE", "WAL"})
  void hundredSessionsAndAWriter(String mode) throws Exception {
    Path file = database(mode);
    int sessions = 100;
    ExecutorService threads = Executors.newFixedThreadPool(sessions);
    AtomicInteger committed = new AtomicInteger(1);
    try (Connection writer = sqlite(file)) {
      List<Future<Integer>> answers = new ArrayList<>();
      for (int i = 0; i < sessions; i++) {
        Way way = Way.values()[i % Way.values().length];
        answers.add(
            threads.submit(
                () -> {
                  try (Connection connection = faiss(file, "busyTimeout=60000");
                      PreparedStatement prepared = way.prepare(connection)) {
                    int version = 0;
                    for (int n = 0; n < 3; n++) {
                      int atLeast = committed.get();
                      version = way.ask(prepared);
                      assertTrue(version >= atLeast, version + " < " + atLeast);
                    }
                    return version;
                  }
                }));
      }
      for (int version = 2; version < 12; version++) {
        commit(writer, version);
        committed.set(version);
      }
      for (Future<Integer> answer : answers) {
        answer.get();
      }
    } finally {
      threads.shutdown();
    }
    Threads.awaitNothingLent();
  }
}
