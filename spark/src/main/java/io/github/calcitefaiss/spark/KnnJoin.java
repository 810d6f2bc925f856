/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/** {@code left JOIN right EXACT NEAREST k BY DISTANCE l2_distance(…)}, before it is planned. */
public final class KnnJoin extends LogicalPlan {
  private final LogicalPlan left;
  private final LogicalPlan right;
  private final Ask ask;
  private final Expression query;
  private final Expression candidate;
  private final Seq<Expression> tie;

  /**
   * What is asked.
   *
   * @param function whose value is compared
   * @param queryFirst whether the left side is its first argument
   * @param k how many at most for each row of the left
   * @param outer whether a row of the left without any is kept
   */
  record Ask(String function, boolean queryFirst, int k, boolean outer) implements Serializable {}

  /** The tie is the one column of the right whose order decides between equals, or none. */
  public KnnJoin(
      LogicalPlan left,
      LogicalPlan right,
      Ask ask,
      Expression query,
      Expression candidate,
      Seq<Expression> tie) {
    this.left = left;
    this.right = right;
    this.ask = ask;
    this.query = query;
    this.candidate = candidate;
    this.tie = tie;
  }

  LogicalPlan left() {
    return left;
  }

  LogicalPlan right() {
    return right;
  }

  Ask ask() {
    return ask;
  }

  Expression query() {
    return query;
  }

  Expression candidate() {
    return candidate;
  }

  /** The column that decides ties, or null. */
  Attribute tie() {
    return tie.isEmpty() ? null : (Attribute) tie.apply(0);
  }

  @Override
  public Seq<Attribute> output() {
    List<Attribute> output = new ArrayList<>(Scala.list(left.output()));
    for (Attribute attribute : Scala.list(right.output())) {
      output.add(ask.outer() ? attribute.withNullability(true) : attribute);
    }
    return Scala.seq(output);
  }

  @Override
  public Seq<LogicalPlan> children() {
    return Scala.seq(List.of(left, right));
  }

  @Override
  public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> children) {
    return new KnnJoin(children.apply(0), children.apply(1), ask, query, candidate, tie);
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof KnnJoin;
  }

  @Override
  public int productArity() {
    return 6;
  }

  @Override
  public Object productElement(int i) {
    return Arrays.asList(left, right, ask, query, candidate, tie).get(i);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KnnJoin j
        && j.left.equals(left)
        && j.right.equals(right)
        && j.ask.equals(ask)
        && j.query.equals(query)
        && j.candidate.equals(candidate);
  }

  @Override
  public int hashCode() {
    return 31 * left.hashCode() + right.hashCode();
  }
}
