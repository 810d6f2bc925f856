/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sqlite.SqliteEvaluator;
import org.apache.calcite.schema.impl.AggregateFunctionImpl;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.type.ReturnTypes;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeTransforms;

/**
 * Sums and averages of values of any type, as SQLite has them: the sum of integers alone is one, a
 * text counts as the number that it begins with.
 */
public final class AnySum {
  static final SqlAggFunction SUM = aggregate("SUM", Sum.class, SqlTypeName.ANY);
  static final SqlAggFunction SUM0 = aggregate("$SUM0", Sum0.class, SqlTypeName.ANY);
  static final SqlAggFunction AVG = aggregate("AVG", Average.class, SqlTypeName.DOUBLE);

  private AnySum() {}

  private static SqlAggFunction aggregate(String name, Class<?> type, SqlTypeName result) {
    return Extremum.aggregate(
        name,
        AggregateFunctionImpl.create(type),
        ReturnTypes.explicit(result).andThen(SqlTypeTransforms.FORCE_NULLABLE),
        1);
  }

  /** What was summed so far. */
  public static final class State {
    private double[] real = CompensatedSum.Sum.init();
    private long whole;
    private boolean overflowed;
    private boolean isReal;
    private long count;

    private State() {}

    private void add(Object value) {
      if (value == null) {
        return;
      }
      Object number =
          value instanceof Boolean condition
              ? (Object) (condition ? 1L : 0L)
              : value instanceof Number ? value : number(value);
      count++;
      if (number instanceof Long || number instanceof Integer) {
        long next = ((Number) number).longValue();
        long sum = whole + next;
        overflowed |= ((whole ^ sum) & (next ^ sum)) < 0;
        whole = sum;
      } else {
        isReal = true;
      }
      real = CompensatedSum.Sum.add(real, number);
    }

    /** Of a text or blob: an integer only where all of it says one. */
    private static Object number(Object value) {
      Object number = ValueComparison.numeric(null, value);
      return number instanceof Long && value instanceof String text && isWhole(text)
          ? number
          : SqliteEvaluator.call("cast(? as real)", value);
    }

    private static boolean isWhole(String text) {
      return text.chars().noneMatch(c -> c == '.' || c == 'e' || c == 'E');
    }

    private Object sum() {
      if (count == 0) {
        return null;
      } else if (isReal) {
        return CompensatedSum.Sum.result(real);
      } else if (overflowed) {
        throw new FaissException(
                SqlState.DATA, "sum: the sum of the integers is beyond 64 bits; total(…) is real")
            .raise();
      }
      return whole;
    }

    private Double average() {
      return count == 0 ? null : (Double) (CompensatedSum.Sum.result(real) / count);
    }
  }

  /** What all of them do with a value. */
  public static class Summing {
    private Summing() {}

    /** No value yet. */
    public static State init() {
      return new State();
    }

    /** Takes a value in. */
    public static State add(State state, Object value) {
      state.add(value);
      return state;
    }
  }

  /** SUM; found by Calcite by the names of its methods. */
  public static final class Sum extends Summing {
    private Sum() {}

    /** The sum, or NULL of no value. */
    public static Object result(State state) {
      return state.sum();
    }
  }

  /** The sum, or 0 of no value; found by Calcite by the names of its methods. */
  public static final class Sum0 extends Summing {
    private Sum0() {}

    /** The sum. */
    public static Object result(State state) {
      Object sum = state.sum();
      return sum == null ? (Object) 0L : sum;
    }
  }

  /** AVG; found by Calcite by the names of its methods. */
  public static final class Average extends Summing {
    private Average() {}

    /** The average, or NULL of no value. */
    public static Double result(State state) {
      return state.average();
    }
  }
}
