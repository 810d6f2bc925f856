/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static io.github.calcitefaiss.sql.function.OrderedValue.plain;

import io.github.calcitefaiss.index.Ids;
import java.util.Collections;
import org.apache.calcite.schema.AggregateFunction;
import org.apache.calcite.schema.impl.AggregateFunctionImpl;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.InferTypes;
import org.apache.calcite.sql.type.OperandTypes;
import org.apache.calcite.sql.type.SqlReturnTypeInference;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.validate.SqlUserDefinedAggFunction;
import org.apache.calcite.util.Optionality;

/**
 * Aggregates that give one of the values that they get: the least or greatest of values of any
 * type, in SQLite's order of values, where NULLs don't count, and the first that comes.
 */
public class Extremum {
  private Extremum() {}

  static AggregateFunction function(boolean largest) {
    return AggregateFunctionImpl.create(largest ? Largest.class : Smallest.class);
  }

  /** The second argument, of the row whose first is the least; of equal ones the first row's. */
  static final SqlAggFunction LEAST_BY = aggregate("LEAST_BY", LeastBy.class, 2);

  /** The same of the greatest. */
  static final SqlAggFunction GREATEST_BY = aggregate("GREATEST_BY", GreatestBy.class, 2);

  /** The first value that comes, NULL or not. */
  static final SqlAggFunction FIRST = aggregate("FIRST_OF", First.class, 1);

  /** What gives one of the values of its last argument. */
  static SqlAggFunction aggregate(String name, Class<?> type, int arguments) {
    return aggregate(name, AggregateFunctionImpl.create(type), arguments);
  }

  static SqlAggFunction aggregate(String name, AggregateFunction function, int arguments) {
    return aggregate(
        name,
        function,
        binding ->
            binding
                .getTypeFactory()
                .createTypeWithNullability(binding.getOperandType(arguments - 1), true),
        arguments);
  }

  /** An aggregate of values of any type. */
  static SqlAggFunction aggregate(
      String name, AggregateFunction function, SqlReturnTypeInference result, int arguments) {
    return new SqlUserDefinedAggFunction(
        new SqlIdentifier(name, SqlParserPos.ZERO),
        SqlKind.OTHER_FUNCTION,
        result,
        InferTypes.ANY_NULLABLE,
        OperandTypes.operandMetadata(
            Collections.nCopies(arguments, SqlTypeFamily.ANY),
            factory -> Collections.nCopies(arguments, factory.createSqlType(SqlTypeName.ANY)),
            i -> "value",
            i -> false),
        function,
        false,
        false,
        Optionality.FORBIDDEN);
  }

  private static Object pick(Object best, Object value, int sign) {
    if (value == null) {
      return best;
    }
    return best == null || sign * Ids.compare(plain(value), plain(best)) > 0 ? value : best;
  }

  /** MAX; found by Calcite by the names of its methods. */
  public static final class Largest {
    private Largest() {}

    /** No value yet. */
    public static Object init() {
      return null;
    }

    /** Takes a value in. */
    public static Object add(Object best, Object value) {
      return pick(best, value, 1);
    }

    /** The result. */
    public static Object result(Object best) {
      return best;
    }
  }

  /** MIN; found by Calcite by the names of its methods. */
  public static final class Smallest {
    private Smallest() {}

    /** No value yet. */
    public static Object init() {
      return null;
    }

    /** Takes a value in. */
    public static Object add(Object best, Object value) {
      return pick(best, value, -1);
    }

    /** The result. */
    public static Object result(Object best) {
      return best;
    }
  }

  private static Object[] pick(Object[] best, Object key, Object value, int sign) {
    boolean better =
        key != null && (best[0] == null || sign * Ids.compare(plain(key), plain(best[0])) > 0);
    return better ? new Object[] {key, value} : best;
  }

  /** {@link #LEAST_BY}; found by Calcite by the names of its methods. */
  public static final class LeastBy {
    private LeastBy() {}

    /** No value yet. */
    public static Object[] init() {
      return new Object[2];
    }

    /** Takes a row in. */
    public static Object[] add(Object[] best, Object key, Object value) {
      return pick(best, key, value, -1);
    }

    /** The result. */
    public static Object result(Object[] best) {
      return best[1];
    }
  }

  /** {@link #GREATEST_BY}; found by Calcite by the names of its methods. */
  public static final class GreatestBy {
    private GreatestBy() {}

    /** No value yet. */
    public static Object[] init() {
      return new Object[2];
    }

    /** Takes a row in. */
    public static Object[] add(Object[] best, Object key, Object value) {
      return pick(best, key, value, 1);
    }

    /** The result. */
    public static Object result(Object[] best) {
      return best[1];
    }
  }

  /** {@link #FIRST}; found by Calcite by the names of its methods. */
  public static final class First {
    private First() {}

    /** No value yet. */
    public static Object[] init() {
      return null;
    }

    /** Takes a value in. */
    public static Object[] add(Object[] first, Object value) {
      return first == null ? new Object[] {value} : first;
    }

    /** The result. */
    public static Object result(Object[] first) {
      return first == null ? null : first[0];
    }
  }
}
