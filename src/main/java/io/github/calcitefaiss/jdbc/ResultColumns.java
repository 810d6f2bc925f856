/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.parser.SelectLabels;
import io.github.calcitefaiss.sql.parser.SqliteText;
import io.github.calcitefaiss.sqlite.DeclaredType;
import java.sql.DatabaseMetaData;
import java.sql.Types;
import java.util.List;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.sql.type.SqlTypeName;

/** Makes the descriptions of a result's columns. */
final class ResultColumns {
  private ResultColumns() {}

  /** A column whose values are of any type, each read as it is. */
  static ColumnMetaData dynamic(int ordinal, String label) {
    return of(
        ordinal,
        label,
        ColumnMetaData.scalar(Types.JAVA_OBJECT, "ANY", ColumnMetaData.Rep.OBJECT),
        0,
        null,
        null);
  }

  /**
   * A column as it is announced.
   *
   * @param table the table that it comes from, or null
   */
  static ColumnMetaData of(
      int ordinal, String label, SqlTypeName type, String schema, String table) {
    ColumnMetaData.AvaticaType announced;
    int size;
    switch (type) {
      case BIGINT:
        announced = ColumnMetaData.scalar(Types.BIGINT, "BIGINT", ColumnMetaData.Rep.LONG);
        size = 19;
        break;
      case DOUBLE:
        announced = ColumnMetaData.scalar(Types.DOUBLE, "DOUBLE", ColumnMetaData.Rep.DOUBLE);
        size = 15;
        break;
      case BOOLEAN:
        announced = ColumnMetaData.scalar(Types.BOOLEAN, "BOOLEAN", ColumnMetaData.Rep.BOOLEAN);
        size = 1;
        break;
      case VARBINARY:
        announced =
            ColumnMetaData.scalar(Types.VARBINARY, "VARBINARY", ColumnMetaData.Rep.BYTE_STRING);
        size = 0;
        break;
      default:
        announced = ColumnMetaData.scalar(Types.VARCHAR, "VARCHAR", ColumnMetaData.Rep.STRING);
        size = 0;
    }
    return of(ordinal, label, announced, size, table == null ? null : schema, table);
  }

  /**
   * A column as it is declared.
   *
   * @param table the table that it comes from, or null
   */
  static ColumnMetaData of(
      int ordinal, String label, DeclaredType declared, String schema, String table) {
    ColumnMetaData.Rep rep;
    switch (declared.type()) {
      case DATE:
        rep = ColumnMetaData.Rep.JAVA_SQL_DATE;
        break;
      case TIME:
        rep = ColumnMetaData.Rep.JAVA_SQL_TIME;
        break;
      case TIMESTAMP:
        rep = ColumnMetaData.Rep.JAVA_SQL_TIMESTAMP;
        break;
      default:
        rep = ColumnMetaData.Rep.NUMBER;
    }
    ColumnMetaData.AvaticaType type =
        ColumnMetaData.scalar(declared.type().getJdbcOrdinal(), declared.type().getName(), rep);
    return of(ordinal, label, type, declared.precision(), declared.scale(), schema, table);
  }

  /** The type that a column of SQLite's is announced as, for one of {@link Types}. */
  static SqlTypeName type(int jdbcType) {
    switch (JdbcType.of(jdbcType).kind()) {
      case INTEGER:
      case FLAG:
        // Of an expression, SQLite makes 1 and 0.
        return SqlTypeName.BIGINT;
      case FRACTION:
        return SqlTypeName.DOUBLE;
      case BINARY:
        return SqlTypeName.VARBINARY;
      default:
        return SqlTypeName.VARCHAR;
    }
  }

  /** Columns without a name of their own are labelled with their text, as SQLite does. */
  static List<ColumnMetaData> labelled(List<ColumnMetaData> columns, String sql) {
    if (columns.stream().noneMatch(ResultColumns::isNameless)) {
      return columns;
    }
    List<String> texts = SelectLabels.of(new SqliteText(sql), columns.size());
    return texts == null
        ? columns
        : columns.stream()
            .map(c -> isNameless(c) ? withLabel(c, texts.get(c.ordinal)) : c)
            .toList();
  }

  /** Columns of a plan with the labels of those that were announced. */
  static List<ColumnMetaData> withLabels(
      List<ColumnMetaData> columns, List<ColumnMetaData> announced) {
    return columns.size() != announced.size()
        ? columns
        : columns.stream()
            .map(c -> isNameless(c) ? withLabel(c, announced.get(c.ordinal).label) : c)
            .toList();
  }

  private static boolean isNameless(ColumnMetaData column) {
    return column.label.equals("EXPR$" + column.ordinal);
  }

  private static ColumnMetaData withLabel(ColumnMetaData c, String label) {
    return new ColumnMetaData(
        c.ordinal,
        c.autoIncrement,
        c.caseSensitive,
        c.searchable,
        c.currency,
        c.nullable,
        c.signed,
        c.displaySize,
        label,
        label,
        c.schemaName,
        c.precision,
        c.scale,
        c.tableName,
        c.catalogName,
        c.type,
        c.readOnly,
        c.writable,
        c.definitelyWritable,
        c.columnClassName);
  }

  /** A column of a type and size. */
  static ColumnMetaData of(
      int ordinal,
      String label,
      ColumnMetaData.AvaticaType type,
      int size,
      String schema,
      String table) {
    return of(ordinal, label, type, size, 0, schema, table);
  }

  private static ColumnMetaData of(
      int ordinal,
      String label,
      ColumnMetaData.AvaticaType type,
      int size,
      int scale,
      String schema,
      String table) {
    return new ColumnMetaData(
        ordinal,
        false,
        true,
        true,
        false,
        DatabaseMetaData.columnNullable,
        true,
        size,
        label,
        label,
        schema,
        size,
        scale,
        table,
        null,
        type,
        true,
        false,
        false,
        type.columnClassName());
  }
}
