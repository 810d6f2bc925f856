/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Random;

/** The directions in which vectors are longest, by subspace iteration. */
final class Subspace {
  private static final double TINY = 1e-9;
  private static final int TRIES = 5;

  private Subspace() {}

  /**
   * Finds orthonormal directions that have nearly as much of the vectors' squares as any could.
   *
   * @param vectors not all of which need to differ
   * @param first a direction that is to be among them, unless it is zero
   * @param directions receives them; no more than there are elements
   * @return false if there are no such directions, as of vectors that aren't finite
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
      if (!orthonormalise(directions, random)) {
        return false;
      }
    }
    return true;
  }

  private static boolean orthonormalise(double[][] vectors, Random random) {
    for (int i = 0; i < vectors.length; i++) {
      int tries = 0;
      while (!orthonormalise(vectors, i)) {
        // The vectors have no more directions: any other will do.
        if (++tries > TRIES) {
          return false;
        }
        for (int d = 0; d < vectors[i].length; d++) {
          vectors[i][d] = random.nextGaussian();
        }
      }
    }
    return true;
  }

  /** Makes a vector one across those before it; false if nothing is left of it. */
  private static boolean orthonormalise(double[][] vectors, int i) {
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
    if (!(norm > TINY * before && norm < Double.POSITIVE_INFINITY)) {
      return false;
    }
    for (int d = 0; d < v.length; d++) {
      v[d] /= norm;
    }
    return true;
  }

  /** No less than the norm of the directions' products less those of orthonormal ones. */
  static double skew(double[][] directions) {
    double sum = 0;
    for (int i = 0; i < directions.length; i++) {
      for (int j = 0; j <= i; j++) {
        double rest = dot(directions[i], directions[j]) - (i == j ? 1 : 0);
        sum += i == j ? rest * rest : 2 * rest * rest;
      }
    }
    return Math.sqrt(sum);
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
