/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * What the codes say about one query whose metric is made of a dot product: all but L1.
 *
 * <p>With u the query in units (relative to the origin for L2), x a row relative to the origin, and
 * x = a·spread·c + r as {@link Chunk} has it,
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
final class DotBounds extends Bounds {
  /** Packs whose products are summed in 16 bits. */
  static final int RUN = 96;

  /** The bound on the sum of a run, with room for rounding the weights. */
  private static final double RUN_LIMIT = 30000;

  /** Codes taken to be at least this long, so that low halves fit their sums too. */
  private static final double LEAST_CODES = 15;

  private final Metric metric;
  private final boolean cosine;
  private final double[] u;
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

  private DotBounds(Metric metric, float[] query, Grid grid, CodeSizes sizes) {
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
    this.u = new double[dims];
    double[] runs = new double[(dims + 4 * RUN - 1) / (4 * RUN)];
    for (int d = 0; d < dims; d++) {
      double q = query[d] * grid.unit();
      double o = grid.origin()[d];
      double u = l2 ? q - o : q;
      this.u[d] = u;
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
    double step = Math.sqrt(longestRun) * Math.max(sizes.longest()[0], LEAST_CODES) / RUN_LIMIT;
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
      double products = Math.sqrt(q2) * (1 + Math.sqrt(origin2));
      double rounded = cosine ? SLACK * Math.abs(offset) : 0;
      betaAbove = SLACK * length;
      base = -offset - SLACK * length - sums * products - rounded;
      top = -offset + SLACK * length + sums * products + rounded;
    }
    double delta = Math.sqrt(delta2) * (1 + 2 * SLACK);
    kappa[0] = multiple * delta * sizes.longest()[1];
    kappa[1] = multiple * delta * sizes.longest()[2];
  }

  /** The bounds of a query, or null where they would rule out nothing. */
  static Bounds of(Metric metric, float[] query, Grid grid, CodeSizes sizes) {
    DotBounds bounds = new DotBounds(metric, query, grid, sizes);
    // L2 may be asked from the very origin; elsewhere a query's norm is what all else relates to.
    boolean l2 = metric == Metric.L2 || metric == Metric.L2_SQUARED;
    double least = l2 ? Double.MIN_NORMAL : 1 / FARTHEST;
    return bounds.length > least && bounds.length < FARTHEST ? bounds : null;
  }

  @Override
  short[] weights() {
    return weights;
  }

  @Override
  void high(Kernel kernel, Chunk chunk, int block, Scan.Scratch scratch, int[] sums) {
    dots(kernel, chunk.high, chunk, block, RUN, scratch, sums);
  }

  @Override
  void bytes(Kernel kernel, Chunk chunk, int block, Scan.Scratch scratch, int[] sums) {
    dots(kernel, chunk.low, chunk, block, lowRun, scratch, scratch.low);
    int n = chunk.rowsOf(block);
    for (int i = 0; i < n; i++) {
      sums[i] = 16 * sums[i] + scratch.low[i];
    }
  }

