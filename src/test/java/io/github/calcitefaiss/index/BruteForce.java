/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;

/** The answer by definition: every value from {@link Metric#value}, sorted by (value, id). */
final class BruteForce {
  private final List<Object> ids = new ArrayList<>();
  private final List<float[]> vectors = new ArrayList<>();

  void add(Object id, float[] vector) {
    ids.add(id);
    vectors.add(vector);
  }

  int size() {
    return ids.size();
  }

  float[] vector(int row) {
    return vectors.get(row);
  }

  FlatIndex index(Kernel kernel) {
    FlatIndex.Builder builder = new FlatIndex.Builder();
    for (int i = 0; i < size(); i++) {
      builder.add(ids.get(i), VectorCodec.encode(vectors.get(i)));
    }
    return builder.build(kernel);
  }

  /** An index that keeps codes only, for {@link #floats}; rows are at ten times their ordinal. */
  FlatIndex codes(Kernel kernel) {
    FlatIndex.Builder builder = new FlatIndex.Builder();
    builder.keepCodesOnly();
    for (int i = 0; i < size(); i++) {
      builder.add(ids.get(i), VectorCodec.encode(vectors.get(i)));
      builder.rowid(10L * i);
    }
    return builder.build(kernel);
  }

  /** What such an index reads. */
  Floats floats(FlatIndex index) {
    return (ordinals, n, to) -> {
      for (int i = 0; i < n; i++) {
        assertTrue(i == 0 || ordinals[i - 1] < ordinals[i]);
        float[] vector = vectors.get((int) (index.rowid(ordinals[i]) / 10));
        System.arraycopy(vector, 0, to, i * vector.length, vector.length);
      }
    };
  }

  Neighbors search(Search search) {
    record Hit(int row, double value) {}
    List<Hit> hits = new ArrayList<>();
    double sign = search.metric().descending() ? -1 : 1;
    for (int i = 0; i < size(); i++) {
      double value = search.metric().value(search.query(), vectors.get(i)) + 0.0;
      boolean wanted = search.rows() == null || search.rows().get(i);
      if (wanted && !Double.isNaN(value) && !(sign * value > sign * search.bound())) {
        hits.add(new Hit(i, value));
      }
    }
    hits.sort(
        (a, b) -> {
          int c = Double.compare(sign * a.value + 0.0, sign * b.value + 0.0);
          c = c != 0 ? c : Ids.compare(ids.get(a.row), ids.get(b.row));
          return c != 0 ? c : Integer.compare(a.row, b.row);
        });
    List<Hit> nearest = hits.subList(0, Math.min(search.k(), hits.size()));
    return new Neighbors(
        nearest.stream().mapToInt(Hit::row).toArray(),
        nearest.stream().mapToDouble(Hit::value).toArray());
  }

  static void assertSame(Neighbors expected, Neighbors actual, String what) {
    assertArrayEquals(expected.ordinals(), actual.ordinals(), what);
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(
          Double.doubleToRawLongBits(expected.values()[i]),
          Double.doubleToRawLongBits(actual.values()[i]),
          what + ", value " + i);
    }
  }
}
