/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.index.Ids;
import java.math.BigDecimal;
import org.apache.calcite.avatica.util.ByteString;

/**
 * A value of any type among others, in SQLite's order: numbers, then texts by their code points,
 * then blobs. Numbers of one value are equal, whole or not.
 *
 * @param value as a plan has it, not null
 * @param plain the same as {@link Ids} has it
 */
public record OrderedValue(Object value, Object plain) implements Comparable<OrderedValue> {
  /** Null for null. */
  public static OrderedValue of(Object value) {
    return value == null ? null : new OrderedValue(value, plain(value));
  }

  /** A value as {@link Ids} compares it, and SQLite has it: a Long, Double, String or byte[]. */
  public static Object plain(Object value) {
    if (value instanceof Long || value instanceof Double || value instanceof String) {
      return value;
    } else if (value instanceof ByteString bytes) {
      return bytes.getBytes();
    } else if (value instanceof Boolean condition) {
      return condition ? 1L : 0L;
    } else if (value instanceof Float number) {
      return number.doubleValue();
    } else if (value instanceof BigDecimal number) {
      return number.stripTrailingZeros().scale() <= 0 && number.precision() < 19
          ? (Object) number.longValue()
          : number.doubleValue();
    } else if (value instanceof Number number) {
      return number.longValue();
    }
    return value == null ? null : value.toString();
  }

  @Override
  public int compareTo(OrderedValue other) {
    return Ids.compare(plain, other.plain);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OrderedValue that && compareTo(that) == 0;
  }

  @Override
  public int hashCode() {
    return plain instanceof Number number
        ? Double.hashCode(number.doubleValue() + 0.0)
        : value.hashCode();
  }
}
