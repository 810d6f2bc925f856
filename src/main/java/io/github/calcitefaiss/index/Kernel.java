/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * The inner loops of a search: dot products of a query's integer weights with a block of 4-bit
 * codes, and the terms that a metric sums up for one row.
 *
 * <p>Every kernel gives the same bits, so which one runs decides the speed of a search and nothing
 * else. Terms are computed one by one and added up elsewhere, in element order: what may be done
 * many at a time is kept apart from what may not.
 *
 * <p>A block holds the codes of some vectors ("lanes") dimension-major, four dimensions of one lane
 * to a {@code char}: element {@code offset + pack * lanes + lane} has the code of dimension {@code
 * 4 * pack + i} in bits {@code 4 * i} to {@code 4 * i + 3}. A code's value is the four bits minus
 * 8. The layout is that of PDX (Kuffo et al., "PDX: A Data Layout for Vector Similarity Search",
 * 2025), where one instruction works on one dimension of many vectors and nothing is summed across
 * lanes.
 */
interface Kernel {
  /** As many queries as share what is unpacked of one block's codes. */
  int TOGETHER = 4;

  /** Lines that memory is asked for at once. */
  int SOME_LINES = 64;

  /** How far the terms of {@link #differences} are shifted, so that a run's sum fits 16 bits. */
  int SHIFT = 6;

  /** Packs whose differences are summed in 16 bits: each term is below {@code 2^(15 - SHIFT)}. */
  int DIFFERENCES_RUN = 1 << 16 - 2 - (15 - SHIFT);

  /** What was chosen, for logs and monitoring. */
  String name();

  /**
   * Computes {@code out[lane] = Σ weight[d] × code[lane][d]} for every lane.
   *
   * @param codes where the block is
   * @param offset the block's first element
   * @param lanes vectors in the block, a multiple of {@link Layout#LANE_STEP}
   * @param weights one per dimension, padded with zeros to whole packs
   * @param run packs that may be summed in 16 bits: the true sum over each run of that many packs
   *     fits a short, while its partial sums may wrap
   * @param acc scratch, at least {@code lanes} long
   * @param out the results, at least {@code lanes} long
   */
  void dots(char[] codes, int offset, int lanes, short[] weights, int run, short[] acc, int[] out);

  /**
   * Computes the dot products of several queries with one block, each as {@link #dots} does.
   *
   * @param weights of each query
   * @param n how many queries, at least 1
   * @param acc scratch, {@link #TOGETHER} arrays
   * @param out the results of each query
   */
  default void dots(
      char[] codes,
      int offset,
      int lanes,
      short[][] weights,
      int n,
      int run,
      short[][] acc,
      int[][] out) {
    for (int i = 0; i < n; i++) {
      dots(codes, offset, lanes, weights[i], run, acc[0], out[i]);
    }
  }

  /**
   * Finds the rows of a block whose bound, {@code b·energy - g·error - scale·(tau·dot + k)} in
   * float and in this order, is not above a limit.
   *
   * @param line the coefficients
   * @param energy of each row of a chunk, as are {@code error} and {@code scale}
   * @param first the block's first row
   * @param n rows of the block
   * @param dots one per row of the block
   * @param lanes receives the rows left, by their place in the block; one longer than the block
   * @return how many are left
   */
  default int select(
      Line line,
      float[] energy,
      float[] error,
      float[] scale,
      int first,
      int n,
      int[] dots,
      float limit,
      int[] lanes) {
    int left = 0;
    for (int j = 0; j < n; j++) {
      int row = first + j;
      float bound =
          line.b * energy[row] - line.g * error[row] - scale[row] * (line.tau * dots[j] + line.k);
      lanes[left] = j;
      left += bound > limit ? 0 : 1;
    }
    return left;
  }

  /**
   * Finds the lanes whose sum is at least a threshold.
   *
   * @param lanes receives them
   * @return how many there are
   */
  default int atLeast(int[] sums, int n, int threshold, int[] lanes) {
    int left = 0;
    for (int j = 0; j < n; j++) {
      // They are few, so a branch is foretold.
      if (sums[j] >= threshold) {
        lanes[left++] = j;
      }
    }
    return left;
  }

