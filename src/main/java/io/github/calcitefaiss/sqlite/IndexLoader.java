/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.VectorException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a table's vectors from SQLite into an index. */
final class IndexLoader {
  private static final Logger LOGGER = LoggerFactory.getLogger(IndexLoader.class);
  private static final int ROWS_A_CHECK = 256;
  private static final int ROWS_A_LOG_LINE = 500_000;

  private final SqliteDatabase.Lease lease;
  private final String schema;
  private final IndexedTable table;
  private final Checkpoint checkpoint;

  IndexLoader(
      SqliteDatabase.Lease lease, String schema, IndexedTable table, Checkpoint checkpoint) {
    this.lease = lease;
    this.schema = schema;
    this.table = table;
    this.checkpoint = checkpoint;
  }

  IndexCache.Entry load() throws SQLException {
    long start = System.nanoTime();
    FlatIndex.Builder builder = new FlatIndex.Builder();
    long skipped = 0;
    Connection connection = lease.connection();
    int blobLength = table.skipBadRows() ? usualLength(connection) : -1;
    try (PreparedStatement statement =
            connection.prepareStatement(
                "SELECT " + quote(table.id()) + ", " + quote(table.embedding()) + from());
        ResultSet rows = statement.executeQuery()) {
      long row = 0;
      while (rows.next()) {
        if (++row % ROWS_A_CHECK == 0) {
          checkpoint.check();
          if (row % ROWS_A_LOG_LINE == 0) {
            LOGGER.info("{}.{}: {} rows read", schema, table.table(), row);
          }
        }
        Object embedding = rows.getObject(2);
        if (embedding == null) {
          skipped++;
          continue;
        }
        Object id = id(rows.getObject(1));
        String problem = add(builder, id, embedding, blobLength);
        if (problem == null) {
          continue;
        }
        if (!table.skipBadRows()) {
          throw badRow(id, row, problem);
        }
        skipped++;
      }
    }
    FlatIndex index = builder.build();
    long nanos = System.nanoTime() - start;
    LOGGER.info(
        "{}.{}: {} rows of {} dimensions indexed in {} ms, {} skipped",
        schema,
        table.table(),
        index.size(),
        index.dims(),
        nanos / 1_000_000,
        skipped);
    return new IndexCache.Entry(lease.version(), index, skipped, nanos, System.currentTimeMillis());
  }

  /** Adds a row, or says what is wrong with it. */
  private String add(FlatIndex.Builder builder, Object id, Object embedding, int blobLength) {
    if (id == null) {
      return "its " + table.id() + " is NULL";
    }
    if (!(embedding instanceof byte[] blob)) {
      return "its "
          + table.embedding()
          + " is "
          + (embedding instanceof String ? "TEXT" : "a number")
          + ", expected a BLOB of float32 elements";
    }
    if (blobLength >= 0 && blob.length != blobLength) {
      return "its " + table.embedding() + " has another length than most";
    }
    try {
      builder.add(id, blob);
      return null;
    } catch (VectorException e) {
      return "its " + table.embedding() + " is refused: " + e.getMessage();
    }
  }

  private FaissException badRow(Object id, long row, String problem) {
    String which =
        id == null
            ? "row " + row
            : "the row with " + table.id() + " " + (id instanceof String ? "'" + id + "'" : id);
    return new FaissException(
        FaissException.DATA,
        "table "
            + schema
            + "."
            + table.table()
            + ", "
            + which
            + ": "
            + problem
            + "; correct the row, or leave such rows out with the operand \"onBadRow\": \"skip\"");
  }

  /** Where odd rows are skipped, the first row may be one: the length that most rows have. */
  private int usualLength(Connection connection) throws SQLException {
    String length = "length(" + quote(table.embedding()) + ")";
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT "
                    + length
                    + from()
                    + " WHERE typeof("
                    + quote(table.embedding())
                    + ") = 'blob' AND "
                    + length
                    + " > 0 AND "
                    + length
                    + " % 4 = 0 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")) {
      return row.next() ? row.getInt(1) : -1;
    }
  }

  private static Object id(Object value) {
    return value instanceof Integer number ? (Object) number.longValue() : value;
  }

  private String from() {
    return " FROM " + quote(table.table());
  }

  static String quote(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }
}
