/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Searches of a flat index beside the limit for a scan of floats: reading them once.
 *
 * <pre>
 *   mvn -Pbench test-compile exec:exec -Dbench="SearchBench -p rows=100000 -p dims=384"
 *   … -Dbench="SearchBench -jvmArgsAppend --add-modules=jdk.incubator.vector"   the Vector API
 *   … -Dbench="SearchBench -jvmArgsAppend -Dcalcitefaiss.threads=1"             one thread
 *   … -Dbench="SearchBench -p data=/tmp/minilm.f32 -jvm /path/to/jdk-25/bin/java"
 * </pre>
 *
 * <p>{@code data} is {@code gaussian}, {@code clusters}, {@code equal}, or a file of float32 rows,
 * little-endian.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgs = "-Xmx6g")
public class SearchBench {
  private static final int QUERIES = 100;

  @Param("100000")
  int rows;

  @Param("384")
  int dims;

  @Param("10")
  int k;

  @Param("L2_SQUARED")
  Metric metric;

  @Param("gaussian")
  String data;

  private float[][] floats;
  private byte[][] blobs;
  private List<Search> searches;
  private FlatIndex index;
  private int next;

  /** Makes the rows and the queries, each query half way between two rows. */
  @Setup
  public void prepare() {
    Random random = new Random(42);
    floats = new float[rows][dims];
    fill(random);
    blobs = new byte[rows][];
    for (int i = 0; i < rows; i++) {
      blobs[i] = VectorCodec.encode(floats[i]);
    }
    searches = new ArrayList<>();
    for (int i = 0; i < QUERIES; i++) {
      float[] query = floats[random.nextInt(rows)].clone();
      float[] other = floats[random.nextInt(rows)];
      for (int d = 0; d < dims; d++) {
        query[d] = 0.7f * query[d] + 0.3f * other[d];
      }
      searches.add(Search.nearest(query, metric, k));
    }
    index = build();
  }

  private void fill(Random random) {
    switch (data) {
      case "gaussian":
        each((row, d) -> (float) random.nextGaussian());
        break;
      case "clusters":
        each((row, d) -> (float) (Math.sin(row % 100 * 7 + d * 13) + 0.1 * random.nextGaussian()));
        break;
      case "equal":
        each((row, d) -> 0.5f + d);
        break;
      default:
        read(Path.of(data));
        break;
    }
  }

  private void each(Grid.Rows element) {
    for (int i = 0; i < rows; i++) {
      for (int d = 0; d < dims; d++) {
        floats[i][d] = element.get(i, d);
      }
    }
  }

  private void read(Path file) {
    ByteBuffer row = ByteBuffer.allocate(4 * dims).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file)) {
      for (float[] to : floats) {
        row.clear();
        channel.read(row);
        row.flip();
        row.asFloatBuffer().get(to);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One search. */
  @Benchmark
  public Neighbors one() {
    return index.search(searches.get(next++ % QUERIES), Checkpoint.NONE);
  }

  /** One search of many in a call. */
  @Benchmark
  @OperationsPerInvocation(QUERIES)
  public Neighbors[] inBatch() {
    return index.searchAll(searches, Checkpoint.NONE);
  }

  /** The limit for a scan of floats on one thread: every float is read once. */
  @Benchmark
  public int readFloats() {
    int sum = 0;
    for (float[] row : floats) {
      // A row equals itself, so this vectorised comparison goes through all of it.
      sum += Arrays.mismatch(row, 0, dims, row, 0, dims);
    }
    return sum;
  }

  /** Building an index from blobs. */
  @Benchmark
  public FlatIndex build() {
    FlatIndex.Builder builder = new FlatIndex.Builder(rows, bytes -> {});
    for (int i = 0; i < rows; i++) {
      builder.addLong(i, blobs[i]);
    }
    return builder.build();
  }
}
