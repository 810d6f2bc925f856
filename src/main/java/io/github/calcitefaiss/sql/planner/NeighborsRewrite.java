/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.connect.SparkTable;
import io.github.calcitefaiss.connect.SparkTableScan;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.sql.search.VectorSearch;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteTable;
import io.github.calcitefaiss.sqlite.SqliteTableScan;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.calcite.plan.RelOptTable;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.plan.ViewExpanders;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.JoinRelType;
import org.apache.calcite.rel.core.RelFactories;
import org.apache.calcite.rel.core.TableFunctionScan;
import org.apache.calcite.rel.logical.LogicalCorrelate;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalJoin;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexCorrelVariable;
import org.apache.calcite.rex.RexFieldAccess;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.tools.RelBuilder;

/** {@code faiss_neighbors('db', 'table', q.vector, k)} for every row of q, in one pass. */
final class NeighborsRewrite {
  private NeighborsRewrite() {}

  /** The join with the function as a {@link VectorTopK}; null if it is another join. */
  static RelNode correlate(LogicalCorrelate correlate) {
    Pile flat = Pile.of(correlate.getRight());
    boolean outerJoin = correlate.getJoinType() == JoinRelType.LEFT;
    if (!outerJoin && correlate.getJoinType() != JoinRelType.INNER
        || !(flat.base() instanceof TableFunctionScan function)
        || !(function.getCall() instanceof RexCall call)
        || !call.getOperator().getName().equalsIgnoreCase("faiss_neighbors")
        || call.getOperands().size() != 4
        || !(call.getOperands().get(2) instanceof RexFieldAccess vector)
        || !(vector.getReferenceExpr() instanceof RexCorrelVariable variable)
        || !variable.id.equals(correlate.getCorrelationId())
        || correlated(flat.exprs())
        || correlated(flat.conditions())) {
      return null;
    }
    BigDecimal k =
        call.getOperands().get(3) instanceof RexLiteral literal
                && literal.getType().getSqlTypeName().getFamily()
                    == org.apache.calcite.sql.type.SqlTypeFamily.NUMERIC
            ? literal.getValueAs(BigDecimal.class)
            : null;
    String database = name(call.getOperands().get(0));
    String table = name(call.getOperands().get(1));
    if (k == null
        || k.signum() < 0
        || k.stripTrailingZeros().scale() > 0
        || database == null
        || table == null) {
      return null;
    }
    VectorSource.Table searched = searched(correlate, database, table);
    if (searched == null
        || searched.scan().getRowType().getFieldList().get(searched.id()).getType().getSqlTypeName()
            != function.getRowType().getFieldList().get(0).getType().getSqlTypeName()) {
      return null;
    }

    RelNode outer = correlate.getLeft();
    RexNode asks = RexInputRef.of(vector.getField().getIndex(), outer.getRowType());
    if (outerJoin) {
      return outerJoin(correlate, flat, function, searched, asks, k);
    }
    RelNode found = rows(flat, function, searched, outer, asks, k);
    return RelOptUtil.createCastRel(
        LogicalProject.create(
            found,
            List.of(),
            found.getCluster().getRexBuilder().identityProjects(found.getRowType()),
            correlate.getRowType().getFieldNames(),
            Set.of()),
        correlate.getRowType(),
        true);
  }

  /** The neighbours of each vector once, joined to the rows that ask for them. */
  private static RelNode outerJoin(
      LogicalCorrelate correlate,
      Pile flat,
      TableFunctionScan function,
      VectorSource.Table searched,
      RexNode asks,
      BigDecimal k) {
    switch (asks.getType().getSqlTypeName()) {
      case VARBINARY:
      case VARCHAR:
        break;
      default:
        return null;
    }
    RelNode outer = correlate.getLeft();
    RelBuilder builder = RelFactories.LOGICAL_BUILDER.create(correlate.getCluster(), null);
    RelNode vectors = builder.push(outer).project(asks).distinct().build();
    RelNode found =
        rows(flat, function, searched, vectors, RexInputRef.of(0, vectors.getRowType()), k);
    RexBuilder rex = correlate.getCluster().getRexBuilder();
    int left = outer.getRowType().getFieldCount();
    RelNode joined =
        LogicalJoin.create(
            outer,
            found,
            List.of(),
            rex.makeCall(
                SqlStdOperatorTable.EQUALS,
                asks,
                new RexInputRef(left, found.getRowType().getFieldList().get(0).getType())),
            Set.of(),
            JoinRelType.LEFT);
    List<RexNode> fields = new ArrayList<>();
    for (int i = 0; i < joined.getRowType().getFieldCount(); i++) {
      if (i != left) {
        fields.add(RexInputRef.of(i, joined.getRowType()));
      }
    }
    return RelOptUtil.createCastRel(
        LogicalProject.create(
            joined, List.of(), fields, correlate.getRowType().getFieldNames(), Set.of()),
        correlate.getRowType(),
        true);
  }

