/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.sql.parser.SqliteText;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes one line for each execution of a statement, and counts it.
 *
 * <p>What a client sent can neither begin a new line or field nor carry a terminal's control
 * sequences. Values are not written: of texts, vectors and numbers in a statement, and of what a
 * message quotes that is no name in the statement, {@code …} is left; of comments nothing.
 */
final class StatementLog {
  private static final int LONGEST_SQL = 1000;

  /** How much of a statement is looked at for what is shown of it. */
  private static final int LONGEST_READ = 8 * LONGEST_SQL;

  private static final Pattern PLAIN = Pattern.compile("[\\w.@:/+-]+");
  private static final Pattern WORD = Pattern.compile("[\\w.$ ]+");
  private static final Pattern QUOTED =
      Pattern.compile("'(?:[^']|'(?=\\w))*'|\"[^\"]*\"|\\[[^\\]]*\\]", Pattern.DOTALL);

  /** A number that isn't part of a name, nor a place or a limit of the server's. */
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?<![\\w.$…])(?<!(?:line|column|timeout of|place|item) )[-+]?\\d[\\w.]*(?:(?<=[eE])[-+]\\d+)?"
              + "(?! ms\\b)");

  private static final Pattern DOUBLE_QUOTE = Pattern.compile("\"");

  /** But no apostrophe. */
  private static final Pattern SINGLE_QUOTE = Pattern.compile("(?<!\\w)'|'(?!\\w)");

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
    // Not all of a long one, which would cost more than the statement.
    boolean cut = sql.length() > LONGEST_READ;
    String named = withoutValues(cut ? sql.substring(0, LONGEST_READ) : sql) + (cut ? "…" : "");
    line.append("statement user=").append(user == null ? "-" : field(user));
    line.append(" connection=").append(field(connection));
    line.append(String.format(Locale.ROOT, " ms=%.1f rows=%d outcome=", nanos / 1e6, rows));
    line.append(outcome.name().toLowerCase(Locale.ROOT));
    if (error != null) {
      line.append(" state=").append(error.getSQLState());
    }
    line.append(" sql=\"").append(clean(named)).append('"');
    if (error != null) {
      line.append(" error=\"")
          .append(clean(withoutValues(String.valueOf(error.getMessage()), named)))
          .append('"');
    }
    event(line.toString());
  }

  void event(String text) {
    lines.accept(Instant.now() + " " + text);
  }

  /**
   * A statement with an ellipsis for each text, blob and number and each name in quotes that may be
   * a text, and without comments.
   */
  private static String withoutValues(String sql) {
    StringBuilder out = new StringBuilder();
    int end = 0;
    List<SqliteText.Token> tokens = new SqliteText(sql).tokens();
    for (int i = 0; i < tokens.size(); i++) {
      SqliteText.Token token = tokens.get(i);
      if (token.start() > end && !out.isEmpty()) {
        out.append(' ');
      }
      switch (token.kind()) {
        case STRING -> out.append("'…'");
        case NUMBER -> out.append('…');
        case QUOTED -> {
          char close = token.text().charAt(0) == '[' ? ']' : token.text().charAt(0);
          out.append(mayBeText(tokens, i) ? token.text().charAt(0) + "…" + close : token.text());
        }
        default -> out.append(token.text());
      }
      end = token.end();
    }
    return out.toString();
  }

  /** SQLite takes a name in quotes for a text where there is no such column. */
  private static boolean mayBeText(List<SqliteText.Token> tokens, int i) {
    SqliteText.Token token = tokens.get(i);
    SqliteText.Token before = i == 0 ? null : tokens.get(i - 1);
    SqliteText.Token after = i + 1 == tokens.size() ? null : tokens.get(i + 1);
    boolean name =
        before != null
                && (before.isOperator(".")
                    || before.is("from")
                    || before.is("join")
                    || before.is("as"))
            || after != null && (after.isOperator(".") || after.isOperator("("));
    return !name;
  }

  /** A message with an ellipsis in what it quotes, unless that is a word of the statement. */
  private static String withoutValues(String message, String sql) {
    StringBuilder out = new StringBuilder();
    Matcher quoted = QUOTED.matcher(message);
    while (quoted.find()) {
      String text = quoted.group();
      String inner = text.substring(1, text.length() - 1);
      boolean name = WORD.matcher(inner).matches() && sql.contains(inner);
      String open = text.substring(0, 1);
      String close = text.substring(text.length() - 1);
      quoted.appendReplacement(out, Matcher.quoteReplacement(name ? text : open + "…" + close));
    }
    String shown = quoted.appendTail(out).toString();
    for (Pattern quote : List.of(DOUBLE_QUOTE, SINGLE_QUOTE)) {
      // One that nothing closes belongs to a value, and so does what is behind it.
      List<Integer> places = quote.matcher(shown).results().map(MatchResult::start).toList();
      if (places.size() % 2 != 0) {
        shown = shown.substring(0, places.get(0)) + "…";
      }
    }
    return NUMBER.matcher(shown).replaceAll("…");
  }

  /** A field's value, in quotes if it could be taken for more than that. */
  private static String field(String value) {
    return PLAIN.matcher(value).matches() ? value : '"' + clean(value) + '"';
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
      if (c == '"' || c == '\\') {
        out.append('\\');
      }
      out.append(blank ? ' ' : c);
    }
    return text.length() > end ? out.append('…').toString() : out.toString();
  }
}
