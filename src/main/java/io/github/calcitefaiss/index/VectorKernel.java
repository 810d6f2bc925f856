/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
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
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;

  /** Longs of the lines that vectors are for. */
  private static final int LINE_LONGS = 8;

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
    for (; i + 2 <= n; i += 2) {
      int packs = weights[i].length / 4;
      for (int first = 0; first < packs; first += run) {
        int end = Math.min(packs, first + run);
        Arrays.fill(acc[0], 0, lanes, Kernel.start(weights[i], first, end));
        Arrays.fill(acc[1], 0, lanes, Kernel.start(weights[i + 1], first, end));
        for (int pack = first; pack < end; pack++) {
          addTwo(codes, offset + pack * lanes, lanes, weights, i, 4 * pack, acc[0], acc[1]);
        }
        PlainKernel.flush(acc[0], lanes, out[i], first == 0);
        PlainKernel.flush(acc[1], lanes, out[i + 1], first == 0);
      }
    }
    for (; i < n; i++) {
      dots(codes, offset, lanes, weights[i], run, acc[0], out[i]);
    }
  }

  // Written out: a method of its own that gets vectors may be compiled alone, and then gets them as
  // objects. Not for four queries, since so long a method was at times compiled as badly.

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
      ShortVector.fromArray(SPECIES, acc0, j)
          .add(x.mul(a0).add(x1.mul(a1)))
          .add(x2.mul(a2).add(x3.mul(a3)))
          .intoArray(acc0, j);
      ShortVector.fromArray(SPECIES, acc1, j)
          .add(x.mul(b0).add(x1.mul(b1)))
          .add(x2.mul(b2).add(x3.mul(b3)))
          .intoArray(acc1, j);
    }
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

  @Override
  public void lines(long[] lines, int[] at, int n, LineWeights weights, int[] out) {
    if (weights.turned().length != LINE_LONGS || LONGS.length() != 8 && LONGS.length() != 4) {
      PLAIN.lines(lines, at, n, weights, out);
      return;
    }
    for (int from = 0; from < n; from += SOME_LINES) {
      int end = Math.min(n, from + SOME_LINES);
      out[from] = Kernel.touch(lines, at, from, end, LINE_LONGS);
      for (int part = 0; part < LINE_LONGS; part += LONGS.length()) {
        addPart(lines, at, part, from, end, weights, out);
      }
    }
  }

  /** Adds up a part of each line, as long as a vector; the parts of a line come one by one. */
  private static void addPart(
      long[] lines, int[] at, int part, int from, int end, LineWeights weights, int[] out) {
    long[] pairs = weights.pairs();
    LongVector turned = LongVector.fromArray(LONGS, weights.turned(), part);
    IntVector w0 = LongVector.fromArray(LONGS, pairs, part).reinterpretAsInts();
    IntVector w1 = LongVector.fromArray(LONGS, pairs, LINE_LONGS + part).reinterpretAsInts();
    IntVector w2 = LongVector.fromArray(LONGS, pairs, 2 * LINE_LONGS + part).reinterpretAsInts();
    IntVector w3 = LongVector.fromArray(LONGS, pairs, 3 * LINE_LONGS + part).reinterpretAsInts();
    IntVector kept = IntVector.broadcast(INTS, (int) LineWeights.EVERY_FOURTH);
    for (int i = from; i < end; i++) {
      IntVector x =
          LongVector.fromArray(LONGS, lines, at[i] + part)
              .lanewise(VectorOperators.XOR, turned)
              .reinterpretAsInts();
      IntVector x1 = x.lanewise(VectorOperators.LSHR, 4);
      IntVector x2 = x.lanewise(VectorOperators.LSHR, 8);
      IntVector x3 = x.lanewise(VectorOperators.LSHR, 12);
      out[i] =
          (part == 0 ? weights.constant() : out[i])
              + x.and(kept)
                  .mul(w0)
                  .lanewise(VectorOperators.LSHR, 16)
                  .add(x1.and(kept).mul(w1).lanewise(VectorOperators.LSHR, 16))
                  .add(x2.and(kept).mul(w2).lanewise(VectorOperators.LSHR, 16))
                  .add(x3.and(kept).mul(w3).lanewise(VectorOperators.LSHR, 16))
                  .reduceLanes(VectorOperators.ADD);
    }
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