  /** The columns of the rows that ask, and those of the function's rows for each of them. */
  private static RelNode rows(
      Pile flat,
      TableFunctionScan function,
      VectorSource.Table searched,
      RelNode outer,
      RexNode vector,
      BigDecimal k) {
    int id = searched.id();
    RexBuilder rex = outer.getCluster().getRexBuilder();
    int left = outer.getRowType().getFieldCount();
    List<RexNode> asked = new ArrayList<>();
    for (int i = 0; i < left; i++) {
      asked.add(RexInputRef.of(i, outer.getRowType()));
    }
    asked.add(vector);
    asked.add(rex.makeExactLiteral(k));
    RelNode queries = LogicalProject.create(outer, List.of(), asked, (List<String>) null, Set.of());
    VectorSearch.Form form =
        new VectorSearch.Form(
            new VectorSearch.Distance(Metric.L2, "faiss_neighbors"),
            new VectorSearch.QueryRow(left, left + 1, VectorSearch.NONE, left + 2),
            new VectorSearch.CandidateRow(VectorSearch.NONE, List.of(), 1),
            new VectorSearch.Conditions(List.of(), List.of()),
            VectorSearch.Also.NOTHING);
    List<VectorTopK.Shown> shown =
        List.of(
            new VectorTopK.Shown(
                "query", outer.getRowType().getFieldNames().get(((RexInputRef) vector).getIndex())),
            new VectorTopK.Shown("k", k.toPlainString()));
    RelNode rows;
    if (searched.scan() instanceof SparkTableScan there) {
      int embedding = there.sparkTable().column(there.sparkTable().named().embedding());
      RelNode candidates = ClusterTopK.candidates(there, null, List.of(id), embedding);
      rows = ClusterTopK.create(there, candidates, form, false, shown, queries);
    } else {
      SqliteTableScan here = (SqliteTableScan) searched.scan();
      rows =
          VectorTopK.create(
              new VectorTopK.Plan(here, searched.indexed(), form, List.of(id), null, shown),
              List.of(queries));
    }
    int width = rows.getRowType().getFieldCount();
    List<RexNode> found =
        List.of(
            RexInputRef.of(0, rows.getRowType()),
            RexInputRef.of(width - 1, rows.getRowType()),
            RexInputRef.of(width - 2, rows.getRowType()));
    List<RexNode> fields = new ArrayList<>();
    for (int i = 0; i < left; i++) {
      fields.add(RexInputRef.of(1 + i, rows.getRowType()));
    }
    for (RexNode expr : flat.exprs()) {
      fields.add(Pile.replace(expr, cast(rex, function, found)));
    }
    RelNode kept = rows;
    if (!flat.conditions().isEmpty()) {
      List<RexNode> conditions = new ArrayList<>();
      for (RexNode condition : flat.conditions()) {
        conditions.add(Pile.replace(condition, cast(rex, function, found)));
      }
      kept = LogicalFilter.create(rows, RexUtil.composeConjunction(rex, conditions));
    }
    return LogicalProject.create(kept, List.of(), fields, (List<String>) null, Set.of());
  }

  /** The columns with the function's types, which never are NULL. */
  private static List<RexNode> cast(
      RexBuilder rex, TableFunctionScan function, List<RexNode> found) {
    List<RexNode> cast = new ArrayList<>();
    for (int i = 0; i < found.size(); i++) {
      cast.add(
          rex.ensureType(
              function.getRowType().getFieldList().get(i).getType(), found.get(i), true));
    }
    return cast;
  }

  private static boolean correlated(List<RexNode> nodes) {
    return nodes.stream().anyMatch(RexUtil::containsCorrelation);
  }

  private static String name(RexNode node) {
    return node instanceof RexLiteral literal
            && literal.getTypeName() == org.apache.calcite.sql.type.SqlTypeName.CHAR
        ? literal.getValueAs(String.class)
        : null;
  }

  /** A table by its names, found through a table that the outer query reads. */
  private static VectorSource.Table searched(
      LogicalCorrelate correlate, String database, String table) {
    for (RelOptTable known : RelOptUtil.findAllTables(correlate.getLeft())) {
      if (known.getRelOptSchema() == null) {
        continue;
      }
      RelOptTable found = known.getRelOptSchema().getTableForMember(List.of(database, table));
      SqliteTable here = found == null ? null : found.unwrap(SqliteTable.class);
      SparkTable there = found == null ? null : found.unwrap(SparkTable.class);
      RelOptTable.ToRelContext context = ViewExpanders.simpleContext(correlate.getCluster());
      if (here != null) {
        SqliteTableScan scan = (SqliteTableScan) here.toRel(context, found);
        IndexedTable indexed = VectorSource.indexed(scan);
        return indexed == null ? null : new VectorSource.Table(scan, indexed);
      } else if (there != null) {
        return there.isSearchable()
            ? new VectorSource.Table((SparkTableScan) there.toRel(context, found), null)
            : null;
      }
    }
    return null;
  }
}
