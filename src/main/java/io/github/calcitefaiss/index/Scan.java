/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.BitSet;

/**
 * One search's way through blocks of an index, on one thread.
 *
 * <p>A row is left out only if its bound is strictly above the key of the k-th nearest row known,
 * so a row that ties with it is always compared. Which blocks a scan is given, and in which order,
 * changes the work but not the result.
 */
final class Scan {
  /** Below this share of a block, rows are compared directly. */
  private static final int FEW = 16;

  /** Beyond this share of a block, the low halves are worth a pass of their own. */
  private static final int MANY = 16;

  /** So many blocks in a row that the codes ruled out little of, and the codes are left aside. */
  private static final int FUTILE = 4;

  /** How many blocks are compared directly before the codes are tried again. */
  private static final int REST = 16;

  /** The smallest key known to be no nearer than the k-th; shared by the scans of one search. */
  static final class Limit {
    private volatile double key;

    Limit(double key) {
      this.key = key;
    }

    double key() {
      return key;
    }

    synchronized void lower(double to) {
      if (to < key) {
        key = to;
      }
    }
  }

  /** Arrays for one block, used by one thread, for one search after the other. */
  static final class Scratch {
    final short[] acc;
    final int[] dots;
    final int[] low;
    final int[] lanes;
    final long[] order;
    final int[] group = new int[ExactKeys.GROUP];
    final double[] keys = new double[ExactKeys.GROUP];

    Scratch(int rows) {
      acc = new short[rows];
      dots = new int[rows];
      low = new int[rows];
      lanes = new int[rows + 1];
      order = new long[rows];
    }
  }

  private final Kernel kernel;
  private final Layout layout;
  private final int k;
  private final BitSet rows;
  private final double farthest;
  private final Bounds bounds;
  private final ExactKeys exact;
  private final NearestHeap heap;
  private final Limit limit;
  private final Scratch scratch;
  private int futile;

  /** Rows in the group that is being collected. */
  private int grouped;

  /** A row of the chunk at hand whose key is known, or -1. */
  private int lastRow;

  private double lastKey;

  /**
   * Prepares a scan.
   *
   * @param bounds of the search's query, or null to compare every row
   */
  Scan(
      Kernel kernel,
      Layout layout,
      Search search,
      Bounds bounds,
      NearestHeap heap,
      Limit limit,
      Scratch scratch) {
    this.kernel = kernel;
    this.layout = layout;
    this.k = search.k();
    this.rows = search.rows();
    this.farthest = farthest(search);
    this.bounds = bounds;
    this.exact = new ExactKeys(kernel, search.metric(), search.query());
    this.heap = heap;
    this.limit = limit;
    this.scratch = scratch;
  }

  /** The largest key that qualifies. */
  static double farthest(Search search) {
    double bound = search.bound();
    if (Double.isNaN(bound)) {
      return Double.POSITIVE_INFINITY;
    }
    return search.metric().descending() ? -bound : bound;
  }

  NearestHeap heap() {
    return heap;
  }

  /** Scans one block of a chunk whose first row has the ordinal {@code origin}. */
  void block(Chunk chunk, int origin, int block) {
    int first = block * layout.blockRows();
    int n = chunk.rowsOf(block);
    lastRow = -1;
    if (bounds == null || futile >= FUTILE && futile++ % REST != 0) {
      direct(chunk, origin, first, listed(origin + first, n, n));
      return;
    }
    if (rows != null) {
      int few = listed(origin + first, n, n / FEW);
      if (few >= 0) {
        direct(chunk, origin, first, few);
        return;
      }
    }
    coded(chunk, origin, block, first, n);
  }

  /**
   * Lists the lanes of the rows asked for; returns -1 as soon as they are more than {@code most}.
   */
  private int listed(int ordinal, int n, int most) {
    int[] lanes = scratch.lanes;
    if (rows == null) {
      for (int i = 0; i < n; i++) {
        lanes[i] = i;
      }
      return n;
    }
    int count = 0;
    for (int i = rows.nextSetBit(ordinal); i >= 0 && i < ordinal + n; i = rows.nextSetBit(i + 1)) {
      if (count == most) {
        return -1;
      }
      lanes[count++] = i - ordinal;
    }
    return count;
  }

  private void direct(Chunk chunk, int origin, int first, int count) {
    int[] lanes = scratch.lanes;
    for (int i = 0; i < count; i++) {
      compare(chunk, origin, first + lanes[i]);
    }
    finish(chunk, origin);
  }

  /** Takes a row to be compared; rows are computed as soon as they make a group. */
  private void compare(Chunk chunk, int origin, int row) {
    if (lastRow >= 0 && sameVector(chunk, row, lastRow)) {
      // Tables with many copies of one vector defeat any bound, but not this.
      offer(lastKey, origin + row);
      return;
    }
    scratch.group[grouped++] = row;
    if (grouped == ExactKeys.GROUP) {
      finish(chunk, origin);
    }
  }

