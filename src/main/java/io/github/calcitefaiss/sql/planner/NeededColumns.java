/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sqlite.SqliteConvention;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.adapter.enumerable.EnumerableCalc;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.adapter.jdbc.JdbcRules;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelCollation;
import org.apache.calcite.rel.RelCollations;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.convert.Converter;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.util.ImmutableBitSet;
import org.apache.calcite.util.mapping.Mappings;

/**
 * Has SQLite give only the columns that expressions above need.
 *
 * <p>Calcite's planner merges a projection into the expressions above it, and then reads whole rows
 * of a table for one column: more than is needed, and another column's odd value is an error.
 */
final class NeededColumns {
  private NeededColumns() {}

  /** Projects what comes from SQLite below each of a physical plan's expressions. */
  static RelNode only(RelNode node) {
    if (!(node instanceof EnumerableRel)) {
      return node;
    }
    if (node instanceof Aggregate aggregate
        && aggregate.getInput() instanceof EnumerableCalc calc
        && !used(aggregate).equals(ImmutableBitSet.range(calc.getRowType().getFieldCount()))) {
      return only(aggregated(aggregate, calc));
    }
    RelNode copy = Trees.overInputs(node, NeededColumns::only);
    return copy instanceof EnumerableCalc calc
            && calc.getInput() instanceof Converter rows
            && rows.getInput().getConvention() instanceof SqliteConvention
        ? narrowed(calc, rows)
        : copy;
  }

  private static ImmutableBitSet used(Aggregate aggregate) {
    ImmutableBitSet.Builder used = ImmutableBitSet.builder().addAll(aggregate.getGroupSet());
    for (AggregateCall call : aggregate.getAggCallList()) {
      used.addAll(call.getArgList());
      used.addAll(call.getCollation().getKeys());
      if (call.filterArg >= 0) {
        used.set(call.filterArg);
      }
      if (call.distinctKeys != null) {
        used.addAll(call.distinctKeys);
      }
    }
    // Rows are counted, though nothing of them is needed.
    return used.isEmpty() ? ImmutableBitSet.of(0) : used.build();
  }

  /** Takes away what expressions compute for an aggregate that doesn't need it. */
  private static RelNode aggregated(Aggregate aggregate, EnumerableCalc calc) {
    ImmutableBitSet used = used(aggregate);
    Trees.Expressions all = Trees.Expressions.of(calc);
    List<RexNode> expressions = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int column : used) {
      expressions.add(all.projects().get(column));
      names.add(calc.getRowType().getFieldNames().get(column));
    }
    Mappings.TargetMapping targets =
        Mappings.target(used::indexOf, calc.getRowType().getFieldCount(), used.cardinality());
    RelNode input =
        new Trees.Expressions(expressions, all.condition()).over(calc.getInput(), names);
    return aggregate.copy(
        aggregate.getTraitSet(),
        input,
        aggregate.getGroupSet().permute(targets),
        aggregate.getGroupSets().stream().map(set -> set.permute(targets)).toList(),
        aggregate.getAggCallList().stream().map(call -> call.transform(targets)).toList());
  }

  private static RelNode narrowed(EnumerableCalc calc, Converter rows) {
    Trees.Expressions all = Trees.Expressions.of(calc);
    ImmutableBitSet.Builder used = ImmutableBitSet.builder();
    RexUtil.apply(
        new RexVisitorImpl<Void>(true) {
          @Override
          public Void visitInputRef(RexInputRef ref) {
            used.set(ref.getIndex());
            return null;
          }
        },
        all.projects(),
        all.condition());
    int width = rows.getRowType().getFieldCount();
    Narrow narrow = narrow(rows.getInput(), used.build(), width);
    if (narrow == null) {
      return calc;
    }
    RelNode input = rows.copy(unsorted(rows), List.of(narrow.rel));
    return new Trees.Expressions(
            RexUtil.apply(narrow.targets, all.projects()),
            all.condition() == null ? null : RexUtil.apply(narrow.targets, all.condition()))
        .over(input, calc.getRowType().getFieldNames());
  }

  /** Fewer columns of a query in SQLite, and where they now are. */
  private record Narrow(RelNode rel, Mappings.TargetMapping targets) {}

  /** Null if all columns are used. */
  private static Narrow narrow(RelNode rel, ImmutableBitSet used, int width) {
    if (rel instanceof Sort sort) {
      // Below the sort: an order in a subquery isn't SQLite's promise.
      ImmutableBitSet keys = ImmutableBitSet.of(sort.getCollation().getKeys());
      Narrow below = narrow(sort.getInput(), used.union(keys), width);
      if (below == null) {
        return null;
      }
      RelCollation order = RelCollations.permute(sort.getCollation(), below.targets);
      return new Narrow(
          sort.copy(sort.getTraitSet().replace(order), below.rel, order, sort.offset, sort.fetch),
          below.targets);
    }
    if (used.cardinality() == width) {
      return null;
    }
    RexBuilder rex = rel.getCluster().getRexBuilder();
    List<RexNode> projects = new ArrayList<>();
    RelDataTypeFactory.Builder type = rel.getCluster().getTypeFactory().builder();
    for (int column : used) {
      projects.add(rex.makeInputRef(rel, column));
      type.add(rel.getRowType().getFieldList().get(column));
    }
    if (projects.isEmpty()) {
      // Rows are needed, though nothing of them is.
      projects.add(rex.makeExactLiteral(BigDecimal.ONE));
      type.add("one", projects.get(0).getType());
    }
    return new Narrow(
        new JdbcRules.JdbcProject(rel.getCluster(), unsorted(rel), rel, projects, type.build()),
        Mappings.target(used::indexOf, width, projects.size()));
  }

  private static RelTraitSet unsorted(RelNode rel) {
    return rel.getTraitSet().replace(RelCollations.EMPTY);
  }
}
