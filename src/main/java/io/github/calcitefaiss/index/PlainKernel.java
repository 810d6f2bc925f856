/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;

/**
 * The kernel for a JVM without flags: loops that the JIT compiler turns into SIMD by itself.
 *
 * <p>Codes are chars and sums are shorts because C2 takes two arrays of one type for possible
 * aliases and then doesn't vectorise; with two types it multiplies 16 or 32 lanes at a time, on JDK
 * 17 as on 25. One pack a pass, because a body of three no longer fits C2's unrolling limit and
 * runs eight times slower.
 */
final class PlainKernel implements Kernel {
  @Override
  public String name() {
    return "plain";
  }

  @Override
  public void dots(
      char[] codes, int offset, int lanes, short[] weights, int run, short[] acc, int[] out) {
    int packs = weights.length / 4;
    for (int first = 0; first < packs; first += run) {
      int end = Math.min(packs, first + run);
      Arrays.fill(acc, 0, lanes, Kernel.start(weights, first, end));
      for (int pack = first; pack < end; pack++) {
        int w = 4 * pack;
        add(
            codes,
            offset + pack * lanes,
            lanes,
            weights[w],
            Kernel.unmasked(weights, w + 1),
            Kernel.unmasked(weights, w + 2),
            Kernel.unmasked(weights, w + 3),
            acc);
      }
      flush(acc, lanes, out, first == 0);
    }
  }

  private static void add(
      char[] codes, int offset, int lanes, short w0, short w1, short w2, short w3, short[] acc) {
    for (int j = 0; j < lanes; j++) {
      char x = codes[offset + j];
      acc[j] = (short) (acc[j] + x * w0 + (x >> 4) * w1 + (x >> 8) * w2 + (x >> 12) * w3);
    }
  }

  /** Moves the sums of a run into the results. */
  static void flush(short[] acc, int lanes, int[] out, boolean first) {
    if (first) {
      for (int j = 0; j < lanes; j++) {
        out[j] = acc[j];
      }
    } else {
      for (int j = 0; j < lanes; j++) {
        out[j] += acc[j];
      }
    }
  }

  // Two loops, since C2 shifts only what it has loaded; what is loaded isn't of the type that is
  // stored, and a shift in signed shorts needs a short.

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
    int packs = targets.length / 4;
    for (int first = 0; first < packs; first += DIFFERENCES_RUN) {
      int end = Math.min(packs, first + DIFFERENCES_RUN);
      Arrays.fill(acc, 0, lanes, (char) 0);
      for (int d = 4 * first; d < 4 * end; d++) {
        int at = offset + d / 4 * lanes;
        int shift = 4 * (d % 4);
        if (low == null) {
          terms(high, at, lanes, shift, targets[d], steps[d], multipliers, terms);
        } else {
          terms(high, low, at, lanes, shift, targets[d], steps[d], multipliers, terms);
        }
        add(terms, lanes, acc);
      }
      flush(acc, lanes, out, first == 0);
    }
  }

  private static void terms(
      char[] codes,
      int at,
      int lanes,
      int shift,
      short target,
      short step,
      char[] multipliers,
      short[] terms) {
    int middle = 8 * step;
    for (int j = 0; j < lanes; j++) {
      int code = codes[at + j] >> shift & 15;
      terms[j] = (short) (target * multipliers[j] + middle - step * code);
    }
  }

  private static void terms(
      char[] high,
      char[] low,
      int at,
      int lanes,
      int shift,
      short target,
      short step,
      char[] multipliers,
      short[] terms) {
    int middle = 136 * step;
    int sixteen = 16 * step;
    for (int j = 0; j < lanes; j++) {
      int upper = high[at + j] >> shift & 15;
      int lower = low[at + j] >> shift & 15;
      terms[j] = (short) (target * multipliers[j] + middle - sixteen * upper - step * lower);
    }
  }

  private static void add(short[] terms, int lanes, char[] acc) {
    for (int j = 0; j < lanes; j++) {
      acc[j] = (char) (acc[j] + (terms[j] >> SHIFT ^ terms[j] >> 15));
    }
  }

  /** Adds the sums of a run to the results. */
  static void flush(char[] acc, int lanes, int[] out, boolean first) {
    if (first) {
      Arrays.fill(out, 0, lanes, 0);
    }
    for (int j = 0; j < lanes; j++) {
      out[j] += acc[j];
    }
  }

  // Converted in a loop of its own: JDK 17 can't vectorise a conversion, but does the rest then.

  @Override
  public void squares(double[] query, float[] rows, int at, double[] terms) {
    convert(rows, at, terms, query.length);
    for (int i = 0; i < query.length; i++) {
      double difference = query[i] - terms[i];
      terms[i] = difference * difference;
    }
  }

  @Override
  public void products(double[] query, float[] rows, int at, double[] terms) {
    convert(rows, at, terms, query.length);
    for (int i = 0; i < query.length; i++) {
      terms[i] = query[i] * terms[i];
    }
  }

  @Override
  public void differences(double[] query, float[] rows, int at, double[] terms) {
    convert(rows, at, terms, query.length);
    for (int i = 0; i < query.length; i++) {
      terms[i] = Math.abs(query[i] - terms[i]);
    }
  }

  private static void convert(float[] rows, int at, double[] to, int n) {
    for (int i = 0; i < n; i++) {
      to[i] = rows[at + i];
    }
  }
}
