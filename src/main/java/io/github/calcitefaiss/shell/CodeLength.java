/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How many bits some blobs would take, written by someone who believes that they hold numbers of a
 * form: the form that needs the fewest is the likeliest (Rissanen's minimum description length).
 *
 * <p>Read in the right way, exponents are few and near one another, signs and values repeat, and
 * short fractions end in zeros. Read in a wrong way, pieces of fractions stand where exponents do.
 * All is learnt while it is written, from a first guess about the numbers that models make.
 */
final class CodeLength {
  /** Enough to be sure, and read in no time. */
  private static final int MOST_ELEMENTS = 16_384;

  /** The part of the elements that are of sizes such as models make. */
  private static final double MOST = 0.9;

  private final NumberForm form;
  private final Adaptive fresh = new Adaptive(0.5, 0.5);
  private final Adaptive sign = new Adaptive(0.5, 0.5);
  private final Adaptive exponents;
  private final Adaptive lengths;
  private final Map<Long, int[]> seen = new HashMap<>();
  private int repeated;

  private CodeLength(NumberForm form) {
    this.form = form;
    double[] exponent = new double[1 << form.exponentBits()];
    int bias = exponent.length / 2 - 1;
    for (int e = 1; e < exponent.length; e++) {
      exponent[e] = likely(e - bias);
    }
    exponents = new Adaptive(mixed(exponent, 0.9));
    exponents.likely(0, 0.1);
    double[] length = new double[8 * form.width() + 1];
    for (int l = 0; l <= 8 * form.width(); l++) {
      int full = form.isFloat() ? form.fractionBits() : 8 * form.width() - 1;
      length[l] = l > full ? 0 : Math.pow(form.isFloat() ? 0.5 : 0.7, full - l);
    }
    lengths = new Adaptive(mixed(length, 0.8));
  }

  /** Elements of vectors are mostly from 2^-10 to 1; larger ones are counts, or pixels. */
  private static double likely(int exponent) {
    double below = Math.max(0, -10 - exponent);
    double above = Math.max(0, exponent);
    double far = Math.max(0, exponent - 8);
    return Math.pow(0.7, below) * Math.pow(0.8, above) * Math.pow(0.6, far);
  }

  /** The bits for the blobs as numbers of a form; infinite where they can't be. */
  static double of(NumberForm form, List<byte[]> blobs) {
    long whole = blobs.stream().mapToLong(blob -> blob.length / form.width()).sum();
    int fromEach = Math.max(2, MOST_ELEMENTS / blobs.size());
    CodeLength code = new CodeLength(form);
    double bits = form.rare();
    long some = 0;
    long usual = 0;
    long none = 0;
    long all = 0;
    for (byte[] blob : blobs) {
      if (blob.length == 0 || blob.length % form.width() != 0) {
        return Double.POSITIVE_INFINITY;
      }
      ByteBuffer buffer = form.buffer(blob);
      int elements = Math.min(fromEach, blob.length / form.width());
      for (int i = 0; i < elements; i++, all++) {
        long element = form.bits(buffer, i);
        double value = form.value(element);
        some += value == 0 ? 0 : 1;
        usual += value != 0 && form.usual(value) ? 1 : 0;
        none += Double.isFinite(value) ? 0 : 1;
        bits += code.write(element);
      }
    }
    // Only float32, which an index takes, has rows with NaN that are worth telling.
    if (usual < MOST * some || form != NumberForm.FLOAT32 && none > all / 1000) {
      return Double.POSITIVE_INFINITY;
    }
    return bits * whole / all;
  }

  /**
   * The bits for the upper halves of bytes, each at its place in a group of some: fewest for groups
   * as wide as an element, or a divisor of that.
   */
  static double ofGroups(int width, List<byte[]> blobs) {
    Adaptive[] places = new Adaptive[width];
    for (int i = 0; i < width; i++) {
      double[] even = new double[16];
      Arrays.fill(even, 1.0 / 16);
      places[i] = new Adaptive(even);
    }
    int fromEach = Math.max(8, 8 * MOST_ELEMENTS / blobs.size());
    double bits = 0;
    long all = 0;
    long whole = 0;
    for (byte[] blob : blobs) {
      for (int i = 0; i < Math.min(fromEach, blob.length); i++, all++) {
        bits += places[i % width].write(blob[i] >> 4 & 0xf);
      }
      whole += blob.length;
    }
    return all == 0 ? 0 : bits * whole / all;
  }

  /** The bits for the blobs as bits without a meaning, of which more may be 0 or 1. */
  static double ofBits(List<byte[]> blobs) {
    long all = 0;
    long ones = 0;
    for (byte[] blob : blobs) {
      all += 8L * blob.length;
      ones += BitSet.valueOf(blob).cardinality();
    }
    double part = (double) Math.min(ones, all - ones) / all;
    double entropy = -part * Adaptive.log2(part) - (1 - part) * Adaptive.log2(1 - part);
    return part == 0 ? 0 : all * entropy;
  }

  private double write(long element) {
    int[] count = seen.get(element);
    if (count != null) {
      double bits = fresh.write(0) - Adaptive.log2((double) count[0]++ / (seen.size() + repeated));
      repeated++;
      return bits;
    }
    double bits = fresh.write(1);
    seen.put(element, new int[] {1});
    if (!form.isFloat()) {
      long size = element < 0 ? ~element : element;
      int length = 64 - Long.numberOfLeadingZeros(size);
      return bits + sign.write(element < 0 ? 1 : 0) + lengths.write(length) + rest(length);
    }
    long fraction = element & (1L << form.fractionBits()) - 1;
    int length = fraction == 0 ? 0 : form.fractionBits() - Long.numberOfTrailingZeros(fraction);
    int exponent = (int) (element >>> form.fractionBits()) & (1 << form.exponentBits()) - 1;
    return bits
        + sign.write((int) (element >>> 8 * form.width() - 1) & 1)
        + exponents.write(exponent)
        + lengths.write(length)
        + rest(length);
  }

  /** Of as many bits, one is known to be 1. */
  private static int rest(int length) {
    return Math.max(0, length - 1);
  }

  private static double[] mixed(double[] weights, double part) {
    double sum = 0;
    for (double weight : weights) {
      sum += weight;
    }
    double[] mixed = new double[weights.length];
    for (int i = 0; i < mixed.length; i++) {
      mixed[i] = part * weights[i] / sum + (1 - part) / mixed.length;
    }
    return mixed;
  }

  /** Symbols whose frequencies are learnt, beginning with a guess. */
  private static final class Adaptive {
    private static final double LN2 = Math.log(2);

    private final double[] guess;
    private final int[] counts;
    private int n;

    Adaptive(double... guess) {
      this.guess = guess;
      this.counts = new int[guess.length];
    }

    /** Makes a symbol as likely as said, the others less so. */
    void likely(int symbol, double part) {
      for (int i = 0; i < guess.length; i++) {
        guess[i] = i == symbol ? part : guess[i] * (1 - part);
      }
    }

    double write(int symbol) {
      double bits = -log2((counts[symbol] + 2 * guess[symbol]) / (n + 2));
      counts[symbol]++;
      n++;
      return bits;
    }

    static double log2(double x) {
      return Math.log(x) / LN2;
    }
  }
}
