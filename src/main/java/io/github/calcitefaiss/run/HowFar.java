/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.util.Locale;

/** How far something is that takes long, for the person who waits. */
public final class HowFar {
  private HowFar() {}

  /**
   * Rows done, of how many, and the time that is left if it goes on so.
   *
   * @param all about how many there are; fewer than are done where nobody knows
   * @param nanos what the rows done took
   */
  public static String rows(long done, long all, long nanos) {
    if (all < done || done == 0) {
      return String.format(Locale.ROOT, "%,d rows", done);
    }
    double seconds = (double) nanos / done * (all - done) / 1e9;
    return String.format(Locale.ROOT, "%,d of %,d rows, %s left", done, all, time(seconds));
  }

  /** Seconds as a person says them. */
  public static String time(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60
        ? whole + " s"
        : whole < 3600
            ? String.format(Locale.ROOT, "%d:%02d min", whole / 60, whole % 60)
            : String.format(Locale.ROOT, "%d:%02d h", whole / 3600, whole % 3600 / 60);
  }
}