  /**
   * Computes the sums of some lines.
   *
   * @param lines where they are
   * @param at where each begins
   * @param n how many
   * @param out receives the sums
   */
  default void lines(long[] lines, int[] at, int n, LineWeights weights, int[] out) {
    int longs = weights.turned().length;
    for (int from = 0; from < n; from += SOME_LINES) {
      int end = Math.min(n, from + SOME_LINES);
      out[from] = touch(lines, at, from, end, longs);
      for (int i = from; i < end; i++) {
        out[i] = weights.dot(lines, at[i]);
      }
    }
  }

  /**
   * Asks for some lines: memory is waited for as long as many instructions take, and for all of
   * them at once.
   *
   * @return what has no meaning, but must be kept for the lines to be read
   */
  static int touch(long[] lines, int[] at, int from, int end, int longs) {
    int touched = 0;
    for (int i = from; i < end; i++) {
      touched |= (int) lines[at[i] + longs - 1];
    }
    return touched;
  }

  /** The coefficients of a query's linear bound. */
  record Line(float b, float g, float tau, float k) {
    /** The bound of one row. */
    float of(Chunk chunk, int stage, int row, int sum) {
      return b * chunk.energy[row]
          - g * chunk.error[stage][row]
          - chunk.scale[stage][row] * (tau * sum + k);
    }
  }

  /**
   * Computes {@code to[j] = round(beta / scale[first + j])}, and 0 where that isn't within 1 to
   * 255.
   *
   * @return whether it was nowhere 0
   */
  static boolean multipliers(float beta, float[] scale, int first, int n, char[] to) {
    boolean all = true;
    for (int j = 0; j < n; j++) {
      float rounded = beta / scale[first + j] + 0.5f;
      boolean fits = rounded >= 1 && rounded < 256;
      to[j] = fits ? (char) (int) rounded : 0;
      all &= fits;
    }
    return all;
  }

  /**
   * Sums absolute differences of the codes from targets that differ from lane to lane by a factor.
   *
   * <p>With {@code T = targets[d] × multipliers[lane] - steps[d] × code}, which must fit a short
   * whatever the code, {@code out[lane] = Σ (T >> }{@link #SHIFT}{@code ) ^ (T >> 15)}: each term
   * is at most {@code |T| / 2^SHIFT}, by less than 1.
   *
   * @param high the high halves of the codes
   * @param low the low halves, with which a code is {@code 16 × high + low}; null for high halves
   *     alone
   * @param offset the block's first element in both
   * @param lanes vectors in the block, a multiple of {@link Layout#LANE_STEP}
   * @param targets one per dimension, padded with zeros to whole packs, as are the steps
   * @param multipliers one per lane, at most 255
   * @param terms scratch, at least {@code lanes} long, as are {@code acc} and {@code out}
   */
  void differences(
      char[] high,
      char[] low,
      int offset,
      int lanes,
      short[] targets,
      short[] steps,
      char[] multipliers,
      short[] terms,
      char[] acc,
      int[] out);

  /** Computes {@code terms[i] = (query[i] - rows[at + i])²} in double. */
  void squares(double[] query, float[] rows, int at, double[] terms);

  /** Computes {@code terms[i] = query[i] × rows[at + i]} in double. */
  void products(double[] query, float[] rows, int at, double[] terms);

  /** Computes {@code terms[i] = |query[i] - rows[at + i]|} in double. */
  void differences(double[] query, float[] rows, int at, double[] terms);

  /**
   * The weight of a code that is not masked: with {@code x >> 4i} for the code i of a char, each
   * weight less 16 times the one before gives the same sum in 16 bits as weights of the four bits
   * alone.
   *
   * @param d no first dimension of a pack
   */
  static short unmasked(short[] weights, int d) {
    return (short) (weights[d] - 16 * weights[d - 1]);
  }

  /** What a run's sum starts from, so that codes may be used without subtracting 8 from each. */
  static short start(short[] weights, int firstPack, int endPack) {
    int sum = 0;
    for (int d = 4 * firstPack; d < 4 * endPack; d++) {
      sum += weights[d];
    }
    return (short) (-8 * sum);
  }
}
