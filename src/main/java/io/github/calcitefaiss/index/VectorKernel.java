/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
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
  private static final Kernel PLAIN = new PlainKernel();
  private static final VectorSpecies<Short> SPECIES = ShortVector.SPECIES_PREFERRED;
  private static final int WIDTH = SPECIES.length();
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;

  /** As many floats as there are lanes for doubles. */
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(
          float.class, VectorShape.forBitSize(Math.max(64, DOUBLES.vectorBitSize() / 2)));

  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Float> BOUNDS = FloatVector.SPECIES_PREFERRED;
  private static final long KEPT = -1L >>> 64 - BOUNDS.length();

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
    ShortVector w1 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights, w + 1));
    ShortVector w2 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights, w + 2));
    ShortVector w3 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights, w + 3));
    for (int j = 0; j < lanes; j += WIDTH) {
      ShortVector x = ShortVector.fromCharArray(SPECIES, codes, offset + j);
      ShortVector.fromArray(SPECIES, acc, j)
          .add(x.mul(w0))
          .add(x.lanewise(VectorOperators.LSHR, 4).mul(w1))
          .add(x.lanewise(VectorOperators.LSHR, 8).mul(w2))
          .add(x.lanewise(VectorOperators.LSHR, 12).mul(w3))
          .intoArray(acc, j);
    }
  }

  /** Several queries at a time: a register of codes is unpacked once for all of them. */
  @Override
  public void dots(
      char[] codes,
      int offset,
      int lanes,
      short[][] weights,
      int n,
      int run,
      short[][] acc,
      int[][] out) {
    int i = 0;
    // Without 32 registers, the weights of four queries don't fit beside what is unpacked.
    for (; WIDTH >= 32 && i + 4 <= n; i += 4) {
      int packs = weights[i].length / 4;
      for (int first = 0; first < packs; first += run) {
        int end = Math.min(packs, first + run);
        start(acc, weights, i, 4, lanes, first, end);
        for (int pack = first; pack < end; pack++) {
          addFour(codes, offset + pack * lanes, lanes, weights, i, 4 * pack, acc);
        }
        flush(acc, lanes, out, i, 4, first == 0);
      }
    }
    for (; i + 2 <= n; i += 2) {
      int packs = weights[i].length / 4;
      for (int first = 0; first < packs; first += run) {
        int end = Math.min(packs, first + run);
        start(acc, weights, i, 2, lanes, first, end);
        for (int pack = first; pack < end; pack++) {
          addTwo(codes, offset + pack * lanes, lanes, weights, i, 4 * pack, acc[0], acc[1]);
        }
        flush(acc, lanes, out, i, 2, first == 0);
      }
    }
    for (; i < n; i++) {
      dots(codes, offset, lanes, weights[i], run, acc[0], out[i]);
    }
  }

  private static void start(
      short[][] acc, short[][] weights, int query, int n, int lanes, int first, int end) {
    for (int i = 0; i < n; i++) {
      Arrays.fill(acc[i], 0, lanes, Kernel.start(weights[query + i], first, end));
    }
  }

  private static void flush(
      short[][] acc, int lanes, int[][] out, int query, int n, boolean first) {
    for (int i = 0; i < n; i++) {
      PlainKernel.flush(acc[i], lanes, out[query + i], first);
    }
  }

  private static void addFour(
      char[] codes, int offset, int lanes, short[][] weights, int query, int w, short[][] acc) {
    short[] weights0 = weights[query];
    short[] weights1 = weights[query + 1];
    short[] weights2 = weights[query + 2];
    short[] weights3 = weights[query + 3];
    short[] acc0 = acc[0];
    short[] acc1 = acc[1];
    short[] acc2 = acc[2];
    short[] acc3 = acc[3];
    ShortVector a0 = ShortVector.broadcast(SPECIES, weights0[w]);
    ShortVector a1 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights0, w + 1));
    ShortVector a2 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights0, w + 2));
    ShortVector a3 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights0, w + 3));
    ShortVector b0 = ShortVector.broadcast(SPECIES, weights1[w]);
    ShortVector b1 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights1, w + 1));
    ShortVector b2 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights1, w + 2));
    ShortVector b3 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights1, w + 3));
    ShortVector c0 = ShortVector.broadcast(SPECIES, weights2[w]);
    ShortVector c1 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights2, w + 1));
    ShortVector c2 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights2, w + 2));
    ShortVector c3 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights2, w + 3));
    ShortVector d0 = ShortVector.broadcast(SPECIES, weights3[w]);
    ShortVector d1 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights3, w + 1));
    ShortVector d2 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights3, w + 2));
    ShortVector d3 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights3, w + 3));
    for (int j = 0; j < lanes; j += WIDTH) {
      ShortVector x = ShortVector.fromCharArray(SPECIES, codes, offset + j);
      ShortVector x1 = x.lanewise(VectorOperators.LSHR, 4);
      ShortVector x2 = x.lanewise(VectorOperators.LSHR, 8);
      ShortVector x3 = x.lanewise(VectorOperators.LSHR, 12);
      sum(x, x1, x2, x3, a0, a1, a2, a3, acc0, j);
      sum(x, x1, x2, x3, b0, b1, b2, b3, acc1, j);
      sum(x, x1, x2, x3, c0, c1, c2, c3, acc2, j);
      sum(x, x1, x2, x3, d0, d1, d2, d3, acc3, j);
    }
  }

  private static void addTwo(
      char[] codes,
      int offset,
      int lanes,
      short[][] weights,
      int query,
      int w,
      short[] acc0,
      short[] acc1) {
    short[] weights0 = weights[query];
    short[] weights1 = weights[query + 1];
    ShortVector a0 = ShortVector.broadcast(SPECIES, weights0[w]);
    ShortVector a1 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights0, w + 1));
    ShortVector a2 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights0, w + 2));
    ShortVector a3 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights0, w + 3));
    ShortVector b0 = ShortVector.broadcast(SPECIES, weights1[w]);
    ShortVector b1 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights1, w + 1));
    ShortVector b2 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights1, w + 2));
    ShortVector b3 = ShortVector.broadcast(SPECIES, Kernel.unmasked(weights1, w + 3));
    for (int j = 0; j < lanes; j += WIDTH) {
      ShortVector x = ShortVector.fromCharArray(SPECIES, codes, offset + j);
      ShortVector x1 = x.lanewise(VectorOperators.LSHR, 4);
      ShortVector x2 = x.lanewise(VectorOperators.LSHR, 8);
      ShortVector x3 = x.lanewise(VectorOperators.LSHR, 12);
      sum(x, x1, x2, x3, a0, a1, a2, a3, acc0, j);
      sum(x, x1, x2, x3, b0, b1, b2, b3, acc1, j);
    }
  }

  private static void sum(
      ShortVector x0,
      ShortVector x1,
      ShortVector x2,
      ShortVector x3,
      ShortVector w0,
      ShortVector w1,
      ShortVector w2,
      ShortVector w3,
      short[] acc,
      int j) {
    ShortVector.fromArray(SPECIES, acc, j)
        .add(x0.mul(w0).add(x1.mul(w1)))
        .add(x2.mul(w2).add(x3.mul(w3)))
        .intoArray(acc, j);
  }

  @Override
  public int select(
      Line line,
      float[] energy,
      float[] error,
      float[] scale,
      int first,
      int n,
      int[] dots,
      float limit,
      int[] lanes) {
    FloatVector b = FloatVector.broadcast(BOUNDS, line.b());
    FloatVector g = FloatVector.broadcast(BOUNDS, line.g());
    FloatVector tau = FloatVector.broadcast(BOUNDS, line.tau());
    FloatVector k = FloatVector.broadcast(BOUNDS, line.k());
    int left = 0;
    int j = 0;
    for (; j + BOUNDS.length() <= n; j += BOUNDS.length()) {
      int row = first + j;
      FloatVector dot =
          (FloatVector)
              IntVector.fromArray(INTS, dots, j).convertShape(VectorOperators.I2F, BOUNDS, 0);
      FloatVector bound =
          FloatVector.fromArray(BOUNDS, energy, row)
              .mul(b)
              .sub(FloatVector.fromArray(BOUNDS, error, row).mul(g))
              .sub(FloatVector.fromArray(BOUNDS, scale, row).mul(dot.mul(tau).add(k)));
      VectorMask<Float> out = bound.compare(VectorOperators.GT, limit);
      if (!out.allTrue()) {
        long kept = ~out.toLong() & KEPT;
        for (; kept != 0; kept &= kept - 1) {
          lanes[left++] = j + Long.numberOfTrailingZeros(kept);
        }
      }
    }
    for (; j < n; j++) {
      int row = first + j;
      float bound =
          line.b() * energy[row]
              - line.g() * error[row]
              - scale[row] * (line.tau() * dots[j] + line.k());
      lanes[left] = j;
      left += bound > limit ? 0 : 1;
    }
    return left;
  }

  /** As the plain kernel does it: so many steps in one loop made C2 slow down all others here. */
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
    PLAIN.differences(high, low, offset, lanes, targets, steps, multipliers, terms, acc, out);
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
