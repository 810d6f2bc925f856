/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * What the codes say about one query: for each row, a number that its key can't be below.
 *
 * <p>A key is a metric's value, negated where the largest is nearest, so the smallest key is
 * nearest. With u the query in units (relative to the origin for L2), x a row relative to the
 * origin, and x = a·spread·c + r as {@link Chunk} has it,
 *
 * <pre>
 *   u·x = a × Σ u·spread·c + u·r,   |u·r| ≤ |u| × error
 *   squared L2       = |u|² + |x|² - 2 u·x
 *   -inner product   = -(u·origin) - u·x
 *   -cosine          = the same over the two norms
 * </pre>
 *
 * <p>The sum is taken with integer weights w, {@code u·spread = t × w + δ}, which leaves {@code a ×
 * |δ| × |c|}. All of it is linear in what is stored for a row:
 *
 * <pre>  bound = base + β × energy - γ × error - a × (τ × dot + κ)</pre>
 *
 * <p>The least-squares scale makes r perpendicular to the approximation, so |u| may be replaced by
 * the length of what of u is perpendicular to it: {@link #closer} does that for the few rows that
 * the linear bound leaves.
 *
 * <p>Rounding. Everything of a row is float. Each of the at most ten roundings in a bound is within
 * 2⁻²⁴ of one of its terms, whose sizes are at most energy, 2|u|√energy ≤ |u|(1 + energy), or a·κ;
 * so their sum is below {@link #SLACK} = 2⁻¹⁸ times the sum of these, and that is subtracted, as
 * part of the coefficients. What is summed in double over the dimensions, which includes the
 * metric's value itself, is within dims × 2⁻⁵³ of the sizes summed; four times that is subtracted
 * from the base. Overflow or NaN anywhere makes a bound that is NaN or minus infinity, which rules
 * out nothing.
 */
final class Bounds {
  /** Packs whose products are summed in 16 bits. */
  static final int RUN = 96;

  /** The bound on the sum of a run, with room for rounding the weights. */
  private static final double RUN_LIMIT = 30000;

  private static final double SLACK = 0x1p-18;

  /** Codes taken to be at least this long, so that low halves fit their sums too. */
  private static final double LEAST_CODES = 15;

  /** Beyond this length, in units, a query is so far off that its bounds would be useless. */
  private static final double FARTHEST = 0x1p40;

  private final Metric metric;
  private final boolean cosine;
  private final short[] weights;
  private final int lowRun;
  private final double unit2;
  private final double length;
  private final double t;
  private final double multiple;
  private final double base;
  private final double top;
  private final double sums;
  private final double beta;
  private final double betaAbove;
  private final double[] kappa = new double[2];
  private final double inverseNorm;

  private Bounds(Metric metric, float[] query, Grid grid, double[] longest) {
    this.metric = metric;
    cosine = metric == Metric.COSINE_DISTANCE || metric == Metric.COSINE_SIMILARITY;
    boolean l2 = metric == Metric.L2 || metric == Metric.L2_SQUARED;
    int dims = query.length;
    unit2 = grid.unit() * grid.unit();
    double u2 = 0;
    double q2 = 0;
    double offset = 0;
    double origin2 = 0;
    double[] w = new double[dims];
    double[] runs = new double[(dims + 4 * RUN - 1) / (4 * RUN)];
    for (int d = 0; d < dims; d++) {
      double q = query[d] * grid.unit();
      double o = grid.origin()[d];
      double u = l2 ? q - o : q;
      u2 += u * u;
      q2 += q * q;
      origin2 += o * o;
      offset += q * o;
      w[d] = u * grid.spread()[d];
      runs[d / (4 * RUN)] += w[d] * w[d];
    }
    double longestRun = 0;
    for (double run : runs) {
      longestRun = Math.max(longestRun, run);
    }
    double step = Math.sqrt(longestRun) * Math.max(longest[0], LEAST_CODES) / RUN_LIMIT;
    t = step > 0 ? step : 1;
    weights = new short[(dims + 3) / 4 * 4];
    double delta2 = 0;
    for (int d = 0; d < dims; d++) {
      weights[d] = (short) Math.rint(w[d] / t);
      double delta = w[d] - t * weights[d];
      delta2 += delta * delta;
    }
    lowRun = lowRun(weights);
    length = Math.sqrt(u2) * (1 + 0x1p-30);
    inverseNorm = 1 / Math.sqrt(q2);
    sums = (4.0 * dims + 64) * 0x1p-53;
    if (l2) {
      multiple = 2;
      beta = 1 - SLACK * (1 + length);
      betaAbove = 1 + SLACK * (1 + length);
      base = u2 - SLACK * length - sums * u2;
      top = u2 + SLACK * length + sums * u2;
    } else {
      multiple = 1;
      beta = -SLACK * length;
      double sizes = Math.sqrt(q2) * (1 + Math.sqrt(origin2));
      double rounded = cosine ? SLACK * Math.abs(offset) : 0;
      betaAbove = SLACK * length;
      base = -offset - SLACK * length - sums * sizes - rounded;
      top = -offset + SLACK * length + sums * sizes + rounded;
    }
    double delta = Math.sqrt(delta2) * (1 + 2 * SLACK);
    kappa[0] = multiple * delta * longest[1];
    kappa[1] = multiple * delta * longest[2];
  }

  /** The bounds of a query, or null where they would rule out nothing. */
  static Bounds of(Metric metric, float[] query, Grid grid, double[] longest) {
    if (metric == Metric.L1) {
      return null;
    }
    Bounds bounds = new Bounds(metric, query, grid, longest);
    // L2 may be asked from the very origin; elsewhere a query's norm is what all else relates to.
    boolean l2 = metric == Metric.L2 || metric == Metric.L2_SQUARED;
    double least = l2 ? Double.MIN_NORMAL : 1 / FARTHEST;
    return bounds.length > least && bounds.length < FARTHEST ? bounds : null;
  }

  short[] weights() {
    return weights;
  }

  /** How many packs of low halves may be summed in 16 bits. */
  int lowRun() {
    return lowRun;
  }

  private static int lowRun(short[] weights) {
    int run = RUN;
    while (run > 1 && !lowRunFits(weights, run)) {
      run /= 2;
    }
    return run;
  }

  private static boolean lowRunFits(short[] weights, int run) {
    for (int first = 0; first < weights.length; first += 4 * run) {
      long sum = 0;
      for (int d = first; d < Math.min(weights.length, first + 4 * run); d++) {
        sum += 8L * Math.abs(weights[d]);
      }
      if (sum > Short.MAX_VALUE) {
        return false;
      }
    }
    return true;
  }

  /** What a row's bound must be above, so that the row's key is above {@code key}. */
  float limit(double key) {
    double limit;
    if (cosine) {
      limit = (metric == Metric.COSINE_DISTANCE ? key - 1 : key) + sums + 0x1p-50;
    } else {
      // Distinct squares can have one root; the slack of sums is far above what that needs.
      double value = (metric == Metric.L2 ? key * Math.abs(key) : key) * unit2;
      limit = value - base + sums * Math.abs(value) + 0x1p-60 * (1 + length);
    }
    return Math.nextUp((float) limit);
  }

  /**
   * Finds the rows of a block that the linear bound does not rule out.
   *
   * @param stage 0 for dot products with high halves, 1 for those with whole bytes
   * @param dots one per row of the block
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
      int[] dots,
      float limit,
      int[] lanes) {
    float[] energy = chunk.energy;
    float[] error = chunk.error[stage];
    float[] scale = chunk.scale[stage];
    float b = (float) beta;
    float g = (float) (multiple * length);
    float tau = (float) (multiple * t);
    float k = (float) kappa[stage];
    int left = 0;
    if (cosine) {
      float[] inverse = chunk.inverseNorm;
      float c = (float) base;
      float inverseQuery = (float) inverseNorm;
      for (int j = 0; j < n; j++) {
        int row = first + j;
        float bound = b * energy[row] - g * error[row] - scale[row] * (tau * dots[j] + k);
        lanes[left] = j;
        left += (c + bound) * inverse[row] * inverseQuery > limit ? 0 : 1;
      }
      return left;
    }
    return kernel.select(
        new Kernel.Line(b, g, tau, k), energy, error, scale, first, n, dots, limit, lanes);
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
      int[] dots,
      int[] groups,
      int firstRow,
      float[] limits,
      int[] lanes,
      int n) {
    float[] energy = chunk.energy;
    float[] error = chunk.error[stage];
    float[] scale = chunk.scale[stage];
    float[] inverse = chunk.inverseNorm;
    float b = (float) beta;
    float g = (float) (multiple * length);
    float tau = (float) (multiple * t);
    float k = (float) kappa[stage];
    float c = (float) base;
    float inverseQuery = (float) inverseNorm;
    int left = 0;
    for (int i = 0; i < n; i++) {
      int lane = lanes[i];
      int row = first + lane;
      int group = groups[firstRow + lane];
      float bound = b * energy[row] - g * error[row] - scale[row] * (tau * dots[lane] + k);
      bound = cosine ? (c + bound) * inverse[row] * inverseQuery : bound;
      lanes[left] = lane;
      left += group == 0 || bound > limits[group] ? 0 : 1;
    }
    return left;
  }

  /** A tighter bound of one row, to compare with {@link #limit}. */
  float closer(int stage, Chunk chunk, int row, int dot) {
    double e = chunk.error[stage][row];
    double a = chunk.scale[stage][row];
    double energy = chunk.energy[row];
    double across = across(stage, e, a, energy, dot);
    double bound = beta * energy - multiple * across * e - a * (multiple * t * dot + kappa[stage]);
    if (cosine) {
      bound = (base + bound) * chunk.inverseNorm[row] * inverseNorm;
    }
    return (float) bound;
  }

  /**
   * A key that a row's key can't be above: the same sum as {@link #closer}, with all that is
   * uncertain on the other side.
   */
  double farthest(int stage, Chunk chunk, int row, int dot) {
    double e = chunk.error[stage][row];
    double a = chunk.scale[stage][row];
    double energy = chunk.energy[row];
    double across = across(stage, e, a, energy, dot);
    double sum =
        top
            + betaAbove * energy
            + multiple * across * e
            - a * (multiple * t * dot - kappa[stage])
            + 0x1p-60 * (1 + length);
    double key;
    if (cosine) {
      double value = sum * chunk.inverseNorm[row] * inverseNorm + sums + 0x1p-50;
      key = metric == Metric.COSINE_DISTANCE ? 1 + value : value;
    } else {
      double value = sum / (unit2 * (1 - 2 * sums * Math.signum(sum)));
      key = metric == Metric.L2 ? Math.sqrt(Math.max(0, value)) * (1 + 0x1p-50) : value;
    }
    return Double.isNaN(key) ? Double.POSITIVE_INFINITY : key;
  }

  /** The length of what of the query is perpendicular to a row's approximation, or more. */
  private double across(int stage, double e, double a, double energy, int dot) {
    double along = Math.max(0, multiple * t * a * Math.abs((double) dot) - a * kappa[stage]);
    double approximation2 = energy * (1 + 0x1p-20) - e * e;
    if (!(approximation2 > 0)) {
      return length;
    }
    double part = along / multiple;
    double across2 = length * length - part * part / approximation2 * (1 - 0x1p-20);
    return Math.sqrt(Math.max(0, across2));
  }
}
