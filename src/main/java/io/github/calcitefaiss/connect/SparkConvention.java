/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.calcite.adapter.enumerable.EnumerableRules;
import org.apache.calcite.adapter.jdbc.JdbcConvention;
import org.apache.calcite.adapter.jdbc.JdbcRules;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.plan.Convention;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.convert.ConverterRule;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.rules.CoreRules;

/** The calling convention of what runs on one cluster, with the rules that push work there. */
public final class SparkConvention extends JdbcConvention {
  private static final List<Consumer<RelOptPlanner>> MORE_RULES = new CopyOnWriteArrayList<>();

  private final SparkSchema schema;

  SparkConvention(SparkSchema schema) {
    super(
        SparkDialect.INSTANCE,
        Expressions.constant(null),
        "SPARK." + Integer.toHexString(System.identityHashCode(schema)));
    this.schema = schema;
  }

  /** The schema whose tables are read. */
  SparkSchema schema() {
    return schema;
  }

  /** Adds rules to every planner that meets a table of a cluster from now on. */
  public static void addRules(Consumer<RelOptPlanner> rules) {
    MORE_RULES.add(rules);
  }

  @Override
  public void register(RelOptPlanner planner) {
    planner.addRule(SparkToEnumerableConverter.rule(this));
    planner.addRule(
        config(Project.class, "SparkProjectRule")
            .withRuleFactory(ProjectRule::new)
            .toRule(ProjectRule.class));
    planner.addRule(
        config(Filter.class, "SparkFilterRule")
            .withRuleFactory(FilterRule::new)
            .toRule(FilterRule.class));
    planner.addRule(
        config(Join.class, "SparkJoinRule").withRuleFactory(JoinRule::new).toRule(JoinRule.class));
    planner.addRule(
        config(Aggregate.class, "SparkAggregateRule")
            .withRuleFactory(AggregateRule::new)
            .toRule(AggregateRule.class));
    planner.addRule(
        config(Sort.class, "SparkSortRule").withRuleFactory(SortRule::new).toRule(SortRule.class));
    planner.addRule(CoreRules.PROJECT_REMOVE);
    // They merge by Java's order of texts, which is not Spark's.
    planner.removeRule(EnumerableRules.ENUMERABLE_MERGE_JOIN_RULE);
    planner.removeRule(EnumerableRules.ENUMERABLE_MERGE_UNION_RULE);
    for (Consumer<RelOptPlanner> rules : MORE_RULES) {
      rules.accept(planner);
    }
  }

  private ConverterRule.Config config(Class<? extends RelNode> rel, String name) {
    return ConverterRule.Config.INSTANCE.withConversion(rel, Convention.NONE, this, name);
  }

  private static final class ProjectRule extends JdbcRules.JdbcProjectRule {
    private ProjectRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      return SparkPush.allowed(((Project) rel).getProjects()) ? super.convert(rel) : null;
    }
  }

  private static final class FilterRule extends JdbcRules.JdbcFilterRule {
    private FilterRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      return SparkPush.allowed(((Filter) rel).getCondition()) ? super.convert(rel) : null;
    }
  }

  private static final class JoinRule extends JdbcRules.JdbcJoinRule {
    private JoinRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      Join join = (Join) rel;
      boolean pairs = join.getCondition().isAlwaysTrue() && !hasOneRow(join.getRight());
      return !pairs && SparkPush.allowed(join.getCondition()) ? super.convert(rel) : null;
    }

    /** Whether a tree is a scalar subquery's, so that the join only adds its value. */
    private static boolean hasOneRow(RelNode rel) {
      Double most = rel.getCluster().getMetadataQuery().getMaxRowCount(rel);
      return most != null && most <= 1;
    }
  }

  private static final class AggregateRule extends JdbcRules.JdbcAggregateRule {
    private AggregateRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      return SparkPush.allowed((Aggregate) rel) ? super.convert(rel) : null;
    }
  }

  private static final class SortRule extends JdbcRules.JdbcSortRule {
    private SortRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      Sort sort = (Sort) rel;
      boolean counts =
          (sort.offset == null || SparkPush.allowed(sort.offset))
              && (sort.fetch == null || SparkPush.allowed(sort.fetch));
      return counts ? super.convert(rel) : null;
    }
  }
}
