/* Licensed under the Apache License, Version 2.0; see LICENSE. */

import java.io.BufferedWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.FilterCodec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.hnsw.FlatVectorScorerUtil;
import org.apache.lucene.codecs.lucene99.Lucene99FlatVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.VectorScorer;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.util.Version;

/**
 * Lucene's flat vectors and DuckDB on the table that Goals made, one thread. Run by benchmarks/goals
 * as a source file, on a JDK that Lucene supports: {@code java -cp JARS benchmarks/Peers.java
 * FILE.db}.
 *
 * <p>A line each: name, tab, milliseconds (the median), tab, the least processor time of a round;
 * and how many of the ten nearest rows, by distances in double, each finds.
 */
public final class Peers {
  private static final int K = 10;
  private static final int TRIED = 20;

  private final float[][] rows;
  private final float[][] queries = new float[100][];
  private final int[][] nearest = new int[TRIED][];

  private Peers(float[][] rows, float[][] asked) {
    this.rows = rows;
    for (int i = 0; i < queries.length; i++) {
      if (asked.length > 0) {
        queries[i] = asked[i];
        continue;
      }
      float[] query = rows[i].clone();
      for (int d = 0; d < query.length; d++) {
        query[d] = 0.7f * query[d] + 0.3f * rows[100 + i][d];
      }
      queries[i] = query;
    }
    for (int i = 0; i < TRIED; i++) {
      nearest[i] = exact(queries[i]);
    }
  }

  /** Measures both. */
  public static void main(String[] args) throws Exception {
    Peers peers = new Peers(read(args[0], "embeddings"), read(args[0], "queries"));
    float[] copy = new float[peers.rows[0].length];
    report(
        "read the floats once",
        median(
            30,
            i -> {
              for (float[] row : peers.rows) {
                System.arraycopy(row, 0, copy, 0, copy.length);
              }
              return new int[0];
            }));
    peers.lucene();
    peers.duckdb();
  }

