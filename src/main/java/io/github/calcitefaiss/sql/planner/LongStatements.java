/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.StatementRun;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Long statements take turns in being prepared: one takes some hundred times its length in memory
 * meanwhile, and many at once would take every core and the whole heap.
 */
public final class LongStatements {
  /** How long a wait for a turn lasts between two looks at the cancel flag. */
  private static final long LOOK_MILLIS = 20;

  /** What the preparation of a long statement holds. */
  private static final Semaphore PREPARING = new Semaphore(1);

  /**
   * What Calcite's work on one holds. It goes on for a while when nobody waits for it any more,
   * which must not keep others from being prepared by SQLite.
   */
  private static final Semaphore PLANNING = new Semaphore(1);

  /**
   * What a character may need of the heap. By measure, lists of IN took Calcite 170 bytes each, and
   * a text of parentheses 350 before Calcite saw it.
   */
  private static final int HEAP_BYTES_PER_CHARACTER = 400;

  private LongStatements() {}

  /**
   * Waits for a statement's turn to be prepared; a short one needs none.
   *
   * @return to be run once, when it is prepared
   * @throws java.util.concurrent.CancellationException if the run was stopped meanwhile
   * @throws FaissException if the heap has no room for one of its length
   */
  public static Runnable beginPreparing(String sql, StatementRun run) throws FaissException {
    long most = Runtime.getRuntime().maxMemory() / HEAP_BYTES_PER_CHARACTER;
    if (sql.length() > Math.max(most, PlanCache.LONGEST_TEXT)) {
      throw new FaissException(
          SqlState.MEMORY,
          "The statement has "
              + sql.length()
              + " characters; a heap of "
              + (Runtime.getRuntime().maxMemory() >> 20)
              + " MB has room for one of "
              + most
              + "; put long lists of values into a table, or raise the heap with -Xmx");
    }
    return begin(PREPARING, sql, run);
  }

  /** As {@link #beginPreparing}, for the part that is Calcite's. */
  static Runnable beginPlanning(String sql, StatementRun run) {
    return begin(PLANNING, sql, run);
  }

  private static Runnable begin(Semaphore one, String sql, StatementRun run) {
    if (sql.length() <= PlanCache.LONGEST_TEXT) {
      return () -> {};
    }
    boolean interrupted = false;
    try {
      while (true) {
        try {
          if (one.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            return one::release;
          }
        } catch (InterruptedException e) {
          // As elsewhere in the driver, an interrupt doesn't end a statement.
          interrupted = true;
        }
        run.check();
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
