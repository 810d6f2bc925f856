/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.run.SqlState;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a statement is run, in words, from what {@code EXPLAIN PLAN FOR} says.
 *
 * @param words a sentence or two
 * @param used whether an index finds rows or answers a function
 * @param advice what would let an index be used, or null
 * @param plan the plan as EXPLAIN PLAN FOR gives it
 */
record PlanWords(String words, boolean used, String advice, String plan) {
  private static final Duration LIMIT = Duration.ofSeconds(2);

  private static final Pattern NODE =
      Pattern.compile(
          "VectorTopK\\(table=\\[\\[([^\\]]*)]], metric=\\[(\\w+)](.*?)\\n", Pattern.DOTALL);

  private static final Pattern ASKS =
      Pattern.compile("(?i)\\b(faiss_search(?:_with_scores)?|faiss_neighbors)\\s*\\(");
  private static final Pattern AGGREGATES =
      Pattern.compile("(?i)\\bfaiss_agg(?:_with_scores)?\\s*\\(");

  private static final Pattern COMPARES =
      Pattern.compile(
          "(?i)\\b(\\w*distance\\w*|\\w*similarity|\\w*(inner|dot)_product)\\s*\\(|<->|<#>|<\\+>");

  /** Asks for a statement's plan; null where there is none, as for EXPLAIN itself. */
  static PlanWords of(Work work, String sql, List<String> values) throws IOException {
    String text = null;
    // The plan of a statement that SQLite runs has no parameters.
    for (List<String> bound : List.of(values, List.<String>of())) {
      try {
        Work.Result result = work.quietly("EXPLAIN PLAN FOR " + sql, bound, LIMIT);
        text = result.rows().isEmpty() ? null : String.valueOf(result.rows().get(0)[0]);
        break;
      } catch (SQLException e) {
        if (!SqlState.PARAMETERS.equals(e.getSQLState())) {
          return null;
        }
      }
    }
    return text == null ? null : of(sql, text.strip());
  }

  static PlanWords of(String sql, String plan) {
    Matcher node = NODE.matcher(plan + "\n");
    List<String> found = new ArrayList<>();
    while (node.find()) {
      found.add(node(node.group(1).replace(", ", "."), node.group(2), node.group(3)));
    }
    if (!found.isEmpty()) {
      return new PlanWords("Index used: " + String.join(" And: ", found), true, null, plan);
    }
    boolean whole = plan.startsWith("SqliteStatement(");
    String way = whole ? "SQLite runs it whole" : "Calcite runs it";
    Matcher asks = ASKS.matcher(sql);
    if (asks.find()) {
      String name = asks.group(1).toLowerCase(Locale.ROOT);
      return new PlanWords(
          "Index used: " + name + " asks it, exact. " + way + ".", true, null, plan);
    } else if (AGGREGATES.matcher(sql).find()) {
      String words = "No index: faiss_agg compares the rows that it is given. " + way + ".";
      return new PlanWords(words, false, null, plan);
    } else if (COMPARES.matcher(sql).find()) {
      String advice =
          sql.toLowerCase(Locale.ROOT).contains("limit")
              ? "An index is used for ORDER BY a distance of the indexed column itself, nearest"
                  + " first, with LIMIT, over a table that has an index."
              : "With ORDER BY the distance and LIMIT, an index finds the rows.";
      return new PlanWords(
          "No index used: the distance of every row is computed. " + way + ".",
          false,
          advice,
          plan);
    }
    return new PlanWords("No vectors are compared. " + way + ".", false, null, plan);
  }

  private static String node(String table, String metric, String rest) {
    StringBuilder out = new StringBuilder(table);
    String k = item(rest, "k");
    out.append(" finds the ").append(k == null ? "rows" : k + " nearest").append(" by ");
    String name = metric.toLowerCase(Locale.ROOT).replace('_', ' ');
    out.append(name.matches("l[12].*") ? name.replace('l', 'L') : name);
    out.append(name.matches("l[12]( squared)?") ? " distance" : "");
    String mode = item(rest, "mode");
    out.append(", ").append(mode == null ? "exact" : mode);
    String where = item(rest, "filterIn");
    if (where != null) {
      String filter = item(rest, "filter");
      out.append(", filter first");
      out.append(
          where.startsWith("index")
              ? ", by the columns beside the index" + where.substring("index".length())
              : where.equals("SQLite") ? ", by SQLite" : ", by the rest of the statement");
      out.append(filter == null ? "" : " (" + filter + ")");
    }
    for (String bound : List.of("within", "beyond", "from")) {
      String value = item(rest, bound);
      out.append(value == null ? "" : ", " + bound + " a distance of " + value);
    }
    return out.append('.').toString();
  }

  /** What stands in the brackets behind a name; brackets within count. */
  private static String item(String text, String name) {
    int start = text.indexOf(", " + name + "=[");
    if (start < 0) {
      return null;
    }
    start += name.length() + 4;
    int depth = 1;
    for (int i = start; i < text.length(); i++) {
      depth += text.charAt(i) == '[' ? 1 : text.charAt(i) == ']' ? -1 : 0;
      if (depth == 0) {
        return text.substring(start, i);
      }
    }
    return null;
  }
}
