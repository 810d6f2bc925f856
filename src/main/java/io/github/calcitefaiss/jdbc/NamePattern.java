/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

/**
 * A pattern of names in the catalogue: {@code %} for any characters, {@code _} for one, {@code \}
 * before either for itself; whatever the case.
 *
 * <p>Each character is looked at as often as there are {@code %}, at most: a pattern comes from
 * whoever asks, and no time-out ends these questions.
 */
final class NamePattern {
  private static final int ANY = -1;
  private static final int ONE = -2;

  private final int[] parts;

  /**
   * @param like as JDBC gives it; null for every name
   */
  NamePattern(String like) {
    if (like == null) {
      parts = new int[] {ANY};
      return;
    }
    int[] points = like.codePoints().toArray();
    int[] found = new int[points.length];
    int length = 0;
    for (int i = 0; i < points.length; i++) {
      boolean escaped = points[i] == '\\' && i + 1 < points.length;
      i += escaped ? 1 : 0;
      found[length++] =
          escaped || points[i] != '%' && points[i] != '_'
              ? folded(points[i])
              : points[i] == '%' ? ANY : ONE;
    }
    parts = java.util.Arrays.copyOf(found, length);
  }

  /** Whether a name is one of those meant. */
  boolean matches(String name) {
    int[] points = name.codePoints().toArray();
    int part = 0;
    int at = 0;
    int any = -1;
    int again = 0;
    while (at < points.length) {
      if (part < parts.length && parts[part] == ANY) {
        any = part++;
        again = at;
      } else if (part < parts.length && (parts[part] == ONE || parts[part] == folded(points[at]))) {
        part++;
        at++;
      } else if (any >= 0) {
        part = any + 1;
        at = ++again;
      } else {
        return false;
      }
    }
    while (part < parts.length && parts[part] == ANY) {
      part++;
    }
    return part == parts.length;
  }

  private static int folded(int point) {
    return Character.toLowerCase(Character.toUpperCase(point));
  }
}
