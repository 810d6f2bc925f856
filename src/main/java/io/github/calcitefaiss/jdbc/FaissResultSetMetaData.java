/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
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
    switch (column(column).type.id) {
      case Types.CHAR:
      case Types.VARCHAR:
      case Types.OTHER:
      case Types.JAVA_OBJECT:
        return true;
      default:
        return false;
    }
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
    switch (column(column).type.id) {
      case Types.TINYINT:
      case Types.SMALLINT:
      case Types.INTEGER:
      case Types.BIGINT:
      case Types.REAL:
      case Types.FLOAT:
      case Types.DOUBLE:
      case Types.DECIMAL:
      case Types.NUMERIC:
        return column(column).signed;
      default:
        return false;
    }
  }

  @Override
  public int getColumnDisplaySize(int column) throws SQLException {
    ColumnMetaData c = column(column);
    switch (c.type.id) {
      case Types.BOOLEAN:
        return 5;
      case Types.TINYINT:
        return 4;
      case Types.SMALLINT:
        return 6;
      case Types.INTEGER:
        return 11;
      case Types.BIGINT:
        return 20;
      case Types.REAL:
        return 15;
      case Types.FLOAT:
      case Types.DOUBLE:
        return 24;
      case Types.DECIMAL:
      case Types.NUMERIC:
        return Math.max(c.precision, 0) + 2;
      case Types.DATE:
        return 10;
      case Types.TIME:
        return 12;
      case Types.TIMESTAMP:
        return 23;
      case Types.BINARY:
      case Types.VARBINARY:
        // Two hexadecimal digits a byte.
        return c.precision > 0 && c.precision < Integer.MAX_VALUE / 2
            ? 2 * c.precision
            : Integer.MAX_VALUE;
      default:
        return c.precision > 0 ? c.precision : Integer.MAX_VALUE;
    }
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
    switch (column(column).type.id) {
      case Types.BINARY:
      case Types.VARBINARY:
        return "[B";
      case Types.OTHER:
      case Types.JAVA_OBJECT:
      case Types.NULL:
        return Object.class.getName();
      default:
        return column(column).columnClassName;
    }
  }
}
