/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A first, coarser look at the rows of an index: where they are along the few directions in which
 * they differ most.
 *
 * <p>An index of embeddings has most of what tells its rows apart in a quarter of as many
 * directions as it has dimensions. Each row's place along these is coded in four bits each, and so
 * is what that leaves out; {@link SketchBounds} says what follows for a query. The idea of an
 * orthogonal transform that puts first what counts most, with a bound on the rest, is that of
 * Panorama (Ramani et al., "Panorama: Fast-Track Nearest Neighbors", 2025).
 *
 * <p>Made of the codes of an index, after it was built. With x̂ what the bytes of a row stand for,
 * relative to the origin, |x - x̂| ≤ error, P the directions and z the place that is coded, a row
 * has
 *
 * <pre>
 *   E ≥ |P x̂ - z| + error             what the code leaves out within the directions
 *   T ≥ |x̂ across P| + error          what they leave out
 *   N ≤ |x|² (less than one step above)
 * </pre>
 *
 * <p>in steps of their own: of eight, eight and twelve bits, which lie in two packs behind those of
 * z. So a single dot product gives a row's bound. Rows for which one of these is too large are
 * listed as loose: nothing is said of them.
 */
final class Sketch {
  /** An index of fewer rows is searched quickly enough. */
  static final int LEAST_ROWS = 1 << 14;

  private static final int LEAST_DIMS = 128;

  /**
   * Of more dimensions, the most directions are too small a share: 1,024 took 1.3 times as long.
   */
  private static final int MOST_DIMS = 512;

  private static final int MOST_DIRECTIONS = 128;

  /** Packs for what a row's place leaves out. */
  static final int EXTRA_PACKS = 2;

  static final int MOST_BYTE = 255;
  static final int MOST_ENERGY = 4095;

  /** Packs that are summed in 16 bits along a direction: the fewer, the finer its integers. */
  private static final int RUN = 4;

  private static final double RUN_LIMIT = 32000;

  /** The step of the codes, in standard deviations of a direction. */
  private static final double STEP = 0.42;

  private static final int SAMPLE_ROWS = 2048;

  /** Products at most that the covariance of a sample may take. */
  private static final long SAMPLE_WORK = 600_000_000;

  private static final int ITERATIONS = 5;

  /** A share of the energy that the directions must have, or the sketch would rule out little. */
  private static final double LEAST_SHARE = 0.4;

  /** Beyond this the directions would be too far from being orthonormal. */
  private static final double MOST_SKEW = 0.1;

  /** Number of directions, a multiple of four. */
  final int directions;

  /** The directions, each by what a row relative to the origin is multiplied with. */
  final double[][] along;

  /** For each direction, how far it is from one code to the next. */
  final double[] steps;

  /** |Qx - along x| is at most this share of |x|, where Q is an orthonormal basis of the same. */
  final double skew;

  final double stepE;
  final double stepT;
  final double stepN;

  /** The norm of the longest code of a place. */
  final double longest;

  /** The smallest and the largest of one over the norm of the rows that aren't loose. */
  final float leastInverse;

  final float mostInverse;

  /** Rows of which nothing is said. */
  final BitSet loose;

  private final char[][] planes;

  private Sketch(Maker maker) {
    directions = maker.directions;
    along = maker.along;
    steps = maker.steps;
    skew = maker.skew;
    stepE = maker.stepE;
    stepT = maker.stepT;
    stepN = maker.stepN;
    longest = Math.sqrt(maker.longest2);
    leastInverse = maker.leastInverse;
    mostInverse = maker.mostInverse;
    loose = maker.loose;
    planes = maker.planes;
  }

  /** How many directions an index would have; 0 for no sketch. */
  static int directions(long rows, int dims) {
    if (rows < LEAST_ROWS || dims < LEAST_DIMS || dims > MOST_DIMS) {
      return 0;
    }
    return directions(dims);
  }

  private static int directions(int dims) {
    return Math.max(4, Math.min(MOST_DIRECTIONS, dims / 4) / 4 * 4);
  }

  /** Bytes that are set aside for the sketch of an index, whether or not it is ever made. */
  static long bytes(long rows, int dims) {
    int directions = directions(rows, dims);
    return directions == 0 ? 0 : rows * 2L * (directions / 4 + EXTRA_PACKS);
  }

  /** Packs of a row. */
  int packs() {
    return directions / 4 + EXTRA_PACKS;
  }

  /** The codes of a chunk, laid out as {@link Kernel} reads them. */
  char[] plane(int chunk) {
    return planes[chunk];
  }

  /** Where a block begins in its plane. */
  int offset(Layout layout, int block) {
    return block * layout.blockRows() * packs();
  }

