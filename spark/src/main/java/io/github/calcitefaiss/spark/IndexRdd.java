/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.execution.datasources.FilePartition;
import org.apache.spark.storage.RDDBlockId;
import org.apache.spark.util.CollectionAccumulator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;

/** The vectors of each split of a table as a {@link Part}; kept by Spark, rebuilt after a loss. */
final class IndexRdd extends RDD<Part> {
  private static final Logger LOG = LoggerFactory.getLogger(IndexRdd.class);

  private final transient FilePartition[] splits;
  private final Files.Reader reader;
  private final int idOrdinal;
  private final int vector;
  private final Attribute idColumn;
  private final Vectors kind;
  private final long memory;
  private final CollectionAccumulator<Integer> tooLarge;

  /** The id may be null: then a row's place is its id. */
  IndexRdd(
      SparkContext context,
      FilePartition[] splits,
      Files.Reader reader,
      Attribute id,
      Attribute vector,
      long memory) {
    super(context, Scala.seq(List.of()), ClassTag$.MODULE$.apply(Part.class));
    this.splits = splits;
    this.reader = reader;
    this.idOrdinal = id == null ? -1 : reader.ordinal(id);
    this.idColumn = id;
    this.vector = reader.ordinal(vector);
    this.kind = Vectors.of(vector.dataType());
    this.memory = memory;
    this.tooLarge = context.collectionAccumulator("parts without an index");
  }

  /** The parts that no executor had memory for, so far. */
  Set<Integer> tooLarge() {
    return new TreeSet<>(tooLarge.value());
  }

  /** Lets the parts that had no room be tried again. */
  void tryAgain() {
    tooLarge().forEach(this::drop);
    tooLarge.reset();
  }

  /** Gives the memory of a part back. */
  void drop(int part) {
    SparkEnv.get().blockManager().master().removeBlock(new RDDBlockId(id(), part));
  }

  @Override
  public Partition[] getPartitions() {
    return Arrays.copyOf(splits, splits.length, Partition[].class);
  }

  @Override
  public Iterator<Part> compute(Partition split, TaskContext context) {
    long limit = Math.min(Room.ofTask(memory), Room.toKeep(id()));
    Part.Builder builder = new Part.Builder(kind, limit);
    FilePartition files = (FilePartition) split;
    builder.files(reader.witnesses(files));
    Files.Rows rows = reader.rows(files, builder.witnesses());
    for (long place = 0; rows.hasNext(); place++) {
      InternalRow row = rows.next();
      if (place % 1024 == 0) {
        context.killTaskIfInterrupted();
      }
      builder.in(rows.file());
      if (!builder.add(id(row, place), value(row, vector, kind))) {
        break;
      }
    }
    Part part = builder.build();
    if (part.tooLarge()) {
      tooLarge.add(split.index());
      LOG.warn(
          "part {} of the {} needs more than the {} MB that there are: its rows are compared one"
              + " by one",
          split.index(),
          name(),
          limit >> 20);
    }
    return CollectionConverters.asScala(List.of(part).iterator());
  }

  private Object id(InternalRow row, long place) {
    return idOrdinal < 0
        ? (Object) place
        : row.isNullAt(idOrdinal)
            ? null
            : Ids.normal(row.get(idOrdinal, idColumn.dataType()), idColumn.dataType());
  }

  /** A vector as the row has it, or null. */
  static Object value(InternalRow row, int ordinal, Vectors kind) {
    if (row.isNullAt(ordinal)) {
      return null;
    }
    switch (kind) {
      case BLOB:
        return row.getBinary(ordinal);
      case JSON:
        return row.getUTF8String(ordinal);
      default:
        return row.getArray(ordinal);
    }
  }
}
