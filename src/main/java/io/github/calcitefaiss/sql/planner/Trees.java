/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.calcite.adapter.enumerable.EnumerableCalc;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexProgram;

/** What the rewriting of plans has in common. */
final class Trees {
  private Trees() {}

  /** A node over other inputs; itself, if they are the same. */
  static RelNode over(RelNode node, List<RelNode> inputs) {
    return inputs.equals(node.getInputs()) ? node : node.copy(node.getTraitSet(), inputs);
  }

  /** A node over what its inputs are rewritten to. */
  static RelNode overInputs(RelNode node, UnaryOperator<RelNode> rewrite) {
    List<RelNode> inputs = new ArrayList<>();
    node.getInputs().forEach(input -> inputs.add(rewrite.apply(input)));
    return over(node, inputs);
  }

  /** A physical plan, each of whose nodes that Calcite runs is rewritten, inputs first. */
  static RelNode physical(RelNode plan, UnaryOperator<RelNode> rewrite) {
    return plan instanceof EnumerableRel
        ? rewrite.apply(overInputs(plan, input -> physical(input, rewrite)))
        : plan;
  }

  /** An aggregate with other calls; itself, if they are the same. */
  static Aggregate withCalls(Aggregate aggregate, UnaryOperator<AggregateCall> change) {
    List<AggregateCall> calls = aggregate.getAggCallList().stream().map(change).toList();
    return calls.equals(aggregate.getAggCallList())
        ? aggregate
        : aggregate.copy(
            aggregate.getTraitSet(),
            aggregate.getInput(),
            aggregate.getGroupSet(),
            aggregate.getGroupSets(),
            calls);
  }

  /** Expressions over a physical node, without their common parts taken out. */
  record Expressions(List<RexNode> projects, RexNode condition) {
    static Expressions of(EnumerableCalc calc) {
      RexProgram program = calc.getProgram();
      return new Expressions(
          program.expandList(program.getProjectList()),
          program.getCondition() == null ? null : program.expandLocalRef(program.getCondition()));
    }

    /**
     * They as a node.
     *
     * @param names of its columns; null for some
     */
    RelNode over(RelNode input, List<String> names) {
      return EnumerableCalc.create(
          input,
          RexProgram.create(
              input.getRowType(), projects, condition, names, input.getCluster().getRexBuilder()));
    }
  }
}
