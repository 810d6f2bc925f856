/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.rel.RelFieldCollation;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelShuttleImpl;
import org.apache.calcite.rel.core.CorrelationId;
import org.apache.calcite.rel.core.JoinRelType;
import org.apache.calcite.rel.core.RelFactories;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.logical.LogicalCorrelate;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalJoin;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCorrelVariable;
import org.apache.calcite.rex.RexFieldAccess;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.rex.RexWindowBounds;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.tools.RelBuilder;
import org.apache.calcite.util.ImmutableBitSet;

/**
 * The k nearest for every row of an outer query, as one question about all its rows.
 *
 * <p>{@code LATERAL (… ORDER BY distance LIMIT k)} becomes a join with the k best of each distinct
 * combination of the outer columns that it uses, numbered by ROW_NUMBER, which {@link
 * VectorRewrite} answers. Calcite's own decorrelation does much the same, but takes the outer
 * columns one by one: with a condition such as {@code d.id <> q.id} that asks for each vector with
 * each id; and it fails on {@code LIMIT ?}.
 */
public final class LateralRewrite extends RelShuttleImpl {
  private LateralRewrite() {}

  /** The tree with such joins rewritten. */
  public static RelNode rewrite(RelNode tree) {
    return VectorTopKRules.off() ? tree : tree.accept(new LateralRewrite());
  }

  /** Conditions on the outer row go below, so that only rows that pass ask for neighbours. */
  @Override
  public RelNode visit(LogicalFilter filter) {
    if (!(filter.getInput() instanceof LogicalCorrelate correlate)
        || !filter.getVariablesSet().isEmpty()) {
      return super.visit(filter);
    }
    ImmutableBitSet outer = ImmutableBitSet.range(correlate.getLeft().getRowType().getFieldCount());
    List<RexNode> below = new ArrayList<>();
    List<RexNode> here = new ArrayList<>();
    for (RexNode condition : RelOptUtil.conjunctions(filter.getCondition())) {
      boolean onOuter = outer.contains(Pile.columns(condition)) && Pile.isPlain(condition);
      (onOuter ? below : here).add(condition);
    }
    if (below.isEmpty()) {
      return super.visit(filter);
    }
    RexBuilder rex = filter.getCluster().getRexBuilder();
    RelNode left =
        LogicalFilter.create(correlate.getLeft(), RexUtil.composeConjunction(rex, below));
    RelNode pushed = correlate.copy(correlate.getTraitSet(), List.of(left, correlate.getRight()));
    return here.isEmpty()
        ? pushed.accept(this)
        : LogicalFilter.create(pushed, RexUtil.composeConjunction(rex, here)).accept(this);
  }

  @Override
  public RelNode visit(LogicalCorrelate correlate) {
    LogicalCorrelate visited = (LogicalCorrelate) super.visit(correlate);
    RelNode changed =
        visited.getJoinType() == JoinRelType.INNER || visited.getJoinType() == JoinRelType.LEFT
            ? changed(visited)
            : null;
    return changed == null ? visited : changed;
  }

