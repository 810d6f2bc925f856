/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;

/**
 * Measures executors' CPU time of searches and joins against Spark's own functions, in one run on
 * executors of one core each, which are processes of their own.
 */
public final class Measure {
  private static final AtomicLong CPU = new AtomicLong();
  private static final Map<String, Long> BY_EXECUTOR = new ConcurrentHashMap<>();

  private Measure() {}

  /** Arguments: the jar of the extension, rows, dimensions. */
  public static void main(String[] arguments) throws Exception {
    long rows = Long.parseLong(arguments[1]);
    int dims = Integer.parseInt(arguments[2]);
    Path folder = Files.createTempDirectory("measure");
    String data = folder.resolve("rows").toString();
    String queries = folder.resolve("queries").toString();
    String right = folder.resolve("right").toString();
    for (int workers : new int[] {2, 1}) {
      try (SparkSession session = session(arguments[0], workers)) {
        if (workers == 2) {
          write(session, rows, dims, data, 0, (int) Math.max(1, rows * dims / 12_000_000));
          write(session, 1000, dims, queries, 5, 1);
          write(session, 100_000, dims, right, 0, 8);
        }
        run(session, workers, rows, dims, data, queries, "parquet.`" + right + "`");
      }
    }
  }

  private static SparkSession session(String jar, int workers) {
    SparkSession session =
        SparkSession.builder()
            .master("local-cluster[" + workers + ",1,2000]")
            .appName("measure")
            .config("spark.executor.memory", "2000m")
            .config("spark.sql.extensions", FaissExtensions.class.getName())
            .config("spark.executor.extraClassPath", jar)
            .config("spark.executor.extraJavaOptions", "-Dcalcitefaiss.threads=1")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "4")
            .getOrCreate();
    session.sparkContext().setLogLevel("ERROR");
    session
        .sparkContext()
        .addSparkListener(
            new SparkListener() {
              @Override
              public void onTaskEnd(SparkListenerTaskEnd end) {
                long time = end.taskMetrics().executorCpuTime();
                CPU.addAndGet(time);
                BY_EXECUTOR.merge(end.taskInfo().executorId(), time, Long::sum);
              }
            });
    return session;
  }

  /** Vectors around a thousand centres, as those of texts are. */
  private static void write(
      SparkSession session, long rows, int dims, String path, int salt, int files) {
    String element =
        "float(2 * (hash(c, d) / 4294967296D) + 0.6 * (hash(id, d, " + salt + ") / 4294967296D))";
    session
        .sql(
            "select id, transform(sequence(1, "
                + dims
                + "), d -> "
                + element
                + ") as v from (select id, (id * 7919 + "
                + salt
                + ") % 997 as c from range(0, "
                + rows
                + ", 1, "
                + Math.max(1, rows * dims / 12_000_000)
                + "))")
        .write()
        .mode("overwrite")
        .parquet(path);
  }

  private static void run(
      SparkSession session,
      int workers,
      long rows,
      int dims,
      String data,
      String queries,
      String right) {
    String table = "parquet.`" + data + "`";
    String vector =
        session
            .sql("select vec_to_json(v) from parquet.`" + queries + "` where id = 77")
            .collectAsList()
            .get(0)
            .getString(0);
    String order = " order by l2_distance(v, '" + vector + "') limit 10";
    System.out.printf(Locale.ROOT, "%d workers, %d x %d%n", workers, rows, dims);
    measure(session, "top-10, index", 9, "select id from " + table + order);
    long bytes =
        JavaSparkContext.fromSparkContext(session.sparkContext()).getPersistentRDDs().size() == 0
            ? 0
            : Arrays.stream(session.sparkContext().getRDDStorageInfo())
                .filter(info -> info.name().startsWith("faiss index"))
                .mapToLong(info -> info.memSize())
                .sum();
    System.out.printf(
        Locale.ROOT,
        "  index in memory: %d bytes, %.2f x the floats%n",
        bytes,
        bytes / (4.0 * rows * dims));
    measure(
        session,
        "1,000 x 100,000, k=10, our join",
        3,
        join("l2_distance", 1000, queries, right, 100_000));
    if (workers == 1) {
      return;
    }
    session.sql("cache table cached as select id, v from " + table).collectAsList();
    String literal = "cast(from_json('" + vector + "', 'array<float>') as array<float>)";
    measure(
        session,
        "top-10, Spark's own over a cached table",
        5,
        "select id from cached order by vector_l2_distance(v, " + literal + ") limit 10");
    session.sql("uncache table cached").collectAsList();
    measure(
        session, "20 x 20,000, k=10, our join", 3, join("l2_distance", 20, queries, right, 20_000));
    measure(
        session,
        "20 x 20,000, k=10, Spark's own join",
        1,
        join("vector_l2_distance", 20, queries, right, 20_000));
    measure(
        session,
        "1,000 x 20,000, k=10, our join",
        3,
        join("l2_distance", 1000, queries, right, 20_000));
    measure(
        session,
        "1,000 x 20,000, k=10, Spark's own join",
        1,
        join("vector_l2_distance", 1000, queries, right, 20_000));
    if (Boolean.getBoolean("measure.whole")) {
      measure(
          session,
          "1,000 x 100,000, k=10, Spark's own join",
          1,
          join("vector_l2_distance", 1000, queries, right, 100_000));
    }
  }

  private static String join(String function, int left, String queries, String table, long rows) {
    return "select sum(l.id + r.id) from (select * from parquet.`"
        + queries
        + "` where id < "
        + left
        + ") l join (select * from "
        + table
        // Of each file as many.
        + " where id % 5 < "
        + rows / 20_000
        + ") r exact nearest 10 by distance "
        + function
        + "(l.v, r.v)";
  }

  private static void measure(SparkSession session, String what, int times, String sql) {
    if (times > 1) {
      session.sql(sql).collectAsList();
    }
    double[] cpu = new double[times];
    double[] wall = new double[times];
    double[] busiest = new double[times];
    for (int i = 0; i < times; i++) {
      pause();
      CPU.set(0);
      BY_EXECUTOR.clear();
      long begin = System.nanoTime();
      session.sql(sql).collectAsList();
      wall[i] = (System.nanoTime() - begin) / 1e6;
      pause();
      cpu[i] = CPU.get() / 1e6;
      busiest[i] = BY_EXECUTOR.values().stream().mapToLong(time -> time).max().orElse(0) / 1e6;
    }
    Arrays.sort(cpu);
    Arrays.sort(wall);
    Arrays.sort(busiest);
    System.out.printf(
        Locale.ROOT,
        "  %-45s CPU ms median %.0f, least %.0f, of the busiest executor %.0f; wall ms %.0f (n=%d)%n",
        what,
        cpu[times / 2],
        cpu[0],
        busiest[times / 2],
        wall[times / 2],
        times);
  }

  /** Task metrics arrive a moment after the result. */
  private static void pause() {
    try {
      Thread.sleep(300);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
