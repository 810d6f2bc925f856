/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.util.HexFormat;
import org.apache.calcite.avatica.util.ByteString;

/** Values in the words of a message. */
public final class Shown {
  private static final int LONGEST = 40;

  private Shown() {}

  /** What a value is: {@code the text 'x'}, {@code the number 5}, {@code a blob of 8 bytes}. */
  public static String value(Object value) {
    if (value instanceof byte[] bytes) {
      return blob(bytes.length);
    } else if (value instanceof ByteString bytes) {
      return blob(bytes.length());
    } else if (value instanceof CharSequence text) {
      return "the text '" + shortened(text.toString()) + "'";
    } else if (value instanceof Number) {
      return "the number " + shortened(value.toString());
    }
    return shortened(String.valueOf(value));
  }

  /** An id as a literal of SQL: {@code 7}, {@code 'a'}, {@code x'0102'}. */
  public static String id(Object id) {
    if (id instanceof byte[] bytes) {
      return "x'" + shortened(HexFormat.of().formatHex(bytes)) + "'";
    } else if (id instanceof ByteString bytes) {
      return id(bytes.getBytes());
    }
    return id instanceof String text ? "'" + shortened(text) + "'" : String.valueOf(id);
  }

  private static String blob(int length) {
    return "a blob of " + length + " bytes";
  }

  /** A text, cut where it is long. */
  public static String shortened(String text) {
    if (text.length() <= LONGEST) {
      return text;
    }
    int end = Character.isHighSurrogate(text.charAt(LONGEST - 1)) ? LONGEST - 1 : LONGEST;
    return text.substring(0, end) + "…";
  }
}
