/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayList;
import java.util.List;

/** The labels that SQLite gives to the columns of a result which have no name: their text. */
public final class SelectLabels {
  private SelectLabels() {}

  /**
   * The texts of the expressions that a statement selects.
   *
   * @param count how many columns the result has
   * @return as many texts, without alias; or null where the text doesn't tell, such as for {@code
   *     *}
   */
  public static List<String> of(SqliteText text, int count) {
    List<SqliteText.Token> tokens = text.tokens();
    int at = select(tokens);
    if (at < 0) {
      return null;
    }
    if (at < tokens.size() && (tokens.get(at).is("distinct") || tokens.get(at).is("all"))) {
      at++;
    }
    List<String> labels = new ArrayList<>();
    int depth = 0;
    int start = at;
    for (; at <= tokens.size(); at++) {
      SqliteText.Token token = at < tokens.size() ? tokens.get(at) : null;
      if (token != null && (token.isOperator("(") || token.isOperator("["))) {
        depth++;
      } else if (token != null && (token.isOperator(")") || token.isOperator("]"))) {
        depth--;
      }
      boolean ends =
          token == null
              || depth == 0 && (token.isOperator(",") || token.is("from") || token.isOperator(";"));
      if (!ends) {
        continue;
      }
      if (at == start || tokens.get(at - 1).isOperator("*") && isStar(tokens, start, at)) {
        return null;
      }
      labels.add(text.sql().substring(tokens.get(start).start(), tokens.get(at - 1).end()));
      start = at + 1;
      if (token == null || !token.isOperator(",")) {
        break;
      }
    }
    return labels.size() == count ? labels : null;
  }

  private static boolean isStar(List<SqliteText.Token> tokens, int start, int end) {
    return end - start == 1 || tokens.get(end - 2).isOperator(".");
  }

  /** Where the list of the outermost SELECT begins, or -1. */
  private static int select(List<SqliteText.Token> tokens) {
    int depth = 0;
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.get(i).isOperator("(")) {
        depth++;
      } else if (tokens.get(i).isOperator(")")) {
        depth--;
      } else if (depth == 0 && tokens.get(i).is("select")) {
        return i + 1;
      }
    }
    return -1;
  }
}
