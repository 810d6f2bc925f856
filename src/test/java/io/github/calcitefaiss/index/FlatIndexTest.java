/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whatever the data, the kernel and the way of asking: the answer is that of {@link BruteForce}.
 */
class FlatIndexTest {
  /** Makes one element of one vector. */
  interface Element {
    double of(Random random, int row, int dim);
  }

  /** Data of every kind that has broken a quantiser. */
  enum Data {
    GAUSSIAN((random, row, dim) -> random.nextGaussian()),
    UNIFORM((random, row, dim) -> random.nextDouble()),
    CLUSTERED((random, row, dim) -> (row % 7 * 31 + dim) % 5 + 0.01 * random.nextGaussian()),
    SMALL_INTEGERS((random, row, dim) -> random.nextInt(3) - 1),
    ALL_EQUAL((random, row, dim) -> 0.25 * dim),
    ALL_ZERO((random, row, dim) -> 0),
    NEARLY_EQUAL((random, row, dim) -> 1000 + dim + 1e-4 * random.nextGaussian()),
    DUPLICATES((random, row, dim) -> Math.sin(row % 5 + dim)),
    ONE_HOT((random, row, dim) -> row % 13 == dim ? 1 : 0),
    CONSTANT_DIMENSIONS((random, row, dim) -> dim % 3 == 0 ? random.nextGaussian() : 7),
    ZERO_ROWS((random, row, dim) -> row % 4 == 0 ? 0 : random.nextGaussian()),
    NEGATIVE_ZEROS((random, row, dim) -> row % 3 == 0 ? -0.0 : row % 3 == 1 ? 0 : 1),
    HUGE((random, row, dim) -> 3e38 * (2 * random.nextDouble() - 1)),
    TINY((random, row, dim) -> 1e-44 * (random.nextInt(21) - 10)),
    MIXED_SIZES((random, row, dim) -> random.nextGaussian() * Math.pow(10, row % 60 - 30)),
    MIXED_DIMENSIONS((random, row, dim) -> random.nextGaussian() * Math.pow(10, dim % 70 - 35)),
    OUTLIER((random, row, dim) -> row == 3 ? 1e30 : random.nextGaussian()),
    HUGE_OUTLIERS((random, row, dim) -> row % 11 == 3 ? 3e38 : random.nextGaussian()),
    SPIKES((random, row, dim) -> random.nextInt(50) == 0 ? 1e6 : random.nextGaussian()),
    SPARSE((random, row, dim) -> random.nextInt(20) == 0 ? random.nextGaussian() : 0),
    FEW_DIRECTIONS((random, row, dim) -> few(row, dim) + 0.05 * random.nextGaussian()),
    FEW_DIRECTIONS_AND_OUTLIERS(
        (random, row, dim) -> row % 50 == 7 ? 1e3 * random.nextGaussian() : few(row, dim) + 3),
    FEW_DIRECTIONS_OF_ANY_LENGTH(
        (random, row, dim) ->
            (few(row, dim) + 0.1 * random.nextGaussian()) * Math.pow(2, row % 5 - 2));

    /** An element of a row that is mixed from three directions. */
    private static double few(int row, int dim) {
      Random mixed = new Random(row);
      double sum = 0;
      for (int i = 0; i < 3; i++) {
        sum += mixed.nextGaussian() * Math.sin(dim * (i + 1) + i);
      }
      return sum;
    }

    private final Element element;

    Data(Element element) {
      this.element = element;
    }

    float[] row(Random random, int row, int dims) {
      float[] vector = new float[dims];
      for (int d = 0; d < dims; d++) {
        vector[d] = (float) element.of(random, row, d);
      }
      return vector;
    }
  }

  private static Object id(Random random, int kind, int row) {
    switch (kind) {
      case 0:
        return (long) row;
      case 1:
        return (long) random.nextInt(50) - 25;
      case 2:
        return "id " + random.nextInt(1000);
      default:
        return row % 3 == 0 ? (Object) (double) random.nextInt(9) : row % 3 == 1 ? "é" + row : 5L;
    }
  }

  static BruteForce data(Data data, Random random, int rows, int dims) {
    BruteForce all = new BruteForce();
    int kind = random.nextInt(4);
    for (int i = 0; i < rows; i++) {
      all.add(id(random, kind, i), data.row(random, i, dims));
    }
    return all;
  }

