/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManager;
import org.apache.spark.storage.BlockStatus;
import org.apache.spark.storage.RDDBlockId;
import scala.Option;

/** How much of an executor's memory one task may take, so that all of them together have enough. */
final class Room {
  /** Setting: the most bytes of memory that one part of an index takes; 0 for the heap's share. */
  static final String PART_MEMORY = "spark.calcitefaiss.partMemory";

  /** The share of the heap that all tasks of an executor may take beside what Spark keeps. */
  private static final double OF_HEAP = 0.3;

  private Room() {}

  /** What is set for a session, or 0. */
  static long setting(SparkSession session) {
    return JavaUtils.byteStringAsBytes(session.conf().get(PART_MEMORY, "0"));
  }

  /** Bytes that a task of this executor may take. */
  static long ofTask(long setting) {
    long share = share(SparkEnv.get().conf(), Runtime.getRuntime().maxMemory(), true);
    return setting > 0 ? Math.min(setting, share) : share;
  }

  /** Bytes that a task of any executor may take, as the driver knows it. */
  static long ofTask(SparkConf conf, boolean local) {
    long heap =
        local
            ? Runtime.getRuntime().maxMemory()
            : conf.getSizeAsBytes("spark.executor.memory", "1g");
    return share(conf, heap, local);
  }

  private static long share(SparkConf conf, long heap, boolean here) {
    int all = here ? Runtime.getRuntime().availableProcessors() : 1;
    int cores = conf.getInt("spark.executor.cores", all);
    int tasks = Math.max(1, cores / Math.max(1, conf.getInt("spark.task.cpus", 1)));
    return (long) (heap * OF_HEAP / tasks);
  }

  /** Bytes of this executor that a further part of an index can be kept in. */
  static long toKeep(int rdd) {
    BlockManager blocks = SparkEnv.get().blockManager();
    long held = 0;
    for (BlockId id :
        Scala.list(
            blocks.getMatchingBlockIds(
                Scala.function(b -> b instanceof RDDBlockId r && r.rddId() == rdd)))) {
      Option<BlockStatus> status = blocks.getStatus(id);
      held += status.isDefined() ? status.get().memSize() : 0;
    }
    return SparkEnv.get().memoryManager().maxOnHeapStorageMemory() - held;
  }
}
