/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexDynamicParam;
import org.apache.calcite.rex.RexFieldAccess;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;

/**
 * Which expressions mean the same in SQLite as in Calcite, and may run there.
 *
 * <p>A list of what is known to be the same, so that whatever is new or doubtful (LIKE, which
 * ignores case in SQLite; dates; string functions; our own functions) stays in Calcite.
 */
public final class PushDown {
  private static final String COLLATE = "? collate ";

  /** The names of what an affinity makes of a value; in SQL for SQLite, it is the value. */
  public static final String AS_NUMBER = "AS_NUMBER";

  public static final String AS_TEXT = "AS_TEXT";

  public static final String AS_IT_IS = "AS_IT_IS";

  private static final String TRUTH = "not not ?";

  private PushDown() {}

  static boolean allowed(Iterable<? extends RexNode> nodes) {
    for (RexNode node : nodes) {
      if (!allowed(node)) {
        return false;
      }
    }
    return true;
  }

  /** Whether SQLite may evaluate an expression over a table's columns. */
  public static boolean allowed(RexNode node) {
    if (node instanceof RexInputRef) {
      return true;
    } else if (node instanceof RexFieldAccess || node instanceof RexDynamicParam) {
      return isPlain(node.getType());
    } else if (node instanceof RexLiteral literal) {
      return literal.getTypeName() == SqlTypeName.SARG || isPlain(node.getType());
    } else if (node instanceof RexCall call) {
      return allowed(call);
    }
    return false;
  }

  private static boolean allowed(RexCall call) {
    if (call.getOperator().getName().equals(TRUTH)) {
      return call.operands.get(0) instanceof RexInputRef;
    }
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
      case CASE:
      case COALESCE:
        break;
      case EQUALS:
      case NOT_EQUALS:
      case LESS_THAN:
      case LESS_THAN_OR_EQUAL:
      case GREATER_THAN:
      case GREATER_THAN_OR_EQUAL:
      case IS_DISTINCT_FROM:
      case IS_NOT_DISTINCT_FROM:
        return comparable(call.operands.get(0).getType(), call.operands.get(1).getType())
            && allowedSide(call.operands.get(0), call.operands.get(1))
            && allowedSide(call.operands.get(1), call.operands.get(0));
      case SEARCH:
        if (!isPlain(call.operands.get(0).getType())) {
          return false;
        }
        break;
      case PLUS:
      case MINUS:
      case TIMES:
      case MINUS_PREFIX:
        // Not DECIMAL, which SQLite has not; not division, which SQLite answers with NULL for 0.
        if (!isLongOrDouble(call.getType())) {
          return false;
        }
        break;
      case CAST:
        if (!castAllowed(call.operands.get(0).getType(), call.getType())) {
          return false;
        }
        break;
      default:
        return false;
    }
    return isPlain(call.getType()) && allowed(call.operands);
  }

  /**
   * Of a comparison, which may give its side a collation, or what the affinity of the column on the
   * other side makes of it, as SQLite does there by itself.
   */
  private static boolean allowedSide(RexNode side, RexNode other) {
    if (!(side instanceof RexCall call)) {
      return allowed(side);
    }
    String name = call.getOperator().getName();
    boolean plain = name.startsWith(COLLATE) || isAffinity(name) && other instanceof RexInputRef;
    return allowed(plain ? call.operands.get(0) : side);
  }

  private static boolean isAffinity(String operator) {
    return operator.equals(AS_NUMBER) || operator.equals(AS_TEXT) || operator.equals(AS_IT_IS);
  }

  private static boolean castAllowed(RelDataType from, RelDataType to) {
    SqlTypeName source = from.getSqlTypeName();
    switch (to.getSqlTypeName()) {
      case DOUBLE:
        return isLongOrDouble(from);
      case BIGINT:
        return SqlTypeName.INT_TYPES.contains(source);
      case VARCHAR:
        // With a precision, Calcite would cut; SQLite does not.
        return to.getPrecision() == RelDataType.PRECISION_NOT_SPECIFIED
            && (SqlTypeUtil.isCharacter(from) || source == SqlTypeName.BIGINT);
      case BOOLEAN:
      case VARBINARY:
        return source == to.getSqlTypeName();
      default:
        return false;
    }
  }

  private static boolean isLongOrDouble(RelDataType type) {
    return SqlTypeName.INT_TYPES.contains(type.getSqlTypeName())
        || type.getSqlTypeName() == SqlTypeName.DOUBLE
        || type.getSqlTypeName() == SqlTypeName.FLOAT;
  }

  private static boolean comparable(RelDataType a, RelDataType b) {
    return isPlain(a)
        && isPlain(b)
        && (a.getSqlTypeName() == SqlTypeName.ANY
            || b.getSqlTypeName() == SqlTypeName.ANY
            || a.getSqlTypeName() == SqlTypeName.NULL
            || b.getSqlTypeName() == SqlTypeName.NULL
            || SqlTypeUtil.isNumeric(a) && SqlTypeUtil.isNumeric(b)
            || a.getFamily() == b.getFamily());
  }

  private static boolean isPlain(RelDataType type) {
    SqlTypeName name = type.getSqlTypeName();
    return name == SqlTypeName.ANY
        || name == SqlTypeName.NULL
        || name == SqlTypeName.BOOLEAN
        || SqlTypeFamily.NUMERIC.contains(type)
        || SqlTypeFamily.CHARACTER.contains(type)
        || SqlTypeFamily.BINARY.contains(type);
  }

  static boolean allowed(Aggregate aggregate) {
    if (aggregate.getGroupType() != Aggregate.Group.SIMPLE) {
      return false;
    }
    for (AggregateCall call : aggregate.getAggCallList()) {
      switch (call.getAggregation().getKind()) {
        case COUNT:
        case MIN:
        case MAX:
          break;
        case SUM:
        case SUM0:
          if (!isLongOrDouble(call.getType())
              && call.getType().getSqlTypeName() != SqlTypeName.ANY) {
            return false;
          }
          break;
        default:
          return false;
      }
      if (call.getArgList().size() > 1
          || call.isApproximate()
          || call.distinctKeys != null
          || !call.getCollation().getFieldCollations().isEmpty()) {
        return false;
      }
    }
    return true;
  }
}
