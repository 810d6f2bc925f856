/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import scala.collection.immutable.Seq;

/** Plans a {@link KnnJoin}: against the index of a table, or of the rows that each task gets. */
final class KnnJoinStrategy extends SparkStrategy {
  private final SparkSession session;

  KnnJoinStrategy(SparkSession session) {
    this.session = session;
  }

  @Override
  public Seq<SparkPlan> apply(LogicalPlan plan) {
    return plan instanceof KnnJoin join ? Scala.seq(List.of(plan(join))) : Scala.seq(List.of());
  }

  private SparkPlan plan(KnnJoin join) {
    SparkPlan left = planLater(join.left());
    TopKStrategy.Operation right = TopKStrategy.Operation.of(join.right());
    Files files = right.relation() == null ? null : Files.of(right.relation());
    Expression vector = right.below(join.candidate());
    Expression id = join.tie() == null ? null : right.below(join.tie());
    List<Attribute> columns = new ArrayList<>();
    boolean indexed =
        files != null
            && vector instanceof AttributeReference v
            && files.has(v)
            && (id == null || id instanceof AttributeReference i && files.has(i))
            && Indexes.rowWise(session, files.bytes()) == null;
    for (NamedExpression project : right.projects()) {
      Expression column = project instanceof Alias alias ? alias.child() : (Expression) project;
      indexed = indexed && column instanceof AttributeReference a && files.has(a);
      if (indexed) {
        columns.add((Attribute) column);
      }
    }
    for (Expression filter : right.filters()) {
      for (Attribute attribute : indexed ? files.output() : List.<Attribute>of()) {
        indexed &= !filter.references().contains(attribute) || files.has(attribute);
      }
    }
    if (indexed) {
      return new VectorKnnJoinExec(
          Scala.seq(List.of(left)),
          new VectorKnnJoinExec.Spec(join.ask(), files, columns),
          join.query(),
          vector,
          Scala.seq(id == null ? List.of() : List.of(id)),
          Scala.seq(right.filters()),
          join.output());
    }
    return new VectorKnnJoinExec(
        Scala.seq(List.of(left, planLater(join.right()))),
        new VectorKnnJoinExec.Spec(join.ask(), null, List.of()),
        join.query(),
        join.candidate(),
        Scala.seq(join.tie() == null ? List.of() : List.of(join.tie())),
        Scala.seq(List.of()),
        join.output());
  }
}
