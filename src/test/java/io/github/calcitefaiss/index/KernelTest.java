/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Every kernel gives the integers that the reference kernel gives. */
class KernelTest {
  /** The kernels that this JVM can run. */
  static List<Kernel> all() {
    List<Kernel> kernels = new ArrayList<>();
    kernels.add(new ReferenceKernel());
    kernels.add(new PlainKernel());
    if (Kernels.vectorModulePresent()) {
      kernels.add(Kernels.named("vector"));
    }
    return kernels;
  }

  @Test
  void everyKernelEqualsTheReference() {
    Random random = Seeds.random("everyKernelEqualsTheReference");
    for (int round = 0; round < 300; round++) {
      int packs = 1 + random.nextInt(round % 10 == 0 ? 300 : 40);
      int lanes = Layout.LANE_STEP * (1 + random.nextInt(4));
      int run = 1 + random.nextInt(packs);
      int offset = random.nextInt(100);
      char[] codes = new char[offset + packs * lanes + random.nextInt(9)];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = (char) random.nextInt();
      }
      short[] weights = new short[4 * packs];
      int most = Short.MAX_VALUE / (32 * run);
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (short) (random.nextInt(2 * most + 1) - most);
      }
      int[] expected = new int[lanes];
      new ReferenceKernel().dots(codes, offset, lanes, weights, run, new short[lanes], expected);
      for (Kernel kernel : all()) {
        int[] actual = new int[lanes];
        kernel.dots(codes, offset, lanes, weights, run, new short[lanes], actual);
        assertArrayEquals(expected, actual, kernel.name() + ", round " + round);
      }
    }
  }

  @Test
  void queriesTogetherGetWhatEachGetsAlone() {
    Random random = Seeds.random("queriesTogetherGetWhatEachGetsAlone");
    for (int round = 0; round < 200; round++) {
      int packs = 1 + random.nextInt(round % 10 == 0 ? 300 : 40);
      int lanes = Layout.LANE_STEP * (1 + random.nextInt(4));
      int run = 1 + random.nextInt(packs);
      int n = 1 + random.nextInt(9);
      char[] codes = new char[3 + packs * lanes];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = (char) random.nextInt();
      }
      int most = Short.MAX_VALUE / (32 * run);
      short[][] weights = new short[n][4 * packs];
      int[][] expected = new int[n][lanes];
      for (int q = 0; q < n; q++) {
        for (int i = 0; i < weights[q].length; i++) {
          weights[q][i] = (short) (random.nextInt(2 * most + 1) - most);
        }
        new ReferenceKernel().dots(codes, 3, lanes, weights[q], run, new short[lanes], expected[q]);
      }
      for (Kernel kernel : all()) {
        int[][] actual = new int[n][lanes];
        short[][] acc = new short[Kernel.TOGETHER][lanes];
        kernel.dots(codes, 3, lanes, weights, n, run, acc, actual);
        assertArrayEquals(expected, actual, kernel.name() + ", round " + round);
      }
    }
  }

  @Test
  void everyKernelsDifferencesEqualTheReferences() {
    Random random = Seeds.random("everyKernelsDifferencesEqualTheReferences");
    for (int round = 0; round < 300; round++) {
      int packs = 1 + random.nextInt(round % 10 == 0 ? 300 : 40);
      int lanes = Layout.LANE_STEP * (1 + random.nextInt(4));
      int offset = random.nextInt(100);
      char[] high = codes(random, offset + packs * lanes);
      char[] low = round % 2 == 0 ? null : codes(random, offset + packs * lanes);
      short[] targets = new short[4 * packs];
      short[] steps = new short[4 * packs];
      // Some rounds have the largest terms that fit, all over: their sums must fit, too.
      int least = round % 3 == 0 ? 1 : 0;
      int mostStep = low == null ? 1155 : 67;
      for (int i = 0; i < targets.length; i++) {
        targets[i] = (short) ((least + random.nextInt(91 - least)) * (random.nextInt(2) * 2 - 1));
        targets[i] = least == 1 ? 90 : targets[i];
        steps[i] = (short) (least == 1 ? mostStep : random.nextInt(mostStep + 1));
      }
      char[] multipliers = new char[lanes];
      for (int i = 0; i < lanes; i++) {
        multipliers[i] = (char) (least == 1 ? 255 : random.nextInt(256));
      }
      int[] expected = new int[lanes];
      new ReferenceKernel()
          .differences(high, low, offset, lanes, targets, steps, multipliers, null, null, expected);
      for (Kernel kernel : all()) {
        int[] actual = new int[lanes];
        kernel.differences(
            high,
            low,
            offset,
            lanes,
            targets,
            steps,
            multipliers,
            new short[lanes],
            new char[lanes],
            actual);
        assertArrayEquals(expected, actual, kernel.name() + ", round " + round);
      }
    }
  }

  private static char[] codes(Random random, int n) {
    char[] codes = new char[n];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (char) random.nextInt();
    }
    return codes;
  }

  @Test
  void multipliersAreRoundedQuotientsThatFitAByte() {
    Random random = Seeds.random("multipliersAreRoundedQuotientsThatFitAByte");
    for (int round = 0; round < 300; round++) {
      int n = 1 + random.nextInt(200);
      int first = random.nextInt(30);
      float beta = random.nextFloat() * 144;
      float[] scale = new float[first + n];
      for (int i = 0; i < scale.length; i++) {
        scale[i] = round % 2 == 0 ? 0.6f + random.nextFloat() : beta * random.nextFloat() / 100;
        if (round % 3 == 0 && random.nextInt(20) == 0) {
          scale[i] = new float[] {0, Float.MIN_VALUE, 1e30f, beta / 0.5f, beta}[random.nextInt(5)];
        }
      }
      char[] expected = new char[n];
      boolean all = true;
      for (int i = 0; i < n; i++) {
        float quotient = beta / scale[first + i];
        double rounded = Math.floor((double) (quotient + 0.5f));
        expected[i] = rounded >= 1 && rounded <= 255 ? (char) rounded : 0;
        all &= expected[i] > 0;
      }
      char[] actual = new char[n];
      assertEquals(all, Kernel.multipliers(beta, scale, first, n, actual), "round " + round);
      assertArrayEquals(expected, actual, "round " + round);
    }
  }

  @Test
  void everyKernelLeavesTheSameRows() {
    Random random = Seeds.random("everyKernelLeavesTheSameRows");
    ReferenceKernel reference = new ReferenceKernel();
    for (int round = 0; round < 300; round++) {
      int n = 1 + random.nextInt(200);
      int first = random.nextInt(30);
      float[] energy = floats(random, first + n);
      float[] error = floats(random, first + n);
      float[] scale = floats(random, first + n);
      int[] dots = random.ints(n + 50, -1000, 1000).toArray();
      Kernel.Line line =
          new Kernel.Line(
              random.nextFloat(), random.nextFloat(), random.nextFloat(), random.nextFloat());
      float limit = round % 20 == 0 ? Float.NaN : (float) random.nextGaussian() * 300;
      int[] expected = new int[n + 1];
      int left = reference.select(line, energy, error, scale, first, n, dots, limit, expected);
      for (Kernel kernel : all()) {
        int[] actual = new int[n + 1];
        String what = kernel.name() + ", round " + round;
        assertEquals(
            left, kernel.select(line, energy, error, scale, first, n, dots, limit, actual), what);
        assertArrayEquals(Arrays.copyOf(expected, left), Arrays.copyOf(actual, left), what);
      }
    }
  }

  private static float[] floats(Random random, int n) {
    float[] floats = new float[n];
    for (int i = 0; i < n; i++) {
      floats[i] =
          random.nextInt(40) == 0
              ? random.nextBoolean() ? Float.NaN : Float.POSITIVE_INFINITY
              : (float) random.nextGaussian();
    }
    return floats;
  }

  @Test
  void everyKernelsTermsEqualTheReferences() {
    Random random = Seeds.random("everyKernelsTermsEqualTheReferences");
    ReferenceKernel reference = new ReferenceKernel();
    for (int round = 0; round < 300; round++) {
      int dims = 1 + random.nextInt(70);
      int at = random.nextInt(50);
      double[] query = new double[dims];
      float[] rows = new float[at + dims];
      for (int i = 0; i < dims; i++) {
        query[i] = Float.intBitsToFloat(random.nextInt() & ~(1 << 30));
        rows[at + i] = Float.intBitsToFloat(random.nextInt() & ~(1 << 30));
      }
      double[] expected = new double[dims];
      double[] actual = new double[dims];
      for (Kernel kernel : all()) {
        reference.squares(query, rows, at, expected);
        kernel.squares(query, rows, at, actual);
        assertArrayEquals(expected, actual, kernel.name());
        reference.products(query, rows, at, expected);
        kernel.products(query, rows, at, actual);
        assertArrayEquals(expected, actual, kernel.name());
        reference.differences(query, rows, at, expected);
        kernel.differences(query, rows, at, actual);
        assertArrayEquals(expected, actual, kernel.name());
      }
    }
  }

  @Test
  void partialSumsMayWrapAroundAsLongAsTheSumFits() {
    int packs = 96;
    int lanes = Layout.LANE_STEP;
    char[] codes = new char[packs * lanes];
    short[] weights = new short[4 * packs];
    for (int pack = 0; pack < packs; pack++) {
      // -8 in every code: half of the weights make the sum overflow, the others undo it.
      for (int i = 0; i < 4; i++) {
        weights[4 * pack + i] = (short) (pack < packs / 2 ? 2000 : -2000);
      }
    }
    weights[0] = 2001;
    for (Kernel kernel : all()) {
      int[] out = new int[lanes];
      kernel.dots(codes, 0, lanes, weights, packs, new short[lanes], out);
      assertEquals(-8, out[0], kernel.name());
      assertEquals(-8, out[lanes - 1], kernel.name());
    }
  }

  @Test
  void everyKernelSumsUpLines() {
    Random random = Seeds.random("everyKernelSumsUpLines");
    for (int round = 0; round < 300; round++) {
      int longs = new int[] {1, 2, 4, 8}[random.nextInt(4)];
      int n = 1 + random.nextInt(200);
      long[] lines = new long[3 + 40 * longs];
      for (int i = 0; i < lines.length; i++) {
        lines[i] = random.nextInt(9) == 0 ? -random.nextInt(2) : random.nextLong();
      }
      int[] weights = new int[random.nextInt(16 * longs + 1)];
      for (int j = 0; j < weights.length; j++) {
        boolean most = random.nextInt(3) == 0;
        int weight = most ? LineWeights.MOST : random.nextInt(LineWeights.MOST + 1);
        weights[j] = random.nextBoolean() ? weight : -weight;
      }
      int[] at = new int[n];
      int[] expected = new int[n];
      for (int i = 0; i < n; i++) {
        at[i] = 3 + random.nextInt(40) * longs;
        for (int j = 0; j < weights.length; j++) {
          int code = (int) (lines[at[i] + j / 16] >>> 4 * (j % 16) & 15);
          expected[i] += weights[j] * code;
        }
      }
      for (Kernel kernel : all()) {
        int[] actual = new int[n];
        kernel.lines(lines, at, n, LineWeights.of(weights, longs), actual);
        assertArrayEquals(expected, actual, kernel.name() + ", round " + round);
      }
    }
  }

  @Test
  void aWarmingKernelAnswersWithEitherKernel() {
    Kernel warming = new WarmingKernel(new ReferenceKernel(), new PlainKernel(), 1);
    char[] codes = new char[Layout.LANE_STEP];
    int[] out = new int[Layout.LANE_STEP];
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (warming.name().equals("reference") && System.nanoTime() < deadline) {
      warming.dots(
          codes, 0, codes.length, new short[] {1, 2, 3, 4}, 1, new short[codes.length], out);
      assertEquals(-80, out[0]);
    }
    warming.dots(codes, 0, codes.length, new short[] {1, 2, 3, 4}, 1, new short[64], out);
    assertEquals(-80, out[63]);
  }

  @Test
  void anUnknownKernelIsRefusedByName() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Kernels.named("fast"));
    assertEquals(
        "calcitefaiss.kernel: expected reference, plain or vector, got fast", e.getMessage());
  }
}
