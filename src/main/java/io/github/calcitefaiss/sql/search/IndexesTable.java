/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.KeptColumn;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.View;
import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.TableModels;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Linq4j;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.ScannableTable;
import org.apache.calcite.schema.Schema;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.impl.AbstractTable;
import org.apache.calcite.schema.lookup.LikePattern;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * {@code "metadata"."faiss_indexes"}: a row for each indexed table of the connection, and, where a
 * table's vectors have several dimensions, for each of these.
 *
 * <p>Reading it loads nothing: what isn't known of an index that isn't in memory is NULL.
 */
final class IndexesTable extends AbstractTable implements ScannableTable {
  static final String NAME = "faiss_indexes";

  @Override
  public Schema.TableType getJdbcTableType() {
    return Schema.TableType.SYSTEM_TABLE;
  }

  @Override
  public RelDataType getRowType(RelDataTypeFactory factory) {
    RelDataTypeFactory.Builder row = factory.builder();
    row.add("table_schema", factory.createSqlType(SqlTypeName.VARCHAR));
    row.add("table_name", factory.createSqlType(SqlTypeName.VARCHAR));
    row.add("id_column", factory.createSqlType(SqlTypeName.VARCHAR));
    row.add("embedding_column", factory.createSqlType(SqlTypeName.VARCHAR));
    row.add("row_count", Signature.nullable(factory, SqlTypeName.BIGINT));
    row.add("skipped_rows", Signature.nullable(factory, SqlTypeName.BIGINT));
    row.add("dims", Signature.nullable(factory, SqlTypeName.BIGINT));
    row.add("bytes", Signature.nullable(factory, SqlTypeName.BIGINT));
    row.add("build_ms", Signature.nullable(factory, SqlTypeName.DOUBLE));
    row.add("version", Signature.nullable(factory, SqlTypeName.VARCHAR));
    row.add("loaded_at", Signature.nullable(factory, SqlTypeName.TIMESTAMP));
    row.add("searches", factory.createSqlType(SqlTypeName.BIGINT));
    row.add("kernel", factory.createSqlType(SqlTypeName.VARCHAR));
    row.add("memory", Signature.nullable(factory, SqlTypeName.VARCHAR));
    row.add("vectors_read", Signature.nullable(factory, SqlTypeName.BIGINT));
    row.add("kept_columns", Signature.nullable(factory, SqlTypeName.VARCHAR));
    row.add("kept_bytes", Signature.nullable(factory, SqlTypeName.BIGINT));
    row.add("model", Signature.nullable(factory, SqlTypeName.VARCHAR));
    return row.build();
  }

  @Override
  public Enumerable<Object[]> scan(DataContext root) {
    List<Object[]> rows = new ArrayList<>();
    SchemaPlus schemas = root.getRootSchema();
    try {
      for (String name : schemas.subSchemas().getNames(LikePattern.any())) {
        SqliteSchema schema = SqliteSchema.of(schemas.subSchemas().get(name));
        if (schema != null) {
          for (IndexedTable table : schema.indexedTables().list()) {
            IndexCache.Entry entry = schema.indexedTables().status(table).entry();
            if (entry == null) {
              rows.add(row(schema, table, null));
            } else {
              for (FlatIndex index : entry.indexes()) {
                rows.add(row(schema, table, index));
              }
            }
          }
        }
      }
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
    return Linq4j.asEnumerable(rows);
  }

  private static String memory(FlatIndex index) {
    return index.isFromFile() ? "snapshot" : index.holdsCodesOnly() ? "codes" : "vectors";
  }

  private static long bytes(IndexCache.Entry entry, FlatIndex index) {
    return entry.mixed() == null ? entry.bytes() + index.laterBytes() : index.bytes();
  }

  private static String columns(FlatIndex index) {
    return String.join(", ", index.columns().list().stream().map(KeptColumn::name).toList());
  }

  private static Object[] row(SqliteSchema schema, IndexedTable table, FlatIndex index)
      throws SQLException {
    IndexCache.Status status = schema.indexedTables().status(table);
    IndexCache.Entry entry = status.entry();
    TableModels.Made made = schema.madeBy(table, View.NOW);
    return new Object[] {
      schema.name(),
      table.table(),
      table.id(),
      table.embedding(),
      index == null ? null : (long) index.size(),
      entry == null ? null : entry.skipped(),
      index == null ? null : (long) index.dims(),
      entry == null ? null : bytes(entry, index),
      entry == null ? null : entry.buildNanos() / 1e6,
      entry == null ? null : entry.version().toString(),
      entry == null ? null : entry.loadedAt(),
      status.searches(),
      FlatIndex.kernel(),
      index == null ? null : memory(index),
      index == null ? null : index.floatsRead(),
      index == null ? null : columns(index),
      index == null ? null : index.columns().bytes(),
      made == null ? null : made.model()
    };
  }
}
