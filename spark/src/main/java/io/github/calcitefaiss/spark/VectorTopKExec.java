/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.Metric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.AttributeSet$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.execution.SparkPlan;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/** The rows of a table nearest to a vector, found by its index; ordered and cut above. */
public final class VectorTopKExec extends SparkPlan {
  private final transient Spec spec;
  private final Expression query;
  private final Seq<Expression> filters;
  private final Seq<Attribute> output;

  /**
   * What does not change.
   *
   * @param files the table
   * @param function the function whose value orders the rows
   * @param queryFirst whether the query is its first argument
   * @param vector the column of vectors
   * @param id the column whose order decides ties, or null
   * @param columns the columns wanted
   * @param k how many rows
   * @param nullsFirst whether rows without a distance come first
   */
  record Spec(
      Files files,
      String function,
      boolean queryFirst,
      Attribute vector,
      Attribute id,
      List<Attribute> columns,
      int k,
      boolean nullsFirst) {}

  /** The output is the columns wanted, the distance and, without an id, the row's place. */
  public VectorTopKExec(
      Spec spec, Expression query, Seq<Expression> filters, Seq<Attribute> output) {
    this.spec = spec;
    this.query = query;
    this.filters = filters;
    this.output = output;
  }

  /** How a constant and a column's vectors are compared; null if the constant is NULL. */
  static DistanceCall call(
      String function, boolean queryFirst, Attribute column, Expression query) {
    Object value = query.eval(null);
    if (value == null) {
      return null;
    }
    Vectors kind = Vectors.of(query.dataType());
    String argument = queryFirst ? "first vector" : "second vector";
    float[] elements = Functions.vector(function, argument, kind, value);
    Vectors other = Vectors.of(column.dataType());
    return new DistanceCall(
        function, queryFirst ? kind : other, queryFirst ? other : kind, elements, queryFirst);
  }

  static Expression all(List<Expression> conditions) {
    return conditions.stream().reduce(And::new).orElse(null);
  }

  @Override
  public RDD<InternalRow> doExecute() {
    DistanceCall call = call(spec.function, spec.queryFirst, spec.vector, query);
    Files.Listing listing = spec.files.list(Indexes.partitionBytes(session()));
    Expression filter = all(Scala.list(filters));
    List<Attribute> filtering = new ArrayList<>();
    if (filter != null) {
      for (Attribute attribute : spec.files.output()) {
        if (filter.references().contains(attribute)) {
          filtering.add(attribute);
        }
      }
    }
    List<Attribute> wanted = new ArrayList<>(spec.columns);
    if (spec.id != null) {
      wanted.add(spec.id);
    }
    List<Attribute> every = new ArrayList<>(wanted);
    every.addAll(filtering);
    every.add(spec.vector);
    TopKRdd.Ask ask =
        new TopKRdd.Ask(
            call,
            spec.k,
            spec.nullsFirst,
            filter,
            spec.id,
            spec.vector,
            spec.columns,
            spec.files.reader(session(), filtering),
            spec.files.reader(session(), wanted),
            spec.files.reader(session(), every));
    boolean indexed = searchable(call) && Indexes.rowWise(session(), listing.bytes()) == null;
    return indexed
        ? TopKRdd.searched(
            session().sparkContext(),
            Indexes.of(session(), spec.files, listing, spec.id, spec.vector),
            ask)
        : TopKRdd.compared(
            session().sparkContext(), listing.splits(Indexes.partitionBytes(session())), ask);
  }

  /** Whether an index has anything to say of a query: not of NULL, nothing, or no direction. */
  static boolean searchable(DistanceCall call) {
    if (call == null || call.constant().length == 0) {
      return false;
    }
    boolean cosine =
        call.metric() == Metric.COSINE_DISTANCE || call.metric() == Metric.COSINE_SIMILARITY;
    for (float element : call.constant()) {
      if (element != 0) {
        return true;
      }
    }
    return !cosine;
  }

  @Override
  public Seq<Attribute> output() {
    return output;
  }

  @Override
  public AttributeSet producedAttributes() {
    List<Attribute> all = new ArrayList<>(spec.files.output());
    all.addAll(Scala.list(output));
    return AttributeSet$.MODULE$.apply(Scala.<Expression>seq(all));
  }

  @Override
  public Seq<SparkPlan> children() {
    return Scala.seq(List.of());
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> children) {
    return this;
  }

  @Override
  public String nodeName() {
    return "VectorTopK";
  }

  @Override
  public String simpleString(int maxFields) {
    String slow = Indexes.rowWise(session(), spec.files.bytes());
    return nodeName()
        + " column="
        + spec.vector.name()
        + ", metric="
        + Functions.METRICS.get(spec.function)
        + ", k="
        + spec.k
        + (filters.isEmpty() ? "" : ", where=" + all(Scala.list(filters)).sql())
        + ", ties="
        + (spec.id == null ? "place" : spec.id.name())
        + ", mode="
        + (slow == null
            ? "index" + Indexes.note(session(), spec.files, spec.id, spec.vector)
            : "row-wise (" + slow + ")")
        + ", files="
        + spec.files.where();
  }

  @Override
  public String verboseStringWithOperatorId() {
    return simpleString(25) + "\n";
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof VectorTopKExec;
  }

  @Override
  public int productArity() {
    return 4;
  }

  @Override
  public Object productElement(int i) {
    return Arrays.asList(spec, query, filters, output).get(i);
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
