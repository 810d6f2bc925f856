/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sql.function.SqliteOperators;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.Window;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/**
 * Whether what a plan computes itself, above what it sends to SQLite as SQL, gives the values that
 * SQLite would give.
 *
 * <p>A list of what is known to be the same, so that whatever is new or doubtful isn't.
 */
final class Faithful {
  private boolean faithful = true;

  private Faithful() {}

  /** Looks at all of a physical plan's nodes but those that SQLite runs. */
  static boolean is(RelNode plan) {
    Faithful looking = new Faithful();
    looking.visit(plan);
    return looking.faithful;
  }

  private void visit(RelNode node) {
    if (!(node instanceof EnumerableRel)) {
      return;
    }
    node.accept(
        new RexShuttle() {
          @Override
          public RexNode visitCall(RexCall call) {
            faithful &= isSame(call);
            return super.visitCall(call);
          }
        });
    if (node instanceof Aggregate aggregate) {
      for (AggregateCall call : aggregate.getAggCallList()) {
        faithful &= isSame(call.getAggregation());
      }
    } else if (node instanceof Window window) {
      for (Window.Group group : window.groups) {
        for (Window.RexWinAggCall call : group.aggCalls) {
          faithful &= isSame((SqlAggFunction) call.getOperator());
        }
      }
    }
    node.getInputs().forEach(this::visit);
  }

  private static boolean isSame(SqlAggFunction function) {
    switch (function.getKind()) {
      case AVG:
      case COUNT:
      case DENSE_RANK:
      case MAX:
      case MIN:
      case RANK:
      case ROW_NUMBER:
      case SINGLE_VALUE:
      case SUM:
      case SUM0:
      case LITERAL_AGG:
        return true;
      default:
        String name = function.getName().toLowerCase(java.util.Locale.ROOT);
        return name.equals("sum") || name.startsWith("faiss_");
    }
  }

  private static boolean isSame(RexCall call) {
    switch (call.getKind()) {
      case AND:
      case OR:
      case NOT:
      case IS_NULL:
      case IS_NOT_NULL:
      case IS_TRUE:
      case IS_FALSE:
      case IS_NOT_TRUE:
      case IS_NOT_FALSE:
      case SEARCH:
      case ROW:
        return true;
      case EQUALS:
      case NOT_EQUALS:
      case IS_DISTINCT_FROM:
      case IS_NOT_DISTINCT_FROM:
        return isComparable(call, true);
      case LESS_THAN:
      case LESS_THAN_OR_EQUAL:
      case GREATER_THAN:
      case GREATER_THAN_OR_EQUAL:
        return isComparable(call, false);
      case PLUS:
      case MINUS:
      case TIMES:
      case MINUS_PREFIX:
        return isNumber(call.getType());
      case DIVIDE:
        return call.getType().getSqlTypeName() == SqlTypeName.DOUBLE
            && call.getOperands().get(1) instanceof RexLiteral divisor
            && SqlTypeUtil.isNumeric(divisor.getType())
            && !divisor.isNull()
            && divisor.getValueAs(java.math.BigDecimal.class).signum() != 0;
      case COALESCE:
      case CASE:
        return isOneKind(call);
      case CAST:
        return isSameCast(call.getOperands().get(0), call.getType());
      default:
        return call.getOperator() instanceof SqlUserDefinedFunction ours
            && (ours.getFunction() instanceof Signature.Own || SqliteOperators.isOne(ours));
    }
  }

  private static boolean isNumber(RelDataType type) {
    return type.getSqlTypeName() == SqlTypeName.BIGINT
        || type.getSqlTypeName() == SqlTypeName.DOUBLE;
  }

  private static boolean isAny(RelDataType type) {
    return type.getSqlTypeName() == SqlTypeName.ANY || type.getSqlTypeName() == SqlTypeName.NULL;
  }

  private static boolean isComparable(RexCall call, boolean equality) {
    RelDataType a = call.getOperands().get(0).getType();
    RelDataType b = call.getOperands().get(1).getType();
    if (isAny(a) || isAny(b)) {
      return equality;
    }
    return SqlTypeUtil.isNumeric(a) && SqlTypeUtil.isNumeric(b) || a.getFamily() == b.getFamily();
  }

  private static boolean isOneKind(RexCall call) {
    for (RexNode operand : call.getOperands()) {
      RelDataType type = operand.getType();
      boolean condition = call.getKind() == SqlKind.CASE && SqlTypeUtil.isBoolean(type);
      if (!condition
          && !isAny(type)
          && type.getSqlTypeName() != call.getType().getSqlTypeName()
          && type.getFamily() != call.getType().getFamily()) {
        return false;
      }
    }
    return true;
  }

  private static boolean isSameCast(RexNode operand, RelDataType to) {
    RelDataType from = operand.getType();
    if (isAny(to) || isAny(from) && operand instanceof RexLiteral) {
      return true;
    }
    if (SqlTypeUtil.isCharacter(from) && SqlTypeUtil.isCharacter(to)) {
      return to.getSqlTypeName() == SqlTypeName.VARCHAR;
    }
    boolean whole = SqlTypeName.INT_TYPES.contains(from.getSqlTypeName());
    return to.getSqlTypeName() == from.getSqlTypeName()
        || whole && isNumber(to)
        || from.getSqlTypeName() == SqlTypeName.BIGINT
            && to.getSqlTypeName() == SqlTypeName.INTEGER;
  }
}