  static float[] query(BruteForce all, Data data, Random random, int dims) {
    switch (random.nextInt(4)) {
      case 0:
        return all.vector(random.nextInt(all.size())).clone();
      case 1:
        float[] near = all.vector(random.nextInt(all.size())).clone();
        near[random.nextInt(dims)] += 0.01f;
        return near;
      case 2:
        return Data.values()[random.nextInt(Data.values().length)].row(random, 1, dims);
      default:
        return data.row(random, 1 + random.nextInt(5), dims);
    }
  }

  private static Search search(BruteForce all, Data data, Random random, int dims, Metric metric) {
    float[] query = query(all, data, random, dims);
    int k = random.nextInt(5) == 0 ? random.nextInt(all.size() + 3) : 1 + random.nextInt(12);
    double bound = Double.NaN;
    if (random.nextInt(3) == 0) {
      bound = metric.value(query, all.vector(random.nextInt(all.size())));
    }
    BitSet rows = null;
    if (random.nextInt(3) == 0) {
      rows = new BitSet();
      int step = random.nextBoolean() ? 2 : 100;
      for (int i = random.nextInt(step); i < all.size(); i += 1 + random.nextInt(step)) {
        rows.set(i);
      }
    }
    return new Search(query, metric, k, bound, rows);
  }

  private static void check(Data data, Random random, int rows, int dims, int searches) {
    BruteForce all = data(data, random, rows, dims);
    List<Search> asked = new ArrayList<>();
    List<Neighbors> expected = new ArrayList<>();
    for (int i = 0; i < searches; i++) {
      for (Metric metric : Metric.values()) {
        Search search = search(all, data, random, dims, metric);
        asked.add(search);
        expected.add(all.search(search));
      }
    }
    for (Kernel kernel : KernelTest.all()) {
      FlatIndex index = all.index(kernel);
      Neighbors[] together = index.searchAll(asked, Checkpoint.NONE);
      FlatIndex codes = all.codes(kernel);
      Floats floats = all.floats(codes);
      Neighbors[] read = codes.searchAll(asked, Checkpoint.NONE, floats);
      for (int i = 0; i < asked.size(); i++) {
        Search search = asked.get(i);
        String what =
            String.format(
                Locale.ROOT,
                "%s %s %dx%d %s k=%d bound=%s rows=%s",
                data,
                kernel.name(),
                rows,
                dims,
                search.metric(),
                search.k(),
                search.bound(),
                search.rows() != null);
        BruteForce.assertSame(expected.get(i), index.search(search, Checkpoint.NONE), what);
        BruteForce.assertSame(expected.get(i), together[i], what + " in a batch");
        Neighbors one = codes.search(search, Checkpoint.NONE, floats);
        BruteForce.assertSame(expected.get(i), one, what + " from codes");
        BruteForce.assertSame(expected.get(i), read[i], what + " from codes in a batch");
        if (random.nextInt(3) == 0) {
          checkGroups(all, random, List.of(index, codes), floats, search, what);
        }
      }
      if (dims <= 150) {
        String what = data + " " + kernel.name() + " " + dims + " sketched";
        checkSketched(index, asked, expected, what);
        Search search = asked.get(random.nextInt(asked.size()));
        checkGroups(all, random, List.of(index), null, search, what + " " + search.metric());
      }
    }
  }

  private static void checkSketched(
      FlatIndex index, List<Search> asked, List<Neighbors> expected, String data) {
    index.warm();
    Neighbors[] together = index.searchAll(asked, Checkpoint.NONE);
    for (int i = 0; i < asked.size(); i++) {
      Search search = asked.get(i);
      String what = data + " " + search.metric() + " k=" + search.k();
      BruteForce.assertSame(expected.get(i), index.search(search, Checkpoint.NONE), what);
      BruteForce.assertSame(expected.get(i), together[i], what + " in a batch");
    }
  }

  private static void checkGroups(
      BruteForce all,
      Random random,
      List<FlatIndex> indexes,
      Floats floats,
      Search search,
      String what) {
    int count = 1 + random.nextInt(random.nextBoolean() ? 4 : 1 + all.size() / 2);
    int[] of = new int[all.size()];
    List<BitSet> members = new ArrayList<>();
    for (int group = 0; group <= count; group++) {
      members.add(new BitSet());
    }
    for (int row = 0; row < of.length; row++) {
      boolean asked = search.rows() == null || search.rows().get(row);
      of[row] = asked ? random.nextInt(count + 1) : 0;
      members.get(of[row]).set(row);
    }
    for (FlatIndex index : indexes) {
      Neighbors[] found =
          index.nearestOfEach(search, new RowGroups(of, count), Checkpoint.NONE, floats);
      for (int i = 0; found != null && i < Math.min(6, count); i++) {
        int group = count <= 6 ? i + 1 : 1 + random.nextInt(count);
        Neighbors expected =
            all.search(
                new Search(
                    search.query(),
                    search.metric(),
                    search.k(),
                    search.bound(),
                    members.get(group)));
        BruteForce.assertSame(
            expected, found[group - 1], what + ", group " + group + " of " + count);
      }
    }
  }

