/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * A declared type that says more of a column than SQLite keeps: a date, a time, a timestamp, or a
 * decimal number.
 *
 * @param type DATE, TIME, TIMESTAMP or DECIMAL
 * @param precision digits or characters; 0 for a decimal that declares none
 * @param scale digits after the point
 */
public record DeclaredType(SqlTypeName type, int precision, int scale) {
  private static final Pattern SIZE = Pattern.compile("\\(\\s*(\\d{1,4})\\s*(?:,\\s*(\\d{1,4}))?");

  /**
   * Reads a declaration.
   *
   * @param declared the type as declared, or null
   * @return null where it says no more than SQLite keeps
   */
  public static DeclaredType of(String declared) {
    String text = declared == null ? "" : declared.toUpperCase(Locale.ROOT);
    switch (ColumnType.of(text)) {
      case VARCHAR:
        if (text.contains("CHAR") || text.contains("CLOB") || text.contains("TEXT")) {
          return null;
        } else if (text.contains("DATETIME") || text.contains("TIMESTAMP")) {
          return new DeclaredType(SqlTypeName.TIMESTAMP, 23, 3);
        } else if (text.contains("DATE")) {
          return new DeclaredType(SqlTypeName.DATE, 10, 0);
        }
        return text.contains("TIME") ? new DeclaredType(SqlTypeName.TIME, 12, 3) : null;
      case DOUBLE:
        return isNumeric(text) && !text.contains("MONEY") ? decimal(text) : null;
      default:
        return null;
    }
  }

  /** The type that a column is announced as where no more than what SQLite keeps is said. */
  public static SqlTypeName kept(String declared) {
    return ColumnType.of(declared);
  }

  /** What SQLite keeps in a column declared so where it isn't {@link #isNumeric}. */
  public static SqlTypeName stored(String declared) {
    String text = declared.toUpperCase(Locale.ROOT);
    if (text.contains("INT")) {
      return SqlTypeName.BIGINT;
    } else if (text.contains("CHAR") || text.contains("CLOB") || text.contains("TEXT")) {
      return SqlTypeName.VARCHAR;
    }
    return text.isEmpty() || text.contains("BLOB") ? SqlTypeName.VARBINARY : SqlTypeName.DOUBLE;
  }

  private static DeclaredType decimal(String text) {
    Matcher size = SIZE.matcher(text);
    if (!size.find()) {
      return new DeclaredType(SqlTypeName.DECIMAL, 0, 0);
    }
    int scale = size.group(2) == null ? 0 : Integer.parseInt(size.group(2));
    return new DeclaredType(SqlTypeName.DECIMAL, Integer.parseInt(size.group(1)), scale);
  }

  /**
   * Whether a column declared so keeps every number that is whole as an integer, and no real one.
   */
  public static boolean isNumeric(String declared) {
    String text = declared.toUpperCase(Locale.ROOT);
    for (String other :
        new String[] {"INT", "CHAR", "CLOB", "TEXT", "BLOB", "REAL", "FLOA", "DOUB"}) {
      if (text.contains(other)) {
        return false;
      }
    }
    return !text.isEmpty();
  }
}
