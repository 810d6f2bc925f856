/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImplConstants;
import org.apache.calcite.sql.parser.babel.Token;

/**
 * Words that are names in SQLite but not in Calcite's grammar: {@code uuid}, {@code range}, {@code
 * left}, and {@code date} as an alias.
 *
 * <p>Such a word is a name beside a dot, and where what stands before and behind it leaves no other
 * reading: {@code select uuid, range from t where left = 1}.
 */
final class SqliteNames implements SqlBabelParserImplConstants {
  private static final Set<Integer> JOINS =
      Set.of(ASOF, CROSS, FULL, INNER, LEFT, NATURAL, OUTER, RIGHT);

  /** Words of a window's frame, and of a limit. */
  private static final Set<Integer> FRAMES = Set.of(RANGE, ROWS);

  private static final Set<Integer> WORDS =
      Set.of(
          ANY,
          BY,
          CALL,
          CURRENT,
          CURSOR,
          DATE,
          DATE_PART,
          DATEADD,
          DATEDIFF,
          DATEPART,
          DATETIME,
          DEFINE,
          DESCRIBE,
          EXPLAIN,
          FETCH,
          FINAL,
          FRIDAY,
          GRANT,
          GROUPING,
          INTERVAL,
          JSON_SCOPE,
          LATERAL,
          MATCH_CONDITION,
          MATCH_RECOGNIZE,
          MEASURE,
          MERGE,
          SET_MINUS,
          MONDAY,
          NEW,
          NEXT,
          OFFSET,
          ORDINAL,
          OVER,
          PARTITION,
          PATTERN,
          QUALIFY,
          RECURSIVE,
          ROLLUP,
          ROW,
          RUNNING,
          SAFE_CAST,
          SAFE_OFFSET,
          SAFE_ORDINAL,
          SATURDAY,
          SKIP_,
          SNAPSHOT,
          SOME,
          STREAM,
          SUNDAY,
          TABLESAMPLE,
          THURSDAY,
          TIME,
          TIMESTAMP,
          TRY_CAST,
          TUESDAY,
          UNKNOWN,
          UNNEST,
          UNSIGNED,
          UUID,
          VALUE,
          VARIANT,
          VOLATILE,
          WEDNESDAY,
          WINDOW,
          WITH);

  /** What an operand, a table or a name follows. */
  private static final Set<Integer> BEFORE =
      Set.of(
          ALL,
          AND,
          AS,
          BETWEEN,
          BY,
          CASE,
          COMMA,
          CONCAT,
          DISTINCT,
          ELSE,
          EQ,
          FROM,
          GE,
          GT,
          HAVING,
          JOIN,
          LE,
          LIKE,
          LPAREN,
          LT,
          MINUS,
          NE,
          NE2,
          NOT,
          ON,
          OR,
          PERCENT_REMAINDER,
          PLUS,
          RECURSIVE,
          SELECT,
          SLASH,
          STAR,
          THEN,
          WHEN,
          WHERE,
          WITH);

  /** What can't follow a word that isn't a name. */
  private static final Set<Integer> BEHIND =
      Set.of(
          AND,
          AS,
          ASC,
          BETWEEN,
          COLLATE,
          COMMA,
          CONCAT,
          DESC,
          ELSE,
          END,
          EOF,
          EQ,
          EXCEPT,
          FROM,
          GE,
          GROUP,
          GT,
          HAVING,
          IN,
          INTERSECT,
          IS,
          JOIN,
          LE,
          LIKE,
          LIMIT,
          LT,
          NE,
          NE2,
          NOT,
          OR,
          ORDER,
          PERCENT_REMAINDER,
          RPAREN,
          SEMICOLON,
          SLASH,
          THEN,
          UNION,
          WHEN,
          WHERE);

  /** Operators that SQLite alone has, and those that some of the words also precede. */
  private static final Set<String> OPERATORS =
      Set.of("GLOB", "ISNULL", "NOTNULL", "MATCH", "REGEXP");

  /** What follows an alias. */
  private static final Set<Integer> BEHIND_ALIAS =
      Set.of(COMMA, EOF, FROM, GROUP, HAVING, JOIN, LIMIT, ON, ORDER, RPAREN, SEMICOLON, WHERE);

  private static final Set<Integer> CASTS = Set.of(CAST, SAFE_CAST, TRY_CAST);

  /** What a pair of parentheses holds. */
  private enum Inside {
    QUERY,
    CAST,
    OTHER
  }

  private SqliteNames() {}

  /** Tokens, the last of which is EOF, with IDENTIFIER in the place of words that are names. */
  static List<Token> rewrite(List<Token> in) {
    List<Token> out = new ArrayList<>(in.size());
    Deque<Inside> open = new ArrayDeque<>();
    open.push(Inside.QUERY);
    for (int i = 0; i < in.size(); i++) {
      Token token = in.get(i);
      Token before = i == 0 ? null : out.get(i - 1);
      if (token.kind == LPAREN) {
        open.push(inside(before, in.get(i + 1)));
      } else if (token.kind == RPAREN && open.size() > 1) {
        open.pop();
      }
      boolean isName =
          before != null
              && (JOINS.contains(token.kind)
                  || FRAMES.contains(token.kind)
                  || WORDS.contains(token.kind))
              && isName(token, before, in.get(i + 1), open.peek());
      out.add(isName ? Tokens.of(IDENTIFIER, token.image, token) : token);
    }
    return out;
  }

  private static Inside inside(Token before, Token first) {
    if (before != null && CASTS.contains(before.kind)) {
      return Inside.CAST;
    }
    return first.kind == SELECT || first.kind == WITH || first.kind == VALUES
        ? Inside.QUERY
        : Inside.OTHER;
  }

  private static boolean isName(Token word, Token before, Token behind, Inside inside) {
    if (behind.kind == DOT || before.kind == DOT) {
      return behind.kind != LPAREN;
    }
    boolean isType = before.kind == AS && inside == Inside.CAST;
    boolean isFrame = FRAMES.contains(word.kind) && before.kind == LPAREN && behind.kind == BETWEEN;
    boolean joins = JOINS.contains(word.kind) && behind.kind == JOIN;
    if (isType || isFrame || joins) {
      return false;
    }
    if (BEFORE.contains(before.kind)) {
      return BEHIND.contains(behind.kind)
          || behind.kind == IDENTIFIER && OPERATORS.contains(behind.image.toUpperCase(Locale.ROOT))
          || isOperator(behind) && word.kind != STREAM && word.kind != INTERVAL;
    }
    boolean isAlias =
        inside == Inside.QUERY
            && !JOINS.contains(word.kind)
            && (before.kind == RPAREN
                || before.kind == IDENTIFIER
                || before.kind == QUOTED_IDENTIFIER
                || before.kind == QUOTED_STRING);
    return isAlias && BEHIND_ALIAS.contains(behind.kind);
  }

  private static boolean isOperator(Token token) {
    return token.kind == PLUS || token.kind == MINUS || token.kind == STAR;
  }
}
