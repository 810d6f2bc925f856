/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.parser.SqliteText;
import io.github.calcitefaiss.sql.parser.SqliteText.Kind;
import io.github.calcitefaiss.sql.parser.SqliteText.Token;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why a statement's text can't be read, told by the words around the place where reading ended. */
final class SyntaxAdvice {
  private static final Pattern LEXICAL =
      Pattern.compile("^Syntax error: Lexical error .*Encountered: .* \\((\\d+)\\), after.*$");

  /** Where an error is, as messages say it. */
  static final Pattern PLACE = Pattern.compile("line (\\d+), column (\\d+)");

  /** Quotes as word processors set them. */
  private static final String TYPOGRAPHIC = "‘’‚‛“”„‟«»‹›′″´";

  /** Words that no value or name can stand before without something between. */
  private static final Set<String> CLAUSES =
      Set.of(
          "select",
          "from",
          "where",
          "group",
          "order",
          "having",
          "limit",
          "offset",
          "union",
          "on",
          "join",
          "left",
          "right",
          "inner",
          "cross",
          "full",
          "natural",
          "using",
          "as",
          "and",
          "or",
          "not",
          "in",
          "is",
          "like",
          "glob",
          "between",
          "case",
          "when",
          "then",
          "else",
          "end",
          "by",
          "distinct",
          "all",
          "asc",
          "desc",
          "with",
          "values",
          "exists",
          "over",
          "except",
          "intersect",
          "fetch",
          "nulls",
          "escape",
          "collate",
          "cast",
          "filter",
          "window",
          "lateral");

  private final String message;
  private final SqliteText text;
  private final List<Token> tokens;
  private final int at;

  private SyntaxAdvice(String message, String sql) {
    this.message = message;
    this.text = new SqliteText(sql);
    this.tokens = text.tokens();
    Matcher place = PLACE.matcher(message);
    int offset =
        place.find()
            ? offset(sql, Integer.parseInt(place.group(1)), Integer.parseInt(place.group(2)))
            : sql.length();
    boolean end = message.contains("unexpected end");
    int token = 0;
    while (token < tokens.size() && (end || tokens.get(token).end() <= offset)) {
      token++;
    }
    this.at = token;
  }

  /** The sentence, or null where there is nothing to add. */
  static String of(String message, String sql) {
    Matcher lexical = LEXICAL.matcher(message);
    if (lexical.matches()) {
      return character(message, Integer.parseInt(lexical.group(1)));
    }
    SyntaxAdvice advice = new SyntaxAdvice(message, sql);
    String open = advice.open();
    if (open != null) {
      return open;
    }
    String why = advice.why();
    return why == null ? null : shortened(message) + ": " + why;
  }

  /** Without what the grammar would take instead, of which a newcomer makes nothing. */
  static String shortened(String message) {
    int expected = message.indexOf("; expected");
    return expected < 0 ? message : message.substring(0, expected);
  }

  static int offset(String sql, int line, int column) {
    int at = 0;
    for (int i = 1; i < line && sql.indexOf('\n', at) >= 0; i++) {
      at = sql.indexOf('\n', at) + 1;
    }
    return at + column - 1;
  }

  private static String character(String message, int code) {
    String c = Character.toString(code);
    String place = message.substring(message.lastIndexOf(" (line"));
    String why =
        TYPOGRAPHIC.contains(c)
            ? ": texts have straight quotes, 'text', and names \"name\""
            : c.equals("\\") ? ": commands with a backslash are psql's" : "";
    return "Syntax error at '" + c + "'" + place + why;
  }

  /** The quote that reaches to the end of the text; null if there is none. */
  private String open() {
    if (tokens.isEmpty()) {
      return null;
    }
    Token last = tokens.get(tokens.size() - 1);
    String written = last.text();
    int quote = "'\"`[".indexOf(written.charAt(0));
    boolean closed =
        written.length() > 1
            && written.endsWith("'\"`]".substring(Math.max(0, quote), Math.max(0, quote) + 1));
    if (quote >= 0 && !closed) {
      return "Syntax error: the "
          + written.charAt(0)
          + " "
          + place(text.sql(), last.start())
          + " has no partner";
    }
    return message.contains("Encountered: <EOF> after")
        ? "Syntax error: unexpected end" + message.substring(message.lastIndexOf(" (line"))
        : null;
  }

  /** A place in a text, as messages say it. */
  static String place(String sql, int offset) {
    String before = sql.substring(0, offset);
    long line = before.chars().filter(c -> c == '\n').count() + 1;
    return "(line " + line + ", column " + (offset - before.lastIndexOf('\n')) + ")";
  }

  private Token token(int offset) {
    int i = at + offset;
    return i >= 0 && i < tokens.size() ? tokens.get(i) : null;
  }