  /**
   * Makes the sketch of an index, on the calling thread.
   *
   * @return null where it would be of no use
   */
  static Sketch of(Kernel kernel, Layout layout, List<Chunk> chunks, Grid grid) {
    int dims = layout.dims();
    Maker maker = new Maker(kernel, layout, chunks, grid, directions(dims));
    return maker.make() ? new Sketch(maker) : null;
  }

  private static final class Maker {
    private final Kernel kernel;
    private final Layout layout;
    private final List<Chunk> chunks;
    private final Grid grid;
    private final int dims;
    private final int rows;
    private final int directions;
    private final double[][] along;
    private final double[] steps;
    private final short[][] weights;
    private final double[] factors;
    private final BitSet loose = new BitSet();
    private final char[][] planes;
    private double skew;
    private double stepE;
    private double stepT;
    private double stepN;
    private double longest2;
    private float leastInverse = Float.POSITIVE_INFINITY;
    private float mostInverse;

    private Maker(Kernel kernel, Layout layout, List<Chunk> chunks, Grid grid, int directions) {
      this.kernel = kernel;
      this.layout = layout;
      this.chunks = chunks;
      this.grid = grid;
      this.directions = directions;
      dims = layout.dims();
      rows = chunks.stream().mapToInt(chunk -> chunk.count).sum();
      along = new double[directions][dims];
      steps = new double[directions];
      weights = new short[directions][(dims + 3) / 4 * 4];
      factors = new double[directions];
      planes = new char[chunks.size()][];
    }

    private boolean make() {
      for (double spread : grid.spread()) {
        if (!(spread > 0)) {
          return false;
        }
      }
      int n = (int) Math.min(SAMPLE_ROWS, Math.max(512, SAMPLE_WORK / dims / dims));
      n = Math.min(n, rows);
      double[][] sample = new double[n][];
      for (int i = 0; i < n; i++) {
        sample[i] = decoded((int) ((long) i * rows / n));
      }
      if (directions > Math.min(n, dims)
          || !Subspace.largest(sample, grid.origin(), along, ITERATIONS)) {
        return false;
      }
      round();
      skew = skew(along);
      if (!(skew < MOST_SKEW) || !scales(sample)) {
        return false;
      }
      for (int i = 0; i < planes.length; i++) {
        Chunk chunk = chunks.get(i);
        planes[i] = new char[layout.padded(chunk.count) * (directions / 4 + EXTRA_PACKS)];
        for (int block = 0; block < chunk.blocks(); block++) {
          code(i, block);
        }
      }
      return loose.cardinality() <= rows / 16;
    }

    /** What the bytes of a row stand for, relative to the origin. */
    private double[] decoded(int ordinal) {
      Chunk chunk = chunks.get(ordinal / layout.chunkRows());
      int row = ordinal % layout.chunkRows();
      int block = row / layout.blockRows();
      double[] x = new double[dims];
      double a = chunk.scale[1][row];
      for (int d = 0; d < dims; d++) {
        x[d] = a * grid.spread()[d] * chunk.code(block, row % layout.blockRows(), d);
      }
      return x;
    }

    /** Makes the directions such that integers along them give a row's place exactly. */
    private void round() {
      for (int j = 0; j < directions; j++) {
        double[] v = along[j];
        double most = 0;
        for (int first = 0; first < dims; first += 4 * RUN) {
          double sum = 0;
          for (int d = first; d < Math.min(dims, first + 4 * RUN); d++) {
            sum += 8 * Math.abs(v[d] * grid.spread()[d]);
          }
          most = Math.max(most, sum);
        }
        double t = most / RUN_LIMIT;
        for (int d = 0; d < dims; d++) {
          weights[j][d] = (short) Math.rint(v[d] * grid.spread()[d] / t);
          v[d] = t * weights[j][d] / grid.spread()[d];
        }
        factors[j] = t;
      }
    }

    /**
     * With G = P Pᵀ and |G - I| ≤ η, Q = G^(-1/2) P is orthonormal, and |Qx - Px| ≤ |I - √G| |x| ≤
     * (1 - √(1 - η)) |x|.
     */
    private static double skew(double[][] p) {
      double[][] rest = new double[p.length][p.length];
      for (int i = 0; i < p.length; i++) {
        for (int j = 0; j < p.length; j++) {
          rest[i][j] = Subspace.dot(p[i], p[j]) - (i == j ? 1 : 0);
        }
      }
      double eta = Subspace.norm(rest) * (1 + 0x1p-20) + 0x1p-30;
      return eta < 1 ? 1 - Math.sqrt(1 - eta) : 1;
    }

