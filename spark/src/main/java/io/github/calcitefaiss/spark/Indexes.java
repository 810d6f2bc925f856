/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.datasources.FilePartition;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The index of each table and column of an application, kept by Spark's block managers.
 *
 * <p>It is built in generations: what is missing when a statement lists the files is packed into
 * parts and becomes a generation, an RDD of its own; parts of files that are gone are dropped.
 */
final class Indexes {
  /** Setting: the most bytes of files that one task reads, and that one part of an index holds. */
  static final String PARTITION_BYTES = "spark.calcitefaiss.partitionBytes";

  /** Setting: {@code false} compares row by row, as if there were no index. */
  static final String ENABLED = "spark.calcitefaiss.index";

  /** An index's bytes for each byte of the files, with its codes and Spark's own. */
  private static final double OF_FILES = 1.5;

  private static final int MOST = 64;

  private static final Map<List<Object>, Entry> ENTRIES = new LinkedHashMap<>(16, 0.75f, true);

  /** Once there are more, those with the fewest bytes are built again as one. */
  private static final int MOST_GENERATIONS = 16;

  /** Pieces of files that have a part of an index, which some generation built. */
  private record Group(IndexRdd rdd, int partition, List<String> keys, long bytes) {}

  /** What there is of one table. */
  private static final class Entry {
    private final List<Group> groups = new ArrayList<>();
    private Set<String> executors = Set.of();

    private Set<IndexRdd> generations() {
      Set<IndexRdd> all = Collections.newSetFromMap(new IdentityHashMap<>());
      groups.forEach(group -> all.add(group.rdd));
      return all;
    }
  }

  private Indexes() {}

