/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import static org.apache.calcite.sql.parser.babel.SqlBabelParserImplConstants.*;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.parser.babel.Token;

/**
 * Counts the operators of each expression before the grammar sees it, which goes through all of
 * them for each one: of sixty thousand in one expression nobody saw the end, nor could stop it.
 */
final class ExpressionLength {
  /** SQLite itself takes a thousand. */
  static final int MOST_OPERATORS = 10_000;

  private static final Set<Integer> OPERATORS =
      Set.of(
          AND,
          OR,
          NOT,
          EQ,
          NE,
          NE2,
          LT,
          GT,
          LE,
          GE,
          PLUS,
          MINUS,
          STAR,
          SLASH,
          PERCENT_REMAINDER,
          CONCAT,
          IS,
          IN,
          LIKE,
          BETWEEN,
          INFIX_CAST,
          DOT);

  private static final Set<Integer> SEPARATORS =
      Set.of(
          COMMA, SEMICOLON, SELECT, FROM, WHERE, ON, GROUP, HAVING, ORDER, LIMIT, QUALIFY, CASE,
          WHEN, THEN, ELSE, END, UNION, INTERSECT, EXCEPT, VALUES);

  private ExpressionLength() {}

  /**
   * Looks at a statement.
   *
   * @throws TooLong with the place of the first operator too many
   */
  static void check(List<Token> tokens) {
    Deque<Integer> outside = new ArrayDeque<>();
    int count = 0;
    for (Token token : tokens) {
      if (token.kind == LPAREN) {
        outside.push(count);
        count = 0;
      } else if (token.kind == RPAREN) {
        count = outside.isEmpty() ? 0 : outside.pop();
      } else if (SEPARATORS.contains(token.kind)) {
        count = 0;
      } else if (OPERATORS.contains(token.kind) && ++count > MOST_OPERATORS) {
        throw new TooLong(
            new SqlParserPos(token.beginLine, token.beginColumn, token.endLine, token.endColumn));
      }
    }
  }

  /** Refuses an expression of more than {@link #MOST_OPERATORS}. */
  static final class TooLong extends RuntimeException {
    final transient SqlParserPos position;

    private TooLong(SqlParserPos position) {
      super(null, null, false, false);
      this.position = position;
    }
  }
}
