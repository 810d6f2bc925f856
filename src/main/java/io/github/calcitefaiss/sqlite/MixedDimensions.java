/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What can be said of a table whose vectors have several dimensions: how many have which, and which
 * column tells them apart, as a model's or a collection's name does.
 */
public final class MixedDimensions {
  private MixedDimensions() {}

  /** SQL for the dimension of a value that may be a vector, blob or JSON; else NULL. */
  static String sql(String value) {
    return "CASE typeof("
        + value
        + ") WHEN 'blob' THEN length("
        + value
        + ") / 4 WHEN 'text' THEN CASE WHEN json_valid("
        + value
        + ") THEN json_array_length("
        + value
        + ") END END";
  }

  /**
   * The dimension that rows must have where odd ones are skipped: that of most; 0 for any, where a
   * column tells dimensions apart.
   */
  static int usual(Connection connection, IndexedTable table) throws SQLException {
    String e = Identifiers.quote(table.embedding());
    String query =
        "SELECT "
            + sql(e)
            + ", count(*) FROM "
            + Identifiers.quote(table.table())
            + " WHERE CASE typeof("
            + e
            + ") WHEN 'blob' THEN length("
            + e
            + ") > 0 AND length("
            + e
            + ") % 4 = 0 WHEN 'text' THEN json_valid("
            + e
            + ") ELSE 0 END GROUP BY 1 HAVING "
            + sql(e)
            + " > 0 ORDER BY 2 DESC, 1";
    int usual = 0;
    int dimensions = 0;
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        usual = dimensions++ == 0 ? rows.getInt(1) : usual;
      }
    }
    return dimensions > 1 && tellingColumn(connection, table, dimensions) != null ? 0 : usual;
  }

  /** Describes what was found. */
  static IndexCache.Mixed of(
      Connection connection, String schema, IndexedTable table, List<FlatIndex> indexes)
      throws SQLException {
    Map<Integer, FlatIndex> byDims = new LinkedHashMap<>();
    List<String> counts = new ArrayList<>();
    for (FlatIndex index : indexes) {
      byDims.put(index.dims(), index);
      counts.add(index.size() + " of " + index.dims() + " dimensions");
    }
    String name = "table " + schema + "." + table.table();
    String telling = tellingColumn(connection, table, indexes.size());
    if (telling != null) {
      return new IndexCache.Mixed(
          byDims,
          true,
          name
              + " holds vectors of several dimensions ("
              + String.join(", ", counts)
              + "), told apart by its column "
              + telling
              + ": a condition must leave those of one, as in WHERE "
              + telling
              + " = "
              + example(connection, table, telling, indexes.get(0).dims()));
    }
    FlatIndex rare = indexes.get(indexes.size() - 1);
    return new IndexCache.Mixed(
        byDims,
        false,
        name
            + ", the row with "
            + table.id()
            + " "
            + literal(rare.id(0))
            + ": its "
            + table.embedding()
            + " has another dimension than most ("
            + String.join(", ", counts)
            + "; no column tells them apart); correct the row, leave such rows out with the operand"
            + " \"onBadRow\": \"skip\", or add a condition that leaves vectors of one dimension");
  }

  /** The column of fewest values of which each has vectors of one dimension only, or null. */
  public static String tellingColumn(Connection connection, IndexedTable table, int dimensions)
      throws SQLException {
    String e = Identifiers.quote(table.embedding());
    String from = " FROM " + Identifiers.quote(table.table()) + " WHERE " + e + " IS NOT NULL";
    String best = null;
    long fewest = Long.MAX_VALUE;
    for (String name : columns(connection, table)) {
      String column = Identifiers.quote(name);
      String query =
          "SELECT count(*), coalesce(max(least <> most), 1), sum(rows), max(type) FROM (SELECT min(d)"
              + " AS least, max(d) AS most, count(*) AS rows, max(typeof(c) = 'blob') AS type"
              + " FROM (SELECT "
              + column
              + " AS c, "
              + sql(e)
              + " AS d"
              + from
              + ") GROUP BY c)";
      try (Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery(query)) {
        long values = row.getLong(1);
        boolean few = values == dimensions || 2 * values <= row.getLong(3);
        if (row.getInt(2) == 0 && row.getInt(4) == 0 && few && values < fewest) {
          best = name;
          fewest = values;
        }
      }
    }
    return best;
  }

  private static List<String> columns(Connection connection, IndexedTable table)
      throws SQLException {
    List<String> names = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT * FROM " + Identifiers.quote(table.table()) + " LIMIT 0")) {
      for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
        String name = row.getMetaData().getColumnName(i);
        if (!name.equalsIgnoreCase(table.id()) && !name.equalsIgnoreCase(table.embedding())) {
          names.add(name);
        }
      }
    }
    return names;
  }

  private static String example(Connection connection, IndexedTable table, String column, int dims)
      throws SQLException {
    String e = Identifiers.quote(table.embedding());
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT "
                    + Identifiers.quote(column)
                    + " FROM "
                    + Identifiers.quote(table.table())
                    + " WHERE "
                    + sql(e)
                    + " = "
                    + dims
                    + " LIMIT 1")) {
      return row.next() ? literal(row.getObject(1)) : "…";
    }
  }

  private static String literal(Object value) {
    return value instanceof String text
        ? "'" + text.replace("'", "''") + "'"
        : String.valueOf(value);
  }
}
