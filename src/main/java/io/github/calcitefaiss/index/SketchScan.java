/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A search's look at the sketch of some blocks at a time: first at the sums of all their rows, then
 * at the lines of those that may be near enough, then at the floats of the few that still may be.
 *
 * <p>How near a row must be is shown by the floats of k rows: of those that look nearest by their
 * sums, and, as lines are looked at, of those that look nearest by these.
 */
final class SketchScan {
  /** What a line takes, and a row's floats, where a row's codes take 1 in the pass over all. */
  private static final double LINE = 2.5;

  private static final double FLOATS = 33;

  /** The same of what is looked at before it may be said to be too much. */
  private static final int TRIAL = 1 << 13;

  /** So often it may leave too many; then the codes are looked at from the start. */
  private static final int FUTILE = 2;

  /** If fewer than this share of the rows are asked for, they are looked at one by one. */
  private static final int FEW = 48;

  /** If fewer than this share, it takes less to go through them than through all sums. */
  private static final int SPARSE = 6;

  /** Rows, beside k, whose lines are looked at for a first limit. */
  private static final int FIRST_LINES = 22;

  /** For each of the k nearest, so many rows are looked at before they may serve for a limit. */
  private static final int SEEN = 256;

  private final Scan scan;
  private final Sketch sketch;
  private final SketchBounds bounds;
  private final BitSet rows;
  private final boolean few;

  /** Where rows are few, all of them, and for each block the first of its own. */
  private final int[] listed;

  private final int[] starts;
  private NearestHeap nearest;
  private NearestHeap promising;
  private long[] left = new long[64];
  private int size;
  private int futile;

  SketchScan(Scan scan, Sketch sketch, SketchBounds bounds, BitSet rows) {
    this.scan = scan;
    this.sketch = sketch;
    this.bounds = bounds;
    this.rows = rows;
    int asked = rows == null ? Integer.MAX_VALUE : rows.cardinality();
    few = asked < scan.rows() / FEW;
    boolean sparse = !few && asked < scan.rows() / SPARSE;
    listed = sparse ? new int[asked] : null;
    starts = sparse ? starts() : null;
  }

  private int[] starts() {
    int blockRows = scan.layout.blockRows();
    int[] starts = new int[scan.rows() / blockRows + 2];
    int n = 0;
    for (int row = rows.nextSetBit(0); row >= 0; row = rows.nextSetBit(row + 1)) {
      listed[n++] = row;
      starts[row / blockRows + 1] = n;
    }
    for (int block = 1; block < starts.length; block++) {
      starts[block] = Math.max(starts[block], starts[block - 1]);
    }
    return starts;
  }

  Scan scan() {
    return scan;
  }

  /** Whether a look may be enough. */
  boolean promises() {
    return futile < FUTILE && !few;
  }

