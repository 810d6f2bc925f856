/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting for what other threads do. */
final class Threads {
  private static final long LONGEST_NANOS = 60_000_000_000L;

  private Threads() {}

  /** Waits until something is so, and fails if it isn't after a minute. */
  static void await(String what, BooleanSupplier condition) {
    await(what, 0, condition);
  }

  /** Waits until something is so, and fails if it isn't a minute after so many seconds. */
  static void await(String what, int seconds, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > LONGEST_NANOS + seconds * 1_000_000_000L) {
        throw new AssertionError("waited in vain: " + what);
      }
      LockSupport.parkNanos(100_000);
    }
  }

  /** Waits until a thread is inside a method, which isn't one of a test's. */
  static void awaitIn(Thread thread, String method) {
    await(
        thread + " in " + method,
        () -> {
          for (StackTraceElement frame : thread.getStackTrace()) {
            if (frame.getMethodName().equals(method)
                && !frame.getClassName().startsWith("io.github.calcitefaiss.faults.")) {
              return true;
            }
          }
          return false;
        });
  }

  /** Waits until no snapshot is held: loads without a taker end a moment after their statement. */
  static void awaitNothingLent() {
    await("snapshots are given back", () -> SqliteDatabase.lent() == 0);
  }

  /** A query in a thread of its own. */
  static final class Asking {
    final Statement statement;
    final Thread thread;
    private final FutureTask<String> answer;

    Asking(Statement statement, String sql) {
      this.statement = statement;
      Callable<String> ask =
          () -> {
            try (ResultSet rows = statement.executeQuery(sql)) {
              String last = null;
              while (rows.next()) {
                last = rows.getString(1);
              }
              return last;
            }
          };
      answer = new FutureTask<>(ask);
      thread = new Thread(answer, "asking");
      thread.setDaemon(true);
      thread.start();
    }

    String get() throws SQLException, InterruptedException {
      try {
        return answer.get();
      } catch (java.util.concurrent.ExecutionException e) {
        if (e.getCause() instanceof SQLException sql) {
          throw sql;
        }
        throw new AssertionError(e.getCause());
      }
    }

    /** Asserts that it ends with an error of a SQLSTATE. */
    void fails(String state) throws InterruptedException {
      try {
        throw new AssertionError("an answer: " + get());
      } catch (SQLException e) {
        assertEquals(state, e.getSQLState(), e.toString());
      }
    }
  }
}
