/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.lookup.LikePattern;

/** Adds the nearest known name to Calcite's errors about a table, column or function. */
final class DidYouMean {
  private static final Pattern TABLE = Pattern.compile("^(?:Object|Table) '([^']*)' not found");
  private static final Pattern COLUMN = Pattern.compile("^Column '([^']*)' not found");
  private static final Pattern FUNCTION =
      Pattern.compile("^No match found for function signature (\\w+)\\(");

  private DidYouMean() {}

  static SQLException advise(SQLException e, String sql, CalciteConnection calcite) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("did you mean")) {
      return e;
    }
    Matcher matcher = TABLE.matcher(message);
    if (matcher.find()) {
      String reason = unreadable(matcher.group(1), calcite);
      return reason == null
          ? advise(e, matcher.group(1), tables(calcite))
          : FaissErrors.advised(e, ": SQLite can't read it: " + reason);
    }
    matcher = COLUMN.matcher(message);
    if (matcher.find()) {
      return advise(e, matcher.group(1), columns(sql, calcite));
    }
    matcher = FUNCTION.matcher(message);
    if (matcher.find()) {
      return advise(e, matcher.group(1), calcite.getRootSchema().getFunctionNames());
    }
    return e;
  }

  private static SQLException advise(SQLException e, String name, Set<String> known) {
    // A name that is known is wrong for another reason: its place, or its arguments.
    return known.stream().anyMatch(name::equalsIgnoreCase)
        ? e
        : FaissErrors.advised(e, Names.didYouMean(name, known));
  }

  /** What SQLite says of a table or view that is there and can't be read; else null. */
  private static String unreadable(String name, CalciteConnection calcite) {
    SchemaPlus root = calcite.getRootSchema();
    try {
      for (String each : root.subSchemas().getNames(LikePattern.any())) {
        SqliteSchema schema = SqliteSchema.of(root.subSchemas().get(each));
        if (schema != null) {
          for (Map.Entry<String, String> table : schema.unreadableTables().entrySet()) {
            if (table.getKey().equalsIgnoreCase(name)) {
              return table.getValue();
            }
          }
        }
      }
    } catch (SQLException e) {
      // The file can't be read any more, which the next statement says.
      return null;
    }
    return null;
  }

  private static Set<String> tables(CalciteConnection calcite) {
    SchemaPlus root = calcite.getRootSchema();
    Set<String> names = new TreeSet<>();
    for (String schema : root.subSchemas().getNames(LikePattern.any())) {
      names.add(schema);
      names.addAll(root.subSchemas().get(schema).tables().getNames(LikePattern.any()));
    }
    return names;
  }

  /** Columns of our tables that the statement names; others would be noise. */
  private static Set<String> columns(String sql, CalciteConnection calcite) {
    SchemaPlus root = calcite.getRootSchema();
    String text = sql.toLowerCase(Locale.ROOT);
    Set<String> names = new TreeSet<>();
    for (String schema : root.subSchemas().getNames(LikePattern.any())) {
      SchemaPlus tables = root.subSchemas().get(schema);
      for (String name : tables.tables().getNames(LikePattern.any())) {
        if (text.contains(name.toLowerCase(Locale.ROOT))
            && tables.tables().get(name) instanceof SqliteTable table) {
          table.columns().forEach(column -> names.add(column.name()));
        }
      }
    }
    return names;
  }
}
