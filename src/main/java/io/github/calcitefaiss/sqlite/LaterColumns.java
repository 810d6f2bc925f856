/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.function.Function;

/**
 * Reads columns that are to be kept beside an index when a statement first asks for them.
 *
 * <p>They are read in the statement's own snapshot, which is of the index's version. Each row is
 * known by its id, in the order in which the vectors were read; where that doesn't tell the rows
 * apart beyond doubt, nothing is kept.
 */
final class LaterColumns {
  private static final long WAIT_MILLIS = 20;

  private final SqliteDatabase database;
  private final IndexedTable table;
  private final ColumnsToKeep columns;
  private final FlatIndex index;

  /** What was read, until it has to go. */
  private KeptColumns kept = KeptColumns.NONE;

  LaterColumns(
      SqliteDatabase database, IndexedTable table, ColumnsToKeep columns, FlatIndex index) {
    this.database = database;
    this.table = table;
    this.columns = columns;
    this.index = index;
  }

  /** Reads what isn't there yet; once for all who ask for it. */
  KeptColumns read(
      Collection<String> asked, Function<Runnable, IndexCache.Beside> memory, Execution execution)
      throws SQLException {
    if (!isMissing(asked)) {
      return index.columns();
    }
    // Before the lock, so that whoever has it never waits for a writer.
    try (Execution.Snapshot<SqliteDatabase.Lease> snapshot = execution.snapshot(database)) {
      Lock lock = index.columnsLock();
      while (!lock.tryLock(WAIT_MILLIS, TimeUnit.MILLISECONDS)) {
        execution.check();
      }
      try {
        if (isMissing(asked)) {
          keep(new LinkedHashSet<>(asked), memory, snapshot.lease(), execution);
        }
      } finally {
        lock.unlock();
      }
      return index.columns();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw execution.stopped();
    } catch (FaissException e) {
      throw e;
    } catch (SQLException e) {
      throw execution.isCancelled() ? execution.stopped() : database.unreadable(e);
    }
  }

  /** Whether some are to be read, and all may be kept. */
  private boolean isMissing(Collection<String> asked) {
    KeptColumns now = index.columns();
    return index.size() > 0
        && asked.stream().anyMatch(name -> now.later(name) != null)
        && asked.stream().allMatch(name -> now.later(name) != null || now.get(name) != null);
  }

  private void keep(
      Collection<String> asked,
      Function<Runnable, IndexCache.Beside> memory,
      SqliteDatabase.Lease lease,
      Execution execution)
      throws SQLException {
    List<KeptColumns.Wanted> wanted =
        asked.stream().map(index.columns()::later).filter(Objects::nonNull).toList();
    IndexCache.Beside beside = memory.apply(() -> index.forget(kept));
    boolean held = false;
    try {
      KeptColumns.Builder builder =
          new KeptColumns.Builder(wanted, columns.named(), beside::charge);
      KeptColumns read = collect(wanted, builder, lease, execution);
      held =
          beside.hold(
              () -> {
                kept = read;
                index.keep(read, wanted);
              });
    } finally {
      if (!held) {
        beside.close();
      }
    }
    if (!held) {
      index.keep(KeptColumns.NONE, wanted);
    }
  }

  private KeptColumns collect(
      List<KeptColumns.Wanted> wanted,
      KeptColumns.Builder builder,
      SqliteDatabase.Lease lease,
      Execution execution)
      throws SQLException {
    int row = 0;
    try (PreparedStatement statement = lease.connection().prepareStatement(query(wanted));
        ResultSet rows = statement.executeQuery()) {
      while (builder.holdsAny() && rows.next()) {
        execution.check();
        Object id = IndexLoader.id(rows.getObject(1));
        if (id != null && index.holds(row, id)) {
          ColumnsToKeep.add(builder, rows, 2);
          row++;
        } else if (id != null && index.ordinal(id) >= 0) {
          builder.giveUp();
        }
        // Else it is a row that was left out, since its vector is bad or of another dimension.
      }
    }
    if (row < index.size()) {
      builder.giveUp();
    }
    return builder.build();
  }

  /** The rows as they were read for the index: no index of SQLite gives them another order. */
  private String query(List<KeptColumns.Wanted> wanted) {
    return "SELECT "
        + Identifiers.quote(table.id())
        + String.join("", wanted.stream().map(c -> ", " + columns.read(c)).toList())
        + " FROM "
        + Identifiers.quote(table.table())
        + " NOT INDEXED WHERE "
        + Identifiers.quote(table.embedding())
        + " IS NOT NULL";
  }
}
