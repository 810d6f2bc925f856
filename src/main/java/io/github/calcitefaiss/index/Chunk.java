/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * Some rows of an index: their floats, their codes, and what the codes leave out.
 *
 * <p>A row x, in the grid's units and relative to its origin, is coded by one byte a dimension,
 * {@code c = 16 × high + low} with both halves from -8 to 7. High and low halves lie in planes of
 * their own, laid out as {@link Kernel} reads them, so a first pass reads half a byte a dimension
 * and a second one makes it eight bits. For each row there are two approximations:
 *
 * <pre>
 *   x = scale[0] × spread × high + r,   |r| ≤ error[0]
 *   x = scale[1] × spread × c    + r,   |r| ≤ error[1]
 * </pre>
 *
 * <p>The scales are the least-squares ones, which makes the rest perpendicular to the
 * approximation; {@link Bounds} uses that. The errors are computed from the row itself and rounded
 * up. A row that a float can't describe has an infinite error: it is never ruled out by its codes.
 */
final class Chunk {
  /** Bytes of parameters a row. */
  static final int ROW_BYTES = 6 * Float.BYTES;

  /**
   * A step of the four-bit codes, in standard deviations of a row: near the best for a Gaussian.
   */
  private static final double STEP = 0.42;

  /** A row whose largest element is beyond this many deviations may do better without clipping. */
  private static final double SPIKE = 5;

  private static final double TINY = 0x1p-80;
  private static final double HUGE = 0x1p80;

  final int count;
  final float[] rows;
  final char[] high;
  final char[] low;

  /** Squared distance of each row from the origin. */
  final float[] energy;

  /** Scales of the high halves, then of the bytes. */
  final float[][] scale;

  /** Errors of the high halves, then of the bytes. */
  final float[][] error;

  /** One over each row's norm, for cosine; meaningless for a zero row, which never qualifies. */
  final float[] inverseNorm;

  /** The norms of the longest code vectors: high halves in one run, in a whole row; bytes. */
  final double[] longest = new double[3];

  private final Layout layout;

  Chunk(Layout layout, float[] rows, int count) {
    this.layout = layout;
    this.rows = rows;
    this.count = count;
    int chars = layout.padded(count) * layout.packs();
    high = new char[chars];
    low = new char[chars];
    energy = new float[count];
    scale = new float[2][count];
    error = new float[2][count];
    inverseNorm = new float[count];
  }

  /** Bytes of memory held. */
  long bytes() {
    return 4L * rows.length + 2L * (high.length + low.length) + (long) ROW_BYTES * count;
  }

  /** Where a block's codes begin. */
  int offset(int block) {
    return block * layout.blockRows() * layout.packs();
  }

  int blocks() {
    return (count + layout.blockRows() - 1) / layout.blockRows();
  }

  /** Rows of a block. */
  int rowsOf(int block) {
    return Math.min(layout.blockRows(), count - block * layout.blockRows());
  }

  /** Codes the rows of a block; blocks may be coded by several threads. */
  void encode(int block, Grid grid) {
    Encoder encoder = new Encoder(grid);
    int first = block * layout.blockRows();
    int n = rowsOf(block);
    int lanes = layout.padded(n);
    for (int lane = 0; lane < n; lane++) {
      encoder.row(first + lane, offset(block) + lane, lanes);
    }
    synchronized (longest) {
      for (int i = 0; i < longest.length; i++) {
        longest[i] = Math.max(longest[i], Math.sqrt(encoder.longest[i]));
      }
    }
  }

  private final class Encoder {
    private final int dims = layout.dims();
    private final Grid grid;
    private final double[] inverse = new double[dims];
    private final double[] x = new double[dims];
    private final double[] y = new double[dims];
    private final byte[] best = new byte[dims];
    private final byte[] other = new byte[dims];
    private final double[] longest = new double[3];

    Encoder(Grid grid) {
      this.grid = grid;
      for (int d = 0; d < dims; d++) {
        inverse[d] = grid.spread()[d] > 0 ? 1 / grid.spread()[d] : 0;
      }
    }

