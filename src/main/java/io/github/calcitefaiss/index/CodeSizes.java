/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.List;

/**
 * What is known of all codes of an index.
 *
 * @param longest the norms of the longest code vectors, as {@link Chunk#longest} has them
 * @param typical the scale of a typical row: high halves, bytes; 0 if no row has one
 */
record CodeSizes(double[] longest, double[] typical) {
  /** Rows that are looked at. */
  private static final int SAMPLE = 256;

  static CodeSizes of(List<Chunk> chunks) {
    double[] longest = new double[3];
    int rows = 0;
    for (Chunk chunk : chunks) {
      rows += chunk.count;
      for (int i = 0; i < longest.length; i++) {
        longest[i] = Math.max(longest[i], chunk.longest[i]);
      }
    }
    return new CodeSizes(
        longest, new double[] {typical(chunks, rows, 0), typical(chunks, rows, 1)});
  }

  private static double typical(List<Chunk> chunks, int rows, int stage) {
    int step = Math.max(1, rows / SAMPLE);
    float[] scales = new float[rows / step + 1];
    int n = 0;
    int next = 0;
    for (Chunk chunk : chunks) {
      for (; next < chunk.count; next += step) {
        if (chunk.scale[stage][next] > 0) {
          scales[n++] = chunk.scale[stage][next];
        }
      }
      next -= chunk.count;
    }
    Arrays.sort(scales, 0, n);
    return n == 0 ? 0 : scales[n / 2];
  }
}
