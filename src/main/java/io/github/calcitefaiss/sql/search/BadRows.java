/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.Ids;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.sqlite.Identifiers;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
import java.util.TreeSet;
import org.apache.calcite.DataContext;

/**
 * The ids of a table that are not in its index because their vector is unusable, rather than NULL:
 * known once it is known which vectors are NULL.
 */
final class BadRows {
  private final Set<Object> withoutVector;

  BadRows(DataContext root, SqliteSchema schema, IndexedTable table, IndexCache.Entry entry)
      throws SQLException {
    if (!table.skipBadRows() || entry.skipped() == 0) {
      withoutVector = null;
      return;
    }
    withoutVector = new TreeSet<>(Ids::compare);
    try (Execution.Snapshot<SqliteDatabase.Lease> snapshot =
            Execution.of(root).snapshot(schema.database());
        PreparedStatement statement =
            snapshot
                .lease()
                .connection()
                .prepareStatement(
                    "SELECT "
                        + Identifiers.quote(table.id())
                        + " FROM "
                        + Identifiers.quote(table.table())
                        + " WHERE "
                        + Identifiers.quote(table.embedding())
                        + " IS NULL");
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        Object id = rows.getObject(1);
        if (id != null) {
          withoutVector.add(id instanceof Integer n ? (Object) n.longValue() : id);
        }
      }
    }
  }

  /** Whether an id that isn't in the index, or null, is one of these. */
  boolean contains(Object id) {
    return id != null && withoutVector != null && !withoutVector.contains(id);
  }
}
