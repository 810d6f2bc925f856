/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.util.Set;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.type.SqlTypeName;

/** What a plan computes as SQLite does, once the types of its operands are known. */
final class SqliteOperations {
  /** What SQLite makes a text of otherwise: blobs, doubles, and values of any type. */
  private static final Set<SqlTypeName> OTHER_TEXTS =
      Set.of(
          SqlTypeName.ANY,
          SqlTypeName.DOUBLE,
          SqlTypeName.FLOAT,
          SqlTypeName.REAL,
          SqlTypeName.VARBINARY);

  private SqliteOperations() {}

  /**
   * Calls that the types of their operands make plainer: a cast of a number, which SQLite and
   * Calcite do alike; a condition that is one already; arithmetic of values of any type.
   */
  static RexNode typed(RexCall call, RexBuilder rex) {
    RexNode operand = call.getOperands().isEmpty() ? null : call.getOperands().get(0);
    SqlTypeName of = operand == null ? null : operand.getType().getSqlTypeName();
    SqlOperator operator = call.getOperator();
    if (operator == SqliteOperators.TRUTH) {
      return of == SqlTypeName.BOOLEAN ? operand : call;
    } else if (operator == SqliteOperators.TO_INTEGER) {
      return SqlTypeName.INT_TYPES.contains(of) ? rex.makeCast(call.getType(), operand) : call;
    } else if (operator == SqliteOperators.TO_REAL) {
      return SqlTypeName.INT_TYPES.contains(of) || of == SqlTypeName.DOUBLE
          ? rex.makeCast(call.getType(), operand)
          : call;
    }
    if (operator == SqlStdOperatorTable.CONCAT
        && call.getOperands().stream().anyMatch(each -> AnyValues.isAny(each.getType()))) {
      return rex.makeCall(call.getType(), SqliteOperators.CONCAT, call.getOperands());
    }
    if (call.getType().getSqlTypeName() != SqlTypeName.ANY) {
      return call;
    }
    switch (call.getKind()) {
      case PLUS:
        return rex.makeCall(call.getType(), SqliteOperators.PLUS, call.getOperands());
      case MINUS:
        return rex.makeCall(call.getType(), SqliteOperators.MINUS, call.getOperands());
      case TIMES:
        return rex.makeCall(call.getType(), SqliteOperators.TIMES, call.getOperands());
      case DIVIDE:
        return rex.makeCall(call.getType(), SqliteOperators.DIVIDE, call.getOperands());
      case MINUS_PREFIX:
        return rex.makeCall(call.getType(), SqliteOperators.NEGATIVE, call.getOperands());
      default:
        return call;
    }
  }

  /**
   * A node of a physical plan: a blob that is cast to text is its bytes as text, a double is
   * written as SQLite does; doubles are summed as there.
   */
  static RelNode rewrite(RelNode node) {
    RelNode copy =
        node instanceof Aggregate aggregate ? Trees.withCalls(aggregate, CompensatedSum::of) : node;
    RexBuilder rex = node.getCluster().getRexBuilder();
    return copy.accept(
        new RexShuttle() {
          @Override
          public RexNode visitCall(RexCall call) {
            RexCall visited = (RexCall) super.visitCall(call);
            boolean otherText =
                visited.getKind() == SqlKind.CAST
                    && visited.getType().getSqlTypeName() == SqlTypeName.VARCHAR
                    && OTHER_TEXTS.contains(
                        visited.getOperands().get(0).getType().getSqlTypeName());
            return otherText
                ? rex.makeCall(visited.getType(), SqliteOperators.TEXT_OF, visited.getOperands())
                : visited;
          }
        });
  }
}
