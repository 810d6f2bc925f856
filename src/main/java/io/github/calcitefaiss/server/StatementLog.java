/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import java.sql.SQLException;
import java.time.Instant;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Writes one line for each execution of a statement, and counts it.
 *
 * <p>What a client sent can neither begin a new line nor carry a terminal's control sequences, and
 * values of parameters are not written at all.
 */
final class StatementLog {
  private static final int LONGEST_SQL = 1000;

  private final Consumer<String> lines;
  private final Metrics metrics;

  StatementLog(Consumer<String> lines, Metrics metrics) {
    this.lines = lines;
    this.metrics = metrics;
  }

  void ended(
      String user,
      String connection,
      String sql,
      Metrics.Outcome outcome,
      long nanos,
      long rows,
      SQLException error) {
    metrics.statement(outcome, nanos, rows);
    StringBuilder line = new StringBuilder();
    line.append("statement user=").append(user == null ? "-" : clean(user));
    line.append(" connection=").append(clean(connection));
    line.append(String.format(Locale.ROOT, " ms=%.1f rows=%d outcome=", nanos / 1e6, rows));
    line.append(outcome.name().toLowerCase(Locale.ROOT));
    if (error != null) {
      line.append(" state=").append(error.getSQLState());
    }
    line.append(" sql=\"").append(clean(sql)).append('"');
    if (error != null) {
      line.append(" error=\"").append(clean(String.valueOf(error.getMessage()))).append('"');
    }
    event(line.toString());
  }

  void event(String text) {
    lines.accept(Instant.now() + " " + text);
  }

  static String clean(String text) {
    StringBuilder out = new StringBuilder();
    int end = Math.min(text.length(), LONGEST_SQL);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      int kind = Character.getType(c);
      boolean blank =
          Character.isISOControl(c)
              || kind == Character.LINE_SEPARATOR
              || kind == Character.PARAGRAPH_SEPARATOR
              || kind == Character.FORMAT;
      if (c == '"') {
        out.append('\\');
      }
      out.append(blank ? ' ' : c);
    }
    return text.length() > end ? out.append('…').toString() : out.toString();
  }
}
