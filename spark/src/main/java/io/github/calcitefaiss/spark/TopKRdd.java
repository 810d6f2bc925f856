/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.Checkpoint;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import org.apache.spark.OneToOneDependency;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.BasePredicate;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.Predicate;
import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.execution.datasources.FilePartition;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;

/** The k nearest rows of each split, or more where some have no distance; in no order. */
final class TopKRdd extends RDD<InternalRow> {
  /**
   * What is asked.
   *
   * @param query the distance; null if the query is NULL, so that no row has one
   * @param k how many rows
   * @param nullsFirst whether rows without a distance come first, or last
   * @param filter which rows qualify, or null for all
   * @param id the column whose order decides ties, or null for the place
   * @param vector the column of vectors
   * @param output the columns wanted; after them come the distance and, without an id, the place
   * @param filtering reads the columns of the filter
   * @param wanted reads the columns of the output and the id
   * @param all reads all of them
   */
  record Ask(
      DistanceCall query,
      int k,
      boolean nullsFirst,
      Expression filter,
      Attribute id,
      Attribute vector,
      List<Attribute> output,
      Files.Reader filtering,
      Files.Reader wanted,
      Files.Reader all)
      implements Serializable {}

  private final transient List<Files.Split> splits;
  private final Ask ask;
  private final boolean indexed;

  /** The nearest rows by an index. */
  static TopKRdd searched(SparkContext context, PartsRdd index, Ask ask) {
    return new TopKRdd(context, index, null, ask);
  }

  /** The nearest rows, found by comparing all. */
  static TopKRdd compared(SparkContext context, List<Files.Split> splits, Ask ask) {
    return new TopKRdd(context, null, splits, ask);
  }

  private TopKRdd(SparkContext context, PartsRdd index, List<Files.Split> splits, Ask ask) {
    super(
        context,
        Scala.seq(index == null ? List.of() : List.of(new OneToOneDependency<>(index))),
        ClassTag$.MODULE$.apply(InternalRow.class));
    this.splits = splits;
    this.ask = ask;
    this.indexed = index != null;
  }

  @Override
  public Partition[] getPartitions() {
    return indexed ? index().partitions() : splits.toArray(new Partition[0]);
  }

  @Override
  public scala.collection.Iterator<InternalRow> compute(Partition split, TaskContext context) {
    return CollectionConverters.asScala(rows(split, context));
  }

  private RDD<Part> index() {
    return firstParent(ClassTag$.MODULE$.apply(Part.class));
  }

  private Iterator<InternalRow> rows(Partition partition, TaskContext context) {
    if (!indexed) {
      return compared((Files.Split) partition, context);
    }
    Files.Split split = ((PartsRdd.Source) partition).split();
    Part part = index().iterator(partition, context).next();
    return part.tooLarge() || !ask.all.isOf(part, split.files())
        ? compared(split, context)
        : searched(split, context, part);
  }

  /** What a task calls now and then, so that it can be killed. */
  static Checkpoint checkpoint(TaskContext context) {
    return context::killTaskIfInterrupted;
  }

  private Iterator<InternalRow> searched(Files.Split split, TaskContext context, Part part) {
    BitSet qualifying =
        ask.filter == null
            ? null
            : qualifying(split.files(), part.witnesses(), ask.filtering, ask.filter);
    Output output = new Output(part, split.numbers());
    boolean vectors = output.fromIndex(ask.vector);
    List<Part.Hit> hits =
        part.search(List.of(ask.query), ask.k, qualifying, vectors, checkpoint(context)).get(0);
    BitSet nulls = new BitSet();
    if (ask.nullsFirst || hits.size() < ask.k) {
      nulls = part.nulls(ask.query.metric());
      if (qualifying != null) {
        nulls.and(qualifying);
      }
    }
    if (nulls.isEmpty() && output.allFromIndex()) {
      return hits.stream().map(hit -> output.row(null, hit)).iterator();
    }
    Map<Integer, Part.Hit> byPlace = new HashMap<>();
    int last = nulls.length() - 1;
    for (Part.Hit hit : hits) {
      byPlace.put(hit.place(), hit);
      last = Math.max(last, hit.place());
    }
    return new Picked(
        ask.wanted.rows(split.files(), part.witnesses()), last, byPlace, nulls, output);
  }

  /** The places of the rows that a condition lets through. */
  static BitSet qualifying(
      FilePartition split, String[] witnesses, Files.Reader reader, Expression filter) {
    BasePredicate predicate = Predicate.create(filter, Scala.seq(reader.columns()));
    predicate.initialize(split.index());
    BitSet qualifying = new BitSet();
    Iterator<InternalRow> rows = reader.rows(split, witnesses);
    for (int place = 0; rows.hasNext(); place++) {
      if (predicate.eval(rows.next())) {
        qualifying.set(place);
      }
    }
    return qualifying;
  }

  /** The rows of some places, read in their order. */
  private static final class Picked implements Iterator<InternalRow> {
    private final Iterator<InternalRow> rows;
    private final int last;
    private final Map<Integer, Part.Hit> hits;
    private final BitSet nulls;
    private final Output output;
    private int place = -1;
    private InternalRow next;

    private Picked(
        Iterator<InternalRow> rows,
        int last,
        Map<Integer, Part.Hit> hits,
        BitSet nulls,
        Output output) {
      this.rows = rows;
      this.last = last;
      this.hits = hits;
      this.nulls = nulls;
      this.output = output;
    }

    @Override
    public boolean hasNext() {
      while (next == null && place < last && rows.hasNext()) {
        InternalRow row = rows.next();
        place++;
        Part.Hit hit = hits.get(place);
        if (hit != null) {
          next = output.row(row, hit);
        } else if (nulls.get(place)) {
          next = output.row(row, place, null);
        }
      }
      return next != null;
    }