  /**
   * Looks at some blocks for up to {@link Kernel#TOGETHER} searches that share a scratch.
   *
   * @return those for which too many rows are left, of which none were taken
   */
  static List<SketchScan> look(List<SketchScan> all, int[] blocks, Checkpoint checkpoint) {
    Scan any = all.get(0).scan;
    int[][][] sums = any.scratch.looks(all.size(), blocks.length);
    for (SketchScan scan : all) {
      scan.nearest = new NearestHeap(scan.scan.k + FIRST_LINES, Integer::compare);
    }
    for (int b = 0; b < blocks.length; b++) {
      checkpoint.check();
      look(all, blocks[b], b, sums);
    }
    List<SketchScan> failed = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      checkpoint.check();
      if (!all.get(i).take(blocks, sums[i])) {
        failed.add(all.get(i));
      }
    }
    return failed;
  }

  /** Sums up a block for the searches that ask for rows of it. */
  private static void look(List<SketchScan> all, int block, int b, int[][][] sums) {
    short[][] weights = new short[all.size()][];
    int[][] out = new int[all.size()][];
    SketchScan[] asking = new SketchScan[all.size()];
    int n = 0;
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).asks(block)) {
        asking[n] = all.get(i);
        weights[n] = asking[n].bounds.weights();
        out[n++] = sums[i][b];
      }
    }
    if (n > 0) {
      Scan any = all.get(0).scan;
      all.get(0)
          .sketch
          .dots(any.kernel, any.layout, block, any.rowsOf(block), weights, n, any.scratch.acc, out);
      for (int i = 0; i < n; i++) {
        asking[i].near(block, out[i]);
      }
    }
  }

  private boolean asks(int block) {
    if (rows == null) {
      return true;
    }
    int first = block * scan.layout.blockRows();
    int row = rows.nextSetBit(first);
    return row >= 0 && row < first + scan.rowsOf(block);
  }

  /** Remembers the rows of a block that look nearest. */
  private void near(int block, int[] sums) {
    int first = block * scan.layout.blockRows();
    int n = scan.rowsOf(block);
    int[] lanes = scan.scratch.lanes;
    int count = atLeast(first, sums, n, least());
    for (int i = 0; i < count; i++) {
      int sum = sums[lanes[i]];
      if (sum >= least() && asked(first + lanes[i])) {
        nearest.offer(-sum, first + lanes[i]);
      }
    }
  }

  /** Finds the lanes whose sum is so large, of rows that may be asked for; returns how many. */
  private int atLeast(int first, int[] sums, int n, int threshold) {
    int[] lanes = scan.scratch.lanes;
    if (listed == null) {
      return scan.kernel.atLeast(sums, n, threshold, lanes);
    }
    int block = first / scan.layout.blockRows();
    int count = 0;
    for (int i = starts[block]; i < starts[block + 1]; i++) {
      lanes[count] = listed[i] - first;
      count += sums[listed[i] - first] >= threshold ? 1 : 0;
    }
    return count;
  }

  private int least() {
    return nearest.worst() < Double.POSITIVE_INFINITY
        ? (int) -nearest.worst() + 1
        : Integer.MIN_VALUE;
  }

  private boolean asked(int row) {
    return (rows == null || rows.get(row)) && !sketch.loose.get(row);
  }

  /** Takes the rows that are left, if they are few. */
  private boolean take(int[] blocks, int[][] sums) {
    promising = new NearestHeap(scan.k, Integer::compare);
    first();
    size = 0;
    int next = (int) Math.min(Integer.MAX_VALUE, (long) SEEN * scan.k);
    int all = 0;
    int lines = 0;
    for (int b = 0; b < blocks.length; b++) {
      if (!asks(blocks[b])) {
        continue;
      }
      int n = scan.rowsOf(blocks[b]);
      lines += collect(blocks[b], sums[b], n);
      all += n;
      if (isMuch(lines, size, all + TRIAL)) {
        futile++;
        return false;
      }
      if (all >= next) {
        next = 4 * all;
        seed();
      }
    }
    Arrays.sort(left, 0, size);
    for (int i = 0; i < size && !(Scan.bound(left[i]) > limit()); i++) {
      scan.compare((int) left[i]);
    }
    scan.computeGroup();
    return true;
  }

  /** Whether so many lines and rows take longer than the codes of as many rows. */
  static boolean isMuch(int lines, int rows, int codes) {
    return LINE * lines + FLOATS * rows > codes;
  }

  private float limit() {
    return scan.bounds.limit(scan.limit.key());
  }

  /** Finds a limit among the rows whose sums look nearest. */
  private void first() {
    int n = nearest.size();
    int[] found = new int[n];
    double[] sums = new double[n];
    nearest.drain(sums, found);
    for (int i = 0; i < n; i++) {
      promising.offer(closer((int) -sums[i], found[i]), found[i]);
    }
    seed();
    promising = new NearestHeap(scan.k, Integer::compare);
  }

  /** Lowers the limit to what the rows show whose lines look nearest. */
  private void seed() {
    NearestHeap copy = new NearestHeap(scan.k, Integer::compare);
    promising.offerTo(copy);
    scan.seed(copy);
  }

  private float closer(int sum, int row) {
    int number = row / scan.layout.chunkRows();
    return bounds.closer(sum, scan.chunks.get(number), number, row % scan.layout.chunkRows());
  }

  /** Looks at the lines of a block's rows that are left; returns how many. */
  private int collect(int block, int[] sums, int n) {
    float limit = limit();
    int[] lanes = scan.scratch.lanes;
    int first = block * scan.layout.blockRows();
    int count = atLeast(first, sums, n, bounds.threshold(limit));
    int number = block / scan.layout.chunkBlocks();
    Chunk chunk = scan.chunks.get(number);
    int inChunk = first % scan.layout.chunkRows();
    int lines = count;
    if (rows != null || sketch.nextLoose(first) < first + n) {
      lines = 0;
      for (int i = 0; i < count; i++) {
        lanes[lines] = lanes[i];
        lines += asked(first + lanes[i]) ? 1 : 0;
      }
    }
    float[] closer = scan.scratch.bounds;
    bounds.closer(scan.kernel, sums, lines, chunk, number, inChunk, scan.scratch);
    for (int i = 0; i < lines; i++) {
      if (!(closer[i] > limit)) {
        promising.offer(closer[i], first + lanes[i]);
        add(closer[i], first + lanes[i]);
      }
    }
    for (int i = sketch.nextLoose(first); i < first + n; i = sketch.nextLoose(i + 1)) {
      if (rows == null || rows.get(i)) {
        add(Float.NEGATIVE_INFINITY, i);
      }
    }
    return lines;
  }

  private void add(float bound, int row) {
    if (size == left.length) {
      left = Arrays.copyOf(left, 2 * size);
    }
    left[size++] = Scan.sortable(bound) << 32 | row;
  }
}
