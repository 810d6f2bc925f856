/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * What a {@link Sketch} says about one query whose metric is made of a dot product.
 *
 * <p>With u the query as {@link DotBounds} has it, Q an orthonormal basis of the directions and v =
 * along u, which is Qu but for {@link Sketch#skew}:
 *
 * <pre>
 *   u·x = Qu·Qx̂ + (u across Q)·(x̂ across Q) + u·(x - x̂)
 *       ≤ v·z + |v| E + |u across Q| T + 3.4 skew |u||x|
 * </pre>
 *
 * <p>since |u| × error ≤ |v| × error + |u across Q| × error + skew |u||x|, the errors are part of E
 * and T, and what the skew adds to Qu·Qx̂ is at most 2.3 skew |u||x|. With |u||x| ≤ |u|(1 + |x|²)/2
 * the bound is linear in z, E, T and N. It is summed with integer weights for the four bits of
 * each, of which at most {@code κ} is left.
 */
final class SketchBounds {
  private static final double LIMIT = 31_500;

  private final DotBounds bounds;
  private final short[] weights;
  private final double t;
  private final double rest;

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
    int n = sketch.directions;
    double[] w = new double[4 * sketch.packs()];
    double place2 = 0;
    double w2 = 0;
    for (int j = 0; j < n; j++) {
      double v = Subspace.dot(sketch.along[j], u);
      place2 += v * v;
      w[j] = multiple * v * sketch.steps[j];
      w2 += w[j] * w[j];
    }
    double place = Math.sqrt(place2) * (1 + Bounds.SLACK);
    double least = Math.max(0, Math.sqrt(place2) - sketch.skew * length);
    double across = Math.sqrt(Math.max(0, length * length - least * least)) * (1 + Bounds.SLACK);
    double skew = multiple * 1.7 * sketch.skew * length;
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
        left += 15 * Math.abs(delta);
        middle += 8 * weights[i];
      }
    }
    double kappa = (Math.sqrt(left2) * sketch.longest + left) * (1 + Bounds.SLACK);
    double above = b < 0 ? -b * sketch.stepN : 0;
    rest = t * middle + kappa + skew + above * (1 + Bounds.SLACK);
  }

  /** The weights of a number of so many halves. */
  private static void halves(double[] w, int at, int n, double weight) {
    for (int i = 0; i < n; i++) {
      w[at + i] = weight * (1 << 4 * i);
    }
  }

  /** Whether there is anything that it could rule out. */
  boolean usable() {
    return t > 0 && t < Double.POSITIVE_INFINITY && !Double.isNaN(rest);
  }

  /** What {@link Kernel#dots} takes. */
  short[] weights() {
    return weights;
  }

  /** What a row's sum must be below, so that its bound is above a limit of {@link Bounds#limit}. */
  int threshold(float limit, Sketch sketch) {
    double sum = (-bounds.denormed(limit, sketch) - rest) / t;
    // Room for the roundings of this line.
    double least = Math.floor(sum - 1 - Math.abs(sum) * 0x1p-20);
    return least > -1e9 ? (int) Math.min(least, 1e9) : Integer.MIN_VALUE;
  }
}