  private static RelNode changed(LogicalCorrelate correlate) {
    CorrelationId id = correlate.getCorrelationId();
    Pile above = Pile.of(correlate.getRight());
    if (!(above.base() instanceof Sort sort)
        || sort.fetch == null
        || sort.getCollation().getFieldCollations().isEmpty()) {
      return null;
    }
    Pile below = Pile.of(sort.getInput());
    RelFieldCollation first = sort.getCollation().getFieldCollations().get(0);
    List<RexNode> all = new ArrayList<>(below.exprs());
    all.addAll(below.conditions());
    ImmutableBitSet used = used(id, all);
    if (RankedBy.in(below.exprs().get(first.getFieldIndex())) == null
        || used.isEmpty()
        || !used(id, above.exprs()).isEmpty()
        || !used(id, above.conditions()).isEmpty()
        || RelOptUtil.getVariablesUsed(below.base()).contains(id)) {
      return null;
    }

    RelBuilder builder = RelFactories.LOGICAL_BUILDER.create(correlate.getCluster(), null);
    RelNode outer = correlate.getLeft();
    int base = below.base().getRowType().getFieldCount();
    builder.push(below.base());
    builder.push(outer).project(builder.fields(used)).distinct();
    builder.join(JoinRelType.INNER, builder.literal(true));
    RexShuttle columns = columns(id, used, base, builder.peek());
    builder.filter(columns.visitList(below.conditions()));
    List<RexNode> keys = new ArrayList<>();
    for (int i = 0; i < used.cardinality(); i++) {
      keys.add(RexInputRef.of(base + i, builder.peek().getRowType()));
    }
    List<RexNode> exprs = new ArrayList<>(columns.visitList(below.exprs()));
    List<RexNode> order = new ArrayList<>();
    for (RelFieldCollation key : sort.getCollation().getFieldCollations()) {
      RexNode node = exprs.get(key.getFieldIndex());
      node = key.direction.isDescending() ? builder.desc(node) : node;
      order.add(
          key.nullDirection == RelFieldCollation.NullDirection.FIRST
              ? builder.nullsFirst(node)
              : builder.nullsLast(node));
    }
    int width = exprs.size();
    exprs.addAll(keys);
    exprs.add(
        builder
            .aggregateCall(SqlStdOperatorTable.ROW_NUMBER)
            .over()
            .partitionBy(keys)
            .orderBy(order)
            .rowsBetween(RexWindowBounds.UNBOUNDED_PRECEDING, RexWindowBounds.CURRENT_ROW)
            .toRex());
    builder.push(
        LogicalProject.create(builder.build(), List.of(), exprs, (List<String>) null, Set.of()));
    RexNode number = builder.field(exprs.size() - 1);
    RexNode last =
        sort.offset == null
            ? sort.fetch
            : builder.call(SqlStdOperatorTable.PLUS, sort.offset, sort.fetch);
    builder.filter(
        builder.lessThanOrEqual(number, last),
        sort.offset == null ? builder.literal(true) : builder.greaterThan(number, sort.offset));
    builder.filter(above.conditions());
    List<RexNode> wanted = new ArrayList<>(above.exprs());
    for (int i = 0; i < keys.size(); i++) {
      wanted.add(builder.field(width + i));
    }
    RelNode best =
        LogicalProject.create(builder.build(), List.of(), wanted, (List<String>) null, Set.of());

    RexBuilder rex = correlate.getCluster().getRexBuilder();
    int left = outer.getRowType().getFieldCount();
    List<RexNode> same = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      same.add(
          rex.makeCall(
              SqlStdOperatorTable.IS_NOT_DISTINCT_FROM,
              RexInputRef.of(used.nth(i), outer.getRowType()),
              new RexInputRef(
                  left + above.exprs().size() + i,
                  best.getRowType().getFieldList().get(above.exprs().size() + i).getType())));
    }
    RelNode joined =
        LogicalJoin.create(
            outer,
            best,
            List.of(),
            RexUtil.composeConjunction(rex, same),
            Set.of(),
            correlate.getJoinType());
    List<RexNode> fields = new ArrayList<>();
    for (int i = 0; i < correlate.getRowType().getFieldCount(); i++) {
      fields.add(RexInputRef.of(i, joined.getRowType()));
    }
    RelNode result =
        LogicalProject.create(
            joined, List.of(), fields, correlate.getRowType().getFieldNames(), Set.of());
    return RelOptUtil.createCastRel(result, correlate.getRowType(), true);
  }

  /** The outer row's columns that expressions use. */
  private static ImmutableBitSet used(CorrelationId id, List<RexNode> nodes) {
    ImmutableBitSet.Builder columns = ImmutableBitSet.builder();
    for (RexNode node : nodes) {
      node.accept(
          new RexVisitorImpl<Void>(true) {
            @Override
            public Void visitFieldAccess(RexFieldAccess access) {
              if (isOf(id, access)) {
                columns.set(access.getField().getIndex());
              }
              return super.visitFieldAccess(access);
            }
          });
    }
    return columns.build();
  }

  private static boolean isOf(CorrelationId id, RexFieldAccess access) {
    return access.getReferenceExpr() instanceof RexCorrelVariable variable
        && variable.id.equals(id);
  }

  /** Turns the outer row's columns into those of a join, from {@code base} on. */
  private static RexShuttle columns(
      CorrelationId id, ImmutableBitSet used, int base, RelNode joined) {
    return new RexShuttle() {
      @Override
      public RexNode visitFieldAccess(RexFieldAccess access) {
        return isOf(id, access)
            ? RexInputRef.of(base + used.indexOf(access.getField().getIndex()), joined.getRowType())
            : super.visitFieldAccess(access);
      }
    };
  }
}
