/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import java.util.List;
import org.apache.calcite.adapter.jdbc.JdbcImplementor;
import org.apache.calcite.adapter.jdbc.JdbcRel;
import org.apache.calcite.plan.RelOptCluster;
import org.apache.calcite.plan.RelOptTable;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;

/** Reads a table on the cluster: the leaf of whatever is pushed down. */
public final class SparkTableScan extends TableScan implements JdbcRel {
  private final SparkTable sparkTable;
  private final SparkConvention convention;

  SparkTableScan(
      RelOptCluster cluster, RelOptTable table, SparkTable sparkTable, SparkConvention convention) {
    super(cluster, cluster.traitSetOf(convention), List.of(), table);
    this.sparkTable = sparkTable;
    this.convention = convention;
  }

  /** The table that is read. */
  public SparkTable sparkTable() {
    return sparkTable;
  }

  @Override
  public RelNode copy(RelTraitSet traitSet, List<RelNode> inputs) {
    return this;
  }

  @Override
  public JdbcImplementor.Result implement(JdbcImplementor implementor) {
    return implementor.result(
        SqlStdOperatorTable.AS.createCall(
            SqlParserPos.ZERO,
            new SqlIdentifier(sparkTable.named().from(), SqlParserPos.ZERO),
            new SqlIdentifier(sparkTable.named().name(), SqlParserPos.ZERO)),
        List.of(JdbcImplementor.Clause.FROM),
        this,
        null);
  }
}