  @Test
  void smallTablesOfEveryKind() {
    Random random = Seeds.random("smallTablesOfEveryKind");
    for (Data data : Data.values()) {
      for (int round = 0; round < 6; round++) {
        check(data, random, 1 + random.nextInt(300), 1 + random.nextInt(40), 2);
      }
    }
  }

  @Test
  void tablesOfManyBlocksOfEveryKind() {
    Random random = Seeds.random("tablesOfManyBlocksOfEveryKind");
    for (Data data : Data.values()) {
      check(data, random, 4000 + random.nextInt(6000), 1 + random.nextInt(50), 2);
    }
  }

  @Test
  void everyDimensionUpToThousands() {
    Random random = Seeds.random("everyDimensionUpToThousands");
    for (int i = 0; i < 12; i++) {
      Data data = Data.values()[random.nextInt(Data.values().length)];
      check(data, random, 60 + random.nextInt(100), 100 + random.nextInt(1000), 1);
    }
    check(Data.GAUSSIAN, random, 200, 4096, 1);
    check(Data.HUGE, random, 100, 4095, 1);
    check(Data.UNIFORM, random, 100, 4097, 1);
  }

  @Test
  void oneSearchOnSeveralThreads() {
    Random random = Seeds.random("oneSearchOnSeveralThreads");
    check(Data.GAUSSIAN, random, 70_000, 61, 2);
    check(Data.CLUSTERED, random, 70_000, 61, 1);
    check(Data.DUPLICATES, random, 70_000, 61, 1);
  }

  @Test
  @Tag("slow")
  void tablesOfEveryKindForLong() {
    Random random = Seeds.random("tablesOfEveryKindForLong");
    for (int round = 0; round < 20; round++) {
      for (Data data : Data.values()) {
        int dims = 1 + random.nextInt(round % 4 == 0 ? 1100 : 100);
        check(data, random, 1 + random.nextInt(2_000_000 / (dims + 100)), dims, 3);
      }
    }
  }

  @Test
  void moreRowsThanThereAre() {
    BruteForce all = data(Data.GAUSSIAN, new Random(1), 10, 3);
    FlatIndex index = all.index(new PlainKernel());
    Search everything = Search.nearest(new float[3], Metric.L2, Integer.MAX_VALUE);
    BruteForce.assertSame(
        all.search(everything), index.search(everything, Checkpoint.NONE), "everything");
    Search nothing = Search.nearest(new float[3], Metric.L2, 0);
    assertEquals(0, index.search(nothing, Checkpoint.NONE).size());
  }

  @Test
  void anEmptyIndexHasNoNeighbours() {
    FlatIndex index = new FlatIndex.Builder().build();
    Search search = Search.nearest(new float[3], Metric.L2, 5);
    assertEquals(0, index.search(search, Checkpoint.NONE).size());
    assertEquals(0, index.searchAll(List.of(search, search), Checkpoint.NONE)[1].size());
    assertEquals(0, index.dims());
    assertEquals(0, index.size());
  }

  @Test
  void whatTheCheckpointThrowsArrivesUnchanged() {
    FlatIndex index = data(Data.GAUSSIAN, new Random(1), 70_000, 61).index(new PlainKernel());
    Search search = Search.nearest(new float[61], Metric.L2, 5);
    for (int calls : new int[] {0, 1, 7}) {
      AtomicInteger left = new AtomicInteger(calls);
      IllegalStateException cancelled = new IllegalStateException("cancelled");
      Checkpoint checkpoint =
          () -> {
            if (left.getAndDecrement() <= 0) {
              throw cancelled;
            }
          };
      assertSame(
          cancelled,
          assertThrows(IllegalStateException.class, () -> index.search(search, checkpoint)));
      left.set(calls);
      List<Search> many = List.of(search, search, search, search, search, search, search, search);
      assertSame(
          cancelled,
          assertThrows(IllegalStateException.class, () -> index.searchAll(many, checkpoint)));
    }
    assertEquals(5, index.search(search, Checkpoint.NONE).size());
  }

