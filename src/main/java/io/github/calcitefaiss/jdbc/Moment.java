/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Date;
import java.sql.Time;
import java.sql.Timestamp;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Calendar;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A date, a time of day, or both, as one of SQLite's three forms says it; it has no zone.
 *
 * <p>These are ISO text ({@code 2024-01-31}, {@code 2024-01-31 23:59:59.5} or with a T, {@code
 * 23:59}), Julian days, and Unix seconds: a number that is no Julian day of the years 0000 to 9999,
 * as SQLite's modifier 'auto' tells them apart.
 *
 * @param date null if it says none
 * @param time null if it says none
 */
record Moment(LocalDate date, LocalTime time) {
  private static final Pattern NUMERIC = Pattern.compile("[-+]?\\d+(\\.\\d*)?([eE][-+]?\\d+)?");
  private static final String TIME = "(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.(\\d{1,18}))?)?";
  private static final Pattern ISO =
      Pattern.compile(
          "(?:(\\d{4})-(\\d\\d)-(\\d\\d))?(?:(?:[ T]+|^)"
              + TIME
              + "\\s*(?:[zZ]|([-+])(\\d\\d):(\\d\\d))?)?");

  private static final BigDecimal FIRST_JULIAN_DAY = new BigDecimal("1721059.5");
  private static final BigDecimal END_OF_JULIAN_DAYS = new BigDecimal("5373484.5");
  private static final BigDecimal JULIAN_DAY_OF_1970 = new BigDecimal("2440587.5");
  private static final BigDecimal FIRST_SECOND = new BigDecimal("-62167219200");
  private static final BigDecimal END_OF_SECONDS = new BigDecimal("253402300800");

  /** What a value of SQLite's says, or null if it is none of the three forms. */
  static Moment of(Object value) {
    if (value instanceof Long || value instanceof Double number && Double.isFinite(number)) {
      return ofNumber(new BigDecimal(value.toString()));
    } else if (value instanceof String text) {
      String stripped = text.strip();
      // A number that was declared to be a date is a text where Calcite reads it.
      return stripped.length() <= 40 && NUMERIC.matcher(stripped).matches()
          ? ofNumber(new BigDecimal(stripped))
          : ofText(stripped);
    }
    return null;
  }

  private static Moment ofNumber(BigDecimal number) {
    BigDecimal seconds = number;
    if (number.signum() >= 0 && number.compareTo(END_OF_JULIAN_DAYS) < 0) {
      if (number.compareTo(FIRST_JULIAN_DAY) < 0) {
        return null;
      }
      BigDecimal days = number.subtract(JULIAN_DAY_OF_1970);
      seconds = days.multiply(BigDecimal.valueOf(86_400)).setScale(3, RoundingMode.HALF_EVEN);
    }
    if (seconds.compareTo(FIRST_SECOND) < 0 || seconds.compareTo(END_OF_SECONDS) >= 0) {
      return null;
    }
    BigDecimal whole = seconds.setScale(0, RoundingMode.FLOOR);
    int nanos = seconds.subtract(whole).movePointRight(9).intValue();
    return of(LocalDateTime.ofEpochSecond(whole.longValueExact(), nanos, ZoneOffset.UTC));
  }

  private static Moment of(LocalDateTime moment) {
    return new Moment(moment.toLocalDate(), moment.toLocalTime());
  }

  /** What ISO text says, or null. */
  static Moment ofText(String text) {
    Matcher iso = ISO.matcher(text);
    if (text.isEmpty() || !iso.matches()) {
      return null;
    }
    try {
      LocalDate date =
          iso.group(1) == null
              ? null
              : LocalDate.of(number(iso, 1), number(iso, 2), number(iso, 3));
      if (iso.group(4) == null) {
        return new Moment(date, null);
      }
      String fraction = iso.group(7) == null ? "" : iso.group(7);
      int nanos = Integer.parseInt((fraction + "000000000").substring(0, 9));
      int second = iso.group(6) == null ? 0 : number(iso, 6);
      LocalTime time = LocalTime.of(number(iso, 4), number(iso, 5), second, nanos);
      if (iso.group(8) == null) {
        return new Moment(date, time);
      }
      // As SQLite's functions do, it is told in UTC.
      int minutes = 60 * number(iso, 9) + number(iso, 10);
      minutes = iso.group(8).equals("-") ? minutes : -minutes;
      return date == null
          ? new Moment(null, time.plusMinutes(minutes))
          : of(date.atTime(time).plusMinutes(minutes));
    } catch (DateTimeException e) {
      return null;
    }
  }

  private static int number(Matcher matcher, int group) {
    return Integer.parseInt(matcher.group(group));
  }

  /** Of a time of day alone, that of the first day of 1970. */
  LocalDateTime local() {
    return (date == null ? LocalDate.EPOCH : date).atTime(time == null ? LocalTime.MIDNIGHT : time);
  }

  Date toDate(Calendar calendar) {
    LocalDate day = local().toLocalDate();
    return isOfMachine(calendar)
        ? Date.valueOf(day)
        : new Date(day.atStartOfDay(zone(calendar)).toInstant().toEpochMilli());
  }

  Time toTime(Calendar calendar) {
    LocalDateTime moment = LocalDate.EPOCH.atTime(local().toLocalTime());
    return new Time(
        isOfMachine(calendar)
            ? Timestamp.valueOf(moment).getTime()
            : moment.atZone(zone(calendar)).toInstant().toEpochMilli());
  }

  Timestamp toTimestamp(Calendar calendar) {
    return isOfMachine(calendar)
        ? Timestamp.valueOf(local())
        : Timestamp.from(local().atZone(zone(calendar)).toInstant());
  }

  /**
   * JDBC's classes show their values in the machine's zone, and in the old calendar before 1582.
   */
  private static boolean isOfMachine(Calendar calendar) {
    return calendar == null || calendar.getTimeZone().hasSameRules(TimeZone.getDefault());
  }

  private static ZoneId zone(Calendar calendar) {
    return calendar.getTimeZone().toZoneId();
  }
}
