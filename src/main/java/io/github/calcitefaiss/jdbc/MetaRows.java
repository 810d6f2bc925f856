/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.sql.ResultSet;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TimeZone;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.avatica.Meta;

/**
 * Rows for one of {@link DatabaseMetaData}'s results, collected and then shown in its order.
 *
 * <p>Columns are declared as JDBC's documentation lists them: a name alone is text, {@code :short},
 * {@code :int}, {@code :long} and {@code :boolean} say otherwise.
 */
final class MetaRows {
  private final List<ColumnMetaData> columns = new ArrayList<>();
  private final List<Object[]> rows = new ArrayList<>();

  MetaRows(String declaration) {
    for (String column : declaration.strip().split("\\s+", -1)) {
      int colon = column.indexOf(':');
      String name = colon < 0 ? column : column.substring(0, colon);
      columns.add(column(name, columns.size(), colon < 0 ? "" : column.substring(colon + 1)));
    }
  }

  private static ColumnMetaData column(String name, int ordinal, String type) {
    ColumnMetaData.AvaticaType sqlType;
    int size;
    switch (type) {
      case "short":
        sqlType = ColumnMetaData.scalar(Types.SMALLINT, "SMALLINT", ColumnMetaData.Rep.SHORT);
        size = 5;
        break;
      case "int":
        sqlType = ColumnMetaData.scalar(Types.INTEGER, "INTEGER", ColumnMetaData.Rep.INTEGER);
        size = 10;
        break;
      case "long":
        sqlType = ColumnMetaData.scalar(Types.BIGINT, "BIGINT", ColumnMetaData.Rep.LONG);
        size = 19;
        break;
      case "boolean":
        sqlType = ColumnMetaData.scalar(Types.BOOLEAN, "BOOLEAN", ColumnMetaData.Rep.BOOLEAN);
        size = 1;
        break;
      default:
        sqlType = ColumnMetaData.scalar(Types.VARCHAR, "VARCHAR", ColumnMetaData.Rep.STRING);
        size = 0;
    }
    return ResultColumns.of(ordinal, name, sqlType, size, null, null);
  }

  /** Adds a row; values in the order of the columns, missing ones at the end are null. */
  MetaRows add(Object... values) {
    Object[] row = new Object[columns.size()];
    System.arraycopy(values, 0, row, 0, values.length);
    rows.add(row);
    return this;
  }

  /** The rows, ordered by the columns of these numbers (from 1), as JDBC prescribes. */
  ResultSet orderedBy(int... keys) {
    Comparator<Object[]> order = (a, b) -> 0;
    for (int key : keys) {
      order = order.thenComparing(row -> row[key - 1], MetaRows::compare);
    }
    rows.sort(order);
    return result();
  }

  @SuppressWarnings("unchecked")
  private static int compare(Object a, Object b) {
    if (a == null || b == null) {
      return Boolean.compare(a != null, b != null);
    }
    return ((Comparable<Object>) a).compareTo(b);
  }

  /** The rows in the order in which they were added. */
  ResultSet result() {
    List<Object> source = new ArrayList<>(rows);
    return new FaissResultSet(
        null, null, columns, Meta.CursorFactory.ARRAY, 0, () -> source, TimeZone.getDefault());
  }
}