    void row(int row, int to, int lanes) {
      double norm2 = 0;
      double energy2 = 0;
      double max = 0;
      double sum2 = 0;
      int from = row * dims;
      for (int d = 0; d < dims; d++) {
        double v = rows[from + d] * grid.unit();
        norm2 += v * v;
        x[d] = v - grid.origin()[d];
        energy2 += x[d] * x[d];
        y[d] = x[d] * inverse[d];
        max = Math.max(max, Math.abs(y[d]));
        sum2 += y[d] * y[d];
      }
      double deviation = Math.sqrt(sum2 / dims);
      quantise(Math.min(max / 7.49, STEP * deviation), best);
      if (max > SPIKE * deviation) {
        quantise(max / 7.49, other);
        if (rest(other, 4, fit(other, 4)) < rest(best, 4, fit(best, 4))) {
          System.arraycopy(other, 0, best, 0, dims);
        }
      }
      store(to, lanes);
      float inverse = (float) (1 / Math.sqrt(norm2));
      boolean describable = energy2 < HUGE && inverse > TINY && inverse < HUGE;
      inverseNorm[row] = describable ? inverse : 1;
      if (!describable) {
        error[0][row] = Float.POSITIVE_INFINITY;
        error[1][row] = Float.POSITIVE_INFINITY;
        return;
      }
      energy[row] = (float) energy2;
      float a4 = energy2 < TINY ? 0 : (float) fit(best, 4);
      float a8 = energy2 < TINY ? 0 : (float) fit(best, 8);
      scale[0][row] = a4;
      scale[1][row] = a8;
      error[0][row] = up(rest(best, 4, a4));
      error[1][row] = up(rest(best, 8, a8));
    }

    /** Codes y in bytes of 136 + c, for a given step of the high halves. */
    private void quantise(double step, byte[] codes) {
      double factor = step > 0 ? 16 / step : 0;
      for (int d = 0; d < dims; d++) {
        codes[d] = (byte) (int) Math.max(0, Math.min(255, y[d] * factor + 136.5));
      }
    }

    private double value(byte code, int bits) {
      int z = code & 255;
      return bits == 4 ? (z >> 4) - 8 : z - 136;
    }

    /** The scale that leaves the least of x. */
    private double fit(byte[] codes, int bits) {
      double dot = 0;
      double square = 0;
      for (int d = 0; d < dims; d++) {
        double c = grid.spread()[d] * value(codes[d], bits);
        dot += x[d] * c;
        square += c * c;
      }
      return square > 0 ? dot / square : 0;
    }

    /** The norm of what the codes leave of x. */
    private double rest(byte[] codes, int bits, double scale) {
      double sum = 0;
      for (int d = 0; d < dims; d++) {
        double r = x[d] - scale * grid.spread()[d] * value(codes[d], bits);
        sum += r * r;
      }
      return Math.sqrt(sum);
    }

    private void store(int to, int lanes) {
      double run = 0;
      double all = 0;
      double bytes = 0;
      for (int pack = 0; pack < layout.packs(); pack++) {
        int hi = 0;
        int lo = 0;
        for (int i = 0; i < 4; i++) {
          int d = 4 * pack + i;
          int z = d < dims ? best[d] & 255 : 136;
          hi |= (z >> 4) << 4 * i;
          lo |= (z & 15) << 4 * i;
          int h = (z >> 4) - 8;
          run += h * h;
          bytes += (z - 136.0) * (z - 136.0);
        }
        high[to + pack * lanes] = (char) hi;
        low[to + pack * lanes] = (char) lo;
        if ((pack + 1) % Bounds.RUN == 0 || pack + 1 == layout.packs()) {
          longest[0] = Math.max(longest[0], run);
          all += run;
          run = 0;
        }
      }
      longest[1] = Math.max(longest[1], all);
      longest[2] = Math.max(longest[2], bytes);
    }
  }

  /** A float no smaller than a computed norm nor than the real one. */
  private static float up(double norm) {
    return Math.nextUp((float) (norm * (1 + 0x1p-40)));
  }
}
