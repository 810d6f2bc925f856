/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Random;

/** The directions in which vectors are longest, by subspace iteration. */
final class Subspace {
  private static final double TINY = 1e-9;

  private Subspace() {}

  /**
   * Finds orthonormal directions that have nearly as much of the vectors' squares as any could.
   *
   * @param vectors not all of which need to differ
   * @param first a direction that is to be among them, unless it is zero
   * @param directions receives them; no more than there are elements
   * @return false if the vectors have no so many directions
   */
  static boolean largest(
      double[][] vectors, double[] first, double[][] directions, int iterations) {
    int dims = vectors[0].length;
    double[][] products = new double[dims][dims];
    for (double[] x : vectors) {
      for (int i = 0; i < dims; i++) {
        double xi = x[i];
        double[] to = products[i];
        for (int j = 0; j <= i; j++) {
          to[j] += xi * x[j];
        }
      }
    }
    for (int i = 0; i < dims; i++) {
      for (int j = 0; j < i; j++) {
        products[j][i] = products[i][j];
      }
    }
    // Always the same directions for the same vectors.
    Random random = new Random(1);
    for (double[] direction : directions) {
      for (int d = 0; d < dims; d++) {
        direction[d] = random.nextGaussian();
      }
    }
    double[] next = new double[dims];
    for (int i = 0; i < iterations; i++) {
      for (double[] direction : directions) {
        for (int d = 0; d < dims; d++) {
          next[d] = dot(products[d], direction);
        }
        System.arraycopy(next, 0, direction, 0, dims);
      }
      if (dot(first, first) > 0) {
        System.arraycopy(first, 0, directions[0], 0, dims);
      }
      if (!orthonormalise(directions)) {
        return false;
      }
    }
    return true;
  }

  private static boolean orthonormalise(double[][] vectors) {
    for (int i = 0; i < vectors.length; i++) {
      double[] v = vectors[i];
      double before = Math.sqrt(dot(v, v));
      // Twice is enough (Parlett and Kahan).
      for (int round = 0; round < 2; round++) {
        for (int j = 0; j < i; j++) {
          double[] other = vectors[j];
          double share = dot(v, other);
          for (int d = 0; d < v.length; d++) {
            v[d] -= share * other[d];
          }
        }
      }
      double norm = Math.sqrt(dot(v, v));
      if (!(norm > TINY * before)) {
        return false;
      }
      for (int d = 0; d < v.length; d++) {
        v[d] /= norm;
      }
    }
    return true;
  }

  /**
   * No less than the norm of a symmetric matrix, and at most a sixth more for 128 rows: |M|³² ≤
   * trace M³².
   */
  static double norm(double[][] matrix) {
    int n = matrix.length;
    double scale = 0;
    for (double[] row : matrix) {
      scale = Math.max(scale, Math.sqrt(dot(row, row)));
    }
    if (!(scale > 0)) {
      return scale;
    }
    double[][] power = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        power[i][j] = matrix[i][j] / scale;
      }
    }
    for (int doubling = 0; doubling < 4; doubling++) {
      double[][] square = new double[n][n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          square[i][j] = dot(power[i], power[j]);
        }
      }
      power = square;
    }
    double trace = 0;
    for (double[] row : power) {
      trace += dot(row, row);
    }
    return scale * Math.pow(trace, 1.0 / 32);
  }

  /** The dot product, in four chains. */
  static double dot(double[] a, double[] b) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int d = 0;
    for (; d + 4 <= a.length; d += 4) {
      s0 += a[d] * b[d];
      s1 += a[d + 1] * b[d + 1];
      s2 += a[d + 2] * b[d + 2];
      s3 += a[d + 3] * b[d + 3];
    }
    for (; d < a.length; d++) {
      s0 += a[d] * b[d];
    }
    return s0 + s1 + (s2 + s3);
  }
}
