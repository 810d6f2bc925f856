/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.sql.function.DistanceFunctions;
import io.github.calcitefaiss.sql.function.Signature;
import java.lang.reflect.InvocationTargetException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.schema.Function;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.sql.SqlBasicCall;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlCharStringLiteral;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNumericLiteral;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.validate.SqlUserDefinedAggFunction;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;
import org.apache.calcite.util.BitString;

/** Values of expressions that are known from the text of a statement, as functions get them. */
final class Constant {
  /** In place of the value of what is no constant. */
  static final Object UNKNOWN = new Object();

  private Constant() {}

  /** The value of an expression, null for NULL, or {@link #UNKNOWN}. */
  static Object of(SqlNode node) {
    if (node instanceof SqlLiteral literal) {
      return of(literal);
    }
    if (!(node instanceof SqlBasicCall call)) {
      return UNKNOWN;
    }
    List<Object> values = new ArrayList<>();
    switch (call.getKind()) {
      case MINUS_PREFIX:
      case PLUS_PREFIX:
        if (!(of(call.operand(0)) instanceof BigDecimal number)) {
          return UNKNOWN;
        }
        return call.getKind() == SqlKind.MINUS_PREFIX ? number.negate() : number;
      case CAST:
        // A literal that was given its width.
        return call.operand(0) instanceof SqlLiteral literal ? of(literal) : UNKNOWN;
      case ARRAY_VALUE_CONSTRUCTOR:
        return values(call, values) ? values : UNKNOWN;
      default:
        try {
          return values(call, values) ? evaluate(call.getOperator(), values) : UNKNOWN;
        } catch (FaissException e) {
          // Said where the call itself is checked.
          return UNKNOWN;
        }
    }
  }

  private static Object of(SqlLiteral literal) {
    if (literal.getValue() == null) {
      return null;
    } else if (literal instanceof SqlCharStringLiteral text) {
      return text.getValueAs(String.class);
    } else if (literal instanceof SqlNumericLiteral number) {
      return number.getValueAs(BigDecimal.class);
    } else if (literal.getValue() instanceof BitString bits) {
      return bits.getBitCount() % 8 == 0 ? new ByteString(bits.getAsByteArray()) : UNKNOWN;
    }
    return UNKNOWN;
  }

  private static boolean values(SqlCall call, List<Object> values) {
    for (SqlNode operand : call.getOperandList()) {
      values.add(of(operand));
    }
    return !values.contains(UNKNOWN);
  }

  /**
   * The value of a function of ours that depends on its arguments alone; {@link #UNKNOWN} for
   * another one.
   *
   * @throws FaissException what the function says of the arguments
   */
  static Object evaluate(SqlOperator operator, List<Object> values) throws FaissException {
    Object[] arguments = new Object[values.size() + 1];
    for (int i = 0; i < values.size(); i++) {
      arguments[i + 1] = values.get(i);
    }
    try {
      if (DistanceFunctions.metric(operator) != null) {
        return DistanceFunctions.value(
            operator.getName().toLowerCase(java.util.Locale.ROOT), arguments[1], arguments[2]);
      }
      return function(operator) instanceof Signature.Evaluated evaluated && evaluated.isPure()
          ? evaluated.method().invoke(null, arguments)
          : UNKNOWN;
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof FaissException wrong) {
        throw wrong;
      }
      return UNKNOWN;
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether an operator is one of our functions, and not another's of the same name. */
  static boolean isOurs(SqlOperator operator) {
    return function(operator) instanceof Signature.Own;
  }

  static List<FunctionParameter> parameters(SqlOperator operator) {
    return function(operator).getParameters();
  }

  private static Function function(SqlOperator operator) {
    if (operator instanceof SqlUserDefinedFunction udf) {
      return udf.getFunction();
    }
    return operator instanceof SqlUserDefinedAggFunction aggregate ? aggregate.function : null;
  }
}
