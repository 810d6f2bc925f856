/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * What a sketch says of its rows, with the queries for which that is nearly too much: random ones
 * leave so much room that a term of the bound could be a tenth too small.
 */
class SketchTest {
  private static final int ROWS = 700;
  private static final int DIMS = 96;

  /** Rows whose bounds depend on different terms. */
  private enum Rows {
    /** Half of a row's square is across the directions. */
    ACROSS(0.09, 0, 1),
    /** The directions have all of it, and some rows are too long for the codes. */
    BEYOND_THE_CODES(0, 0, 8),
    /** The same far from zero. */
    FAR_FROM_ZERO(0.02, 1000, 3),
    /** Few dimensions have most of it. */
    SCALED(0.03, 0, 1);

    private final double noise;
    private final double middle;
    private final double longer;

    Rows(double noise, double middle, double longer) {
      this.noise = noise;
      this.middle = middle;
      this.longer = longer;
    }

    List<float[]> make(Random random) {
      double[][] mixed = new double[DIMS / 4][DIMS];
      for (double[] direction : mixed) {
        for (int d = 0; d < DIMS; d++) {
          direction[d] = random.nextGaussian() / Math.sqrt(DIMS);
        }
      }
      List<float[]> rows = new ArrayList<>();
      for (int i = 0; i < ROWS; i++) {
        double length = i % 20 == 3 ? longer : 1;
        double[] x = new double[DIMS];
        for (double[] direction : mixed) {
          double share = length * random.nextGaussian() / Math.sqrt(mixed.length);
          for (int d = 0; d < DIMS; d++) {
            x[d] += share * direction[d];
          }
        }
        float[] row = new float[DIMS];
        for (int d = 0; d < DIMS; d++) {
          double scale = this == SCALED && d % 24 >= 4 ? 0.03 : 1;
          row[d] = (float) (middle + scale * (x[d] + length * noise * random.nextGaussian()));
        }
        rows.add(row);
      }
      return rows;
    }
  }

  /** An index with its sketch, and what the sketch is about, computed in another way. */
  private static final class Sketched {
    final List<float[]> rows;
    final FlatIndex index;
    final Sketch sketch;
    final Chunk chunk;

    /** The first directions, all of them, and orthonormal bases of both. */
    final double[][] first;

    final double[][] all;
    final double[][] basis;
    final double[][] whole;

    Sketched(List<float[]> rows) {
      this.rows = rows;
      BruteForce every = new BruteForce();
      for (int i = 0; i < rows.size(); i++) {
        every.add((long) i, rows.get(i));
      }
      index = every.index(new PlainKernel());
      chunk = index.chunks().get(0);
      sketch = Sketch.of(chunk.layout(), index.chunks(), index.grid());
      assertNotNull(sketch);
      assertTrue(sketch.loose.cardinality() < ROWS / 20, sketch.loose + " are loose");
      all = directions(sketch);
      first = Arrays.copyOf(all, sketch.directions);
      basis = orthonormal(first);
      whole = orthonormal(all);
    }

    private static double[][] directions(Sketch sketch) {
      double[][] all = new double[sketch.directions + sketch.next][DIMS];
      for (int d = 0; d < DIMS; d++) {
        double[] axis = new double[DIMS];
        axis[d] = 1;
        double[] places = sketch.places(axis);
        for (int j = 0; j < all.length; j++) {
          all[j][d] = places[j];
        }
      }
      return all;
    }

    /** A row in units, relative to the origin. */
    double[] relative(float[] row) {
      double[] x = new double[DIMS];
      for (int d = 0; d < DIMS; d++) {
        x[d] = row[d] * index.grid().unit() - index.grid().origin()[d];
      }
      return x;
    }

    private int pack(int row, int pack) {
      return sketch.plane(0)[pack * chunk.layout().padded(ROWS) + row];
    }

    double[] place(int row) {
      double[] z = new double[sketch.directions];
      for (int j = 0; j < z.length; j++) {
        z[j] = sketch.steps[j] * ((pack(row, j / 4) >> 4 * (j % 4) & 15) - 8);
      }
      return z;
    }

    /** The place along the next directions. */
    double[] next(int row) {
      double[] y = new double[sketch.next];
      for (int j = 0; j < y.length; j++) {
        y[j] = sketch.steps[sketch.directions + j] * (line(row, 4 * j, 15) - 8);
      }
      return y;
    }

