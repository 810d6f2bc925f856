/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.search.TableRows;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteTable;
import io.github.calcitefaiss.sqlite.SqliteTableScan;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;

/**
 * A tree that also gives the id of the row that one of its columns, an embedding, comes from.
 *
 * @param rel the tree with the id among its columns
 * @param key where the id is
 * @param columns where each column of the tree as it was is now
 */
record WithId(RelNode rel, int key, List<Integer> columns) {
  /** The scan that a column comes from unchanged, or null. */
  static TableScan origin(RelNode rel, int column) {
    if (rel instanceof TableScan scan) {
      return scan;
    } else if (rel instanceof Project project) {
      return project.getProjects().get(column) instanceof RexInputRef ref
          ? origin(project.getInput(), ref.getIndex())
          : null;
    } else if (rel instanceof Filter filter) {
      return origin(filter.getInput(), column);
    } else if (rel instanceof Join join) {
      int left = join.getLeft().getRowType().getFieldCount();
      return column < left
          ? origin(join.getLeft(), column)
          : origin(join.getRight(), column - left);
    }
    return null;
  }

  /** The column of its scan that a column is; only if there is an {@link #origin}. */
  static int originColumn(RelNode rel, int column) {
    if (rel instanceof Project project) {
      return originColumn(
          project.getInput(), ((RexInputRef) project.getProjects().get(column)).getIndex());
    } else if (rel instanceof Filter filter) {
      return originColumn(filter.getInput(), column);
    } else if (rel instanceof Join join) {
      int left = join.getLeft().getRowType().getFieldCount();
      return column < left
          ? originColumn(join.getLeft(), column)
          : originColumn(join.getRight(), column - left);
    }
    return column;
  }

  /** Adds the id to a tree, where the column has an {@link #origin}; null if that can't be done. */
  static WithId of(RelNode rel, int column, IndexedTable indexed) {
    if (rel instanceof SqliteTableScan scan) {
      int id = VectorTopK.column(scan.sqliteTable(), indexed.id());
      return new WithId(rel, id, identity(rel));
    } else if (rel instanceof Project project) {
      if (RexOver.containsOver(project.getProjects(), null)) {
        return null;
      }
      int below = ((RexInputRef) project.getProjects().get(column)).getIndex();
      WithId input = of(project.getInput(), below, indexed);
      if (input == null) {
        return null;
      }
      List<RexNode> exprs = new ArrayList<>();
      for (RexNode expr : project.getProjects()) {
        exprs.add(input.over(expr));
      }
      exprs.add(RexInputRef.of(input.key, input.rel.getRowType()));
      List<String> names = new ArrayList<>(project.getRowType().getFieldNames());
      names.add(TableRows.ID);
      return new WithId(
          LogicalProject.create(input.rel, List.of(), exprs, names, project.getVariablesSet()),
          exprs.size() - 1,
          identity(project));
    } else if (rel instanceof Filter filter) {
      WithId input = of(filter.getInput(), column, indexed);
      return input == null
          ? null
          : new WithId(
              filter.copy(filter.getTraitSet(), input.rel, input.over(filter.getCondition())),
              input.key,
              input.columns);
    } else if (rel instanceof Join join) {
      return of(join, column, indexed);
    }
    return null;
  }

  private static WithId of(Join join, int column, IndexedTable indexed) {
    int left = join.getLeft().getRowType().getFieldCount();
    int right = join.getRight().getRowType().getFieldCount();
    boolean onLeft = column < left;
    WithId side =
        onLeft ? of(join.getLeft(), column, indexed) : of(join.getRight(), column - left, indexed);
    if (side == null) {
      return null;
    }
    int newLeft = onLeft ? side.rel.getRowType().getFieldCount() : left;
    List<Integer> inner = new ArrayList<>();
    for (int i = 0; i < left; i++) {
      inner.add(onLeft ? side.columns.get(i) : i);
    }
    for (int i = 0; i < right; i++) {
      inner.add(newLeft + (onLeft ? i : side.columns.get(i)));
    }
    int key = onLeft ? side.key : newLeft + side.key;
    RelNode joined =
        join.copy(
            join.getTraitSet(),
            shift(join.getCondition(), inner),
            onLeft ? side.rel : join.getLeft(),
            onLeft ? join.getRight() : side.rel,
            join.getJoinType(),
            join.isSemiJoinDone());
    // A semi-join gives the columns of its left side only.
    return new WithId(joined, key, inner.subList(0, join.getRowType().getFieldCount()));
  }

  private static List<Integer> identity(RelNode rel) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < rel.getRowType().getFieldCount(); i++) {
      all.add(i);
    }
    return all;
  }

  private static RexNode shift(RexNode node, List<Integer> columns) {
    return node.accept(
        new org.apache.calcite.rex.RexShuttle() {
          @Override
          public RexNode visitInputRef(RexInputRef ref) {
            return new RexInputRef(columns.get(ref.getIndex()), ref.getType());
          }
        });
  }

  /** An expression over the tree as it was as one over this. */
  RexNode over(RexNode node) {
    return shift(node, columns);
  }

  /** Whether an id, as a value of its column, is what the index has for it. */
  static boolean usable(SqliteTable table, IndexedTable indexed) {
    SqliteTable.Column id = table.column(indexed.id());
    if (!VectorTopK.isKey(table, indexed.id())) {
      return false;
    }
    switch (id.type()) {
      case BIGINT:
      case VARBINARY:
      case ANY:
        return true;
      case VARCHAR:
        // Text by SQLite's rules too, not a date, which may be stored as a number.
        String declared = id.declared().toUpperCase(java.util.Locale.ROOT);
        return declared.contains("CHAR") || declared.contains("CLOB") || declared.contains("TEXT");
      default:
        return false;
    }
  }
}
