/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.EmbedAhead;
import io.github.calcitefaiss.sql.function.EmbedFunctions;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.EnumerableCalc;
import org.apache.calcite.adapter.enumerable.EnumerableLimit;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.adapter.enumerable.EnumerableRelImplementor;
import org.apache.calcite.adapter.enumerable.JavaRowFormat;
import org.apache.calcite.adapter.enumerable.PhysType;
import org.apache.calcite.adapter.enumerable.PhysTypeImpl;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.tree.BlockBuilder;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.linq4j.tree.Types;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.SingleRel;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexDynamicParam;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexProgram;
import org.apache.calcite.rex.RexProgramBuilder;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.sql.SqlKind;

/**
 * Passes its input's rows on, some at a time, when the texts in them that the node above embeds are
 * embedded together.
 *
 * <p>It is put below each {@code Calc} that embeds anything but constants, over another one that
 * computes the texts. Conditions that embed nothing are looked at before.
 */
final class EmbedAheadRel extends SingleRel implements EnumerableRel {
  private static final Method ROWS =
      Types.lookupMethod(
          EmbedAhead.class,
          "rows",
          DataContext.class,
          Enumerable.class,
          int[].class,
          int[].class,
          int.class);

  private final List<Integer> texts;
  private final List<Integer> models;
  private final int most;

  private EmbedAheadRel(RelNode input, List<Integer> texts, List<Integer> models, int most) {
    super(input.getCluster(), input.getTraitSet(), input);
    this.texts = texts;
    this.models = models;
    this.most = most;
  }

  /** Puts such nodes into a physical plan. */
  static RelNode rewrite(RelNode plan) {
    return rewrite(plan, Integer.MAX_VALUE);
  }

  private static RelNode rewrite(RelNode node, int most) {
    int wanted = Integer.MAX_VALUE;
    if (node instanceof EnumerableLimit limit) {
      wanted = Math.min(most, (int) Math.min(Integer.MAX_VALUE, rows(limit)));
    } else if (node instanceof EnumerableCalc calc && calc.getProgram().getCondition() == null) {
      wanted = most;
    }
    List<RelNode> inputs = new ArrayList<>();
    for (RelNode input : node.getInputs()) {
      inputs.add(input instanceof EnumerableRel ? rewrite(input, wanted) : input);
    }
    RelNode rewritten = Trees.over(node, inputs);
    return rewritten instanceof EnumerableCalc calc ? ahead(calc, wanted) : rewritten;
  }

  private static long rows(EnumerableLimit limit) {
    return limit.fetch instanceof RexLiteral fetch
            && (limit.offset == null || limit.offset instanceof RexLiteral)
        ? RexLiteral.intValue(fetch)
            + (limit.offset == null ? 0L : RexLiteral.intValue(limit.offset))
        : Long.MAX_VALUE;
  }

  private static RelNode ahead(EnumerableCalc calc, int most) {
    RexProgram program = calc.getProgram();
    List<RexNode> before = new ArrayList<>();
    List<RexNode> after = new ArrayList<>();
    Set<RexCall> calls = new LinkedHashSet<>();
    if (program.getCondition() != null) {
      for (RexNode term : RelOptUtil.conjunctions(program.expandLocalRef(program.getCondition()))) {
        Set<RexCall> ofTerm = new LinkedHashSet<>();
        calls(term, ofTerm);
        calls.addAll(ofTerm);
        (ofTerm.isEmpty() ? before : after).add(term);
      }
    }
    if (after.isEmpty()) {
      // Where a condition embeds, who knows which rows are left for the fields?
      program.getProjectList().forEach(field -> calls(program.expandLocalRef(field), calls));
    }
    if (calls.isEmpty()) {
      return calc;
    }
    RelNode input = calc.getInput();
    RelDataType row = input.getRowType();
    RexBuilder rex = calc.getCluster().getRexBuilder();
    RexProgramBuilder below = new RexProgramBuilder(row, rex);
    row.getFieldList().forEach(field -> below.addProject(field.getIndex(), "f" + field.getIndex()));
    before.forEach(below::addCondition);
    List<Integer> texts = new ArrayList<>();
    List<Integer> models = new ArrayList<>();
    int next = row.getFieldCount();
    for (RexCall call : calls) {
      List<RexNode> operands = call.getOperands();
      models.add(operands.size() == 1 ? -1 : next);
      for (int i = 0; i < operands.size(); i++) {
        below.addProject(operands.get(i), "e" + next++);
      }
      texts.add(next - 1);
    }
    RelNode texted = EnumerableCalc.create(input, below.getProgram());
    EmbedAheadRel ahead = new EmbedAheadRel(texted, texts, models, most);
    RexProgramBuilder above = new RexProgramBuilder(ahead.getRowType(), rex);
    for (int i = 0; i < program.getProjectList().size(); i++) {
      above.addProject(
          program.expandLocalRef(program.getProjectList().get(i)),
          program.getOutputRowType().getFieldNames().get(i));
    }
    after.forEach(above::addCondition);
    return EnumerableCalc.create(ahead, above.getProgram());
  }

  /** The calls that embed what differs from row to row. */
  private static void calls(RexNode node, Set<RexCall> calls) {
    node.accept(
        new RexVisitorImpl<Void>(true) {
          @Override
          public Void visitCall(RexCall call) {
            if (call.getKind() == SqlKind.CASE) {
              // Which of its texts are asked for isn't known yet.
              return null;
            }
            if (Constant.isOurs(call.getOperator())
                && EmbedFunctions.embeds(call.getOperator().getName().toLowerCase(Locale.ROOT))
                && !RelOptUtil.InputFinder.bits(call).isEmpty()
                && !call.getOperands().stream().allMatch(EmbedAheadRel::isConstant)) {
              calls.add(call);
            }
            return super.visitCall(call);
          }
        });
  }

  private static boolean isConstant(RexNode node) {
    return node instanceof RexLiteral || node instanceof RexDynamicParam;
  }

  @Override
  public RelNode copy(RelTraitSet traitSet, List<RelNode> inputs) {
    return new EmbedAheadRel(sole(inputs), texts, models, most);
  }

  @Override
  public Result implement(EnumerableRelImplementor implementor, Prefer pref) {
    Result result = implementor.visitChild(this, 0, (EnumerableRel) getInput(), Prefer.ARRAY);
    BlockBuilder block = new BlockBuilder();
    Expression rows =
        result.physType.convertTo(block.append("texted", result.block), JavaRowFormat.ARRAY);
    PhysType type =
        PhysTypeImpl.of(implementor.getTypeFactory(), getRowType(), JavaRowFormat.ARRAY);
    block.add(
        Expressions.call(
            ROWS,
            DataContext.ROOT,
            rows,
            numbers(texts),
            numbers(models),
            Expressions.constant(most)));
    return implementor.result(type, block.toBlock());
  }

  private static Expression numbers(List<Integer> list) {
    return Expressions.newArrayInit(
        int.class, list.stream().map(n -> (Expression) Expressions.constant(n)).toList());
  }
}
