/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sqlite.SqliteEvaluator;
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
  private static final Pattern WORD = Pattern.compile("[A-Za-z_]\\w*");
  private static final Pattern SIGNATURE =
      Pattern.compile(
          "^No match found for function signature (\\w+)(?:\\((.*?)\\))? (\\(line \\d+, column \\d+\\))(.*)$");

  private static final Pattern NO_COLUMN =
      Pattern.compile("^Column '([^']*)' not found in any table");
  private static final Pattern NO_OBJECT = Pattern.compile("^Object '([^']*)' not found");
  private static final Pattern TYPES =
      Pattern.compile(
          "(?s)^Cannot apply '(\\w+)' to arguments of type .* (\\(line \\d+, column \\d+\\)).*");
  private static final Pattern MATCH = Pattern.compile("(?i)\\bmatch\\b");
  private static final Pattern NO_FUNCTION = Pattern.compile("no such function: (\\w+)");
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
      return syntax(message, sql, verb, first, calcite);
    } else if (message.startsWith("SQLite: ")) {
      return sqlite(message, sql);
    } else if (message.startsWith("Unable to implement")) {
      return sql.toLowerCase(Locale.ROOT).contains("current_schema")
          ? "CURRENT_SCHEMA can't be evaluated here; Connection.getSchema() tells the default schema"
          : "the statement has an expression that can't be evaluated here";
    }
    Matcher signature = SIGNATURE.matcher(message);
    if (signature.matches()) {
      return signature(signature, calcite);
    }
    Matcher types = TYPES.matcher(message);
    if (types.matches()) {
      String other = OtherDialects.function(types.group(1));
      return types.group(1)
          + " can't be applied here "
          + types.group(2)
          + (other == null ? "" : "; here: " + other);
    }
    Matcher column = NO_COLUMN.matcher(message);
    Matcher object = NO_OBJECT.matcher(message);
    if (column.find()) {
      return column(message, column.group(1), sql);
    }
    return object.find() ? object(message, object.group(1), sql, calcite) : null;
  }

  /** What SQLite said, where more can be said. */
  private static String sqlite(String message, String sql) {
    if (MATCH.matcher(sql).find() && message.contains("no such column: distance")) {
      return message
          + "; MATCH searches full-text tables, nearest rows come by"
          + " ORDER BY l2_distance(embedding, '[…]') LIMIT k";
    }
    Matcher function = NO_FUNCTION.matcher(message);
    String other = function.find() ? OtherDialects.function(function.group(1)) : null;
    if (other != null) {
      return message + "; here: " + other;
    }
    return message.contains("syntax error") && sql.matches("(?is)\\s*explain\\s+analy[sz]e\\b.*")
        ? "there is no EXPLAIN ANALYZE: EXPLAIN PLAN FOR SELECT …"
        : null;
  }

  private static String syntax(
      String message, String sql, String verb, Matcher first, CalciteConnection calcite) {
    if (message.contains("did you mean")) {
      return null;
    } else if (WORD.matcher(verb).matches() && !VERBS.contains(verb)) {
      return "Syntax error at '"
          + first.group(1)
          + "' "
          + SyntaxAdvice.place(sql, first.start(1))
          + ": a statement begins with SELECT, WITH, VALUES, EXPLAIN or PRAGMA"
          + Names.didYouMean(verb, VERBS)
          + (sql.strip().equalsIgnoreCase(verb) && isTable(verb, calcite)
              ? ", as in select * from " + verb + " limit 3"
              : "");
    }
    String misspelt = misspelt(message, sql);
    String advice = SyntaxAdvice.of(message, sql);
    if (misspelt != null && (advice == null || advice.endsWith("a comma is missing before it"))) {
      return SyntaxAdvice.shortened(message) + " (did you mean " + misspelt + "?)";
    }
    return advice;
  }

  private static boolean isTable(String name, CalciteConnection calcite) {
    SchemaPlus root = calcite.getRootSchema();
    return root.subSchemas().getNames(LikePattern.any()).stream()
        .flatMap(each -> root.subSchemas().get(each).tables().getNames(LikePattern.any()).stream())
        .anyMatch(name::equalsIgnoreCase);
  }

  /** A keyword that the word at an error, or the one before it, nearly is. */
  private static String misspelt(String message, String sql) {
    Matcher place = SyntaxAdvice.PLACE.matcher(message);
    if (!place.find()) {
      return null;
    }
    int at =
        SyntaxAdvice.offset(
            sql, Integer.parseInt(place.group(1)), Integer.parseInt(place.group(2)));
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
    String types = signature.group(2) == null ? "" : signature.group(2);
    if (known.isEmpty()) {
      String here = OtherDialects.function(name);
      Set<String> names = new TreeSet<>(root.getFunctionNames());
      names.addAll(SqliteEvaluator.functionNames());
      return (signature.group(2) == null ? "there is no " : "there is no function ")
          + name
          + (signature.group(2) == null
              ? ""
              : types.isEmpty() ? "()" : " that takes (" + words(types) + ")")
          + place
          + (here != null
              ? "; here: " + here
              : names.contains(name.toLowerCase(Locale.ROOT)) ? "" : Names.didYouMean(name, names));
    }
    int given = types.isEmpty() ? 0 : types.split(", ", -1).length;
    if (rows && known.stream().anyMatch(names -> names.size() == given)) {
      return name + " gives rows" + place + ": SELECT * FROM " + name + "(…)";
    }
    if (!rows && signature.group(4).isEmpty() && known.stream().anyMatch(n -> n.size() == given)) {
      return name
          + " gives a value"
          + place
          + ": SELECT "
          + name
          + "(…); rows come from"
          + " faiss_neighbors(…)";
    }
    return name
        + " takes ("
        + String.join(") or (", known.stream().map(n -> String.join(", ", n)).toList())
        + "), got "
        + given
        + (given == 1 ? " argument" : " arguments")
        + place;
  }

  /** Types as people call them. */
  private static String words(String types) {
    return types
        .replace("<BINARY>", "blob")
        .replace("<CHARACTER>", "text")
        .replace("<NUMERIC>", "number")
        .replaceAll("<(\\w+)>", "$1")
        .replace('_', ' ');
  }

  private static String column(String message, String name, String sql) {
    String here = OtherDialects.column(name);
    boolean compared =
        Pattern.compile("(?i)(=|<|>|\\blike|\\bin\\s*\\()\\s*" + Pattern.quote(name))
            .matcher(sql)
            .find();
    if (message.contains("did you mean")) {
      return compared && WORD.matcher(name).matches()
          ? message + "; if it is meant as text: '" + name + "'"
          : null;
    } else if (name.matches("[-+0-9.,eE\\s]+")) {
      return message + ": a vector is written as text, '[" + name + "]'";
    } else if (here != null) {
      return message + "; " + here;
    } else if (!sql.toLowerCase(Locale.ROOT).matches("(?s).*\\bfrom\\b.*")) {
      return message + ": FROM is missing, or quotes: '" + name + "'";
    }
    return message + "; if it is meant as text: '" + name + "'";
  }

  /** Finds what a name qualifies. */
  private static Pattern qualified(String name) {
    return Pattern.compile("(?i)\\b" + Pattern.quote(name) + "\\.(\\w+)");
  }

  private static String object(String message, String name, String sql, CalciteConnection calcite) {
    String catalogue = OtherDialects.catalogue(name);
    if (catalogue != null) {
      return message.replaceFirst(" \\(did you mean .*", "") + "; " + catalogue;
    } else if (message.contains("did you mean")) {
      return null;
    }
    SchemaPlus root = calcite.getRootSchema();
    Set<String> places = new TreeSet<>();
    for (String each : root.subSchemas().getNames(LikePattern.any())) {
      Set<String> tables = root.subSchemas().get(each).tables().getNames(LikePattern.any());
      Matcher within = qualified(name).matcher(sql);
      if (each.equalsIgnoreCase(name) && within.find()) {
        return "Object '"
            + within.group(1)
            + "' not found in schema '"
            + each
            + "'"
            + message.substring(message.lastIndexOf(" (line"))
            + Names.didYouMean(within.group(1), tables);
      } else if (each.equalsIgnoreCase(name)) {
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
    if (places.isEmpty() && qualified(name).matcher(sql).find()) {
      return message
          + "; schemas: "
          + String.join(", ", root.subSchemas().getNames(LikePattern.any()));
    }
    return places.isEmpty() ? null : message + ": it is " + String.join(" or ", places);
  }
}
