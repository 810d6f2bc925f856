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
            weights[w + 1],
            weights[w + 2],
            weights[w + 3],
            acc);
      }
      flush(acc, lanes, out, first == 0);
    }
  }

  private static void add(
      char[] codes, int offset, int lanes, short w0, short w1, short w2, short w3, short[] acc) {
    for (int j = 0; j < lanes; j++) {
      char x = codes[offset + j];
      acc[j] =
          (short)
              (acc[j]
                  + (x & 15) * w0
                  + ((x >> 4) & 15) * w1
                  + ((x >> 8) & 15) * w2
                  + (x >> 12) * w3);
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
