/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.Signature;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.calcite.DataContext;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.InferTypes;
import org.apache.calcite.sql.type.OperandTypes;
import org.apache.calcite.sql.type.ReturnTypes;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeTransforms;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/** Another source's dates and times as the texts that SQLite's functions know. */
public final class Moments {
  private static final SqlFunction DATE = function("DATE_TEXT", "date");
  private static final SqlFunction TIME = function("TIME_TEXT", "time");
  private static final SqlFunction TIMESTAMP = function("TIMESTAMP_TEXT", "timestamp");

  private static final Pattern FULL_DATE = Pattern.compile("\\d{4}-\\d\\d-\\d\\d");
  private static final Pattern FULL_TIME = Pattern.compile("\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?");

  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
  private static final DateTimeFormatter MILLIS =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT);

  private Moments() {}

  /** Whether a type is that of a date, a time or a timestamp. */
  static boolean isOne(RelDataType type) {
    switch (type.getSqlTypeName()) {
      case DATE:
      case TIME:
      case TIMESTAMP:
        return true;
      default:
        return false;
    }
  }

  /** Whether an operator is {@link #text}. */
  static boolean isText(SqlOperator operator) {
    return operator == DATE || operator == TIME || operator == TIMESTAMP;
  }

  /** What makes a text of a date, a time or a timestamp. */
  static SqlFunction text(SqlTypeName type) {
    return type == SqlTypeName.DATE ? DATE : type == SqlTypeName.TIME ? TIME : TIMESTAMP;
  }

  /**
   * Whether a text says a moment of a type in full, so that it may be compared as one; a part of
   * one, such as {@code '2024-01'}, is a text.
   */
  static boolean isFull(String text, SqlTypeName type) {
    try {
      switch (type) {
        case DATE:
          return FULL_DATE.matcher(text).matches() && LocalDate.parse(text) != null;
        case TIME:
          return FULL_TIME.matcher(text).matches() && LocalTime.parse(text) != null;
        default:
          return text.length() > 10
              && text.charAt(10) == ' '
              && isFull(text.substring(0, 10), SqlTypeName.DATE)
              && isFull(text.substring(11), SqlTypeName.TIME);
      }
    } catch (java.time.DateTimeException e) {
      return false;
    }
  }

  // Called by generated code, with values as Calcite holds them.

  /** Days since 1970 as {@code YYYY-MM-DD}. */
  public static String date(DataContext root, Object days) {
    return days == null ? null : LocalDate.ofEpochDay(((Number) days).longValue()).toString();
  }

  /** Milliseconds of a day as {@code HH:MM:SS}, with a fraction if there is one. */
  public static String time(DataContext root, Object millis) {
    return millis == null
        ? null
        : of(LocalTime.ofNanoOfDay(((Number) millis).longValue() * 1_000_000));
  }

  /** Milliseconds since 1970 as {@code YYYY-MM-DD HH:MM:SS}, with a fraction if there is one. */
  public static String timestamp(DataContext root, Object millis) {
    if (millis == null) {
      return null;
    }
    long all = ((Number) millis).longValue();
    LocalDateTime moment =
        LocalDateTime.ofEpochSecond(
            Math.floorDiv(all, 1000L), (int) Math.floorMod(all, 1000L) * 1_000_000, ZoneOffset.UTC);
    return moment.toLocalDate() + " " + of(moment.toLocalTime());
  }

  private static String of(LocalTime time) {
    return (time.getNano() == 0 ? SECONDS : MILLIS).format(time);
  }

  private static SqlFunction function(String name, String method) {
    return new SqlUserDefinedFunction(
        new SqlIdentifier(name, SqlParserPos.ZERO),
        SqlKind.OTHER_FUNCTION,
        ReturnTypes.explicit(SqlTypeName.VARCHAR).andThen(SqlTypeTransforms.FORCE_NULLABLE),
        InferTypes.ANY_NULLABLE,
        OperandTypes.operandMetadata(
            List.of(SqlTypeFamily.ANY),
            factory -> List.of(factory.createSqlType(SqlTypeName.ANY)),
            i -> "moment",
            i -> false),
        Signature.of("moment").scalar(SqlTypeName.VARCHAR, Moments.class, method));
  }
}
