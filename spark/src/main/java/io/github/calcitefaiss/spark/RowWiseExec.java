/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.execution.SparkPlan;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/** Says in a plan that rows are compared one by one, and why; passes them on as they are. */
public final class RowWiseExec extends SparkPlan {
  private final String reason;
  private final SparkPlan child;

  /** The reason is a clause for people. */
  public RowWiseExec(String reason, SparkPlan child) {
    this.reason = reason;
    this.child = child;
  }

  @Override
  public RDD<InternalRow> doExecute() {
    return child.execute();
  }

  @Override
  public Seq<Attribute> output() {
    return child.output();
  }

  @Override
  public Seq<SparkPlan> children() {
    return Scala.seq(List.of(child));
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> children) {
    return new RowWiseExec(reason, children.apply(0));
  }

  @Override
  public String nodeName() {
    return "VectorTopK";
  }

  @Override
  public String simpleString(int maxFields) {
    return nodeName() + " mode=row-wise (" + reason + ")";
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof RowWiseExec;
  }

  @Override
  public int productArity() {
    return 2;
  }

  @Override
  public Object productElement(int i) {
    return Arrays.asList(reason, child).get(i);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RowWiseExec r && r.reason.equals(reason) && r.child.equals(child);
  }

  @Override
  public int hashCode() {
    return child.hashCode();
  }
}
