/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.VectorException;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.unsafe.types.UTF8String;

/** Ids as the index knows them, Long, Double, String or byte[], and as Spark does. */
final class Ids {
  private Ids() {}

  /** Whether a column of a type can be the id of an index, with Spark's order of its values. */
  static boolean usable(DataType type) {
    return isWhole(type) || type instanceof StringType || type instanceof BinaryType;
  }

  private static boolean isWhole(DataType type) {
    return type instanceof LongType
        || type instanceof IntegerType
        || type instanceof ShortType
        || type instanceof ByteType;
  }

  /** A value of Spark's as the index's. */
  static Object normal(Object id, DataType type) {
    if (id == null) {
      return null;
    } else if (isWhole(type)) {
      return ((Number) id).longValue();
    } else if (type instanceof DoubleType || type instanceof FloatType) {
      return ((Number) id).doubleValue();
    } else if (id instanceof UTF8String || id instanceof byte[]) {
      return id instanceof byte[] ? id : id.toString();
    } else if (id instanceof Decimal decimal) {
      return decimal.toDouble();
    }
    return id.toString();
  }

  /** The index's value as Spark's. */
  static Object value(Object id, DataType type) {
    if (id instanceof String text) {
      return UTF8String.fromString(text);
    } else if (id instanceof Long number) {
      if (type instanceof IntegerType) {
        return number.intValue();
      } else if (type instanceof ShortType) {
        return number.shortValue();
      } else if (type instanceof ByteType) {
        return number.byteValue();
      }
    }
    return id;
  }

  /** A count k: a whole number, 0 or more. */
  static int count(String function, Object value) {
    BigInteger whole;
    try {
      whole =
          value instanceof Decimal decimal
              ? decimal.toJavaBigDecimal().toBigIntegerExact()
              : value instanceof Number number
                  ? new BigDecimal(number.toString()).toBigIntegerExact()
                  : null;
    } catch (ArithmeticException | NumberFormatException e) {
      whole = null;
    }
    if (whole == null) {
      throw new VectorException(function + ": k: expected a whole number, got " + value);
    } else if (whole.signum() < 0) {
      throw new VectorException(function + ": k: expected 0 or more, got " + whole);
    }
    return whole.bitLength() > 31 ? Integer.MAX_VALUE : whole.intValue();
  }
}
