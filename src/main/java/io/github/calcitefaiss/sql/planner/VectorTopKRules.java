/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sqlite.SqliteConvention;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.plan.RelOptRule;
import org.apache.calcite.plan.RelOptRuleCall;
import org.apache.calcite.plan.RelRule;
import org.apache.calcite.plan.volcano.RelSubset;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.logical.LogicalCorrelate;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalJoin;
import org.apache.calcite.rel.logical.LogicalSort;
import org.apache.calcite.rel.rules.SubstitutionRule;
import org.apache.calcite.tools.RelBuilderFactory;

/**
 * The rules that bring a {@link VectorTopK} into a plan, in every planner that meets a table of
 * ours.
 *
 * <p>A rule looks at the whole tree below its node as the statement had it, not at one pattern of
 * operators, so that it doesn't depend on what other rules made of the tree. It goes before them,
 * and what it replaces is not planned any further.
 */
public final class VectorTopKRules {
  /**
   * System property: {@code off} plans without the index, as if there were no such rules. For
   * comparing the two.
   */
  public static final String PROPERTY = "calcitefaiss.rules";

  private static boolean added;

  private VectorTopKRules() {}

  /** Makes the rules known, once. */
  public static synchronized void register() {
    if (!added) {
      added = true;
      SqliteConvention.addRules(VectorTopKRules::addTo);
      if (!off()) {
        ClusterTopK.register();
      }
    }
  }

  static boolean off() {
    return "off".equalsIgnoreCase(System.getProperty(PROPERTY));
  }

  /** Adds the rules to a planner that meets a table that can be searched. */
  static void addTo(RelOptPlanner planner) {
    if (off()) {
      return;
    }
    planner.addRule(VectorTopK.rule());
    // Vectors of a file may be compared with a table on a cluster that nothing else reads.
    planner.addRule(ClusterTopK.rule());
    planner.addRule(
        rule("VectorTopKRule:Sort", LogicalSort.class, rel -> VectorRewrite.sort((Sort) rel)));
    planner.addRule(
        rule(
            "VectorTopKRule:Filter",
            LogicalFilter.class,
            rel -> VectorRewrite.filter((Filter) rel)));
    planner.addRule(
        rule(
            "VectorTopKRule:Join",
            LogicalJoin.class,
            rel -> VectorRewrite.join((LogicalJoin) rel)));
    planner.addRule(
        rule(
            "VectorTopKRule:Correlate",
            LogicalCorrelate.class,
            rel -> NeighborsRewrite.correlate((LogicalCorrelate) rel)));
  }

  private static RelOptRule rule(
      String name, Class<? extends RelNode> rel, Function<RelNode, RelNode> rewrite) {
    return new Form(name, b -> b.operand(rel).anyInputs(), rewrite).toRule();
  }

  private record Form(
      String description,
      RelRule.OperandTransform operandSupplier,
      Function<RelNode, RelNode> rewrite)
      implements RelRule.Config {
    @Override
    public RelOptRule toRule() {
      return new Rule(this);
    }

    @Override
    public RelRule.Config withDescription(String changed) {
      return new Form(changed, operandSupplier, rewrite);
    }

    @Override
    public RelRule.Config withOperandSupplier(RelRule.OperandTransform changed) {
      return new Form(description, changed, rewrite);
    }

    @Override
    public RelRule.Config withRelBuilderFactory(RelBuilderFactory factory) {
      return this;
    }
  }

  private static final class Rule extends RelRule<Form> implements SubstitutionRule {
    private Rule(Form config) {
      super(config);
    }

    @Override
    public boolean autoPruneOld() {
      return true;
    }

    @Override
    public void onMatch(RelOptRuleCall call) {
      RelNode tree = original(call.rel(0), new ArrayList<>());
      RelNode changed = tree == null ? null : config.rewrite().apply(tree);
      if (changed != null) {
        call.transformTo(changed);
      }
    }
  }

  /** The tree as it was given to the planner; null if it runs in a circle. */
  private static RelNode original(RelNode rel, List<RelSubset> path) {
    RelNode node = rel;
    if (rel instanceof RelSubset subset) {
      if (path.contains(subset)) {
        return null;
      }
      node = subset.getOriginal();
    }
    if (node == null) {
      return null;
    }
    List<RelSubset> below = path;
    if (rel instanceof RelSubset subset) {
      below = new ArrayList<>(path);
      below.add(subset);
    }
    List<RelNode> inputs = new ArrayList<>();
    for (RelNode input : node.getInputs()) {
      RelNode stripped = original(input, below);
      if (stripped == null) {
        return null;
      }
      inputs.add(stripped);
    }
    return Trees.over(node, inputs);
  }
}
