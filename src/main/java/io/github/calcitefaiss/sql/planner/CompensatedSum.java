/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import java.util.List;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.schema.impl.AggregateFunctionImpl;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.InferTypes;
import org.apache.calcite.sql.type.OperandTypes;
import org.apache.calcite.sql.type.ReturnTypes;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.validate.SqlUserDefinedAggFunction;
import org.apache.calcite.util.Optionality;

/**
 * The sum of doubles with the error of each addition kept aside, as SQLite has it since 3.43.
 *
 * @see <a href="https://en.wikipedia.org/wiki/Kahan_summation_algorithm">Neumaier's variant of
 *     Kahan's summation</a>
 */
public final class CompensatedSum {
  private static final SqlAggFunction SUM =
      new SqlUserDefinedAggFunction(
          new SqlIdentifier("SUM", SqlParserPos.ZERO),
          SqlKind.OTHER_FUNCTION,
          ReturnTypes.ARG0_NULLABLE_IF_EMPTY,
          InferTypes.ANY_NULLABLE,
          OperandTypes.operandMetadata(
              List.of(SqlTypeFamily.NUMERIC),
              factory -> List.of(factory.createSqlType(SqlTypeName.DOUBLE)),
              i -> "value",
              i -> false),
          AggregateFunctionImpl.create(Sum.class),
          false,
          false,
          Optionality.FORBIDDEN);

  private CompensatedSum() {}

  /** The call, or one that sums in this way instead of it. */
  static AggregateCall of(AggregateCall call) {
    boolean sum =
        call.getAggregation().getKind() == SqlKind.SUM
            && call.getType().getSqlTypeName() == SqlTypeName.DOUBLE;
    return sum
        ? AggregateCall.create(
            call.getParserPosition(),
            SUM,
            call.isDistinct(),
            call.isApproximate(),
            call.ignoreNulls(),
            call.rexList,
            call.getArgList(),
            call.filterArg,
            call.distinctKeys,
            call.getCollation(),
            call.getType(),
            call.getName())
        : call;
  }

  /** SUM; found by Calcite by the names of its methods. */
  public static final class Sum {
    private Sum() {}

    /** The sum, the error that is left of it, and how many values there were. */
    public static double[] init() {
      return new double[3];
    }

    /** Takes a value in. */
    public static double[] add(double[] state, Object number) {
      if (number != null) {
        double value = ((Number) number).doubleValue();
        double sum = state[0];
        double total = sum + value;
        state[1] += Math.abs(sum) > Math.abs(value) ? (sum - total) + value : (value - total) + sum;
        state[0] = total;
        state[2]++;
      }
      return state;
    }

    /** The sum, or NULL of no value. */
    public static Double result(double[] state) {
      boolean finite = Double.isFinite(state[1]);
      return state[2] == 0 ? null : (Double) (finite ? state[0] + state[1] : state[0]);
    }
  }
}
