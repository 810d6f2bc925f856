/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.index.Metric;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexDynamicParam;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.sql.validate.SqlUserDefinedAggFunction;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/** Which expressions mean the same in Spark as in Calcite, and may run there. */
public final class SparkPush {
  /** Our functions that the cluster has under the same names. */
  private static final Set<String> FUNCTIONS =
      Set.of(
          "l2_distance",
          "euclidean_distance",
          "vec_distance_l2",
          "array_distance",
          "l2_squared_distance",
          "l1_distance",
          "vec_distance_l1",
          "cosine_distance",
          "vec_distance_cosine",
          "cosine_similarity",
          "inner_product",
          "dot_product",
          "vector_dims",
          "vec_length",
          "vector_norm",
          "l2_normalize",
          "vec_normalize",
          "vec_to_json",
          "vec_add",
          "vec_sub",
          "vec_slice",
          "subvector",
          "faiss_encode",
          "faiss_decode");

  private SparkPush() {}

  /** The name that the cluster has for a distance that is written with some name here. */
  public static String distance(String function, Metric metric) {
    if (FUNCTIONS.contains(function)) {
      return function;
    }
    return switch (metric) {
      case L2 -> "l2_distance";
      case L2_SQUARED -> "l2_squared_distance";
      case L1 -> "l1_distance";
      case COSINE_DISTANCE -> "cosine_distance";
      case COSINE_SIMILARITY -> "cosine_similarity";
      case INNER_PRODUCT -> "inner_product";
    };
  }

  static boolean allowed(List<RexNode> nodes) {
    return nodes.stream().allMatch(SparkPush::allowed);
  }

  /** Whether Spark may evaluate an expression over a table's columns. */
  public static boolean allowed(RexNode node) {
    if (node instanceof RexInputRef) {
      return true;
    } else if (node instanceof RexDynamicParam) {
      return isPlain(node.getType());
    } else if (node instanceof RexLiteral literal) {
      return literal.getTypeName() == SqlTypeName.SARG || isPlain(node.getType());
    }
    return node instanceof RexCall call && allowed(call);
  }

  private static boolean isOurs(SqlOperator operator) {
    return operator instanceof SqlUserDefinedFunction
        && FUNCTIONS.contains(operator.getName().toLowerCase(Locale.ROOT));
  }

  private static boolean allowed(RexCall call) {
    if (isOurs(call.getOperator())) {
      return allowed(call.getOperands());
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
        RelDataType a = call.getOperands().get(0).getType();
        RelDataType b = call.getOperands().get(1).getType();
        boolean comparable =
            SqlTypeUtil.isNumeric(a) && SqlTypeUtil.isNumeric(b) || a.getFamily() == b.getFamily();
        if (!comparable || !isPlain(a) || !isPlain(b)) {
          return false;
        }
        break;
      case SEARCH:
        if (!isPlain(call.getOperands().get(0).getType())) {
          return false;
        }
        break;
      case CAST:
        if (!castAllowed(call.getOperands().get(0).getType(), call.getType())) {
          return false;
        }
        break;
      default:
        return false;
    }
    return isPlain(call.getType()) && allowed(call.getOperands());
  }

  private static boolean castAllowed(RelDataType from, RelDataType to) {
    SqlTypeName source = from.getSqlTypeName();
    switch (to.getSqlTypeName()) {
      case DOUBLE:
        return SqlTypeName.INT_TYPES.contains(source) || source == SqlTypeName.DOUBLE;
      case BIGINT:
      case INTEGER:
        return SqlTypeName.INT_TYPES.contains(source);
      case VARCHAR:
        return to.getPrecision() == RelDataType.PRECISION_NOT_SPECIFIED
            && SqlTypeUtil.isCharacter(from);
      default:
        return source == to.getSqlTypeName();
    }
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

  /** Whether Spark may compute an aggregate. */
  public static boolean allowed(Aggregate aggregate) {
    if (aggregate.getGroupType() != Aggregate.Group.SIMPLE) {
      return false;
    }
    for (AggregateCall call : aggregate.getAggCallList()) {
      boolean ours =
          call.getAggregation() instanceof SqlUserDefinedAggFunction f
              && f.getName().toLowerCase(Locale.ROOT).startsWith("faiss_agg");
      switch (call.getAggregation().getKind()) {
        case COUNT:
        case MIN:
        case MAX:
          break;
        case SUM:
        case SUM0:
          // Of doubles, the order of the rows would tell in the last bits.
          if (!SqlTypeName.INT_TYPES.contains(call.getType().getSqlTypeName())) {
            return false;
          }
          break;
        default:
          if (!ours) {
            return false;
          }
      }
      if (!ours && call.getArgList().size() > 1
          || call.isApproximate()
          || call.distinctKeys != null
          || call.filterArg >= 0
          || !call.getCollation().getFieldCollations().isEmpty()) {
        return false;
      }
    }
    return true;
  }
}