  /** A table's vectors; none if there is no such table. */
  private static float[][] read(String file, String table) throws Exception {
    List<float[]> rows = new ArrayList<>();
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement s = c.createStatement()) {
      try (ResultSet r =
          s.executeQuery("SELECT 1 FROM sqlite_master WHERE name = '" + table + "'")) {
        if (!r.next()) {
          return new float[0][];
        }
      }
      try (ResultSet r = s.executeQuery("SELECT embedding FROM " + table + " ORDER BY rowid")) {
        while (r.next()) {
          ByteBuffer blob = ByteBuffer.wrap(r.getBytes(1)).order(ByteOrder.LITTLE_ENDIAN);
          float[] row = new float[blob.remaining() / 4];
          blob.asFloatBuffer().get(row);
          rows.add(row);
        }
      }
    }
    return rows.toArray(new float[0][]);
  }

  /** The rows nearest by squares of differences in double, ties by their number. */
  private int[] exact(float[] query) {
    double[] squares = new double[rows.length];
    for (int i = 0; i < rows.length; i++) {
      for (int d = 0; d < query.length; d++) {
        double difference = (double) rows[i][d] - query[d];
        squares[i] += difference * difference;
      }
    }
    Integer[] order = new Integer[rows.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Double.compare(squares[a], squares[b]));
    return Arrays.stream(order).limit(K).mapToInt(i -> i).toArray();
  }

  /** Vectors as Lucene keeps them, without a graph, each scored by Lucene. */
  private void lucene() throws Exception {
    KnnVectorsFormat flat =
        new Lucene99FlatVectorsFormat(FlatVectorScorerUtil.getLucene99FlatVectorsScorer());
    Codec codec =
        new FilterCodec(Codec.getDefault().getName(), Codec.getDefault()) {
          @Override
          public KnnVectorsFormat knnVectorsFormat() {
            return flat;
          }
        };
    Path folder = Files.createTempDirectory("lucene");
    IndexWriterConfig config = new IndexWriterConfig().setCodec(codec).setRAMBufferSizeMB(1024);
    try (MMapDirectory directory = new MMapDirectory(folder);
        IndexWriter writer = new IndexWriter(directory, config)) {
      for (float[] row : rows) {
        Document document = new Document();
        document.add(new KnnFloatVectorField("v", row, VectorSimilarityFunction.EUCLIDEAN));
        writer.addDocument(document);
      }
      writer.forceMerge(1);
      try (DirectoryReader reader = DirectoryReader.open(writer)) {
        String name = "Lucene " + Version.LATEST + " flat vectors";
        Step search = i -> nearest(reader, queries[i % queries.length]);
        report(name + ": one search", median(40, search));
        recall(name, search);
      }
    } finally {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private record Scored(int doc, float score) {}

  private static int[] nearest(DirectoryReader reader, float[] query) throws Exception {
    PriorityQueue<Scored> heap =
        new PriorityQueue<>((a, b) -> Float.compare(a.score, b.score));
    for (LeafReaderContext leaf : reader.leaves()) {
      VectorScorer scorer = leaf.reader().getFloatVectorValues("v").scorer(query);
      DocIdSetIterator docs = scorer.iterator();
      float least = Float.NEGATIVE_INFINITY;
      for (int d = docs.nextDoc(); d != DocIdSetIterator.NO_MORE_DOCS; d = docs.nextDoc()) {
        float score = scorer.score();
        if (score > least || heap.size() < K) {
          heap.add(new Scored(leaf.docBase + d, score));
          if (heap.size() > K) {
            heap.poll();
          }
          least = heap.size() < K ? least : heap.peek().score;
        }
      }
    }
    return heap.stream().mapToInt(Scored::doc).toArray();
  }

  private void duckdb() throws Exception {
    int dims = rows[0].length;
    Path csv = Files.createTempFile("rows", ".csv");
    try (Connection c = DriverManager.getConnection("jdbc:duckdb:");
        Statement s = c.createStatement()) {
      s.execute("SET threads = 1");
      try (BufferedWriter out = Files.newBufferedWriter(csv)) {
        for (int i = 0; i < rows.length; i++) {
          out.write(i + ",\"" + Arrays.toString(rows[i]) + "\"\n");
        }
      }
      s.execute("CREATE TABLE v (id INTEGER, e FLOAT[" + dims + "])");
      s.execute(
          "INSERT INTO v SELECT * FROM read_csv('"
              + csv
              + "', header = false, columns = {'id': 'INTEGER', 'e': 'FLOAT["
              + dims
              + "]'})");
      String name = "DuckDB " + c.getMetaData().getDatabaseProductVersion() + " array_distance";
      try (PreparedStatement p =
          c.prepareStatement(
              "SELECT id FROM v ORDER BY array_distance(e, ?::FLOAT[" + dims + "]) LIMIT " + K)) {
        Step search =
            i -> {
              p.setString(1, Arrays.toString(queries[i % queries.length]));
              int[] found = new int[K];
              try (ResultSet r = p.executeQuery()) {
                for (int n = 0; r.next(); n++) {
                  found[n] = r.getInt(1);
                }
              }
              return found;
            };
        report(name + ": one search", median(12, search));
        recall(name, search);
      }
    } finally {
      Files.delete(csv);
    }
  }

  private interface Step {
    int[] run(int round) throws Exception;
  }

  /** The median by the clock and the least processor time of this thread, in milliseconds. */
  private static double[] median(int rounds, Step step) throws Exception {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    for (int i = 0; i < rounds; i++) {
      step.run(i);
    }
    double[] times = new double[rounds];
    double least = Double.MAX_VALUE;
    for (int i = 0; i < rounds; i++) {
      long start = System.nanoTime();
      long busy = threads.getCurrentThreadCpuTime();
      step.run(i);
      least = Math.min(least, (threads.getCurrentThreadCpuTime() - busy) / 1e6);
      times[i] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(times);
    return new double[] {times[rounds / 2], least};
  }

  private static void report(String name, double[] millis) {
    System.out.printf(Locale.ROOT, "%s\t%.2f\t%.2f%n", name, millis[0], millis[1]);
  }

  private void recall(String name, Step search) throws Exception {
    int hits = 0;
    for (int i = 0; i < TRIED; i++) {
      int[] found = search.run(i);
      for (int row : nearest[i]) {
        hits += Arrays.stream(found).anyMatch(f -> f == row) ? 1 : 0;
      }
    }
    System.out.printf(
        Locale.ROOT, "%s: recall of %d\t%.4f%n", name, K, hits / (double) (TRIED * K));
  }
}
