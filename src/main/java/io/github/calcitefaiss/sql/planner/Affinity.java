/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.calcite.DataContext;
import org.apache.calcite.plan.RelOptPredicateList;
import org.apache.calcite.rel.RelHomogeneousShuttle;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.core.Values;
import org.apache.calcite.rel.logical.LogicalAggregate;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexSimplify;
import org.apache.calcite.rex.RexSubQuery;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.InferTypes;
import org.apache.calcite.sql.type.OperandTypes;
import org.apache.calcite.sql.type.ReturnTypes;
import org.apache.calcite.sql.type.SqlReturnTypeInference;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeTransforms;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/**
 * What SQLite does with values whose type is known only when they come, such as {@code
 * json_each.value}: compared with a column, they take on the column's type if they can.
 *
 * <p>So the ids in {@code ["1", "2"]} are found in an INTEGER column, and those in {@code [1, 2]}
 * in a TEXT one. MIN and MAX of such values, which Calcite can't compare, become functions that
 * can.
 *
 * @see <a href="https://sqlite.org/datatype3.html">SQLite's type conversions before comparison</a>
 */
public final class Affinity extends RelHomogeneousShuttle {
  private static final SqlFunction TO_INTEGER = function("TO_INTEGER", SqlTypeName.BIGINT);
  private static final SqlFunction TO_REAL = function("TO_REAL", SqlTypeName.DOUBLE);
  private static final SqlFunction TO_TEXT = function("TO_TEXT", SqlTypeName.VARCHAR);
  private static final SqlAggFunction MIN = Extremum.aggregate("MIN", Extremum.function(false), 1);
  private static final SqlAggFunction MAX = Extremum.aggregate("MAX", Extremum.function(true), 1);

  private Affinity() {}

  /** A query's tree with conversions in its comparisons. */
  public static RelNode rewrite(RelNode query) {
    return query.accept(new Affinity());
  }

  /** Whether an operator is one of the conversions that this adds. */
  static boolean isConversion(SqlOperator operator) {
    return operator == TO_INTEGER || operator == TO_REAL || operator == TO_TEXT;
  }

  /** Whether an aggregate is one of those that this puts for MIN and MAX. */
  static boolean isExtremum(SqlAggFunction function) {
    return function == MIN || function == MAX;
  }

  /** What stands for MIN or MAX of values of any type, and of texts in windows. */
  static SqlAggFunction extremum(SqlKind kind) {
    return kind == SqlKind.MIN ? MIN : MAX;
  }

  @Override
  public RelNode visit(RelNode other) {
    RelNode node = super.visit(other);
    node = node.accept(new Comparisons(node.getCluster().getRexBuilder()));
    return node instanceof LogicalAggregate aggregate ? extrema(aggregate) : node;
  }

  private static RelNode extrema(LogicalAggregate aggregate) {
    List<AggregateCall> calls = new ArrayList<>();
    boolean changed = false;
    for (AggregateCall call : aggregate.getAggCallList()) {
      SqlKind kind = call.getAggregation().getKind();
      if ((kind == SqlKind.MIN || kind == SqlKind.MAX) && isAny(call.getType())) {
        changed = true;
        calls.add(
            AggregateCall.create(
                call.getParserPosition(),
                extremum(kind),
                false,
                false,
                false,
                List.of(),
                call.getArgList(),
                call.filterArg,
                null,
                call.getCollation(),
                call.getType(),
                call.getName()));
      } else {
        calls.add(call);
      }
    }
    return changed
        ? aggregate.copy(
            aggregate.getTraitSet(),
            aggregate.getInput(),
            aggregate.getGroupSet(),
            aggregate.getGroupSets(),
            calls)
        : aggregate;
  }

  private static boolean isAny(RelDataType type) {
    return type.getSqlTypeName() == SqlTypeName.ANY;
  }

  private static final class Comparisons extends RexShuttle {
    private final RexBuilder rex;

    private Comparisons(RexBuilder rex) {
      this.rex = rex;
    }

    @Override
    public RexNode visitCall(RexCall call) {
      RexNode node = super.visitCall(call);
      if (node instanceof RexCall visited) {
        node = SqliteOperations.typed(visited, rex);
      }
      if (node instanceof RexCall equals && equals.getKind() == SqlKind.EQUALS) {
        RexNode a = equals.operands.get(0);
        RexNode b = equals.operands.get(1);
        RexNode newA = convert(a, b);
        RexNode newB = convert(b, a);
        if (newA != a || newB != b) {
          return rex.makeCall(equals.getOperator(), alike(newA, newB), alike(newB, newA));
        }
      }
      return node;
    }

    /**
     * Whether a query has no rows whatever the data holds. Calcite's way to turn IN of such a query
     * under OR into a join loses all rows.
     */
    private boolean isEmpty(RelNode query) {
      if (query instanceof Values values) {
        return values.getTuples().isEmpty();
      } else if (query instanceof Filter filter) {
        RexSimplify simplify = new RexSimplify(rex, RelOptPredicateList.EMPTY, RexUtil.EXECUTOR);
        return simplify.simplifyUnknownAsFalse(filter.getCondition()).isAlwaysFalse()
            || isEmpty(filter.getInput());
      } else if (query instanceof Project || query instanceof Sort) {
        return isEmpty(query.getInput(0));
      }
      return query instanceof Aggregate aggregate
          && aggregate.getGroupType() == Aggregate.Group.SIMPLE
          && !aggregate.getGroupSet().isEmpty()
          && isEmpty(aggregate.getInput());
    }

