/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * The keys of rows against one query: {@link Metric#value}, negated where the largest is nearest.
 *
 * <p>The bits are those of {@link Metric#value}: each sum is one chain of additions in element
 * order. Four rows are added up at a time, since four chains use the time that one spends waiting.
 */
final class ExactKeys {
  /** Rows of a group. */
  static final int GROUP = 4;

  /** Floats in a cache line. */
  private static final int CACHE_LINE = 16;

  private final Metric metric;
  private final Kernel kernel;
  private final double[] query;
  private final double[] zero;
  private final double query2;
  private final double[][] terms;
  private final double[] sums = new double[GROUP];
  private final double[] norms = new double[GROUP];

  ExactKeys(Kernel kernel, Metric metric, float[] query) {
    this.kernel = kernel;
    this.metric = metric;
    this.query = new double[query.length];
    zero = new double[query.length];
    terms = new double[GROUP][query.length];
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
   * @param rows the array that holds each row
   * @param places where in its array each row begins
   * @param n how many, 1 to 4
   * @param keys receives the keys
   */
  void compute(float[][] rows, int[] places, int n, double[] keys) {
    // Rows are anywhere in memory: all of them are asked for before the first is waited for.
    int touched = 0;
    for (int i = 0; i < n; i++) {
      touched |= touch(rows[i], places[i], query.length);
    }
    keys[0] = touched;
    for (int i = 0; i < n; i++) {
      int at = places[i];
      switch (metric) {
        case L2:
        case L2_SQUARED:
          kernel.squares(query, rows[i], at, terms[i]);
          break;
        case L1:
          kernel.differences(query, rows[i], at, terms[i]);
          break;
        default:
          kernel.products(query, rows[i], at, terms[i]);
          break;
      }
    }
    add(terms[0], terms[1], terms[2], terms[3], sums);
    if (metric == Metric.COSINE_DISTANCE || metric == Metric.COSINE_SIMILARITY) {
      for (int i = 0; i < n; i++) {
        // (0 - x)² has the bits of x × x.
        kernel.squares(zero, rows[i], places[i], terms[i]);
      }
      add(terms[0], terms[1], terms[2], terms[3], norms);
    }
    for (int i = 0; i < n; i++) {
      // Adding zero makes -0.0 the same key as 0.0.
      keys[i] = key(sums[i], norms[i]) + 0.0;
    }
  }

  private static int touch(float[] row, int at, int n) {
    int bits = 0;
    for (int i = at; i < at + n; i += CACHE_LINE) {
      bits |= Float.floatToRawIntBits(row[i]);
    }
    return bits;
  }

  private double key(double sum, double norm2) {
    switch (metric) {
      case L2:
        return Math.sqrt(sum);
      case INNER_PRODUCT:
        return -sum;
      case COSINE_SIMILARITY:
        return -(sum / Math.sqrt(query2 * norm2));
      case COSINE_DISTANCE:
        return 1 - sum / Math.sqrt(query2 * norm2);
      default:
        return sum;
    }
  }

  /** Adds up four arrays at once: each sum waits for its last addition, the others go on. */
  private static void add(double[] a, double[] b, double[] c, double[] d, double[] sums) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    for (int i = 0; i < a.length; i++) {
      s0 += a[i];
      s1 += b[i];
      s2 += c[i];
      s3 += d[i];
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  }
}
