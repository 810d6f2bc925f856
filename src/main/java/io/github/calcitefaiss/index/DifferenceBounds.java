/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * What the codes say about the L1 distance of rows from one query.
 *
 * <p>With u the query and x a row, in units and relative to the origin, and x = a·spread·c + r as
 * {@link Chunk} has it, |r|₁ ≤ √dims × |r| ≤ √dims × error, so
 *
 * <pre>  |u - x|₁ ≥ |u - a·spread·c|₁ - √dims × error</pre>
 *
 * <p>The sum is taken with integers: {@code B = round(β / a)} for each row, {@code U ≈ τ × u} and
 * {@code S ≈ τ × β × spread} for each dimension make {@code T = U × B - S × c}, which is {@code
 * τβ/a × (u - a·spread·c)} but for roundings. With {@code out = Σ (|T| shifted)},
 *
 * <pre>
 *   |u - a·spread·c|₁ ≥ a/(τβ) × 2^shift × out
 *                     - aB/β × Σ|u - U/τ|                      what U leaves
 *                     - |1 - aB/β| × |u|₁                      what B leaves, |1 - aB/β| ≤ a/2β
 *                     - a × |spread - S/(τβ)| × |c|            what S leaves
 * </pre>
 *
 * <p>and with aB/β ≤ 1 + a/2β all is linear in a and the error. A row whose B doesn't fit is given
 * an out of 0, which leaves a bound below 0. Overflow or NaN makes a bound that rules out nothing.
 *
 * <p>Rounding. The terms of the line are floats, each within 2⁻²⁴ of itself in each of at most six
 * steps; {@link #SLACK} is taken from the first and added to the others. Sums in double, which
 * include the metric's own value, are within dims × 2⁻⁵³ of the sizes summed; four times that is
 * part of the limit.
 */
final class DifferenceBounds extends Bounds {
  /** What B is for a typical row: half of what it may be. */
  private static final double TYPICAL_B = 144;

  private static final int MOST_B = 255;

  /** {@code MOST_U × MOST_B} and the most that {@code S × c} may be fit a short together. */
  private static final int MOST_U = 90;

  private static final double MOST_STEP = (Short.MAX_VALUE - MOST_U * MOST_B) / 8.5;

  /** How far B may be from the quotient: half, and what the division in floats rounds. */
  private static final double HALF = 0.5001;

  /** The largest code of each stage, in steps. */
  private static final double[] MOST_CODE = {8, 136};

  private final Grid grid;
  private final double[] u;
  private final double length;
  private final double rootDims;
  private final double sums;
  private final short[][] targets = new short[2][];
  private final short[][] steps = new short[2][];
  private final float[] beta = new float[2];
  private final double[] tau = new double[2];
  private final double[] kappa = new double[2];
  private final double[] left = new double[2];
  private final Kernel.Line[] lines = new Kernel.Line[2];

  private DifferenceBounds(float[] query, Grid grid, CodeSizes sizes) {
    this.grid = grid;
    int dims = query.length;
    u = new double[dims];
    double sum = 0;
    double most = 0;
    double mostSpread = 0;
    for (int d = 0; d < dims; d++) {
      u[d] = query[d] * grid.unit() - grid.origin()[d];
      sum += Math.abs(u[d]);
      most = Math.max(most, Math.abs(u[d]));
      mostSpread = Math.max(mostSpread, grid.spread()[d]);
    }
    length = sum;
    rootDims = Math.sqrt(dims) * (1 + SLACK);
    sums = (4.0 * dims + 64) * 0x1p-53;
    for (int stage = 0; stage < 2; stage++) {
      scale(stage, most, mostSpread, sizes);
    }
  }

  /** Chooses the integers of a stage, and finds what they leave out. */
  private void scale(int stage, double most, double mostSpread, CodeSizes sizes) {
    int dims = u.length;
    double typical = sizes.typical()[stage];
    beta[stage] = (float) (TYPICAL_B * typical);
    double b = beta[stage];
    double mostStep = MOST_STEP * MOST_CODE[0] / MOST_CODE[stage];
    double t = Math.min(MOST_U / most, mostStep / (mostSpread * b));
    targets[stage] = new short[(dims + 3) / 4 * 4];
    steps[stage] = new short[targets[stage].length];
    double leftU = 0;
    double leftS2 = 0;
    for (int d = 0; d < dims; d++) {
      targets[stage][d] = (short) Math.rint(u[d] * t);
      steps[stage][d] = (short) Math.rint(grid.spread()[d] * t * b);
      leftU += Math.abs(u[d] - targets[stage][d] / t);
      double s = grid.spread()[d] - steps[stage][d] / (t * b);
      leftS2 += s * s;
    }
    left[stage] = leftU * (1 + SLACK);
    double leftB = HALF * (leftU + length) / b;
    kappa[stage] = (leftB + Math.sqrt(leftS2) * sizes.longest()[stage + 1]) * (1 + SLACK);
    tau[stage] = (1 << Kernel.SHIFT) / (t * b) * (1 - SLACK);
    lines[stage] = new Kernel.Line(0, (float) rootDims, (float) -tau[stage], (float) kappa[stage]);
  }

  /** The bounds of a query, or null where they would rule out nothing. */
  static Bounds of(float[] query, Grid grid, CodeSizes sizes) {
    DifferenceBounds bounds = new DifferenceBounds(query, grid, sizes);
    return bounds.length < FARTHEST && bounds.usable() ? bounds : null;
  }

  private boolean usable() {
    boolean usable = true;
    for (int stage = 0; stage < 2; stage++) {
      usable &= tau[stage] > 0 && Float.isFinite((float) tau[stage]);
      usable &= Float.isFinite((float) kappa[stage]) && Float.isFinite((float) left[stage]);
    }
    return usable;
  }

  @Override
  short[] weights() {
    return null;
  }

  @Override
  void high(Kernel kernel, Chunk chunk, int block, Scan.Scratch scratch, int[] sums) {
    pass(kernel, 0, chunk, null, block, scratch, sums);
  }

  @Override
  void bytes(Kernel kernel, Chunk chunk, int block, Scan.Scratch scratch, int[] sums) {
    pass(kernel, 1, chunk, chunk.low, block, scratch, sums);
  }

  private void pass(
      Kernel kernel,
      int stage,
      Chunk chunk,
      char[] low,
      int block,
      Scan.Scratch scratch,
      int[] sums) {
    int n = chunk.rowsOf(block);
    int first = block * chunk.layout().blockRows();
    char[] multipliers = scratch.multipliers;
    boolean all = Kernel.multipliers(beta[stage], chunk.scale[stage], first, n, multipliers);
    kernel.differences(
        chunk.high,
        low,
        chunk.offset(block),
        chunk.layout().padded(n),
        targets[stage],
        steps[stage],
        multipliers,
        scratch.acc[0],
        scratch.sums,
        sums);
    for (int j = 0; j < n && !all; j++) {
      sums[j] = multipliers[j] == 0 ? 0 : sums[j];
    }
  }

  @Override
  float limit(double key) {
    double value = key * grid.unit();
    double most = value + most() + sums * (Math.abs(value) + length) + 0x1p-60 * (1 + length);
    return Math.nextUp((float) most);
  }

  /** The part of what is left out that is one for all rows. */
  private double most() {
    return Math.max(left[0], left[1]);
  }

  @Override
  Kernel.Line line(int stage) {
    return lines[stage];
  }

  @Override
  float closer(int stage, Chunk chunk, int row, int sum) {
    return lines[stage].of(chunk, stage, row, sum);
  }

  /** The L1 distance from what the bytes of a row approximate. */
  @Override
  double whole(Chunk chunk, int block, int lane) {
    int lanes = chunk.layout().padded(chunk.rowsOf(block));
    int at = chunk.offset(block) + lane;
    double a = chunk.scale[1][block * chunk.layout().blockRows() + lane];
    double[] spread = grid.spread();
    double sum = 0;
    for (int d = 0; d < u.length; d++) {
      int place = at + d / 4 * lanes;
      int shift = 4 * (d % 4);
      int code = 16 * (chunk.high[place] >> shift & 15) + (chunk.low[place] >> shift & 15) - 136;
      sum += Math.abs(u[d] - a * spread[d] * code);
    }
    return sum;
  }

  @Override
  double whole(int stage, int sum, Chunk chunk, int block, int lane) {
    return whole(chunk, block, lane);
  }

  @Override
  float nearest(Chunk chunk, int row, double whole) {
    // A limit has room for most(), which isn't needed here.
    return (float) ((whole + most()) * (1 - SLACK) - rootDims * chunk.error[1][row]);
  }

  @Override
  double farthest(Chunk chunk, int row, double whole) {
    double value = whole * (1 + SLACK) + rootDims * chunk.error[1][row];
    double key = (value * (1 + SLACK) + sums * length + 0x1p-60 * (1 + length)) / grid.unit();
    return Double.isNaN(key) ? Double.POSITIVE_INFINITY : key;
  }
}
