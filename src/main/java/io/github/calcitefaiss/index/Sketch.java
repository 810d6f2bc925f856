/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A first, coarser look at the rows of an index: where they are along the directions in which they
 * differ most.
 *
 * <p>An index of embeddings has most of what tells its rows apart in a third of as many directions
 * as it has dimensions. Each row's place along these is coded in four bits each, and so is what
 * that leaves out; {@link SketchBounds} says what follows for a query. About as many directions
 * that come next are coded in a <em>line</em> of a row's own, a cache line of 64 bytes at 384
 * dimensions, which is looked at where the first leave a row. The idea of an orthogonal transform
 * that puts first what counts most, with a bound on the rest, is that of Panorama (Ramani et al.,
 * "Panorama: Fast-Track Nearest Neighbors", 2025).
 *
 * <p>Made of the floats of an index, after it was built. With x a row relative to the origin, P the
 * first directions and z the place that is coded, R the next and y the place along them, a row has
 *
 * <pre>
 *   E ≥ |P x - z|            what the code leaves out within the first directions
 *   T ≥ |x across P|         what they leave out
 *   N ≤ |x|² (less than one step above)
 *   F ≥ |R x - y|            what the line leaves out within the next directions
 *   U ≥ |x across P and R|   what all leave out
 * </pre>
 *
 * <p>in steps of their own: E, T and N of eight, eight and twelve bits, which lie in two packs
 * behind those of z. So a single dot product gives a row's bound. F and U, of eight bits each, lie
 * in the line's last four bytes with T. Rows for which one of these is too large are listed as
 * loose: nothing is said of them.
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

  /** Longs of a line at most: a cache line. */
  private static final int MOST_LONGS = 8;

  /** Dimensions for each long of a line. */
  private static final int DIMS_OF_LONG = 48;

  /** Where F, U and T lie in the last long of a line. */
  static final int F_SHIFT = 32;

  static final int U_SHIFT = 40;
  static final int T_SHIFT = 48;

  /**
   * Longs before the first line: with an array's header of 16 bytes, lines are cache lines where
   * the array is at the beginning of one, as large arrays are.
   */
  private static final int FIRST_LINE = 6;

  /** Packs for what a row's place leaves out. */
  static final int EXTRA_PACKS = 2;

  static final int MOST_BYTE = 255;
  static final int MOST_ENERGY = 4095;

  /** How far from orthonormal the directions may be, for what is derived for a query. */
  static final double SKEW = 0x1p-32;

  /** The step of the codes, in standard deviations of a direction. */
  static final double STEP = 0.42;

  /** What the later directions leave out is much more for a few rows than for most. */
  private static final double RARE = 3;

  /** A direction is coded as if rows had at least this share of the largest square along it. */
  private static final double LEAST_SQUARE = 1e-12;

  private static final int SAMPLE_ROWS = 2048;

  /** Products at most that the covariance of a sample may take. */
  private static final long SAMPLE_WORK = 600_000_000;

  private static final int ITERATIONS = 5;

  /** A share of the energy that the directions must have, or the sketch would rule out little. */
  private static final double LEAST_SHARE = 0.4;

  /** Number of first directions, a multiple of four. */
  final int directions;

  /** Number of next directions. */
  final int next;

  /** Longs of a line. */
  final int longs;

  /** For each dimension, its part of each direction. */
  private final double[][] parts;

  /** For each direction, how far it is from one code to the next. */
  final double[] steps;

  final double stepE;
  final double stepT;
  final double stepN;
  final double stepF;
  final double stepU;

  /** The norm of the longest code of a place along the first directions. */
  final double longest;

  /** The same along the next. */
  final double longestNext;

  /** The smallest and the largest of one over the norm of the rows that aren't loose. */
  final float leastInverse;

  final float mostInverse;

  /** Rows of which nothing is said. */
  final BitSet loose;

  private final char[][] planes;
  private final long[][] lines;

  private Sketch(Maker maker) {
    directions = maker.directions;
    next = maker.next;
    longs = maker.longs;
    parts = maker.parts;
    steps = maker.steps;
    stepE = maker.stepE;
    stepT = maker.stepT;
    stepN = maker.stepN;
    stepF = maker.stepF;
    stepU = maker.stepU;
    longest = Math.sqrt(maker.longest2);
    longestNext = Math.sqrt(maker.longestNext2);
    leastInverse = maker.leastInverse;
    mostInverse = maker.mostInverse;
    loose = maker.loose;
    planes = maker.planes;
    lines = maker.lines;
  }

  /** Whether an index of such a size has one. */
  static boolean isFor(long rows, int dims) {
    return rows >= LEAST_ROWS && dims >= LEAST_DIMS && dims <= MOST_DIMS;
  }

  private static int directions(int dims) {
    return Math.max(4, Math.min(MOST_DIRECTIONS, dims / 3) / 4 * 4);
  }

  private static int longs(int dims) {
    int longs = dims / DIMS_OF_LONG;
    // As many as the vectors of a processor, or half of them.
    return longs < 4 ? 2 : longs < MOST_LONGS ? 4 : MOST_LONGS;
  }

  /** Bytes that are set aside for the sketch of an index, whether or not it is ever made. */
  static long bytes(long rows, int dims) {
    return isFor(rows, dims)
        ? rows * (2L * (directions(dims) / 4 + EXTRA_PACKS) + 8L * longs(dims))
        : 0;
  }

  /** Packs of a row. */
  int packs() {
    return directions / 4 + EXTRA_PACKS;
  }

  /** The codes of a chunk, laid out as {@link Kernel} reads them. */
  char[] plane(int chunk) {
    return planes[chunk];
  }

  /** The lines of a chunk. */
  long[] lines(int chunk) {
    return lines[chunk];
  }

  /** Where the line of a row of a chunk begins. */
  int line(int row) {
    return FIRST_LINE + row * longs;
  }

  /**
   * Sums up a block of the index for some queries.
   *
   * @param rows of the block
   * @param acc scratch, as {@link Kernel#dots} takes it
   */
  void dots(
      Kernel kernel,
      Layout layout,
      int block,
      int rows,
      short[][] weights,
      int n,
      short[][] acc,
      int[][] out) {
    kernel.dots(
        plane(block / layout.chunkBlocks()),
        offset(layout, block % layout.chunkBlocks()),
        layout.padded(rows),
        weights,
        n,
        packs(),
        acc,
        out);
  }

  /** The next row of which nothing is said, or one beyond all. */
  int nextLoose(int from) {
    int row = loose.nextSetBit(from);
    return row < 0 ? Integer.MAX_VALUE : row;
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
  static Sketch of(Layout layout, List<Chunk> chunks, Grid grid) {
    Maker maker = new Maker(layout, chunks, grid, directions(layout.dims()));
    return maker.make() ? new Sketch(maker) : null;
  }

  /** Where a vector is along all directions. */
  double[] places(double[] x) {
    double[] places = new double[directions + next];
    places(x, parts, places);
    return places;
  }

  /** The same, by loops that are compiled to vectors. */
  private static void places(double[] x, double[][] parts, double[] places) {
    Arrays.fill(places, 0);
    int d = 0;
    for (; d + 4 <= x.length; d += 4) {
      add(
          x[d],
          parts[d],
          x[d + 1],
          parts[d + 1],
          x[d + 2],
          parts[d + 2],
          x[d + 3],
          parts[d + 3],
          places);
    }
    for (; d < x.length; d++) {
      add(x[d], parts[d], 0, parts[d], 0, parts[d], 0, parts[d], places);
    }
  }

  private static void add(
      double x0,
      double[] p0,
      double x1,
      double[] p1,
      double x2,
      double[] p2,
      double x3,
      double[] p3,
      double[] to) {
    for (int j = 0; j < to.length; j++) {
      to[j] += x0 * p0[j] + x1 * p1[j] + (x2 * p2[j] + x3 * p3[j]);
    }
  }

  private static final class Maker {
    private final Layout layout;
    private final List<Chunk> chunks;
    private final Grid grid;
    private final int dims;
    private final int rows;
    private final int directions;
    private final int next;
    private final int longs;
    private final double[][] along;
    private final double[][] parts;
    private final double[] steps;
    private final BitSet loose = new BitSet();
    private final char[][] planes;
    private final long[][] lines;
    private double stepE;
    private double stepT;
    private double stepN;
    private double stepF;
    private double stepU;
    private long longest2;
    private long longestNext2;
    private float leastInverse = Float.POSITIVE_INFINITY;
    private float mostInverse;

    private Maker(Layout layout, List<Chunk> chunks, Grid grid, int directions) {
      this.layout = layout;
      this.chunks = chunks;
      this.grid = grid;
      this.directions = directions;
      dims = layout.dims();
      longs = longs(dims);
      next =
          Math.max(
              0,
              Math.min(LineWeights.IN_LONG * longs - LineWeights.IN_LONG / 2, dims - directions));
      rows = chunks.stream().mapToInt(chunk -> chunk.count).sum();
      along = new double[directions + next][dims];
      parts = new double[dims][directions + next];
      steps = new double[directions + next];
      planes = new char[chunks.size()][];
      lines = new long[chunks.size()][];
    }

    private boolean make() {
      if (directions > dims) {
        return false;
      }
      int n = (int) Math.min(SAMPLE_ROWS, Math.max(512, SAMPLE_WORK / dims / dims));
      n = Math.min(n, rows);
      double[][] sample = new double[n][dims];
      for (int i = 0; i < n; i++) {
        int row = (int) ((long) i * rows / n);
        relative(chunks.get(row / layout.chunkRows()), row % layout.chunkRows(), sample[i]);
      }
      if (along.length > n
          || !Subspace.largest(sample, grid.origin(), along, ITERATIONS)
          || !(Subspace.skew(along) < SKEW / 2)
          || !scales(sample)) {
        return false;
      }
      for (int d = 0; d < dims; d++) {
        for (int j = 0; j < along.length; j++) {
          parts[d][j] = along[j][d];
        }
      }
      for (int i = 0; i < planes.length; i++) {
        Chunk chunk = chunks.get(i);
        planes[i] = new char[layout.padded(chunk.count) * (directions / 4 + EXTRA_PACKS)];
        lines[i] = new long[FIRST_LINE + chunk.count * longs];
        code(i);
      }
      return loose.cardinality() <= rows / 16;
    }

    /** A row in units, relative to the origin. */
    private void relative(Chunk chunk, int row, double[] to) {
      float[] rows = chunk.rows();
      for (int d = 0; d < dims; d++) {
        to[d] = rows[row * dims + d];
      }
      for (int d = 0; d < dims; d++) {
        to[d] = to[d] * grid.unit() - grid.origin()[d];
      }
    }

    /** Chooses the steps from a sample; whether that promises anything. */
    private boolean scales(double[][] sample) {
      int n = sample.length;
      double[] e = new double[n];
      double[] t = new double[n];
      double[] f = new double[n];
      double[] u = new double[n];
      double[] energy = new double[n];
      double[][] places = new double[n][along.length];
      double inside = 0;
      double all = 0;
      for (int i = 0; i < n; i++) {
        energy[i] = Subspace.dot(sample[i], sample[i]);
        for (int j = 0; j < along.length; j++) {
          places[i][j] = Subspace.dot(along[j], sample[i]);
          steps[j] += places[i][j] * places[i][j] / n;
        }
        inside += square(places[i], 0, directions);
        all += energy[i];
      }
      double largest = Arrays.stream(steps).max().orElse(0);
      for (int j = 0; j < along.length; j++) {
        // Rows may differ in fewer directions.
        steps[j] = STEP * Math.sqrt(Math.max(steps[j], LEAST_SQUARE * largest));
      }
      if (!(largest > 0)) {
        return false;
      }
      double[] rest = new double[along.length];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < along.length; j++) {
          rest[j] = places[i][j] - steps[j] * code(places[i][j], j);
        }
        e[i] = length(rest, 0, directions, energy[i]);
        f[i] = length(rest, directions, along.length, energy[i]);
        t[i] = across(energy[i], square(places[i], 0, directions));
        u[i] = across(energy[i], square(places[i], 0, along.length));
      }
      stepE = step(e, MOST_BYTE);
      stepT = step(t, MOST_BYTE);
      stepN = step(energy, MOST_ENERGY);
      stepF = RARE * step(f, MOST_BYTE);
      stepU = RARE * step(u, MOST_BYTE);
      double least = Math.min(Math.min(stepE, stepT), Math.min(stepN, Math.min(stepF, stepU)));
      return inside > LEAST_SHARE * all && least > 0;
    }

    private static double square(double[] x, int from, int to) {
      double sum = 0;
      for (int j = from; j < to; j++) {
        sum += x[j] * x[j];
      }
      return sum;
    }

    /** No less than the length of what a code leaves out of a row of such a square. */
    private static double length(double[] rest, int from, int to, double energy) {
      return Math.sqrt(square(rest, from, to)) + SKEW * Math.sqrt(energy);
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

    /** No less than the length of what directions leave of a vector. */
    private static double across(double energy, double place2) {
      return Math.sqrt(Math.max(0, energy - place2) + SKEW * energy);
    }

    private void code(int number) {
      Chunk chunk = chunks.get(number);
      double[] x = new double[dims];
      double[] places = new double[along.length];
      double[] inverse = new double[along.length];
      int[] codes = new int[along.length];
      for (int j = 0; j < inverse.length; j++) {
        inverse[j] = 1 / steps[j];
      }
      for (int row = 0; row < chunk.count; row++) {
        relative(chunk, row, x);
        places(x, parts, places);
        for (int j = 0; j < places.length; j++) {
          // Which code is nearest counts for speed alone.
          codes[j] = (int) (Math.max(-8, Math.min(7, places[j] * inverse[j])) + 8.5) - 8;
        }
        store(number, row, codes);
        if (!rest(number, row, Subspace.dot(x, x), places, codes)) {
          loose.set(number * layout.chunkRows() + row);
        }
      }
    }

    private void store(int number, int row, int[] codes) {
      Chunk chunk = chunks.get(number);
      int block = row / layout.blockRows();
      int lanes = layout.padded(chunk.rowsOf(block));
      int to = block * layout.blockRows() * (directions / 4 + EXTRA_PACKS);
      to += row % layout.blockRows();
      char[] plane = planes[number];
      long code2 = 0;
      for (int j = 0; j < directions; j++) {
        plane[to + j / 4 * lanes] |= (char) (codes[j] + 8 << 4 * (j % 4));
        code2 += codes[j] * codes[j];
      }
      longest2 = Math.max(longest2, code2);
      long next2 = 0;
      for (int j = 0; j < next; j++) {
        int code = codes[directions + j];
        lines[number][FIRST_LINE + row * longs + j / LineWeights.IN_LONG] |=
            code + 8L << 4 * (j % LineWeights.IN_LONG);
        next2 += code * code;
      }
      longestNext2 = Math.max(longestNext2, next2);
    }

    /** Codes what a row's place leaves out; returns whether it is so little. */
    private boolean rest(int number, int row, double energy, double[] places, int[] codes) {
      Chunk chunk = chunks.get(number);
      double[] rest = new double[places.length];
      for (int j = 0; j < rest.length; j++) {
        rest[j] = places[j] - steps[j] * codes[j];
      }
      double e = Math.ceil(length(rest, 0, directions, energy) / stepE);
      double f = Math.ceil(length(rest, directions, rest.length, energy) / stepF);
      double t = Math.ceil(across(energy, square(places, 0, directions)) / stepT);
      double u = Math.ceil(across(energy, square(places, 0, rest.length)) / stepU);
      double n = Math.floor(energy * (1 - Bounds.SLACK) / stepN);
      // A comparison with NaN is false.
      if (!(Math.max(Math.max(e, t), Math.max(f, u)) <= MOST_BYTE && n <= MOST_ENERGY)
          || chunk.error[1][row] == Float.POSITIVE_INFINITY) {
        return false;
      }
      int block = row / layout.blockRows();
      int lanes = layout.padded(chunk.rowsOf(block));
      int to = block * layout.blockRows() * (directions / 4 + EXTRA_PACKS);
      to += directions / 4 * lanes + row % layout.blockRows();
      planes[number][to] = (char) ((int) e | (int) t << 8);
      planes[number][to + lanes] = (char) (int) n;
      lines[number][FIRST_LINE + row * longs + longs - 1] |=
          (long) f << F_SHIFT | (long) u << U_SHIFT | (long) t << T_SHIFT;
      leastInverse = Math.min(leastInverse, chunk.inverseNorm[row]);
      mostInverse = Math.max(mostInverse, chunk.inverseNorm[row]);
      return true;
    }
  }
}
