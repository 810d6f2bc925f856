/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.function.Names;
import java.sql.SQLException;
import java.sql.SQLSyntaxErrorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.schema.Function;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.TableFunction;
import org.apache.calcite.schema.lookup.LikePattern;
import org.apache.commons.text.similarity.LevenshteinDistance;

/**
 * What a newcomer writes, and the one sentence that helps.
 *
 * <p>The document first-mistakes.md shows each; an error that isn't one of these stays as it is.
 */
final class FirstMistakes {
  private static final Pattern FIRST_WORD = Pattern.compile("^[\\s(]*([A-Za-z_]\\w*|\\S+)");
  private static final Pattern PLACE = Pattern.compile("line (\\d+), column (\\d+)");
  private static final Pattern WORD = Pattern.compile("[A-Za-z_]\\w*");
  private static final Pattern SIGNATURE =
      Pattern.compile("^No match found for function signature (\\w+)\\((.*)\\) (\\(line.*)$");

  private static final Pattern NO_COLUMN =
      Pattern.compile("^Column '([^']*)' not found in any table");
  private static final Pattern NO_OBJECT = Pattern.compile("^Object '([^']*)' not found");
  private static final LevenshteinDistance EDITS = new LevenshteinDistance(2);

  private static final Set<String> VERBS =
      Set.of("select", "with", "values", "explain", "pragma", "table", "describe");

  private static final List<String> KEYWORDS =
      List.of("select", "from", "where", "group", "order", "having", "limit", "join", "values");

  private FirstMistakes() {}

  static SQLException advise(SQLException e, String sql, CalciteConnection calcite) {
    String message = String.valueOf(e.getMessage());
    String sentence = sentence(message, sql, calcite);
    if (sentence == null) {
      return e;
    }
    SQLException advised = new SQLSyntaxErrorException(sentence, e.getSQLState(), e);
    advised.setStackTrace(e.getStackTrace());
    return advised;
  }

  private static String sentence(String message, String sql, CalciteConnection calcite) {
    Matcher first = FIRST_WORD.matcher(sql);
    String verb = first.find() ? first.group(1).toLowerCase(Locale.ROOT) : "";
    if (verb.equals("show")) {
      return "SHOW is another database's: select name from sqlite_schema lists tables; in the shell"
          + " .tables and .schema do";
    } else if (message.startsWith("Syntax error")) {
      return syntax(message, sql, verb, first);
    } else if (message.startsWith("Unable to implement")) {
      return sql.toLowerCase(Locale.ROOT).contains("current_schema")
          ? "CURRENT_SCHEMA can't be evaluated here; Connection.getSchema() tells the default schema"
          : "the statement has an expression that can't be evaluated here";
    } else if (message.contains("did you mean")) {
      return null;
    }
    Matcher signature = SIGNATURE.matcher(message);
    if (signature.matches()) {
      return signature(signature, calcite);
    }
    Matcher column = NO_COLUMN.matcher(message);
    if (column.find()) {
      return column(message, column.group(1), sql);
    }
    Matcher object = NO_OBJECT.matcher(message);
    return object.find() ? object(message, object.group(1), calcite) : null;
  }

  private static String syntax(String message, String sql, String verb, Matcher first) {
    if (message.contains("did you mean")) {
      return null;
    } else if (WORD.matcher(verb).matches() && !VERBS.contains(verb)) {
      return "Syntax error at '"
          + first.group(1)
          + "' "
          + place(sql, first.start(1))
          + ": a statement begins with SELECT, WITH, VALUES, EXPLAIN or PRAGMA"
          + Names.didYouMean(verb, VERBS);
    }
    String text = sql.toLowerCase(Locale.ROOT);
    if (text.matches("(?s).*\\blimit\\b[^()']*\\border\\s+by\\b.*")
        && message.contains("'order'")) {
      return shortened(message) + ": ORDER BY stands before LIMIT";
    } else if (text.matches("(?s)\\s*select\\s+top\\s+\\d+.*")) {
      return shortened(message) + ": there is no TOP; LIMIT n stands at the end";
    } else if (text.matches("(?s)\\s*explain\\s+plan\\s+(?!for\\b).*")) {
      return shortened(message) + ": EXPLAIN PLAN FOR SELECT …, or EXPLAIN QUERY PLAN SELECT …";
    } else if (text.matches("(?s).*\\bcount\\s+\\*.*")) {
      return shortened(message) + ": count(*)";
    }
    String misspelt = misspelt(message, sql);
    return misspelt == null ? null : shortened(message) + " (did you mean " + misspelt + "?)";
  }

