/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.index.RowFilter.Comparison;
import io.github.calcitefaiss.sql.function.SqliteOperators;
import io.github.calcitefaiss.sql.search.KeptFilter;
import io.github.calcitefaiss.sqlite.SqliteTableScan;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexDynamicParam;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * Makes of a condition that SQLite may evaluate one that columns beside the index can answer, if it
 * is of comparisons of columns with constants and parameters.
 */
final class KeptConditions {
  private static final Map<SqlKind, Comparison> COMPARISONS =
      Map.of(
          SqlKind.EQUALS, Comparison.EQUAL,
          SqlKind.NOT_EQUALS, Comparison.EQUAL,
          SqlKind.IS_DISTINCT_FROM, Comparison.EQUAL,
          SqlKind.IS_NOT_DISTINCT_FROM, Comparison.EQUAL,
          SqlKind.LESS_THAN, Comparison.LESS,
          SqlKind.LESS_THAN_OR_EQUAL, Comparison.LESS_OR_EQUAL,
          SqlKind.GREATER_THAN, Comparison.GREATER,
          SqlKind.GREATER_THAN_OR_EQUAL, Comparison.GREATER_OR_EQUAL);

  private final SqliteTableScan scan;
  private final String embedding;

  private KeptConditions(SqliteTableScan scan, String embedding) {
    this.scan = scan;
    this.embedding = embedding;
  }

  /** The condition; null if it is of another kind, or null itself. */
  static KeptFilter of(SqliteTableScan scan, String embedding, RexNode condition) {
    return condition == null
        ? null
        : new KeptConditions(scan, embedding)
            .of(RexUtil.expandSearch(scan.getCluster().getRexBuilder(), null, condition));
  }

  private KeptFilter of(RexNode node) {
    if (node instanceof RexInputRef ref) {
      return ref.getType().getSqlTypeName() == SqlTypeName.BOOLEAN
          ? new KeptFilter.IsNotZero(name(ref))
          : null;
    }
    if (!(node instanceof RexCall call)) {
      return null;
    }
    RexNode first = call.getOperands().get(0);
    if (call.getOperator() == SqliteOperators.TRUTH) {
      return first instanceof RexInputRef ref ? new KeptFilter.IsNotZero(name(ref)) : null;
    }
    switch (call.getKind()) {
      case AND:
      case OR:
        List<KeptFilter> parts = new ArrayList<>();
        for (RexNode operand : call.getOperands()) {
          KeptFilter part = of(operand);
          if (part == null) {
            return null;
          }
          parts.add(part);
        }
        return call.getKind() == SqlKind.AND ? new KeptFilter.And(parts) : new KeptFilter.Or(parts);
      case NOT:
        return not(of(first));
      case IS_NULL:
        return isNull(first);
      case IS_NOT_NULL:
        return not(isNull(first));
      case IS_TRUE:
        return isTrue(of(first));
      case IS_NOT_TRUE:
        return not(isTrue(of(first)));
      case IS_FALSE:
        return isTrue(not(of(first)));
      case IS_NOT_FALSE:
        return not(isTrue(not(of(first))));
      default:
        return COMPARISONS.containsKey(call.getKind()) ? comparison(call) : null;
    }
  }

  private static KeptFilter not(KeptFilter of) {
    return of == null ? null : new KeptFilter.Not(of);
  }

  private static KeptFilter isTrue(KeptFilter of) {
    return of == null ? null : new KeptFilter.IsTrue(of);
  }

  private KeptFilter isNull(RexNode node) {
    if (node instanceof RexInputRef ref) {
      // Of the rows that an index has, none is without a vector.
      return name(ref).equals(embedding)
          ? new KeptFilter.Constant(false)
          : new KeptFilter.IsNull(name(ref));
    }
    KeptFilter of = node instanceof RexCall ? of(node) : null;
    return of == null ? null : new KeptFilter.IsUnknown(of);
  }

  private KeptFilter comparison(RexCall call) {
    RexNode a = call.getOperands().get(0);
    RexNode b = call.getOperands().get(1);
    SqlKind kind = call.getKind();
    RexInputRef column = column(a);
    if (column == null) {
      column = column(b);
      RexNode swapped = a;
      a = b;
      b = swapped;
      kind = kind.reverse();
    }
    KeptFilter.Operand operand = column == null ? null : operand(b);
    if (operand == null) {
      return null;
    }
    KeptFilter.Compare compare =
        new KeptFilter.Compare(name(column), a != column, COMPARISONS.get(kind), operand);
    switch (kind) {
      case NOT_EQUALS:
        return new KeptFilter.Not(compare);
      case IS_NOT_DISTINCT_FROM:
        return new KeptFilter.Same(compare);
      case IS_DISTINCT_FROM:
        return new KeptFilter.Not(new KeptFilter.Same(compare));
      default:
        return compare;
    }
  }

  /** A column, perhaps cast to a real number; or null. */
  private static RexInputRef column(RexNode node) {
    return node instanceof RexInputRef ref
        ? ref
        : node instanceof RexCall call
                && call.getKind() == SqlKind.CAST
                && call.getType().getSqlTypeName() == SqlTypeName.DOUBLE
                && call.getOperands().get(0) instanceof RexInputRef ref
            ? ref
            : null;
  }

  private String name(RexInputRef ref) {
    return scan.sqliteTable().columns().get(ref.getIndex()).name();
  }

  private static KeptFilter.Operand operand(RexNode node) {
    if (node instanceof RexDynamicParam parameter) {
      return new KeptFilter.Parameter(parameter.getIndex());
    } else if (node instanceof RexLiteral literal) {
      return literal(literal);
    } else if (node instanceof RexCall call && ValueComparison.isAffinity(call.getOperator())) {
      // The column that it is compared with does that.
      return operand(call.getOperands().get(0));
    } else if (node instanceof RexCall call && call.getKind() == SqlKind.CAST) {
      Class<?> type = type(call.getType().getSqlTypeName());
      KeptFilter.Operand of = type == null ? null : operand(call.getOperands().get(0));
      return of == null ? null : new KeptFilter.Cast(of, type);
    }
    return null;
  }

  /** What SQLite makes of a cast, if that is one of these. */
  private static Class<?> type(SqlTypeName name) {
    switch (name) {
      case TINYINT:
      case SMALLINT:
      case INTEGER:
      case BIGINT:
        return Long.class;
      case FLOAT:
      case DOUBLE:
        return Double.class;
      case VARCHAR:
        return String.class;
      default:
        return null;
    }
  }

  /** A literal as it is written for SQLite: a real as its digits, which are looked at later. */
  private static KeptFilter.Operand literal(RexLiteral literal) {
    if (literal.isNull()) {
      return new KeptFilter.Value(null);
    }
    switch (literal.getTypeName()) {
      case BOOLEAN:
        return new KeptFilter.Value(RexLiteral.booleanValue(literal) ? 1L : 0L);
      case CHAR:
        return new KeptFilter.Value(literal.getValueAs(String.class));
      case BINARY:
        return new KeptFilter.Value(literal.getValueAs(ByteString.class).getBytes());
      case DECIMAL:
      case DOUBLE:
        BigDecimal number = literal.getValueAs(BigDecimal.class);
        boolean real =
            number.scale() > 0
                || literal.getTypeName() == SqlTypeName.DOUBLE
                || type(literal.getType().getSqlTypeName()) != Long.class;
        if (real) {
          return new KeptFilter.Value(number);
        }
        return number.toBigInteger().bitLength() < 64
            ? new KeptFilter.Value(number.longValueExact())
            : null;
      default:
        return null;
    }
  }
}
