/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.planner.ColumnOrigin;
import io.github.calcitefaiss.sql.planner.Plan;
import io.github.calcitefaiss.sqlite.DeclaredType;
import io.github.calcitefaiss.sqlite.FoundTypes;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * What the columns of a planned statement are announced as.
 *
 * <p>Tools can do nothing with a column of any type. One that gives a table's column is announced
 * as that is, or as what its values are; one that is computed as its value in a row is.
 */
final class AnnouncedColumns {
  private AnnouncedColumns() {}

  /**
   * The columns as they are announced.
   *
   * @param columns of the plan
   * @param row values of a row, or null where none is known
   * @throws SQLException if a table must be looked at, and can't be
   */
  static List<ColumnMetaData> of(
      FaissConnection connection, Plan plan, List<ColumnMetaData> columns, Object[] row)
      throws SQLException {
    Map<SqliteTable, Map<String, SqlTypeName>> found = new HashMap<>();
    List<ColumnMetaData> announced = new ArrayList<>();
    for (ColumnMetaData column : columns) {
      ColumnOrigin origin = plan.origin(column.ordinal);
      DeclaredType declared =
          origin == null ? null : connection.declaredType(origin.column().declared());
      if (declared != null) {
        announced.add(
            ResultColumns.of(
                column.ordinal, column.label, declared, column.schemaName, column.tableName));
      } else if (isOfAnyType(column)) {
        SqlTypeName type =
            origin == null
                ? typeOf(row == null ? null : row[column.ordinal])
                : typeOf(origin, found);
        announced.add(
            ResultColumns.of(
                column.ordinal, column.label, type, column.schemaName, column.tableName));
      } else {
        announced.add(column);
      }
    }
    return announced;
  }

  /** Whether a column's values may be of any type. */
  static boolean isOfAnyType(ColumnMetaData column) {
    return column.type.name.equals(SqlTypeName.ANY.getName())
        || column.type.name.equals("JAVA_OBJECT");
  }

  private static SqlTypeName typeOf(
      ColumnOrigin origin, Map<SqliteTable, Map<String, SqlTypeName>> found) throws SQLException {
    SqlTypeName declared = DeclaredType.kept(origin.column().declared());
    if (declared != SqlTypeName.ANY) {
      // It was found to hold other values, too.
      return declared;
    }
    if (!found.containsKey(origin.table())) {
      found.put(origin.table(), FoundTypes.of(origin.table()));
    }
    return found.get(origin.table()).getOrDefault(origin.column().name(), SqlTypeName.VARCHAR);
  }

  /** The type that a value is announced as. */
  static SqlTypeName typeOf(Object value) {
    return value instanceof Long || value instanceof Integer || value instanceof Boolean
        ? SqlTypeName.BIGINT
        : value instanceof Double
            ? SqlTypeName.DOUBLE
            : value instanceof ByteString ? SqlTypeName.VARBINARY : SqlTypeName.VARCHAR;
  }
}
