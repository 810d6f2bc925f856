/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.KeptColumn;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.sql.type.SqlTypeName;

/** The values of an index's ids and of kept columns as a statement reads them. */
final class KeptValues {
  private KeptValues() {}

  /**
   * The value of each code.
   *
   * @return null if a value is of another type, which is for whoever reads the table to say
   */
  static Object[] of(KeptColumn column, SqlTypeName type) {
    Object[] values = new Object[column.codes()];
    for (int code = 1; code < values.length; code++) {
      values[code] = value(column.value(code), type);
      if (values[code] == null) {
        return null;
      }
    }
    return values;
  }

  /**
   * A value as it is read from a column of a type.
   *
   * @return null if it is of another type
   */
  static Object value(Object stored, SqlTypeName type) {
    switch (type) {
      case BIGINT:
        return stored instanceof Long ? stored : null;
      case DOUBLE:
        return stored instanceof Number number ? (Object) number.doubleValue() : null;
      case VARCHAR:
        return stored instanceof String ? stored : null;
      case BOOLEAN:
        return stored instanceof Long number ? (Object) (number != 0) : null;
      case VARBINARY:
        return stored instanceof byte[] blob ? new ByteString(blob) : null;
      case ANY:
        return stored instanceof byte[] blob ? new ByteString(blob) : stored;
      default:
        return null;
    }
  }
}
