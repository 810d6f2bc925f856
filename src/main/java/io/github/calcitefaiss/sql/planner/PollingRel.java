/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.Polling;
import io.github.calcitefaiss.run.RunContext;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.adapter.enumerable.EnumerableRelImplementor;
import org.apache.calcite.linq4j.function.Function;
import org.apache.calcite.linq4j.function.Predicate2;
import org.apache.calcite.linq4j.tree.BlockBuilder;
import org.apache.calcite.linq4j.tree.BlockStatement;
import org.apache.calcite.linq4j.tree.DeclarationStatement;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.linq4j.tree.ForStatement;
import org.apache.calcite.linq4j.tree.FunctionExpression;
import org.apache.calcite.linq4j.tree.Shuttle;
import org.apache.calcite.linq4j.tree.Statement;
import org.apache.calcite.linq4j.tree.WhileStatement;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.SingleRel;
import org.apache.calcite.rel.core.Correlate;
import org.apache.calcite.rel.core.Join;

/**
 * Passes its input's rows on and looks at the cancel flag before each.
 *
 * <p>Calcite's operators never look themselves. Whatever one computes, it must pull rows from a
 * leaf, multiply them in a join, run a loop of generated code or call a generated predicate: with
 * all four watched no operator runs on for long after a cancel.
 */
final class PollingRel extends SingleRel implements EnumerableRel {
  private final boolean root;

  private PollingRel(RelNode input, boolean root) {
    super(input.getCluster(), input.getTraitSet(), input);
    this.root = root;
  }

  /** Puts the look-outs into a physical plan. */
  static RelNode watch(RelNode plan) {
    return new PollingRel(watchInputs(plan), true);
  }

  private static RelNode watchInputs(RelNode node) {
    boolean leaf = true;
    List<RelNode> inputs = new ArrayList<>();
    for (RelNode input : node.getInputs()) {
      boolean physical = input instanceof EnumerableRel;
      leaf &= !physical;
      inputs.add(physical ? watchInputs(input) : input);
    }
    RelNode watched = Trees.over(node, inputs);
    return leaf && !(node instanceof Polling) || node instanceof Join || node instanceof Correlate
        ? new PollingRel(watched, false)
        : watched;
  }

  @Override
  public RelNode copy(RelTraitSet traitSet, List<RelNode> inputs) {
    return new PollingRel(sole(inputs), root);
  }

  @Override
  public Result implement(EnumerableRelImplementor implementor, Prefer pref) {
    Result result = implementor.visitChild(this, 0, (EnumerableRel) getInput(), pref);
    if (root) {
      return implementor.result(result.physType, result.block.accept(new LoopWatch()));
    }
    BlockBuilder block = new BlockBuilder();
    Expression rows = block.append("watched", result.block);
    block.add(Expressions.call(RunContext.class, "polling", rows, DataContext.ROOT));
    return implementor.result(result.physType, block.toBlock());
  }

  /** Adds a look at the flag to each loop and each predicate over two rows. */
  private static final class LoopWatch extends Shuttle {
    private static BlockStatement watched(Statement body) {
      return Expressions.block(
          Expressions.statement(Expressions.call(RunContext.class, "poll", DataContext.ROOT)),
          body);
    }

    @Override
    public Statement visit(WhileStatement loop, Expression condition, Statement body) {
      return Expressions.while_(condition, watched(body));
    }

    @Override
    public ForStatement visit(
        ForStatement loop,
        List<DeclarationStatement> declarations,
        Expression condition,
        Expression post,
        Statement body) {
      return Expressions.for_(declarations, condition, post, watched(body));
    }

    @Override
    @SuppressWarnings({"rawtypes", "unchecked"})
    public Expression visit(FunctionExpression function, BlockStatement body) {
      if (body == null) {
        return function;
      }
      boolean predicate = Predicate2.class.equals(function.getType());
      return Expressions.lambda(
          (Class<Function<?>>) function.getType(),
          predicate ? watched(body) : body,
          function.parameterList);
    }
  }
}
