/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A table's rows, or those of them that are nearest to a vector.
 *
 * @param near what the rows are nearest to, in words; null if they are in their own order
 */
record TablePage(
    Page page,
    String here,
    String kind,
    Grid grid,
    String summary,
    String next,
    List<Chip> chips,
    List<FacetView> facets,
    List<Chip> facetOffers,
    List<String> columns,
    List<Filter> filters,
    List<Arguments.Argument> kept,
    Vectors.State state,
    boolean indexed,
    boolean searchable,
    boolean texts,
    String search,
    String near,
    String map,
    String statement,
    String json,
    String csv) {
  private static final int NEAREST = 50;

  /** A text with an address. */
  record Chip(String text, String href) {}

  /** A facet with links. */
  record FacetView(String name, String hide, List<FacetLink> values, boolean truncated) {}

  /** A facet's value. */
  record FacetLink(String text, long count, String href, boolean selected) {}

  static TablePage of(
      Work work,
      Pages pages,
      Exchange exchange,
      Catalog catalog,
      Catalog.Table table,
      Arguments given)
      throws SQLException, IOException, Refusal {
    work.use(table.database());
    Arguments arguments = cleaned(given);
    TableQuery query = new TableQuery(table, arguments);
    String here = "/" + Address.encode(table.database()) + "/" + Address.encode(table.name());
    Nearest nearest = Nearest.of(work, table, query, arguments);
    Work.Result result;
    String sql;
    String next = null;
    if (nearest != null) {
      result = work.run(nearest.sql(), nearest.parameters(), NEAREST, null);
      sql = nearest.sql();
    } else {
      TableQuery.Text text = query.page();
      result = work.run(text.sql(), text.parameters(), query.size(), Statements.limit(arguments));
      sql = text.sql();
      next = query.next(result);
    }
    Long count = nearest == null ? query.count(work) : null;
    Grid grid = grid(table, result, arguments, query, here, nearest != null);
    Catalog.Table searched = catalog.searched(table);
    boolean searchable = searched != null;
    return new TablePage(
        pages.page(
            exchange, table.name(), here + ".json" + arguments, table.database(), table.name()),
        here,
        table.view() ? "view" : "table",
        grid,
        summary(result, count, query, nearest),
        next == null ? null : here + arguments.with("_next", next),
        chips(query, arguments, here),
        facetViews(query.facets(work), arguments, here),
        offers(table, arguments, here),
        table.columns().stream().map(Catalog.Column::name).toList(),
        Arrays.asList(Filter.values()),
        kept(arguments),
        Vectors.state(work, table.name(), table.index()),
        table.index() != null,
        searchable,
        searchable && catalog.hasFunction("embed"),
        arguments.get("_search", arguments.get("_near", "")),
        nearest == null ? null : nearest.words(),
        table.index() == null ? null : here + "/-/map",
        "/"
            + Address.encode(table.database())
            + "?sql="
            + Address.argument(filled(sql, nearest, query)),
        here + ".json" + arguments,
        here + ".csv" + arguments.with("_next", null).with("_stream", "on"));
  }

  /**
   * A form gives a filter as three fields, and every field that is empty: as one argument that says
   * the same.
   */
  static Arguments cleaned(Arguments given) {
    Arguments arguments = given;
    String column = given.get("_filter_column", "");
    if (!column.isEmpty()) {
      String filter = given.get("_filter", "exact");
      arguments =
          arguments.and(
              column + (filter.equals("exact") && !column.startsWith("_") ? "" : "__" + filter),
              given.get("_filter_value", ""));
    }
    for (String name : List.of("_filter_column", "_filter", "_filter_value")) {
      arguments = arguments.with(name, null);
    }
    if (arguments.get("_search", "x").isBlank()) {
      arguments = arguments.with("_search", null);
    }
    return arguments;
  }

  /** The statement with its values in their places, to go on from. */
  private static String filled(String sql, Nearest nearest, TableQuery query) throws Refusal {
    List<?> values = nearest != null ? nearest.parameters() : query.page().parameters();
    StringBuilder out = new StringBuilder();
    boolean inName = false;
    int n = 0;
    for (char c : sql.toCharArray()) {
      inName ^= c == '"';
      if (c == '?' && !inName) {
        Object value = values.get(n++);
        out.append(
            value instanceof Number
                ? JsonAnswer.text(value)
                : "'" + value.toString().replace("'", "''") + "'");
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  private static String summary(Work.Result result, Long count, TableQuery query, Nearest nearest) {
    String time = String.format(Locale.ROOT, " in %.1f ms", result.nanos() / 1e6);
    if (nearest != null) {
      return result.rows().size() + " nearest rows" + time;
    }
    String all =
        count == null
            ? ""
            : String.format(Locale.ROOT, "%,d %s ", count, count == 1 ? "row" : "rows");
    return (all + query.description()).strip() + ", " + result.rows().size() + " here" + time;
  }

  private static List<Arguments.Argument> kept(Arguments arguments) {
    return arguments.list().stream()
        .filter(a -> !List.of("_next", "_search", "_near").contains(a.name()))
        .toList();
  }

  private static List<Chip> chips(TableQuery query, Arguments arguments, String here) {
    List<Chip> chips = new ArrayList<>();
    for (TableQuery.Condition condition : query.conditions()) {
      String name =
          condition.filter() == Filter.EXACT && arguments.has(condition.column())
              ? condition.column()
              : condition.column() + "__" + condition.filter().key();
      chips.add(
          new Chip(
              condition.column()
                  + " "
                  + condition.filter().words()
                  + (condition.filter().takesValue() ? " " + condition.value() : ""),
              here + arguments.with("_next", null).without(name, condition.value())));
    }
    return chips;
  }

  private static List<FacetView> facetViews(
      List<TableQuery.Facet> facets, Arguments arguments, String here) {
    List<FacetView> views = new ArrayList<>();
    for (TableQuery.Facet facet : facets) {
      List<FacetLink> links = new ArrayList<>();
      for (TableQuery.FacetValue value : facet.values()) {
        String text = JsonAnswer.text(value.value());
        links.add(
            new FacetLink(
                text.length() > 80 ? text.substring(0, 79) + "…" : text,
                value.count(),
                here + Tables.toggled(arguments, facet.column(), value),
                value.selected()));
      }
      views.add(
          new FacetView(
              facet.column(),
              here + arguments.without("_facet", facet.column()),
              links,
              facet.truncated()));
    }
    return views;
  }

  private static List<Chip> offers(Catalog.Table table, Arguments arguments, String here) {
    List<Chip> offers = new ArrayList<>();
    for (Catalog.Column column : table.columns()) {
      boolean key = table.keys().contains(column.name());
      if (!column.isBlob() && !key && !arguments.all("_facet").contains(column.name())) {
        offers.add(
            new Chip(
                column.name(), here + arguments.with("_next", null).and("_facet", column.name())));
      }
    }
    return offers;
  }

  private static Grid grid(
      Catalog.Table table,
      Work.Result result,
      Arguments arguments,
      TableQuery query,
      String here,
      boolean near) {
    List<Grid.Head> heads = new ArrayList<>();
    Arguments first = arguments.with("_next", null).with("_sort", null).with("_sort_desc", null);
    for (String name : result.columns()) {
      Catalog.Column column = table.column(name);
      boolean own = column != null || name.equals("rowid");
      boolean sorted = own && name.equals(query.sort());
      String to = sorted && !query.descending() ? "_sort_desc" : "_sort";
      boolean sortable = own && !near && (column == null || !column.isBlob());
      heads.add(
          new Grid.Head(
              name,
              sortable ? here + first.with(to, name) : null,
              sorted ? query.descending() ? "descending" : "ascending" : "none",
              column == null || column.isNumber()));
    }
    List<List<Cell>> rows = new ArrayList<>();
    boolean keyed =
        !table.keys().isEmpty() && table.keys().stream().allMatch(k -> result.column(k) >= 0);
    for (Object[] row : result.rows()) {
      String address = keyed ? here + "/" + JsonAnswer.key(result, table.keys(), row) : null;
      List<Cell> cells = new ArrayList<>();
      for (int i = 0; i < row.length; i++) {
        String name = result.columns().get(i);
        Cell.Addresses addresses =
            row[i] instanceof byte[]
                ? addresses(table, result, row, name, address, here)
                : Cell.Addresses.NONE;
        Cell cell = Cell.of(row[i], 200, addresses);
        boolean first0 = address != null && name.equals(table.keys().get(0));
        cells.add(first0 ? cell.withHref(address) : cell);
      }
      rows.add(cells);
    }
    return new Grid(heads, rows);
  }

  /** Where a blob's bytes, elements and neighbours are. */
  static Cell.Addresses addresses(
      Catalog.Table table,
      Work.Result result,
      Object[] row,
      String column,
      String address,
      String here) {
    String blob =
        address == null ? null : address + ".blob?_blob_column=" + Address.argument(column);
    Catalog.Index index = table.index();
    String near = null;
    String json = null;
    if (index != null && column.equals(index.embedding()) && result.column(index.id()) >= 0) {
      Object id = row[result.column(index.id())];
      if (id != null) {
        near = here + "?_near=" + Address.argument(JsonAnswer.text(id));
        json =
            "/"
                + Address.encode(table.database())
                + "?sql="
                + Address.argument(
                    "select faiss_decode("
                        + Identifiers.quote(column)
                        + ") as vector from "
                        + Identifiers.quote(table.name())
                        + " where "
                        + Identifiers.quote(index.id())
                        + " = :id")
                + "&id="
                + Address.argument(JsonAnswer.text(id));
      }
    }
    return new Cell.Addresses(json, blob, near);
  }

  /** A search for the rows nearest to a vector, with the filters of the address. */
  record Nearest(String sql, List<Object> parameters, String words) {
    static Nearest of(Work work, Catalog.Table table, TableQuery query, Arguments arguments)
        throws Refusal, SQLException, IOException {
      String search = arguments.get("_search", arguments.get("_near", "")).strip();
      if (search.isEmpty()) {
        return null;
      }
      Catalog catalog = new Catalog(work);
      Catalog.Table searched = catalog.searched(table);
      if (searched == null) {
        throw Refusal.bad(
            table.name() + " has no index, so nothing can be searched in it by vector");
      }
      Catalog.Index index = searched.index();
      String vector = Identifiers.quote(index.embedding());
      String id = Identifiers.quote(index.id());
      List<Object> parameters = new ArrayList<>();
      String to;
      String words;
      boolean isVector = search.startsWith("[");
      if (isVector) {
        to = "?";
        parameters.add(search);
        words = "the vector given";
      } else if (arguments.has("_near")
          || !catalog.hasFunction("embed")
          || search.matches("-?[0-9]+")) {
        Catalog.Column column = searched.column(index.id());
        boolean number = column == null || column.isNumber();
        if (number && !search.matches("-?[0-9]{1,18}")) {
          throw Refusal.bad(
              "Search takes an id of "
                  + table.name()
                  + " or a vector as JSON, such as [0.1, 0.2]; got '"
                  + search
                  + "'. Texts need an embedding model, and none is installed.");
        }
        to =
            "(select "
                + vector
                + " from "
                + Identifiers.quote(searched.name())
                + " where "
                + id
                + " = ? limit 1)";
        parameters.add(number ? (Object) Long.parseLong(search) : search);
        words = index.id() + " " + search;
      } else {
        // By the model that made the table's vectors, where that is known.
        to = index.model() == null ? "embed(?)" : "embed(?, ?)";
        if (index.model() != null) {
          parameters.add(index.model());
        }
        parameters.add(search);
        words = "“" + search + "”";
      }
      TableQuery.Text filtered = query.nearest(searched, to, NEAREST);
      parameters.addAll(filtered.parameters());
      return new Nearest(filtered.sql(), parameters, words);
    }
  }
}