  private void finish(Chunk chunk, int origin) {
    if (grouped > 0) {
      exact.compute(chunk.rows, scratch.group, grouped, scratch.keys);
      for (int i = 0; i < grouped; i++) {
        offer(scratch.keys[i], origin + scratch.group[i]);
      }
      lastRow = scratch.group[grouped - 1];
      lastKey = scratch.keys[grouped - 1];
      grouped = 0;
    }
  }

  private boolean sameVector(Chunk chunk, int a, int b) {
    int dims = layout.dims();
    return Arrays.mismatch(
            chunk.rows, a * dims, a * dims + dims, chunk.rows, b * dims, b * dims + dims)
        < 0;
  }

  private void offer(double key, int ordinal) {
    if (key <= farthest && heap.offer(key, ordinal)) {
      limit.lower(heap.worst());
    }
  }

  private void coded(Chunk chunk, int origin, int block, int first, int n) {
    int lanes = layout.padded(n);
    int offset = chunk.offset(block);
    short[] weights = bounds.weights();
    kernel.dots(chunk.high, offset, lanes, weights, Bounds.RUN, scratch.acc, scratch.dots);
    int left = select(0, chunk, origin, first, n);
    if (left > k && limit.key() == farthest) {
      seed(chunk, first, left);
      left = select(0, chunk, origin, first, n);
    }
    int stage = 0;
    if (left > n / MANY) {
      kernel.dots(chunk.low, offset, lanes, weights, bounds.lowRun(), scratch.acc, scratch.low);
      for (int i = 0; i < n; i++) {
        scratch.dots[i] = 16 * scratch.dots[i] + scratch.low[i];
      }
      stage = 1;
      left = select(1, chunk, origin, first, n);
    }
    int compared = refine(stage, chunk, origin, first, left);
    futile = compared > n / 2 && heap.worst() < Double.POSITIVE_INFINITY ? futile + 1 : 0;
  }

  private int select(int stage, Chunk chunk, int origin, int first, int n) {
    float max = bounds.limit(limit.key());
    int left = bounds.select(stage, chunk, first, n, scratch.dots, max, scratch.lanes);
    if (rows == null) {
      return left;
    }
    int[] lanes = scratch.lanes;
    int kept = 0;
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      lanes[kept] = lane;
      kept += rows.get(origin + first + lane) ? 1 : 0;
    }
    return kept;
  }

  /**
   * Finds a first limit: the largest key of the k rows of a block that look nearest.
   *
   * <p>They are not offered to the heap, since they come again when the block is gone through.
   */
  private void seed(Chunk chunk, int first, int left) {
    int[] lanes = scratch.lanes;
    NearestHeap nearest = new NearestHeap(k, Integer::compare);
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      float bound = bounds.closer(0, chunk, first + lane, scratch.dots[lane]);
      nearest.offer(bound, first + lane);
    }
    int n = nearest.size();
    if (n < k) {
      return;
    }
    int[] chosen = new int[n];
    nearest.drain(new double[n], chosen);
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i += ExactKeys.GROUP) {
      int count = Math.min(ExactKeys.GROUP, n - i);
      System.arraycopy(chosen, i, scratch.group, 0, count);
      exact.compute(chunk.rows, scratch.group, count, scratch.keys);
      for (int j = 0; j < count; j++) {
        if (!(scratch.keys[j] <= farthest)) {
          return;
        }
        largest = Math.max(largest, scratch.keys[j]);
      }
    }
    limit.lower(largest);
  }

  /** Compares the rows that the bounds leave, those that look nearest first; returns how many. */
  private int refine(int stage, Chunk chunk, int origin, int first, int left) {
    int[] lanes = scratch.lanes;
    long[] order = scratch.order;
    float max = bounds.limit(limit.key());
    int count = 0;
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      float bound = bounds.closer(stage, chunk, first + lane, scratch.dots[lane]);
      order[count] = sortable(bound) << 32 | lane;
      count += bound > max ? 0 : 1;
    }
    Arrays.sort(order, 0, count);
    // Bounds ascend, so the first that is above the limit ends the block.
    int compared = 0;
    while (compared < count && !(bound(order[compared]) > bounds.limit(limit.key()))) {
      compare(chunk, origin, first + (int) order[compared]);
      compared++;
    }
    finish(chunk, origin);
    return compared;
  }

  private static long sortable(float bound) {
    int bits = Float.floatToIntBits(Float.isNaN(bound) ? Float.NEGATIVE_INFINITY : bound);
    return bits ^ bits >> 31 & Integer.MAX_VALUE;
  }

  private static float bound(long ordered) {
    int bits = (int) (ordered >> 32);
    return Float.intBitsToFloat(bits ^ bits >> 31 & Integer.MAX_VALUE);
  }
}