    @Override
    public RexNode visitSubQuery(RexSubQuery subQuery) {
      boolean exists = subQuery.getKind() == SqlKind.IN || subQuery.getKind() == SqlKind.EXISTS;
      if (exists && isEmpty(subQuery.rel)) {
        return rex.makeLiteral(false);
      }
      RexSubQuery inner = subQuery.clone(Affinity.rewrite(subQuery.rel));
      if (inner.getKind() == SqlKind.IN && inner.operands.size() == 1) {
        RexNode column = inner.rel.getCluster().getRexBuilder().makeInputRef(inner.rel, 0);
        RexNode left = inner.operands.get(0);
        RexNode newColumn = convert(column, left);
        RexNode newLeft = convert(left, column);
        if (newColumn != column || newLeft != left) {
          RelNode converted =
              LogicalProject.create(
                  inner.rel,
                  List.of(),
                  List.of(alike(newColumn, newLeft)),
                  inner.rel.getRowType().getFieldNames(),
                  Set.of());
          return inner.clone(inner.getType(), List.of(alike(newLeft, newColumn))).clone(converted);
        }
      }
      return inner;
    }

    /** A whole number as wide as another: a join looks for the same value of the same class. */
    private RexNode alike(RexNode node, RexNode other) {
      boolean narrow =
          SqlTypeName.INT_TYPES.contains(node.getType().getSqlTypeName())
              && other.getType().getSqlTypeName() == SqlTypeName.BIGINT;
      return narrow
          ? rex.makeCast(
              rex.getTypeFactory()
                  .createTypeWithNullability(other.getType(), node.getType().isNullable()),
              node)
          : node;
    }

    /** A value of unknown type as the type of a column that it is compared with. */
    private RexNode convert(RexNode value, RexNode column) {
      if (!isAny(value.getType()) || !(column instanceof RexInputRef)) {
        return value;
      }
      SqlTypeName type = column.getType().getSqlTypeName();
      if (SqlTypeName.INT_TYPES.contains(type)) {
        return rex.makeCall(TO_INTEGER, value);
      } else if (type == SqlTypeName.DOUBLE) {
        return rex.makeCall(TO_REAL, value);
      } else if (SqlTypeName.CHAR_TYPES.contains(type)) {
        // A column without a type keeps its values; what is computed has no affinity of its own.
        return rex.makeCall(
            value instanceof RexInputRef ? TO_TEXT : SqliteOperators.TEXT_OF, value);
      }
      return value;
    }
  }

  /** The integer that a value is or that its text says, or NULL, which equals none. */
  public static Long toInteger(DataContext root, Object value) {
    if (value instanceof Long || value == null) {
      return (Long) value;
    }
    BigDecimal number = number(value);
    try {
      BigInteger whole = number == null ? null : number.toBigIntegerExact();
      return whole == null || whole.bitLength() > 63 ? null : whole.longValue();
    } catch (ArithmeticException e) {
      return null;
    }
  }

  /** The double that a value is or that its text says, or NULL. */
  public static Double toReal(DataContext root, Object value) {
    if (value instanceof Double || value == null) {
      return (Double) value;
    }
    BigDecimal number = number(value);
    return number == null ? null : Double.valueOf(number.doubleValue());
  }

  /** A text, or NULL of anything else: a column without a type keeps its numbers. */
  public static String toText(DataContext root, Object value) {
    return value instanceof String text ? text : null;
  }

  private static BigDecimal number(Object value) {
    if (value instanceof Double number) {
      return Double.isFinite(number) ? new BigDecimal(number) : null;
    } else if (value instanceof Number number) {
      return new BigDecimal(number.toString());
    } else if (value instanceof String text && text.length() <= 40) {
      try {
        return new BigDecimal(text.strip());
      } catch (NumberFormatException e) {
        return null;
      }
    }
    return null;
  }

  private static SqlFunction function(String name, SqlTypeName result) {
    String method =
        result == SqlTypeName.BIGINT
            ? "toInteger"
            : result == SqlTypeName.DOUBLE ? "toReal" : "toText";
    SqlReturnTypeInference type =
        ReturnTypes.explicit(result).andThen(SqlTypeTransforms.FORCE_NULLABLE);
    return new SqlUserDefinedFunction(
        new SqlIdentifier(name, SqlParserPos.ZERO),
        SqlKind.OTHER_FUNCTION,
        type,
        InferTypes.ANY_NULLABLE,
        OperandTypes.operandMetadata(
            List.of(SqlTypeFamily.ANY),
            factory -> List.of(factory.createSqlType(SqlTypeName.ANY)),
            i -> "value",
            i -> false),
        Signature.of("value").scalar(result, Affinity.class, method));
  }
}
