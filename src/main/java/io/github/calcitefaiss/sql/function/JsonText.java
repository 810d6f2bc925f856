/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import com.fasterxml.jackson.core.io.NumberOutput;
import java.util.HexFormat;
import java.util.Locale;

/**
 * JSON text to the character as Python's {@code json.dumps} writes it, which is how the plugin
 * datasette-faiss answers: {@code ", "} between elements, floats as the shortest text that reads
 * back as the same double, characters beyond ASCII escaped.
 */
public final class JsonText {
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private JsonText() {}

  /** A vector as an array of floats, each widened to double. */
  public static String ofVector(float[] vector) {
    StringBuilder out = new StringBuilder(vector.length * 20 + 2);
    out.append('[');
    for (int i = 0; i < vector.length; i++) {
      if (i > 0) {
        out.append(", ");
      }
      appendDouble(out, vector[i]);
    }
    return out.append(']').toString();
  }

  /** Appends an id: a number or a string by its type, a blob as the string of its hex digits. */
  public static void appendId(StringBuilder out, Object id) {
    if (id instanceof Double || id instanceof Float) {
      appendDouble(out, ((Number) id).doubleValue());
    } else if (id == null || id instanceof Number || id instanceof Boolean) {
      out.append(id);
    } else {
      appendString(out, id instanceof byte[] blob ? HEX.formatHex(blob) : id.toString());
    }
  }

  /** Appends a double as Python's {@code repr} does: an exponent below 1e-4 and from 1e16 on. */
  public static void appendDouble(StringBuilder out, double value) {
    // Double.toString of JDK 17 doesn't always give the shortest text (JDK-4511638).
    String text = NumberOutput.toString(value, true);
    int e = text.indexOf('E');
    String mantissa = e < 0 ? text : text.substring(0, e);
    int exponent = e < 0 ? 0 : Integer.parseInt(text.substring(e + 1));
    if (mantissa.startsWith("-")) {
      out.append('-');
      mantissa = mantissa.substring(1);
    }
    int point = mantissa.indexOf('.');
    if (point < 0) {
      out.append(mantissa); // NaN, Infinity
      return;
    }
    String digits = mantissa.substring(0, point) + mantissa.substring(point + 1);
    // The value is 0.DIGITS × 10^scale.
    int scale = point + exponent;
    int leading = 0;
    while (leading < digits.length() - 1 && digits.charAt(leading) == '0') {
      leading++;
    }
    digits = digits.substring(leading);
    scale -= leading;
    int end = digits.length();
    while (end > 1 && digits.charAt(end - 1) == '0') {
      end--;
    }
    digits = digits.substring(0, end);
    if (digits.equals("0")) {
      out.append("0.0");
    } else if (scale > 16 || scale <= -4) {
      out.append(digits.charAt(0));
      if (end > 1) {
        out.append('.').append(digits, 1, end);
      }
      int power = scale - 1;
      out.append('e').append(power < 0 ? '-' : '+');
      out.append(String.format(Locale.ROOT, "%02d", Math.abs(power)));
    } else if (scale <= 0) {
      out.append("0.").append("0".repeat(-scale)).append(digits);
    } else if (scale >= end) {
      out.append(digits).append("0".repeat(scale - end)).append(".0");
    } else {
      out.append(digits, 0, scale).append('.').append(digits, scale, end);
    }
  }

  private static void appendString(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"':
          out.append("\\\"");
          break;
        case '\\':
          out.append("\\\\");
          break;
        case '\n':
          out.append("\\n");
          break;
        case '\r':
          out.append("\\r");
          break;
        case '\t':
          out.append("\\t");
          break;
        case '\f':
          out.append("\\f");
          break;
        case '\b':
          out.append("\\b");
          break;
        default:
          if (c < ' ' || c > '~' + 1) {
            out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            out.append(c);
          }
      }
    }
    out.append('"');
  }

  /** A JSON array of what was found: of ids, or of pairs of id and distance. */
  public static final class Hits {
    private final StringBuilder out = new StringBuilder("[");
    private final boolean scores;

    /**
     * Begins an array.
     *
     * @param scores whether each hit is a pair of id and distance
     */
    public Hits(boolean scores) {
      this.scores = scores;
    }

    /** Appends a hit. */
    public void add(Object id, double distance) {
      if (out.length() > 1) {
        out.append(", ");
      }
      if (scores) {
        out.append('[');
        appendId(out, id);
        out.append(", ");
        appendDouble(out, distance);
        out.append(']');
      } else {
        appendId(out, id);
      }
    }

    /** The text of the array. */
    public String json() {
      return out + "]";
    }
  }
}
