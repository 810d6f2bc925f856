/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
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
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;

  /** As many floats as there are lanes for doubles. */
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(
          float.class, VectorShape.forBitSize(Math.max(64, DOUBLES.vectorBitSize() / 2)));

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
      for (int pack = first; pack < end; pack++) {
        add(codes, offset + pack * lanes, lanes, weights, 4 * pack, acc);
      }
      PlainKernel.flush(acc, lanes, out, first == 0);
    }
  }

  private static void add(
      char[] codes, int offset, int lanes, short[] weights, int w, short[] acc) {
    // Spread once a pass: left to the compiler, JDK 25 does it again for every step.
    ShortVector w0 = ShortVector.broadcast(SPECIES, weights[w]);
    ShortVector w1 = ShortVector.broadcast(SPECIES, weights[w + 1]);
    ShortVector w2 = ShortVector.broadcast(SPECIES, weights[w + 2]);
    ShortVector w3 = ShortVector.broadcast(SPECIES, weights[w + 3]);
    ShortVector mask = ShortVector.broadcast(SPECIES, (short) 15);
    for (int j = 0; j < lanes; j += WIDTH) {
      ShortVector x = ShortVector.fromCharArray(SPECIES, codes, offset + j);
      ShortVector.fromArray(SPECIES, acc, j)
          .add(x.and(mask).mul(w0))
          .add(x.lanewise(VectorOperators.LSHR, 4).and(mask).mul(w1))
          .add(x.lanewise(VectorOperators.LSHR, 8).and(mask).mul(w2))
          .add(x.lanewise(VectorOperators.LSHR, 12).mul(w3))
          .intoArray(acc, j);
    }
  }

  @Override
  public void squares(double[] query, float[] rows, int at, double[] terms) {
    int i = 0;
    for (; i + DOUBLES.length() <= query.length; i += DOUBLES.length()) {
      DoubleVector q = DoubleVector.fromArray(DOUBLES, query, i);
      DoubleVector x = doubles(rows, at + i);
      DoubleVector d = q.sub(x);
      d.mul(d).intoArray(terms, i);
    }
    for (; i < query.length; i++) {
      double d = query[i] - rows[at + i];
      terms[i] = d * d;
    }
  }

  @Override
  public void products(double[] query, float[] rows, int at, double[] terms) {
    int i = 0;
    for (; i + DOUBLES.length() <= query.length; i += DOUBLES.length()) {
      DoubleVector q = DoubleVector.fromArray(DOUBLES, query, i);
      DoubleVector x = doubles(rows, at + i);
      q.mul(x).intoArray(terms, i);
    }
    for (; i < query.length; i++) {
      terms[i] = query[i] * rows[at + i];
    }
  }

  @Override
  public void differences(double[] query, float[] rows, int at, double[] terms) {
    int i = 0;
    for (; i + DOUBLES.length() <= query.length; i += DOUBLES.length()) {
      DoubleVector q = DoubleVector.fromArray(DOUBLES, query, i);
      DoubleVector x = doubles(rows, at + i);
      q.sub(x).abs().intoArray(terms, i);
    }
    for (; i < query.length; i++) {
      terms[i] = Math.abs(query[i] - rows[at + i]);
    }
  }

  private static DoubleVector doubles(float[] rows, int at) {
    return (DoubleVector)
        FloatVector.fromArray(FLOATS, rows, at).convertShape(VectorOperators.F2D, DOUBLES, 0);
  }
}
