/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.adapter.enumerable.EnumerableCalc;
import org.apache.calcite.adapter.enumerable.EnumerableHashJoin;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexProgram;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.rex.RexWindow;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * What a plan computes itself of values whose type is known only when they come: comparisons, and
 * the least and greatest of them, by SQLite's order of values, which Calcite hasn't. {@link
 * TextOrder} sorts and groups them.
 */
final class AnyValues {
  private static final SqlAggFunction MIN = Extremum.aggregate("MIN", Extremum.function(false), 1);
  private static final SqlAggFunction MAX = Extremum.aggregate("MAX", Extremum.function(true), 1);

  /** Of more keys than these Calcite's generated code wants each to have a type. */
  private static final int MOST_KEYS_OF_ANY = 6;

  private AnyValues() {}

  /** A node of a physical plan that computes so. */
  static RelNode rewrite(RelNode node) {
    RexBuilder rex = node.getCluster().getRexBuilder();
    if (node instanceof Aggregate aggregate) {
      return Trees.withCalls(aggregate, AnyValues::ofAny);
    } else if (node instanceof EnumerableCalc calc) {
      return calc(calc, rex);
    }
    boolean hashed =
        node instanceof EnumerableHashJoin join
            && join.analyzeCondition().leftKeys.size() <= MOST_KEYS_OF_ANY;
    return node.accept(new Comparisons(rex, hashed));
  }

  private static RelNode calc(EnumerableCalc calc, RexBuilder rex) {
    Trees.Expressions all = Trees.Expressions.of(calc);
    Comparisons comparisons = new Comparisons(rex, false);
    List<RexNode> projects = comparisons.visitList(all.projects());
    RexNode condition = all.condition() == null ? null : all.condition().accept(comparisons);
    Trees.Expressions compared = new Trees.Expressions(projects, condition);
    return compared.equals(all)
        ? calc
        : calc.copy(
            calc.getTraitSet(),
            calc.getInput(),
            RexProgram.create(
                calc.getInput().getRowType(), projects, condition, calc.getRowType(), rex));
  }

  private static AggregateCall ofAny(AggregateCall call) {
    SqlKind kind = call.getAggregation().getKind();
    SqlAggFunction function =
        isAny(call.getType()) && call.getArgList().size() == 1 ? of(kind) : null;
    boolean extremum = kind == SqlKind.MIN || kind == SqlKind.MAX;
    return function == null ? call : with(call, function, call.isDistinct() && !extremum);
  }

  /** What computes an aggregate of values of any type; null if Calcite's own does. */
  static SqlAggFunction of(SqlKind kind) {
    switch (kind) {
      case MIN:
        return MIN;
      case MAX:
        return MAX;
      case SUM:
        return AnySum.SUM;
      case SUM0:
        return AnySum.SUM0;
      case AVG:
        return AnySum.AVG;
      default:
        return null;
    }
  }

  /** The call of another function. */
  static AggregateCall with(AggregateCall call, SqlAggFunction function, boolean distinct) {
    return AggregateCall.create(
        call.getParserPosition(),
        function,
        distinct,
        false,
        false,
        List.of(),
        call.getArgList(),
        call.filterArg,
        null,
        call.getCollation(),
        call.getType(),
        call.getName());
  }

  /** A window's call of another function, of other operands. */
  static RexNode over(
      RexBuilder rex, RexOver over, SqlAggFunction function, List<RexNode> operands) {
    RexWindow window = over.getWindow();
    return rex.makeOver(
        over.getType(),
        function,
        operands,
        window.partitionKeys,
        window.orderKeys,
        window.getLowerBound(),
        window.getUpperBound(),
        window.getExclude(),
        window.isRows(),
        true,
        false,
        over.isDistinct(),
        over.ignoreNulls());
  }

  /** Whether only the values of a type say what they are. */
  static boolean isAny(RelDataType type) {
    return type.getSqlTypeName() == SqlTypeName.ANY;
  }

  private static final class Comparisons extends RexShuttle {
    private final RexBuilder rex;
    private final boolean hashed;

    private Comparisons(RexBuilder rex, boolean hashed) {
      this.rex = rex;
      this.hashed = hashed;
    }

    @Override
    public RexNode visitCall(RexCall call) {
      if (call.getKind() == SqlKind.SEARCH && isAny(call.operands.get(0).getType())) {
        return RexUtil.expandSearch(rex, null, call).accept(this);
      }
      RexNode visited = super.visitCall(call);
      if (visited instanceof RexCall cast
          && cast.getKind() == SqlKind.CAST
          && isAny(cast.getType())
          && !isAny(cast.operands.get(0).getType())) {
        // Calcite's own casts a negative number so that Java doesn't read it.
        return rex.makeCall(cast.getType(), SqliteOperators.AS_IT_COMES, cast.operands);
      }
      if (visited instanceof RexCall chosen
          && chosen.getKind() == SqlKind.CASE
          && isAny(chosen.getType())) {
        return ofAny(chosen);
      }
      if (!(visited instanceof RexCall compared)
          || !ValueComparison.isOne(compared.getKind())
          || compared.operands.stream().noneMatch(each -> isAny(each.getType()))
          || hashed && isKey(compared)) {
        return visited;
      }
      return rex.makeCall(
          compared.getType(), ValueComparison.of(compared.getKind()), compared.operands);
    }

    /** A CASE whose constants are of any type, too. */
    private RexNode ofAny(RexCall chosen) {
      List<RexNode> operands = new ArrayList<>(chosen.operands);
      for (int i = 0; i < operands.size(); i++) {
        RexNode branch = operands.get(i);
        boolean condition = i % 2 == 0 && i < operands.size() - 1;
        if (!condition && branch instanceof RexLiteral literal && !literal.isNull()) {
          operands.set(
              i, rex.makeCall(chosen.getType(), SqliteOperators.AS_IT_COMES, List.of(branch)));
        }
      }
      return rex.makeCall(chosen.getType(), chosen.getOperator(), operands);
    }

    private static boolean isKey(RexCall call) {
      boolean equality =
          call.getKind() == SqlKind.EQUALS || call.getKind() == SqlKind.IS_NOT_DISTINCT_FROM;
      return equality && call.operands.stream().allMatch(RexInputRef.class::isInstance);
    }
  }
}
