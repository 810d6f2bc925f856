/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

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
 * approximation; {@link DotBounds} uses that. The errors are computed from the row itself and
 * rounded up. A row that a float can't describe has an infinite error: it is never ruled out by its
 * codes.
 */
final class Chunk {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

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

  /** The values of each byte's high half and of the whole, faster looked up than converted. */
  private static final double[] HALVES = new double[256];

  private static final double[] BYTES = new double[256];

  static {
    for (int z = 0; z < 256; z++) {
      HALVES[z] = (z >> 4) - 8;
      BYTES[z] = z - 136;
    }
  }

  final int count;

  /** The floats; null where they are left to the table. */
  private float[] rows;

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
    return (rows == null ? 0 : 4L * rows.length)
        + 2L * (high.length + low.length)
        + (long) ROW_BYTES * count;
  }

  Layout layout() {
    return layout;
  }

  /** The floats of the rows, one row after the other; null where they are left to the table. */
  float[] rows() {
    return rows;
  }

  /** Everything that is kept for each row beside its codes. */
  List<float[]> parameters() {
    return List.of(energy, scale[0], scale[1], error[0], error[1], inverseNorm);
  }

  /** Lets the floats go. */
  void forget() {
    rows = null;
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
    encode(block, 0, rowsOf(block), grid);
  }

  /**
   * Codes some rows of a block.
   *
   * @param from the first of them, a multiple of {@link Layout#LANE_STEP}
   * @param to the first that isn't, such a multiple or the end of the block
   */
  void encode(int block, int from, int to, Grid grid) {
    Encoder encoder = new Encoder(grid);
    int first = block * layout.blockRows();
    int lanes = layout.padded(rowsOf(block));
    for (int lane = from; lane < to; lane += Layout.LANE_STEP) {
      int tile = Math.min(Layout.LANE_STEP, to - lane);
      for (int i = 0; i < tile; i++) {
        encoder.row(first + lane + i, i);
      }
      encoder.store(offset(block) + lane, lanes);
    }
    synchronized (longest) {
      for (int i = 0; i < longest.length; i++) {
        longest[i] = Math.max(longest[i], Math.sqrt(encoder.longest[i]));
      }
    }
  }

  private final class Encoder {
    private final int dims = layout.dims();
    private final int packs = layout.packs();
    private final double unit;
    private final double[] origin;
    private final double[] spread;
    private final double[] inverse;
    private final double[] x;
    private final double[] y;
    private final double[] longest = new double[3];

    /** One byte a dimension of some rows, before they are moved to their planes. */
    private final byte[] tile = new byte[4 * packs * Layout.LANE_STEP];

    // What the last call of code() found: sums of x·v and v·v for both approximations.
    private double dot4;
    private double square4;
    private double dot8;
    private double square8;
    private int runHigh2;
    private int runByte2;

    Encoder(Grid grid) {
      unit = grid.unit();
      origin = grid.origin();
      // Padded with zeros to whole packs, which then need no tail.
      spread = Arrays.copyOf(grid.spread(), 4 * packs);
      inverse = new double[4 * packs];
      x = new double[4 * packs];
      y = new double[4 * packs];
      for (int d = 0; d < dims; d++) {
        inverse[d] = spread[d] > 0 ? 1 / spread[d] : 0;
      }
    }

    void row(int row, int lane) {
      double norm2 = 0;
      double energy2 = 0;
      double max = 0;
      double sum2 = 0;
      int from = row * dims;
      for (int d = 0; d < dims; d++) {
        double v = rows[from + d] * unit;
        norm2 += v * v;
        double r = v - origin[d];
        x[d] = r;
        energy2 += r * r;
        double s = r * inverse[d];
        y[d] = s;
        sum2 += s * s;
        max = Math.abs(s) > max ? Math.abs(s) : max;
      }
      double deviation = Math.sqrt(sum2 / dims);
      double step = Math.min(max / 7.49, STEP * deviation);
      code(step, lane);
      if (max > SPIKE * deviation) {
        double left = rest2(energy2, dot4, square4);
        code(max / 7.49, lane);
        if (left < rest2(energy2, dot4, square4)) {
          code(step, lane);
        }
      }
      float inverse = (float) (1 / Math.sqrt(norm2));
      boolean describable = energy2 < HUGE && inverse > TINY && inverse < HUGE;
      inverseNorm[row] = describable ? inverse : 1;
      if (!describable) {
        error[0][row] = Float.POSITIVE_INFINITY;
        error[1][row] = Float.POSITIVE_INFINITY;
        return;
      }
      energy[row] = (float) energy2;
      if (energy2 < TINY) {
        error[0][row] = up(Math.sqrt(energy2));
        error[1][row] = error[0][row];
        return;
      }
      scale[0][row] = square4 > 0 ? (float) (dot4 / square4) : 0;
      scale[1][row] = square8 > 0 ? (float) (dot8 / square8) : 0;
      error[0][row] = up(Math.sqrt(rest2(energy2, dot4, square4)));
      error[1][row] = up(Math.sqrt(rest2(energy2, dot8, square8)));
    }

    /**
     * The square of what the least-squares multiple of v leaves of x, with room for rounding.
     *
     * <p>|x - a·v|² = x·x - (x·v)²/(v·v) + (v·v)(a - x·v/v·v)². The sums are within dims × 2⁻⁵³ of
     * x·x, the float a within 2⁻²⁴ of the quotient.
     */
    private double rest2(double energy2, double dot, double square) {
      double fitted = square > 0 ? dot / square * dot : 0;
      return Math.max(0, energy2 - fitted) + energy2 * (8.0 * dims * 0x1p-53 + 0x1p-46);
    }

    /** Moves the coded rows to their place in the planes. */
    void store(int to, int lanes) {
      for (int pack = 0; pack < packs; pack++) {
        int at = to + pack * lanes;
        for (int lane = 0; lane < Layout.LANE_STEP; lane++) {
          int four = (int) INTS.get(tile, 4 * (lane * packs + pack));
          high[at + lane] = nibbles(four >>> 4);
          low[at + lane] = nibbles(four);
        }
      }
    }

    /** The low halves of four bytes. */
    private static char nibbles(int four) {
      int pairs = four & 0x0F0F0F0F;
      pairs = (pairs | pairs >>> 4) & 0x00FF00FF;
      return (char) (pairs | pairs >>> 8);
    }

    /** Codes x with a step of the high halves, and sums up how the codes relate to x. */
    private void code(double step, int lane) {
      double factor = step > 0 ? 16 / step : 0;
      dot4 = 0;
      square4 = 0;
      dot8 = 0;
      square8 = 0;
      long high2 = 0;
      long byte2 = 0;
      for (int from = 0; from < 4 * packs; from += 4 * DotBounds.RUN) {
        int to = Math.min(4 * packs, from + 4 * DotBounds.RUN);
        codeRun(factor, lane * 4 * packs, from, to);
        longest[0] = Math.max(longest[0], runHigh2);
        high2 += runHigh2;
        byte2 += runByte2;
      }
      longest[1] = Math.max(longest[1], high2);
      longest[2] = Math.max(longest[2], byte2);
    }

    private void codeRun(double factor, int at, int from, int to) {
      double xv4 = 0;
      double vv4 = 0;
      double xv8 = 0;
      double vv8 = 0;
      int high2 = 0;
      int byte2 = 0;
      for (int d = from; d < to; d++) {
        int z = Math.max(0, Math.min(255, (int) (y[d] * factor + 136.5)));
        tile[at + d] = (byte) z;
        int h = (z >> 4) - 8;
        int c = z - 136;
        high2 += h * h;
        byte2 += c * c;
        double v4 = spread[d] * HALVES[z];
        double v8 = spread[d] * BYTES[z];
        xv4 += x[d] * v4;
        vv4 += v4 * v4;
        xv8 += x[d] * v8;
        vv8 += v8 * v8;
      }
      dot4 += xv4;
      square4 += vv4;
      dot8 += xv8;
      square8 += vv8;
      runHigh2 = high2;
      runByte2 = byte2;
    }
  }

  /** A float no smaller than a computed norm nor than the real one. */
  private static float up(double norm) {
    return Math.nextUp((float) (norm * (1 + 0x1p-40)));
  }
}
