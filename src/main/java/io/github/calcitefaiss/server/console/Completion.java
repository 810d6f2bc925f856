/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What the editor completes: the names of tables, columns, functions and keywords. */
final class Completion {
  private static final List<String> KEYWORDS =
      List.of(
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
          "cross join",
          "on",
          "using",
          "with",
          "as",
          "and",
          "or",
          "not",
          "in",
          "like",
          "between",
          "is null",
          "is not null",
          "distinct",
          "union all",
          "case",
          "when",
          "then",
          "else",
          "end",
          "exists",
          "desc",
          "explain plan for");

  /** By name, the arguments and what the function gives. */
  private static final Map<String, String> HELP = help();

  private Completion() {}

  private static Map<String, String> help() {
    Map<String, String> help = new TreeMap<>();
    try (InputStream in = Completion.class.getResourceAsStream("functions.txt")) {
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (line.contains("(")) {
          help.put(line.substring(0, line.indexOf('(')), line);
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return help;
  }

  /** The help of a function; null if there is none. */
  static String help(String function) {
    return HELP.get(function);
  }

  /** The functions that have help. */
  static Set<String> functions() {
    return HELP.keySet();
  }

  /** {@code /db/-/complete.json}. */
  static void json(Exchange exchange, Work work, String database) throws IOException, SQLException {
    List<Object> options = new ArrayList<>();
    Catalog catalog = new Catalog(work);
    for (Catalog.Name name : catalog.names(database)) {
      options.add(option(name.name(), "type", name.view() ? "view" : "table", 2, null));
    }
    catalog.columns(database, options::add);
    try (ResultSet rows = work.connection().getMetaData().getFunctions(null, null, null)) {
      while (rows.next()) {
        String name = rows.getString("FUNCTION_NAME");
        String help = HELP.get(name);
        Map<String, Object> option = option(name, "function", "function", 1, null);
        if (help != null) {
          option.put("detail", help.substring(name.length(), help.indexOf(')') + 1));
          option.put("info", help.substring(help.indexOf(')') + 1).strip());
        }
        options.add(option);
      }
    }
    for (String keyword : KEYWORDS) {
      options.add(option(keyword, "keyword", "", 0, null));
    }
    exchange.status(200);
    JsonAnswer.object(exchange, options);
  }

  /** An option of CodeMirror's completion. */
  static Map<String, Object> option(
      String name, String type, String detail, int boost, String table) {
    Map<String, Object> option = new LinkedHashMap<>();
    option.put("label", name);
    option.put("type", type);
    option.put("detail", detail);
    option.put("boost", boost);
    if (!name.matches("[A-Za-z_][A-Za-z0-9_ ]*") || name.contains(" ") && !type.equals("keyword")) {
      option.put("apply", io.github.calcitefaiss.sqlite.Identifiers.quote(name));
    }
    if (table != null) {
      option.put("table", table);
    }
    return option;
  }
}
