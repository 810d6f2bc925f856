/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.util.List;
import org.apache.calcite.adapter.jdbc.JdbcImplementor;
import org.apache.calcite.adapter.jdbc.JdbcRel;
import org.apache.calcite.plan.RelOptCluster;
import org.apache.calcite.plan.RelOptTable;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.hint.RelHint;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.parser.SqlParserPos;

/** Reads a table inside SQLite: the leaf of whatever is pushed down. */
public final class SqliteTableScan extends TableScan implements JdbcRel {
  private final SqliteTable sqliteTable;
  private final SqliteConvention convention;

  SqliteTableScan(
      RelOptCluster cluster,
      List<RelHint> hints,
      RelOptTable table,
      SqliteTable sqliteTable,
      SqliteConvention convention) {
    super(cluster, cluster.traitSetOf(convention), hints, table);
    this.sqliteTable = sqliteTable;
    this.convention = convention;
  }

  /** The table that is read. */
  public SqliteTable sqliteTable() {
    return sqliteTable;
  }

  @Override
  public RelNode copy(RelTraitSet traitSet, List<RelNode> inputs) {
    assert inputs.isEmpty();
    return new SqliteTableScan(getCluster(), getHints(), table, sqliteTable, convention);
  }

  @Override
  public RelNode withHints(List<RelHint> hintList) {
    return new SqliteTableScan(getCluster(), hintList, table, sqliteTable, convention);
  }

  @Override
  public JdbcImplementor.Result implement(JdbcImplementor implementor) {
    return implementor.result(
        new SqlIdentifier(sqliteTable.name(), SqlParserPos.ZERO),
        List.of(JdbcImplementor.Clause.FROM),
        this,
        null);
  }
}
