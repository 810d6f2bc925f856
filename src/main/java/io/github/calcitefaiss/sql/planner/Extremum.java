/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.index.Ids;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.schema.AggregateFunction;
import org.apache.calcite.schema.impl.AggregateFunctionImpl;

/** The least or greatest of values of any type, in SQLite's order of values; NULLs don't count. */
public class Extremum {
  private Extremum() {}

  static AggregateFunction function(boolean largest) {
    return AggregateFunctionImpl.create(largest ? Largest.class : Smallest.class);
  }

  private static Object pick(Object best, Object value, int sign) {
    if (value == null) {
      return best;
    }
    return best == null || sign * Ids.compare(plain(value), plain(best)) > 0 ? value : best;
  }

  private static Object plain(Object value) {
    if (value instanceof ByteString bytes) {
      return bytes.getBytes();
    } else if (value instanceof Number && !(value instanceof Double)) {
      return ((Number) value).longValue();
    }
    return value instanceof Boolean flag ? (Object) (flag ? 1L : 0L) : value;
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
}
