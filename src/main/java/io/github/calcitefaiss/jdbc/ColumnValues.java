/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.run.SqlState;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.LocalTime;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * Conversions from a value as Calcite holds it to what a JDBC getter was asked for.
 *
 * <p>A conversion gives the same value in another form, or an error that names the column; only a
 * fraction is cut off where a whole number is asked for, as other drivers do. It never wraps around
 * and never prints a Java identity.
 */
final class ColumnValues {
  private static final BigDecimal MIN_LONG = BigDecimal.valueOf(Long.MIN_VALUE);
  private static final long LAST_SECOND = 253_402_300_799L;
  private static final BigDecimal MAX_LONG = BigDecimal.valueOf(Long.MAX_VALUE);

  private ColumnValues() {}

  static SQLException mismatch(Object value, String column, String wanted) {
    return FaissErrors.data(
        "Column '"
            + column
            + "' holds "
            + (value instanceof ByteString || value instanceof String
                ? Shown.value(value)
                : Shown.shortened(text(value)))
            + ", which can't be read as "
            + wanted,
        SqlState.BAD_CAST);
  }

  /** Binary as hexadecimal digits, all else as SQL would show it. */
  static String text(Object value) {
    if (value == null) {
      return null;
    } else if (value instanceof byte[] bytes) {
      return new ByteString(bytes).toString();
    } else if (value instanceof Object[] array) {
      return text(Arrays.asList(array));
    } else if (value instanceof Collection<?> list) {
      return list.stream().map(ColumnValues::text).collect(Collectors.joining(", ", "[", "]"));
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(e -> text(e.getKey()) + "=" + text(e.getValue()))
          .collect(Collectors.joining(", ", "{", "}"));
    } else if (value instanceof float[] floats) {
      return Arrays.toString(floats);
    } else if (value instanceof double[] doubles) {
      return Arrays.toString(doubles);
    }
    return value.toString();
  }

  /** The object for {@code getObject} where the column's type doesn't say which. */
  static Object plain(Object value) {
    return value instanceof ByteString bytes ? bytes.getBytes() : value;
  }

