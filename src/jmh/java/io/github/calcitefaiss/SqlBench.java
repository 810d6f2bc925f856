/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.Neighbors;
import io.github.calcitefaiss.index.Search;
import io.github.calcitefaiss.index.VectorCodec;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The forms of SQL that an index answers, as prepared statements: each beside the search without a
 * filter, and the join beside the same searches in one call of the index.
 *
 * <pre>
 *   mvn -Pbench test-compile exec:exec -Dbench="SqlBench -p rows=100000 -p dims=384"
 * </pre>
 *
 * <p>{@code -p data=/path/to/rows.f32} takes the vectors from a file. The table has a row's vector beside its other columns; {@code n} counts from 0 to 999 again
 * and again, and {@code m}, the same, has an index in SQLite. The {@code …New} forms ask with
 * another filter every time, so that nothing is remembered of it.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 4, time = 2)
@Fork(value = 1, jvmArgs = "-Xmx4g")
public class SqlBench {
  private static final int QUERIES = 1000;
  private static final String NEAREST =
      " ORDER BY l2_distance(embedding, ?) LIMIT 10";

  @Param("100000")
  int rows;

  @Param("384")
  int dims;

  /** A file of float32 vectors of {@code dims} elements, or nothing for made ones. */
  @Param("")
  String data;

  private Path folder;
  private Connection connection;
  private FlatIndex index;
  private double radius;
  private final List<float[]> queries = new ArrayList<>();
  private final List<Search> batch = new ArrayList<>();
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private int next;
  private MappedByteBuffer given;

