/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * A statement's text, cut into tokens by SQLite's rules: what can be known of it without a parser.
 *
 * <p>Whatever the text, it can be cut: what fits no rule is a token of one character, and an open
 * quote or comment reaches to the end.
 */
public final class SqliteText {
  /** What a token is. */
  public enum Kind {
    /** A keyword or a name without quotes. */
    WORD,
    /** A name in quotes: {@code "a"}, {@code `a`}, {@code [a]}. */
    QUOTED,
    /** A text or blob literal. */
    STRING,
    /** A number. */
    NUMBER,
    /** A parameter: {@code ?}, {@code ?1}, {@code :a}, {@code @a}, {@code $a}. */
    PARAMETER,
    /** Anything else. */
    OPERATOR
  }

  /**
   * A token.
   *
   * @param start where it begins in the text
   * @param end where it ends, exclusive
   * @param text as written
   */
  public record Token(Kind kind, int start, int end, String text) {
    /** Whether it is a keyword, whatever its case. */
    public boolean is(String word) {
      return kind == Kind.WORD && text.equalsIgnoreCase(word);
    }

    /** Whether it is an operator or punctuation. */
    public boolean isOperator(String operator) {
      return kind == Kind.OPERATOR && text.equals(operator);
    }

    /** The name that it stands for, without quotes. */
    public String name() {
      if (kind != Kind.QUOTED || text.length() < 2) {
        return text;
      }
      char quote = text.charAt(0);
      String inner = text.substring(1, text.length() - 1);
      return quote == '[' ? inner : inner.replace("" + quote + quote, "" + quote);
    }
  }

  private static final List<String> OPERATORS =
      List.of(
          "->>", "<->", "<=>", "<#>", "<+>", "->", "::", "||", "<<", ">>", "<=", ">=", "<>", "!=",
          "==");

  /** Functions that make much of little, or go through a text several times. */
  private static final Set<String> LONG_CALLS =
      Set.of(
          "concat",
          "concat_ws",
          "format",
          "hex",
          "json_patch",
          "json_pretty",
          "json_set",
          "ltrim",
          "printf",
          "quote",
          "randomblob",
          "replace",
          "rtrim",
          "trim",
          "unhex",
          "zeroblob");

  private static final Set<String> SORTING =
      Set.of("order", "group", "distinct", "union", "intersect", "except", "over");

  private final String sql;
  private final List<Token> tokens = new ArrayList<>();
  private final Set<String> words = new TreeSet<>();

  /** Cuts a text. */
  public SqliteText(String sql) {
    this.sql = sql;
    int at = 0;
    while (at < sql.length()) {
      at = next(at);
    }
    for (Token token : tokens) {
      if (token.kind() == Kind.WORD) {
        words.add(token.text().toLowerCase(Locale.ROOT));
      } else if (token.kind() == Kind.QUOTED) {
        words.add(token.name().toLowerCase(Locale.ROOT));
      } else if (token.kind() == Kind.OPERATOR && token.text().length() > 1) {
        words.add(token.text());
      }
    }
  }

  /** The text. */
  public String sql() {
    return sql;
  }

  /** The tokens, without blanks and comments. */
  public List<Token> tokens() {
    return tokens;
  }

  /** Keywords, names and operators of several characters, in lower case. */
  public Set<String> words() {
    return words;
  }

  /** The first keyword in lower case; empty if the text doesn't begin with one. */
  public String verb() {
    for (Token token : tokens) {
      if (!token.isOperator("(")) {
        return token.kind() == Kind.WORD ? token.text().toLowerCase(Locale.ROOT) : "";
      }
    }
    return "";
  }

  /** Whether there is more than one statement. */
  public boolean isSeveral() {
    for (int i = 0; i + 1 < tokens.size(); i++) {
      if (tokens.get(i).isOperator(";") && !tokens.get(i + 1).isOperator(";")) {
        return true;
      }
    }
    return false;
  }

