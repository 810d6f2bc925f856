/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/** The definition of each loop, one number at a time: what every other kernel is tested against. */
final class ReferenceKernel implements Kernel {
  @Override
  public String name() {
    return "reference";
  }

  @Override
  public void dots(
      char[] codes, int offset, int lanes, short[] weights, int run, short[] acc, int[] out) {
    for (int lane = 0; lane < lanes; lane++) {
      int sum = 0;
      for (int d = 0; d < weights.length; d++) {
        sum += weights[d] * code(codes, offset, lanes, lane, d);
      }
      out[lane] = sum;
    }
  }

  @Override
  public void differences(
      char[] high,
      char[] low,
      int offset,
      int lanes,
      short[] targets,
      short[] steps,
      char[] multipliers,
      short[] terms,
      char[] acc,
      int[] out) {
    for (int lane = 0; lane < lanes; lane++) {
      int sum = 0;
      for (int d = 0; d < targets.length; d++) {
        int code = code(high, offset, lanes, lane, d);
        if (low != null) {
          code = 16 * code + code(low, offset, lanes, lane, d);
        }
        int difference = targets[d] * multipliers[lane] - steps[d] * code;
        assert difference == (short) difference;
        sum += difference >> SHIFT ^ difference >> 15;
      }
      out[lane] = sum;
    }
  }

  private static int code(char[] codes, int offset, int lanes, int lane, int d) {
    return (codes[offset + d / 4 * lanes + lane] >> 4 * (d % 4) & 15) - 8;
  }

  @Override
  public void squares(double[] query, float[] rows, int at, double[] terms) {
    for (int i = 0; i < query.length; i++) {
      double difference = query[i] - rows[at + i];
      terms[i] = difference * difference;
    }
  }

  @Override
  public void products(double[] query, float[] rows, int at, double[] terms) {
    for (int i = 0; i < query.length; i++) {
      terms[i] = query[i] * rows[at + i];
    }
  }

  @Override
  public void differences(double[] query, float[] rows, int at, double[] terms) {
    for (int i = 0; i < query.length; i++) {
      terms[i] = Math.abs(query[i] - rows[at + i]);
    }
  }
}
