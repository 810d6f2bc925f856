/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * The definition of {@link Kernel#dots}, lane by lane: what every other kernel is tested against.
 */
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
        int code = codes[offset + d / 4 * lanes + lane] >> 4 * (d % 4) & 15;
        sum += weights[d] * (code - 8);
      }
      out[lane] = sum;
    }
  }
}
