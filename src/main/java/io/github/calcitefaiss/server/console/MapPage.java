/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.IOException;
import java.sql.SQLException;
import java.util.List;

/**
 * The page that draws a table's vectors as points.
 *
 * @param points where the points are, as JSON
 * @param near where the rows nearest to one are, to be followed by its id
 * @param row where a row is, to be followed by its id; "" if rows have no addresses
 */
record MapPage(
    Page page,
    String table,
    String here,
    List<String> columns,
    String colour,
    String points,
    String near,
    String row) {
  static MapPage of(
      Work work,
      Pages pages,
      Exchange exchange,
      Catalog catalog,
      Catalog.Table table,
      Arguments arguments)
      throws SQLException, IOException, Refusal {
    Points.index(table);
    Vectors.Names names = Vectors.names(work, catalog, table);
    Catalog.Table named = names == null ? table : catalog.table(table.database(), names.table());
    List<String> columns =
        named.columns().stream()
            .filter(column -> !column.isBlob())
            .map(Catalog.Column::name)
            .toList();
    String database = "/" + Address.encode(table.database());
    String here = database + "/" + Address.encode(table.name());
    String colour = arguments.get("colour", colour(columns));
    boolean keyed = named.keys().equals(List.of(names == null ? table.index().id() : names.key()));
    String nearest = Vectors.nearest(table.name(), table.index(), null, 11);
    return new MapPage(
        pages.page(exchange, "Map of " + table.name(), null, table.database(), table.name()),
        table.name(),
        here + "/-/map",
        columns,
        colour,
        here + "/-/map.json" + Arguments.of(null).with("colour", colour.isEmpty() ? null : colour),
        database + "/-/query.json?_shape=arrays&sql=" + Address.argument(nearest) + "&id=",
        keyed ? database + "/" + Address.encode(named.name()) + "/" : "");
  }

  /** A column that sorts things, if one is called as such columns are. */
  private static String colour(List<String> columns) {
    for (String usual :
        List.of("section", "category", "kind", "type", "cluster", "label", "topic")) {
      for (String column : columns) {
        if (column.equalsIgnoreCase(usual)) {
          return column;
        }
      }
    }
    return "";
  }
}