    /** Chooses the steps from a sample; whether that promises anything. */
    private boolean scales(double[][] sample) {
      int n = sample.length;
      double[] e = new double[n];
      double[] t = new double[n];
      double[] energy = new double[n];
      double[][] places = new double[n][directions];
      double inside = 0;
      double all = 0;
      for (int i = 0; i < n; i++) {
        energy[i] = Subspace.dot(sample[i], sample[i]);
        double place2 = 0;
        for (int j = 0; j < directions; j++) {
          places[i][j] = Subspace.dot(along[j], sample[i]);
          place2 += places[i][j] * places[i][j];
          steps[j] += places[i][j] * places[i][j] / n;
        }
        inside += place2;
        all += energy[i];
        t[i] = across(energy[i], place2);
      }
      for (int j = 0; j < directions; j++) {
        steps[j] = STEP * Math.sqrt(steps[j]);
        if (!(steps[j] > 0)) {
          return false;
        }
      }
      for (int i = 0; i < n; i++) {
        double rest2 = 0;
        for (int j = 0; j < directions; j++) {
          double rest = places[i][j] - steps[j] * code(places[i][j], j);
          rest2 += rest * rest;
        }
        e[i] = Math.sqrt(rest2);
      }
      stepE = step(e, MOST_BYTE);
      stepT = step(t, MOST_BYTE);
      stepN = step(energy, MOST_ENERGY);
      return inside > LEAST_SHARE * all && stepE > 0 && stepT > 0 && stepN > 0;
    }

    /** A step in which all but a few outliers fit. */
    private static double step(double[] values, int most) {
      double[] sorted = values.clone();
      Arrays.sort(sorted);
      return 1.5 * sorted[(int) (sorted.length * 0.98)] / most;
    }

    private int code(double place, int j) {
      return (int) Math.max(-8, Math.min(7, Math.rint(place / steps[j])));
    }

    /** No less than the length of what the directions leave of a vector. */
    private double across(double energy, double place2) {
      double place = Math.max(0, Math.sqrt(place2) - skew * Math.sqrt(energy));
      return Math.sqrt(Math.max(0, energy - place * place));
    }

    private void code(int number, int block) {
      Chunk chunk = chunks.get(number);
      char[] plane = planes[number];
      int n = chunk.rowsOf(block);
      int lanes = layout.padded(n);
      int first = block * layout.blockRows();
      int at = first * (directions / 4 + EXTRA_PACKS);
      double[] rest2 = new double[n];
      double[] place2 = new double[n];
      int[] code2 = new int[n];
      short[][] acc = new short[Kernel.TOGETHER][lanes];
      int[][] high = new int[Kernel.TOGETHER][lanes];
      int[][] low = new int[Kernel.TOGETHER][lanes];
      for (int j = 0; j < directions; j += 4) {
        short[][] four = Arrays.copyOfRange(weights, j, j + 4);
        kernel.dots(chunk.high, chunk.offset(block), lanes, four, 4, RUN, acc, high);
        kernel.dots(chunk.low, chunk.offset(block), lanes, four, 4, RUN, acc, low);
        int to = at + j / 4 * lanes;
        for (int i = 0; i < 4; i++) {
          double factor = factors[j + i];
          for (int lane = 0; lane < n; lane++) {
            double place =
                chunk.scale[1][first + lane] * (factor * (16 * high[i][lane] + low[i][lane]));
            int code = code(place, j + i);
            double rest = place - steps[j + i] * code;
            rest2[lane] += rest * rest;
            place2[lane] += place * place;
            code2[lane] += code * code;
            plane[to + lane] |= (char) (code + 8 << 4 * i);
          }
        }
      }
      int to = at + directions / 4 * lanes;
      for (int lane = 0; lane < n; lane++) {
        rest(number, first + lane, rest2[lane], place2[lane], plane, to + lane, lanes);
        longest2 = Math.max(longest2, code2[lane]);
      }
    }

    /** Codes what a row's place leaves out. */
    private void rest(
        int number, int row, double rest2, double place2, char[] plane, int to, int lanes) {
      Chunk chunk = chunks.get(number);
      double energy = chunk.energy[row] * (1 + Bounds.SLACK);
      double error = chunk.error[1][row];
      double e = Math.ceil((Math.sqrt(rest2) * (1 + Bounds.SLACK) + error) / stepE);
      double t = Math.ceil((across(energy, place2) * (1 + Bounds.SLACK) + error) / stepT);
      double n = Math.floor(energy * (1 - 2 * Bounds.SLACK) / stepN);
      // A comparison with NaN is false.
      if (!(e <= MOST_BYTE && t <= MOST_BYTE && n <= MOST_ENERGY)) {
        loose.set(number * layout.chunkRows() + row);
        return;
      }
      plane[to] = (char) ((int) e | (int) t << 8);
      plane[to + lanes] = (char) (int) n;
      leastInverse = Math.min(leastInverse, chunk.inverseNorm[row]);
      mostInverse = Math.max(mostInverse, chunk.inverseNorm[row]);
    }
  }
}
