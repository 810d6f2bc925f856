/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.List;
import org.apache.calcite.avatica.ColumnMetaData;

/** The columns of a result. */
final class FaissResultSetMetaData implements ResultSetMetaData, Unwrappable {
  private final List<ColumnMetaData> columns;

  FaissResultSetMetaData(List<ColumnMetaData> columns) {
    this.columns = columns;
  }

  private ColumnMetaData column(int column) throws SQLException {
    if (column < 1 || column > columns.size()) {
      throw FaissErrors.data(
          "There is no column " + column + "; the result has " + columns.size(), "07009");
    }
    return columns.get(column - 1);
  }

  private static String orEmpty(String name) {
    return name == null ? "" : name;
  }

  @Override
  public int getColumnCount() {
    return columns.size();
  }

  @Override
  public boolean isAutoIncrement(int column) throws SQLException {
    return column(column).autoIncrement;
  }

  @Override
  public boolean isCaseSensitive(int column) throws SQLException {
    JdbcType.Kind kind = type(column).kind();
    return kind == JdbcType.Kind.TEXT || kind == JdbcType.Kind.ANY;
  }

  private JdbcType type(int column) throws SQLException {
    return JdbcType.of(column(column).type.id);
  }

  @Override
  public boolean isSearchable(int column) throws SQLException {
    column(column);
    return true;
  }

  @Override
  public boolean isCurrency(int column) throws SQLException {
    column(column);
    return false;
  }

  @Override
  public int isNullable(int column) throws SQLException {
    return column(column).nullable;
  }

  @Override
  public boolean isSigned(int column) throws SQLException {
    return type(column).isNumber() && column(column).signed;
  }

  @Override
  public int getColumnDisplaySize(int column) throws SQLException {
    return type(column).displaySize(column(column).precision);
  }

  @Override
  public String getColumnLabel(int column) throws SQLException {
    return column(column).label;
  }

  @Override
  public String getColumnName(int column) throws SQLException {
    ColumnMetaData c = column(column);
    return c.columnName == null ? c.label : c.columnName;
  }

  @Override
  public String getSchemaName(int column) throws SQLException {
    return orEmpty(column(column).schemaName);
  }

  @Override
  public int getPrecision(int column) throws SQLException {
    return Math.max(column(column).precision, 0);
  }

  @Override
  public int getScale(int column) throws SQLException {
    return Math.max(column(column).scale, 0);
  }

  @Override
  public String getTableName(int column) throws SQLException {
    return orEmpty(column(column).tableName);
  }

  @Override
  public String getCatalogName(int column) throws SQLException {
    column(column);
    return "";
  }

  @Override
  public int getColumnType(int column) throws SQLException {
    return column(column).type.id;
  }

  @Override
  public String getColumnTypeName(int column) throws SQLException {
    return column(column).type.name;
  }

  @Override
  public boolean isReadOnly(int column) throws SQLException {
    column(column);
    return true;
  }

  @Override
  public boolean isWritable(int column) throws SQLException {
    column(column);
    return false;
  }

  @Override
  public boolean isDefinitelyWritable(int column) throws SQLException {
    column(column);
    return false;
  }

  @Override
  public String getColumnClassName(int column) throws SQLException {
    switch (type(column).kind()) {
      case BINARY:
        return "[B";
      case ANY:
        return Object.class.getName();
      default:
        return column(column).columnClassName;
    }
  }
}
