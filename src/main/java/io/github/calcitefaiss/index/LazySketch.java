/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sketch of an index, made by a thread of its own once the index has been searched so often
 * that more searches are to be expected: making it takes as long as a thousand of them or two.
 */
final class LazySketch {
  private static final Logger LOGGER = LoggerFactory.getLogger(FlatIndex.class);

  /** Searches that are answered before it is made. */
  private static final int WORTH_IT = 300;

  private final ThreadFactory threads;
  private final AtomicInteger left;
  private volatile Sketch sketch;
  private volatile boolean tried;

  /**
   * Prepares for an index.
   *
   * @param wanted whether it should ever have one
   */
  LazySketch(boolean wanted) {
    this(wanted, body -> Daemons.thread("faiss-sketch", body));
  }

  LazySketch(boolean wanted, ThreadFactory threads) {
    this.threads = threads;
    left = new AtomicInteger(wanted ? WORTH_IT : 0);
    tried = !wanted;
  }

  /** The sketch if there is one; counts the searches that ask. */
  Sketch get(int searches, Supplier<Sketch> maker) {
    if (left.get() > 0) {
      int now = left.addAndGet(-searches);
      if (now <= 0 && now + searches > 0) {
        begin(maker);
      }
    }
    return sketch;
  }

  /** The search that happens to be the last one needed doesn't fail for want of a thread. */
  private void begin(Supplier<Sketch> maker) {
    try {
      Thread thread = threads.newThread(() -> make(maker));
      thread.setPriority(Thread.MIN_PRIORITY);
      thread.start();
    } catch (OutOfMemoryError e) {
      LOGGER.warn("an index goes without a sketch", e);
      tried = true;
    }
  }

  /** Makes it now. */
  void make(Supplier<Sketch> maker) {
    try {
      long start = System.nanoTime();
      sketch = maker.get();
      long millis = (System.nanoTime() - start) / 1_000_000;
      LOGGER.debug("sketch of an index: {} ms, {}", millis, sketch == null ? "none" : "made");
    } catch (RuntimeException | OutOfMemoryError e) {
      LOGGER.warn("an index goes without a sketch", e);
    } finally {
      tried = true;
    }
  }

  /** Whether it is there, or won't be. */
  boolean isTried() {
    return tried;
  }
}
