/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * The keys of rows against one query: {@link Metric#value}, negated where the largest is nearest.
 *
 * <p>Four rows at a time, because each sum is one chain of additions in element order, by
 * definition, and four chains use the time that one would spend waiting. The bits are those of
 * {@link Metric#value}.
 */
final class ExactKeys {
  /** Rows of a group. */
  static final int GROUP = 4;

  private final Metric metric;
  private final double[] query;
  private final double query2;
  private final double[] sums = new double[2 * GROUP];

  ExactKeys(Metric metric, float[] query) {
    this.metric = metric;
    this.query = new double[query.length];
    double sum = 0;
    for (int d = 0; d < query.length; d++) {
      this.query[d] = query[d];
      sum += this.query[d] * this.query[d];
    }
    query2 = sum;
  }

  /**
   * Computes the keys of up to four rows.
   *
   * @param rows the floats of a chunk
   * @param ordinals row numbers in that chunk, from {@code from} on
   * @param n how many, 1 to 4
   * @param keys receives the keys
   */
  void compute(float[] rows, int[] ordinals, int from, int n, double[] keys) {
    int dims = query.length;
    // A group that isn't full repeats its first row: cheaper than loops for each size.
    int a = ordinals[from] * dims;
    int b = n > 1 ? ordinals[from + 1] * dims : a;
    int c = n > 2 ? ordinals[from + 2] * dims : a;
    int d = n > 3 ? ordinals[from + 3] * dims : a;
    switch (metric) {
      case L2:
      case L2_SQUARED:
        squares(query, rows, a, b, c, d, sums);
        break;
      case L1:
        absolutes(query, rows, a, b, c, d, sums);
        break;
      case INNER_PRODUCT:
        products(query, rows, a, b, c, d, sums);
        break;
      default:
        productsAndNorms(query, rows, a, b, c, d, sums);
        break;
    }
    for (int i = 0; i < n; i++) {
      // Adding zero makes -0.0 the same key as 0.0.
      keys[i] = key(i) + 0.0;
    }
  }

  private double key(int i) {
    switch (metric) {
      case L2:
        return Math.sqrt(sums[i]);
      case INNER_PRODUCT:
        return -sums[i];
      case COSINE_SIMILARITY:
        return -(sums[i] / Math.sqrt(query2 * sums[GROUP + i]));
      case COSINE_DISTANCE:
        return 1 - sums[i] / Math.sqrt(query2 * sums[GROUP + i]);
      default:
        return sums[i];
    }
  }

  private static void squares(double[] q, float[] x, int a, int b, int c, int d, double[] sums) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    for (int i = 0; i < q.length; i++) {
      double d0 = q[i] - x[a + i];
      double d1 = q[i] - x[b + i];
      double d2 = q[i] - x[c + i];
      double d3 = q[i] - x[d + i];
      s0 += d0 * d0;
      s1 += d1 * d1;
      s2 += d2 * d2;
      s3 += d3 * d3;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  }

  private static void absolutes(double[] q, float[] x, int a, int b, int c, int d, double[] sums) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    for (int i = 0; i < q.length; i++) {
      s0 += Math.abs(q[i] - x[a + i]);
      s1 += Math.abs(q[i] - x[b + i]);
      s2 += Math.abs(q[i] - x[c + i]);
      s3 += Math.abs(q[i] - x[d + i]);
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  }

  private static void products(double[] q, float[] x, int a, int b, int c, int d, double[] sums) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    for (int i = 0; i < q.length; i++) {
      s0 += q[i] * x[a + i];
      s1 += q[i] * x[b + i];
      s2 += q[i] * x[c + i];
      s3 += q[i] * x[d + i];
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  }

  private static void productsAndNorms(
      double[] q, float[] x, int a, int b, int c, int d, double[] sums) {
    products(q, x, a, b, c, d, sums);
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    for (int i = 0; i < q.length; i++) {
      s0 += (double) x[a + i] * x[a + i];
      s1 += (double) x[b + i] * x[b + i];
      s2 += (double) x[c + i] * x[c + i];
      s3 += (double) x[d + i] * x[d + i];
    }
    sums[GROUP] = s0;
    sums[GROUP + 1] = s1;
    sums[GROUP + 2] = s2;
    sums[GROUP + 3] = s3;
  }
}
