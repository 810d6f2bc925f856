/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.sql.function.DistanceFunctions;
import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.sql.type.SqlTypeUtil;

/**
 * A call of a distance function inside an expression that grows or falls with it.
 *
 * @param call the call
 * @param rises whether the expression grows with it
 * @param slight whether the expression is so close to it (itself, its negative, one minus it) that
 *     values which differ by more than rounding stay different
 */
public record RankedBy(RexCall call, boolean rises, boolean slight) {
  /** The distance that an expression is made of, or null. */
  static RankedBy in(RexNode node) {
    if (!(node instanceof RexCall call)) {
      return null;
    }
    if (DistanceFunctions.metric(call.getOperator()) != null) {
      return new RankedBy(call, true, true);
    }
    List<RexNode> operands = call.getOperands();
    switch (call.getKind()) {
      case MINUS_PREFIX:
        return flip(in(operands.get(0)));
      case CAST:
        return SqlTypeUtil.isApproximateNumeric(call.getType())
                && call.getType().getSqlTypeName() != org.apache.calcite.sql.type.SqlTypeName.REAL
            ? in(operands.get(0))
            : null;
      case PLUS:
      case MINUS:
      case TIMES:
      case DIVIDE:
        break;
      default:
        return null;
    }
    if (operands.size() != 2) {
      return null;
    }
    BigDecimal left = number(operands.get(0));
    BigDecimal right = number(operands.get(1));
    BigDecimal number = left == null ? right : left;
    RankedBy inner = in(operands.get(left == null ? 0 : 1));
    if (inner == null || number == null) {
      return null;
    }
    boolean slight = inner.slight && number.abs().compareTo(BigDecimal.ONE) <= 0;
    switch (call.getKind()) {
      case PLUS:
        return new RankedBy(inner.call, inner.rises, slight);
      case MINUS:
        return new RankedBy(inner.call, inner.rises == (left == null), slight);
      case DIVIDE:
        if (left != null) {
          return null;
        }
        break;
      default:
        break;
    }
    return number.signum() == 0
        ? null
        : new RankedBy(inner.call, inner.rises == number.signum() > 0, false);
  }

  private static RankedBy flip(RankedBy distance) {
    return distance == null ? null : new RankedBy(distance.call, !distance.rises, distance.slight);
  }

  private static BigDecimal number(RexNode node) {
    if (node instanceof RexCall call && call.isA(org.apache.calcite.sql.SqlKind.CAST)) {
      return number(call.getOperands().get(0));
    }
    return node instanceof RexLiteral literal && SqlTypeUtil.isNumeric(literal.getType())
        ? literal.getValueAs(BigDecimal.class)
        : null;
  }

  Metric metric() {
    return DistanceFunctions.metric(call.getOperator());
  }

  /** All calls of distance functions in some expressions. */
  static Set<RexCall> all(List<RexNode> nodes) {
    Set<RexCall> calls = new LinkedHashSet<>();
    for (RexNode node : nodes) {
      node.accept(
          new RexVisitorImpl<Void>(true) {
            @Override
            public Void visitCall(RexCall call) {
              if (DistanceFunctions.metric(call.getOperator()) != null) {
                calls.add(call);
              }
              return super.visitCall(call);
            }
          });
    }
    return calls;
  }
}
