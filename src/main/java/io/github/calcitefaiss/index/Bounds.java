/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * What the codes say about one query: for each row, a number that its key can't be below.
 *
 * <p>A key is a metric's value, negated where the largest is nearest, so the smallest key is
 * nearest. A pass over a block gives each row a sum of small integers; the bound is linear in that
 * and in what is stored for a row ({@link Kernel.Line}), so that most rows are ruled out by one
 * comparison. Stage 0 is the pass over the high halves of the codes, stage 1 that over whole bytes.
 */
abstract class Bounds {
  /** A share of the terms of a bound that is far above all roundings of floats in it. */
  static final double SLACK = 0x1p-18;

  /** Beyond this length, in units, a query is so far off that its bounds would be useless. */
  static final double FARTHEST = 0x1p40;

  /** The bounds of a query, or null where they would rule out nothing. */
  static Bounds of(Metric metric, float[] query, Grid grid, CodeSizes sizes) {
    return metric == Metric.L1
        ? DifferenceBounds.of(query, grid, sizes)
        : DotBounds.of(metric, query, grid, sizes);
  }

  /** What {@link Kernel#dots} takes, where the sums are dot products; else null. */
  abstract short[] weights();

  /** Sums up the high halves of a block of a chunk. */
  abstract void high(Kernel kernel, Chunk chunk, int block, Scan.Scratch scratch, int[] sums);

  /** Makes these the sums over whole bytes. */
  abstract void bytes(Kernel kernel, Chunk chunk, int block, Scan.Scratch scratch, int[] sums);

  /** What a row's bound must be above, so that the row's key is above {@code key}. */
  abstract float limit(double key);

  /** What a sketch says about the query, or null. */
  SketchBounds sketched(Sketch sketch) {
    return null;
  }

  /** The linear bound after a pass. */
  abstract Kernel.Line line(int stage);

  /** The bound of the line, as it is compared with a limit. */
  float normed(float bound, Chunk chunk, int row) {
    return bound;
  }

  /**
   * Finds the rows of a block that the linear bound does not rule out.
   *
   * @param sums one per row of the block, of that stage
   * @param limit from {@link #limit}
   * @param lanes receives the rows left, by their place in the block
   * @return how many are left
   */
  int select(
      Kernel kernel,
      int stage,
      Chunk chunk,
      int first,
      int n,
      int[] sums,
      float limit,
      int[] lanes) {
    return kernel.select(
        line(stage),
        chunk.energy,
        chunk.error[stage],
        chunk.scale[stage],
        first,
        n,
        sums,
        limit,
        lanes);
  }

  /**
   * Of the rows of a block that {@link #select} left, those that the same bound doesn't rule out
   * with the limit of their group.
   *
   * @param groups the group of each row of the index, 0 for none
   * @param firstRow the block's first row in the index
   * @param limits of each group, from {@link #limit}
   * @return how many are left of {@code lanes}
   */
  int select(
      int stage,
      Chunk chunk,
      int first,
      int[] sums,
      int[] groups,
      int firstRow,
      float[] limits,
      int[] lanes,
      int n) {
    Kernel.Line line = line(stage);
    int left = 0;
    for (int i = 0; i < n; i++) {
      int lane = lanes[i];
      int group = groups[firstRow + lane];
      float bound = normed(line.of(chunk, stage, first + lane, sums[lane]), chunk, first + lane);
      lanes[left] = lane;
      left += group == 0 || bound > limits[group] ? 0 : 1;
    }
    return left;
  }

  /** A tighter bound of one row, or the same, to compare with {@link #limit}. */
  abstract float closer(int stage, Chunk chunk, int row, int sum);

  /** All that the bytes of one row of a block say. */
  abstract double whole(Chunk chunk, int block, int lane);

  /** The same of a row whose sum of a stage is known. */
  abstract double whole(int stage, int sum, Chunk chunk, int block, int lane);

  /** A bound that {@link #whole} gives, to compare with {@link #limit}. */
  abstract float nearest(Chunk chunk, int row, double whole);

  /** A key that a row's key can't be above. */
  abstract double farthest(Chunk chunk, int row, double whole);
}
