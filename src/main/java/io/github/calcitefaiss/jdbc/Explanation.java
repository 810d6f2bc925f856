/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.parser.SqliteText;
import java.util.List;

/** What EXPLAIN PLAN FOR says of a statement that SQLite runs. */
final class Explanation {
  private Explanation() {}

  /** The statement after {@code EXPLAIN PLAN … FOR}; null if another form of plan is asked for. */
  static String statement(SqliteText text) {
    for (SqliteText.Token token : text.tokens()) {
      if (token.is("as")) {
        return null;
      } else if (token.is("for")) {
        return text.sql().substring(token.end()).strip();
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
