/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexSubQuery;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.util.ImmutableBitSet;
import org.apache.calcite.util.Util;

/**
 * A pile of projections and filters as one: expressions and conditions over what lies below.
 *
 * @param base what lies below: a scan, a join, a union …
 * @param exprs the columns, over the base's
 * @param conditions what must be true of a row, over the base's columns
 */
record Pile(RelNode base, List<RexNode> exprs, List<RexNode> conditions) {
  static Pile of(RelNode rel) {
    if (rel instanceof Project project && isPlain(project.getProjects())) {
      Pile below = of(project.getInput());
      return new Pile(below.base, below.over(project.getProjects()), below.conditions);
    } else if (rel instanceof Filter filter && isPlain(filter.getCondition())) {
      Pile below = of(filter.getInput());
      return below.and(below.over(RelOptUtil.conjunctions(filter.getCondition())));
    }
    List<RexNode> refs = new ArrayList<>();
    for (int i = 0; i < rel.getRowType().getFieldCount(); i++) {
      refs.add(RexInputRef.of(i, rel.getRowType()));
    }
    return new Pile(rel, refs, List.of());
  }

  private static boolean isPlain(List<RexNode> nodes) {
    return nodes.stream().allMatch(Pile::isPlain);
  }

  /** Whether an expression is about its row alone: no subquery, no window. */
  static boolean isPlain(RexNode node) {
    boolean[] odd = {false};
    node.accept(
        new RexVisitorImpl<Void>(true) {
          @Override
          public Void visitSubQuery(RexSubQuery subQuery) {
            odd[0] = true;
            return null;
          }
        });
    return !odd[0] && !RexOver.containsOver(node) && RexUtil.isDeterministic(node);
  }

  /** This with more conditions, over the base's columns. */
  Pile and(List<RexNode> more) {
    List<RexNode> all = new ArrayList<>(conditions);
    all.addAll(more);
    return new Pile(base, exprs, all);
  }

  /** This as a tree. */
  RelNode toRel() {
    RelNode rel = base;
    if (!conditions.isEmpty()) {
      rel =
          LogicalFilter.create(
              rel, RexUtil.composeConjunction(rel.getCluster().getRexBuilder(), conditions));
    }
    return LogicalProject.create(rel, List.of(), exprs, (List<String>) null, Set.of());
  }

  /** Expressions over this as expressions over the base. */
  List<RexNode> over(List<? extends RexNode> nodes) {
    return Util.transform(List.copyOf(nodes), node -> replace(node, exprs));
  }

  /** An expression with another one in the place of each column. */
  static RexNode replace(RexNode node, List<RexNode> exprs) {
    return node.accept(
        new RexShuttle() {
          @Override
          public RexNode visitInputRef(RexInputRef ref) {
            return exprs.get(ref.getIndex());
          }
        });
  }

  static ImmutableBitSet columns(RexNode node) {
    return RelOptUtil.InputFinder.bits(node);
  }
}
