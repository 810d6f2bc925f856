/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A statement, its parameters, and what it gives.
 *
 * @param plan how it was run; null for none
 * @param error why it failed; null if it didn't
 * @param summary rows and time
 */
record StatementPage(
    Page page,
    String database,
    String action,
    String sql,
    List<Parameter> parameters,
    Grid grid,
    String error,
    String summary,
    boolean truncated,
    PlanWords plan,
    String json,
    String csv,
    String completion,
    List<HomePage.Entry> tables,
    String example) {
  /** A parameter and its value. */
  record Parameter(String name, String value) {}

  static StatementPage of(
      Work work, Access access, Page page, String database, Arguments arguments, HomePage home)
      throws IOException, SQLException {
    String sql = arguments.get("sql", "");
    String here = "/" + Address.encode(database);
    List<Parameter> parameters = new ArrayList<>();
    Grid grid = null;
    String error = null;
    String summary = null;
    boolean truncated = false;
    PlanWords plan = null;
    if (!sql.isBlank()) {
      try {
        List<String> names = Statements.parameters(sql);
        List<String> values = Statements.values(names, arguments);
        for (int i = 0; i < names.size(); i++) {
          parameters.add(new Parameter(names.get(i).substring(1), values.get(i)));
        }
        Work.Result result = Statements.run(work, access, sql, arguments);
        grid = grid(work, database, sql, arguments, result);
        truncated = result.truncated();
        int rows = result.rows().size();
        summary =
            String.format(
                Locale.ROOT,
                "%,d %s%s in %.1f ms",
                rows,
                rows == 1 ? "row" : "rows",
                truncated ? ", the first of more," : "",
                result.nanos() / 1e6);
        plan = PlanWords.of(work, sql, values);
      } catch (Refusal e) {
        error = e.getMessage();
      } catch (SQLException e) {
        if (Failures.of(e).status() == 503) {
          throw e;
        }
        error = e.getMessage();
      }
    }
    return new StatementPage(
        page,
        database,
        here,
        sql,
        parameters,
        grid,
        error,
        summary,
        truncated,
        plan,
        here + ".json" + arguments,
        here + ".csv" + arguments,
        here + "/-/complete.json",
        home == null ? List.of() : home.databases().get(0).tables(),
        home == null ? null : home.example());
  }

  private static Grid grid(
      Work work, String database, String sql, Arguments arguments, Work.Result result)
      throws SQLException, IOException, Refusal {
    List<Grid.Head> heads = new ArrayList<>();
    for (int i = 0; i < result.columns().size(); i++) {
      heads.add(new Grid.Head(result.columns().get(i), null, "none", isNumber(result, i)));
    }
    Nearby nearby = Nearby.of(work, database, sql, result);
    List<List<Cell>> rows = new ArrayList<>();
    for (Object[] row : result.rows()) {
      List<Cell> cells = new ArrayList<>();
      for (int i = 0; i < row.length; i++) {
        Cell.Addresses addresses = Cell.Addresses.NONE;
        if (row[i] instanceof byte[] blob) {
          String bytes =
              "/"
                  + Address.encode(database)
                  + ".blob"
                  + arguments
                      .with("_blob_column", result.columns().get(i))
                      .with("_blob_hash", Statements.sha256(blob));
          addresses = new Cell.Addresses(null, bytes, nearby == null ? null : nearby.of(row, blob));
        }
        cells.add(Cell.of(row[i], Cell.LONGEST, addresses));
      }
      rows.add(cells);
    }
    return new Grid(heads, rows);
  }

  private static boolean isNumber(Work.Result result, int column) {
    for (Object[] row : result.rows()) {
      if (row[column] != null) {
        return row[column] instanceof Number;
      }
    }
    return false;
  }

  /** Where the rows nearest to a vector of a result are: by the id beside it. */
  private record Nearby(Catalog.Table table, int id) {
    static Nearby of(Work work, String database, String sql, Work.Result result)
        throws SQLException, IOException, Refusal {
      boolean blobs = false;
      for (Object[] row : result.rows()) {
        for (Object value : row) {
          blobs |= value instanceof byte[];
        }
      }
      if (!blobs) {
        return null;
      }
      Catalog catalog = new Catalog(work);
      for (var index : catalog.indexes(database).entrySet()) {
        int id = result.column(index.getValue().id());
        if (id >= 0
            && sql.toLowerCase(Locale.ROOT).contains(index.getKey().toLowerCase(Locale.ROOT))) {
          return new Nearby(catalog.table(database, index.getKey()), id);
        }
      }
      return null;
    }

    String of(Object[] row, byte[] blob) {
      if (row[id] == null || Cell.vector(blob) == null) {
        return null;
      }
      return "/"
          + Address.encode(table.database())
          + "/"
          + Address.encode(table.name())
          + "?_near="
          + Address.argument(JsonAnswer.text(row[id]));
    }
  }
}
