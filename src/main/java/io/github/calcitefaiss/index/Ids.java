/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The order of ids, which is SQLite's order of values: numbers, then text by its UTF-8, then blobs.
 */
public final class Ids {
  private Ids() {}

  /** Compares two ids, each a Long, Double, String, byte[] or null, which comes first. */
  public static int compare(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return Long.compare(x, y);
    }
    int c = Integer.compare(storageClass(a), storageClass(b));
    if (c != 0) {
      return c;
    }
    if (a == null) {
      return 0;
    }
    if (a instanceof String x) {
      return Arrays.compareUnsigned(
          x.getBytes(StandardCharsets.UTF_8), ((String) b).getBytes(StandardCharsets.UTF_8));
    }
    if (a instanceof byte[] x) {
      return Arrays.compareUnsigned(x, (byte[]) b);
    }
    // A long and a double are compared by value, without rounding the long.
    return compareNumbers((Number) a, (Number) b);
  }

  private static int storageClass(Object id) {
    return id == null ? -1 : id instanceof Number ? 0 : id instanceof String ? 1 : 2;
  }

  private static int compareNumbers(Number a, Number b) {
    double x = a.doubleValue();
    double y = b.doubleValue();
    if (x != y || Double.isInfinite(x)) {
      return Double.compare(x, y);
    }
    return exact(a).compareTo(exact(b));
  }

  private static BigDecimal exact(Number n) {
    return n instanceof Long ? BigDecimal.valueOf(n.longValue()) : new BigDecimal(n.doubleValue());
  }
}
