/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Floats;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.index.MemorySize;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.View;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Which tables of a schema have an index, and the index of each as a run of a statement sees it.
 */
public final class IndexedTables {
  /** One for the process: connections and schemas that read the same file share its indexes. */
  private static final IndexCache CACHE = new IndexCache(IndexCache.processLimit());

  private final SqliteSchema schema;
  private final List<IndexedTable> configured;
  private final IndexOptions options;

  /**
   * Creates the set of tables.
   *
   * @param configured the tables; empty for every table and view with the default columns
   */
  IndexedTables(SqliteSchema schema, List<IndexedTable> configured, IndexOptions options) {
    this.schema = schema;
    this.configured = List.copyOf(configured);
    this.options = options;
  }

  /** What was said of them all. */
  public IndexOptions options() {
    return options;
  }

  /** The tables that have an index now, in order of configuration or name. */
  public List<IndexedTable> list() throws SQLException {
    return list(View.NOW);
  }

  /** The same in the version that a run sees. */
  public List<IndexedTable> list(View view) throws SQLException {
    if (!configured.isEmpty()) {
      return configured;
    }
    List<IndexedTable> found = new ArrayList<>();
    for (SqliteTable table : schema.sqliteTables(view).values()) {
      IndexedTable indexed = byDefault(table);
      if (indexed != null) {
        found.add(indexed);
      }
    }
    return found;
  }

  private IndexedTable byDefault(SqliteTable table) {
    if (table.vectors() != null) {
      String key = table.columns().get(0).name();
      return new IndexedTable(table.name(), key, table.vectors(), options.skipBadRows());
    }
    SqliteTable.Column id = table.column(IndexedTable.DEFAULT_ID);
    SqliteTable.Column embedding = table.column(IndexedTable.DEFAULT_EMBEDDING);
    return id == null || embedding == null
        ? null
        : new IndexedTable(table.name(), id.name(), embedding.name(), options.skipBadRows());
  }

  /** How a table is indexed, or null if it isn't. */
  public IndexedTable of(SqliteTable table) {
    return configured.isEmpty() ? byDefault(table) : named(configured, table.name());
  }

  /** Whether a table's rowid was configured as its id. */
  boolean isByRowid(String table) {
    for (IndexedTable indexed : configured) {
      if (indexed.table().equals(table) && indexed.id().equals(SqliteSchema.ROWID)) {
        return true;
      }
    }
    return false;
  }

  /** The indexed table of a name in the version that a run sees, as SQLite matches it, or null. */
  public IndexedTable find(String table, View view) throws SQLException {
    if (!configured.isEmpty()) {
      return named(configured, table);
    }
    SqliteTable found = schema.sqliteTable(table, view);
    return found == null ? null : byDefault(found);
  }

