/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.java.JavaTypeFactory;
import org.apache.calcite.adapter.jdbc.JdbcImplementor;
import org.apache.calcite.adapter.jdbc.JdbcRel;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.AbstractEnumerable;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.runtime.Hook;
import org.apache.calcite.sql.util.SqlString;

/** A statement of Spark's SQL that a plan runs. */
public final class SparkQuery {
  private final SparkSchema schema;
  private final String sql;
  private final List<Integer> parameters;
  private final boolean single;

  private SparkQuery(SparkSchema schema, String sql, List<Integer> parameters, boolean single) {
    this.single = single;
    this.schema = schema;
    this.sql = sql;
    this.parameters = parameters;
  }

  /** Writes a tree over tables of one schema as SQL. */
  static SparkQuery of(SparkSchema schema, RelNode rel) {
    Implementor implementor = new Implementor((JavaTypeFactory) rel.getCluster().getTypeFactory());
    SqlString text = implementor.visitRoot(rel).asStatement().toSqlString(SparkDialect.INSTANCE);
    Hook.QUERY_PLAN.run(text.getSql());
    List<Integer> parameters =
        text.getDynamicParameters() == null ? List.of() : List.copyOf(text.getDynamicParameters());
    boolean single = rel.getRowType().getFieldCount() == 1;
    return new SparkQuery(schema, text.getSql(), parameters, single);
  }

  String sql() {
    return sql;
  }

  /** Runs it; called by generated code. */
  public Enumerable<?> rows(DataContext root) {
    Enumerable<Object[]> rows =
        new AbstractEnumerable<>() {
          @Override
          public Enumerator<Object[]> enumerator() {
            return run(root, sql);
          }
        };
    // Generated code takes a row of one column as its value.
    return single ? rows.select(row -> row[0]) : rows;
  }

  /** Runs a statement that this is a part of. */
  SparkRows run(DataContext root, String whole) {
    Object[] arguments = new Object[parameters.size()];
    for (int i = 0; i < arguments.length; i++) {
      Object value = root.get("?" + parameters.get(i));
      arguments[i] =
          value instanceof ByteString blob
              ? blob.getBytes()
              : value instanceof BigDecimal number && number.scale() <= 0
                  ? (Object) number.longValue()
                  : value;
    }
    try {
      return new SparkRows(schema.server(), Execution.of(root), whole, arguments);
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  /** Public, since Calcite finds its visit methods by reflection. */
  public static final class Implementor extends JdbcImplementor {
    Implementor(JavaTypeFactory factory) {
      super(SparkDialect.INSTANCE, factory);
    }

    @Override
    public Result visit(TableScan scan) {
      return ((JdbcRel) scan).implement(this);
    }
  }
}
