/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a request goes: the parts of its path, and the format that its last part names.
 *
 * <p>Names are written as Datasette writes them: {@code ~2F} for a byte that is no letter, digit,
 * {@code _} or {@code -}, and {@code +} for a blank.
 *
 * @param parts decoded; empty for {@code /}
 * @param last the last part as it was sent, without its format: the key of a row, with commas
 * @param format json, csv, blob, or "" for a page
 */
record Address(List<String> parts, String last, String format) {
  private static final List<String> FORMATS = List.of("json", "csv", "blob");

  /** Reads a path as it was sent. */
  static Address of(String path) {
    String format = "";
    String rest = path.startsWith("/") ? path.substring(1) : path;
    for (String known : FORMATS) {
      if (rest.endsWith("." + known)) {
        format = known;
        rest = rest.substring(0, rest.length() - known.length() - 1);
        break;
      }
    }
    List<String> parts = new ArrayList<>();
    String last = "";
    for (String part : rest.split("/", -1)) {
      last = percent(part);
      parts.add(decode(last));
    }
    if (parts.get(parts.size() - 1).isEmpty()) {
      parts.remove(parts.size() - 1);
    }
    return new Address(List.copyOf(parts), last, format);
  }

  /** A name as it stands in a path. */
  static String encode(String name) {
    StringBuilder out = new StringBuilder();
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (c < 128 && (Character.isLetterOrDigit(c) || c == '_' || c == '-')) {
        out.append(c);
      } else if (c == ' ') {
        out.append('+');
      } else {
        out.append('~').append(Character.toUpperCase(Character.forDigit(c >> 4, 16)));
        out.append(Character.toUpperCase(Character.forDigit(c & 15, 16)));
      }
    }
    return out.toString();
  }

  /** The name that stands in a path; what is no encoding is itself. */
  static String decode(String part) {
    return unescape(part.replace('+', ' '), '~');
  }

  private static String percent(String part) {
    return unescape(part, '%');
  }

  private static String unescape(String text, char mark) {
    if (text.indexOf(mark) < 0) {
      return text;
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    byte[] out = new byte[bytes.length];
    int n = 0;
    for (int i = 0; i < bytes.length; i++) {
      int high =
          i + 2 <= bytes.length - 1 && bytes[i] == mark ? Character.digit(bytes[i + 1], 16) : -1;
      int low = high < 0 ? -1 : Character.digit(bytes[i + 2], 16);
      if (low >= 0) {
        out[n++] = (byte) (high << 4 | low);
        i += 2;
      } else {
        out[n++] = bytes[i];
      }
    }
    return new String(out, 0, n, StandardCharsets.UTF_8);
  }

  /** The parts of a row's key, which commas separate. */
  List<String> key() {
    return List.of(last.split(",", -1)).stream().map(Address::decode).toList();
  }

  /** A text for the part of an address after the question mark. */
  static String argument(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** The text that {@link #argument} wrote; what is no encoding is itself. */
  static String unargument(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return unescape(text.replace('+', ' '), '%');
    }
  }
}