    /** Some bits of a row's line. */
    private int line(int row, int bit, int mask) {
      return (int) (sketch.lines(0)[sketch.line(row) + bit / 64] >>> bit % 64 & mask);
    }

    private int extra(int row, int shift) {
      return line(row, 64 * (sketch.longs - 1) + shift, 255);
    }

    double codedF(int row) {
      return sketch.stepF * extra(row, Sketch.F_SHIFT);
    }

    double codedU(int row) {
      return sketch.stepU * extra(row, Sketch.U_SHIFT);
    }

    double codedE(int row) {
      return sketch.stepE * (pack(row, sketch.directions / 4) & 255);
    }

    double codedT(int row) {
      return sketch.stepT * (pack(row, sketch.directions / 4) >> 8);
    }

    int codedN(int row) {
      return pack(row, sketch.directions / 4 + 1);
    }

    int[] sums(SketchBounds bounds) {
      int lanes = chunk.layout().padded(ROWS);
      int[] sums = new int[lanes];
      new ReferenceKernel()
          .dots(
              sketch.plane(0), 0, lanes, bounds.weights(), sketch.packs(), new short[lanes], sums);
      return sums;
    }

    SketchBounds bounds(Metric metric, float[] query) {
      Bounds bounds = of(metric, query);
      return bounds == null ? null : bounds.sketched(sketch);
    }

    Bounds of(Metric metric, float[] query) {
      return Bounds.of(metric, query, index.grid(), CodeSizes.of(index.chunks()));
    }
  }

  private static double[][] orthonormal(double[][] directions) {
    double[][] basis = new double[directions.length][];
    for (int i = 0; i < basis.length; i++) {
      double[] v = directions[i].clone();
      for (int round = 0; round < 3; round++) {
        for (int j = 0; j < i; j++) {
          v = sum(v, -Subspace.dot(v, basis[j]), basis[j]);
        }
      }
      basis[i] = sum(new double[v.length], 1 / norm(v), v);
    }
    return basis;
  }

  private static double[] across(double[] x, double[][] basis) {
    double[] left = x;
    for (double[] direction : basis) {
      left = sum(left, -Subspace.dot(left, direction), direction);
    }
    return left;
  }

  private static double[] along(double[] x, double[][] directions) {
    double[] places = new double[directions.length];
    for (int j = 0; j < places.length; j++) {
      places[j] = Subspace.dot(x, directions[j]);
    }
    return places;
  }

  private static double[] back(double[] places, double[][] directions) {
    double[] x = new double[DIMS];
    for (int j = 0; j < places.length; j++) {
      x = sum(x, places[j], directions[j]);
    }
    return x;
  }

