/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.index.Seeds;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What one thread runs, another one closes: it ends, as by a cancel. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CloseFromElsewhereTest {
  private static final String ENDLESS =
      "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r";

  /** Rows at once, and no end of them. */
  private static final String ONE_ROW = "select a.id from t a, t b, t c";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "auto, statement, false",
    "off, statement, false",
    "auto, connection, false",
    "off, connection, false",
    "auto, statement, true",
    "off, statement, true",
    "auto, connection, true",
    "off, connection, true",
    "auto, result, true",
    "off, result, true",
    "auto, abort, false",
    "off, abort, false",
  })
  void whatRunsEnds(String way, String closed, boolean afterARow) throws Exception {
    Path file =
        TestDatabase.write(
            folder.resolve("a.db"),
            "CREATE TABLE t (id INTEGER)",
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 20000)"
                + " INSERT INTO t SELECT n FROM r");
    Connection connection =
        way.equals("off") ? TestDatabase.connectPlanned(file) : TestDatabase.connect(file);
    try (connection) {
      Statement statement = connection.createStatement();
      AtomicReference<Throwable> ended = new AtomicReference<>();
      AtomicReference<ResultSet> result = new AtomicReference<>();
      CountDownLatch begun = new CountDownLatch(1);
      Thread runner =
          new Thread(
              () -> {
                try {
                  if (!afterARow) {
                    begun.countDown();
                  }
                  ResultSet rows = statement.executeQuery(afterARow ? ONE_ROW : ENDLESS);
                  result.set(rows);
                  while (rows.next()) {
                    begun.countDown();
                  }
                } catch (Throwable t) {
                  ended.set(t);
                }
              });
      runner.start();
      assertTrue(begun.await(30, TimeUnit.SECONDS));
      // Whatever it is doing by then, planning or computing.
      Thread.sleep(afterARow ? 100 : 300);
      assertTrue(runner.isAlive(), () -> "it ended by itself: " + ended.get());
      switch (closed) {
        case "statement":
          statement.close();
          break;
        case "result":
          result.get().close();
          break;
        case "abort":
          connection.abort(Runnable::run);
          break;
        default:
          connection.close();
          break;
      }
      runner.join(20_000);
      assertFalse(runner.isAlive(), "it goes on");
      assertNotNull(ended.get());
      SQLException e = (SQLException) ended.get();
      // Between two rows there is nothing to cancel.
      boolean closedBetween = afterARow && e.getMessage().endsWith(" is closed");
      assertTrue(closedBetween || e.getSQLState().equals("HY008"), e.toString());
      assertTrue(closedBetween || e.getMessage().equals("The statement was cancelled"), e + "");
    }
  }

  /** At any moment, between two rows or in the middle of one; what it held is given back. */
  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void atAnyMoment(String way) throws Exception {
    Path file =
        TestDatabase.write(
            folder.resolve("a.db"),
            "CREATE TABLE t (id INTEGER)",
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 20000)"
                + " INSERT INTO t SELECT n FROM r");
    Random random = Seeds.random("CloseFromElsewhereTest");
    try (Connection connection =
        way.equals("off") ? TestDatabase.connectPlanned(file) : TestDatabase.connect(file)) {
      for (int i = 0; i < 150; i++) {
        Statement statement = connection.createStatement();
        AtomicReference<Throwable> ended = new AtomicReference<>();
        AtomicReference<ResultSet> result = new AtomicReference<>();
        CountDownLatch begun = new CountDownLatch(random.nextInt(3));
        Thread runner =
            new Thread(
                () -> {
                  try (ResultSet rows = statement.executeQuery(ONE_ROW)) {
                    result.set(rows);
                    while (rows.next()) {
                      begun.countDown();
                    }
                  } catch (Throwable t) {
                    ended.set(t);
                  }
                });
        runner.start();
        assertTrue(begun.await(30, TimeUnit.SECONDS));
        long until = System.nanoTime() + random.nextInt(2_000_000);
        while (System.nanoTime() < until) {
          Thread.onSpinWait();
        }
        ResultSet rows = result.get();
        if (rows != null && random.nextBoolean()) {
          rows.close();
        } else {
          statement.close();
        }
        runner.join(20_000);
        assertFalse(runner.isAlive(), "it goes on");
        assertTrue(ended.get() instanceof SQLException, () -> "as if at the end: " + ended.get());
        statement.close();
      }
    }
  }
}
