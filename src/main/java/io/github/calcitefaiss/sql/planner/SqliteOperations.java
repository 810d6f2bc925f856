/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.fun.SqlLikeOperator;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;

/**
 * LIKE, division and casts of blobs in what a plan computes itself become SQLite's: LIKE disregards
 * the case of ASCII letters, and what is divided by 0 is NULL.
 */
final class SqliteOperations {
  private SqliteOperations() {}

  static RelNode bySqlite(RelNode node) {
    if (!(node instanceof EnumerableRel)) {
      return node;
    }
    List<RelNode> inputs = new ArrayList<>();
    node.getInputs().forEach(input -> inputs.add(bySqlite(input)));
    RelNode copy = inputs.equals(node.getInputs()) ? node : node.copy(node.getTraitSet(), inputs);
    RexBuilder rex = node.getCluster().getRexBuilder();
    return copy.accept(
        new RexShuttle() {
          @Override
          public RexNode visitCall(RexCall call) {
            RexCall visited = (RexCall) super.visitCall(call);
            SqlOperator operator = visited.getOperator();
            switch (visited.getKind()) {
              case DIVIDE:
              case MOD:
                return isNumber(visited.getType()) && !isSafe(visited)
                    ? rex.makeCall(
                        visited.getType(),
                        visited.getKind() == SqlKind.MOD
                            ? SqliteOperators.MOD
                            : SqliteOperators.DIVIDE,
                        visited.getOperands())
                    : visited;
              case CAST:
                boolean textOfBlob =
                    visited.getType().getSqlTypeName() == SqlTypeName.VARCHAR
                        && visited.getOperands().get(0).getType().getSqlTypeName()
                            == SqlTypeName.VARBINARY;
                return textOfBlob
                    ? rex.makeCall(
                        visited.getType(), SqliteOperators.TEXT_OF, visited.getOperands())
                    : visited;
              case LIKE:
                break;
              default:
                return visited;
            }
            if (!(operator instanceof SqlLikeOperator like)) {
              return visited;
            }
            List<RexNode> operands = new ArrayList<>(visited.getOperands());
            operands.add(0, operands.remove(1));
            RexNode found = rex.makeCall(SqliteOperators.LIKE, operands);
            return like.isNegated() ? rex.makeCall(SqlStdOperatorTable.NOT, found) : found;
          }
        });
  }

  private static boolean isNumber(RelDataType type) {
    return type.getSqlTypeName() == SqlTypeName.BIGINT
        || type.getSqlTypeName() == SqlTypeName.DOUBLE;
  }

  /** Whether Java computes the same: whole numbers or a quotient, by a number that isn't 0. */
  private static boolean isSafe(RexCall call) {
    boolean divides =
        call.getOperands().get(1) instanceof RexLiteral divisor
            && !divisor.isNull()
            && SqlTypeUtil.isNumeric(divisor.getType())
            && divisor.getValueAs(BigDecimal.class).signum() != 0;
    return divides
        && (call.getKind() == SqlKind.DIVIDE
            || call.getOperands().stream()
                .allMatch(each -> SqlTypeName.INT_TYPES.contains(each.getType().getSqlTypeName())));
  }
}
