/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;

/**
 * Where each dimension's values lie: what the codes of an index are relative to.
 *
 * <p>Chosen from a sample, and only good or bad for speed: each row's error against it is computed
 * exactly, so no choice can make an answer wrong. A middle and a spread that ignore a few extreme
 * values keep one outlier from coarsening everyone's codes.
 *
 * @param unit a power of two that vectors are multiplied by, so that the spread over all dimensions
 *     is about 1 and squares neither overflow nor vanish
 * @param origin the middle of each dimension, in units
 * @param spread the typical distance from the middle, in units; 0 only if the whole sample is equal
 */
record Grid(double unit, double[] origin, double[] spread) {
  private static final int SAMPLE = 256;

  /** The share of a sample that is left out at each end when the spread is measured. */
  private static final double TRIM = 0.02;

  /** A dimension whose spread is below this share of the typical one is given this one. */
  private static final double LEAST_SPREAD = 1.0 / 256;

  /** Reads single elements of an index's rows. */
  @FunctionalInterface
  interface Rows {
    float get(int row, int dim);
  }

  static Grid of(int size, int dims, Rows rows) {
    int n = Math.min(size, SAMPLE);
    double[] origin = new double[dims];
    double[] spread = new double[dims];
    float[] column = new float[n];
    double total = 0;
    double origin2 = 0;
    for (int d = 0; d < dims; d++) {
      for (int i = 0; i < n; i++) {
        column[i] = rows.get((int) ((long) i * size / n), d);
      }
      Arrays.sort(column);
      origin[d] = column[n / 2];
      origin2 += origin[d] * origin[d];
      int trim = (int) (n * TRIM);
      double sum = 0;
      for (int i = trim; i < n - trim; i++) {
        double x = column[i] - origin[d];
        sum += x * x;
      }
      spread[d] = Math.sqrt(sum / (n - 2 * trim));
      total += spread[d] * spread[d];
    }
    double norm = Math.sqrt(total);
    double extent = norm > 0 ? norm : Math.sqrt(origin2);
    double unit = extent > 0 ? Math.scalb(1.0, -Math.getExponent(extent)) : 1;
    double least = norm / Math.sqrt(dims) * LEAST_SPREAD;
    for (int d = 0; d < dims; d++) {
      origin[d] *= unit;
      spread[d] = Math.max(spread[d], least) * unit;
    }
    return new Grid(unit, origin, spread);
  }
}
