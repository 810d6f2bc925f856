/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The kernel on the Vector API, for a JVM started with {@code --add-modules jdk.incubator.vector}.
 *
 * <p>Loaded by name and only when the module is there. Works with the widest vectors that the
 * machine prefers, whatever their width.
 */
final class VectorKernel implements Kernel {
  private static final VectorSpecies<Short> SPECIES = ShortVector.SPECIES_PREFERRED;
  private static final int WIDTH = SPECIES.length();

  VectorKernel() {
    // Blocks have no tail for widths that divide a step; no machine has wider vectors yet.
    if (Layout.LANE_STEP % WIDTH != 0) {
      throw new UnsupportedOperationException("vectors of " + WIDTH + " shorts");
    }
  }

  @Override
  public String name() {
    return "vector-" + SPECIES.vectorBitSize();
  }

  @Override
  public void dots(
      char[] codes, int offset, int lanes, short[] weights, int run, short[] acc, int[] out) {
    int packs = weights.length / 4;
    for (int first = 0; first < packs; first += run) {
      int end = Math.min(packs, first + run);
      Arrays.fill(acc, 0, lanes, Kernel.start(weights, first, end));
      int pack = first;
      for (; pack + 2 <= end; pack += 2) {
        two(codes, offset + pack * lanes, lanes, weights, 4 * pack, acc);
      }
      for (; pack < end; pack++) {
        one(codes, offset + pack * lanes, lanes, weights, 4 * pack, acc);
      }
      PlainKernel.flush(acc, lanes, out, first == 0);
    }
  }

  private static void one(
      char[] codes, int offset, int lanes, short[] weights, int w, short[] acc) {
    short w0 = weights[w];
    short w1 = weights[w + 1];
    short w2 = weights[w + 2];
    short w3 = weights[w + 3];
    for (int j = 0; j < lanes; j += WIDTH) {
      ShortVector x = ShortVector.fromCharArray(SPECIES, codes, offset + j);
      ShortVector.fromArray(SPECIES, acc, j)
          .add(x.and((short) 15).mul(w0))
          .add(x.lanewise(VectorOperators.LSHR, 4).and((short) 15).mul(w1))
          .add(x.lanewise(VectorOperators.LSHR, 8).and((short) 15).mul(w2))
          .add(x.lanewise(VectorOperators.LSHR, 12).mul(w3))
          .intoArray(acc, j);
    }
  }

  private static void two(
      char[] codes, int offset, int lanes, short[] weights, int w, short[] acc) {
    short w0 = weights[w];
    short w1 = weights[w + 1];
    short w2 = weights[w + 2];
    short w3 = weights[w + 3];
    short w4 = weights[w + 4];
    short w5 = weights[w + 5];
    short w6 = weights[w + 6];
    short w7 = weights[w + 7];
    for (int j = 0; j < lanes; j += WIDTH) {
      ShortVector x = ShortVector.fromCharArray(SPECIES, codes, offset + j);
      ShortVector y = ShortVector.fromCharArray(SPECIES, codes, offset + lanes + j);
      ShortVector a =
          x.and((short) 15)
              .mul(w0)
              .add(x.lanewise(VectorOperators.LSHR, 4).and((short) 15).mul(w1))
              .add(x.lanewise(VectorOperators.LSHR, 8).and((short) 15).mul(w2))
              .add(x.lanewise(VectorOperators.LSHR, 12).mul(w3));
      ShortVector b =
          y.and((short) 15)
              .mul(w4)
              .add(y.lanewise(VectorOperators.LSHR, 4).and((short) 15).mul(w5))
              .add(y.lanewise(VectorOperators.LSHR, 8).and((short) 15).mul(w6))
              .add(y.lanewise(VectorOperators.LSHR, 12).mul(w7));
      ShortVector.fromArray(SPECIES, acc, j).add(a.add(b)).intoArray(acc, j);
    }
  }
}
