/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.List;

/**
 * One thread's way through blocks of an index, for the rows nearest to one vector within each of
 * many groups: the codes are gone through once for all of them.
 *
 * <p>Each group has a limit of its own, the k-th smallest of what the codes of eight bits say that
 * its rows' keys are at most. Rows whose bound isn't above it are listed, to be compared when all
 * blocks are done.
 */
final class GroupScan {
  /** Beyond this share of a block, the low halves are worth a pass of their own. */
  private static final int MANY = 16;

  private final Kernel kernel;
  private final Layout layout;
  private final List<Chunk> chunks;
  private final Bounds bounds;
  private final RowGroups groups;
  private final int k;
  private final NearestHeap[] farthest;
  private final Scan.Scratch scratch;

  /**
   * For each group, what a bound must be above to rule a row out; shared by the scans of a search.
   * A value that another thread has lowered meanwhile does no harm, since it was right before.
   */
  private final float[] limits;

  private long[] listed = new long[64];
  private int size;

  GroupScan(
      Kernel kernel,
      Layout layout,
      List<Chunk> chunks,
      Bounds bounds,
      RowGroups groups,
      int k,
      float[] limits,
      Scan.Scratch scratch) {
    this.kernel = kernel;
    this.layout = layout;
    this.chunks = chunks;
    this.bounds = bounds;
    this.groups = groups;
    this.k = k;
    this.limits = limits;
    this.scratch = scratch;
    this.farthest = new NearestHeap[groups.count() + 1];
  }

  /** Rows that the codes don't rule out, in the low half, and their bounds, as {@link Scan} has. */
  long[] listed() {
    drop();
    return Arrays.copyOf(listed, size);
  }

  /** Scans one block. */
  void block(int block) {
    Chunk chunk = chunks.get(block / layout.chunkBlocks());
    int inChunk = block % layout.chunkBlocks();
    int n = chunk.rowsOf(inChunk);
    int first = block * layout.blockRows();
    int from = inChunk * layout.blockRows();
    int[] dots = scratch.dots[0];
    dots(chunk.high, chunk, inChunk, Bounds.RUN, dots);
    int left = bounds.select(0, chunk, from, n, dots, groups.of(), first, limits, scratch.lanes);
    int stage = 0;
    if (left > n / MANY) {
      dots(chunk.low, chunk, inChunk, bounds.lowRun(), scratch.low);
      for (int i = 0; i < n; i++) {
        dots[i] = 16 * dots[i] + scratch.low[i];
      }
      stage = 1;
      left = bounds.select(1, chunk, from, n, dots, groups.of(), first, limits, scratch.lanes);
    }
    for (int i = 0; i < left; i++) {
      int lane = scratch.lanes[i];
      int dot = dots[lane];
      float limit = limits[groups.of()[first + lane]];
      if (stage == 0) {
        if (bounds.closer(0, chunk, from + lane, dot) > limit) {
          continue;
        }
        dot = 16 * dot + chunk.lowDot(inChunk, lane, bounds.weights());
      }
      look(chunk, from + lane, first + lane, dot);
    }
  }

  private void dots(char[] codes, Chunk chunk, int inChunk, int run, int[] to) {
    kernel.dots(
        codes,
        chunk.offset(inChunk),
        layout.padded(chunk.rowsOf(inChunk)),
        bounds.weights(),
        run,
        scratch.acc[0],
        to);
  }

  /** Lists a row whose dot product with the whole bytes is known, unless it is ruled out. */
  private void look(Chunk chunk, int inChunk, int row, int dot) {
    int group = groups.of()[row];
    float bound = bounds.closer(1, chunk, inChunk, dot);
    if (bound > limits[group]) {
      return;
    }
    NearestHeap heap = farthest[group];
    if (heap == null) {
      heap = new NearestHeap(k, Integer::compare);
      farthest[group] = heap;
    }
    if (heap.offer(bounds.farthest(1, chunk, inChunk, dot), row) && heap.size() == k) {
      limits[group] = Math.min(limits[group], bounds.limit(heap.worst()));
    }
    if (size == listed.length) {
      drop();
      if (size > listed.length / 2) {
        listed = Arrays.copyOf(listed, 2 * listed.length);
      }
    }
    listed[size++] = Scan.sortable(bound) << 32 | row;
  }

  /** Drops what is ruled out by now. */
  private void drop() {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      listed[kept] = listed[i];
      kept += Scan.bound(listed[i]) > limits[groups.of()[(int) listed[i]]] ? 0 : 1;
    }
    size = kept;
  }
}
