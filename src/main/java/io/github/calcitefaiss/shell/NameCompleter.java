/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.sqlite.Identifiers;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.calcite.jdbc.CalciteConnection;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/** Completes tables where one is expected, and columns, functions and words elsewhere. */
final class NameCompleter implements Completer {
  private static final Pattern WANTS_TABLE =
      Pattern.compile("(?is).*\\b(from|join|describe|\\.schema|\\.tables)\\s+[\\w\"]*");

  private static final Pattern PLAIN = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  private static final Set<String> WORDS =
      Set.of(
          "select",
          "from",
          "where",
          "order by",
          "group by",
          "having",
          "limit",
          "offset",
          "join",
          "left join",
          "on",
          "using",
          "as",
          "and",
          "or",
          "not",
          "in",
          "is null",
          "between",
          "like",
          "exists",
          "case",
          "when",
          "then",
          "else",
          "end",
          "union all",
          "with",
          "distinct",
          "values",
          "explain plan for",
          "desc",
          "asc",
          "lateral");

  private final Session.ConnectionOf connections;

  NameCompleter(Session.ConnectionOf connections) {
    this.connections = connections;
  }

  @Override
  public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
    String before = line.line().substring(0, line.cursor());
    try {
      candidates(connections.get(), before)
          .forEach(
              (name, kind) ->
                  candidates.add(new Candidate(name, name, kind, null, null, null, false)));
    } catch (SQLException e) {
      // The file can't be read now: there is nothing to offer, and the statement will say why.
      return;
    }
  }

  /** What could stand at the end of a text: names, each with what it is. */
  static Map<String, String> candidates(Connection connection, String before) throws SQLException {
    Map<String, String> names = new TreeMap<>();
    if (before.stripLeading().startsWith(".") && !before.strip().contains(" ")) {
      DotCommands.NAMES.forEach(name -> names.put(name, "command"));
      return names;
    }
    List<SqliteSchema> schemas = DotCommands.schemas(connection);
    boolean table = WANTS_TABLE.matcher(before).matches();
    String text = before.toLowerCase(Locale.ROOT);
    for (SqliteSchema schema : schemas) {
      names.put(quoted(schema.name()), "database");
      for (SqliteTable each : schema.sqliteTables().values()) {
        names.put(quoted(each.name()), each.isView() ? "view" : "table");
        if (!table
            && (!text.contains(" from ") || text.contains(each.name().toLowerCase(Locale.ROOT)))) {
          each.columns().forEach(column -> names.putIfAbsent(quoted(column.name()), "column"));
        }
      }
    }
    if (!table) {
      WORDS.forEach(word -> names.putIfAbsent(word, "word"));
      if (connection != null && connection.isWrapperFor(CalciteConnection.class)) {
        for (String function :
            connection.unwrap(CalciteConnection.class).getRootSchema().getFunctionNames()) {
          names.putIfAbsent(function + "(", "function");
        }
      }
      for (String list :
          List.of(
              connection == null ? "" : connection.getMetaData().getStringFunctions(),
              connection == null ? "" : connection.getMetaData().getNumericFunctions())) {
        for (String function : list.split(",")) {
          if (!function.isBlank()) {
            names.putIfAbsent(function.strip().toLowerCase(Locale.ROOT) + "(", "function");
          }
        }
      }
    }
    return names;
  }

  /** As it stands in a statement. */
  static String quoted(String name) {
    return PLAIN.matcher(name).matches() ? name : Identifiers.quote(name);
  }
}
