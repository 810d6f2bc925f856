/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;

/** What kinds of values there are, by their types. */
enum ValueKind {
  NUMBER,
  TEXT,
  BLOB,
  CONDITION,
  MOMENT,
  ANY,
  NULL,
  OTHER;

  static ValueKind of(RelDataType type) {
    if (SqlTypeUtil.isNumeric(type)) {
      return NUMBER;
    } else if (SqlTypeUtil.isCharacter(type)) {
      return TEXT;
    } else if (SqlTypeUtil.isBinary(type)) {
      return BLOB;
    } else if (SqlTypeUtil.isBoolean(type)) {
      return CONDITION;
    } else if (Moments.isOne(type)) {
      return MOMENT;
    }
    SqlTypeName name = type.getSqlTypeName();
    return name == SqlTypeName.ANY ? ANY : name == SqlTypeName.NULL ? NULL : OTHER;
  }
}