  private static IndexedTable named(List<IndexedTable> all, String table) {
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
   * The index that a run searches: of the version that it reads, loaded if need be; or, where the
   * schema allows it, an older one, and then the same for the whole run.
   *
   * @throws SQLException if it can't be loaded or the run was cancelled
   */
  public IndexCache.Entry index(IndexedTable table, Execution execution) throws SQLException {
    CACHE.count(key(table));
    return load(table, execution);
  }

  /**
   * The same for a search that comes later in the run, and is counted then.
   *
   * @throws SQLException if it can't be loaded or the run was cancelled
   */
  public IndexCache.Entry load(IndexedTable table, Execution execution) throws SQLException {
    return execution.memo(
        key(table),
        key -> {
          try {
            IndexCache.Entry known =
                options.staleNanos() == 0 ? null : CACHE.recent(key, options.staleNanos());
            // Vectors that are left in the table can't be read in an older version.
            boolean usable = known != null && !known.index().holdsCodesOnly();
            return usable ? known : current(table, execution);
          } catch (SQLException e) {
            throw FaissException.<RuntimeException>sneakyThrow(e);
          }
        });
  }

  /**
   * The index of the version that a run reads, whatever the schema allows, loaded if need be.
   *
   * @throws SQLException if it can't be loaded or the run was cancelled
   */
  public IndexCache.Entry current(IndexedTable table, Execution execution) throws SQLException {
    SqliteDatabase database = schema.database();
    Key key = key(table);
    Execution.Snapshot<SqliteDatabase.Lease> held = null;
    try {
      while (true) {
        long asked = System.nanoTime();
        DatabaseVersion version = execution.version(database);
        Load load = new Load(table, execution, version);
        IndexCache.Entry entry =
            CACHE.get(key, database, options.memoryLimit(), version, load, execution);
        if (entry != null) {
          execution.use(database);
          CACHE.confirm(key, version, asked);
          return entry;
        }
        // A newer version came before this run had used the older one, and is kept for it.
        if (load.newer != null) {
          held = load.newer;
        }
      }
    } catch (FaissException e) {
      // One object may reach all who waited for the load: each gets his own.
      throw new FaissException(e.getSQLState(), e.getMessage(), e);
    } catch (SQLException e) {
      throw execution.isCancelled() ? execution.stopped() : database.unreadable(e);
    } catch (Exception e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    } finally {
      if (held != null) {
        held.close();
      }
    }
  }

  /** What reads the vectors that an index leaves in its table; null if it holds them all. */
  public Floats floats(
      IndexedTable table, IndexCache.Entry entry, FlatIndex index, Execution execution) {
    return index.holdsCodesOnly()
        ? new StoredVectors(schema.database(), table, entry, index, execution)
        : null;
  }

  /** Whether a table's index leaves its vectors in the table, as far as that is known. */
  public boolean leavesVectors(IndexedTable table) {
    IndexCache.Entry entry = status(table).entry();
    return entry == null ? options.codesOnly() : entry.index().holdsCodesOnly();
  }

  /** Waits until the snapshots are there that indexes of this process are being written to. */
  public static void finishSnapshots() throws InterruptedException {
    IndexSnapshots.finish();
  }

  /**
   * The columns that are kept beside the vectors of an index of the version that a run reads, with
   * those that it asks for, which are read now if they may be kept and weren't asked for before.
   *
   * @param asked by the names that the table has for them; if one can't be had, none is read
   * @throws SQLException if they can't be read or the run was cancelled
   */
  public KeptColumns columns(
      IndexedTable table,
      IndexCache.Entry entry,
      FlatIndex index,
      Collection<String> asked,
      Execution execution)
      throws SQLException {
    return new LaterColumns(schema.database(), table, options.columns(), index)
        .read(asked, forget -> CACHE.beside(key(table), entry, forget), execution);
  }

  /**
   * Whether a table's index keeps some columns beside its vectors; null if that isn't known, since
   * it isn't loaded or they weren't asked for yet.
   */
  public Boolean keeps(IndexedTable table, Collection<String> columns) {
    IndexCache.Entry entry = status(table).entry();
    List<String> names = options.columns().names();
    if (entry != null) {
      Boolean all = true;
      for (FlatIndex index : entry.indexes()) {
        KeptColumns kept = index.columns();
        for (String column : columns) {
          if (kept.get(column) == null && kept.later(column) == null) {
            return false;
          }
          all = kept.get(column) != null || names != null ? all : null;
        }
      }
      return all;
    }
    if (names == null) {
      return null;
    }
    boolean id = !names.isEmpty() && columns.stream().anyMatch(table.id()::equalsIgnoreCase);
    boolean others =
        columns.stream()
            .filter(c -> !id || !c.equalsIgnoreCase(table.id()))
            .allMatch(c -> names.stream().anyMatch(c::equalsIgnoreCase));
    // An id is kept if all are integers, which only the index knows.
    return others && id ? null : (Boolean) others;
  }

  /**
   * Where a table's index will be, for a person: what it will hold and about how many bytes,
   * without loading it.
   *
   * @param rows with a vector
   */
  public String place(IndexedTable table, long rows, int dims) {
    long limit = Math.min(options.memoryLimit(), IndexCache.processLimit());
    long all = FlatIndex.bytesEstimate(rows, dims);
    boolean fits = all <= limit;
    if (!options.codesOnly() && fits) {
      return "about " + MemorySize.format(all) + " of memory, vectors and codes";
    }
    long codes = FlatIndex.bytesOfCodes(rows, dims);
    String place =
        "about "
            + MemorySize.format(codes)
            + " of memory, codes; the vectors stay in the file"
            + (fits
                ? ""
                : ", since with them it needs "
                    + MemorySize.format(all)
                    + " and the limit is "
                    + MemorySize.format(limit));
    if (options.snapshots() == null) {
      return place;
    }
    Path file =
        IndexSnapshots.file(options.snapshots(), table, options.columns(), schema.database());
    return place
        + (Files.exists(file)
            ? "; read from the snapshot " + file + ", if that is of this version"
            : "; there is no snapshot yet in " + options.snapshots());
  }

  /** What is known of a table's index without loading it. */
  public IndexCache.Status status(IndexedTable table) {
    return CACHE.status(key(table));
  }

  /**
   * The dimension of a table's vectors if that is known without loading them, since the index of
   * the version that a run sees is there; else 0.
   */
  public int knownDims(IndexedTable table, View view) throws SQLException {
    IndexCache.Entry entry = status(table).entry();
    return entry != null
            && entry.version().equals(view.version(schema.database()))
            && entry.mixed() == null
        ? entry.index().dims()
        : 0;
  }

  private Key key(IndexedTable table) {
    return new Key(schema.database(), table, options.codesOnly(), options.columns());
  }

  private record Key(
      SqliteDatabase database, IndexedTable table, boolean codesOnly, ColumnsToKeep columns) {}

  /** A load of the version that a run asked for, from that run's own snapshot. */
  private final class Load implements IndexCache.Loader {
    private final IndexedTable table;
    private final Execution execution;
    private final DatabaseVersion wanted;
    private Execution.Snapshot<SqliteDatabase.Lease> newer;

    private Load(IndexedTable table, Execution execution, DatabaseVersion wanted) {
      this.table = table;
      this.execution = execution;
      this.wanted = wanted;
    }

    @Override
    public IndexCache.Source open() throws SQLException {
      Execution.Snapshot<SqliteDatabase.Lease> snapshot = execution.snapshot(schema.database());
      if (!snapshot.lease().version().equals(wanted)) {
        newer = snapshot;
        return null;
      }
      return new IndexLoader(snapshot, schema.name(), table, options);
    }
  }
}
