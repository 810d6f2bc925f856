/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.connect.SparkSchema;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.Neighbors;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.View;
import io.github.calcitefaiss.sql.function.Errors;
import io.github.calcitefaiss.sql.function.JsonFunctions;
import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.CallImplementor;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Linq4j;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.ImplementableFunction;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.TableFunction;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.util.NlsString;

/** Functions that give rows: {@code json_each} and {@code faiss_neighbors}. */
public final class TableFunctions {
  private TableFunctions() {}

  /** {@code json_each(json[, path])}, with SQLite's columns key, value, type and atom. */
  static TableFunction jsonEach(boolean path) {
    Signature signature = path ? Signature.of("json", "path") : Signature.of("json");
    return new Function(
        signature.parameters(),
        (factory, arguments) ->
            factory
                .builder()
                .add("key", Signature.nullable(factory, SqlTypeName.ANY))
                .add("value", Signature.nullable(factory, SqlTypeName.ANY))
                .add("type", Signature.nullable(factory, SqlTypeName.VARCHAR))
                .add("atom", Signature.nullable(factory, SqlTypeName.ANY))
                .build(),
        Signature.method(JsonFunctions.class, path ? "jsonEachAt" : "jsonEach", path ? 2 : 1));
  }

  /**
   * {@code faiss_neighbors(database, table, vector, k)}: rows of id, distance (L2, the root) and
   * rank from 1.
   *
   * <p>The id has the type of the table's column where database and table are literals, and is ANY
   * where they are not.
   */
  static TableFunction neighbors(SchemaPlus root) {
    return new Function(
        Signature.of("database:VARCHAR", "table:VARCHAR", "vector", "k").parameters(),
        (factory, arguments) ->
            factory
                .builder()
                .add("id", idType(factory, root, arguments))
                .add("distance", factory.createSqlType(SqlTypeName.DOUBLE))
                .add("rank", factory.createSqlType(SqlTypeName.BIGINT))
                .build(),
        Signature.method(TableFunctions.class, "faissNeighbors", 4));
  }

  /** Evaluates {@code faiss_neighbors}; called by generated code. */
  public static Enumerable<Object[]> faissNeighbors(
      DataContext root, Object database, Object table, Object vector, Object k) {
    Execution.of(root);
    if (database == null || table == null || vector == null || k == null) {
      return Linq4j.emptyEnumerable();
    }
    IndexAccess.Found found =
        IndexAccess.search(root, "faiss_neighbors", database, table, vector, k, Metric.L2);
    Neighbors neighbors = found.neighbors();
    List<Object[]> rows = new ArrayList<>(neighbors.size());
    for (int i = 0; i < neighbors.size(); i++) {
      Object id = found.ids().apply(neighbors.ordinals()[i]);
      rows.add(
          new Object[] {
            id instanceof byte[] blob ? new ByteString(blob) : id, neighbors.values()[i], i + 1L
          });
    }
    return Linq4j.asEnumerable(rows);
  }

  private static RelDataType idType(
      RelDataTypeFactory factory, SchemaPlus root, List<?> arguments) {
    String database = literal(arguments.get(0));
    String table = literal(arguments.get(1));
    if (database == null || table == null) {
      return Signature.nullable(factory, SqlTypeName.ANY);
    }
    try {
      SparkSchema cluster = IndexAccess.cluster(root, database);
      if (cluster != null) {
        RelDataType id = IndexAccess.table("faiss_neighbors", cluster, table).idType(factory);
        // The search gives whole numbers as BIGINT, whatever the column is.
        boolean whole = SqlTypeName.INT_TYPES.contains(id.getSqlTypeName());
        return whole ? factory.createSqlType(SqlTypeName.BIGINT) : id;
      }
      SqliteSchema schema = IndexAccess.schema("faiss_neighbors", root, database);
      IndexedTable indexed = IndexAccess.table("faiss_neighbors", schema, table, View.NOW);
      SqliteTable plain = schema.sqliteTable(indexed.table());
      SqliteTable.Column id = plain == null ? null : plain.column(indexed.id());
      if (id == null) {
        throw Errors.changedMeanwhile("faiss_neighbors", schema.name(), indexed.table());
      }
      return factory.createSqlType(id.type());
    } catch (FaissException e) {
      if (!e.getSQLState().equals(SqlState.UNKNOWN_NAME)) {
        throw e.raise();
      }
      // Said by FaissValidator, with the place, or else when the statement runs.
      return Signature.nullable(factory, SqlTypeName.ANY);
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  private static String literal(Object argument) {
    return argument instanceof NlsString text
        ? text.getValue()
        : argument instanceof String text ? text : null;
  }

  private interface RowType {
    RelDataType of(RelDataTypeFactory factory, List<?> arguments);
  }

  private record Function(List<FunctionParameter> parameters, RowType rowType, Method method)
      implements TableFunction, ImplementableFunction, Signature.Evaluated {
    @Override
    public List<FunctionParameter> getParameters() {
      return parameters;
    }

    @Override
    public RelDataType getRowType(RelDataTypeFactory typeFactory, List<?> arguments) {
      return rowType.of(typeFactory, arguments);
    }

    @Override
    public Type getElementType(List<?> arguments) {
      return Object[].class;
    }

    @Override
    public CallImplementor getImplementor() {
      return Signature.call(method);
    }
  }
}