  /** Whether SQLite may have to see all rows before it gives the first one. */
  public boolean mayHaveToSort() {
    return SORTING.stream().anyMatch(words::contains);
  }

  /** Whether it calls a function whose one call may take long, and looks at no cancel flag. */
  public boolean mayMakeLongValues() {
    return LONG_CALLS.stream().anyMatch(words::contains);
  }

  /** Names that qualify others: those before a dot. */
  public Set<String> qualifiers() {
    Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    for (int i = 0; i + 1 < tokens.size(); i++) {
      Token token = tokens.get(i);
      if (tokens.get(i + 1).isOperator(".")
          && (token.kind() == Kind.WORD || token.kind() == Kind.QUOTED)) {
        names.add(token.name());
      }
    }
    return names;
  }

  private int next(int start) {
    char c = sql.charAt(start);
    if (Character.isWhitespace(c)) {
      return start + 1;
    } else if (sql.startsWith("--", start)) {
      int newline = sql.indexOf('\n', start);
      return newline < 0 ? sql.length() : newline + 1;
    } else if (sql.startsWith("/*", start)) {
      int close = sql.indexOf("*/", start + 2);
      return close < 0 ? sql.length() : close + 2;
    } else if (c == '\'') {
      return add(Kind.STRING, start, quoted(start, '\''));
    } else if (c == '"' || c == '`') {
      return add(Kind.QUOTED, start, quoted(start, c));
    } else if (c == '[') {
      int close = sql.indexOf(']', start);
      return add(Kind.QUOTED, start, close < 0 ? sql.length() : close + 1);
    } else if ((c == 'x' || c == 'X') && sql.startsWith("'", start + 1)) {
      return add(Kind.STRING, start, quoted(start + 1, '\''));
    } else if (Character.isDigit(c)
        || c == '.' && start + 1 < sql.length() && Character.isDigit(sql.charAt(start + 1))) {
      return add(Kind.NUMBER, start, number(start));
    } else if (isName(c)) {
      return add(Kind.WORD, start, word(start));
    } else if (c == '?' || (c == ':' || c == '@' || c == '$') && isNameAt(start + 1)) {
      return add(Kind.PARAMETER, start, word(start + 1));
    }
    for (String operator : OPERATORS) {
      if (sql.startsWith(operator, start)) {
        return add(Kind.OPERATOR, start, start + operator.length());
      }
    }
    return add(Kind.OPERATOR, start, start + 1);
  }

  private int add(Kind kind, int start, int end) {
    tokens.add(new Token(kind, start, end, sql.substring(start, end)));
    return end;
  }

  private int quoted(int start, char quote) {
    int at = start + 1;
    while (true) {
      int close = sql.indexOf(quote, at);
      if (close < 0) {
        return sql.length();
      } else if (close + 1 < sql.length() && sql.charAt(close + 1) == quote) {
        at = close + 2;
      } else {
        return close + 1;
      }
    }
  }

  private int number(int start) {
    int at = start;
    while (at < sql.length()) {
      char c = sql.charAt(at);
      boolean sign = (c == '+' || c == '-') && isExponent(start, at - 1);
      if (!sign && !Character.isLetterOrDigit(c) && c != '.' && c != '_') {
        break;
      }
      at++;
    }
    return at;
  }

  private boolean isExponent(int start, int at) {
    return at > start
        && (sql.charAt(at) == 'e' || sql.charAt(at) == 'E')
        && !sql.regionMatches(true, start, "0x", 0, 2);
  }

  private int word(int start) {
    int at = start;
    while (at < sql.length() && (isName(sql.charAt(at)) || Character.isDigit(sql.charAt(at)))) {
      at++;
    }
    return at;
  }

  private boolean isNameAt(int at) {
    return at < sql.length() && (isName(sql.charAt(at)) || Character.isDigit(sql.charAt(at)));
  }

  private static boolean isName(char c) {
    return Character.isLetter(c) || c == '_' || c == '$' || c > 127;
  }
}
