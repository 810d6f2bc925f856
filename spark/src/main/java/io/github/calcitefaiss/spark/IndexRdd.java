/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.execution.datasources.FilePartition;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;

/** The vectors of each split of a table as a {@link Part}; kept by Spark, rebuilt after a loss. */
final class IndexRdd extends RDD<Part> {
  /** The share of an executor's heap that building one part may take. */
  private static final double MOST_OF_HEAP = 0.3;

  private final transient FilePartition[] splits;
  private final Files.Reader reader;
  private final int id;
  private final int vector;
  private final Attribute idColumn;
  private final Vectors kind;

  /** The id may be null: then a row's place is its id. */
  IndexRdd(
      SparkContext context,
      FilePartition[] splits,
      Files.Reader reader,
      Attribute id,
      Attribute vector) {
    super(context, Scala.seq(List.of()), ClassTag$.MODULE$.apply(Part.class));
    this.splits = splits;
    this.reader = reader;
    this.id = id == null ? -1 : reader.ordinal(id);
    this.idColumn = id;
    this.vector = reader.ordinal(vector);
    this.kind = Vectors.of(vector.dataType());
  }

  @Override
  public Partition[] getPartitions() {
    return Arrays.copyOf(splits, splits.length, Partition[].class);
  }

  @Override
  public Iterator<Part> compute(Partition split, TaskContext context) {
    long limit = (long) (Runtime.getRuntime().maxMemory() * MOST_OF_HEAP);
    Part.Builder builder = new Part.Builder(kind, limit);
    java.util.Iterator<InternalRow> rows = reader.rows((FilePartition) split);
    for (long place = 0; rows.hasNext(); place++) {
      InternalRow row = rows.next();
      if (place % 1024 == 0) {
        context.killTaskIfInterrupted();
      }
      if (!builder.add(id(row, place), value(row, vector, kind))) {
        break;
      }
    }
    return CollectionConverters.asScala(List.of(builder.build()).iterator());
  }

  private Object id(InternalRow row, long place) {
    return id < 0
        ? (Object) place
        : row.isNullAt(id)
            ? null
            : Ids.normal(row.get(id, idColumn.dataType()), idColumn.dataType());
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
