/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sqlite.DeclaredType;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelRoot;
import org.apache.calcite.rel.metadata.RelColumnOrigin;

/**
 * The column of a table that a column of a result gives as it is.
 *
 * @param table the table, as it was when the statement was planned
 * @param column which of its columns
 * @param keepsIntegers whether SQLite keeps every number there that is whole as an integer
 */
public record ColumnOrigin(SqliteTable table, SqliteTable.Column column, boolean keepsIntegers) {
  /** For each column of a result where it comes from; null for one that is computed. */
  static List<ColumnOrigin> of(RelRoot root) {
    List<ColumnOrigin> origins = new ArrayList<>();
    for (int ordinal : root.fields.leftList()) {
      origins.add(of(root.rel, ordinal));
    }
    return origins;
  }

  private static ColumnOrigin of(RelNode rel, int ordinal) {
    RelColumnOrigin origin = rel.getCluster().getMetadataQuery().getColumnOrigin(rel, ordinal);
    if (origin == null || origin.isDerived()) {
      return null;
    }
    SqliteTable table = origin.getOriginTable().unwrap(SqliteTable.class);
    if (table == null) {
      return null;
    }
    SqliteTable.Column column = table.columns().get(origin.getOriginColumnOrdinal());
    return new ColumnOrigin(
        table, column, !table.isView() && DeclaredType.isNumeric(column.declared()));
  }
}
