/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts with one kernel and changes to another once that has shown to be faster.
 *
 * <p>Until C2 has compiled it, code on the Vector API allocates an object an operation and is a
 * hundred times slower than plain loops: a process that answers one statement would spend a second
 * on it, and a JVM without C2 all its life. So the plain kernel answers until much has been
 * scanned; then a thread of its own exercises the other one until it wins.
 */
final class WarmingKernel implements Kernel {
  private static final Logger LOGGER = LoggerFactory.getLogger(FlatIndex.class);

  /**
   * Codes scanned before it pays to look for something faster: about 50 searches of 100,000 rows.
   */
  private static final long WORTH_IT = 1L << 31;

  /** How long the other kernel may take to become the faster one. */
  private static final long PATIENCE_NANOS = 20_000_000_000L;

  /** So often in a row it must win. */
  private static final int WINS = 5;

  private static final Line LINE = new Line(1, 1, 1, 1);
  private static final int PACKS = 96;
  private static final int LANES = 2048;
  private static final int LONGS = 8;
  private static final int LINES = 100;

  private final Kernel faster;
  private final AtomicLong untilWorthIt;
  private volatile Kernel current;

  WarmingKernel(Kernel first, Kernel faster) {
    this(first, faster, WORTH_IT);
  }

  WarmingKernel(Kernel first, Kernel faster, long worthIt) {
    this.current = first;
    this.faster = faster;
    this.untilWorthIt = new AtomicLong(worthIt);
  }

  @Override
  public String name() {
    return current.name();
  }

  @Override
  public void dots(
      char[] codes, int offset, int lanes, short[] weights, int run, short[] acc, int[] out) {
    count((long) lanes * weights.length);
    current.dots(codes, offset, lanes, weights, run, acc, out);
  }

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
    count((long) n * lanes * weights[0].length);
    current.dots(codes, offset, lanes, weights, n, run, acc, out);
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
    return current.select(line, energy, error, scale, first, n, dots, limit, lanes);
  }

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
    count((long) lanes * targets.length);
    current.differences(high, low, offset, lanes, targets, steps, multipliers, terms, acc, out);
  }

  @Override
  public int atLeast(int[] sums, int n, int threshold, int[] lanes) {
    return current.atLeast(sums, n, threshold, lanes);
  }

  @Override
  public void lines(long[] lines, int[] at, int n, LineWeights weights, int[] out) {
    current.lines(lines, at, n, weights, out);
  }

  private void count(long codesRead) {
    if (untilWorthIt.get() > 0) {
      long left = untilWorthIt.addAndGet(-codesRead);
      if (left <= 0 && left + codesRead > 0) {
        begin();
      }
    }
  }

  /** A search doesn't fail for want of a thread. */
  private void begin() {
    try {
      Thread trial = Daemons.thread("faiss-kernel-trial", this::tryFaster);
      trial.setPriority(Thread.MIN_PRIORITY);
      trial.start();
    } catch (OutOfMemoryError e) {
      LOGGER.warn("vector search kernel: still {}", current.name(), e);
    }
  }

  @Override
  public void squares(double[] query, float[] rows, int at, double[] terms) {
    current.squares(query, rows, at, terms);
  }

  @Override
  public void products(double[] query, float[] rows, int at, double[] terms) {
    current.products(query, rows, at, terms);
  }

  @Override
  public void differences(double[] query, float[] rows, int at, double[] terms) {
    current.differences(query, rows, at, terms);
  }

  private void tryFaster() {
    Trial trial = new Trial();
    long began = System.nanoTime();
    int wins = 0;
    try {
      while (wins < WINS && System.nanoTime() - began < PATIENCE_NANOS) {
        wins = trial.wins(faster, current) ? wins + 1 : 0;
      }
    } catch (RuntimeException | LinkageError e) {
      LOGGER.warn("the {} kernel fails here", faster.name(), e);
      wins = 0;
    }
    if (wins == WINS) {
      LOGGER.info("vector search kernel: {} from now on", faster.name());
      current = faster;
    } else {
      LOGGER.info("vector search kernel: still {}, not {}", current.name(), faster.name());
    }
  }

  /** A race over all loops. */
  private static final class Trial {
    private final char[] codes = new char[PACKS * LANES];
    private final short[] weights = new short[4 * PACKS];
    private final short[] acc = new short[LANES];
    private final int[] out = new int[LANES];
    private final short[][] accs = new short[Kernel.TOGETHER][LANES];
    private final int[][] outs = new int[Kernel.TOGETHER][LANES];
    private final float[] row = new float[LANES];
    private final int[] lanes = new int[LANES + 1];
    private final long[] line = new long[LONGS];
    private final int[] places = new int[LINES];
    private final LineWeights lineWeights = LineWeights.of(new int[1], LONGS);
    private final double[] query = new double[4 * PACKS];
    private final float[] rows = new float[4 * PACKS];
    private final double[] terms = new double[4 * PACKS];

    private Trial() {
      // As in a search, few rows are left: what was never seen isn't compiled.
      for (int i = 0; i < LANES; i += 501) {
        row[i] = 2;
      }
    }

    boolean wins(Kernel kernel, Kernel other) {
      // Nearly all time goes into the loops over codes; the terms must only not be slow.
      return loops(kernel) < loops(other)
          && together(kernel) < together(other)
          && selected(kernel) < 1.5 * selected(other)
          && lines(kernel) < 1.5 * lines(other)
          && terms(kernel) < 1.5 * terms(other);
    }

    private long together(Kernel kernel) {
      long began = System.nanoTime();
      short[][] all = {weights, weights, weights, weights};
      kernel.dots(codes, 0, LANES, all, Kernel.TOGETHER, PACKS, accs, outs);
      return System.nanoTime() - began;
    }

    private long selected(Kernel kernel) {
      long best = Long.MAX_VALUE;
      for (int i = 0; i < 3; i++) {
        long began = System.nanoTime();
        for (int block = 0; block < 50; block++) {
          kernel.select(LINE, row, row, row, 0, LANES, out, -1, lanes);
        }
        best = Math.min(best, System.nanoTime() - began);
      }
      return best;
    }

    private long loops(Kernel kernel) {
      long best = Long.MAX_VALUE;
      for (int i = 0; i < 3; i++) {
        long began = System.nanoTime();
        kernel.dots(codes, 0, LANES, weights, PACKS, acc, out);
        best = Math.min(best, System.nanoTime() - began);
      }
      return best;
    }

    private long lines(Kernel kernel) {
      long best = Long.MAX_VALUE;
      for (int i = 0; i < 3; i++) {
        long began = System.nanoTime();
        for (int round = 0; round < 50; round++) {
          kernel.lines(line, places, LINES, lineWeights, out);
        }
        best = Math.min(best, System.nanoTime() - began);
      }
      return best;
    }

    private long terms(Kernel kernel) {
      long best = Long.MAX_VALUE;
      for (int i = 0; i < 3; i++) {
        long began = System.nanoTime();
        for (int row = 0; row < 100; row++) {
          kernel.squares(query, rows, 0, terms);
          kernel.products(query, rows, 0, terms);
          kernel.differences(query, rows, 0, terms);
        }
        best = Math.min(best, System.nanoTime() - began);
      }
      return best;
    }
  }
}
