/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A value as a page shows it.
 *
 * @param kind what it is
 * @param text what stands there
 * @param title more of it, shown when pointed at; or null
 * @param href where the text leads, or null
 * @param picture the path of a vector's picture, or null
 * @param json where a vector's elements are, or null
 * @param blob where the bytes are, or null
 * @param near where the rows nearest to a vector are, or null
 */
record Cell(
    Kind kind,
    String text,
    String title,
    String href,
    String picture,
    String json,
    String blob,
    String near) {
  /** What a value is. */
  enum Kind {
    NULL,
    NUMBER,
    TEXT,
    LINK,
    VECTOR,
    BLOB;

    String css() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Characters of a text that stand in a table of many rows. */
  static final int LONGEST = 2048;

  private static final Pattern ADDRESS = Pattern.compile("https?://[^\\s<>\"]+");
  private static final int BARS = 48;
  private static final int HEIGHT = 16;

  /** Addresses for a value that is a blob; each may be null. */
  record Addresses(String json, String blob, String near) {
    static final Addresses NONE = new Addresses(null, null, null);
  }

  /**
   * A value.
   *
   * @param longest characters of a text to show
   */
  static Cell of(Object value, int longest, Addresses addresses) {
    if (value == null) {
      return plain(Kind.NULL, "NULL", null);
    } else if (value instanceof Number) {
      return plain(Kind.NUMBER, JsonAnswer.text(value), null);
    } else if (value instanceof byte[] bytes) {
      float[] vector = vector(bytes);
      if (vector == null) {
        String text = String.format(Locale.ROOT, "%,d bytes", bytes.length);
        return new Cell(Kind.BLOB, text, null, null, null, null, addresses.blob(), null);
      }
      return new Cell(
          Kind.VECTOR,
          vector.length + " × float32",
          first(vector),
          null,
          picture(vector),
          addresses.json(),
          addresses.blob(),
          addresses.near());
    }
    String text = value.toString();
    if (text.length() < LONGEST && ADDRESS.matcher(text).matches()) {
      return new Cell(Kind.LINK, text, null, text, null, null, null, null);
    }
    if (text.length() > longest) {
      int end = longest - (Character.isHighSurrogate(text.charAt(longest - 1)) ? 1 : 0);
      String all = String.format(Locale.ROOT, "%,d characters", text.length());
      return plain(Kind.TEXT, text.substring(0, end) + "…", all);
    }
    return plain(Kind.TEXT, text, null);
  }

  private static Cell plain(Kind kind, String text, String title) {
    return new Cell(kind, text, title, null, null, null, null, null);
  }

  Cell withHref(String address) {
    return new Cell(kind, text, title, address, picture, json, blob, near);
  }

  /** The elements, if the bytes are float32 as models make them; else null. */
  static float[] vector(byte[] bytes) {
    if (bytes.length < 8 || bytes.length % 4 != 0) {
      return null;
    }
    float[] vector = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(vector);
    int likely = 0;
    for (float element : vector) {
      double size = Math.abs(element);
      likely += element == 0 || size >= 1e-6 && size <= 1e6 ? 1 : 0;
    }
    return likely >= 0.95 * vector.length ? vector : null;
  }

  private static String first(float[] vector) {
    StringBuilder out = new StringBuilder("[");
    for (int i = 0; i < Math.min(6, vector.length); i++) {
      out.append(i == 0 ? "" : ", ").append(String.format(Locale.ROOT, "%.4g", vector[i]));
    }
    return out.append(vector.length > 6 ? ", …]" : "]").toString();
  }

  /** A bar for each of at most 48 stretches of elements: their mean, from the middle up or down. */
  private static String picture(float[] vector) {
    int bars = Math.min(BARS, vector.length);
    double[] means = new double[bars];
    double most = 0;
    for (int i = 0; i < bars; i++) {
      int from = (int) ((long) i * vector.length / bars);
      int to = (int) ((long) (i + 1) * vector.length / bars);
      for (int j = from; j < to; j++) {
        means[i] += Float.isFinite(vector[j]) ? vector[j] / (to - from) : 0;
      }
      most = Math.max(most, Math.abs(means[i]));
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < bars; i++) {
      long height = most == 0 ? 0 : Math.round(means[i] / most * HEIGHT / 2);
      if (height != 0) {
        out.append('M').append(i).append(' ').append(HEIGHT / 2).append('v').append(-height);
      }
    }
    return out.toString();
  }
}
