/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.List;

/**
 * A search's way through blocks of an index whose floats are elsewhere: it lists the rows that the
 * codes can't rule out, to be read afterwards.
 *
 * <p>What the k-th distance is at most comes from the codes of eight bits alone, so next to no row
 * is listed in vain.
 */
final class CodesScan extends Scan {
  /** So many rows are looked up one by one in less time than the low halves of a block take. */
  private static final int MANY = 40;

  private final NearestHeap farthest;
  private long[] listed = new long[64];
  private int size;

  CodesScan(
      Kernel kernel,
      Layout layout,
      List<Chunk> chunks,
      Search search,
      Bounds bounds,
      Limit limit,
      Scratch scratch) {
    super(kernel, layout, chunks, search, bounds, null, null, limit, scratch);
    farthest = new NearestHeap(k, Integer::compare);
  }

  /** Rows by ordinal, in the low half, with their bounds, ascending by bound; sorts them. */
  long[] listed() {
    Arrays.sort(listed, 0, size);
    return Arrays.copyOf(listed, size);
  }

  @Override
  void direct(int first, int count) {
    int[] lanes = scratch.lanes;
    if (bounds == null) {
      for (int i = 0; i < count; i++) {
        list(Float.NEGATIVE_INFINITY, first + lanes[i]);
      }
      return;
    }
    int block = first / layout.blockRows();
    Chunk chunk = chunk(block);
    for (int i = 0; i < count; i++) {
      look(chunk, first + lanes[i], bounds.whole(chunk, inChunk(block), lanes[i]));
    }
  }

  @Override
  void seed(Chunk chunk, int first, int left, int[] dots) {
    int[] lanes = scratch.lanes;
    int from = first % layout.chunkRows();
    NearestHeap nearest = new NearestHeap(k, Integer::compare);
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      nearest.offer(bounds.closer(0, chunk, from + lane, dots[lane]), lane);
    }
    int n = nearest.size();
    if (n < k) {
      return;
    }
    int[] chosen = new int[n];
    nearest.drain(new double[n], chosen);
    double largest = Double.NEGATIVE_INFINITY;
    int block = inChunk(first / layout.blockRows());
    for (int lane : chosen) {
      double whole = bounds.whole(0, dots[lane], chunk, block, lane);
      largest = Math.max(largest, bounds.farthest(chunk, from + lane, whole));
    }
    limit.lower(largest);
  }

  @Override
  int refine(int stage, Chunk chunk, int first, int n, int left, int[] dots) {
    super.refine(stage, chunk, first, n, left, dots);
    return 0;
  }

  @Override
  int many() {
    return MANY;
  }

  @Override
  void compare(int row, int stage, int sum) {
    int block = row / layout.blockRows();
    Chunk chunk = chunk(block);
    int lane = row % layout.blockRows();
    look(chunk, row, bounds.whole(stage, sum, chunk, inChunk(block), lane));
  }

  /** Lists a row whose {@link Bounds#whole} is known, unless it is ruled out. */
  private void look(Chunk chunk, int row, double whole) {
    int inChunk = row % layout.chunkRows();
    farthest.offer(bounds.farthest(chunk, inChunk, whole), row);
    limit.lower(farthest.worst());
    float bound = bounds.nearest(chunk, inChunk, whole);
    if (!(bound > bounds.limit(limit.key()))) {
      list(bound, row);
    }
  }

  private void list(float bound, int row) {
    if (size == listed.length) {
      drop();
      if (size > listed.length / 2) {
        listed = Arrays.copyOf(listed, 2 * listed.length);
      }
    }
    listed[size++] = sortable(bound) << 32 | row;
  }

  /** Drops what is ruled out by now. */
  private void drop() {
    float max = bounds == null ? Float.POSITIVE_INFINITY : bounds.limit(limit.key());
    int kept = 0;
    for (int i = 0; i < size; i++) {
      listed[kept] = listed[i];
      kept += bound(listed[i]) > max ? 0 : 1;
    }
    size = kept;
  }

  @Override
  void finish() {
    super.finish();
    drop();
  }
}
