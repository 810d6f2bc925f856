/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * What a {@link Sketch} says about one query whose metric is made of a dot product.
 *
 * <p>With u the query as {@link DotBounds} has it, P the first directions and v = Pu,
 *
 * <pre>
 *   u·x = Pu·Px + (u across P)·(x across P)
 *       ≤ v·z + |v| E + |u across P| T + skew |u||x|
 * </pre>
 *
 * <p>where the last is for directions that are orthonormal but for {@link Sketch#SKEW}, and for
 * roundings. With |u||x| ≤ |u|(1 + |x|²)/2 the bound is linear in z, E, T and N. It is summed with
 * integer weights for the four bits of each, of which at most {@code κ} is left.
 *
 * <p>With v' the query along the next directions and y the row's place along them, the same reads
 *
 * <pre>
 *   u·x ≤ v·z + |v| E + v'·y + |v'| F + |u across all| U + skew |u||x|
 * </pre>
 *
 * <p>so what a row's line adds to its sum is {@code v'·y + |v'| F + |u across all| U - |u across P|
 * T}. Weights along the next directions are integers, too ({@link LineWeights}).
 */
final class SketchBounds {
  /** What the sum of a row's weighted codes is at most. */
  static final double LIMIT = 31_500;

  private static final int CODE = LineWeights.CODE;

  private final DotBounds bounds;
  private final Sketch sketch;
  private final short[] weights;
  private final double t;
  private final double rest;

  private final LineWeights lineWeights;
  private final double lineT;
  private final double lineRest;
  private final double weightF;
  private final double weightU;

  /**
   * Prepares a query.
   *
   * @param u the query in units
   * @param length no less than its length
   * @param multiple how often the dot product counts
   * @param beta how often the squared length of a row counts at least
   */
  SketchBounds(
      DotBounds bounds, Sketch sketch, double[] u, double length, double multiple, double beta) {
    this.bounds = bounds;
    this.sketch = sketch;
    int n = sketch.directions;
    double[] w = new double[4 * sketch.packs()];
    double[] lineW = new double[sketch.next];
    double place2 = 0;
    double w2 = 0;
    double[] places = sketch.places(u);
    for (int j = 0; j < n; j++) {
      double v = places[j];
      place2 += v * v;
      w[j] = multiple * v * sketch.steps[j];
      w2 += w[j] * w[j];
    }
    double next2 = 0;
    for (int j = 0; j < lineW.length; j++) {
      double v = places[n + j];
      next2 += v * v;
      lineW[j] = multiple * v * sketch.steps[n + j];
    }
    double place = Math.sqrt(place2) * (1 + Bounds.SLACK);
    double across = across(length, place2);
    double skew = multiple * 2 * Sketch.SKEW * length;
    double b = beta - skew;
    // A row's square is less than a step above what is coded, but for rounding.
    b = b < 0 ? b * (1 + 4 * Bounds.SLACK) : b;
    halves(w, n, 2, multiple * place * sketch.stepE);
    halves(w, n + 2, 2, multiple * across * sketch.stepT);
    halves(w, n + 4, 3, -b * sketch.stepN);
    double most = Math.sqrt(w2) * sketch.longest;
    for (int i = n; i < w.length; i++) {
      most += 8 * Math.abs(w[i]);
    }
    t = most / LIMIT;
    weights = new short[w.length];
    double left2 = 0;
    double left = 0;
    int middle = 0;
    for (int i = 0; i < w.length; i++) {
      weights[i] = (short) Math.rint(w[i] / t);
      double delta = w[i] - t * weights[i];
      if (i < n) {
        left2 += delta * delta;
      } else {
        left += CODE * Math.abs(delta);
        middle += 8 * weights[i];
      }
    }
    double kappa = (Math.sqrt(left2) * sketch.longest + left) * (1 + Bounds.SLACK);
    double above = b < 0 ? -b * sketch.stepN : 0;
    rest = t * middle + kappa + skew + above * (1 + Bounds.SLACK);

    weightF = multiple * Math.sqrt(next2) * (1 + Bounds.SLACK) * sketch.stepF;
    weightU = multiple * across(length, place2 + next2) * sketch.stepU;
    double largest = 0;
    for (double weight : lineW) {
      largest = Math.max(largest, Math.abs(weight));
    }
    lineT = largest / LineWeights.MOST;
    int[] line = new int[lineW.length];
    double lineLeft2 = 0;
    double middleOfLine = 0;
    for (int j = 0; j < line.length; j++) {
      line[j] = lineT > 0 ? (int) Math.rint(lineW[j] / lineT) : 0;
      line[j] = Math.max(-LineWeights.MOST, Math.min(LineWeights.MOST, line[j]));
      double delta = lineW[j] - lineT * line[j];
      lineLeft2 += delta * delta;
      middleOfLine -= 8 * line[j];
    }
    lineWeights = LineWeights.of(line, sketch.longs);
    double lineKappa = Math.sqrt(lineLeft2) * sketch.longestNext * (1 + Bounds.SLACK);
    double terms = 8 * most + Math.abs(rest) + 255 * (weightF + weightU);
    terms += lineT * LineWeights.MOST * CODE * line.length;
    // The sum of these is rounded less than eight times.
    lineRest = rest + lineT * middleOfLine + lineKappa + terms * 0x1p-48;
  }

