/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.index.Ids;
import io.github.calcitefaiss.sqlite.SqliteQuery;
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
    if (value instanceof ByteString bytes) {
      return bytes.getBytes();
    }
    Object held = SqliteQuery.held(value);
    return held == null || held instanceof Long || held instanceof Double ? held : held.toString();
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
