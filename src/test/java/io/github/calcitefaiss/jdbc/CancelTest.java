/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.calcitefaiss.Toy;
import io.github.calcitefaiss.ToySchemaFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A statement ends soon after a cancel or its timeout, whatever it is busy with, and can run again.
 *
 * <p>Each statement here would run for minutes or for ever.
 */
@Timeout(value = 40, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CancelTest {
  private static final String LONG_WINDOW =
      "SELECT MAX(s) FROM (SELECT MAX(id) OVER (ORDER BY id"
          + " ROWS BETWEEN 90000 PRECEDING AND 90000 FOLLOWING) AS s FROM numbers)";

  /** Runs a statement while another thread, once told, cancels it until it ended. */
  private static SQLException cancelled(Statement statement, BooleanSupplier when, Run run)
      throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    Thread canceller =
        new Thread(
            () -> {
              while (!done.get()) {
                Thread.onSpinWait();
                if (when.getAsBoolean()) {
                  try {
                    statement.cancel();
                  } catch (SQLException e) {
                    throw new AssertionError(e);
                  }
                }
              }
            });
    canceller.start();
    try {
      return assertThrows(SQLException.class, run::go);
    } finally {
      done.set(true);
      canceller.join();
    }
  }

  @FunctionalInterface
  private interface Run {
    void go() throws SQLException;
  }

  private static void readAll(ResultSet rows) throws SQLException {
    while (rows.next()) {
      rows.getObject(1);
    }
  }

  private static void assertUsable(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      assertUsable(statement);
    }
  }

  private static void assertUsable(Statement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM docs")) {
      assertTrue(rows.next());
      assertEquals(3, rows.getLong(1));
    }
  }

  /** Statements, and how many rows they read before they are deep in the operator. */
  static Stream<Arguments> endless() {
    return Stream.of(
        // nested loop, in the inner table
        arguments(150_000, "SELECT COUNT(*) FROM numbers a, numbers b"),
        arguments(150_000, "SELECT COUNT(*) FROM numbers a JOIN numbers b ON a.id > b.id"),
        // hash join, both sides read: one key for all, and a condition that no pair meets
        arguments(
            200_000,
            "SELECT COUNT(*) FROM numbers a JOIN numbers b ON MOD(a.id, 1) = MOD(b.id, 1)"),
        arguments(
            200_000,
            "SELECT COUNT(*) FROM numbers a LEFT JOIN numbers b"
                + " ON MOD(a.id, 1) = MOD(b.id, 1) AND a.id + b.id < 0"),
        // sort, aggregate, set operations over the product
        arguments(150_000, "SELECT a.id FROM numbers a, numbers b ORDER BY a.id + b.id"),
        arguments(
            150_000, "SELECT a.id + b.id, COUNT(*) FROM numbers a, numbers b GROUP BY a.id + b.id"),
        arguments(150_000, "SELECT DISTINCT a.id - b.id FROM numbers a, numbers b"),
        arguments(150_000, "SELECT a.id FROM numbers a, numbers b EXCEPT SELECT id FROM numbers"),
        arguments(
            150_000,
            "SELECT id FROM numbers WHERE id IN (SELECT a.id + b.id FROM numbers a, numbers b)"),
        // a window's frames, all rows read
        arguments(100_000, LONG_WINDOW),
        // a lateral subquery, run for each row
        arguments(
            100_001,
            "SELECT COUNT(*) FROM numbers a, LATERAL (SELECT b.id FROM numbers b"
                + " WHERE b.id > a.id ORDER BY b.id LIMIT 1) t WHERE t.id < 0"),
        arguments(
            0,
            "WITH RECURSIVE r(n) AS (VALUES 1 UNION ALL SELECT n FROM r) SELECT COUNT(*) FROM r"));
  }

  @ParameterizedTest
  @MethodSource("endless")
  void cancelEndsAnyOperator(int rowsRead, String sql) throws Exception {
    try (Connection connection = Toy.connect();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      ToySchemaFactory.NUMBERS_READ.set(0);
      SQLException e =
          cancelled(
              statement,
              () -> ToySchemaFactory.NUMBERS_READ.get() >= rowsRead,
              () -> readAll(statement.executeQuery()));
      assertEquals("HY008", e.getSQLState(), e.toString());
      assertEquals("The statement was cancelled", e.getMessage());
      assertUsable(connection);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"SELECT COUNT(*) FROM numbers a, numbers b", LONG_WINDOW})
  void timeoutEndsAnyOperator(String sql) throws Exception {
    try (Connection connection = Toy.connect();
        Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      SQLException e = assertThrows(SQLException.class, () -> readAll(statement.executeQuery(sql)));
      assertInstanceOf(SQLTimeoutException.class, e);
      assertEquals("HYT00", e.getSQLState());
      assertEquals("The statement was ended by its timeout of 1000 ms", e.getMessage());
      assertUsable(statement);
    }
  }

  @Test
  void cancelAndTimeoutDontWaitForThePlanner() throws Exception {
    CountDownLatch released = new CountDownLatch(1);
    ToySchemaFactory.STUCK.set(released);
    try (Connection connection = Toy.connect();
        Statement statement = connection.createStatement()) {
      Run run = () -> readAll(statement.executeQuery("SELECT id FROM stuck"));
      statement.setQueryTimeout(1);
      assertEquals("HYT00", assertThrows(SQLException.class, run::go).getSQLState());
      statement.setQueryTimeout(0);
      SQLException e = cancelled(statement, () -> true, run);
      assertEquals("HY008", e.getSQLState(), e.toString());
      assertUsable(statement);
    } finally {
      released.countDown();
    }
  }

  @Test
  void whatRunsInsideSqliteToo() throws Exception {
    try (Connection connection =
            DriverManager.getConnection("jdbc:faiss:src/test/resources/conformance/corpus.db");
        Statement statement = connection.createStatement()) {
      String sql =
          "SELECT COUNT(*) FROM embeddings a, embeddings b, embeddings c, embeddings d"
              + " WHERE a.id + b.id + c.id + d.id < 0";
      SQLException e = cancelled(statement, () -> true, () -> readAll(statement.executeQuery(sql)));
      assertEquals("HY008", e.getSQLState(), e.toString());
      statement.setQueryTimeout(1);
      SQLException late =
          assertThrows(SQLException.class, () -> readAll(statement.executeQuery(sql)));
      assertEquals("HYT00", late.getSQLState(), late.toString());
      statement.setQueryTimeout(0);
      readAll(statement.executeQuery("SELECT COUNT(*) FROM embeddings"));
    }
  }

  @Test
  void preparedStatementRunsAgainAfterCancelAndTimeout() throws Exception {
    try (Connection connection = Toy.connect();
        PreparedStatement statement =
            connection.prepareStatement(
                "SELECT COUNT(*) FROM numbers a, numbers b WHERE a.id < ? AND b.id < ?")) {
      statement.setLong(1, Long.MAX_VALUE);
      statement.setLong(2, Long.MAX_VALUE);
      SQLException e = cancelled(statement, () -> true, () -> readAll(statement.executeQuery()));
      assertEquals("HY008", e.getSQLState());
      statement.setQueryTimeout(1);
      SQLException late = assertThrows(SQLException.class, () -> readAll(statement.executeQuery()));
      assertEquals("HYT00", late.getSQLState());
      statement.setLong(1, 1);
      statement.setLong(2, 1);
      try (ResultSet rows = statement.executeQuery()) {
        assertTrue(rows.next());
        assertEquals(1, rows.getLong(1));
      }
    }
  }

  @Test
  void cancelBetweenRowsEndsTheResult() throws SQLException {
    try (Connection connection = Toy.connect();
        Statement statement = connection.createStatement()) {
      ResultSet rows = statement.executeQuery("SELECT id FROM numbers");
      assertTrue(rows.next());
      statement.cancel();
      assertEquals("HY008", assertThrows(SQLException.class, rows::next).getSQLState());
      assertUsable(statement);
    }
  }

  @Test
  void cancelWithNothingRunningHasNoEffect() throws SQLException {
    try (Connection connection = Toy.connect();
        Statement statement = connection.createStatement()) {
      statement.cancel();
      assertUsable(statement);
      statement.cancel();
      assertUsable(statement);
    }
  }

  @Test
  void closingTheConnectionByAbortEndsWhatRuns() throws Exception {
    try (Connection connection = Toy.connect();
        Statement statement = connection.createStatement()) {
      ResultSet rows = statement.executeQuery("SELECT a.id FROM numbers a, numbers b");
      assertTrue(rows.next());
      Thread aborter =
          new Thread(
              () -> {
                try {
                  connection.abort(Runnable::run);
                } catch (SQLException e) {
                  throw new AssertionError(e);
                }
              });
      aborter.start();
      SQLException e = assertThrows(SQLException.class, () -> readAll(rows));
      aborter.join();
      assertTrue(connection.isClosed());
      assertEquals("HY008", e.getSQLState(), e.toString());
    }
  }
}
