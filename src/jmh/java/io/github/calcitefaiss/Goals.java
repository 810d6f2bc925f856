/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.Search;
import io.github.calcitefaiss.index.VectorCodec;

import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Measures what the goals of docs/performance.md are about, in one process, and prints a line each:
 * name, tab, milliseconds (the median of the rounds), or bytes for each byte of float32.
 *
 * <p>On one thread the second figure is the least processor time of a round, which other work on
 * the machine disturbs least.
 *
 * <p>{@code Goals make FROM.db ROWS DIMS TO.db [noise]} makes a table of vectors mixed from the real
 * ones in FROM. More dimensions than theirs are made by Gaussian elements of falling size, and all
 * are rotated, so that the spectrum is one of embeddings; {@code noise}, and fewer dimensions, make
 * Gaussian rows. {@code Goals dump FILE.db ROWS.f32} writes them as
 * bare floats; {@code Goals run FILE.db} measures. Run by benchmarks/goals. {@code Goals search
 * FILE.db [PROPERTIES]} searches a table that may be larger than the heap.
 */
public final class Goals {
  private static final int K = 10;
  private static final int QUERIES = 100;

  /** Searches of a round. */
  private static final int ROUND = 20;

  private Goals() {}

  /** Makes a table, or measures one. */
  public static void main(String[] args) throws Exception {
    if (args[0].equals("make")) {
      boolean noise = args.length > 5 && args[5].equals("noise");
      make(args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3]), Path.of(args[4]), noise);
    } else if (args[0].equals("dump")) {
      dump(Path.of(args[1]), Path.of(args[2]));
    } else if (args[0].equals("search")) {
      beyondMemory(Path.of(args[1]), args.length > 2 ? args[2] : "");
    } else {
      run(Path.of(args[1]));
    }
  }

  /** Searches a table that may be larger than the heap, through JDBC alone. */
  private static void beyondMemory(Path file, String properties) throws Exception {
    String schema = file.getFileName().toString().replace(".db", "");
    List<byte[]> queries = new ArrayList<>();
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement s = c.createStatement();
        ResultSet r = s.executeQuery("SELECT embedding FROM embeddings WHERE id <= 40")) {
      while (r.next()) {
        queries.add(r.getBytes(1));
      }
    }
    for (int i = 0; i < 20; i++) {
      float[] query = VectorCodec.decode(queries.get(i));
      float[] other = VectorCodec.decode(queries.get(20 + i));
      for (int d = 0; d < query.length; d++) {
        query[d] = 0.7f * query[d] + 0.3f * other[d];
      }
      queries.set(i, VectorCodec.encode(query));
    }
    long start = System.nanoTime();
    try (Connection c = DriverManager.getConnection("jdbc:faiss:" + file + ";" + properties);
        Statement s = c.createStatement();
        PreparedStatement p =
            c.prepareStatement("select faiss_search('" + schema + "', 'embeddings', ?, " + K + ")")) {
      Step search =
          i -> {
            p.setBytes(1, queries.get(i % 20));
            return first(p.executeQuery());
          };
      search.run(0);
      print("first answer", (System.nanoTime() - start) / 1e6);
      print("prepared search", median(100, search));
      try (ResultSet r =
          s.executeQuery(
              "select memory, bytes, row_count, dims, searches, vectors_read, build_ms"
                  + " from \"metadata\".\"faiss_indexes\" where table_name = 'embeddings'")) {
        r.next();
        for (int i = 1; i <= r.getMetaData().getColumnCount(); i++) {
          System.out.println(r.getMetaData().getColumnLabel(i) + "\t" + r.getString(i));
        }
      }
    }
  }

  /** Writes a table's vectors as bare float32 rows. */
  private static void dump(Path from, Path to) throws Exception {
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + from);
        Statement s = c.createStatement();
        ResultSet r = s.executeQuery("SELECT embedding FROM embeddings ORDER BY id");
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(to), 1 << 20)) {
      while (r.next()) {
        out.write(r.getBytes(1));
      }
    }
  }

  private static void make(String from, int rows, int dims, Path to, boolean noise)
      throws Exception {
    List<float[]> real = new ArrayList<>();
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + from);
        Statement s = c.createStatement();
        ResultSet r = s.executeQuery("SELECT embedding FROM embeddings ORDER BY id")) {
      while (r.next()) {
        real.add(VectorCodec.decode(r.getBytes(1)));
      }
    }
    Random random = new Random(42);
    Rotation rotation =
        noise || dims <= real.get(0).length ? null : new Rotation(dims, new Random(43));
    Files.deleteIfExists(to);
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + to);
        Statement s = c.createStatement()) {
      s.execute("PRAGMA journal_mode = OFF");
      s.execute("PRAGMA synchronous = OFF");
      s.execute("CREATE TABLE embeddings(id INTEGER PRIMARY KEY, embedding BLOB)");
      c.setAutoCommit(false);
      try (PreparedStatement p = c.prepareStatement("INSERT INTO embeddings VALUES (?, ?)")) {
        for (int i = 1; i <= rows; i++) {
          p.setInt(1, i);
          p.setBytes(2, VectorCodec.encode(vector(real, dims, random, rotation, noise)));
          p.executeUpdate();
        }
      }
      c.commit();
    }
  }

  /** Four parts of a real vector, up to three of another and a little noise, of norm 1. */
  private static float[] vector(
      List<float[]> real, int dims, Random random, Rotation rotation, boolean noise) {
    float[] a = real.get(random.nextInt(real.size()));
    float[] b = real.get(random.nextInt(real.size()));
    float share = random.nextFloat() * 0.75f;
    float[] mixed = new float[dims];
    double norm = 0;
    boolean gaussian = noise || dims < a.length;
    for (int d = 0; d < dims; d++) {
      mixed[d] =
          gaussian
              ? (float) random.nextGaussian()
              : d < a.length
                  ? a[d] + share * b[d] + 0.01f * (float) random.nextGaussian()
                  : 0.02f * a.length / d * (float) random.nextGaussian();
      norm += (double) mixed[d] * mixed[d];
    }
    for (int d = 0; d < dims; d++) {
      mixed[d] /= (float) Math.sqrt(norm);
    }
    return rotation == null ? mixed : rotation.of(mixed);
  }

  /** A random rotation: elements are shuffled and turned in pairs, again and again. */
  private static final class Rotation {
    private static final int ROUNDS = 16;

    private final int[][] from = new int[ROUNDS][];
    private final double[][] angles = new double[ROUNDS][];

    Rotation(int dims, Random random) {
      for (int round = 0; round < ROUNDS; round++) {
        List<Integer> order = new ArrayList<>();
        for (int d = 0; d < dims; d++) {
          order.add(d);
        }
        Collections.shuffle(order, random);
        from[round] = order.stream().mapToInt(d -> d).toArray();
        angles[round] = random.doubles(dims / 2, 0, 2 * Math.PI).toArray();
      }
    }

    float[] of(float[] vector) {
      float[] turned = vector;
      for (int round = 0; round < ROUNDS; round++) {
        float[] next = new float[vector.length];
        for (int d = 0; d < next.length; d++) {
          next[d] = turned[from[round][d]];
        }
        for (int p = 0; p < next.length / 2; p++) {
          float cos = (float) Math.cos(angles[round][p]);
          float sin = (float) Math.sin(angles[round][p]);
          float x = next[2 * p];
          float y = next[2 * p + 1];
          next[2 * p] = cos * x - sin * y;
          next[2 * p + 1] = sin * x + cos * y;
        }
        turned = next;
      }
      return turned;
    }
  }

  private static void run(Path file) throws Exception {
    String schema = file.getFileName().toString().replace(".db", "");
    List<float[]> rows = new ArrayList<>();
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement s = c.createStatement();
        ResultSet r = s.executeQuery("SELECT embedding FROM embeddings ORDER BY id")) {
      while (r.next()) {
        rows.add(VectorCodec.decode(r.getBytes(1)));
      }
    }
    int dims = rows.get(0).length;
    float[][] floats = rows.toArray(new float[0][]);
    rows = null;
    List<Search> searches = new ArrayList<>();
    for (float[] query : queries(file, floats)) {
      searches.add(Search.nearest(query, Metric.L2_SQUARED, K));
    }
    int rounds = floats.length > 200_000 ? 15 : 60;
    read(floats, rounds);
    FlatIndex.Builder builder = new FlatIndex.Builder(floats.length, bytes -> {});
    for (int i = 0; i < floats.length; i++) {
      builder.addLong(i + 1, VectorCodec.encode(floats[i]));
      floats[i] = null;
    }
    FlatIndex index = builder.build();
    awaitKernel(index, i -> index.search(searches.get(i % QUERIES), Checkpoint.NONE).size());
    String threads = System.getProperty("calcitefaiss.threads", "all cores");
    print(
        "one search, " + threads + " (" + FlatIndex.kernel() + ")",
        each(
            rounds, i -> index.search(searches.get(i % QUERIES), Checkpoint.NONE).size()));
    print(
        "each of 100 in a call, " + threads,
        median(7, i -> index.searchAll(searches, Checkpoint.NONE).length).each(QUERIES));
    List<Search> l1 = new ArrayList<>();
    searches.forEach(search -> l1.add(Search.nearest(search.query(), Metric.L1, K)));
    print(
        "by L1, alone, " + threads,
        each(15, i -> index.search(l1.get(i % QUERIES), Checkpoint.NONE).size()));
    print(
        "by L1, in a call of 100, " + threads,
        median(7, i -> index.searchAll(l1, Checkpoint.NONE).length).each(QUERIES));
    print("bytes for each of float32", index.bytes() / (4.0 * index.size() * index.dims()));
    codesOnly(file, schema, searches);
    throughJdbc(file, schema, searches);
  }

  /** The file's own queries, or some between two rows. */
  private static List<float[]> queries(Path file, float[][] rows) throws SQLException {
    List<float[]> queries = new ArrayList<>();
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement s = c.createStatement()) {
      try (ResultSet r = s.executeQuery("SELECT 1 FROM sqlite_master WHERE name = 'queries'")) {
        if (!r.next()) {
          Random random = new Random(7);
          while (queries.size() < QUERIES) {
            float[] query = rows[random.nextInt(rows.length)].clone();
            float[] other = rows[random.nextInt(rows.length)];
            for (int d = 0; d < query.length; d++) {
              query[d] = 0.7f * query[d] + 0.3f * other[d];
            }
            queries.add(query);
          }
          return queries;
        }
      }
      try (ResultSet r = s.executeQuery("SELECT embedding FROM queries LIMIT " + QUERIES)) {
        while (r.next()) {
          queries.add(VectorCodec.decode(r.getBytes(1)));
        }
      }
    }
    return queries;
  }

  /** Rounds of the same searches, so that the least isn't that of the easiest one. */
  private static Times each(int rounds, Step step) throws Exception {
    Step round =
        ignored -> {
          int used = 0;
          for (int i = 0; i < ROUND; i++) {
            used += step.run(i);
          }
          return used;
        };
    return median(rounds, round).each(ROUND);
  }

  /**
   * Searches until what is made for an index that is searched often is there and, where there is a
   * Vector API, its kernel has been tried, 30 s at most.
   */
  private static void awaitKernel(FlatIndex index, Step search) throws Exception {
    boolean tried = ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty();
    long start = System.nanoTime();
    for (int i = 0; i < 400 || !(tried && index.isWarm()) && System.nanoTime() - start < 30_000_000_000L; i++) {
      search.run(i);
      tried |= !FlatIndex.kernel().equals("plain");
    }
  }

  /** The same search over codes, with the vectors left in the file. */
  private static void codesOnly(Path file, String schema, List<Search> searches) throws Exception {
    try (Connection c = DriverManager.getConnection("jdbc:faiss:" + file + ";memory=codes");
        Statement s = c.createStatement();
        PreparedStatement p =
            c.prepareStatement("select faiss_search('" + schema + "', 'embeddings', ?, " + K + ")")) {
      print(
          "prepared search, codes only",
          each(
              30,
              i -> {
                p.setBytes(1, VectorCodec.encode(searches.get(i % QUERIES).query()));
                return first(p.executeQuery());
              }));
      try (ResultSet r =
          s.executeQuery(
              "select bytes / (4.0 * row_count * dims), vectors_read / (1.0 * searches * row_count)"
                  + " from \"metadata\".\"faiss_indexes\" where table_name = 'embeddings'")) {
        r.next();
        print("bytes for each of float32, codes only", r.getDouble(1));
        System.out.printf(Locale.ROOT, "share of the rows read, codes only\t%.6f%n", r.getDouble(2));
      }
    }
  }

  private static void throughJdbc(Path file, String schema, List<Search> searches)
      throws Exception {
    try (Connection c = DriverManager.getConnection("jdbc:faiss:" + file);
        Statement s = c.createStatement()) {
      String search = "select faiss_search('" + schema + "', 'embeddings', ?, " + K + ")";
      try (PreparedStatement p = c.prepareStatement(search)) {
        Step prepared =
            i -> {
              p.setBytes(1, VectorCodec.encode(searches.get(i % QUERIES).query()));
              return first(p.executeQuery());
            };
        prepared.run(0);
        // A newer version of the file, so that the table is loaded again, by compiled code.
        List<Double> builds = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          try (Connection w = DriverManager.getConnection("jdbc:sqlite:" + file);
              Statement write = w.createStatement()) {
            write.execute("PRAGMA user_version = " + (i + 1));
            write.execute("CREATE TABLE IF NOT EXISTS touch" + i + "(x)");
          }
          prepared.run(0);
          try (ResultSet r =
              s.executeQuery(
                  "select build_ms from \"metadata\".\"faiss_indexes\" where table_name ="
                      + " 'embeddings'")) {
            r.next();
            builds.add(r.getDouble(1));
          }
        }
        builds.sort(null);
        print("index build from SQLite", builds.get(0));
        // Until the index is as quick as it gets.
        long start = System.nanoTime();
        for (int i = 0; i < 400 || System.nanoTime() - start < 3_000_000_000L; i++) {
          prepared.run(i);
        }
        print("prepared search", each(60, prepared));
      }
      String literal = "'" + Arrays.toString(searches.get(0).query()) + "'";
      String text = search.replace("?", literal);
      print("search, the same text again", median(40, i -> first(s.executeQuery(text))));
      String agg =
          "select faiss_agg(id, embedding, (select embedding from embeddings where id = 7), 10)"
              + " from embeddings";
      print("faiss_agg over all rows", median(7, i -> first(s.executeQuery(agg))));
      print(
          "small statement, new text",
          median(
              60,
              i -> first(s.executeQuery("select count(*) from embeddings where id < " + (i + 3)))));
      print(
          "join, new text",
          median(
              60,
              i ->
                  first(
                      s.executeQuery(
                          "select count(*) from embeddings a join embeddings b on a.id = b.id"
                              + " where a.id < "
                              + (i + 3)))));
    }
  }

  private static void read(float[][] rows, int rounds) throws Exception {
    int[][] elements = elements(rows);
    print("read the floats once", median(rounds, i -> readAll(elements)));
  }

  /** Reads all elements once, by a loop that C2 turns into one bound by memory: a sum of integers. */
  private static int readAll(int[][] elements) {
    int sum = 0;
    for (int[] some : elements) {
      sum += sum(some);
    }
    return sum;
  }

  private static int sum(int[] elements) {
    int sum = 0;
    for (int i = 0; i < elements.length; i++) {
      sum += elements[i];
    }
    return sum;
  }

  /** The bits of rows, a few thousand rows in an array. */
  private static int[][] elements(float[][] rows) {
    int dims = rows[0].length;
    int some = Math.max(1, (1 << 20) / dims);
    int[][] elements = new int[(rows.length + some - 1) / some][];
    for (int i = 0; i < rows.length; i++) {
      if (i % some == 0) {
        elements[i / some] = new int[Math.min(some, rows.length - i) * dims];
      }
      for (int d = 0; d < dims; d++) {
        elements[i / some][i % some * dims + d] = Float.floatToRawIntBits(rows[i][d]);
      }
    }
    return elements;
  }

  private static int first(ResultSet rows) throws SQLException {
    try (rows) {
      rows.next();
      return rows.getString(1).length();
    }
  }

  private interface Step {
    int run(int round) throws Exception;
  }

  /** The median and the least processor time of some rounds, in milliseconds. */
  private record Times(double median, double least) {
    Times each(int parts) {
      return new Times(median / parts, least / parts);
    }
  }

  private static Times median(int rounds, Step step) throws Exception {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    double[] millis = new double[rounds];
    int used = 0;
    // As many rounds again first, for the compiler.
    for (int i = 0; i < 2 * rounds; i++) {
      long start = System.nanoTime();
      long busy = threads.getCurrentThreadCpuTime();
      used += step.run(i);
      busy = threads.getCurrentThreadCpuTime() - busy;
      if (i >= rounds) {
        least = Math.min(least, busy);
        millis[i - rounds] = (System.nanoTime() - start) / 1e6;
      }
    }
    Arrays.sort(millis);
    if (used == 42) {
      System.err.println(used);
    }
    return new Times(millis[rounds / 2], least / 1e6);
  }

  private static void print(String name, double value) {
    System.out.printf(Locale.ROOT, "%s\t%.2f%n", name, value);
  }

  private static void print(String name, Times times) {
    boolean alone = "1".equals(System.getProperty("calcitefaiss.threads"));
    if (alone) {
      System.out.printf(Locale.ROOT, "%s\t%.2f\t%.2f%n", name, times.median, times.least);
    } else {
      print(name, times.median);
    }
  }
}
