/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A search's look at the sketch of some blocks at a time: first at the sums of all their rows, then
 * at the floats of the k rows that look nearest, which show how near a row must be, then at the few
 * rows that may be so near.
 */
final class SketchScan {
  /** If it leaves more than this share of the rows, the codes are looked at. */
  private static final int MANY = 16;

  /** So often it may leave too many; then the codes are looked at from the start. */
  private static final int FUTILE = 2;

  /** If fewer than this share of the rows are asked for, they are looked at one by one. */
  private static final int FEW = 24;

  private final Scan scan;
  private final Sketch sketch;
  private final SketchBounds bounds;
  private final BitSet rows;
  private final boolean few;
  private NearestHeap nearest;
  private long[] left = new long[64];
  private int size;
  private int futile;

  SketchScan(Scan scan, Sketch sketch, SketchBounds bounds, BitSet rows) {
    this.scan = scan;
    this.sketch = sketch;
    this.bounds = bounds;
    this.rows = rows;
    few = rows != null && rows.cardinality() < scan.rows() / FEW;
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
    short[][] weights = new short[all.size()][];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = all.get(i).bounds.weights();
      all.get(i).nearest = new NearestHeap(all.get(i).scan.k, Integer::compare);
    }
    for (int b = 0; b < blocks.length; b++) {
      checkpoint.check();
      int[][] out = new int[all.size()][];
      for (int i = 0; i < out.length; i++) {
        out[i] = sums[i][b];
      }
      dots(any, all.get(0).sketch, blocks[b], weights, out);
      for (int i = 0; i < out.length; i++) {
        all.get(i).near(blocks[b], out[i]);
      }
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

  private static void dots(Scan any, Sketch sketch, int block, short[][] weights, int[][] out) {
    any.kernel.dots(
        sketch.plane(block / any.layout.chunkBlocks()),
        sketch.offset(any.layout, any.inChunk(block)),
        any.layout.padded(any.rowsOf(block)),
        weights,
        weights.length,
        sketch.packs(),
        any.scratch.acc,
        out);
  }

  /** Remembers the rows of a block that look nearest. */
  private void near(int block, int[] sums) {
    int first = block * scan.layout.blockRows();
    int n = scan.rowsOf(block);
    int least = least();
    for (int lane = 0; lane < n; lane++) {
      if (sums[lane] >= least && asked(first + lane)) {
        nearest.offer(-sums[lane], first + lane);
        least = least();
      }
    }
  }

  private int least() {
    return nearest.size() < scan.k ? Integer.MIN_VALUE : (int) -nearest.worst() + 1;
  }

  private boolean asked(int row) {
    return (rows == null || rows.get(row)) && !sketch.loose.get(row);
  }

  /** Takes the rows that are left, if they are few. */
  private boolean take(int[] blocks, int[][] sums) {
    scan.seed(nearest);
    int threshold = threshold();
    int most = blocks.length * scan.layout.blockRows() / MANY;
    size = 0;
    for (int b = 0; b < blocks.length; b++) {
      int first = blocks[b] * scan.layout.blockRows();
      int n = scan.rowsOf(blocks[b]);
      collect(first, sums[b], n, threshold);
      if (size > most) {
        futile++;
        return false;
      }
    }
    Arrays.sort(left, 0, size);
    for (int i = size - 1; i >= 0 && (int) (left[i] >> 32) >= threshold(); i--) {
      scan.compare((int) left[i]);
    }
    scan.computeGroup();
    return true;
  }

  private int threshold() {
    return bounds.threshold(scan.bounds.limit(scan.limit.key()), sketch);
  }

  private void collect(int first, int[] sums, int n, int threshold) {
    int[] lanes = scan.scratch.lanes;
    int count = scan.kernel.atLeast(sums, n, threshold, lanes);
    for (int i = 0; i < count; i++) {
      if (asked(first + lanes[i])) {
        add(sums[lanes[i]], first + lanes[i]);
      }
    }
    BitSet loose = sketch.loose;
    for (int i = loose.nextSetBit(first); i >= 0 && i < first + n; i = loose.nextSetBit(i + 1)) {
      if (rows == null || rows.get(i)) {
        add(Integer.MAX_VALUE, i);
      }
    }
  }

  private void add(int sum, int row) {
    if (size == left.length) {
      left = Arrays.copyOf(left, 2 * size);
    }
    left[size++] = (long) sum << 32 | row;
  }
}
