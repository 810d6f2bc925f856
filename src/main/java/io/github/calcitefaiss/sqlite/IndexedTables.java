/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.IndexCache;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Which tables of a schema have an index, and the index of each as a run of a statement sees it.
 */
public final class IndexedTables {
  /** One for the process: connections and schemas that read the same file share its indexes. */
  private static final IndexCache CACHE = new IndexCache();

  private final SqliteSchema schema;
  private final List<IndexedTable> configured;
  private final boolean skipBadRows;

  /**
   * Creates the set of tables.
   *
   * @param configured the tables; empty for every table and view with the default columns
   */
  IndexedTables(SqliteSchema schema, List<IndexedTable> configured, boolean skipBadRows) {
    this.schema = schema;
    this.configured = List.copyOf(configured);
    this.skipBadRows = skipBadRows;
  }

  /** The tables that have an index now, in order of configuration or name. */
  public List<IndexedTable> list() throws SQLException {
    if (!configured.isEmpty()) {
      return configured;
    }
    List<IndexedTable> found = new ArrayList<>();
    for (SqliteTable table : schema.sqliteTables().values()) {
      SqliteTable.Column id = table.column(IndexedTable.DEFAULT_ID);
      SqliteTable.Column embedding = table.column(IndexedTable.DEFAULT_EMBEDDING);
      if (id != null && embedding != null) {
        found.add(new IndexedTable(table.name(), id.name(), embedding.name(), skipBadRows));
      }
    }
    return found;
  }

  /** The indexed table of a name, matched as SQLite matches it, or null. */
  public IndexedTable find(String table) throws SQLException {
    List<IndexedTable> all = list();
    for (IndexedTable indexed : all) {
      if (indexed.table().equals(table)) {
        return indexed;
      }
    }
    for (IndexedTable indexed : all) {
      if (indexed.table().equalsIgnoreCase(table)) {
        return indexed;
      }
    }
    return null;
  }

  /**
   * The index of the version that a run reads, loading it if need be.
   *
   * @throws SQLException if it can't be loaded or the run was cancelled
   */
  public IndexCache.Entry index(IndexedTable table, Execution execution) throws SQLException {
    SqliteDatabase database = schema.database();
    try {
      return CACHE.get(
          new Key(database, table),
          execution.version(database),
          () -> {
            try (Execution.Snapshot snapshot = execution.snapshot(database)) {
              return new IndexLoader(snapshot.lease(), schema.name(), table, execution).load();
            } catch (SQLException e) {
              throw execution.isCancelled() ? execution.cancelled() : database.unreadable(e);
            }
          },
          execution);
    } catch (Exception e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  /** What is known of a table's index without loading it. */
  public IndexCache.Status status(IndexedTable table) {
    return CACHE.status(new Key(schema.database(), table));
  }

  private record Key(SqliteDatabase database, IndexedTable table) {}
}