  /** As set; else 64 MB, or less where executors are too small for parts of that size. */
  static long partitionBytes(SparkSession session) {
    String text = session.conf().get(PARTITION_BYTES, "");
    if (!text.isEmpty()) {
      return Math.max(1, JavaUtils.byteStringAsBytes(text));
    }
    SparkContext context = session.sparkContext();
    return Math.min(64L << 20, Room.ofTask(context.getConf(), context.isLocal()) / 3);
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

  private static Set<String> executors(SparkContext context) {
    return Set.copyOf(CollectionConverters.asJava(context.getExecutorMemoryStatus()).keySet());
  }

  private static List<Object> key(
      SparkSession session, Files files, Attribute id, Attribute vector) {
    return List.of(
        session.sparkContext(),
        files.key(),
        id == null ? "" : id.name(),
        vector.name(),
        partitionBytes(session),
        Room.setting(session));
  }

  /** How much of the index that there is now does without, for people; nothing if none does. */
  static String note(SparkSession session, Files files, Attribute id, Attribute vector) {
    synchronized (ENTRIES) {
      Entry entry = ENTRIES.get(key(session, files, id, vector));
      if (entry == null) {
        return "";
      }
      long without =
          entry.groups.stream().filter(g -> g.rdd.tooLarge().contains(g.partition)).count();
      return without == 0
          ? ""
          : " ("
              + without
              + " of "
              + entry.groups.size()
              + " parts row-wise: too large for the executors)";
    }
  }

  /**
   * The index of a table as it was listed. What it has of files that are as they were is kept, the
   * memory of the others is given back.
   */
  static PartsRdd of(
      SparkSession session, Files files, Files.Listing listing, Attribute id, Attribute vector) {
    SparkContext context = session.sparkContext();
    List<IndexRdd> gone = new ArrayList<>();
    PartsRdd found;
    synchronized (ENTRIES) {
      ENTRIES.keySet().removeIf(k -> ((SparkContext) k.get(0)).isStopped());
      Entry entry = ENTRIES.computeIfAbsent(key(session, files, id, vector), k -> new Entry());
      Set<IndexRdd> before = entry.generations();
      follow(entry, session, files, listing, id, vector);
      Set<String> executors = executors(context);
      if (!entry.executors.containsAll(executors)) {
        // There may be room now.
        entry.generations().forEach(IndexRdd::tryAgain);
        entry.executors = executors;
      }
      before.removeAll(entry.generations());
      gone.addAll(before);
      while (ENTRIES.size() > MOST) {
        List<Object> oldest = ENTRIES.keySet().iterator().next();
        gone.addAll(ENTRIES.remove(oldest).generations());
      }
      found = parts(context, entry, listing);
    }
    gone.forEach(rdd -> rdd.unpersist(false));
    return found;
  }

  /** Makes the groups of a table those of its files as they were listed. */
  private static void follow(
      Entry entry,
      SparkSession session,
      Files files,
      Files.Listing listing,
      Attribute id,
      Attribute vector) {
    Map<String, Files.Piece> missing = new LinkedHashMap<>();
    listing.pieces().forEach(piece -> missing.put(piece.key(), piece));
    List<Group> gone = new ArrayList<>();
    for (Group group : entry.groups) {
      if (!missing.keySet().containsAll(group.keys)) {
        gone.add(group);
      }
    }
    entry.groups.removeAll(gone);
    entry.groups.forEach(group -> missing.keySet().removeAll(group.keys));
    if (!missing.isEmpty() && entry.generations().size() >= MOST_GENERATIONS) {
      Map<IndexRdd, Long> bytes = new IdentityHashMap<>();
      entry.groups.forEach(group -> bytes.merge(group.rdd, group.bytes, Long::sum));
      List<IndexRdd> smallest = new ArrayList<>(bytes.keySet());
      smallest.sort(Comparator.comparing(bytes::get));
      Set<String> again = new HashSet<>();
      for (IndexRdd rdd : smallest.subList(0, smallest.size() / 2)) {
        for (Group group : List.copyOf(entry.groups)) {
          if (group.rdd == rdd) {
            again.addAll(group.keys);
            gone.add(group);
            entry.groups.remove(group);
          }
        }
      }
      for (Files.Piece piece : listing.pieces()) {
        if (again.contains(piece.key())) {
          missing.put(piece.key(), piece);
        }
      }
    }
    for (Group group : gone) {
      group.rdd.drop(group.partition);
    }
    if (missing.isEmpty()) {
      return;
    }
    List<Files.Piece> build = new ArrayList<>(missing.values());
    build.sort(Comparator.comparing(Files.Piece::number));
    List<List<Files.Piece>> packed = Files.pack(build, partitionBytes(session));
    FilePartition[] splits = new FilePartition[packed.size()];
    for (int i = 0; i < splits.length; i++) {
      splits[i] = Files.partition(i, packed.get(i));
    }
    List<Attribute> columns = id == null ? List.of(vector) : List.of(id, vector);
    IndexRdd rdd =
        new IndexRdd(
            session.sparkContext(),
            splits,
            files.reader(session, columns),
            id,
            vector,
            Room.setting(session));
    rdd.setName("faiss index of " + vector.name() + " in " + files.where());
    rdd.persist(StorageLevel.MEMORY_ONLY());
    for (int i = 0; i < splits.length; i++) {
      long bytes = packed.get(i).stream().mapToLong(piece -> piece.file().length()).sum();
      List<String> keys = packed.get(i).stream().map(Files.Piece::key).toList();
      entry.groups.add(new Group(rdd, i, keys, bytes));
    }
  }

  private static PartsRdd parts(SparkContext context, Entry entry, Files.Listing listing) {
    Map<String, Files.Piece> pieces = new HashMap<>();
    listing.pieces().forEach(piece -> pieces.put(piece.key(), piece));
    List<IndexRdd> parents = new ArrayList<>(entry.generations());
    List<PartsRdd.Source> sources = new ArrayList<>();
    for (Group group : entry.groups) {
      Partition there = group.rdd.partitions()[group.partition];
      List<Files.Piece> of = group.keys.stream().map(pieces::get).toList();
      Files.Split split = Files.Split.of(sources.size(), (FilePartition) there, of);
      sources.add(new PartsRdd.Source(parents.indexOf(group.rdd), there, split));
    }
    return new PartsRdd(context, parents, sources);
  }
}
