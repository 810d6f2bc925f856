/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of memory as people write them: {@code 512MB}, {@code 2 GB}, {@code 65536}. */
public final class MemorySize {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,18})\\s*([kmgt]?)i?b?");
  private static final String UNITS = "kmgt";

  private MemorySize() {}

  /** Bytes of a text, units being powers of 1024; -1 if it is no such text or too much. */
  public static long parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      return -1;
    }
    int shift = matcher.group(2).isEmpty() ? 0 : 10 * (UNITS.indexOf(matcher.group(2)) + 1);
    long number = Long.parseLong(matcher.group(1));
    return number > Long.MAX_VALUE >> shift ? -1 : number << shift;
  }

  /** Bytes in the unit that suits them, rounded. */
  public static String format(long bytes) {
    if (bytes < 10 << 10) {
      return bytes + " bytes";
    } else if (bytes < 10 << 20) {
      return Math.round(bytes / 1024.0) + " KB";
    } else if (bytes < 10L << 30) {
      return Math.round(bytes / 1024.0 / 1024.0) + " MB";
    }
    return Math.round(bytes / 1024.0 / 1024.0 / 1024.0) + " GB";
  }
}