  private boolean is(int offset, String... words) {
    Token token = token(offset);
    for (String word : words) {
      if (token != null && (token.is(word) || token.isOperator(word))) {
        return true;
      }
    }
    return false;
  }

  private String why() {
    String sql = text.sql().toLowerCase(Locale.ROOT);
    if (sql.matches("(?s).*\\blimit\\b[^()']*\\border\\s+by\\b.*") && is(0, "order")) {
      return "ORDER BY stands before LIMIT";
    } else if (sql.matches("(?s)\\s*select\\s+(top|first)\\s+\\d+.*") && at == 2) {
      String word = tokens.get(1).text().toUpperCase(Locale.ROOT);
      return "there is no " + word + "; LIMIT n stands at the end";
    } else if (sql.matches("(?s)\\s*select\\s+distinct\\s+on\\b.*") && at == 2) {
      return "there is no DISTINCT ON; ROW_NUMBER() OVER (PARTITION BY …) numbers the rows of a group";
    } else if (sql.matches("(?s)\\s*explain\\s+plan\\s+(?!for\\b).*")) {
      return "EXPLAIN PLAN FOR SELECT …, or EXPLAIN QUERY PLAN SELECT …";
    } else if (sql.matches("(?s).*\\bcount\\s+\\*.*")) {
      return "count(*)";
    } else if (message.contains("BETWEEN operator has no terminating AND")) {
      return "BETWEEN a AND b";
    }
    String operator = operator();
    if (operator != null) {
      return operator;
    }
    String pair = pair();
    return pair != null ? pair : between();
  }

  private String operator() {
    String here = token(0) == null ? "" : token(0).text();
    String two = here + (token(1) == null ? "" : token(1).text());
    return switch (two.length() > 2 ? two.substring(0, 2) : two) {
      case "&&" -> "and is written AND";
      case "=<" -> "less or equal is written <=";
      case "=>" -> "greater or equal is written >=";
      case "><" -> "unequal is written <> or !=";
      case "{{", "${" -> "a template's place that nothing was put in";
      default -> null;
    };
  }

  /** A parenthesis or a CASE that has no end, or no beginning. */
  private String pair() {
    int depth = 0;
    int cases = 0;
    Token open = null;
    for (int i = 0; i < Math.min(at, tokens.size()); i++) {
      Token token = tokens.get(i);
      depth += token.isOperator("(") ? 1 : token.isOperator(")") ? -1 : 0;
      cases += token.is("case") ? 1 : token.is("end") ? -1 : 0;
      open = token.isOperator("(") ? token : open;
    }
    long opened = tokens.stream().filter(token -> token.isOperator("(")).count();
    long closed = tokens.stream().filter(token -> token.isOperator(")")).count();
    boolean clause =
        token(0) == null || is(0, "from", "where", "group", "order", "having", "limit", ";");
    if (clause && cases > 0) {
      return "CASE has no END";
    } else if (clause
        && depth > 0
        && opened > closed
        && (token(-1) == null || !is(-1, "(", ",", "from", "where"))) {
      return "a ( has no )";
    }
    return is(0, ")") && depth <= 0 ? "it has no ( before it" : null;
  }

  private String between() {
    Token here = token(0);
    Token before = token(-1);
    if (here == null || before == null) {
      return null;
    } else if (here.isOperator(",") && before.kind() == Kind.NUMBER) {
      return "numbers have no commas";
    } else if (here.isOperator(",") && is(1, "from", ",", ")", "where", "order")
        || is(0, "from", ")") && is(-1, ",")) {
      return "a comma too many";
    } else if (here.is("select") && !is(-1, "(", "all", "union", "as", "explain", "for", "plan")) {
      return text.words().contains("with") || text.verb().equals("explain")
          ? null
          : "a semicolon is missing before it";
    }
    if (!value(here) || !value(before) && !before.isOperator(")")) {
      return null;
    }
    String list = list();
    return list.equals("select") || list.equals("(")
        ? "a comma is missing before it"
        : list.equals("where") ? "AND or OR is missing before it" : null;
  }

  /** What the place is in: an open parenthesis, or after a keyword. */
  private String list() {
    int depth = 0;
    for (int i = Math.min(at, tokens.size()) - 1; i >= 0; i--) {
      Token token = tokens.get(i);
      depth += token.isOperator(")") ? 1 : token.isOperator("(") ? -1 : 0;
      if (depth < 0) {
        return "(";
      }
      String word = token.text().toLowerCase(Locale.ROOT);
      if (depth == 0 && token.kind() == Kind.WORD && CLAUSES.contains(word) && !word.equals("as")) {
        return List.of("and", "or", "on").contains(word) ? "where" : word;
      }
    }
    return "";
  }

  private static boolean value(Token token) {
    return switch (token.kind()) {
      case STRING, NUMBER, QUOTED -> true;
      case WORD -> !CLAUSES.contains(token.text().toLowerCase(Locale.ROOT));
      default -> false;
    };
  }
}
