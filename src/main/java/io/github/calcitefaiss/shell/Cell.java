/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * A value as a person reads it: a vector by its first elements, NULL as NULL, text on its lines.
 */
final class Cell {
  private static final int SHOWN = 2;
  private static final int ALL_SHOWN = 4;
  private static final int BYTES_SHOWN = 16;

  /** What a model makes is smaller by far; other blobs hold such numbers by chance. */
  private static final float LARGEST = 1e6f;

  private static final float SMALL = 1e-7f;

  private Cell() {}

  /** The text of a column of the current row. */
  static String text(ResultSet rows, int column, String nullText) throws SQLException {
    Object value = rows.getObject(column);
    if (value == null) {
      return nullText;
    } else if (value instanceof byte[] blob) {
      return blob(blob);
    }
    return visible(rows.getString(column));
  }

  /** A blob as a vector, if it looks like one, or as the beginning of its bytes. */
  static String blob(byte[] blob) {
    float[] vector = vector(blob);
    if (vector == null) {
      return blob.length <= BYTES_SHOWN
          ? "x'" + HexFormat.of().formatHex(blob) + "'"
          : "x'" + HexFormat.of().formatHex(blob, 0, BYTES_SHOWN) + "…' " + blob.length + " bytes";
    }
    StringBuilder text = new StringBuilder("[");
    int shown = vector.length <= ALL_SHOWN ? vector.length : SHOWN;
    for (int i = 0; i < shown; i++) {
      text.append(i > 0 ? ", " : "").append(number(vector[i]));
    }
    return text.append(shown < vector.length ? ", … " + vector.length : "").append(']').toString();
  }

  private static String number(float value) {
    String text = String.format(Locale.ROOT, "%.2f", value);
    boolean whole = value == Math.rint(value) && Math.abs(value) < LARGEST;
    if (whole) {
      return String.valueOf((long) value);
    }
    return Math.abs(value) < 0.005 ? String.format(Locale.ROOT, "%.0e", value) : text;
  }

  private static float[] vector(byte[] blob) {
    if (blob.length < 8) {
      return null;
    }
    try {
      float[] vector = VectorCodec.decode(blob);
      int likely = 0;
      for (float element : vector) {
        float size = Math.abs(element);
        if (size > LARGEST) {
          return null;
        }
        likely += size == 0 || size > SMALL ? 1 : 0;
      }
      if (likely < 0.9 * vector.length) {
        return null;
      }
      return vector;
    } catch (VectorException e) {
      return null;
    }
  }

  /** Keeps line ends, and shows other control characters, which a terminal might obey. */
  private static String visible(String text) {
    StringBuilder visible = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean control = Character.isISOControl(c) && c != '\n';
      if (control && visible == null) {
        visible = new StringBuilder(text.substring(0, i));
      }
      if (visible != null) {
        if (c == '\t') {
          visible.append("    ");
        } else if (control) {
          if (c != '\r') {
            visible.append(c < 32 ? (char) (0x2400 + c) : '\u2421');
          }
        } else {
          visible.append(c);
        }
      }
    }
    return visible == null ? text : visible.toString();
  }
}
