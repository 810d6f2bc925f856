/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
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
    /** Directions that are rounded to be far from orthonormal. */
    SKEWED(0.03, 0, 1);

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
          double scale = this == SKEWED && d % 24 >= 4 ? 0.03 : 1;
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
    final double[][] basis;

    Sketched(List<float[]> rows) {
      this.rows = rows;
      BruteForce all = new BruteForce();
      for (int i = 0; i < rows.size(); i++) {
        all.add((long) i, rows.get(i));
      }
      index = all.index(new PlainKernel());
      chunk = index.chunks().get(0);
      sketch = Sketch.of(new PlainKernel(), chunk.layout(), index.chunks(), index.grid());
      assertNotNull(sketch);
      assertTrue(sketch.loose.cardinality() < ROWS / 20, sketch.loose + " are loose");
      basis = orthonormal(sketch.along);
    }

    /** A row in units, relative to the origin. */
    double[] relative(float[] row) {
      double[] x = new double[DIMS];
      for (int d = 0; d < DIMS; d++) {
        x[d] = row[d] * index.grid().unit() - index.grid().origin()[d];
      }
      return x;
    }

    /** What the bytes of a row stand for. */
    double[] approximated(int row) {
      double[] x = new double[DIMS];
      for (int d = 0; d < DIMS; d++) {
        x[d] = chunk.scale[1][row] * index.grid().spread()[d] * chunk.code(0, row, d);
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
        double[] x = data.approximated(row);
        double error = data.chunk.error[1][row];
        double e = norm(sum(along(x, data.sketch.along), -1, data.place(row)));
        double t = norm(across(x, data.basis));
        double[] exact = data.relative(data.rows.get(row));
        double n = Subspace.dot(exact, exact);
        assertTrue(data.codedE(row) >= e + error, of);
        assertTrue(data.codedT(row) >= t + error, of);
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
        double[] code = data.place(row);
        for (int j = 0; j < code.length; j++) {
          code[j] /= data.sketch.steps[j];
        }
        double length = norm(code) * (1 - 1e-12);
        assertTrue(data.sketch.longest >= length, rows + ", row " + row);
      }
    }
  }

  /** The directions stretch no vector of their own space more than the skew says. */
  @Test
  void theSkewIsNoLessThanTheDirectionsAre() {
    Random random = Seeds.random("theSkewIsNoLessThanTheDirectionsAre");
    for (Rows rows : Rows.values()) {
      Sketched data = new Sketched(rows.make(random));
      double[][] along = data.sketch.along;
      double[] x = back(random.doubles(along.length).map(d -> d - 0.5).toArray(), along);
      for (int i = 0; i < 300; i++) {
        // Towards the vector that is stretched or shortened most.
        x = sum(back(along(x, along), along), -1, sum(x, -1, across(x, data.basis)));
        x = sum(new double[DIMS], 1 / norm(x), x);
        double stretched = norm(along(x, along));
        assertTrue(Math.abs(stretched - 1) <= data.sketch.skew, rows + ": " + stretched);
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
    double[] v = along(u, sketch.along);
    double across = norm(across(u, data.basis));
    int[] sums = data.sums(bounds);
    for (int row = 0; row < ROWS; row++) {
      if (sketch.loose.get(row)) {
        continue;
      }
      double most = Double.NEGATIVE_INFINITY;
      for (int step = 0; step < 2; step++) {
        double n = (data.codedN(row) + step) * sketch.stepN;
        double product =
            Subspace.dot(v, data.place(row))
                + norm(v) * data.codedE(row)
                + across * data.codedT(row)
                + 3.4 * sketch.skew * norm(u) * (1 + n) / 2;
        most = Math.max(most, l2 ? 2 * product - n : product);
      }
      float limit = Math.nextUp((float) -most);
      assertTrue(sums[row] >= bounds.threshold(limit, sketch), what + ", row " + row);
    }
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
      assertFalse(
          !data.sketch.loose.get(row) && sums[row] < bounds.threshold(limit, data.sketch),
          String.format(Locale.ROOT, "%s, row %d", what, row));
    }
  }

  /** A query for which the inequalities of the bound are nearly equations for some row. */
  private static float[] query(Sketched data, Random random) {
    int row;
    do {
      row = random.nextInt(ROWS / 20) * 20 + 3;
    } while (data.sketch.loose.get(row));
    double[] x = data.relative(data.rows.get(row));
    double[] across = across(x, data.basis);
    double[] rest = sum(along(x, data.sketch.along), -1, data.place(row));
    double[] left = back(rest, data.sketch.along);
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
