/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the codes say of a row is never above, or below, what its floats say. */
class BoundsTest {
  @Test
  void noRowIsRuledOutByItsOwnKey() {
    Random random = Seeds.random("noRowIsRuledOutByItsOwnKey");
    for (FlatIndexTest.Data data : FlatIndexTest.Data.values()) {
      for (int round = 0; round < 4; round++) {
        int dims = 1 + random.nextInt(round == 3 ? 900 : 60);
        BruteForce all = FlatIndexTest.data(data, random, 1 + random.nextInt(200), dims);
        FlatIndex index = all.index(new PlainKernel());
        for (Metric metric : Metric.values()) {
          float[] query = FlatIndexTest.query(all, data, random, dims);
          check(all, index, metric, query, data + " " + metric + " " + dims);
        }
      }
    }
  }

  private static void check(
      BruteForce all, FlatIndex index, Metric metric, float[] query, String what) {
    CodeSizes sizes = CodeSizes.of(index.chunks());
    Bounds bounds = Bounds.of(metric, query, index.grid(), sizes);
    if (bounds == null) {
      return;
    }
    Kernel kernel = new ReferenceKernel();
    Chunk chunk = index.chunks().get(0);
    Scan.Scratch scratch = new Scan.Scratch(chunk.layout().padded(chunk.count));
    int[] high = new int[chunk.layout().padded(chunk.count)];
    bounds.high(kernel, chunk, 0, scratch, high);
    int[] bytes = high.clone();
    bounds.bytes(kernel, chunk, 0, scratch, bytes);
    int[] lanes = new int[chunk.count + 1];
    int dims = chunk.layout().dims();
    Sketch sketch = dims > 150 ? null : Sketch.of(chunk.layout(), index.chunks(), index.grid());
    SketchBounds sketched = sketch == null ? null : bounds.sketched(sketch);
    int[] places = sketched == null ? null : sums(kernel, chunk, sketch, sketched, scratch);
    for (int row = 0; row < chunk.count; row++) {
      double value = metric.value(query, all.vector(row)) + 0.0;
      if (Double.isNaN(value)) {
        continue;
      }
      double key = metric.descending() ? -value : value;
      String of = what + ", row " + row;
      float limit = bounds.limit(key);
      assertFalse(bounds.closer(0, chunk, row, high[row]) > limit, of);
      assertFalse(bounds.closer(1, chunk, row, bytes[row]) > limit, of);
      assertTrue(left(bounds, kernel, 0, chunk, high, limit, lanes, row), of);
      assertTrue(left(bounds, kernel, 1, chunk, bytes, limit, lanes, row), of);
      double whole = bounds.whole(chunk, 0, row);
      assertFalse(bounds.nearest(chunk, row, whole) > limit, of);
      assertTrue(bounds.farthest(chunk, row, whole) >= key, of);
      whole = bounds.whole(0, high[row], chunk, 0, row);
      assertFalse(bounds.nearest(chunk, row, whole) > limit, of);
      whole = bounds.whole(1, bytes[row], chunk, 0, row);
      assertTrue(bounds.farthest(chunk, row, whole) >= key, of);
      if (places != null && !sketch.loose.get(row)) {
        assertTrue(places[row] >= sketched.threshold(limit), of);
        assertFalse(sketched.closer(places[row], chunk, 0, row) > limit, of);
      }
    }
  }

  private static int[] sums(
      Kernel kernel, Chunk chunk, Sketch sketch, SketchBounds bounds, Scan.Scratch scratch) {
    int lanes = chunk.layout().padded(chunk.count);
    int[] sums = new int[lanes];
    kernel.dots(sketch.plane(0), 0, lanes, bounds.weights(), sketch.packs(), scratch.acc[0], sums);
    return sums;
  }

  @Test
  void aSketchLeavesFewRowsOfThoseThatDifferInFewDirections() {
    Random random = Seeds.random("aSketchLeavesFewRowsOfThoseThatDifferInFewDirections");
    FlatIndexTest.Data data = FlatIndexTest.Data.FEW_DIRECTIONS;
    BruteForce all = FlatIndexTest.data(data, random, 2000, 128);
    FlatIndex index = all.index(new PlainKernel());
    Chunk chunk = index.chunks().get(0);
    Kernel kernel = new PlainKernel();
    Sketch sketch = Sketch.of(chunk.layout(), index.chunks(), index.grid());
    for (Metric metric : List.of(Metric.L2, Metric.INNER_PRODUCT)) {
      Search search = Search.nearest(all.vector(random.nextInt(2000)), metric, 10);
      Neighbors nearest = all.search(search);
      double key = nearest.values()[9];
      Bounds bounds = Bounds.of(metric, search.query(), index.grid(), CodeSizes.of(index.chunks()));
      SketchBounds sketched = bounds.sketched(sketch);
      Scan.Scratch scratch = new Scan.Scratch(2048);
      int[] sums = sums(kernel, chunk, sketch, sketched, scratch);
      float limit = bounds.limit(metric.descending() ? -key : key);
      int left = kernel.atLeast(sums, 2000, sketched.threshold(limit), scratch.lanes);
      assertTrue(left < 400, metric + ": " + left);
      for (int row : nearest.ordinals()) {
        boolean found = Arrays.stream(scratch.lanes, 0, left).anyMatch(lane -> lane == row);
        assertTrue(found || sketch.loose.get(row), metric + ", row " + row);
      }
    }
  }

  @Test
  void howFarDirectionsAreFromOrthonormalIsNotUnderestimated() {
    Random random = Seeds.random("howFarDirectionsAreFromOrthonormalIsNotUnderestimated");
    for (int round = 0; round < 50; round++) {
      int n = 1 + random.nextInt(60);
      double[][] directions = new double[n][n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          directions[i][j] = (i == j ? 1 : 0) + random.nextGaussian() / (1 << round % 20);
        }
      }
      double[] x = random.doubles(n).toArray();
      double norm = 0;
      for (int i = 0; i < 200; i++) {
        double[] y = new double[n];
        for (int j = 0; j < n; j++) {
          for (int other = 0; other < n; other++) {
            double product = Subspace.dot(directions[j], directions[other]);
            y[j] += (product - (j == other ? 1 : 0)) * x[other];
          }
        }
        norm = Math.sqrt(Subspace.dot(y, y) / Subspace.dot(x, x));
        x = y;
        double scale = Math.sqrt(Subspace.dot(x, x));
        for (int j = 0; j < n; j++) {
          x[j] /= scale;
        }
      }
      double bound = Subspace.skew(directions);
      assertTrue(bound >= norm * (1 - 1e-9) && bound < n * norm + 1e-9, bound + " for " + norm);
    }
  }

  private static boolean left(
      Bounds bounds,
      Kernel kernel,
      int stage,
      Chunk chunk,
      int[] sums,
      float limit,
      int[] lanes,
      int row) {
    int n = bounds.select(kernel, stage, chunk, 0, chunk.count, sums, limit, lanes);
    for (int i = 0; i < n; i++) {
      if (lanes[i] == row) {
        return true;
      }
    }
    return false;
  }
}