    @Override
    public InternalRow next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      InternalRow given = next;
      next = null;
      return given;
    }
  }

  /** Makes rows of what was read and found. */
  private final class Output {
    private final Part part;
    private final int[] numbers;
    private final UnsafeProjection projection;

    /** The part may be null: then places are those in the table. */
    private Output(Part part, int[] numbers) {
      this.part = part;
      this.numbers = numbers;
      List<DataType> types = new ArrayList<>();
      ask.output.forEach(attribute -> types.add(attribute.dataType()));
      types.add(DataTypes.DoubleType);
      if (ask.id == null) {
        types.add(DataTypes.LongType);
      }
      projection = UnsafeProjection.create(types.toArray(new DataType[0]));
    }

    private boolean is(Attribute attribute, Attribute other) {
      return other != null && attribute.exprId().equals(other.exprId());
    }

    /** Whether the index has a column's values as they are in the file. */
    private boolean fromIndex(Attribute attribute) {
      Vectors kind = Vectors.of(ask.vector.dataType());
      boolean same = kind == Vectors.BLOB || kind == Vectors.FLOATS;
      return ask.output.stream().anyMatch(wanted -> is(wanted, attribute))
          && (is(attribute, ask.id) || is(attribute, ask.vector) && same);
    }

    private boolean allFromIndex() {
      return ask.output.stream().allMatch(this::fromIndex);
    }

    private InternalRow row(InternalRow read, Part.Hit hit) {
      Object[] values = new Object[ask.output.size() + (ask.id == null ? 2 : 1)];
      for (int i = 0; i < ask.output.size(); i++) {
        Attribute attribute = ask.output.get(i);
        if (is(attribute, ask.id)) {
          values[i] = Ids.value(hit.id(), attribute.dataType());
        } else if (hit.vector() != null && is(attribute, ask.vector)) {
          values[i] =
              Vectors.of(attribute.dataType()) == Vectors.BLOB
                  ? io.github.calcitefaiss.index.VectorCodec.encode(hit.vector())
                  : UnsafeArrayData.fromPrimitiveArray(hit.vector());
        } else {
          values[i] = read.get(ask.wanted.ordinal(attribute), attribute.dataType());
        }
      }
      return finish(values, part.placeInTable(hit.place(), numbers), hit.value());
    }

    private InternalRow row(InternalRow read, int place, Double value) {
      return row(read, ask.wanted, part.placeInTable(place, numbers), value);
    }

    private InternalRow row(InternalRow read, Files.Reader reader, long place, Double value) {
      Object[] values = new Object[ask.output.size() + (ask.id == null ? 2 : 1)];
      for (int i = 0; i < ask.output.size(); i++) {
        Attribute attribute = ask.output.get(i);
        values[i] = read.get(reader.ordinal(attribute), attribute.dataType());
      }
      return finish(values, place, value);
    }

    private InternalRow finish(Object[] values, long place, Double value) {
      values[ask.output.size()] = value;
      if (ask.id == null) {
        values[ask.output.size() + 1] = place;
      }
      return projection.apply(new GenericInternalRow(values));
    }
  }

  /** A row that may be among the nearest. */
  private record Candidate(boolean isNull, double rank, Object id, InternalRow row) {}

  private Iterator<InternalRow> compared(Files.Split split, TaskContext context) {
    BasePredicate predicate =
        ask.filter == null ? null : Predicate.create(ask.filter, Scala.seq(ask.all.columns()));
    if (predicate != null) {
      predicate.initialize(split.index());
    }
    int nullRank = ask.nullsFirst ? -1 : 1;
    Comparator<Candidate> order =
        (a, b) -> {
          if (a.isNull != b.isNull) {
            return a.isNull ? nullRank : -nullRank;
          }
          int c = a.isNull ? 0 : Double.compare(a.rank, b.rank);
          return c != 0 ? c : io.github.calcitefaiss.index.Ids.compare(a.id, b.id);
        };
    PriorityQueue<Candidate> nearest = new PriorityQueue<>(order.reversed());
    Output output = new Output(null, split.numbers());
    Vectors kind = Vectors.of(ask.vector.dataType());
    int vector = ask.all.ordinal(ask.vector);
    int id = ask.id == null ? -1 : ask.all.ordinal(ask.id);
    Files.Rows rows = ask.all.rows(split.files());
    for (int number = 0; rows.hasNext(); number++) {
      InternalRow row = rows.next();
      if (number % 1024 == 0) {
        context.killTaskIfInterrupted();
      }
      if (predicate != null && !predicate.eval(row)) {
        continue;
      }
      Object found = IndexRdd.value(row, vector, kind);
      Double value = found == null || ask.query == null ? null : DistanceCall.one(found, ask.query);
      double rank = value == null ? 0 : ask.query.metric().descending() ? 0.0 - value : value;
      Object key =
          id < 0
              ? (Object) rows.place(split.numbers())
              : row.isNullAt(id)
                  ? null
                  : Ids.normal(row.get(id, ask.id.dataType()), ask.id.dataType());
      Candidate candidate = new Candidate(value == null, rank, key, null);
      if (nearest.size() == ask.k) {
        if (ask.k == 0 || order.compare(candidate, nearest.peek()) >= 0) {
          continue;
        }
        nearest.poll();
      }
      InternalRow kept = output.row(row, ask.all, rows.place(split.numbers()), value).copy();
      nearest.add(new Candidate(value == null, rank, key, kept));
    }
    return nearest.stream().map(Candidate::row).iterator();
  }
}