  /** Makes the database and an index of the same rows beside it. */
  @Setup
  public void prepare() throws IOException, SQLException {
    folder = Files.createTempDirectory("sqlbench");
    Random random = new Random(42);
    Path file = folder.resolve("bench.db");
    FlatIndex.Builder builder = new FlatIndex.Builder(rows, bytes -> {});
    float[][] centres = new float[1000][];
    for (int i = 0; i < centres.length; i++) {
      centres[i] = vector(random, null);
    }
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement s = sqlite.createStatement()) {
      s.execute("PRAGMA journal_mode = OFF");
      s.execute("PRAGMA synchronous = OFF");
      s.execute(
          "CREATE TABLE docs(id INTEGER PRIMARY KEY, title TEXT, n INTEGER, m INTEGER,"
              + " g INTEGER, embedding BLOB)");
      s.execute("CREATE TABLE queries(id INTEGER PRIMARY KEY, embedding BLOB)");
      sqlite.setAutoCommit(false);
      try (PreparedStatement p =
          sqlite.prepareStatement("INSERT INTO docs VALUES (?, ?, ?, ?, ?, ?)")) {
        for (int i = 0; i < rows; i++) {
          byte[] blob = VectorCodec.encode(row(random, centres, i));
          p.setInt(1, i + 1);
          p.setString(2, "document " + i);
          p.setInt(3, i % 1000);
          p.setInt(4, i % 1000);
          p.setInt(5, i % 20);
          p.setBytes(6, blob);
          p.executeUpdate();
          builder.addLong(i + 1, blob);
        }
      }
      try (PreparedStatement p = sqlite.prepareStatement("INSERT INTO queries VALUES (?, ?)")) {
        for (int i = 0; i < QUERIES; i++) {
          float[] query = row(random, centres, rows + i);
          queries.add(query);
          batch.add(Search.nearest(query, Metric.L2, 10));
          p.setInt(1, i + 1);
          p.setBytes(2, VectorCodec.encode(query));
          p.executeUpdate();
        }
      }
      s.execute("CREATE INDEX docs_m ON docs(m)");
      sqlite.commit();
    }
    index = builder.build();
    Neighbors near = index.search(Search.nearest(queries.get(0), Metric.L2, 50), Checkpoint.NONE);
    radius = near.values()[near.size() - 1];
    connection = DriverManager.getConnection("jdbc:faiss:" + file);
  }

  /** A row of the file, or one of a cluster. */
  private float[] row(Random random, float[][] centres, int i) throws IOException {
    if (data.isEmpty()) {
      return vector(random, centres[random.nextInt(1000)]);
    }
    if (given == null) {
      try (FileChannel channel = FileChannel.open(Path.of(data))) {
        given = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      }
      given.order(ByteOrder.LITTLE_ENDIAN);
    }
    float[] row = new float[dims];
    int of = given.capacity() / (4 * dims);
    given.position(4 * dims * (i % of));
    given.asFloatBuffer().get(row);
    return row;
  }

  private float[] vector(Random random, float[] centre) {
    float[] vector = new float[dims];
    double norm = 0;
    for (int d = 0; d < dims; d++) {
      vector[d] = (float) random.nextGaussian() * (centre == null ? 1 : 0.05f);
      vector[d] += centre == null ? 0 : centre[d];
      norm += (double) vector[d] * vector[d];
    }
    for (int d = 0; d < dims; d++) {
      vector[d] /= (float) Math.sqrt(norm);
    }
    return vector;
  }

  /** Removes the database. */
  @TearDown
  public void remove() throws IOException, SQLException {
    connection.close();
    try (java.util.stream.Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  private int run(String sql, Object... parameters) throws SQLException {
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      statements.put(sql, statement);
    }
    for (int i = 0; i < parameters.length; i++) {
      statement.setObject(i + 1, parameters[i]);
    }
    int sum = 0;
    try (ResultSet results = statement.executeQuery()) {
      while (results.next()) {
        sum += results.getInt(1);
      }
    }
    return sum;
  }

  private byte[] query() {
    return VectorCodec.encode(queries.get(next++ % QUERIES));
  }

  /** The measure of the others: the nearest of all rows. */
  @Benchmark
  public int noFilter() throws SQLException {
    return run("SELECT id, title FROM docs" + NEAREST, query());
  }

  /** A filter that keeps 0.1 %. */
  @Benchmark
  public int filterTenthOfPercent() throws SQLException {
    return run("SELECT id, title FROM docs WHERE n < 1" + NEAREST, query());
  }

  /** A filter that keeps 10 %. */
  @Benchmark
  public int filterTenPercent() throws SQLException {
    return run("SELECT id, title FROM docs WHERE n < 100" + NEAREST, query());
  }

  /** A filter that keeps every row. */
  @Benchmark
  public int filterAll() throws SQLException {
    return run("SELECT id, title FROM docs WHERE n >= 0" + NEAREST, query());
  }

  /** A filter that keeps 0.1 %, another one each time, that SQLite reads the table for. */
  @Benchmark
  public int filterTenthOfPercentNew() throws SQLException {
    return run("SELECT id, title FROM docs WHERE n = ?" + NEAREST, next % 1000, query());
  }

  /** A filter that keeps 0.1 %, another one each time, for which SQLite has an index. */
  @Benchmark
  public int filterTenthOfPercentNewIndexed() throws SQLException {
    return run("SELECT id, title FROM docs WHERE m = ?" + NEAREST, next % 1000, query());
  }

  /** A filter that keeps 1 %, another one each time. */
  @Benchmark
  public int filterOnePercentNew() throws SQLException {
    return between(10);
  }

  /** A filter that keeps 4 %, another one each time. */
  @Benchmark
  public int filterFourPercentNew() throws SQLException {
    return between(40);
  }

  /** A filter that keeps 10 %, another one each time. */
  @Benchmark
  public int filterTenPercentNew() throws SQLException {
    return between(100);
  }

  /** A filter that keeps half of the rows, another one each time. */
  @Benchmark
  public int filterHalfNew() throws SQLException {
    return between(500);
  }

  private int between(int thousandths) throws SQLException {
    int from = next % (1000 - thousandths);
    return run(
        "SELECT id, title FROM docs WHERE n >= ? AND n < ?" + NEAREST,
        from,
        from + thousandths,
        query());
  }

  /** A filter that keeps every row, another one each time. */
  @Benchmark
  public int filterAllNew() throws SQLException {
    return run("SELECT id, title FROM docs WHERE n >= ?" + NEAREST, -1 - next, query());
  }

  /** The rows within a radius, about fifty. */
  @Benchmark
  public int within() throws SQLException {
    byte[] first = VectorCodec.encode(queries.get(0));
    return run(
        "SELECT id, title FROM docs WHERE l2_distance(embedding, ?) < ?",
        first,
        radius);
  }

  /** The three nearest of each of twenty groups. */
  @Benchmark
  public int nearestOfEachGroup() throws SQLException {
    return run(
        "SELECT id, g FROM (SELECT id, g, ROW_NUMBER() OVER (PARTITION BY g ORDER BY"
            + " l2_distance(embedding, ?)) AS r FROM docs) AS x WHERE r <= 3",
        query());
  }

  /** The plugin's function. */
  @Benchmark
  public int faissSearch() throws SQLException {
    return run("SELECT length(faiss_search('bench', 'docs', ?, 10))", query());
  }

  /** A thousand queries as a join. */
  @Benchmark
  public int join() throws SQLException {
    return run(
        "SELECT n.id FROM queries q CROSS JOIN LATERAL (SELECT d.id FROM docs d"
            + " ORDER BY l2_distance(d.embedding, q.embedding) LIMIT 10) n");
  }

  /** The same thousand in one call of the index. */
  @Benchmark
  public Neighbors[] joinInTheIndex() {
    return index.searchAll(batch, Checkpoint.NONE);
  }
}
