/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * One search's way through blocks of an index, on one thread.
 *
 * <p>A row is left out only if its bound is strictly above the key of the k-th nearest row known,
 * so a row that ties with it is always compared. Which blocks a scan is given, and in which order,
 * changes the work but not the result.
 */
class Scan {
  /** Below this share of a block, rows are compared directly. */
  private static final int FEW = 24;

  /** Beyond this share of a block, nearly all of its rows are compared. */
  private static final int MANY = 16;

  /** So many blocks in a row that the codes ruled out little of, and the codes are left aside. */
  private static final int FUTILE = 4;

  /** So many rows at most are left for later. */
  private static final int WAITING_ROWS = 1 << 12;

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
    final short[][] acc;
    final char[] sums;
    final char[] multipliers;
    final int[][] dots;
    final int[] low;
    final int[] lanes;
    final long[] order;
    final float[] bounds;
    final float[][] arrays = new float[ExactKeys.GROUP][];
    final int[] places = new int[ExactKeys.GROUP];
    final int[] group = new int[ExactKeys.GROUP];
    final double[] keys = new double[ExactKeys.GROUP];
    private int[][][] looks = {};

    Scratch(int rows) {
      acc = new short[Kernel.TOGETHER][rows];
      sums = new char[rows];
      multipliers = new char[rows];
      dots = new int[Kernel.TOGETHER][rows];
      low = new int[rows];
      lanes = new int[rows + 1];
      order = new long[rows];
      bounds = new float[rows];
    }

    /** Makes a row one of a group to be computed. */
    void place(List<Chunk> chunks, Layout layout, int row, int i) {
      arrays[i] = chunks.get(row / layout.chunkRows()).rows();
      places[i] = row % layout.chunkRows() * layout.dims();
    }

