/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.sql.SQLException;
import java.sql.Types;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.calcite.avatica.util.Cursor;

/**
 * The types of {@link Types} that results and parameters have: what kind of value each is, how wide
 * it is shown, and how it is read.
 */
enum JdbcType {
  TINYINT(Types.TINYINT, Kind.INTEGER, 4, (r, c) -> r.orNull(r.getByte(c))),
  SMALLINT(Types.SMALLINT, Kind.INTEGER, 6, (r, c) -> r.orNull(r.getShort(c))),
  INTEGER(Types.INTEGER, Kind.INTEGER, 11, (r, c) -> r.orNull(r.getInt(c))),
  BIGINT(Types.BIGINT, Kind.INTEGER, 20, (r, c) -> r.orNull(r.getLong(c))),
  REAL(Types.REAL, Kind.FRACTION, 15, (r, c) -> r.orNull(r.getFloat(c))),
  FLOAT(Types.FLOAT, Kind.FRACTION, 24, (r, c) -> r.orNull(r.getDouble(c))),
  DOUBLE(Types.DOUBLE, Kind.FRACTION, 24, (r, c) -> r.orNull(r.getDouble(c))),
  DECIMAL(Types.DECIMAL, Kind.FRACTION, 0, (r, c) -> r.getBigDecimal(c)),
  NUMERIC(Types.NUMERIC, Kind.FRACTION, 0, (r, c) -> r.getBigDecimal(c)),
  CHAR(Types.CHAR, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  VARCHAR(Types.VARCHAR, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  LONGVARCHAR(Types.LONGVARCHAR, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  NCHAR(Types.NCHAR, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  NVARCHAR(Types.NVARCHAR, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  LONGNVARCHAR(Types.LONGNVARCHAR, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  CLOB(Types.CLOB, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  NCLOB(Types.NCLOB, Kind.TEXT, 0, (r, c) -> r.getString(c)),
  BINARY(Types.BINARY, Kind.BINARY, 0, (r, c) -> r.getBytes(c)),
  VARBINARY(Types.VARBINARY, Kind.BINARY, 0, (r, c) -> r.getBytes(c)),
  LONGVARBINARY(Types.LONGVARBINARY, Kind.BINARY, 0, (r, c) -> r.getBytes(c)),
  BLOB(Types.BLOB, Kind.BINARY, 0, (r, c) -> r.getBytes(c)),
  BOOLEAN(Types.BOOLEAN, Kind.FLAG, 5, (r, c) -> r.plain(c)),
  BIT(Types.BIT, Kind.FLAG, 5, (r, c) -> r.plain(c)),
  DATE(Types.DATE, Kind.MOMENT, 10, (r, c) -> r.getDate(c)),
  TIME(Types.TIME, Kind.MOMENT, 12, (r, c) -> r.getTime(c)),
  TIMESTAMP(Types.TIMESTAMP, Kind.MOMENT, 23, (r, c) -> r.getTimestamp(c)),
  ARRAY(Types.ARRAY, Kind.NESTED, 0, (r, c) -> r.getArray(c)),
  STRUCT(Types.STRUCT, Kind.NESTED, 0, (r, c) -> r.converted(c, Cursor.Accessor::getStruct)),
  /** A value of any type, and every type that isn't named above. */
  ANY(Types.OTHER, Kind.ANY, 0, (r, c) -> r.plain(c));

  /** What kind of value it is. */
  enum Kind {
    INTEGER,
    FRACTION,
    TEXT,
    BINARY,
    FLAG,
    MOMENT,
    NESTED,
    ANY
  }

  /** Reads a column as an object of the type's class. */
  @FunctionalInterface
  interface Getter {
    Object get(FaissResultSet rows, int column) throws SQLException;
  }

  private static final Map<Integer, JdbcType> BY_CODE =
      Stream.of(values()).collect(Collectors.toMap(type -> type.code, Function.identity()));

  private final int code;
  private final Kind kind;
  private final int width;
  private final Getter getter;

  JdbcType(int code, Kind kind, int width, Getter getter) {
    this.code = code;
    this.kind = kind;
    this.width = width;
    this.getter = getter;
  }

  /** The type of a number of {@link Types}. */
  static JdbcType of(int code) {
    return BY_CODE.getOrDefault(code, ANY);
  }

  Kind kind() {
    return kind;
  }

  /** Whether its values have a sign. */
  boolean isNumber() {
    return kind == Kind.INTEGER || kind == Kind.FRACTION;
  }

  /**
   * How many characters a value needs at most.
   *
   * @param precision of the column; 0 where there is none
   */
  int displaySize(int precision) {
    if (width > 0) {
      return width;
    } else if (kind == Kind.FRACTION) {
      return Math.max(precision, 0) + 2;
    } else if (precision <= 0) {
      return Integer.MAX_VALUE;
    }
    // Of a blob, two hexadecimal digits a byte.
    return kind == Kind.BINARY ? (int) Math.min(2L * precision, Integer.MAX_VALUE) : precision;
  }

  /** A column's value as an object of the type's class, or null. */
  Object read(FaissResultSet rows, int column) throws SQLException {
    return getter.get(rows, column);
  }
}
