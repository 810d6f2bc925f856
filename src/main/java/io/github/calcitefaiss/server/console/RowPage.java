/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A row: its values, and the rows nearest to it. */
record RowPage(
    Page page,
    String label,
    String labelHref,
    List<Field> fields,
    List<Neighbour> neighbours,
    String from,
    String statement,
    String map,
    String json) {
  private static final int NEAREST = 11;

  /** A column and its value. */
  record Field(String column, Cell cell) {}

  /** A row near this one. */
  record Neighbour(String id, String name, String distance, String href, double share) {}

  static RowPage of(
      Work work,
      Pages pages,
      Exchange exchange,
      Catalog catalog,
      Catalog.Table table,
      Address address)
      throws SQLException, IOException, Refusal {
    Work.Result result = Tables.row(work, table, address.key());
    Object[] row = result.rows().get(0);
    String here = "/" + Address.encode(table.database()) + "/" + Address.encode(table.name());
    String key = JsonAnswer.key(result, table.keys(), row);
    List<Field> fields = new ArrayList<>();
    for (int i = 0; i < row.length; i++) {
      String column = result.columns().get(i);
      Cell.Addresses addresses =
          row[i] instanceof byte[]
              ? TablePage.addresses(table, result, row, column, here + "/" + key, here)
              : Cell.Addresses.NONE;
      fields.add(new Field(column, Cell.of(row[i], 1 << 20, addresses)));
    }
    Catalog.Table searched = catalog.searched(table);
    List<Neighbour> neighbours = List.of();
    String statement = null;
    String label = null;
    String labelHref = null;
    if (searched != null) {
      int place = result.column(searched.index().id());
      Object id = place < 0 ? null : row[place];
      if (id != null) {
        Vectors.Names names = Vectors.names(work, catalog, searched);
        neighbours = neighbours(work, searched, names, table, id);
        if (names != null && !names.table().equals(table.name())) {
          label = text(work, names, id);
          labelHref =
              "/"
                  + Address.encode(table.database())
                  + "/"
                  + Address.encode(names.table())
                  + "/"
                  + Address.encode(JsonAnswer.text(id));
        }
        statement =
            "/"
                + Address.encode(table.database())
                + "?sql="
                + Address.argument(
                    Vectors.nearest(searched.name(), searched.index(), names, NEAREST - 1))
                + "&id="
                + Address.argument(JsonAnswer.text(id));
      }
    }
    String title = address.key().stream().reduce((a, b) -> a + ", " + b).orElse("");
    String address0 = here + "/" + key;
    Page page =
        pages.page(
            exchange,
            table.name() + " " + title,
            address0 + ".json",
            table.database(),
            table.name());
    return new RowPage(
        page,
        label,
        labelHref,
        fields,
        neighbours,
        searched == null ? null : searched.name(),
        statement,
        searched == null
            ? null
            : "/"
                + Address.encode(searched.database())
                + "/"
                + Address.encode(searched.name())
                + "/-/map",
        address0 + ".json");
  }

  private static List<Neighbour> neighbours(
      Work work, Catalog.Table searched, Vectors.Names names, Catalog.Table table, Object id)
      throws SQLException, IOException {
    Work.Result found;
    try {
      found =
          work.run(
              Vectors.nearest(searched.name(), searched.index(), null, NEAREST),
              List.of(id),
              NEAREST,
              null);
    } catch (SQLException e) {
      if (Failures.isTimeOut(e)) {
        return List.of();
      }
      throw e;
    }
    Map<Object, String> texts = texts(work, names, found);
    List<Neighbour> neighbours = new ArrayList<>();
    double most = 0;
    for (Object[] row : found.rows()) {
      most = row[1] instanceof Number n ? Math.max(most, n.doubleValue()) : most;
    }
    Catalog.Table shown =
        table.keys().size() == 1 && table.keys().get(0).equalsIgnoreCase(searched.index().id())
            ? table
            : null;
    for (Object[] row : found.rows()) {
      if (row[1] == null || JsonAnswer.text(row[0]).equals(JsonAnswer.text(id))) {
        continue;
      }
      String key = JsonAnswer.text(row[0]);
      double distance = ((Number) row[1]).doubleValue();
      neighbours.add(
          new Neighbour(
              key,
              texts.getOrDefault(row[0], ""),
              String.format(Locale.ROOT, "%.4f", distance),
              shown == null
                  ? null
                  : "/"
                      + Address.encode(shown.database())
                      + "/"
                      + Address.encode(shown.name())
                      + "/"
                      + Address.encode(key),
              most == 0 ? 0 : distance / most));
    }
    return neighbours;
  }

  /** The name of one row; null if it has none. */
  private static String text(Work work, Vectors.Names names, Object id)
      throws SQLException, IOException {
    Work.Result one =
        new Work.Result(List.of(), List.<Object[]>of(new Object[] {id}), false, List.of(), 0);
    return texts(work, names, one).values().stream().findFirst().orElse(null);
  }

  /** The names of the rows found. */
  static Map<Object, String> texts(Work work, Vectors.Names names, Work.Result found)
      throws SQLException, IOException {
    Map<Object, String> texts = new HashMap<>();
    if (names == null || found.rows().isEmpty()) {
      return texts;
    }
    List<Object> ids = found.rows().stream().map(row -> row[0]).toList();
    String marks = String.join(", ", Collections.nCopies(ids.size(), "?"));
    String sql =
        "select "
            + Identifiers.quote(names.key())
            + ", "
            + Identifiers.quote(names.label())
            + " from "
            + Identifiers.quote(names.table())
            + " where "
            + Identifiers.quote(names.key())
            + " in ("
            + marks
            + ")";
    for (Object[] row : work.quietly(sql, ids, null).rows()) {
      String text = row[1] == null ? "" : JsonAnswer.text(row[1]);
      texts.put(row[0], text.length() > 120 ? text.substring(0, 119) + "…" : text);
    }
    return texts;
  }
}
