/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.Daemons;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Work that is waited for with an eye on a checkpoint, and left behind when that throws. */
final class Waiting {
  private static final long LOOK_MILLIS = 5;

  private Waiting() {}

  /** The work's time is up. */
  static final class TooLong extends Exception {
    private TooLong() {}
  }

  /**
   * Runs work on a thread of its own, which is interrupted when nobody waits any more.
   *
   * @param millis for how long to wait
   * @throws ExecutionException with what the work threw
   */
  static <T> T on(Callable<T> work, long millis, Checkpoint watch)
      throws ExecutionException, TooLong {
    FutureTask<T> task = new FutureTask<>(work);
    Daemons.thread("calcite-faiss-embed", task).start();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    boolean over = false;
    try {
      while (true) {
        watch.check();
        try {
          T result = task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
          over = true;
          return result;
        } catch (TimeoutException e) {
          if (System.nanoTime() - end >= 0) {
            throw new TooLong();
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new ExecutionException(e);
        }
      }
    } finally {
      if (!over) {
        task.cancel(true);
      }
    }
  }

  /** Waits for a time, unless the checkpoint throws. */
  static void pause(long millis, Checkpoint watch) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (true) {
      watch.check();
      long left = end - System.nanoTime();
      if (left <= 0) {
        return;
      }
      try {
        TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
