/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.calcite.plan.RelOptTable;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.Schema;
import org.apache.calcite.schema.Statistic;
import org.apache.calcite.schema.Statistics;
import org.apache.calcite.schema.TranslatableTable;
import org.apache.calcite.schema.impl.AbstractTable;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.util.ImmutableBitSet;

/** A table or view of a SQLite file, as its schema was when it was read. */
public final class SqliteTable extends AbstractTable implements TranslatableTable {
  /** What a table's rowid is called where no column is. */
  public static final Set<String> ROWIDS = Set.of("rowid", "oid", "_rowid_");

  private final SqliteSchema schema;
  private final String name;
  private final boolean view;
  private final List<Column> columns;
  private final double rowCount;
  private final String vectors;
  private final Map<String, String> collations;
  private final boolean loose;

  /**
   * A column.
   *
   * @param name its name
   * @param declared the type as declared, empty if none
   * @param type its SQL type
   * @param nullable whether it can hold NULL
   * @param key its place in the primary key from 1, or 0
   */
  public record Column(String name, String declared, SqlTypeName type, boolean nullable, int key) {}

  SqliteTable(
      SqliteSchema schema,
      String name,
      boolean view,
      List<Column> columns,
      double rowCount,
      String vectors,
      Map<String, String> collations) {
    this(schema, name, view, columns, rowCount, vectors, collations, false);
  }

  private SqliteTable(
      SqliteSchema schema,
      String name,
      boolean view,
      List<Column> columns,
      double rowCount,
      String vectors,
      Map<String, String> collations,
      boolean loose) {
    this.schema = schema;
    this.name = name;
    this.view = view;
    this.columns = List.copyOf(columns);
    this.rowCount = rowCount;
    this.vectors = vectors;
    this.collations = Map.copyOf(collations);
    this.loose = loose;
  }

  /** The column of vectors that the kind of the table tells, as sqlite-vec's does; else null. */
  public String vectors() {
    return vectors;
  }

  /** The same with its columns changed. */
  SqliteTable with(List<Column> changed) {
    return new SqliteTable(schema, name, view, changed, rowCount, vectors, collations);
  }

  /**
   * The same for a planner that computes as SQLite does: a column of the affinity NUMERIC, such as
   * one declared as BOOLEAN, DATE or DECIMAL, may hold values of any type, and is planned so.
   */
  SqliteTable loose() {
    return loose || columns.stream().allMatch(column -> planned(column) == column.type())
        ? this
        : new SqliteTable(schema, name, view, columns, rowCount, vectors, collations, true);
  }

  private static SqlTypeName planned(Column column) {
    return DeclaredType.isNumeric(column.declared()) ? SqlTypeName.ANY : column.type();
  }

  /** The schema it belongs to. */
  public SqliteSchema schema() {
    return schema;
  }

  /** Its name in SQLite. */
  public String name() {
    return name;
  }

  /** Its columns, in order. */
  public List<Column> columns() {
    return columns;
  }

  /** The column of a name, matched as SQLite matches it, or null. */
  public Column column(String columnName) {
    for (Column column : columns) {
      if (column.name().equalsIgnoreCase(columnName)) {
        return column;
      }
    }
    return null;
  }

  /** Whether texts of a column are compared otherwise than by their bytes. */
  public boolean isCollated() {
    return !collations.isEmpty();
  }

  /** What the texts of a column are compared by: {@code binary}, {@code nocase}, {@code rtrim}. */
  public String collation(String columnName) {
    return collations.getOrDefault(columnName, "binary");
  }

  /** Whether another table's columns are the same. */
  boolean hasColumnsOf(SqliteTable other) {
    return columns.equals(other.columns) && collations.equals(other.collations);
  }

  /** Whether it is a view. */
  public boolean isView() {
    return view;
  }

  @Override
  public Schema.TableType getJdbcTableType() {
    return view ? Schema.TableType.VIEW : Schema.TableType.TABLE;
  }

  @Override
  public RelDataType getRowType(RelDataTypeFactory factory) {
    RelDataTypeFactory.Builder row = factory.builder();
    for (Column column : columns) {
      SqlTypeName type = loose ? planned(column) : column.type();
      row.add(column.name(), ColumnType.toRel(factory, type, column.nullable()));
    }
    return row.build();
  }

  @Override
  public Statistic getStatistic() {
    List<Integer> key = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      if (columns.get(i).key() > 0) {
        if (columns.get(i).nullable()) {
          // SQLite lets NULLs repeat in such a key: not unique.
          return Statistics.of(rowCount, List.of());
        }
        key.add(i);
      }
    }
    return Statistics.of(rowCount, key.isEmpty() ? List.of() : List.of(ImmutableBitSet.of(key)));
  }

  @Override
  public RelNode toRel(RelOptTable.ToRelContext context, RelOptTable relOptTable) {
    return new SqliteTableScan(
        context.getCluster(), context.getTableHints(), relOptTable, this, schema.convention());
  }

  @Override
  public String toString() {
    return schema.name() + "." + name;
  }
}
