/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * Spreads the parts of one job over the calling thread and some of a fixed set of helpers.
 *
 * <p>The caller always works itself and waits for no helper that has not begun, so jobs never wait
 * for each other. Each caller at work leaves one helper fewer to the others: however many
 * statements run at once, there are no more threads at work than cores, apart from the callers
 * themselves.
 */
final class Workers {
  /** System property: the most threads that work at once on one job; default one per core. */
  static final String THREADS = "calcitefaiss.threads";

  private static final int LIMIT =
      Math.max(1, Integer.getInteger(THREADS, Runtime.getRuntime().availableProcessors()));

  private static final AtomicInteger CALLERS = new AtomicInteger();

  private static final ThreadPoolExecutor HELPERS = helpers();

  private final int parts;
  private final AtomicInteger next = new AtomicInteger();
  private int active;
  private Throwable failure;

  private Workers(int parts) {
    this.parts = parts;
  }

  private static ThreadPoolExecutor helpers() {
    AtomicInteger number = new AtomicInteger();
    int size = Math.max(1, LIMIT - 1);
    ThreadPoolExecutor helpers =
        new ThreadPoolExecutor(
            size,
            size,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            body -> Daemons.thread("faiss-search-" + number.incrementAndGet(), body));
    helpers.allowCoreThreadTimeOut(true);
    return helpers;
  }

  /**
   * Runs parts 0 to {@code parts - 1}, each once, in no fixed order; returns when all have ended.
   *
   * @param most threads at most, the caller included
   * @param worker makes what runs the parts that one thread takes; called on that thread
   */
  static void run(int parts, int most, Supplier<IntConsumer> worker) {
    int callers = CALLERS.incrementAndGet();
    try {
      int helpers = Math.min(Math.min(most, parts) - 1, LIMIT - callers);
      new Workers(parts).run(helpers, worker);
    } finally {
      CALLERS.decrementAndGet();
    }
  }

  /** Threads at most that work at once on one job. */
  static int most() {
    return LIMIT;
  }

  /** Runs a job on a helper, when one has time; if there are none, never. */
  static void background(Runnable job) {
    if (LIMIT > 1) {
      HELPERS.execute(job);
    }
  }

  private void run(int helpers, Supplier<IntConsumer> worker) {
    List<Runnable> tasks = new ArrayList<>();
    for (int i = 0; i < helpers; i++) {
      Runnable task = () -> work(worker);
      try {
        HELPERS.execute(task);
      } catch (OutOfMemoryError e) {
        // No thread can be started: those that there are do it all.
        break;
      }
      tasks.add(task);
    }
    work(worker);
    for (Runnable task : tasks) {
      HELPERS.remove(task);
    }
    awaitBegun();
    if (failure != null) {
      throw Workers.<RuntimeException>unchanged(failure);
    }
  }

  private void work(Supplier<IntConsumer> worker) {
    if (!begin()) {
      return;
    }
    Throwable thrown = null;
    try {
      IntConsumer body = worker.get();
      for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
        body.accept(part);
      }
    } catch (Throwable e) {
      thrown = e;
    }
    end(thrown);
  }

  /** A helper that comes when everything is taken has no work, and its job may be over. */
  private synchronized boolean begin() {
    if (next.get() >= parts) {
      return false;
    }
    active++;
    return true;
  }

  private synchronized void end(Throwable thrown) {
    if (thrown != null) {
      next.set(parts);
      if (failure == null) {
        failure = thrown;
      }
    }
    active--;
    notifyAll();
  }

  private synchronized void awaitBegun() {
    boolean interrupted = false;
    while (active > 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> T unchanged(Throwable failure) throws T {
    throw (T) failure;
  }
}
