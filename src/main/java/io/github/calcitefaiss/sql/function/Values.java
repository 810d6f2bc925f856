/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.sqlite.SqliteEvaluator;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.calcite.avatica.util.ByteString;

/** SQL values as the functions see them, and SQLite's functions of plain values. */
public final class Values {
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private Values() {}

  /** A blob's digits, upper case. */
  static String hex(byte[] blob) {
    return HEX.formatHex(blob);
  }

  /** The bytes of a binary value, or null if the value is not one. */
  public static byte[] bytes(Object value) {
    return value instanceof ByteString b ? b.getBytes() : value instanceof byte[] b ? b : null;
  }

  /** A number or text as SQLite shows it. */
  static String text(Object value) {
    if (value instanceof Double || value instanceof Float) {
      double number = ((Number) value).doubleValue();
      // SQLite has no NaN, and evaluates it as NULL.
      return Double.isNaN(number)
          ? "NaN"
          : (String) SqliteEvaluator.call("cast(? as text)", (Object) number);
    } else if (value instanceof BigDecimal number) {
      return number.toPlainString();
    } else if (value instanceof Boolean flag) {
      return flag ? "1" : "0";
    }
    return value.toString();
  }

  /** SQLite's {@code hex(x)}: the digits of a blob, or of a text's UTF-8; empty for NULL. */
  public static String sqlHex(Object value) {
    if (value == null) {
      return "";
    }
    byte[] blob = bytes(value);
    return hex(blob != null ? blob : text(value).getBytes(StandardCharsets.UTF_8));
  }

  /** SQLite's {@code length(x)}: bytes of a blob, characters of a text before the first NUL. */
  public static Long sqlLength(Object value) {
    if (value == null) {
      return null;
    }
    byte[] blob = bytes(value);
    if (blob != null) {
      return (long) blob.length;
    }
    String text = text(value);
    int nul = text.indexOf(0);
    return (long) text.codePointCount(0, nul < 0 ? text.length() : nul);
  }
}
