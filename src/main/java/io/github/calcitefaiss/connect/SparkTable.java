/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import java.util.List;
import org.apache.calcite.plan.RelOptTable;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.TranslatableTable;
import org.apache.calcite.schema.impl.AbstractTable;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.StructField;

/** A table that Spark reads. */
public final class SparkTable extends AbstractTable implements TranslatableTable {
  private final SparkSchema schema;
  private final SparkConvention convention;
  private final SparkSchema.Named named;
  private final List<StructField> fields;

  SparkTable(
      SparkSchema schema,
      SparkConvention convention,
      SparkSchema.Named named,
      List<StructField> fields) {
    this.schema = schema;
    this.convention = convention;
    this.named = named;
    this.fields = fields;
  }

  /** The schema it belongs to. */
  public SparkSchema schema() {
    return schema;
  }

  /** What the model says of it. */
  public SparkSchema.Named named() {
    return named;
  }

  /** Whether it has the columns of ids and vectors. */
  public boolean isSearchable() {
    return column(named.id()) >= 0 && column(named.embedding()) >= 0;
  }

  /** Where a column is, or -1. */
  public int column(String name) {
    for (int i = 0; i < fields.size(); i++) {
      if (fields.get(i).name().equalsIgnoreCase(name)) {
        return i;
      }
    }
    return -1;
  }

  /** The type of the ids. */
  public RelDataType idType(RelDataTypeFactory factory) {
    return type(factory, fields.get(column(named.id())).dataType());
  }

  @Override
  public RelDataType getRowType(RelDataTypeFactory factory) {
    RelDataTypeFactory.Builder row = factory.builder();
    for (StructField field : fields) {
      row.add(
          field.name(), factory.createTypeWithNullability(type(factory, field.dataType()), true));
    }
    return row.build();
  }

  private static RelDataType type(RelDataTypeFactory factory, DataType type) {
    if (type instanceof DecimalType decimal) {
      return factory.createSqlType(SqlTypeName.DECIMAL, decimal.precision(), decimal.scale());
    } else if (type instanceof ArrayType array) {
      RelDataType element =
          factory.createTypeWithNullability(type(factory, array.elementType()), true);
      return factory.createArrayType(element, -1);
    }
    switch (type.typeName()) {
      case "long":
        return factory.createSqlType(SqlTypeName.BIGINT);
      case "integer":
        return factory.createSqlType(SqlTypeName.INTEGER);
      case "short":
        return factory.createSqlType(SqlTypeName.SMALLINT);
      case "byte":
        return factory.createSqlType(SqlTypeName.TINYINT);
      case "double":
        return factory.createSqlType(SqlTypeName.DOUBLE);
      case "float":
        return factory.createSqlType(SqlTypeName.REAL);
      case "boolean":
        return factory.createSqlType(SqlTypeName.BOOLEAN);
      case "binary":
        return factory.createSqlType(SqlTypeName.VARBINARY);
      case "date":
        return factory.createSqlType(SqlTypeName.DATE);
      case "timestamp":
      case "timestamp_ntz":
        return factory.createSqlType(SqlTypeName.TIMESTAMP);
      default:
        return factory.createSqlType(SqlTypeName.VARCHAR);
    }
  }

  @Override
  public RelNode toRel(RelOptTable.ToRelContext context, RelOptTable table) {
    return new SparkTableScan(context.getCluster(), table, this, convention);
  }
}
