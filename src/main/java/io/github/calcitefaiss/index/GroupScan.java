/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.List;

/**
 * One thread's way through blocks of an index, for the rows nearest to one vector within each of
 * many groups: the codes are gone through once for all of them.
 *
 * <p>Each group has a limit of its own. Where the floats are at hand, it comes from rows that look
 * nearer than k others of their group did, which are compared at once; else from what the codes of
 * eight bits say that the keys are at most. Other rows whose bound isn't above it are listed, to be
 * compared when all blocks are done.
 */
final class GroupScan {
  /** Beyond this share of a block, the low halves are worth a pass of their own. */
  private static final int MANY = 16;

  /** The same where the alternative is to fetch them row by row. */
  private static final int MANY_OF_CODES = 40;

  /** With more groups there is hardly a limit that serves for all. */
  private static final int FEW_GROUPS = 256;

  private final Kernel kernel;
  private final Layout layout;
  private final List<Chunk> chunks;
  private final Bounds bounds;
  private final int[] of;
  private final int k;
  private final double farthest;
  private final boolean codesOnly;
  private final NearestHeap[] promising;
  private final NearestHeap[] nearest;
  private final NearestHeap.Ties ties;
  private final ExactKeys exact;
  private final Scan.Scratch scratch;

  /**
   * For each group, what a bound must be above to rule a row out; shared by the scans of a search.
   * A value that another thread has lowered meanwhile does no harm, since it was right before.
   */
  private final float[] limits;

  private long[] listed = new long[64];
  private int size;
  private int grouped;

  GroupScan(
      Kernel kernel,
      Layout layout,
      List<Chunk> chunks,
      Search search,
      Bounds bounds,
      RowGroups groups,
      NearestHeap.Ties ties,
      float[] limits,
      Scan.Scratch scratch) {
    this.kernel = kernel;
    this.layout = layout;
    this.chunks = chunks;
    this.bounds = bounds;
    this.of = groups.of();
    this.k = search.k();
    this.farthest = Scan.farthest(search);
    this.codesOnly = chunks.get(0).rows() == null;
    this.ties = ties;
    this.exact = new ExactKeys(kernel, search.metric(), search.query());
    this.limits = limits;
    this.scratch = scratch;
    this.promising = new NearestHeap[groups.count() + 1];
    this.nearest = new NearestHeap[codesOnly ? 0 : groups.count() + 1];
  }

  /** Scans one block. */
  void block(int block) {
    Chunk chunk = chunks.get(block / layout.chunkBlocks());
    int inChunk = block % layout.chunkBlocks();
    int n = chunk.rowsOf(inChunk);
    int first = block * layout.blockRows();
    int from = inChunk * layout.blockRows();
    int[] dots = scratch.dots[0];
    int[] lanes = scratch.lanes;
    bounds.high(kernel, chunk, inChunk, scratch, dots);
    int left = bounds.select(kernel, 0, chunk, from, n, dots, largestLimit(), lanes);
    left = bounds.select(0, chunk, from, dots, of, first, limits, lanes, left);
    int stage = left > n / (codesOnly ? MANY_OF_CODES : MANY) ? 1 : 0;
    if (stage == 1) {
      bounds.bytes(kernel, chunk, inChunk, scratch, dots);
    }
    long[] order = scratch.order;
    int count = 0;
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      float bound = bounds.closer(stage, chunk, from + lane, dots[lane]);
      order[count] = Scan.sortable(bound) << 32 | lane;
      count += bound > limits[of[first + lane]] ? 0 : 1;
    }
    Arrays.sort(order, 0, count);
    for (int i = 0; i < count; i++) {
      int lane = (int) order[i];
      float bound = Scan.bound(order[i]);
      if (bound > limits[of[first + lane]]) {
        continue;
      }
      if (!codesOnly) {
        look(bound, first + lane);
      } else {
        double whole = bounds.whole(stage, dots[lane], chunk, inChunk, lane);
        lookAtCodes(chunk, from + lane, first + lane, whole);
      }
    }
    compare();
  }

  /** A limit that rules out what those of all groups do. */
  private float largestLimit() {
    float largest = Float.NEGATIVE_INFINITY;
    for (int group = 1; group < limits.length && group <= FEW_GROUPS; group++) {
      largest = Math.max(largest, limits[group]);
    }
    return limits.length > FEW_GROUPS ? Float.POSITIVE_INFINITY : largest;
  }

  /** Compares a row that looks near for its group; lists another. */
  private void look(float bound, int row) {
    if (!promising(of[row]).offer(bound, row)) {
      list(bound, row);
      return;
    }
    compare(row);
  }

  private NearestHeap promising(int group) {
    NearestHeap heap = promising[group];
    if (heap == null) {
      heap = new NearestHeap(k, Integer::compare);
      promising[group] = heap;
    }
    return heap;
  }

  private void compare(int row) {
    scratch.arrays[grouped] = chunks.get(row / layout.chunkRows()).rows();
    scratch.places[grouped] = row % layout.chunkRows() * layout.dims();
    scratch.group[grouped++] = row;
    if (grouped == ExactKeys.GROUP) {
      compare();
    }
  }

  private void compare() {
    if (grouped == 0) {
      return;
    }
    exact.compute(scratch.arrays, scratch.places, grouped, scratch.keys);
    for (int i = 0; i < grouped; i++) {
      double key = scratch.keys[i];
      int row = scratch.group[i];
      int group = of[row];
      if (key <= farthest) {
        if (nearest[group] == null) {
          nearest[group] = new NearestHeap(k, ties);
        }
        if (nearest[group].offer(key, row)) {
          lower(group, nearest[group]);
        }
      }
    }
    grouped = 0;
  }

  private void lower(int group, NearestHeap heap) {
    if (heap.size() == k) {
      limits[group] = Math.min(limits[group], bounds.limit(heap.worst()));
    }
  }

  /** Lists a row whose {@link Bounds#whole} is known, unless it is ruled out. */
  private void lookAtCodes(Chunk chunk, int inChunk, int row, double whole) {
    int group = of[row];
    float bound = bounds.nearest(chunk, inChunk, whole);
    if (bound > limits[group]) {
      return;
    }
    if (promising(group).offer(bounds.farthest(chunk, inChunk, whole), row)) {
      lower(group, promising[group]);
    }
    list(bound, row);
  }

  private void list(float bound, int row) {
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
      kept += Scan.bound(listed[i]) > limits[of[(int) listed[i]]] ? 0 : 1;
    }
    size = kept;
  }

  /** Compares what was listed, where the floats are at hand; called by one thread at the end. */
  void finish() {
    Arrays.sort(listed, 0, size);
    for (int i = 0; i < size; i++) {
      if (!(Scan.bound(listed[i]) > limits[of[(int) listed[i]]])) {
        compare((int) listed[i]);
      }
    }
    compare();
    size = 0;
  }

  /** The rows to be compared, where the floats are elsewhere. */
  int[] listed() {
    drop();
    return Arrays.stream(listed, 0, size).mapToInt(row -> (int) row).toArray();
  }

  /** Offers what was found in a group. */
  void offerTo(int group, NearestHeap heap) {
    if (nearest[group] != null) {
      nearest[group].offerTo(heap);
    }
  }
}
