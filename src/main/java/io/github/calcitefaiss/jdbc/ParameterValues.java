/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.function.Arguments;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Date;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.Temporal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TimeZone;
import org.apache.calcite.avatica.util.ByteString;

/**
 * Conversions from what a JDBC setter was given to the value that a running plan expects.
 *
 * <p>A vector may come as bytes (little-endian float32), as an array or list of numbers, or as JSON
 * text. What doesn't fit its parameter is an error that names the parameter.
 */
final class ParameterValues {
  private ParameterValues() {}

  /**
   * Converts a value.
   *
   * @param type of {@link Types}; what Calcite inferred, or where it inferred none, what the caller
   *     of the setter said
   * @param index from 1, for messages
   * @param zone in which java.sql dates and times are meant
   */
  static Object convert(Object value, int type, int index, TimeZone zone) throws SQLException {
    if (value == null) {
      return null;
    }
    switch (type) {
      case Types.BINARY:
      case Types.VARBINARY:
      case Types.LONGVARBINARY:
      case Types.BLOB:
        return binary(value, index);
      case Types.CHAR:
      case Types.VARCHAR:
      case Types.LONGVARCHAR:
      case Types.NCHAR:
      case Types.NVARCHAR:
      case Types.LONGNVARCHAR:
      case Types.CLOB:
      case Types.NCLOB:
        return text(value, index, zone);
      case Types.TINYINT:
        return (byte) whole(value, index, Byte.MIN_VALUE, Byte.MAX_VALUE);
      case Types.SMALLINT:
        return (short) whole(value, index, Short.MIN_VALUE, Short.MAX_VALUE);
      case Types.INTEGER:
        return (int) whole(value, index, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case Types.BIGINT:
        return whole(value, index, Long.MIN_VALUE, Long.MAX_VALUE);
      case Types.REAL:
        return decimal(value, index).floatValue();
      case Types.FLOAT:
      case Types.DOUBLE:
        return value instanceof Double || value instanceof Float
            ? ((Number) value).doubleValue()
            : decimal(value, index).doubleValue();
      case Types.DECIMAL:
      case Types.NUMERIC:
        return decimal(value, index);
      case Types.BOOLEAN:
      case Types.BIT:
        return flag(value, index);
      case Types.DATE:
        return (int) moment(value, index, zone, "a date").toLocalDate().toEpochDay();
      case Types.TIME:
        return (int) (moment(value, index, zone, "a time").toLocalTime().toNanoOfDay() / 1_000_000);
      case Types.TIMESTAMP:
        return moment(value, index, zone, "a timestamp").toInstant(ZoneOffset.UTC).toEpochMilli();
      case Types.ARRAY:
        return list(value, index);
      default:
        return plain(value, index, zone);
    }
  }

  /**
   * A date or time as SQLite keeps and compares it, where nothing but the setter says that it is
   * one: {@code 2024-01-31}, {@code 23:59:59} or both.
   *
   * @param type DATE, TIME or TIMESTAMP of {@link Types}
   */
  static Object momentText(Object value, int type, int index, TimeZone zone) throws SQLException {
    if (value == null) {
      return null;
    }
    switch (type) {
      case Types.DATE:
        return moment(value, index, zone, "a date").toLocalDate().toString();
      case Types.TIME:
        return sqliteText(moment(value, index, zone, "a time").toLocalTime());
      default:
        return sqliteText(moment(value, index, zone, "a timestamp"));
    }
  }

  private static String sqliteText(LocalDateTime moment) {
    return moment.toLocalDate() + " " + sqliteText(moment.toLocalTime());
  }

  private static String sqliteText(LocalTime time) {
    String text = time.toString();
    return text.length() == 5 ? text + ":00" : text;
  }

  private static SQLException wrong(Object value, int index, String wanted) {
    return FaissErrors.data(
        "Parameter " + index + " must be " + wanted + ", got " + shown(value), SqlState.BAD_CAST);
  }

  private static String shown(Object value) {
    boolean clear =
        value instanceof CharSequence
            || value instanceof Number
            || value instanceof byte[]
            || value instanceof ByteString
            || value instanceof Boolean
            || value instanceof java.util.Date
            || value instanceof Temporal;
    return clear ? Shown.value(value) : "a " + value.getClass().getSimpleName();
  }

  private static ByteString binary(Object value, int index) throws SQLException {
    if (value instanceof byte[] bytes) {
      return new ByteString(bytes);
    } else if (value instanceof ByteString bytes) {
      return bytes;
    } else if (value instanceof ByteBuffer buffer) {
      byte[] bytes = new byte[buffer.remaining()];
      buffer.duplicate().get(bytes);
      return new ByteString(bytes);
    } else if (value instanceof Blob blob) {
      return new ByteString(blob.getBytes(1, (int) blob.length()));
    } else if (value instanceof InputStream in) {
      try {
        return new ByteString(in.readAllBytes());
      } catch (IOException e) {
        throw wrong(value, index, "a stream that can be read (" + e + ")");
      }
    }
    float[] vector = vector(value instanceof Clob clob ? read(clob) : value, index);
    if (vector == null) {
      throw wrong(value, index, "binary: bytes, numbers, or a vector as JSON text ('[1, 2, 3]')");
    }
    return new ByteString(VectorCodec.encode(vector));
  }

  /** The vector that a value stands for, or null if it is none. */
  private static float[] vector(Object value, int index) throws SQLException {
    try {
      if (value instanceof float[] floats) {
        return floats;
      } else if (value instanceof double[] doubles) {
        return Arguments.vector(Arrays.stream(doubles).boxed().toList());
      } else if (value instanceof Number[] array) {
        return Arguments.vector(Arrays.asList(array));
      } else if (value instanceof Array array) {
        Object elements = array.getArray();
        List<Object> numbers = new ArrayList<>();
        for (int i = 0; i < java.lang.reflect.Array.getLength(elements); i++) {
          numbers.add(java.lang.reflect.Array.get(elements, i));
        }
        return Arguments.vector(numbers);
      } else if (value instanceof Collection<?> numbers) {
        return Arguments.vector(new ArrayList<>(numbers));
      } else if (value instanceof String text && text.stripLeading().startsWith("[")) {
        return VectorJson.parse(text);
      }
    } catch (VectorException e) {
      throw FaissErrors.data(
          "Parameter " + index + " must be a vector: " + e.getMessage(), SqlState.DATA);
    }
    return null;
  }

  private static String text(Object value, int index, TimeZone zone) throws SQLException {
    if (value instanceof Clob clob) {
      return read(clob);
    } else if (value instanceof Timestamp
        || value instanceof Instant
        || value instanceof LocalDateTime) {
      return sqliteText(moment(value, index, zone, "text"));
    } else if (value instanceof LocalTime time) {
      return sqliteText(time);
    } else if (value instanceof byte[]
        || value instanceof ByteString
        || value instanceof Blob
        || value instanceof InputStream) {
      throw wrong(value, index, "text");
    }
    return ColumnValues.text(value);
  }

  private static String read(Clob clob) throws SQLException {
    return clob.getSubString(1, (int) clob.length());
  }

  private static long whole(Object value, int index, long min, long max) throws SQLException {
    if (value instanceof Long
        || value instanceof Integer
        || value instanceof Short
        || value instanceof Byte) {
      long number = ((Number) value).longValue();
      if (number >= min && number <= max) {
        return number;
      }
    } else {
      BigDecimal number = decimal(value, index);
      try {
        long exact = number.longValueExact();
        if (exact >= min && exact <= max) {
          return exact;
        }
      } catch (ArithmeticException e) {
        // Said below, with the bounds.
      }
    }
    throw wrong(value, index, "a whole number from " + min + " to " + max);
  }

  private static BigDecimal decimal(Object value, int index) throws SQLException {
    try {
      if (value instanceof BigDecimal number) {
        return number;
      } else if (value instanceof BigInteger number) {
        return new BigDecimal(number);
      } else if (value instanceof Number || value instanceof String) {
        return new BigDecimal(value.toString().strip());
      } else if (value instanceof Boolean flag) {
        return flag ? BigDecimal.ONE : BigDecimal.ZERO;
      }
    } catch (NumberFormatException e) {
      throw wrong(value, index, "a number");
    }
    throw wrong(value, index, "a number");
  }

  private static boolean flag(Object value, int index) throws SQLException {
    if (value instanceof Boolean flag) {
      return flag;
    } else if (value instanceof Number number) {
      return number.doubleValue() != 0;
    } else if (value instanceof String text) {
      Boolean known = ColumnValues.flag(text);
      if (known != null) {
        return known;
      }
    }
    throw wrong(value, index, "true or false");
  }

  private static LocalDateTime moment(Object value, int index, TimeZone zone, String wanted)
      throws SQLException {
    if (value instanceof LocalDateTime moment) {
      return moment;
    } else if (value instanceof LocalDate date) {
      return date.atStartOfDay();
    } else if (value instanceof LocalTime time) {
      return time.atDate(LocalDate.EPOCH);
    } else if (value instanceof Instant instant) {
      return instant.atZone(zone.toZoneId()).toLocalDateTime();
    } else if (value instanceof OffsetDateTime moment) {
      return moment.atZoneSameInstant(zone.toZoneId()).toLocalDateTime();
    } else if (value instanceof ZonedDateTime moment) {
      return moment.withZoneSameInstant(zone.toZoneId()).toLocalDateTime();
    } else if (value instanceof java.util.Date date) {
      return Instant.ofEpochMilli(date.getTime()).atZone(zone.toZoneId()).toLocalDateTime();
    } else if (value instanceof String text) {
      Moment moment = Moment.ofText(text.strip());
      if (moment != null) {
        return moment.local();
      }
    }
    throw wrong(value, index, wanted);
  }

  private static List<?> list(Object value, int index) throws SQLException {
    Object elements = value instanceof Array array ? array.getArray() : value;
    if (elements instanceof Object[] array) {
      return Arrays.asList(array);
    } else if (elements instanceof Collection<?> collection) {
      return new ArrayList<>(collection);
    }
    throw wrong(value, index, "an array");
  }

  /** For a parameter of any type: numbers, text and flags as they are, vectors as blobs. */
  private static Object plain(Object value, int index, TimeZone zone) throws SQLException {
    if (value instanceof String
        || value instanceof Boolean
        || value instanceof BigDecimal
        || value instanceof Long
        || value instanceof Double) {
      return value;
    } else if (value instanceof Float number) {
      return number.doubleValue();
    } else if (value instanceof BigInteger number) {
      return new BigDecimal(number);
    } else if (value instanceof Number number) {
      return number.longValue();
    } else if (value instanceof Date || value instanceof Time) {
      return value.toString();
    } else if (value instanceof Clob
        || value instanceof Timestamp
        || value instanceof Instant
        || value instanceof Character
        || value instanceof Temporal) {
      return text(value, index, zone);
    }
    return binary(value, index);
  }
}
