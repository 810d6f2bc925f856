/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeSystemImpl;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * Types as a user of SQLite expects them: the average of integers is no integer, and text is not
 * padded.
 */
public final class FaissTypeSystem extends RelDataTypeSystemImpl {
  /** The one instance, which the connection property {@code typeSystem} may name. */
  public static final FaissTypeSystem INSTANCE = new FaissTypeSystem();

  /** Creates one; for the connection property {@code typeSystem}. */
  public FaissTypeSystem() {}

  @Override
  public boolean shouldConvertRaggedUnionTypesToVarying() {
    // CASE with 'a' and 'bcd' gives 'a', not 'a' padded to three characters.
    return true;
  }

  @Override
  public RelDataType deriveSumType(RelDataTypeFactory typeFactory, RelDataType argumentType) {
    SqlTypeName argument = argumentType.getSqlTypeName();
    if (argument == SqlTypeName.ANY) {
      // Of values whose type is known only when they come, such as json_each's.
      return nullableAs(typeFactory, SqlTypeName.ANY, argumentType);
    }
    return SqlTypeName.INT_TYPES.contains(argument)
        ? nullableAs(typeFactory, SqlTypeName.BIGINT, argumentType)
        : super.deriveSumType(typeFactory, argumentType);
  }

  private static RelDataType nullableAs(
      RelDataTypeFactory typeFactory, SqlTypeName name, RelDataType like) {
    return typeFactory.createTypeWithNullability(
        typeFactory.createSqlType(name), like.isNullable());
  }

  @Override
  public RelDataType deriveAvgAggType(RelDataTypeFactory typeFactory, RelDataType argumentType) {
    return typeFactory.createTypeWithNullability(
        typeFactory.createSqlType(SqlTypeName.DOUBLE), argumentType.isNullable());
  }
}
