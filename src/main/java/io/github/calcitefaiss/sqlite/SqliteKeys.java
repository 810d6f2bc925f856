/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The keys and indexes of a SQLite table, read by PRAGMA when asked for.
 *
 * @param primaryKey columns of the primary key in its order; empty if there is none
 * @param foreignKeys references to other tables
 * @param indexes of the table, those that SQLite made for UNIQUE among them
 */
public record SqliteKeys(
    List<String> primaryKey, List<ForeignKey> foreignKeys, List<Index> indexes) {

  /**
   * A reference to another table.
   *
   * @param number SQLite's for it, from 0
   * @param columns that refer
   * @param parent table referred to
   * @param parentColumns columns referred to, as many as {@code columns}
   * @param updateRule of {@link DatabaseMetaData}, as is {@code deleteRule}
   */
  public record ForeignKey(
      int number,
      List<String> columns,
      String parent,
      List<String> parentColumns,
      short updateRule,
      short deleteRule) {}

  /**
   * An index.
   *
   * @param columns their names, null for an expression
   * @param descending for each column
   * @param partial whether it has only some of the rows
   */
  public record Index(
      String name,
      boolean unique,
      List<String> columns,
      List<Boolean> descending,
      boolean partial) {}

  /**
   * Reads a table's.
   *
   * @throws SQLException if the file can't be read
   */
  public static SqliteKeys of(SqliteTable table) throws SQLException {
    try (SqliteDatabase.Lease lease = table.schema().database().snapshot(Checkpoint.NONE, null)) {
      return new SqliteKeys(
          primaryKey(table),
          foreignKeys(table, lease.connection()),
          indexes(table, lease.connection()));
    }
  }

  private static List<String> primaryKey(SqliteTable table) {
    return table.columns().stream()
        .filter(c -> c.key() > 0)
        .sorted(Comparator.comparingInt(SqliteTable.Column::key))
        .map(SqliteTable.Column::name)
        .toList();
  }

  private static List<ForeignKey> foreignKeys(SqliteTable table, Connection connection)
      throws SQLException {
    Map<Integer, ForeignKey> keys = new LinkedHashMap<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete"
                + " FROM pragma_foreign_key_list(?) ORDER BY id, seq")) {
      statement.setString(1, table.name());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ForeignKey key = keys.get(rows.getInt(1));
          if (key == null) {
            key =
                new ForeignKey(
                    rows.getInt(1),
                    new ArrayList<>(),
                    rows.getString(2),
                    new ArrayList<>(),
                    rule(rows.getString(5)),
                    rule(rows.getString(6)));
            keys.put(key.number(), key);
          }
          key.columns().add(rows.getString(3));
          String parentColumn = rows.getString(4);
          if (parentColumn != null) {
            key.parentColumns().add(parentColumn);
          }
        }
      }
    }
    List<ForeignKey> found = new ArrayList<>();
    for (ForeignKey key : keys.values()) {
      SqliteTable parent = table.schema().sqliteTable(key.parent());
      if (parent != null && key.parentColumns().isEmpty()) {
        // REFERENCES without columns means the primary key.
        key.parentColumns().addAll(primaryKey(parent));
      }
      // A reference to a table or columns that aren't there can't be shown, and holds nothing.
      if (parent != null && key.parentColumns().size() == key.columns().size()) {
        found.add(
            new ForeignKey(
                key.number(),
                key.columns(),
                parent.name(),
                key.parentColumns(),
                key.updateRule(),
                key.deleteRule()));
      }
    }
    return found;
  }

  private static short rule(String action) {
    switch (action.toUpperCase(Locale.ROOT)) {
      case "CASCADE":
        return DatabaseMetaData.importedKeyCascade;
      case "SET NULL":
        return DatabaseMetaData.importedKeySetNull;
      case "SET DEFAULT":
        return DatabaseMetaData.importedKeySetDefault;
      case "RESTRICT":
        return DatabaseMetaData.importedKeyRestrict;
      default:
        return DatabaseMetaData.importedKeyNoAction;
    }
  }

  private static List<Index> indexes(SqliteTable table, Connection connection) throws SQLException {
    Map<String, Index> indexes = new LinkedHashMap<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT l.name, l.\"unique\", l.partial, x.name, x.\"desc\""
                + " FROM pragma_index_list(?) AS l, pragma_index_xinfo(l.name) AS x"
                + " WHERE x.key = 1 ORDER BY l.name, x.seqno")) {
      statement.setString(1, table.name());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          Index index = indexes.get(rows.getString(1));
          if (index == null) {
            index =
                new Index(
                    rows.getString(1),
                    rows.getInt(2) != 0,
                    new ArrayList<>(),
                    new ArrayList<>(),
                    rows.getInt(3) != 0);
            indexes.put(index.name(), index);
          }
          index.columns().add(rows.getString(4));
          index.descending().add(rows.getInt(5) != 0);
        }
      }
    }
    return List.copyOf(indexes.values());
  }
}