  /** No less than the length of what directions leave of a query. */
  private static double across(double length, double place2) {
    double length2 = length * length;
    return Math.sqrt(Math.max(0, length2 - place2) + Sketch.SKEW * length2);
  }

  /** The weights of a number of so many halves. */
  private static void halves(double[] w, int at, int n, double weight) {
    for (int i = 0; i < n; i++) {
      w[at + i] = weight * (1 << 4 * i);
    }
  }

  /** Whether there is anything that it could rule out. */
  boolean usable() {
    return t > 0 && t < Double.POSITIVE_INFINITY && !Double.isNaN(lineRest);
  }

  /** What {@link Kernel#dots} takes. */
  short[] weights() {
    return weights;
  }

  /** What a row's sum must be below, so that its bound is above a limit of {@link Bounds#limit}. */
  int threshold(float limit) {
    double sum = (-bounds.denormed(limit, sketch) - rest) / t;
    // Room for the roundings of this line.
    double least = Math.floor(sum - 1 - Math.abs(sum) * 0x1p-20);
    return least > -1e9 ? (int) Math.min(least, 1e9) : Integer.MIN_VALUE;
  }

  /**
   * Computes tighter bounds of some rows of a block, to compare with {@link Bounds#limit}.
   *
   * @param sums of the weights, one per row of the block
   * @param n how many, the first of the scratch's lanes, none of which is loose
   * @param chunk the block's, the index's so-manieth
   * @param first the block's first row in its chunk
   * @param scratch its bounds receive them
   */
  void closer(
      Kernel kernel, int[] sums, int n, Chunk chunk, int number, int first, Scan.Scratch scratch) {
    long[] lines = sketch.lines(number);
    int[] lanes = scratch.lanes;
    int[] at = scratch.low;
    int[] dots = scratch.dots[0];
    for (int i = 0; i < n; i++) {
      at[i] = sketch.line(first + lanes[i]);
    }
    kernel.lines(lines, at, n, lineWeights, dots);
    for (int i = 0; i < n; i++) {
      double bound = closer(sums[lanes[i]], dots[i], lines[at[i] + sketch.longs - 1]);
      scratch.bounds[i] = bounds.normed(bound, chunk, first + lanes[i]);
    }
  }

  /** The bound of one row, which isn't loose. */
  float closer(int sum, Chunk chunk, int number, int row) {
    long[] lines = sketch.lines(number);
    int at = sketch.line(row);
    double bound = closer(sum, lineWeights.dot(lines, at), lines[at + sketch.longs - 1]);
    return bounds.normed(bound, chunk, row);
  }

  private double closer(int sum, int dot, long last) {
    int extra = (int) (last >>> Sketch.F_SHIFT);
    int first = extra >>> Sketch.T_SHIFT - Sketch.F_SHIFT & 255;
    int n = sketch.directions;
    int ofT = weights[n + 2] * (first & CODE) + weights[n + 3] * (first >> 4);
    double product =
        t * (sum - ofT)
            + lineT * dot
            + weightF * (extra & 255)
            + weightU * (extra >>> Sketch.U_SHIFT - Sketch.F_SHIFT & 255)
            + lineRest;
    return -product;
  }
}
