/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.run.SqlState;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.calcite.avatica.util.ByteString;

/**
 * Conversions from a value as Calcite holds it to what a JDBC getter was asked for.
 *
 * <p>A conversion gives the same value in another form, or an error that names the column; only a
 * fraction is cut off where a whole number is asked for, as other drivers do. It never wraps around
 * and never prints a Java identity.
 */
final class ColumnValues {
  private static final BigDecimal MIN_LONG = BigDecimal.valueOf(Long.MIN_VALUE);
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

  private static final Pattern NUMERIC = Pattern.compile("-?\\d{9,12}(\\.\\d+)?|\\d{7}(\\.\\d+)?");
  private static final BigDecimal LAST_JULIAN_DAY = new BigDecimal("5373484.5");
  private static final BigDecimal JULIAN_DAY_OF_1970 = new BigDecimal("2440587.5");
  private static final BigDecimal FIRST_SECOND = new BigDecimal("-210866760000");
  private static final BigDecimal LAST_SECOND = new BigDecimal("253402300799");

  /**
   * Reads SQLite's three forms: {@code 2024-01-31}, {@code 2024-01-31 23:59:59.5} (or with a T),
   * {@code 23:59:59}; a Julian day; and Unix seconds, a number that is no Julian day until the year
   * 9999, as SQLite's modifier 'auto' tells them apart.
   */
  static Timestamp toTimestamp(Object value, String column, Calendar calendar) throws SQLException {
    ZoneId zone = calendar == null ? ZoneId.systemDefault() : calendar.getTimeZone().toZoneId();
    boolean numeric =
        value instanceof Long
            || value instanceof Double finite && Double.isFinite(finite)
            // A number that was declared to be a date is a text where Calcite reads it.
            || value instanceof String text && NUMERIC.matcher(text).matches();
    if (numeric) {
      BigDecimal number = new BigDecimal(value.toString());
      if (number.signum() >= 0 && number.compareTo(LAST_JULIAN_DAY) < 0) {
        BigDecimal days = number.subtract(JULIAN_DAY_OF_1970);
        number = days.multiply(BigDecimal.valueOf(86_400)).setScale(3, RoundingMode.HALF_EVEN);
      }
      if (number.compareTo(FIRST_SECOND) >= 0 && number.compareTo(LAST_SECOND) <= 0) {
        BigDecimal whole = number.setScale(0, RoundingMode.FLOOR);
        int nanos = number.subtract(whole).movePointRight(9).intValue();
        LocalDateTime time =
            LocalDateTime.ofEpochSecond(whole.longValueExact(), nanos, ZoneOffset.UTC);
        return Timestamp.from(time.atZone(zone).toInstant());
      }
    }
    if (value instanceof String text) {
      try {
        return Timestamp.from(parse(text.strip()).atZone(zone).toInstant());
      } catch (DateTimeException e) {
        throw mismatch(value, column, "a date or time");
      }
    }
    throw mismatch(value, column, "a date or time");
  }

  static LocalDateTime parse(String text) {
    if (text.length() > 2 && text.charAt(2) == ':') {
      return LocalTime.parse(text).atDate(LocalDate.EPOCH);
    }
    return text.length() <= 10
        ? LocalDate.parse(text).atStartOfDay()
        : LocalDateTime.parse(text.replace(' ', 'T'));
  }
}