  @Test
  void rowsAreFoundByTheirIds() {
    FlatIndex.Builder builder = new FlatIndex.Builder();
    byte[] blob = VectorCodec.encode(new float[] {1, 2});
    Object[] ids = {7L, "seven", 7.5, 7L, new byte[] {7}, 1L << 60, "", 8.0};
    for (Object id : ids) {
      builder.add(id, blob);
    }
    FlatIndex index = builder.build();
    assertArrayEquals(new int[] {0, 3}, index.ordinals(7L));
    assertArrayEquals(new int[] {0, 3}, index.ordinals(7.0));
    assertArrayEquals(new int[] {1}, index.ordinals("seven"));
    assertArrayEquals(new int[] {4}, index.ordinals(new byte[] {7}));
    assertArrayEquals(new int[] {5}, index.ordinals(1L << 60));
    assertArrayEquals(new int[] {7}, index.ordinals(8L));
    assertArrayEquals(new int[] {}, index.ordinals((1L << 60) + 1));
    assertEquals("{1, 2, 6}", index.rows(List.of("seven", 7.5, "", "none")).toString());
    for (int i = 0; i < ids.length; i++) {
      assertEquals(ids[i], index.id(i));
    }
  }

  @Test
  void memoryStaysBelowItsShare() {
    for (int rows : new int[] {10_000, 22_000}) {
      FlatIndex index = data(Data.GAUSSIAN, new Random(1), rows, 384).index(new PlainKernel());
      assertTrue(index.bytes() <= 1.4 * 4 * 384 * rows, index.bytes() + " bytes");
      assertTrue(
          Math.abs(index.bytes() - FlatIndex.bytesEstimate(rows, 384)) < index.bytes() / 50,
          index.bytes() + " bytes");
    }
  }

