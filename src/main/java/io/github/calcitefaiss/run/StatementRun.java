/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import io.github.calcitefaiss.index.Daemons;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One execution of a statement: its cancel flag, its deadline, and why it was stopped.
 *
 * <p>Each execution has a flag of its own, so a statement whose last execution was cancelled can
 * run again. The timeout counts only time spent inside the driver: {@link #enter} to {@link
 * #leave}, not what the application does between two rows.
 */
public class StatementRun {
  private enum Stop {
    CANCELLED,
    TIMED_OUT
  }

  private static final ScheduledThreadPoolExecutor DEADLINES = deadlines();

  private final AtomicBoolean flag = new AtomicBoolean();
  private RunView view;
  private final long budgetNanos;
  private long spentNanos;
  private long enteredAt;
  private boolean inside;
  private ScheduledFuture<?> watch;
  private boolean finished;
  private boolean restarted;
  private volatile Stop stop;
  private volatile Thread within;

  /**
   * @param timeoutMillis how long the execution may take; 0 for no limit
   */
  public StatementRun(long timeoutMillis) {
    this.budgetNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
  }

  private static ScheduledThreadPoolExecutor deadlines() {
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(1, task -> Daemons.thread("calcite-faiss-deadlines", task));
    executor.setRemoveOnCancelPolicy(true);
    executor.setKeepAliveTime(1, TimeUnit.SECONDS);
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /** Throws if the execution was stopped. */
  public void check() {
    if (flag.get()) {
      throw new CancellationException();
    }
  }

  /** The flag that functions, scans and operators poll. */
  public AtomicBoolean flag() {
    return flag;
  }

  public long timeoutMillis() {
    return TimeUnit.NANOSECONDS.toMillis(budgetNanos);
  }

  /** Ends the execution, at its next look at the flag, as cancelled. */
  public void cancel() {
    stop(Stop.CANCELLED);
  }

  private synchronized void stop(Stop reason) {
    if (stop == null && !finished) {
      stop = reason;
      flag.set(true);
    }
  }

  /** Starts the clock, and refuses if the execution was stopped meanwhile. */
  public void enter() throws SQLException {
    within = Thread.currentThread();
    if (budgetNanos > 0) {
      synchronized (this) {
        enteredAt = System.nanoTime();
        inside = true;
        if (watch == null) {
          watchAfter(budgetNanos - spentNanos);
        }
      }
    }
    if (stop != null) {
      leave();
      throw stopped(null);
    }
  }

  /** Stops the clock. */
  public void leave() {
    within = null;
    if (budgetNanos > 0) {
      synchronized (this) {
        if (inside) {
          inside = false;
          spentNanos += System.nanoTime() - enteredAt;
        }
      }
    }
  }

  /** Whether another thread is inside, so that what the run holds can't be given up yet. */
  public boolean isWithinElsewhere() {
    Thread inside = within;
    return inside != null && inside != Thread.currentThread();
  }

  /** Ends the watch: from now on neither a cancel nor the deadline has an effect. */
  public void finish() {
    RunView ending;
    synchronized (this) {
      finished = true;
      if (watch != null) {
        watch.cancel(false);
      }
      ending = view();
    }
    ending.close();
  }

  /** Gives up what the execution read so far, so that it can begin anew while inside. */
  public void restart() {
    RunView ending;
    synchronized (this) {
      ending = view();
      view = new RunView(this);
      restarted = true;
    }
    ending.close();
  }

  /** Whether it began anew since its plan was made. */
  public boolean restarted() {
    return restarted;
  }

  /** What the run sees of the databases, since it began or began anew. */
  public synchronized RunView view() {
    if (view == null) {
      view = new RunView(this);
    }
    return view;
  }

  private void watchAfter(long nanos) {
    watch = DEADLINES.schedule(this::lookOrEnd, Math.max(nanos, 1), TimeUnit.NANOSECONDS);
  }

  /** Looks, and if even that can't be done for want of memory, ends the run. */
  private void lookOrEnd() {
    try {
      look();
    } catch (OutOfMemoryError e) {
      stop(Stop.TIMED_OUT);
    }
  }

  private synchronized void look() {
    if (finished || stop != null) {
      return;
    }
    if (!inside) {
      // The application is busy with a row: the next enter() starts the watch again.
      watch = null;
      return;
    }
    long left = budgetNanos - spentNanos - (System.nanoTime() - enteredAt);
    if (left <= 0) {
      stop(Stop.TIMED_OUT);
    } else {
      watchAfter(left);
    }
  }

  /**
   * The exception that a stopped execution ends with.
   *
   * @param cause what was thrown when it was noticed
   * @return null if the execution was not stopped
   */
  public SQLException stopped(Throwable cause) {
    if (stop == null) {
      return null;
    }
    return stop == Stop.TIMED_OUT
        ? new SQLTimeoutException(
            "The statement was ended by its timeout of " + timeoutMillis() + " ms",
            SqlState.TIMED_OUT,
            cause)
        : cancelled(cause);
  }

  static SQLException cancelled(Throwable cause) {
    return new SQLException("The statement was cancelled", SqlState.CANCELLED, cause);
  }
}
