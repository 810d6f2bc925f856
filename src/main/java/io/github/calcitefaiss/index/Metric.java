/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * How two vectors are compared, and the one definition of each value.
 *
 * <p>Every value is summed in double, in element order, from the float32 elements. Whatever finds
 * the candidates, what is reported and what orders them comes from {@link #value}.
 */
public enum Metric {
  /** Sum of squared differences: the score of {@code faiss_search_with_scores}. */
  L2_SQUARED(false),
  /** Square root of {@link #L2_SQUARED}. */
  L2(false),
  /** Sum of absolute differences. */
  L1(false),
  /** One minus {@link #COSINE_SIMILARITY}; NaN for a zero vector. */
  COSINE_DISTANCE(false),
  /** {@code a·b / √(a·a × b·b)}, nearest first is descending; NaN for a zero vector. */
  COSINE_SIMILARITY(true),
  /** {@code a·b}, nearest first is descending. */
  INNER_PRODUCT(true);

  private final boolean descending;

  Metric(boolean descending) {
    this.descending = descending;
  }

  /** Whether the nearest vector has the largest value. */
  public boolean descending() {
    return descending;
  }

  /**
   * The value of this metric for two vectors of one length.
   *
   * @return the value; NaN where it is undefined (cosine of a zero vector)
   */
  public double value(float[] a, float[] b) {
    assert a.length == b.length : a.length + " != " + b.length;
    switch (this) {
      case L2_SQUARED:
        return l2Squared(a, b);
      case L2:
        return Math.sqrt(l2Squared(a, b));
      case L1:
        double l1 = 0;
        for (int i = 0; i < a.length; i++) {
          l1 += Math.abs((double) a[i] - b[i]);
        }
        return l1;
      case COSINE_SIMILARITY:
        return cosine(a, b);
      case COSINE_DISTANCE:
        return 1 - cosine(a, b);
      case INNER_PRODUCT:
        return dot(a, b);
      default:
        throw new AssertionError(this);
    }
  }

  private static double l2Squared(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double d = (double) a[i] - b[i];
      sum += d * d;
    }
    return sum;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static double cosine(float[] a, float[] b) {
    // A zero norm gives 0 / 0, which is NaN: the undefined value that the SQL edge shows as NULL.
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }
}
