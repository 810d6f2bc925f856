/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
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
import org.apache.calcite.rex.RexNode;

/**
 * The calling convention of what runs inside one SQLite file, with the rules that push work there.
 *
 * <p>The rules are Calcite's own for JDBC, each guarded by {@link PushDown}. Set operations and
 * VALUES are left out: SQLite has no parentheses around the members of a UNION.
 */
public final class SqliteConvention extends JdbcConvention {
  private static final AtomicLong OTHERS = new AtomicLong();

  /** Rules that the layers above add to every planner that meets a table of ours. */
  private static final List<Consumer<RelOptPlanner>> MORE_RULES = new CopyOnWriteArrayList<>();

  private final SqliteSchema schema;

  /** A rule's name may hold few characters, a schema's any; and no two may share one. */
  private static String ruleName(String schema) {
    String plain = schema.replaceAll("[^A-Za-z0-9_]", "_");
    return plain.equals(schema) ? schema : plain + "-" + OTHERS.incrementAndGet();
  }

  SqliteConvention(SqliteSchema schema, String name) {
    super(SqliteDialect.INSTANCE, Expressions.constant(null), "SQLITE." + ruleName(name));
    this.schema = schema;
  }

  /** The schema whose tables are read. */
  public SqliteSchema schema() {
    return schema;
  }

  /** Adds rules to every planner that meets a table of ours from now on. */
  public static void addRules(Consumer<RelOptPlanner> rules) {
    MORE_RULES.add(rules);
  }

  @Override
  public void register(RelOptPlanner planner) {
    planner.addRule(SqliteToEnumerableConverter.rule(this));
    planner.addRule(
        config(Project.class, "SqliteProjectRule")
            .withRuleFactory(ProjectRule::new)
            .toRule(ProjectRule.class));
    planner.addRule(
        config(Filter.class, "SqliteFilterRule")
            .withRuleFactory(FilterRule::new)
            .toRule(FilterRule.class));
    planner.addRule(
        config(Join.class, "SqliteJoinRule").withRuleFactory(JoinRule::new).toRule(JoinRule.class));
    planner.addRule(
        config(Aggregate.class, "SqliteAggregateRule")
            .withRuleFactory(AggregateRule::new)
            .toRule(AggregateRule.class));
    planner.addRule(
        config(Sort.class, "SqliteSortRule").withRuleFactory(SortRule::new).toRule(SortRule.class));
    planner.addRule(CoreRules.FILTER_SET_OP_TRANSPOSE);
    planner.addRule(CoreRules.PROJECT_REMOVE);
    // They merge rows that SQLite sorted, by Java's order: another one for texts beyond the basic
    // plane, and no order at all for values of any type. Hash joins and sorts are right for both.
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
      Project project = (Project) rel;
      return PushDown.allowed(project.getProjects()) ? super.convert(rel) : null;
    }
  }

  private static final class FilterRule extends JdbcRules.JdbcFilterRule {
    private FilterRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      return PushDown.allowed(((Filter) rel).getCondition()) ? super.convert(rel) : null;
    }
  }

  private static final class JoinRule extends JdbcRules.JdbcJoinRule {
    private JoinRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      RexNode condition = ((Join) rel).getCondition();
      // A cross join stays in Calcite: SQLite would send the other side's row, which is often the
      // vector of a scalar subquery, again with every row.
      return !condition.isAlwaysTrue() && PushDown.allowed(condition) ? super.convert(rel) : null;
    }
  }

  private static final class AggregateRule extends JdbcRules.JdbcAggregateRule {
    private AggregateRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      return PushDown.allowed((Aggregate) rel) ? super.convert(rel) : null;
    }
  }

  private static final class SortRule extends JdbcRules.JdbcSortRule {
    private SortRule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      Sort sort = (Sort) rel;
      return allowed(sort.offset) && allowed(sort.fetch) ? super.convert(rel) : null;
    }

    private static boolean allowed(RexNode count) {
      return count == null || PushDown.allowed(count);
    }
  }
}
