/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import io.github.calcitefaiss.sqlite.DeclaredType;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelRoot;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.Correlate;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.SetOp;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;

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
    if (rel instanceof TableScan scan) {
      SqliteTable table = scan.getTable().unwrap(SqliteTable.class);
      if (table == null) {
        return null;
      }
      SqliteTable.Column column = table.columns().get(ordinal);
      return new ColumnOrigin(
          table, column, !table.isView() && DeclaredType.isNumeric(column.declared()));
    } else if (rel instanceof Project project) {
      RexNode value = project.getProjects().get(ordinal);
      if (value instanceof RexCall call && call.getOperator() == SqliteOperators.AS_IT_COMES) {
        value = call.getOperands().get(0);
      }
      return value instanceof RexInputRef ref ? of(project.getInput(), ref.getIndex()) : null;
    } else if (rel instanceof Aggregate aggregate) {
      return ordinal < aggregate.getGroupCount()
          ? of(aggregate.getInput(), aggregate.getGroupSet().nth(ordinal))
          : null;
    } else if (rel instanceof Join || rel instanceof Correlate) {
      int left = rel.getInput(0).getRowType().getFieldCount();
      return ordinal < left ? of(rel.getInput(0), ordinal) : of(rel.getInput(1), ordinal - left);
    }
    // What the first part of a compound says holds for all of it, as in SQLite.
    boolean same = rel instanceof SetOp || rel instanceof Sort || rel instanceof Filter;
    return same ? of(rel.getInput(0), ordinal) : null;
  }
}
