/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The databases and what is in them. */
record HomePage(Page page, List<Database> databases, String example) {
  /** Tables that are looked at; a database may have thousands. */
  private static final int LOOKED_AT = 60;

  private static final long LOOKING_NANOS = 1_000_000_000L;

  /** A table of a database. */
  record Entry(
      String name,
      String href,
      String kind,
      String rows,
      String dims,
      String index,
      String map,
      List<String> problems) {}

  /** A database. */
  record Database(String name, String href, List<Entry> tables, int more) {}

  /** The page of all databases, or of one. */
  static HomePage of(Work work, Page page, List<String> names, boolean all)
      throws SQLException, IOException, Refusal {
    Catalog catalog = new Catalog(work);
    List<Database> databases = new ArrayList<>();
    String example = null;
    long end = System.nanoTime() + LOOKING_NANOS;
    for (String name : names) {
      work.use(name);
      List<Catalog.Name> tables = catalog.names(name);
      List<Entry> entries = new ArrayList<>();
      for (Catalog.Name table : tables) {
        if (entries.size() == LOOKED_AT && !all) {
          break;
        }
        Catalog.Index index = catalog.indexes(name).get(table.name());
        boolean look = entries.size() < LOOKED_AT && System.nanoTime() < end;
        entries.add(entry(work, name, table, index, look));
        if (example == null && index != null) {
          example = Vectors.nearest(table.name(), index, null, 10);
        }
      }
      databases.add(
          new Database(name, "/" + Address.encode(name), entries, tables.size() - entries.size()));
    }
    return new HomePage(page, databases, example);
  }

  private static Entry entry(
      Work work, String database, Catalog.Name table, Catalog.Index index, boolean look)
      throws IOException {
    Vectors.State state =
        look
            ? Vectors.state(work, table.name(), index)
            : new Vectors.State(null, null, null, List.of());
    String href = "/" + Address.encode(database) + "/" + Address.encode(table.name());
    return new Entry(
        table.name(),
        href,
        table.view() ? "view" : "table",
        state.rows() == null ? "" : String.format(Locale.ROOT, "%,d", state.rows()),
        state.dims() == null ? "" : state.dims(),
        state.state() == null ? "" : state.state(),
        index == null ? null : href + "/-/map",
        state.problems());
  }
}
