/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sqlite.SqliteEvaluator;
import java.util.Set;

/**
 * Functions that SQLite doesn't have and that make a long text of a short one: {@code lpad(text,
 * length[, pad])}, {@code rpad}, {@code repeat(text, times)} and {@code space(length)}; and {@code
 * overlay(text, new, from[, length])}, whose places may be outside of the text.
 *
 * <p>What would be longer than a value may be is refused before it is made. Lengths are in
 * characters of Java's; NULL for an argument gives NULL.
 */
final class GrownTexts {
  private static final Set<String> NAMES = Set.of("lpad", "overlay", "repeat", "rpad", "space");

  private GrownTexts() {}

  static boolean isOne(String name) {
    return NAMES.contains(name);
  }

  static boolean takes(String name, int arguments) {
    int least = name.equals("space") ? 1 : name.equals("overlay") ? 3 : 2;
    return arguments == least
        || arguments == least + 1 && (name.endsWith("pad") || name.equals("overlay"));
  }

  /**
   * The text.
   *
   * @throws FaissException if a length is no whole number, or the text would be too long
   */
  static String call(String name, Object[] arguments) {
    for (Object argument : arguments) {
      if (argument == null) {
        return null;
      }
    }
    if (name.equals("space")) {
      return repeated(name, " ", length(name, arguments[0]));
    }
    String text = text(arguments[0]);
    if (name.equals("overlay")) {
      String part = text(arguments[1]);
      long replaced = arguments.length == 4 ? length(name, arguments[3]) : part.length();
      long from = within(text, length(name, arguments[2]) - 1);
      return text.substring(0, (int) from)
          + part
          + text.substring((int) within(text, from + Math.max(0, replaced)));
    }
    long length = length(name, arguments[1]);
    if (name.equals("repeat")) {
      return repeated(name, text, length);
    }
    String pad = arguments.length == 3 ? text(arguments[2]) : " ";
    if (length <= text.length()) {
      return length < 0 ? null : text.substring(0, (int) length);
    } else if (pad.isEmpty()) {
      return "";
    }
    int missing = bounded(name, length) - text.length();
    String filled = pad.repeat(missing / pad.length()) + pad.substring(0, missing % pad.length());
    return name.equals("lpad") ? filled + text : text + filled;
  }

  private static long within(String text, long place) {
    return Math.max(0, Math.min(text.length(), place));
  }

  private static String repeated(String name, String text, long times) {
    if (times <= 0 || text.isEmpty()) {
      return "";
    }
    long most = SqliteEvaluator.longestValue() + 1L;
    bounded(name, times > most ? most : times * text.length());
    return text.repeat((int) times);
  }

  private static int bounded(String name, long length) {
    if (length > SqliteEvaluator.longestValue()) {
      throw new FaissException(SqlState.DATA, name + ": " + SqliteEvaluator.tooLong()).raise();
    }
    return (int) length;
  }

  private static String text(Object value) {
    return value instanceof String text
        ? text
        : String.valueOf(SqliteEvaluator.call("cast(? as text)", value));
  }

  private static long length(String name, Object value) {
    Object number =
        value instanceof String ? SqliteEvaluator.call("cast(? as numeric)", value) : value;
    if (number instanceof Number given) {
      return given.longValue();
    }
    throw Errors.notAWholeNumber(name, "length", value).raise();
  }
}