  private void dots(
      Kernel kernel,
      char[] codes,
      Chunk chunk,
      int block,
      int run,
      Scan.Scratch scratch,
      int[] sums) {
    int lanes = chunk.layout().padded(chunk.rowsOf(block));
    kernel.dots(codes, chunk.offset(block), lanes, weights, run, scratch.acc[0], sums);
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

  @Override
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

  @Override
  SketchBounds sketched(Sketch sketch) {
    SketchBounds sketched = new SketchBounds(this, sketch, u, length, multiple, beta);
    return sketched.usable() ? sketched : null;
  }

  /** What the bound of any row of a sketch must be above, for {@link #normed} to be above this. */
  double denormed(float limit, Sketch sketch) {
    if (!cosine) {
      return limit;
    }
    double inverse = limit < 0 ? sketch.mostInverse : sketch.leastInverse;
    double most = limit / (inverse * inverseNorm) - base;
    return most + (Math.abs(most) + Math.abs(base)) * 0x1p-20;
  }

  @Override
  Kernel.Line line(int stage) {
    return new Kernel.Line(
        (float) beta, (float) (multiple * length), (float) (multiple * t), (float) kappa[stage]);
  }

  @Override
  int select(
      Kernel kernel,
      int stage,
      Chunk chunk,
      int first,
      int n,
      int[] sums,
      float limit,
      int[] lanes) {
    if (!cosine) {
      return super.select(kernel, stage, chunk, first, n, sums, limit, lanes);
    }
    Kernel.Line line = line(stage);
    int left = 0;
    for (int j = 0; j < n; j++) {
      lanes[left] = j;
      left += normed(line.of(chunk, stage, first + j, sums[j]), chunk, first + j) > limit ? 0 : 1;
    }
    return left;
  }

  @Override
  float normed(float bound, Chunk chunk, int row) {
    return cosine ? ((float) base + bound) * chunk.inverseNorm[row] * (float) inverseNorm : bound;
  }

  @Override
  float closer(int stage, Chunk chunk, int row, int sum) {
    return closer(stage, chunk, row, (double) sum);
  }

  @Override
  float nearest(Chunk chunk, int row, double whole) {
    return closer(1, chunk, row, whole);
  }

  /** A bound as {@link Kernel.Line} has it, as it is compared with a limit. */
  float normed(double bound, Chunk chunk, int row) {
    return (float) (cosine ? (base + bound) * chunk.inverseNorm[row] * inverseNorm : bound);
  }

  private float closer(int stage, Chunk chunk, int row, double dot) {
    double e = chunk.error[stage][row];
    double a = chunk.scale[stage][row];
    double energy = chunk.energy[row];
    double across = across(stage, e, a, energy, dot);
    double bound = beta * energy - multiple * across * e - a * (multiple * t * dot + kappa[stage]);
    return normed(bound, chunk, row);
  }

  @Override
  double whole(Chunk chunk, int block, int lane) {
    return 16.0 * dot(chunk.high, chunk, block, lane) + dot(chunk.low, chunk, block, lane);
  }

  @Override
  double whole(int stage, int sum, Chunk chunk, int block, int lane) {
    return stage == 1 ? sum : 16.0 * sum + dot(chunk.low, chunk, block, lane);
  }

  /** The dot product of the weights with one half of the codes of one row of a block. */
  private int dot(char[] half, Chunk chunk, int block, int lane) {
    int lanes = chunk.layout().padded(chunk.rowsOf(block));
    int at = chunk.offset(block) + lane;
    int sum = 0;
    for (int w = 0; w < weights.length; w += 4, at += lanes) {
      char x = half[at];
      sum +=
          weights[w] * ((x & 15) - 8)
              + weights[w + 1] * ((x >> 4 & 15) - 8)
              + weights[w + 2] * ((x >> 8 & 15) - 8)
              + weights[w + 3] * ((x >> 12) - 8);
    }
    return sum;
  }

  /** The same sum as {@link #closer}, with all that is uncertain on the other side. */
  @Override
  double farthest(Chunk chunk, int row, double dot) {
    double e = chunk.error[1][row];
    double a = chunk.scale[1][row];
    double energy = chunk.energy[row];
    double across = across(1, e, a, energy, dot);
    double sum =
        top
            + betaAbove * energy
            + multiple * across * e
            - a * (multiple * t * dot - kappa[1])
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
  private double across(int stage, double e, double a, double energy, double dot) {
    double along = Math.max(0, multiple * t * a * Math.abs(dot) - a * kappa[stage]);
    double approximation2 = energy * (1 + 0x1p-20) - e * e;
    if (!(approximation2 > 0)) {
      return length;
    }
    double part = along / multiple;
    double across2 = length * length - part * part / approximation2 * (1 - 0x1p-20);
    return Math.sqrt(Math.max(0, across2));
  }
}
