/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.parser.SqliteText;
import java.util.List;

/** What EXPLAIN PLAN FOR says of a statement that SQLite runs. */
final class Explanation {
  private Explanation() {}

  /** Whether a text begins with {@code EXPLAIN PLAN}, as Calcite's does and none of SQLite's. */
  static boolean isAsked(SqliteText text) {
    return text.tokens().size() > 1
        && text.tokens().get(0).is("explain")
        && text.tokens().get(1).is("plan");
  }

  /**
   * The statement after {@code EXPLAIN PLAN … FOR}, behind as many blanks and line ends as stand
   * before it, so that places in it are those of the whole text; null if another form of plan is
   * asked for.
   */
  static String statement(SqliteText text) {
    for (SqliteText.Token token : text.tokens()) {
      if (token.is("as")) {
        return null;
      } else if (token.is("for")) {
        return text.sql().substring(0, token.end()).replaceAll("\\V", " ")
            + text.sql().substring(token.end());
      }
    }
    return null;
  }

  /** A statement that gives the explanation in the form of Calcite's: one row, one text. */
  static String asStatement(String why, List<String> plan) {
    StringBuilder lines = new StringBuilder("SqliteStatement(way=[native], why=[");
    lines.append(why).append("])\n");
    for (String line : plan) {
      lines.append("  ").append(line).append('\n');
    }
    return "SELECT '" + lines.toString().replace("'", "''") + "' AS \"PLAN\"";
  }
}
