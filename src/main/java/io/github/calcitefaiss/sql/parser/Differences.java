/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import io.github.calcitefaiss.sql.parser.SqliteText.Kind;
import io.github.calcitefaiss.sql.parser.SqliteText.Token;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;

/** What in a statement Calcite might take for another thing than SQLite does. */
public final class Differences {
  /** Names of columns that are values of Calcite's where nothing qualifies them. */
  private static final Set<String> VALUES =
      Set.of(
          "current_catalog",
          "current_date",
          "current_path",
          "current_role",
          "current_schema",
          "current_time",
          "current_timestamp",
          "current_user",
          "date",
          "datetime",
          "interval",
          "localtime",
          "localtimestamp",
          "pi",
          "session_user",
          "sysdate",
          "system_user",
          "systimestamp",
          "time",
          "timestamp",
          "user");

  /** Functions that mean the same to both. */
  private static final Set<String> COMMON =
      Set.of(
          "avg",
          "coalesce",
          "count",
          "dense_rank",
          "ifnull",
          "json_each",
          "nullif",
          "rank",
          "row_number");

  private static final Set<String> NO_CALL =
      Set.of(
          "all",
          "and",
          "as",
          "by",
          "exists",
          "from",
          "in",
          "join",
          "not",
          "on",
          "or",
          "over",
          "select",
          "then",
          "using",
          "values",
          "when",
          "where",
          "else",
          "lateral",
          "any",
          "union",
          "except",
          "intersect",
          "limit",
          "offset",
          "having",
          "case",
          "is",
          "table");

  private static final Set<String> WORDS =
      Set.of("case", "cast", "collate", "glob", "like", "match", "regexp", "iif", "total");

  private static final Set<String> OPERATORS =
      Set.of("%", "->", "->>", "<<", ">>", "&", "|", "~", "||", "==");

  private Differences() {}

  /**
   * Whether there may be any.
   *
   * @param ours whether a function's name, in lower case, is one of this product's
   */
  public static boolean mayBe(SqliteText text, Predicate<String> ours) {
    List<Token> tokens = text.tokens();
    for (int i = 0; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      if (token.kind() == Kind.OPERATOR && OPERATORS.contains(token.text())
          || token.kind() == Kind.NUMBER && token.text().length() > 9) {
        return true;
      } else if (token.kind() == Kind.WORD) {
        String word = token.text().toLowerCase(Locale.ROOT);
        boolean call = i + 1 < tokens.size() && tokens.get(i + 1).isOperator("(");
        boolean qualified = i > 0 && tokens.get(i - 1).isOperator(".");
        if (WORDS.contains(word)
            || !call && !qualified && VALUES.contains(word)
            || call && !COMMON.contains(word) && !NO_CALL.contains(word) && !ours.test(word)) {
          return true;
        }
      }
    }
    return false;
  }
}
