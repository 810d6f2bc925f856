/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
