/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.Daemons;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs what can't be interrupted on another thread, so that a cancelled caller need not wait for
 * it: Calcite while it parses or compiles, SQLite while it sorts.
 *
 * <p>A caller that leaves gets nothing of the call, which goes on to its end, with whatever it was
 * given; what is to be released then, the call's thread releases.
 */
public final class Detached {
  private static final long LOOK_MILLIS = 20;

  private static final ThreadPoolExecutor THREADS = threads();

  /** The call that a thread of these is in. */
  private static final ThreadLocal<Detached> CURRENT = new ThreadLocal<>();

  private boolean ended;
  private volatile boolean left;

  private Detached() {}

  private static ThreadPoolExecutor threads() {
    return new ThreadPoolExecutor(
        0,
        Integer.MAX_VALUE,
        5,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> {
          Thread thread = Daemons.thread("calcite-faiss-detached", task);
          // Not that of whoever happens to be first, which it would keep from being unloaded.
          thread.setContextClassLoader(null);
          return thread;
        });
  }

  /**
   * Calls, and waits until the call has ended or the checkpoint throws.
   *
   * @param onLeaving run before the checkpoint's exception is thrown, if the call still goes on
   * @param afterwards run when a call that was left has ended
   * @throws Throwable what the call or the checkpoint threw
   */
  public static <T> T call(
      Checkpoint checkpoint, Callable<T> call, Runnable onLeaving, Runnable afterwards)
      throws Throwable {
    Detached parting = new Detached();
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              Thread.currentThread().setContextClassLoader(loader);
              CURRENT.set(parting);
              try {
                return call.call();
              } finally {
                CURRENT.remove();
                Thread.currentThread().setContextClassLoader(null);
                if (parting.ended()) {
                  afterwards.run();
                }
              }
            });
    THREADS.execute(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          parting.leaveIf(checkpoint, onLeaving);
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

  /**
   * Ends a call whose caller has left, for work that knows no cancel flag.
   *
   * @throws CancellationException if nobody waits for what this thread does
   */
  public static void check() {
    Detached current = CURRENT.get();
    if (current != null && current.left) {
      throw new CancellationException();
    }
  }

  /** Records that the call has ended; returns whether its caller has left. */
  private synchronized boolean ended() {
    ended = true;
    return left;
  }

  private void leaveIf(Checkpoint checkpoint, Runnable onLeaving) {
    try {
      checkpoint.check();
    } catch (Throwable stop) {
      synchronized (this) {
        // If it has ended, its outcome is a moment away.
        if (!ended) {
          left = true;
          onLeaving.run();
          throw FaissException.<RuntimeException>sneakyThrow(stop);
        }
      }
    }
  }
}