  @Test
  void anIndexOfCodesIsSmallAndReadsFewVectors() {
    int rows = 20_000;
    Random random = new Random(1);
    BruteForce all = new BruteForce();
    for (int i = 0; i < rows; i++) {
      all.add((long) i, Data.GAUSSIAN.row(random, i, 384));
    }
    FlatIndex index = all.codes(new PlainKernel());
    assertTrue(index.holdsCodesOnly());
    assertTrue(index.bytes() <= 0.30 * 4 * 384 * rows, index.bytes() + " bytes");
    List<Search> searches = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      float[] query = all.vector(i).clone();
      for (int d = 0; d < query.length; d++) {
        query[d] += all.vector(100 + i)[d];
      }
      searches.add(Search.nearest(query, Metric.L2, 10));
    }
    index.searchAll(searches, Checkpoint.NONE, all.floats(index));
    assertTrue(index.floatsRead() >= 10 * 10, "at least what is found");
    assertTrue(index.floatsRead() < 10 * rows / 100, index.floatsRead() + " read");
  }

  @Test
  void anIndexOfCodesReadsFewVectorsUnderL1() {
    int rows = 20_000;
    Random random = new Random(1);
    for (Data data : new Data[] {Data.GAUSSIAN, Data.UNIFORM}) {
      BruteForce all = new BruteForce();
      for (int i = 0; i < rows; i++) {
        all.add((long) i, data.row(random, i, 200));
      }
      FlatIndex index = all.codes(new PlainKernel());
      for (int i = 0; i < 5; i++) {
        Search search = Search.nearest(data.row(random, i, 200), Metric.L1, 10);
        BruteForce.assertSame(
            all.search(search), index.search(search, Checkpoint.NONE, all.floats(index)), "L1");
      }
      assertTrue(index.floatsRead() >= 5 * 10, "at least what is found");
      assertTrue(index.floatsRead() < 5 * rows / 50, data + ": " + index.floatsRead() + " read");
    }
  }

  @Test
  void aSketchServesFiltersThatLeaveOutWholeBlocks() {
    Random random = Seeds.random("aSketchServesFiltersThatLeaveOutWholeBlocks");
    int rows = 5 * 2048 + 100;
    BruteForce all = data(Data.FEW_DIRECTIONS, random, rows, 128);
    FlatIndex index = all.index(new PlainKernel());
    index.warm();
    for (int i = 0; i < 20; i++) {
      // Of a tenth of the rows, all in one or two blocks; at times there are blocks between.
      BitSet some = new BitSet();
      int from = random.nextInt(rows - 500);
      some.set(from, from + 500);
      from = random.nextInt(rows - 500);
      some.set(from, from + 500);
      for (Metric metric : List.of(Metric.L2, Metric.INNER_PRODUCT, Metric.COSINE_DISTANCE)) {
        float[] query = query(all, Data.FEW_DIRECTIONS, random, 128);
        Search search = new Search(query, metric, 1 + random.nextInt(20), Double.NaN, some);
        String what = metric + " " + some.nextSetBit(0) + " " + from;
        BruteForce.assertSame(all.search(search), index.search(search, Checkpoint.NONE), what);
      }
    }
  }

  @Test
  void anIndexThatIsSearchedOftenIsSketched() throws InterruptedException {
    Random random = Seeds.random("anIndexThatIsSearchedOftenIsSketched");
    BruteForce all = data(Data.FEW_DIRECTIONS, random, 1 << 14, 128);
    FlatIndex index = all.index(new PlainKernel());
    List<Search> searches = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      searches.add(search(all, Data.FEW_DIRECTIONS, random, 128, Metric.L2));
    }
    Neighbors[] before = index.searchAll(searches, Checkpoint.NONE);
    assertFalse(index.isWarm());
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (!index.isWarm() && System.nanoTime() < deadline) {
      index.searchAll(searches, Checkpoint.NONE);
    }
    assertTrue(index.isWarm());
    Neighbors[] after = index.searchAll(searches, Checkpoint.NONE);
    for (int i = 0; i < searches.size(); i++) {
      BruteForce.assertSame(before[i], after[i], "search " + i);
    }
  }

  @Test
  void rowsThatAreLookedAtTwiceCountOnce() {
    Random random = Seeds.random("rowsThatAreLookedAtTwiceCountOnce");
    double[][] directions = new double[40][128];
    for (double[] direction : directions) {
      Arrays.setAll(direction, d -> random.nextGaussian());
    }
    // All that tells rows apart is in what a sketch codes first, so its bounds are tight.
    BruteForce all = new BruteForce();
    for (int i = 0; i < 6000; i++) {
      float[] row = new float[128];
      for (double[] direction : directions) {
        double share = random.nextGaussian();
        for (int d = 0; d < row.length; d++) {
          row[d] += (float) (share * direction[d]);
        }
      }
      all.add((long) i, row);
    }
    FlatIndex index = all.index(new PlainKernel());
    index.warm();
    for (int i = 0; i < 250; i++) {
      BitSet some = new BitSet();
      for (int row = 0; row < all.size(); row++) {
        some.set(row, random.nextInt(i % 4 == 0 ? 35 : 2) == 0);
      }
      float[] query = all.vector(random.nextInt(all.size()));
      Search search = new Search(query, Metric.L2, 2 + random.nextInt(6), Double.NaN, some);
      BruteForce.assertSame(
          all.search(search), index.search(search, Checkpoint.NONE), "search " + i);
    }
  }

  @Test
  void groupsAreSearchedByCodesWhereASketchLeavesTooMuch() {
    Random random = Seeds.random("groupsAreSearchedByCodesWhereASketchLeavesTooMuch");
    int rows = 8 * 2048;
    BruteForce all = new BruteForce();
    for (int i = 0; i < rows; i++) {
      float[] row = new float[128];
      for (int d = 0; d < row.length; d++) {
        row[d] = (float) ((d < 40 ? 1 : 0.7) * random.nextGaussian());
      }
      all.add((long) i, row);
    }
    AtomicInteger compared = new AtomicInteger();
    Kernel plain = new PlainKernel();
    Object counting =
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(),
            new Class<?>[] {Kernel.class},
            (proxy, method, arguments) -> {
              compared.addAndGet(method.getName().equals("squares") ? 1 : 0);
              return method.invoke(plain, arguments);
            });
    FlatIndex index = all.index((Kernel) counting);
    Search search = Search.nearest(query(all, Data.GAUSSIAN, random, 128), Metric.L2, 3);
    int[] of = random.ints(rows, 1, 11).toArray();
    int byCodes = 0;
    for (boolean sketched : new boolean[] {false, true}) {
      compared.set(0);
      Neighbors[] found = index.nearestOfEach(search, new RowGroups(of, 10), Checkpoint.NONE, null);
      for (int group = 1; group <= 10; group++) {
        BitSet members = new BitSet();
        for (int row = 0; row < rows; row++) {
          members.set(row, of[row] == group);
        }
        Search one = new Search(search.query(), Metric.L2, 3, Double.NaN, members);
        BruteForce.assertSame(all.search(one), found[group - 1], "group " + group);
      }
      if (!sketched) {
        byCodes = compared.get();
        index.warm();
      }
    }
    String counts = compared + " compared, by the codes alone " + byCodes;
    assertTrue(compared.get() < 2 * byCodes + rows / 20, counts);
  }

  @Test
  void anIndexOfCodesKnowsItsZeroRows() {
    BruteForce all = data(Data.ZERO_ROWS, new Random(1), 5000, 33);
    FlatIndex codes = all.codes(new PlainKernel());
    assertEquals(all.index(new PlainKernel()).zeroRows(), codes.zeroRows());
  }
}
