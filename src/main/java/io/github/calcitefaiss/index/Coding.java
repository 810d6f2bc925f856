/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.List;

/**
 * Codes the chunks of an index that is being built, in the background while others are filled.
 *
 * <p>Whatever no helper has begun when the last chunk is there is shared between the caller and the
 * helpers, so nothing waits for a thread that may not come.
 */
final class Coding {
  private final Grid grid;
  private final List<Chunk> waiting = new ArrayList<>();
  private int running;
  private Throwable failure;

  Coding(Grid grid) {
    this.grid = grid;
  }

  /** Takes a chunk whose rows are there. */
  void add(Chunk chunk) {
    synchronized (this) {
      waiting.add(chunk);
    }
    Workers.background(this::codeOne);
  }

  private void codeOne() {
    Chunk chunk;
    synchronized (this) {
      if (waiting.isEmpty()) {
        return;
      }
      chunk = waiting.remove(0);
      running++;
    }
    Throwable thrown = null;
    try {
      for (int block = 0; block < chunk.blocks(); block++) {
        chunk.encode(block, grid);
      }
    } catch (Throwable e) {
      thrown = e;
    }
    synchronized (this) {
      failure = thrown == null ? failure : thrown;
      running--;
      notifyAll();
    }
  }

  /** Returns when all chunks are coded. */
  void finish() {
    List<Runnable> blocks = new ArrayList<>();
    for (Chunk chunk : takeWaiting()) {
      for (int i = 0; i < chunk.blocks(); i++) {
        int block = i;
        blocks.add(() -> chunk.encode(block, grid));
      }
    }
    Workers.run(blocks.size(), Integer.MAX_VALUE, () -> block -> blocks.get(block).run());
    awaitRunning();
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }

  /** Leaves the chunks that nobody has begun as they are. */
  void stop() {
    takeWaiting();
  }

  private synchronized List<Chunk> takeWaiting() {
    List<Chunk> left = List.copyOf(waiting);
    waiting.clear();
    return left;
  }

  private synchronized void awaitRunning() {
    boolean interrupted = false;
    while (running > 0) {
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
}
