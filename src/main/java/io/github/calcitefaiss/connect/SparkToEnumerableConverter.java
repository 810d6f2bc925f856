/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.run.Polling;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.EnumerableConvention;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.adapter.enumerable.EnumerableRelImplementor;
import org.apache.calcite.adapter.enumerable.JavaRowFormat;
import org.apache.calcite.adapter.enumerable.PhysType;
import org.apache.calcite.adapter.enumerable.PhysTypeImpl;
import org.apache.calcite.linq4j.tree.BlockBuilder;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.plan.ConventionTraitDef;
import org.apache.calcite.plan.RelOptCluster;
import org.apache.calcite.plan.RelOptCost;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.convert.ConverterImpl;
import org.apache.calcite.rel.convert.ConverterRule;
import org.apache.calcite.rel.metadata.RelMetadataQuery;

/** Brings the rows of a statement that runs on a cluster into Calcite. */
final class SparkToEnumerableConverter extends ConverterImpl implements EnumerableRel, Polling {
  private SparkToEnumerableConverter(RelOptCluster cluster, RelTraitSet traits, RelNode input) {
    super(cluster, ConventionTraitDef.INSTANCE, traits, input);
  }

  static ConverterRule rule(SparkConvention convention) {
    return ConverterRule.Config.INSTANCE
        .withConversion(
            RelNode.class, convention, EnumerableConvention.INSTANCE, "SparkToEnumerableRule")
        .withRuleFactory(Rule::new)
        .toRule(Rule.class);
  }

  private static final class Rule extends ConverterRule {
    private Rule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      return new SparkToEnumerableConverter(
          rel.getCluster(), rel.getTraitSet().replace(getOutTrait()), rel);
    }
  }

  @Override
  public RelNode copy(RelTraitSet traitSet, List<RelNode> inputs) {
    return new SparkToEnumerableConverter(getCluster(), traitSet, sole(inputs));
  }

  @Override
  public RelOptCost computeSelfCost(RelOptPlanner planner, RelMetadataQuery mq) {
    RelOptCost cost = super.computeSelfCost(planner, mq);
    return cost == null ? null : cost.multiplyBy(.1);
  }

  @Override
  public Result implement(EnumerableRelImplementor implementor, Prefer pref) {
    PhysType type =
        PhysTypeImpl.of(implementor.getTypeFactory(), getRowType(), JavaRowFormat.ARRAY);
    SparkConvention convention = (SparkConvention) getInput().getConvention();
    SparkQuery query = SparkQuery.of(convention.schema(), getInput());
    BlockBuilder block = new BlockBuilder(false);
    Expression stashed = implementor.stash(query, SparkQuery.class);
    Expression rows = Expressions.call(stashed, "rows", DataContext.ROOT);
    block.add(Expressions.return_(null, rows));
    return implementor.result(type, block.toBlock());
  }
}
