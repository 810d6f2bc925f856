/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Plans statements on threads of its own, so that a cancel need not wait for the planner.
 *
 * <p>Calcite's planner looks at the cancel flag while it tries rules, but not while a statement is
 * parsed, validated, converted, or made into a class, any of which takes seconds if its text is
 * long. Whoever is cancelled leaves; the planner goes on until it looks at the flag, and what it
 * made is dropped.
 */
final class Planning {
  private static final long LOOK_MILLIS = 20;

  private static final ThreadPoolExecutor THREADS = threads();

  private Planning() {}

  private static ThreadPoolExecutor threads() {
    return new ThreadPoolExecutor(
        0,
        Integer.MAX_VALUE,
        5,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> {
          Thread thread = new Thread(task, "calcite-faiss-planner");
          thread.setDaemon(true);
          // Not that of whoever happens to be first, which it would keep from being unloaded.
          thread.setContextClassLoader(null);
          return thread;
        });
  }

  /**
   * Calls for a run, and waits until the call has ended or the run is cancelled.
   *
   * @throws CancellationException if the run was cancelled; the call may still go on
   * @throws Throwable what the call threw
   */
  static <T> T call(StatementRun run, Callable<T> planning) throws Throwable {
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              Thread.currentThread().setContextClassLoader(loader);
              try {
                return run.within(planning);
              } finally {
                Thread.currentThread().setContextClassLoader(null);
              }
            });
    THREADS.execute(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          if (run.flag().get()) {
            throw new CancellationException();
          }
        } catch (InterruptedException e) {
          // As elsewhere in the driver, an interrupt doesn't end a statement.
          interrupted = true;
        } catch (ExecutionException e) {
          throw e.getCause();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