    /** The largest key of some rows, NaN if one has none; empties the heap. */
    double largestKey(NearestHeap rows, ExactKeys exact, List<Chunk> chunks, Layout layout) {
      int[] chosen = new int[rows.size()];
      rows.drain(new double[chosen.length], chosen);
      double largest = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < chosen.length; i += ExactKeys.GROUP) {
        int count = Math.min(ExactKeys.GROUP, chosen.length - i);
        for (int j = 0; j < count; j++) {
          place(chunks, layout, chosen[i + j], j);
        }
        exact.compute(arrays, places, count, keys);
        for (int j = 0; j < count; j++) {
          largest = Math.max(largest, keys[j]);
        }
      }
      return largest;
    }

    /** Arrays for the sums of so many searches over so many blocks. */
    int[][][] looks(int searches, int blocks) {
      if (looks.length < searches || looks[0].length < blocks) {
        looks = new int[searches][blocks][low.length];
      }
      return looks;
    }
  }

  final Kernel kernel;
  final Layout layout;
  final List<Chunk> chunks;
  final int k;
  private final BitSet rows;
  private final double farthest;
  final Bounds bounds;
  private final ExactKeys exact;
  private final NearestHeap heap;
  final Limit limit;
  final Scratch scratch;
  private int futile;
  private final SketchScan sketched;

  /** The k smallest bounds seen: a row whose bound is among them is computed at once. */
  private final NearestHeap promising;

  /** Bounds and numbers of rows, as in {@link Scratch#order}, that are looked at later. */
  private long[] waiting = new long[64];

  /** For each number, a row, and its sum of a stage. */
  private int[] waitingRow = new int[64];

  private int[] waitingSum = new int[64];
  private boolean[] waitingBytes = new boolean[64];
  private int waitingRows;

  /** Rows in the group that is being collected. */
  private int grouped;

  /** A row whose key is known, or -1. */
  private int lastRow = -1;

  private double lastKey;

  /**
   * Prepares a scan.
   *
   * @param bounds of the search's query, or null to compare every row
   * @param sketch of the index, or null
   */
  Scan(
      Kernel kernel,
      Layout layout,
      List<Chunk> chunks,
      Search search,
      Bounds bounds,
      Sketch sketch,
      NearestHeap heap,
      Limit limit,
      Scratch scratch) {
    this.kernel = kernel;
    this.layout = layout;
    this.chunks = chunks;
    this.k = search.k();
    this.rows = search.rows();
    this.farthest = farthest(search);
    this.bounds = bounds;
    this.exact = new ExactKeys(kernel, search.metric(), search.query());
    this.heap = heap;
    this.limit = limit;
    this.scratch = scratch;
    this.promising = new NearestHeap(k, Integer::compare);
    SketchBounds looks = bounds == null || sketch == null ? null : bounds.sketched(sketch);
    sketched = looks == null ? null : new SketchScan(this, sketch, looks, rows);
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

  /**
   * Scans some blocks for several searches that share a scratch: those that the sketch serves need
   * no more than that.
   */
  static void blocks(List<Scan> scans, int[] blocks, Checkpoint checkpoint) {
    List<Scan> left = new ArrayList<>();
    List<SketchScan> looking = new ArrayList<>();
    for (Scan scan : scans) {
      if (scan != null && scan.sketched != null && scan.sketched.promises()) {
        looking.add(scan.sketched);
      } else if (scan != null) {
        left.add(scan);
      }
    }
    for (int i = 0; i < looking.size(); i += Kernel.TOGETHER) {
      List<SketchScan> some = looking.subList(i, Math.min(looking.size(), i + Kernel.TOGETHER));
      for (SketchScan failed : SketchScan.look(some, blocks, checkpoint)) {
        left.add(failed.scan());
      }
    }
    for (int i = 0; i < blocks.length && !left.isEmpty(); i++) {
      checkpoint.check();
      block(left, blocks[i]);
    }
  }

  private void alone(int block) {
    bounds.high(kernel, chunk(block), inChunk(block), scratch, scratch.dots[0]);
    coded(block, scratch.dots[0]);
  }

  /** Scans one block for several searches that share a scratch. */
  static void block(List<Scan> scans, int block) {
    Scan[] asking = new Scan[Kernel.TOGETHER];
    short[][] weights = new short[Kernel.TOGETHER][];
    int n = 0;
    for (Scan scan : scans) {
      if (scan.begin(block)) {
        weights[n] = scan.bounds.weights();
        if (weights[n] == null) {
          scan.alone(block);
          continue;
        }
        asking[n++] = scan;
        if (n == Kernel.TOGETHER) {
          coded(asking, weights, n, block);
          n = 0;
        }
      }
    }
    if (n > 0) {
      coded(asking, weights, n, block);
    }
  }

  private static void coded(Scan[] scans, short[][] weights, int n, int block) {
    Scan any = scans[0];
    Chunk chunk = any.chunk(block);
    int inChunk = any.inChunk(block);
    int lanes = any.layout.padded(chunk.rowsOf(inChunk));
    Scratch scratch = any.scratch;
    any.kernel.dots(
        chunk.high,
        chunk.offset(inChunk),
        lanes,
        weights,
        n,
        DotBounds.RUN,
        scratch.acc,
        scratch.dots);
    for (int i = 0; i < n; i++) {
      scans[i].coded(block, scratch.dots[i]);
    }
  }

  final Chunk chunk(int block) {
    return chunks.get(block / layout.chunkBlocks());
  }

  /** Rows of a block. */
  final int rowsOf(int block) {
    return chunk(block).rowsOf(inChunk(block));
  }

  /** Rows of the index. */
  final int rows() {
    return chunks.stream().mapToInt(chunk -> chunk.count).sum();
  }

  final int inChunk(int block) {
    return block % layout.chunkBlocks();
  }

  /** Does what needs no codes; whether the block's codes are wanted. */
  private boolean begin(int block) {
    int first = block * layout.blockRows();
    int n = chunk(block).rowsOf(inChunk(block));
    if (bounds == null || futile >= FUTILE && futile++ % REST != 0) {
      direct(first, listed(first, n, n));
      return false;
    }
    if (rows != null) {
      int few = listed(first, n, n / FEW);
      if (few >= 0) {
        direct(first, few);
        return false;
      }
    }
    return true;
  }

  /**
   * Lists the lanes of the rows asked for; returns -1 as soon as they are more than {@code most}.
   */
  private int listed(int first, int n, int most) {
    int[] lanes = scratch.lanes;
    if (rows == null) {
      for (int i = 0; i < n; i++) {
        lanes[i] = i;
      }
      return n;
    }
    int count = 0;
    for (int i = rows.nextSetBit(first); i >= 0 && i < first + n; i = rows.nextSetBit(i + 1)) {
      if (count == most) {
        return -1;
      }
      lanes[count++] = i - first;
    }
    return count;
  }

  void direct(int first, int count) {
    int[] lanes = scratch.lanes;
    for (int i = 0; i < count; i++) {
      compare(first + lanes[i]);
    }
    computeGroup();
  }

  /** Takes a row to be compared; rows are computed as soon as they make a group. */
  void compare(int row) {
    if (lastRow >= 0 && sameVector(row, lastRow)) {
      // Tables with many copies of one vector defeat any bound, but not this.
      offer(lastKey, row);
      return;
    }
    scratch.place(chunks, layout, row, grouped);
    scratch.group[grouped++] = row;
    if (grouped == ExactKeys.GROUP) {
      computeGroup();
    }
  }

  /** The same of a row whose sum of a stage is known. */
  void compare(int row, int stage, int sum) {
    compare(row);
  }

  /** Computes the rows that are no whole group yet. */
  void computeGroup() {
    if (grouped > 0) {
      exact.compute(scratch.arrays, scratch.places, grouped, scratch.keys);
      for (int i = 0; i < grouped; i++) {
        offer(scratch.keys[i], scratch.group[i]);
      }
      lastRow = scratch.group[grouped - 1];
      lastKey = scratch.keys[grouped - 1];
      grouped = 0;
    }
  }

  private boolean sameVector(int a, int b) {
    int dims = layout.dims();
    int atA = a % layout.chunkRows() * dims;
    int atB = b % layout.chunkRows() * dims;
    float[] rowsA = chunks.get(a / layout.chunkRows()).rows();
    float[] rowsB = chunks.get(b / layout.chunkRows()).rows();
    return Arrays.mismatch(rowsA, atA, atA + dims, rowsB, atB, atB + dims) < 0;
  }

  private void offer(double key, int ordinal) {
    if (key <= farthest && heap.offer(key, ordinal)) {
      limit.lower(heap.worst());
    }
  }

  private void coded(int block, int[] dots) {
    Chunk chunk = chunk(block);
    int inChunk = inChunk(block);
    int first = block * layout.blockRows();
    int n = chunk.rowsOf(inChunk);
    int left = select(0, chunk, first, n, dots);
    if (left > k && limit.key() == farthest) {
      seed(chunk, first, left, dots);
      left = select(0, chunk, first, n, dots);
    }
    int stage = 0;
    if (left > n / many()) {
      bounds.bytes(kernel, chunk, inChunk, scratch, dots);
      stage = 1;
      left = select(1, chunk, first, n, dots);
    }
    int compared = refine(stage, chunk, first, n, left, dots);
    futile = compared > n / 2 && heap.worst() < Double.POSITIVE_INFINITY ? futile + 1 : 0;
  }

  /** Beyond this share of a block, the low halves are worth a pass of their own. */
  int many() {
    return MANY;
  }

  int select(int stage, Chunk chunk, int first, int n, int[] dots) {
    float max = bounds.limit(limit.key());
    int from = first % layout.chunkRows();
    int left = bounds.select(kernel, stage, chunk, from, n, dots, max, scratch.lanes);
    if (rows == null) {
      return left;
    }
    int[] lanes = scratch.lanes;
    int kept = 0;
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      lanes[kept] = lane;
      kept += rows.get(first + lane) ? 1 : 0;
    }
    return kept;
  }

  /**
   * Finds a first limit: the largest key of the k rows of a block that look nearest.
   *
   * <p>They are not offered to the heap, since they come again when the block is gone through.
   */
  void seed(Chunk chunk, int first, int left, int[] dots) {
    int[] lanes = scratch.lanes;
    int from = first % layout.chunkRows();
    NearestHeap nearest = new NearestHeap(k, Integer::compare);
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      nearest.offer(bounds.closer(0, chunk, from + lane, dots[lane]), first + lane);
    }
    seed(nearest);
  }

  /** Lowers the limit to the largest key of k rows, if so many are given. */
  void seed(NearestHeap nearest) {
    if (nearest.size() < k) {
      return;
    }
    double largest = scratch.largestKey(nearest, exact, chunks, layout);
    if (largest <= farthest) {
      limit.lower(largest);
    }
  }

  /**
   * Compares the rows that the bounds leave, those that look nearest first; returns how many.
   *
   * <p>Where they are few, only those are compared that look nearer than k others did: they lower
   * the limit, and most of the rest need not be compared when it is their turn.
   */
  int refine(int stage, Chunk chunk, int first, int n, int left, int[] dots) {
    int[] lanes = scratch.lanes;
    long[] order = scratch.order;
    int from = first % layout.chunkRows();
    float max = bounds.limit(limit.key());
    int count = 0;
    for (int i = 0; i < left; i++) {
      int lane = lanes[i];
      float bound = bounds.closer(stage, chunk, from + lane, dots[lane]);
      order[count] = sortable(bound) << 32 | first + lane;
      count += bound > max ? 0 : 1;
    }
    Arrays.sort(order, 0, count);
    // Bounds ascend, so the first that is above the limit ends the block.
    int compared = 0;
    while (compared < count
        && !(bound(order[compared]) > bounds.limit(limit.key()))
        && (count > n / MANY || promising.offer(bound(order[compared]), (int) order[compared]))) {
      compare((int) order[compared], stage, dots[(int) order[compared] - first]);
      compared++;
    }
    computeGroup();
    for (int i = compared; i < count && !(bound(order[i]) > bounds.limit(limit.key())); i++) {
      int row = (int) order[i];
      await(bound(order[i]), row, stage, dots[row - first]);
    }
    return compared;
  }

  private void await(float bound, int row, int stage, int sum) {
    if (waitingRows == WAITING_ROWS) {
      finish();
    }
    if (waitingRows == waiting.length) {
      waiting = Arrays.copyOf(waiting, 2 * waitingRows);
      waitingRow = Arrays.copyOf(waitingRow, 2 * waitingRows);
      waitingSum = Arrays.copyOf(waitingSum, 2 * waitingRows);
      waitingBytes = Arrays.copyOf(waitingBytes, 2 * waitingRows);
    }
    waiting[waitingRows] = sortable(bound) << 32 | waitingRows;
    waitingRow[waitingRows] = row;
    waitingSum[waitingRows] = sum;
    waitingBytes[waitingRows++] = stage == 1;
  }

  /** Compares the rows that were left for later; called by one thread when all blocks are done. */
  void finish() {
    if (waitingRows == 0) {
      return;
    }
    Arrays.sort(waiting, 0, waitingRows);
    for (int i = 0; i < waitingRows && !(bound(waiting[i]) > bounds.limit(limit.key())); i++) {
      int number = (int) waiting[i];
      compare(waitingRow[number], waitingBytes[number] ? 1 : 0, waitingSum[number]);
    }
    computeGroup();
    waitingRows = 0;
  }

  static long sortable(float bound) {
    int bits = Float.floatToIntBits(Float.isNaN(bound) ? Float.NEGATIVE_INFINITY : bound);
    return bits ^ bits >> 31 & Integer.MAX_VALUE;
  }

  static float bound(long ordered) {
    int bits = (int) (ordered >> 32);
    return Float.intBitsToFloat(bits ^ bits >> 31 & Integer.MAX_VALUE);
  }
}
