/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.util.Locale;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * The SQL type of a column, from the type its table declares.
 *
 * <p>Follows SQLite's rules of <a href="https://sqlite.org/datatype3.html">type affinity</a>, but
 * gives BOOLEAN where that is declared, text for dates and times (SQLite stores them as the program
 * wrote them), and ANY where nothing or an unknown name is declared.
 */
final class ColumnType {
  private ColumnType() {}

  static SqlTypeName of(String declared) {
    String type = declared == null ? "" : declared.toUpperCase(Locale.ROOT);
    if (type.isEmpty() || type.contains("[")) {
      // An array of numbers, as in float[384], is a blob or JSON text.
      return SqlTypeName.ANY;
    } else if (type.contains("BOOL")) {
      return SqlTypeName.BOOLEAN;
    } else if (type.contains("INTERVAL") || type.contains("POINT")) {
      // Names that only happen to contain INT.
      return SqlTypeName.ANY;
    } else if (type.contains("INT") || type.equals("SERIAL")) {
      return SqlTypeName.BIGINT;
    } else if (type.contains("CHAR")
        || type.contains("CLOB")
        || type.contains("TEXT")
        || type.contains("DATE")
        || type.contains("TIME")
        || type.contains("JSON")
        || type.contains("UUID")) {
      return SqlTypeName.VARCHAR;
    } else if (type.contains("BLOB") || type.contains("BINARY") || type.contains("BYTEA")) {
      return SqlTypeName.VARBINARY;
    } else if (type.contains("REAL")
        || type.contains("FLOA")
        || type.contains("DOUB")
        || type.contains("DEC")
        || type.contains("NUMERIC")
        || type.contains("NUMBER")
        || type.contains("MONEY")) {
      return SqlTypeName.DOUBLE;
    } else {
      return SqlTypeName.ANY;
    }
  }

  static RelDataType toRel(RelDataTypeFactory factory, SqlTypeName name, boolean nullable) {
    return factory.createTypeWithNullability(factory.createSqlType(name), nullable);
  }
}