  private static double[] sum(double[] a, double factor, double[] b) {
    double[] sum = a.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * b[i];
    }
    return sum;
  }

  private static double norm(double[] x) {
    return Math.sqrt(Subspace.dot(x, x));
  }

  @Test
  void whatIsCodedIsNoLessThanWhatIsLeftOut() {
    Random random = Seeds.random("whatIsCodedIsNoLessThanWhatIsLeftOut");
    for (Rows rows : Rows.values()) {
      Sketched data = new Sketched(rows.make(random));
      for (int row = 0; row < ROWS; row++) {
        if (data.sketch.loose.get(row)) {
          continue;
        }
        String of = rows + ", row " + row;
        double[] x = data.relative(data.rows.get(row));
        double[][] next = Arrays.copyOfRange(data.all, data.sketch.directions, data.all.length);
        double n = Subspace.dot(x, x);
        assertTrue(data.codedE(row) >= norm(sum(along(x, data.first), -1, data.place(row))), of);
        assertTrue(data.codedF(row) >= norm(sum(along(x, next), -1, data.next(row))), of);
        assertTrue(data.codedT(row) >= norm(across(x, data.basis)), of);
        assertTrue(data.codedU(row) >= norm(across(x, data.whole)), of);
        assertEquals(data.codedT(row), data.sketch.stepT * data.extra(row, Sketch.T_SHIFT), of);
        assertTrue(data.codedN(row) * data.sketch.stepN <= n, of);
        assertTrue((data.codedN(row) + 1) * data.sketch.stepN * (1 + 0x1p-16) >= n, of);
      }
    }
  }

  @Test
  void noCodeIsLongerThanTheLongest() {
    Random random = Seeds.random("noCodeIsLongerThanTheLongest");
    for (Rows rows : Rows.values()) {
      Sketched data = new Sketched(rows.make(random));
      for (int row = 0; row < ROWS; row++) {
        String of = rows + ", row " + row;
        double[] code = data.place(row);
        for (int j = 0; j < code.length; j++) {
          code[j] /= data.sketch.steps[j];
        }
        double[] next = data.next(row);
        for (int j = 0; j < next.length; j++) {
          next[j] /= data.sketch.steps[code.length + j];
        }
        assertTrue(data.sketch.longest >= norm(code) * (1 - 1e-12), of);
        assertTrue(data.sketch.longestNext >= norm(next) * (1 - 1e-12), of);
      }
    }
  }

  @Test
  void directionsAreOrthonormal() {
    Random random = Seeds.random("directionsAreOrthonormal");
    for (Rows rows : Rows.values()) {
      Sketched data = new Sketched(rows.make(random));
      for (int i = 0; i < data.all.length; i++) {
        for (int j = 0; j <= i; j++) {
          double product = Subspace.dot(data.all[i], data.all[j]);
          assertEquals(i == j ? 1 : 0, product, Sketch.SKEW / data.all.length, rows.toString());
        }
      }
    }
  }

  @Test
  void noBoundIsCloserThanItsTermsAllow() {
    Random random = Seeds.random("noBoundIsCloserThanItsTermsAllow");
    for (Rows rows : Rows.values()) {
      Sketched data = new Sketched(rows.make(random));
      for (int i = 0; i < 100; i++) {
        float[] query = query(data, random);
        for (Metric metric : List.of(Metric.L2, Metric.INNER_PRODUCT)) {
          noBoundIsCloser(data, metric, query, rows + " " + metric);
        }
      }
    }
  }

  /** The bound of every row, as {@link SketchBounds} derives it, term by term. */
  private static void noBoundIsCloser(Sketched data, Metric metric, float[] query, String what) {
    SketchBounds bounds = data.bounds(metric, query);
    if (bounds == null) {
      return;
    }
    boolean l2 = metric == Metric.L2;
    double[] u = data.relative(query);
    if (!l2) {
      u = sum(u, 1, data.index.grid().origin());
    }
    Sketch sketch = data.sketch;
    double[] v = along(u, data.first);
    double[][] next = Arrays.copyOfRange(data.all, sketch.directions, data.all.length);
    double[] w = along(u, next);
    double across = norm(across(u, data.basis));
    double acrossAll = norm(across(u, data.whole));
    double rounded = rounded(sketch, l2 ? 2 : 1, v, w, across);
    int[] sums = data.sums(bounds);
    for (int row = 0; row < ROWS; row++) {
      if (sketch.loose.get(row)) {
        continue;
      }
      double place = Subspace.dot(v, data.place(row)) + norm(v) * data.codedE(row);
      double product = place + across * data.codedT(row);
      float limit = limit(data, row, product, l2);
      assertTrue(sums[row] >= bounds.threshold(limit), what + ", row " + row);
      product = place + Subspace.dot(w, data.next(row)) + norm(w) * data.codedF(row);
      product += acrossAll * data.codedU(row);
      limit = limit(data, row, product, l2);
      float bound = bounds.closer(sums[row], data.chunk, 0, row);
      assertFalse(bound > limit, what + ", row " + row + ": " + bound + " > " + limit);
      // Nor much further off, or it would be of no use.
      double much = rounded + 1e-3 * (norm(u) + 1) * (1 + data.codedN(row) * sketch.stepN);
      assertTrue(bound > limit - much, what + ", row " + row + ": " + bound + " < " + limit);
    }
  }

  /** How much a bound may lose since its weights are integers and squares of rows are coded. */
  private static double rounded(
      Sketch sketch, double multiple, double[] v, double[] w, double across) {
    double squares = 0;
    for (int j = 0; j < v.length; j++) {
      squares += Math.pow(v[j] * sketch.steps[j], 2);
    }
    double largest = 0;
    for (int j = 0; j < w.length; j++) {
      largest = Math.max(largest, Math.abs(w[j] * sketch.steps[v.length + j]));
    }
    double others = 17 * multiple * (norm(v) * sketch.stepE + across * sketch.stepT);
    others += 273 * sketch.stepN;
    double most = multiple * Math.sqrt(squares) * sketch.longest + 8 * others;
    double first = most / SketchBounds.LIMIT * (Math.sqrt(v.length) * sketch.longest + 15 * 7);
    double line = multiple * largest / LineWeights.MOST * Math.sqrt(w.length) * sketch.longestNext;
    return first + line + 2 * sketch.stepN;
  }

  /** The smallest bound that a product allows. */
  private static float limit(Sketched data, int row, double product, boolean l2) {
    double most = product;
    if (l2) {
      most = 2 * product - data.codedN(row) * data.sketch.stepN;
    }
    return Math.nextUp((float) -most);
  }

  @Test
  void noRowIsRuledOutByAQueryThatPointsAtWhatItsCodesLeaveOut() {
    Random random = Seeds.random("noRowIsRuledOutByAQueryThatPointsAtWhatItsCodesLeaveOut");
    for (Rows rows : Rows.values()) {
      Sketched data = new Sketched(rows.make(random));
      for (int i = 0; i < 100; i++) {
        float[] query = query(data, random);
        for (Metric metric : Metric.values()) {
          noRowIsRuledOut(data, metric, query, rows + " " + metric);
        }
      }
    }
  }

  private static void noRowIsRuledOut(Sketched data, Metric metric, float[] query, String what) {
    SketchBounds bounds = data.bounds(metric, query);
    if (bounds == null) {
      return;
    }
    int[] sums = data.sums(bounds);
    Bounds of = data.of(metric, query);
    for (int row = 0; row < ROWS; row++) {
      double value = metric.value(query, data.rows.get(row));
      float limit = of.limit(metric.descending() ? -value : value);
      if (!data.sketch.loose.get(row)) {
        String name = String.format(Locale.ROOT, "%s, row %d", what, row);
        assertFalse(sums[row] < bounds.threshold(limit), name);
        assertFalse(bounds.closer(sums[row], data.chunk, 0, row) > limit, name);
      }
    }
  }

  @Test
  void rowsOfWhichALineLeavesOutMuchAreDescribedOrLoose() {
    Random random = Seeds.random("rowsOfWhichALineLeavesOutMuchAreDescribedOrLoose");
    for (double share : new double[] {0.05, 1}) {
      Sketched data = new Sketched(unlikeTheRest(share, random));
      int largestF = 0;
      for (int row = 0; row < ROWS; row++) {
        if (!data.sketch.loose.get(row)) {
          String of = share + ", row " + row;
          double[] x = data.relative(data.rows.get(row));
          double[][] next = Arrays.copyOfRange(data.all, data.sketch.directions, data.all.length);
          assertTrue(data.codedF(row) >= norm(sum(along(x, next), -1, data.next(row))), of);
          assertTrue(data.codedU(row) >= norm(across(x, data.whole)), of);
          largestF = Math.max(largestF, data.extra(row, Sketch.F_SHIFT));
        }
      }
      assertTrue(share < 1 || largestF > 127, "no F is large: " + largestF);
      assertFalse(data.sketch.loose.isEmpty());
      for (int i = 0; i < 50; i++) {
        float[] query = query(data, random);
        for (Metric metric : List.of(Metric.L2, Metric.INNER_PRODUCT)) {
          noBoundIsCloser(data, metric, query, share + " " + metric);
          noRowIsRuledOut(data, metric, query, share + " " + metric);
        }
      }
    }
  }

  /**
   * Rows of which a few have all that is across the first directions along one other.
   *
   * @param share how much of what is across all directions the other rows have
   */
  private static List<float[]> unlikeTheRest(double share, Random random) {
    List<float[]> rows = Rows.ACROSS.make(random);
    Sketched data = new Sketched(rows);
    List<float[]> changed = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      double[] x = data.relative(rows.get(i));
      double[] left = across(x, data.whole);
      double[] to = sum(x, share - 1, left);
      if (i % 40 == 3) {
        int j = data.sketch.directions + random.nextInt(data.sketch.next);
        // Fewer than one in fifty along the next directions: what is left of these sets no step.
        boolean along = i % 80 == 3;
        double deviation = data.sketch.steps[j] / Sketch.STEP;
        double much = along ? (4 + 6.0 * i / ROWS) * deviation : 1;
        to = sum(back(along(x, data.first), data.first), much, along ? data.all[j] : left);
      }
      float[] row = new float[DIMS];
      for (int d = 0; d < DIMS; d++) {
        row[d] = (float) ((to[d] + data.index.grid().origin()[d]) / data.index.grid().unit());
      }
      changed.add(row);
    }
    return changed;
  }

  @Test
  void noBoundIsCloserWhereWeightsOfALineAreRoundedMost() {
    Random random = Seeds.random("noBoundIsCloserWhereWeightsOfALineAreRoundedMost");
    for (Rows rows : List.of(Rows.ACROSS, Rows.SCALED)) {
      Sketched data = new Sketched(rows.make(random));
      Sketch sketch = data.sketch;
      for (int row = 0; row < ROWS; row += 5) {
        // One weight is large, all others are nearly half of what is one then, as the codes are.
        int large = random.nextInt(sketch.next);
        double[] codes = data.next(row);
        double least = sketch.steps[sketch.directions + large] / LineWeights.MOST;
        double[] u = new double[DIMS];
        for (int j = 0; j < sketch.next; j++) {
          double place = 0.49 * least * Math.signum(codes[j]) / sketch.steps[sketch.directions + j];
          u = sum(u, j == large ? 1 : place, data.all[sketch.directions + j]);
        }
        float[] query = new float[DIMS];
        for (int d = 0; d < DIMS; d++) {
          query[d] = (float) (u[d] / data.index.grid().unit());
        }
        noBoundIsCloser(data, Metric.INNER_PRODUCT, query, rows + ", query of row " + row);
      }
    }
  }

  @Test
  void noSumIsTooLargeForSixteenBits() {
    Random random = Seeds.random("noSumIsTooLargeForSixteenBits");
    for (Rows rows : Rows.values()) {
      Sketched data = new Sketched(rows.make(random));
      int n = data.sketch.directions;
      for (int i = 0; i < 300; i++) {
        Metric metric = i % 2 == 0 ? Metric.L2 : Metric.INNER_PRODUCT;
        SketchBounds bounds = data.bounds(metric, query(data, random));
        if (bounds == null) {
          continue;
        }
        double square = 0;
        double others = 0;
        for (int d = 0; d < bounds.weights().length; d++) {
          double weight = bounds.weights()[d];
          square += d < n ? weight * weight : 0;
          others += d < n ? 0 : 8 * Math.abs(weight);
        }
        double most = Math.sqrt(square) * data.sketch.longest + others;
        assertTrue(most <= Short.MAX_VALUE, rows + " " + metric + ": " + most);
        assertTrue(most > 30_000, rows + " " + metric + ": weights are coarse, " + most);
      }
    }
  }

  /** A query for which the inequalities of the bound are nearly equations for some row. */
  private static float[] query(Sketched data, Random random) {
    int row;
    do {
      row = random.nextInt(ROWS / 20) * 20 + 3;
    } while (data.sketch.loose.get(row));
    double[] x = data.relative(data.rows.get(row));
    double[] across = across(x, random.nextBoolean() ? data.basis : data.whole);
    double[] rest = sum(along(x, data.first), -1, data.place(row));
    double[] left = back(rest, data.first);
    if (random.nextInt(3) == 0) {
      double[][] next = Arrays.copyOfRange(data.all, data.sketch.directions, data.all.length);
      left = sum(left, random.nextGaussian(), back(sum(along(x, next), -1, data.next(row)), next));
    }
    double length = Math.pow(10, random.nextInt(7) - 3);
    double[] u =
        switch (random.nextInt(6)) {
          case 0 -> across;
          case 1 -> left;
          case 2 -> sum(across, random.nextGaussian(), left);
          case 3 -> sum(x, random.nextGaussian(), left);
          case 4 -> x;
          default -> sum(new double[DIMS], 1e-6, x);
        };
    u = sum(new double[DIMS], length, u);
    boolean relative = random.nextBoolean();
    float[] query = new float[DIMS];
    for (int d = 0; d < DIMS; d++) {
      double origin = relative ? data.index.grid().origin()[d] : 0;
      query[d] = (float) ((u[d] + origin) / data.index.grid().unit());
    }
    return query;
  }
}
