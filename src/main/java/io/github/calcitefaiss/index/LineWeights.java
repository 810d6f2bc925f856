/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * A query's weights of the codes in a line of a {@link Sketch}: of sixteen codes of four bits, from
 * 0 to 15, in each long.
 *
 * <p>Several codes are multiplied and added up by one multiplication: with codes and weights that
 * aren't negative in lanes of 16 bits, the weights in reverse order, the highest lane of the
 * product is the sum of the products. So codes are turned around where the weight is negative: with
 * {@code 15 - code} for the code, {@code -weight} gives the sum but for a constant.
 *
 * @param turned what a long's codes are xored with
 * @param fours for each long and shift by four bits, the weights of every fourth code
 * @param pairs for each shift and long, the same of both halves of the long, for every fourth code
 *     of eight
 * @param constant what is to be added to the sum
 */
record LineWeights(long[] turned, long[] fours, long[] pairs, int constant) {
  /** A weight at most, so that four times that and the largest code fit 16 bits. */
  static final int MOST = 65_535 / (4 * 15);

  /** What keeps every fourth code. */
  static final long EVERY_FOURTH = 0x000F_000F_000F_000FL;

  /** The largest code. */
  static final int CODE = 15;

  /** Codes in a long. */
  static final int IN_LONG = 16;

  /**
   * Takes weights from -{@link #MOST} to {@link #MOST}.
   *
   * @param weights one per code; those that come after the last are 0
   */
  static LineWeights of(int[] weights, int longs) {
    long[] turned = new long[longs];
    long[] fours = new long[4 * longs];
    long[] pairs = new long[4 * longs];
    int constant = 0;
    for (int j = 0; j < weights.length; j++) {
      int i = j / IN_LONG;
      int at = j % IN_LONG;
      long weight = Math.abs(weights[j]);
      // A code is in lane at / 4 of those that the shift leaves, of four or, in its half, of two.
      fours[4 * i + at % 4] |= weight << 16 * (3 - at / 4);
      pairs[at % 4 * longs + i] |= weight << 32 * (at / 8) + 16 * (1 - at / 4 % 2);
      if (weights[j] < 0) {
        turned[i] |= (long) CODE << 4 * at;
        constant += CODE * weights[j];
      }
    }
    return new LineWeights(turned, fours, pairs, constant);
  }

  /** The sum for a line that begins at {@code at}. */
  int dot(long[] lines, int at) {
    long sum = constant;
    for (int i = 0; i < turned.length; i++) {
      long x = lines[at + i] ^ turned[i];
      sum +=
          ((x & EVERY_FOURTH) * fours[4 * i] >>> 48)
              + ((x >>> 4 & EVERY_FOURTH) * fours[4 * i + 1] >>> 48)
              + ((x >>> 8 & EVERY_FOURTH) * fours[4 * i + 2] >>> 48)
              + ((x >>> 12 & EVERY_FOURTH) * fours[4 * i + 3] >>> 48);
    }
    return (int) sum;
  }
}
