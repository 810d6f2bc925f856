/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A stream's k nearest are those of the sorted whole. */
class TopKTest {
  @Test
  void keepsTheNearestWhateverTheOrder() {
    Random random = Seeds.random("keepsTheNearestWhateverTheOrder");
    for (int round = 0; round < 300; round++) {
      int k = random.nextInt(12);
      int n = random.nextInt(200);
      TopK top = new TopK(k);
      List<TopK.Hit> all = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        Object id = random.nextInt(3) == 0 ? "t" + random.nextInt(9) : (Object) (long) (n - i);
        double value = random.nextInt(8);
        top.offer(value, id);
        all.add(new TopK.Hit(id, value));
      }
      top.offer(Double.NaN, 1L);
      all.sort(
          (a, b) ->
              a.value() != b.value()
                  ? Double.compare(a.value(), b.value())
                  : Ids.compare(a.id(), b.id()));
      assertEquals(all.subList(0, Math.min(k, n)), top.drain());
    }
  }

  @Test
  void aHugeKCostsNothing() {
    TopK top = new TopK(Integer.MAX_VALUE);
    top.offer(2, 1L);
    top.offer(1, 2L);
    assertEquals(Double.POSITIVE_INFINITY, top.threshold());
    assertEquals(List.of(new TopK.Hit(2L, 1), new TopK.Hit(1L, 2)), top.drain());
  }

  @Test
  void theDistanceFromABlobIsTheMetrics() {
    Random random = Seeds.random("theDistanceFromABlobIsTheMetrics");
    for (int round = 0; round < 100; round++) {
      float[] a = new float[1 + random.nextInt(500)];
      float[] b = new float[a.length];
      for (int i = 0; i < a.length; i++) {
        a[i] = (float) random.nextGaussian();
        b[i] = (float) (random.nextGaussian() * (round % 2 == 0 ? 1 : 1e37));
      }
      assertEquals(Metric.L2_SQUARED.value(a, b), TopK.l2Squared(a, VectorCodec.encode(b)));
    }
  }

  @Test
  void aBadBlobIsRefused() {
    float[] query = {1, 2};
    assertEquals(
        "expected 2 dimensions, got 3",
        assertThrows(VectorException.class, () -> TopK.l2Squared(query, new byte[12]))
            .getMessage());
    byte[] infinite = VectorCodec.encode(new float[] {0, Float.POSITIVE_INFINITY});
    assertEquals(
        "element 1 is Infinity, expected a finite number",
        assertThrows(VectorException.class, () -> TopK.l2Squared(query, infinite)).getMessage());
  }
}
