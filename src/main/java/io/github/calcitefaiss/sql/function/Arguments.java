/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;

/** Checks arguments once, at the edge, and turns them into what the index takes. */
public final class Arguments {
  private Arguments() {}

  /**
   * A vector, which may be empty: a blob of float32 elements, a JSON array, or a SQL array.
   *
   * <p>Throws, though it can't be declared, a {@link io.github.calcitefaiss.run.FaissException}
   * that names function and argument.
   */
  public static float[] vector(String function, String argument, Object value) {
    try {
      byte[] blob = Values.bytes(value);
      if (blob != null) {
        return VectorCodec.decode(blob);
      } else if (value instanceof String text) {
        return VectorJson.parse(text);
      } else if (value instanceof List<?> list) {
        return vector(list);
      }
    } catch (VectorException e) {
      throw Errors.badVector(function, argument, e.getMessage()).raise();
    }
    throw Errors.notAVector(function, argument, value).raise();
  }

  /**
   * Numbers as a vector.
   *
   * @throws VectorException if one is no number, or beyond float32
   */
  public static float[] vector(List<?> list) {
    float[] vector = new float[list.size()];
    for (int i = 0; i < vector.length; i++) {
      if (!(list.get(i) instanceof Number number)) {
        throw new VectorException(
            "element " + i + " is " + Shown.value(list.get(i)) + ", expected a number");
      }
      vector[i] = (float) number.doubleValue();
      if (!Float.isFinite(vector[i])) {
        throw new VectorException("element " + i + " is " + number + ", beyond float32");
      }
    }
    return vector;
  }

  /** A count: a whole number, 0 or more; one beyond int is as good as the largest int. */
  public static int count(String function, String argument, Object value) {
    BigInteger whole = wholeNumber(value);
    if (whole == null) {
      throw Errors.notAWholeNumber(function, argument, value).raise();
    }
    if (whole.signum() < 0) {
      throw Errors.negative(function, argument, whole).raise();
    }
    return whole.bitLength() > 31 ? Integer.MAX_VALUE : whole.intValue();
  }

  private static BigInteger wholeNumber(Object value) {
    try {
      if (value instanceof BigDecimal number) {
        return number.toBigIntegerExact();
      } else if (value instanceof Double || value instanceof Float) {
        return new BigDecimal(((Number) value).doubleValue()).toBigIntegerExact();
      } else if (value instanceof Number number) {
        return BigInteger.valueOf(number.longValue());
      }
    } catch (ArithmeticException | NumberFormatException e) {
      return null;
    }
    return null;
  }
}
