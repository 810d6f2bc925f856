/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tables and rows of tables, as JSON and CSV. */
final class Tables {
  private Tables() {}

  /** {@code /db.json}: the tables of a database. */
  static void database(Exchange exchange, Work work, String database)
      throws IOException, SQLException, Refusal {
    Catalog catalog = new Catalog(work);
    List<Object> tables = new ArrayList<>();
    List<Object> views = new ArrayList<>();
    work.use(database);
    for (Catalog.Name name : catalog.names(database)) {
      if (name.view()) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("name", name.name());
        view.put("private", false);
        views.add(view);
        continue;
      }
      Catalog.Table table = catalog.table(database, name.name());
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", table.name());
      fields.put("columns", table.columns().stream().map(Catalog.Column::name).toList());
      fields.put("primary_keys", table.rowid() ? List.of() : table.keys());
      fields.put("count", new TableQuery(table, Arguments.of(null)).count(work));
      fields.put("hidden", false);
      fields.put("private", false);
      tables.add(fields);
    }
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("database", database);
    answer.put("private", false);
    answer.put("tables", tables);
    answer.put("hidden_count", 0);
    answer.put("views", views);
    answer.put("queries", List.of());
    answer.put("allow_execute_sql", true);
    exchange.status(200);
    JsonAnswer.object(exchange, answer);
  }

  /** {@code /db/table.json}. */
  static void json(
      Exchange exchange, Work work, Catalog.Table table, Arguments arguments, String address)
      throws IOException, SQLException, Refusal {
    long start = System.nanoTime();
    work.use(table.database());
    TableQuery query = new TableQuery(table, arguments);
    TableQuery.Text text = query.page();
    Work.Result page =
        work.run(text.sql(), text.parameters(), query.size(), Statements.limit(arguments));
    String next = query.next(page);
    String nextUrl = next == null ? null : address + arguments.with("_next", next);
    Map<String, Object> before = new LinkedHashMap<>();
    before.put("ok", true);
    before.put("database", table.database());
    before.put("table", table.name());
    before.put("is_view", table.view());
    before.put("human_description_en", query.description());
    Map<String, Object> after = new LinkedHashMap<>();
    after.put("truncated", false);
    after.put("filtered_table_rows_count", arguments.isOn("_nocount") ? null : query.count(work));
    after.put("expanded_columns", List.of());
    after.put("expandable_columns", List.of());
    after.put("columns", page.columns());
    after.put("primary_keys", table.rowid() ? List.of() : table.keys());
    after.put("units", Map.of());
    after.put(
        "query",
        Statements.query(TableQuery.withNames(text.sql()), TableQuery.named(text.parameters())));
    after.put(
        "facet_results",
        arguments.isOn("_nofacet") ? Map.of() : facets(query.facets(work), arguments, address));
    after.put("suggested_facets", List.of());
    after.put("next", next);
    after.put("next_url", nextUrl);
    after.put("private", false);
    after.put("allow_execute_sql", true);
    after.put("query_ms", (System.nanoTime() - start) / 1e6);
    if (nextUrl != null) {
      exchange.header("Link", "<" + nextUrl + ">; rel=\"next\"");
    }
    List<String> keys = table.rowid() ? List.of() : table.keys();
    JsonAnswer.rows(
        exchange,
        arguments,
        JsonAnswer.Generation.STABLE,
        page,
        new JsonAnswer.Frame(before, after, keys));
  }

  private static Map<String, Object> facets(
      List<TableQuery.Facet> facets, Arguments arguments, String address) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (TableQuery.Facet facet : facets) {
      List<Object> values = new ArrayList<>();
      for (TableQuery.FacetValue value : facet.values()) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("value", value.value());
        fields.put("label", value.value());
        fields.put("count", value.count());
        fields.put("toggle_url", address + toggled(arguments, facet.column(), value));
        fields.put("selected", value.selected());
        values.add(fields);
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", facet.column());
      fields.put("type", "column");
      fields.put("hideable", true);
      fields.put("toggle_url", address + arguments.without("_facet", facet.column()));
      fields.put("results", values);
      fields.put("truncated", facet.truncated());
      all.put(facet.column(), fields);
    }
    return all;
  }

  /** The arguments with a facet's value chosen, or no longer; from the first page. */
  static Arguments toggled(Arguments arguments, String column, TableQuery.FacetValue value) {
    Arguments first = arguments.with("_next", null);
    String name = column.startsWith("_") ? column + "__exact" : column;
    String text = JsonAnswer.text(value.value());
    return value.selected() ? first.without(name, text) : first.and(name, text);
  }

  /** {@code /db/table.csv}: a page, or with {@code _stream=on} every row. */
  static void csv(
      Exchange exchange,
      Work work,
      Access access,
      Catalog.Table table,
      Arguments arguments,
      String address)
      throws IOException, SQLException, Refusal {
    work.use(table.database());
    TableQuery query = new TableQuery(table, arguments);
    boolean stream = !arguments.get("_stream", "").isEmpty();
    if (stream && arguments.has("_next")) {
      throw Refusal.bad("_next not allowed for CSV streaming");
    }
    Statements.csv(
        exchange,
        work,
        access,
        table.name(),
        arguments,
        stream ? query.all() : query.page(),
        stream ? 0 : query.size(),
        (columns, row, column) -> blobAddress(table, columns, row, columns.get(column), address));
  }

  private static String blobAddress(
      Catalog.Table table, List<String> columns, Object[] row, String column, String address) {
    Work.Result one = new Work.Result(columns, List.of(), false, List.of(), 0);
    return address
        + "/"
        + JsonAnswer.key(one, table.keys(), row)
        + ".blob?_blob_column="
        + Address.argument(column);
  }

  /** A row by its key; 404 if there is none. */
  static Work.Result row(Work work, Catalog.Table table, List<String> key)
      throws IOException, SQLException, Refusal {
    work.use(table.database());
    if (table.keys().isEmpty()) {
      throw Refusal.notFound(
          "Record not found: " + table.name() + " has no key, so its rows have no addresses");
    } else if (key.size() != table.keys().size()) {
      throw Refusal.notFound(
          "Record not found: the key of "
              + table.name()
              + " is "
              + String.join(", ", table.keys())
              + ", got "
              + key.size()
              + " values");
    }
    List<String> conditions = new ArrayList<>();
    for (String column : table.keys()) {
      conditions.add((table.rowid() ? column : Identifiers.quote(column)) + " = ?");
    }
    Work.Result result =
        work.run(
            "select "
                + (table.rowid() ? "rowid, " : "")
                + "* from "
                + Identifiers.quote(table.name())
                + " where "
                + String.join(" and ", conditions),
            key,
            1,
            null);
    if (result.rows().isEmpty()) {
      throw Refusal.notFound("Record not found");
    }
    return result;
  }

  /** {@code /db/table/key.json}. */
  static void rowJson(
      Exchange exchange, Work work, Catalog.Table table, List<String> key, Arguments arguments)
      throws IOException, SQLException, Refusal {
    Work.Result row = row(work, table, key);
    Map<String, Object> before = new LinkedHashMap<>();
    before.put("ok", true);
    before.put("database", table.database());
    before.put("table", table.name());
    Map<String, Object> after = new LinkedHashMap<>();
    after.put("columns", row.columns());
    after.put("primary_keys", table.keys());
    after.put("primary_key_values", key);
    after.put("units", Map.of());
    after.put("query_ms", row.nanos() / 1e6);
    JsonAnswer.rows(
        exchange,
        arguments,
        JsonAnswer.Generation.STABLE,
        row,
        new JsonAnswer.Frame(before, after, table.keys()));
  }
}