  /** Without what the grammar would take instead, of which a newcomer makes nothing. */
  private static String shortened(String message) {
    int expected = message.indexOf("; expected");
    return expected < 0 ? message : message.substring(0, expected);
  }

  /** A keyword that the word at an error, or the one before it, nearly is. */
  private static String misspelt(String message, String sql) {
    Matcher place = PLACE.matcher(message);
    if (!place.find()) {
      return null;
    }
    int at = offset(sql, Integer.parseInt(place.group(1)), Integer.parseInt(place.group(2)));
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(sql);
    while (word.find() && word.start() <= at) {
      words.add(word.group());
    }
    for (int i = words.size() - 1; i >= Math.max(0, words.size() - 2); i--) {
      String written = words.get(i).toLowerCase(Locale.ROOT);
      for (String keyword : KEYWORDS) {
        int edits = written.length() < 3 ? -1 : EDITS.apply(written, keyword);
        if (edits == 1 || edits == 2 && sorted(written).equals(sorted(keyword))) {
          return "'" + keyword + "' for '" + words.get(i) + "'";
        }
      }
    }
    return null;
  }

  private static String sorted(String word) {
    return word.chars()
        .sorted()
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static int offset(String sql, int line, int column) {
    int at = 0;
    for (int i = 1; i < line && sql.indexOf('\n', at) >= 0; i++) {
      at = sql.indexOf('\n', at) + 1;
    }
    return at + column - 1;
  }

  private static String place(String sql, int at) {
    int line = (int) sql.substring(0, at).chars().filter(c -> c == '\n').count() + 1;
    return "(line " + line + ", column " + (at - sql.lastIndexOf('\n', at - 1)) + ")";
  }

  private static String signature(Matcher signature, CalciteConnection calcite) {
    String name = signature.group(1);
    SchemaPlus root = calcite.getRootSchema();
    List<List<String>> known = new ArrayList<>();
    boolean rows = false;
    for (String each : root.getFunctionNames()) {
      if (each.equalsIgnoreCase(name)) {
        for (Function function : root.getFunctions(each)) {
          rows |= function instanceof TableFunction;
          known.add(function.getParameters().stream().map(FunctionParameter::getName).toList());
        }
      }
    }
    String place = " " + signature.group(3);
    if (known.isEmpty()) {
      return "there is no function "
          + name
          + (signature.group(2).isEmpty() ? "()" : " that takes (" + signature.group(2) + ")")
          + place;
    }
    int given = signature.group(2).isEmpty() ? 0 : signature.group(2).split(", ", -1).length;
    if (rows && known.stream().anyMatch(names -> names.size() == given)) {
      return name + " gives rows" + place + ": SELECT * FROM " + name + "(…)";
    }
    return name
        + " takes ("
        + String.join(") or (", known.stream().map(n -> String.join(", ", n)).toList())
        + "), got "
        + given
        + (given == 1 ? " argument" : " arguments")
        + place;
  }

  private static String column(String message, String name, String sql) {
    if (name.matches("[-+0-9.,eE\\s]+")) {
      return message + ": a vector is written as text, '[" + name + "]'";
    } else if (!sql.toLowerCase(Locale.ROOT).matches("(?s).*\\bfrom\\b.*")) {
      return message + ": FROM is missing, or quotes: '" + name + "'";
    }
    return message + "; if it is meant as text: '" + name + "'";
  }

  private static String object(String message, String name, CalciteConnection calcite) {
    SchemaPlus root = calcite.getRootSchema();
    Set<String> places = new TreeSet<>();
    for (String each : root.subSchemas().getNames(LikePattern.any())) {
      Set<String> tables = root.subSchemas().get(each).tables().getNames(LikePattern.any());
      if (each.equalsIgnoreCase(name)) {
        return message
            + ": it is a schema, with the tables "
            + String.join(", ", new TreeSet<>(tables));
      }
      for (String table : tables) {
        if (table.equalsIgnoreCase(name)) {
          places.add(each + "." + table);
        }
      }
    }
    return places.isEmpty() ? null : message + ": it is " + String.join(" or ", places);
  }
}
