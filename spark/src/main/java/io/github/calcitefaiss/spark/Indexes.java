/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;

/** The newest index of each table and column of an application, kept by Spark's block managers. */
final class Indexes {
  /** Setting: the most bytes of files that one task reads, and that one part of an index holds. */
  static final String PARTITION_BYTES = "spark.calcitefaiss.partitionBytes";

  /** Setting: {@code false} compares row by row, as if there were no index. */
  static final String ENABLED = "spark.calcitefaiss.index";

  /** An index's bytes for each byte of the files, with its codes and Spark's own. */
  private static final double OF_FILES = 1.5;

  private static final int MOST = 64;

  private static final Map<List<Object>, Entry> ENTRIES = new LinkedHashMap<>(16, 0.75f, true);

  private record Entry(String version, RDD<Part> rdd) {}

  private Indexes() {}

  static long partitionBytes(SparkSession session) {
    String text = session.conf().get(PARTITION_BYTES, "64m");
    return Math.max(1, org.apache.spark.network.util.JavaUtils.byteStringAsBytes(text));
  }

  /**
   * Why rows are compared one by one, or null if an index can be kept.
   *
   * @param bytes the files' lengths together
   */
  static String rowWise(SparkSession session, long bytes) {
    if (!Boolean.parseBoolean(session.conf().get(ENABLED, "true"))) {
      return ENABLED + " is false";
    }
    long memory = memory(session.sparkContext());
    long needed = (long) (bytes * OF_FILES);
    return memory == 0 || needed <= memory
        ? null
        : "the index needs about "
            + (needed >> 20)
            + " MB, the executors have "
            + (memory >> 20)
            + " MB for it";
  }

  /** What the executors have for cached data; 0 if none is there yet. */
  private static long memory(SparkContext context) {
    Map<String, Tuple2<Object, Object>> all =
        CollectionConverters.asJava(context.getExecutorMemoryStatus());
    String driver = SparkEnv.get().blockManager().blockManagerId().hostPort();
    long memory = 0;
    for (Map.Entry<String, Tuple2<Object, Object>> executor : all.entrySet()) {
      if (!executor.getKey().equals(driver) || context.isLocal()) {
        memory += (Long) executor.getValue()._1();
      }
    }
    return memory;
  }

  /** The index of a table as it was listed; an older one's memory is given back. */
  static RDD<Part> of(
      SparkSession session, Files files, Files.Listing listing, Attribute id, Attribute vector) {
    List<Object> key = new ArrayList<>();
    key.add(session.sparkContext());
    key.add(files.key());
    key.add(id == null ? "" : id.name());
    key.add(vector.name());
    key.add(partitionBytes(session));
    List<RDD<Part>> gone = new ArrayList<>();
    RDD<Part> found;
    synchronized (ENTRIES) {
      ENTRIES.keySet().removeIf(k -> ((SparkContext) k.get(0)).isStopped());
      Entry entry = ENTRIES.get(key);
      if (entry == null || !entry.version.equals(listing.version())) {
        if (entry != null) {
          gone.add(entry.rdd);
        }
        List<Attribute> columns = id == null ? List.of(vector) : List.of(id, vector);
        RDD<Part> rdd =
            new IndexRdd(
                session.sparkContext(),
                listing.splits(),
                files.reader(session, columns),
                id,
                vector);
        rdd.setName("faiss index of " + vector.name() + " in " + files.where());
        rdd.persist(StorageLevel.MEMORY_ONLY());
        entry = new Entry(listing.version(), rdd);
        ENTRIES.put(key, entry);
        while (ENTRIES.size() > MOST) {
          List<Object> oldest = ENTRIES.keySet().iterator().next();
          gone.add(ENTRIES.remove(oldest).rdd);
        }
      }
      found = entry.rdd;
    }
    gone.forEach(rdd -> rdd.unpersist(false));
    return found;
  }
}
