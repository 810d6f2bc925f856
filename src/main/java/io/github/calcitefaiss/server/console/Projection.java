/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/**
 * Vectors in two dimensions: their coordinates along the two directions in which they differ most
 * (principal components), found by power iteration.
 *
 * <p>The same vectors give the same picture. It is one, and no measurement: what the other
 * directions hold is not in it.
 *
 * @param x coordinates along the first direction
 * @param y coordinates along the second
 * @param share the part of all variance that the two directions hold, from 0 to 1
 */
record Projection(double[] x, double[] y, double share) {
  private static final int ROUNDS = 200;
  private static final double CLOSE = 1e-7;

  /**
   * Projects vectors of one length.
   *
   * @param stop asked now and then; once true, the directions are those found so far
   */
  static Projection of(List<float[]> vectors, BooleanSupplier stop) {
    int n = vectors.size();
    if (n == 0) {
      return new Projection(new double[0], new double[0], 0);
    }
    int dims = vectors.get(0).length;
    double[] mean = new double[dims];
    for (float[] vector : vectors) {
      for (int j = 0; j < dims; j++) {
        mean[j] += vector[j] / (double) n;
      }
    }
    double total = 0;
    float[][] centred = new float[n][dims];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < dims; j++) {
        float difference = (float) (vectors.get(i)[j] - mean[j]);
        centred[i][j] = difference;
        total += (double) difference * difference;
      }
    }
    double[] first = direction(centred, dims, null, stop);
    double[] second = direction(centred, dims, first, stop);
    double[] x = along(centred, first);
    double[] y = along(centred, second);
    double held = 0;
    for (int i = 0; i < n; i++) {
      held += x[i] * x[i] + y[i] * y[i];
    }
    return new Projection(x, y, total == 0 ? 0 : held / total);
  }

  /** The direction in which the rows differ most, at a right angle to another. */
  private static double[] direction(
      float[][] rows, int dims, double[] other, BooleanSupplier stop) {
    Random random = new Random(dims);
    double[] direction = new double[dims];
    for (int j = 0; j < dims; j++) {
      direction[j] = random.nextDouble() - 0.5;
    }
    unit(direction, other);
    for (int round = 0; round < ROUNDS && !stop.getAsBoolean(); round++) {
      double[] next = new double[dims];
      for (float[] row : rows) {
        double along = dot(row, direction);
        for (int j = 0; j < dims; j++) {
          next[j] += along * row[j];
        }
      }
      if (!unit(next, other)) {
        break;
      }
      double moved = 0;
      for (int j = 0; j < dims; j++) {
        moved += (next[j] - direction[j]) * (next[j] - direction[j]);
      }
      direction = next;
      if (moved < CLOSE * CLOSE) {
        break;
      }
    }
    return direction;
  }

  private static double dot(float[] row, double[] direction) {
    double sum = 0;
    for (int j = 0; j < direction.length; j++) {
      sum += row[j] * direction[j];
    }
    return sum;
  }

  /** Takes away what lies along another direction, and makes the length 1; false for no length. */
  private static boolean unit(double[] direction, double[] other) {
    if (other != null) {
      double along = 0;
      for (int j = 0; j < direction.length; j++) {
        along += direction[j] * other[j];
      }
      for (int j = 0; j < direction.length; j++) {
        direction[j] -= along * other[j];
      }
    }
    double square = 0;
    for (double element : direction) {
      square += element * element;
    }
    double length = Math.sqrt(square);
    if (!(length > 1e-30)) {
      return false;
    }
    for (int j = 0; j < direction.length; j++) {
      direction[j] /= length;
    }
    return true;
  }

  private static double[] along(float[][] rows, double[] direction) {
    double[] along = new double[rows.length];
    for (int i = 0; i < rows.length; i++) {
      along[i] = dot(rows[i], direction);
    }
    return along;
  }
}