  /** What a word says, when read or set: true or false, or null if neither. */
  static Boolean flag(String text) {
    switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "true":
      case "t":
      case "yes":
      case "1":
        return true;
      case "false":
      case "f":
      case "no":
      case "0":
        return false;
      default:
        return null;
    }
  }

  static boolean toBoolean(Object value, String column) throws SQLException {
    if (value == null) {
      return false;
    } else if (value instanceof Boolean flag) {
      return flag;
    } else if (value instanceof Number number) {
      return number.doubleValue() != 0;
    } else if (value instanceof String text) {
      Boolean known = flag(text);
      if (known != null) {
        return known;
      }
    }
    throw mismatch(value, column, "a boolean");
  }

  /** A whole number within bounds; a fraction is cut off, as JDBC drivers do. */
  static long toLong(Object value, String column, long min, long max) throws SQLException {
    long number;
    if (value == null) {
      return 0;
    } else if (value instanceof Long || value instanceof Integer || value instanceof Short) {
      number = ((Number) value).longValue();
    } else {
      BigDecimal decimal = toDecimal(value, column);
      if (decimal.compareTo(MIN_LONG) < 0 || decimal.compareTo(MAX_LONG) > 0) {
        throw outOfRange(value, column, min, max);
      }
      number = decimal.longValue();
    }
    if (number < min || number > max) {
      throw outOfRange(value, column, min, max);
    }
    return number;
  }

  private static SQLException outOfRange(Object value, String column, long min, long max) {
    return FaissErrors.data(
        "Column '"
            + column
            + "' holds "
            + value
            + ", beyond "
            + min
            + " to "
            + max
            + "; read it with a getter for larger numbers",
        SqlState.OUT_OF_RANGE);
  }

  static double toDouble(Object value, String column) throws SQLException {
    if (value == null) {
      return 0;
    } else if (value instanceof Number number) {
      return number.doubleValue();
    } else if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    } else if (value instanceof String text) {
      try {
        return Double.parseDouble(text.strip());
      } catch (NumberFormatException e) {
        throw mismatch(value, column, "a number");
      }
    }
    throw mismatch(value, column, "a number");
  }

  static float toFloat(Object value, String column) throws SQLException {
    double number = toDouble(value, column);
    if (Math.abs(number) > Float.MAX_VALUE && !Double.isInfinite(number)) {
      throw FaissErrors.data(
          "Column '" + column + "' holds " + value + ", beyond a float; read it with getDouble",
          SqlState.OUT_OF_RANGE);
    }
    return (float) number;
  }

  static BigDecimal toDecimal(Object value, String column) throws SQLException {
    try {
      if (value == null) {
        return null;
      } else if (value instanceof BigDecimal decimal) {
        return decimal;
      } else if (value instanceof BigInteger integer) {
        return new BigDecimal(integer);
      } else if (value instanceof Double || value instanceof Float) {
        // The shortest text that gives the number back, as BigDecimal.valueOf(double) takes.
        return new BigDecimal(value.toString());
      } else if (value instanceof Number) {
        return new BigDecimal(value.toString());
      } else if (value instanceof Boolean flag) {
        return flag ? BigDecimal.ONE : BigDecimal.ZERO;
      } else if (value instanceof String text) {
        return new BigDecimal(text.strip());
      }
    } catch (NumberFormatException e) {
      throw mismatch(value, column, "a number");
    }
    throw mismatch(value, column, "a number");
  }

  /** Binary as it is, text as UTF-8. */
  static byte[] toBytes(Object value, String column) throws SQLException {
    if (value == null) {
      return null;
    } else if (value instanceof ByteString bytes) {
      return bytes.getBytes();
    } else if (value instanceof byte[] bytes) {
      return bytes.clone();
    } else if (value instanceof String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
    throw mismatch(value, column, "bytes");
  }

  /** The floats of a blob of little-endian float32. */
  static float[] toVector(Object value, String column) throws SQLException {
    if (value == null) {
      return null;
    }
    if (value instanceof ByteString bytes) {
      try {
        return VectorCodec.decode(bytes.getBytes());
      } catch (VectorException e) {
        throw FaissErrors.data(
            "Column '" + column + "' holds no vector: " + e.getMessage(), SqlState.DATA);
      }
    }
    throw mismatch(value, column, "a vector");
  }

  /** One of SQLite's three forms of a date or time. */
  static Moment toMoment(Object value, String column) throws SQLException {
    Moment moment = Moment.of(value);
    if (moment == null) {
      SQLException e = mismatch(value, column, "a date or time");
      boolean millis = value instanceof Long number && Math.abs(number) > LAST_SECOND;
      throw millis
          ? FaissErrors.data(
              e.getMessage()
                  + "; SQLite's forms are ISO text, Julian days and seconds since 1970: milliseconds"
                  + " are read by datetime(\""
                  + column
                  + "\" / 1000, 'unixepoch')",
              e.getSQLState())
          : e;
    }
    return moment;
  }

  /** A value as its declared type says it, or as it is where it is none of that type. */
  static Object asDeclared(Object value, SqlTypeName type, Calendar calendar) {
    if (type == SqlTypeName.DECIMAL) {
      return value instanceof Long || value instanceof Double number && Double.isFinite(number)
          ? new BigDecimal(value.toString())
          : value;
    }
    Moment moment = Moment.of(value);
    if (moment == null) {
      return value;
    }
    boolean midnight = moment.time() == null || moment.time().equals(LocalTime.MIDNIGHT);
    switch (type) {
      case DATE:
        // A time of day would be lost.
        return moment.date() == null || !midnight ? value : moment.toDate(calendar);
      case TIME:
        return moment.date() != null ? value : moment.toTime(calendar);
      default:
        return moment.date() == null ? value : moment.toTimestamp(calendar);
    }
  }
}
