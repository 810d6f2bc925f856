/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.KeptColumn.Affinity;
import io.github.calcitefaiss.index.KeptColumns;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Which columns of a table are kept beside its vectors.
 *
 * @param names the columns, as SQLite matches names; empty for none; null for those that are small
 */
public record ColumnsToKeep(List<String> names) {
  /** Those that are small: numbers, and texts of few distinct values. */
  public static final ColumnsToKeep SMALL = new ColumnsToKeep(null);

  /** None. */
  public static final ColumnsToKeep NONE = new ColumnsToKeep(List.of());

  private static final String COLUMNS =
      "SELECT x.name, x.type, l.strict FROM pragma_table_list AS l, pragma_table_xinfo(l.name) AS x"
          + " WHERE l.schema = 'main' AND l.type = 'table' AND l.name = ? COLLATE NOCASE"
          + " AND x.hidden = 0";

  /** Rows that are looked at first, so that columns of texts need not be read for all rows. */
  private static final int PROBED_ROWS = 512;

  /** A longer text is none of few. */
  private static final int LONGEST_TEXT = 256;

  /** Whether columns were named. */
  boolean named() {
    return names != null;
  }

  /** The columns of a table; none of what is no table of the file. */
  List<KeptColumns.Wanted> of(Connection connection, IndexedTable table) throws SQLException {
    List<KeptColumns.Wanted> wanted = new ArrayList<>();
    if (named() && names.isEmpty()) {
      return wanted;
    }
    boolean texts = comparesBytes(connection, table);
    String sql = COLUMNS + " ORDER BY x.cid";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, table.table());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          String name = rows.getString(1);
          Affinity affinity = affinity(rows.getString(2), rows.getBoolean(3));
          if (isWanted(name, table) && (affinity == Affinity.NUMERIC || texts)) {
            wanted.add(new KeptColumns.Wanted(name, affinity));
          }
        }
      }
    }
    return named() || wanted.isEmpty() ? wanted : small(connection, table, wanted);
  }

  /** How a table's id may be asked beside the vectors, where it is held anyway; null if not. */
  KeptColumns.Wanted id(Connection connection, IndexedTable table) throws SQLException {
    if (named() && names.isEmpty()) {
      return null;
    }
    String sql = COLUMNS + " AND x.name = ? COLLATE NOCASE";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, table.table());
      statement.setString(2, table.id());
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new KeptColumns.Wanted(
                row.getString(1), affinity(row.getString(2), row.getBoolean(3)))
            : null;
      }
    }
  }

  private boolean isWanted(String name, IndexedTable table) {
    return !name.equalsIgnoreCase(table.id())
        && !name.equalsIgnoreCase(table.embedding())
        && (names == null || names.stream().anyMatch(name::equalsIgnoreCase));
  }

  /** Whether texts of the table are compared by their UTF-8, as far as anything says. */
  private static boolean comparesBytes(Connection connection, IndexedTable table)
      throws SQLException {
    String sql =
        "SELECT (SELECT encoding FROM pragma_encoding) = 'UTF-8' AND NOT EXISTS (SELECT 1 FROM"
            + " sqlite_schema WHERE name = ? COLLATE NOCASE AND sql LIKE '%collate%')";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, table.table());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /** SQLite's type affinity, of which only what it means for comparisons counts. */
  private static Affinity affinity(String declared, boolean strict) {
    String type = declared == null ? "" : declared.toUpperCase(Locale.ROOT);
    if (type.contains("INT")) {
      return Affinity.NUMERIC;
    } else if (type.contains("CHAR") || type.contains("CLOB") || type.contains("TEXT")) {
      return Affinity.TEXT;
    }
    return type.isEmpty() || type.contains("BLOB") || strict && type.equals("ANY")
        ? Affinity.NONE
        : Affinity.NUMERIC;
  }

  /** Those whose first rows don't say that they aren't small. */
  private List<KeptColumns.Wanted> small(
      Connection connection, IndexedTable table, List<KeptColumns.Wanted> all) throws SQLException {
    KeptColumns.Builder builder = new KeptColumns.Builder(all, false, bytes -> {});
    String sql =
        "SELECT "
            + String.join(", ", all.stream().map(this::read).toList())
            + " FROM "
            + Identifiers.quote(table.table())
            + " LIMIT "
            + PROBED_ROWS;
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        add(builder, rows, 1);
      }
    }
    List<KeptColumns.Wanted> small = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      if (builder.takes(i)) {
        small.add(all.get(i));
      }
    }
    return small;
  }

  /**
   * What a column is read as: what is never kept comes as a blob without bytes. A column of numbers
   * is read as it is, which is quicker: there, blobs and long texts are mistakes.
   */
  String read(KeptColumns.Wanted column) {
    String c = Identifiers.quote(column.name());
    return named() || column.affinity() == Affinity.NUMERIC
        ? c
        : "CASE typeof("
            + c
            + ") WHEN 'blob' THEN x'' WHEN 'text' THEN CASE WHEN length("
            + c
            + (") > " + LONGEST_TEXT + " THEN x'' ELSE ")
            + c
            + " END ELSE "
            + c
            + " END";
  }

  /** Adds a row's values, which begin with a column of what was read. */
  static void add(KeptColumns.Builder builder, ResultSet row, int first) throws SQLException {
    for (int i = 0; i < builder.width(); i++) {
      if (builder.takes(i)) {
        Object value = row.getObject(first + i);
        builder.add(i, value instanceof Integer number ? (Object) number.longValue() : value);
      }
    }
  }
}
