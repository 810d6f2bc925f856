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

  /** If a sketch leaves so many rows of so many blocks, it isn't looked at any more. */
  private static final int FUTILE = 2;

  /** Of as many rows, how often the codes take what they take in a search without groups. */
  private static final int MUCH = 4;

  /** So many blocks are looked at first, until the groups have limits. */
  private static final int TRIAL = 8;

  /** One row of so many tells what sums are large. */
  private static final int SAMPLE = 127;

  /** For each of the k nearest of a group, so many rows are looked at for a first limit. */
  private static final int SEEDS = 8;

  /** With more groups there is hardly a limit that serves for all. */
  private static final int FEW_GROUPS = 256;

  private final Kernel kernel;
  private final Layout layout;
  private final List<Chunk> chunks;
  private final Bounds bounds;
  private final Sketch sketch;
  private final SketchBounds sketched;
  private final int[] of;
  private final int k;
  private final double farthest;
  private final boolean codesOnly;
  private final NearestHeap[] promising;
  private final NearestHeap[] nearest;
  private final NearestHeap.Ties ties;
  private final ExactKeys exact;
  final Scan.Scratch scratch;

  /**
   * For each group, what a bound must be above to rule a row out; shared by the scans of a search.
   * A value that another thread has lowered meanwhile does no harm, since it was right before.
   */
  private final float[] limits;

  /** For each group, a limit and its {@link SketchBounds#threshold}. */
  private final float[] known;

  private final int[] thresholds;
  private int futile;

  /** Blocks of the sketch that were looked at. */
  private int looked;

  private long[] listed = new long[64];
  private int size;
  private int grouped;

  GroupScan(
      Kernel kernel,
      Layout layout,
      List<Chunk> chunks,
      Search search,
      Bounds bounds,
      Sketch sketch,
      RowGroups groups,
      NearestHeap.Ties ties,
      float[] limits,
      Scan.Scratch scratch) {
    this.kernel = kernel;
    this.layout = layout;
    this.chunks = chunks;
    this.bounds = bounds;
    this.sketch = sketch;
    sketched = sketch == null ? null : bounds.sketched(sketch);
    this.of = groups.of();
    this.k = search.k();
    this.farthest = Scan.farthest(search);
    this.codesOnly = chunks.get(0).rows() == null;
    this.ties = ties;
    this.exact = new ExactKeys(kernel, search.metric(), search.query());
    this.limits = limits;
    this.scratch = scratch;
    known = new float[limits.length];
    Arrays.fill(known, Float.NaN);
    thresholds = new int[limits.length];
    thresholds[0] = Integer.MAX_VALUE;
    this.promising = new NearestHeap[groups.count() + 1];
    this.nearest = new NearestHeap[codesOnly ? 0 : groups.count() + 1];
  }

  /** Scans some blocks. */
  void blocks(int[] blocks, Checkpoint checkpoint) {
    int[][] sums = sketched == null ? null : scratch.looks(1, blocks.length)[0];
    if (sums != null && futile < FUTILE) {
      short[][] weights = {sketched.weights()};
      for (int b = 0; b < blocks.length; b++) {
        checkpoint.check();
        int[][] out = {sums[b]};
        sketch.dots(kernel, layout, blocks[b], rowsOf(blocks[b]), weights, 1, scratch.acc, out);
      }
      seed(blocks, sums);
    }
    for (int b = 0; b < blocks.length; b++) {
      checkpoint.check();
      boolean looks = sums != null && futile < FUTILE;
      block(blocks[b], looks ? sketched(blocks[b], sums[b]) : coded(blocks[b]));
    }
  }

  /** Looks at the rows of a block that were found. */
  private void block(int block, int count) {
    if (codesOnly) {
      return;
    }
    long[] order = scratch.order;
    int first = block * layout.blockRows();
    Arrays.sort(order, 0, count);
    for (int i = 0; i < count; i++) {
      look(Scan.bound(order[i]), first + (int) order[i]);
    }
    compare();
  }

  private int rowsOf(int block) {
    return chunks.get(block / layout.chunkBlocks()).rowsOf(block % layout.chunkBlocks());
  }

  /**
   * Finds first limits of groups: of the rows that look nearest, whatever their group, the floats
   * of those are looked at that look nearest in their group.
   */
  private void seed(int[] blocks, int[][] sums) {
    int threshold = threshold(blocks, sums);
    int[] lanes = scratch.lanes;
    NearestHeap[] looking = new NearestHeap[limits.length];
    for (int b = 0; b < blocks.length; b++) {
      int first = blocks[b] * layout.blockRows();
      int n = rowsOf(blocks[b]);
      int left = said(first, n, kernel.atLeast(sums[b], n, threshold, lanes));
      closer(blocks[b], sums[b], left);
      for (int i = 0; i < left; i++) {
        int group = of[first + lanes[i]];
        if (looking[group] == null) {
          looking[group] = new NearestHeap(k, Integer::compare);
        }
        looking[group].offer(scratch.bounds[i], first + lanes[i]);
      }
    }
    for (int group = 1; group < looking.length; group++) {
      if (looking[group] != null && looking[group].size() == k) {
        double largest = scratch.largestKey(looking[group], exact, chunks, layout);
        if (largest <= farthest) {
          limits[group] = Math.min(limits[group], bounds.limit(largest));
        }
      }
    }
  }

  /** Of some lanes of a block, keeps those of which the sketch says something; returns how many. */
  private int said(int first, int n, int some) {
    if (sketch.nextLoose(first) >= first + n) {
      return some;
    }
    int[] lanes = scratch.lanes;
    int left = 0;
    for (int i = 0; i < some; i++) {
      lanes[left] = lanes[i];
      left += sketch.loose.get(first + lanes[i]) ? 0 : 1;
    }
    return left;
  }

  /** Looks at the lines of the first of the lanes. */
  private void closer(int block, int[] sums, int n) {
    int number = block / layout.chunkBlocks();
    int first = block % layout.chunkBlocks() * layout.blockRows();
    sketched.closer(kernel, sums, n, chunks.get(number), number, first, scratch);
  }

  /** What the sums of some rows for each group are above, if groups were drawn by lot. */
  private int threshold(int[] blocks, int[][] sums) {
    int[] sample = new int[blocks.length * (layout.blockRows() / SAMPLE + 1)];
    int n = 0;
    for (int b = 0; b < blocks.length; b++) {
      int rows = rowsOf(blocks[b]);
      for (int lane = b % SAMPLE; lane < rows; lane += SAMPLE) {
        sample[n++] = sums[b][lane];
      }
    }
    Arrays.sort(sample, 0, n);
    long some = (long) SEEDS * k * Math.min(FEW_GROUPS, limits.length - 1) / SAMPLE;
    return sample[(int) Math.max(0, n - 1 - some)];
  }

  /** Finds the rows that the sketch leaves, with their bounds; returns how many. */
  private int sketched(int block, int[] sums) {
    int n = rowsOf(block);
    int first = block * layout.blockRows();
    int[] lanes = scratch.lanes;
    thresholds(first, n);
    int left = 0;
    for (int lane = 0; lane < n; lane++) {
      lanes[left] = lane;
      left += sums[lane] >= thresholds[of[first + lane]] ? 1 : 0;
    }
    left = said(first, n, left);
    closer(block, sums, left);
    long[] order = scratch.order;
    int count = 0;
    for (int i = 0; i < left; i++) {
      order[count] = Scan.sortable(scratch.bounds[i]) << 32 | lanes[i];
      count += scratch.bounds[i] > limits[of[first + lanes[i]]] ? 0 : 1;
    }
    for (int i = sketch.nextLoose(first); i < first + n; i = sketch.nextLoose(i + 1)) {
      if (of[i] > 0) {
        order[count++] = Scan.sortable(Float.NEGATIVE_INFINITY) << 32 | i - first;
      }
    }
    looked++;
    if (!SketchScan.isMuch(left, count, MUCH * n)) {
      return count;
    }
    futile += looked > TRIAL ? 1 : 0;
    // The codes may leave fewer.
    return coded(block);
  }

  /** Makes the thresholds those of the limits, for the groups of some rows at least. */
  private void thresholds(int first, int n) {
    if (limits.length <= n) {
      for (int group = 1; group < limits.length; group++) {
        threshold(group);
      }
    } else {
      for (int row = first; row < first + n; row++) {
        threshold(of[row]);
      }
    }
  }

  private void threshold(int group) {
    float limit = limits[group];
    if (group > 0 && known[group] != limit) {
      known[group] = limit;
      thresholds[group] = sketched.threshold(limit);
    }
  }

  /** The same by the codes; where the floats are elsewhere, looks at the rows, too. */
  private int coded(int block) {
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
    if (codesOnly) {
      Arrays.sort(order, 0, count);
      for (int i = 0; i < count; i++) {
        int lane = (int) order[i];
        if (!(Scan.bound(order[i]) > limits[of[first + lane]])) {
          double whole = bounds.whole(stage, dots[lane], chunk, inChunk, lane);
          lookAtCodes(chunk, from + lane, first + lane, whole);
        }
      }
    }
    return count;
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
    if (bound > limits[of[row]]) {
      return;
    }
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
    scratch.place(chunks, layout, row, grouped);
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
