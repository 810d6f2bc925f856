/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.IntFunction;

/**
 * Filters over a column beside an index, in the index alone: finding the rows, the search among
 * them, and the three nearest of each of 20 groups. Prints the least processor time of a round of
 * 20, for each, in milliseconds.
 *
 * <pre>
 *   mvn -Pbench test-compile dependency:build-classpath -Dmdep.outputFile=target/cp
 *   java -Xmx3g --add-modules=jdk.incubator.vector -Dcalcitefaiss.threads=1 \
 *     -Dcalcitefaiss.kernel=vector -cp target/classes:target/test-classes:$(cat target/cp) \
 *     io.github.calcitefaiss.index.FilterTimes rows.f32 [ROUNDS]
 * </pre>
 *
 * <p>{@code rows.f32} holds vectors of 384 elements, as {@code Goals dump} writes them. Those beyond
 * the 100,000th are queries; without any, queries are near some of the rows.
 */
public final class FilterTimes {
  private static final int DIMS = 384;
  private static final int ROWS = 100_000;
  private static final int REPEATED = 20;

  /** Of a thousand values, so many are asked for. */
  private static final int[] WIDTHS = {1, 10, 40, 100, 300, 500, 1000};

  private final List<String> names = new ArrayList<>();
  private final List<IntFunction<Object>> tasks = new ArrayList<>();

  private FilterTimes() {}

  /** Runs with a file of vectors and a number of rounds. */
  public static void main(String[] args) throws IOException {
    new FilterTimes().run(Path.of(args[0]), args.length > 1 ? Integer.parseInt(args[1]) : 50);
  }

  private void run(Path file, int rounds) throws IOException {
    List<float[]> queries = new ArrayList<>();
    FlatIndex index = index(file, queries);
    IntFunction<float[]> query = i -> queries.get(i % queries.size());
    add("no filter", i -> search(index, query.apply(i), null));
    KeptColumn n = index.columns().get("n");
    for (int width : WIDTHS) {
      IntFunction<BitSet> rows = i -> rows(index, n, i * 7 % (1001 - width), width);
      BitSet fixed = rows.apply(0);
      add("find " + width / 10.0 + " %", rows::apply);
      add("search " + width / 10.0 + " %", i -> search(index, query.apply(i), fixed));
    }
    KeptColumn g = index.columns().get("g");
    int[] numbers = new int[g.codes()];
    Arrays.setAll(numbers, i -> i);
    RowGroups groups = RowGroups.of(List.of(g), List.of(numbers));
    add("find groups", i -> RowGroups.of(List.of(g), List.of(numbers)));
    add(
        "search groups",
        i ->
            index.nearestOfEach(
                Search.nearest(query.apply(i), Metric.L2, 3), groups, Checkpoint.NONE, null));
    long[] least = new long[tasks.size()];
    Arrays.fill(least, Long.MAX_VALUE);
    for (int round = 0; round < rounds; round++) {
      for (int t = 0; t < least.length; t++) {
        long began = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (int i = 0; i < REPEATED; i++) {
          tasks.get(t).apply(i);
        }
        long nanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - began;
        least[t] = Math.min(least[t], nanos / REPEATED);
      }
    }
    for (int t = 0; t < least.length; t++) {
      System.out.printf(Locale.ROOT, "%-16s %.3f%n", names.get(t), least[t] / 1e6);
    }
  }

  private void add(String name, IntFunction<Object> task) {
    names.add(name);
    tasks.add(task);
  }

  private static Neighbors search(FlatIndex index, float[] query, BitSet rows) {
    return index.search(new Search(query, Metric.L2, 10, Double.NaN, rows), Checkpoint.NONE);
  }

  private static BitSet rows(FlatIndex index, KeptColumn column, long from, int width) {
    return new RowFilter.And(
            List.of(
                new RowFilter.Compare(
                    column, false, RowFilter.Comparison.GREATER_OR_EQUAL, from),
                new RowFilter.Compare(column, false, RowFilter.Comparison.LESS, from + width)))
        .rows(index.size());
  }

  /** The rows with two columns, and queries near every five-hundredth of them. */
  private static FlatIndex index(Path file, List<float[]> queries) throws IOException {
    FlatIndex.Builder builder = new FlatIndex.Builder();
    KeptColumns.Builder columns =
        new KeptColumns.Builder(
            List.of(
                new KeptColumns.Wanted("n", KeptColumn.Affinity.NUMERIC),
                new KeptColumns.Wanted("g", KeptColumn.Affinity.NUMERIC)),
            false,
            bytes -> {});
    Random random = new Random(42);
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer row = ByteBuffer.allocate(4 * DIMS);
      boolean own = channel.size() > 4L * DIMS * ROWS;
      for (int i = 0; channel.read(row.clear()) == 4 * DIMS; i++) {
        if (i >= ROWS) {
          queries.add(VectorCodec.decode(row.array()));
          continue;
        }
        builder.addLong(i + 1, row.array());
        columns.add(0, (long) i % 1000);
        columns.add(1, (long) i % 20);
        if (!own && i % 500 == 7) {
          float[] query = VectorCodec.decode(row.array());
          for (int d = 0; d < DIMS; d++) {
            query[d] += 0.01f * (float) random.nextGaussian();
          }
          queries.add(query);
        }
      }
    }
    FlatIndex index = builder.build().with(columns.build());
    index.warm();
    Collections.shuffle(queries, random);
    return index;
  }
}
