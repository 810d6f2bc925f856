/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Floats;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Reads the vectors that an index leaves in its table, in the version that a run sees. */
final class StoredVectors implements Floats {
  private final SqliteDatabase database;
  private final IndexedTable table;
  private final IndexCache.Entry entry;
  private final FlatIndex index;
  private final Execution execution;

  StoredVectors(
      SqliteDatabase database,
      IndexedTable table,
      IndexCache.Entry entry,
      FlatIndex index,
      Execution execution) {
    this.database = database;
    this.table = table;
    this.entry = entry;
    this.index = index;
    this.execution = execution;
  }

  /** Whether a table's rows can be found again: it is no view and has rowids. */
  static boolean canRead(Connection connection, IndexedTable table) throws SQLException {
    String sql =
        "SELECT min(type = 'table' AND wr = 0) AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(?1)"
            + " WHERE name = 'rowid' COLLATE NOCASE) FROM pragma_table_list(?1)";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, table.table());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  @Override
  public void read(int[] ordinals, int n, float[] to) {
    try (Execution.Snapshot<SqliteDatabase.Lease> snapshot = execution.snapshot(database)) {
      if (!snapshot.lease().version().equals(entry.version())) {
        throw new FaissException(
            SqlState.CHANGED,
            "database " + database + " changed while the statement ran; run it again");
      }
      String sql =
          "SELECT "
              + Identifiers.quote(table.embedding())
              + " FROM "
              + Identifiers.quote(table.table())
              + " WHERE rowid = ?";
      try (PreparedStatement statement = snapshot.lease().connection().prepareStatement(sql)) {
        for (int i = 0; i < n; i++) {
          execution.check();
          statement.setLong(1, index.rowid(ordinals[i]));
          try (ResultSet row = statement.executeQuery()) {
            read(row.next() ? row.getObject(1) : null, ordinals[i], to, i * index.dims());
          }
        }
      }
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(
          e instanceof FaissException
              ? e
              : execution.isCancelled() ? execution.stopped() : database.unreadable(e));
    }
  }

  private void read(Object value, int ordinal, float[] to, int at) throws FaissException {
    try {
      byte[] blob =
          value instanceof String text
              ? VectorCodec.encode(VectorJson.parse(text.strip()))
              : (byte[]) value;
      if (blob != null && blob.length == 4 * index.dims()) {
        VectorCodec.decode(blob, to, at);
        return;
      }
    } catch (VectorException | ClassCastException e) {
      // Said below.
    }
    throw new FaissException(
        SqlState.UNREADABLE,
        "database "
            + database
            + ": the row with rowid "
            + index.rowid(ordinal)
            + " of table "
            + table.table()
            + " is not as it was when it was indexed; the file may be damaged");
  }
}
