/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * The codes of a column, turned: for each bit of a code, that bit of all rows. What is below a code
 * is found for 64 rows at a time, by loops that compilers make vectors of.
 *
 * @see <a href="https://doi.org/10.1145/253260.253268">O'Neil and Quass, "Improved query
 *     performance with variant indexes", 1997</a>
 */
final class BitPlanes {
  /** Columns of more codes would take too many planes. */
  private static final int MOST_CODES = 1 << 16;

  private final int rows;
  private final long[][] planes;

  BitPlanes(int rows, int codes, IntUnaryOperator code) {
    this.rows = rows;
    planes = new long[bits(codes)][words(rows)];
    for (int row = 0; row < rows; row++) {
      int of = code.applyAsInt(row);
      for (int bit = 0; bit < planes.length; bit++) {
        planes[bit][row >> 6] |= (of >>> bit & 1L) << row;
      }
    }
  }

  /** Bytes of those of a column; 0 if it has too many codes to have any. */
  static long bytes(int rows, int codes) {
    return codes > MOST_CODES ? 0 : 8L * bits(codes) * words(rows);
  }

  private static int bits(int codes) {
    return Math.max(1, Integer.SIZE - Integer.numberOfLeadingZeros(codes - 1));
  }

  private static int words(int rows) {
    return (rows + 63) / 64;
  }

  /** Adds the rows whose code is at least {@code from} and below {@code to}. */
  void add(int from, int to, long[] found) {
    long[] below = below(to);
    long[] tooLow = below(from);
    for (int w = 0; w < found.length; w++) {
      found[w] |= below[w] & ~tooLow[w];
    }
  }

  private long[] below(int code) {
    long[] less = new long[words(rows)];
    long[] same = new long[words(rows)];
    Arrays.fill(same, -1);
    if (rows % 64 != 0) {
      same[same.length - 1] = (1L << rows) - 1;
    }
    if (code >>> planes.length != 0) {
      return same;
    }
    for (int bit = planes.length - 1; bit >= 0; bit--) {
      if ((code >>> bit & 1) == 1) {
        one(planes[bit], same, less);
      } else {
        zero(planes[bit], same);
      }
    }
    return less;
  }

  private static void one(long[] plane, long[] same, long[] less) {
    for (int w = 0; w < same.length; w++) {
      less[w] |= same[w] & ~plane[w];
      same[w] &= plane[w];
    }
  }

  private static void zero(long[] plane, long[] same) {
    for (int w = 0; w < same.length; w++) {
      same[w] &= ~plane[w];
    }
  }
}
