/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.NearestByDistance$;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.NearestByJoin;
import org.apache.spark.sql.catalyst.rules.Rule;

/** Makes a {@link KnnJoin} of an exact join by one of our distances. */
final class KnnJoinRule extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return Scala.replace(plan, KnnJoinRule::of);
  }

  private static LogicalPlan of(LogicalPlan plan) {
    if (!(plan instanceof NearestByJoin join)
        || join.approx()
        || !join.resolved()
        || !(join.rankingExpression() instanceof Distance distance)
        || (join.direction() == NearestByDistance$.MODULE$) == distance.metric().descending()) {
      return null;
    }
    boolean outer = join.joinType().sql().equals("LEFT OUTER");
    if (!outer && !join.joinType().sql().equals("INNER")) {
      return null;
    }
    boolean queryFirst = of(distance.left(), join.left()) && of(distance.right(), join.right());
    if (!queryFirst && !(of(distance.right(), join.left()) && of(distance.left(), join.right()))) {
      return null;
    }
    Expression query = queryFirst ? distance.left() : distance.right();
    Expression candidate = queryFirst ? distance.right() : distance.left();
    if (!query.deterministic() || !candidate.deterministic()) {
      return null;
    }
    Attribute id = TopKStrategy.id(Scala.list(join.right().output()));
    boolean usable = id != null && Ids.usable(id.dataType());
    return new KnnJoin(
        join.left(),
        join.right(),
        new KnnJoin.Ask(distance.function(), queryFirst, join.numResults(), outer),
        query,
        candidate,
        Scala.seq(usable ? List.of(id) : List.of()));
  }

  private static boolean of(Expression expression, LogicalPlan side) {
    return expression.references().subsetOf(side.outputSet());
  }
}
