/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.planner.VectorTopKBuilder.Found;
import io.github.calcitefaiss.sql.planner.VectorTopKBuilder.Wanted;
import io.github.calcitefaiss.sql.search.VectorSearch.Nulls;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.rel.RelFieldCollation;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.JoinRelType;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.core.Union;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalJoin;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.logical.LogicalUnion;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexFieldCollation;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.util.Util;

/**
 * The forms of statements that an index answers, each rewritten to itself over fewer rows.
 *
 * <p>Whatever sorted, numbered or tested the distance in the statement still does so; only its
 * input becomes a {@link VectorTopK}, which leaves out rows that can't be wanted. Null is returned
 * for what no index answers.
 */
final class VectorRewrite {
  private VectorRewrite() {}

  /** {@code ORDER BY distance LIMIT n [OFFSET m]}, over tables, joins, views and UNION ALL. */
  static RelNode sort(Sort sort) {
    if (sort.fetch == null || sort.getCollation().getFieldCollations().isEmpty()) {
      return null;
    }
    Pile flat = Pile.of(sort.getInput());
    RelNode input =
        flat.base() instanceof Project ranked ? ranked(sort, flat, ranked) : restricted(sort, flat);
    return input == null
        ? null
        : sort.copy(sort.getTraitSet(), input, sort.getCollation(), sort.offset, sort.fetch);
  }

  /** {@code SELECT RANK() OVER (ORDER BY distance) … ORDER BY distance LIMIT n}. */
  private static RelNode ranked(Sort sort, Pile flat, Project ranked) {
    if (!flat.conditions().isEmpty()) {
      return null;
    }
    Pile below = Pile.of(ranked.getInput());
    List<RexNode> exprs = new ArrayList<>();
    for (RexNode expr : ranked.getProjects()) {
      exprs.add(Pile.replace(expr, below.exprs()));
    }
    RelFieldCollation first = sort.getCollation().getFieldCollations().get(0);
    RexNode key = Pile.replace(flat.exprs().get(first.getFieldIndex()), exprs);
    RankedBy distance = RexOver.containsOver(key) ? null : RankedBy.in(key);
    if (distance == null) {
      return null;
    }
    boolean nullsFirst = first.nullDirection == RelFieldCollation.NullDirection.FIRST;
    for (RexNode expr : exprs) {
      if (RexOver.containsOver(expr)
          && !(expr instanceof RexOver over && counts(over, key, first, nullsFirst))) {
        return null;
      }
    }
    List<RexNode> tied = new ArrayList<>();
    tied.add(null);
    VectorSource source =
        VectorSource.nearest(
            below,
            distance,
            first.direction.isDescending(),
            nullsFirst ? Nulls.FIRST : Nulls.LAST,
            tied);
    Found found =
        source == null
            ? null
            : VectorTopKBuilder.build(source, Wanted.first(exprs, sort.fetch, sort.offset));
    if (found == null) {
      return null;
    }
    RelNode again = as(ranked, project(found, ranked));
    return as(sort.getInput(), project(again, flat.exprs(), sort.getInput()));
  }

  /**
   * Whether a window counts the rows before each in the order of a key, so that later ones don't
   * matter.
   */
  private static boolean counts(
      RexOver over, RexNode key, RelFieldCollation order, boolean nullsFirst) {
    if (over.getAggOperator().getKind() != SqlKind.ROW_NUMBER
            && over.getAggOperator().getKind() != SqlKind.RANK
            && over.getAggOperator().getKind() != SqlKind.DENSE_RANK
        || !over.getWindow().partitionKeys.isEmpty()
        || over.getWindow().orderKeys.isEmpty()) {
      return false;
    }
    RexFieldCollation first = over.getWindow().orderKeys.get(0);
    return first.left.equals(key)
        && first.getDirection().isDescending() == order.direction.isDescending()
        && (first.getNullDirection() == RelFieldCollation.NullDirection.FIRST) == nullsFirst;
  }

  private static RelNode restricted(Sort sort, Pile flat) {
    if (flat.base() instanceof Union union && union.all) {
      List<RelNode> members = new ArrayList<>();
      boolean any = false;
      for (RelNode member : union.getInputs()) {
        Pile below = Pile.of(member);
        Pile whole =
            new Pile(below.base(), below.over(flat.exprs()), below.conditions())
                .and(below.over(flat.conditions()));
        RelNode fewer = restricted(sort, whole);
        any |= fewer != null;
        members.add(as(sort.getInput(), fewer != null ? fewer : whole.toRel()));
      }
      return any ? LogicalUnion.create(members, true) : null;
    }
    List<RelFieldCollation> keys = sort.getCollation().getFieldCollations();
    RelFieldCollation first = keys.get(0);
    RankedBy distance = RankedBy.in(flat.exprs().get(first.getFieldIndex()));
    if (distance == null) {
      return null;
    }
    List<RexNode> others = new ArrayList<>();
    for (RelFieldCollation key : keys.subList(1, keys.size())) {
      others.add(key.direction.isDescending() ? null : flat.exprs().get(key.getFieldIndex()));
    }
    VectorSource source =
        VectorSource.nearest(
            flat,
            distance,
            first.direction.isDescending(),
            first.nullDirection == RelFieldCollation.NullDirection.FIRST ? Nulls.FIRST : Nulls.LAST,
            others);
    if (source == null) {
      return null;
    }
    Found found =
        VectorTopKBuilder.build(source, Wanted.first(flat.exprs(), sort.fetch, sort.offset));
    return found == null ? null : as(sort.getInput(), project(found, sort.getInput()));
  }

  /** {@code WHERE distance < r}, and {@code ROW_NUMBER() OVER (… ORDER BY distance) <= n}. */
  static RelNode filter(Filter filter) {
    Pile flat = Pile.of(filter);
    return flat.base() instanceof Project numbered
        ? numbered(filter, flat, numbered)
        : within(filter, flat, flat.conditions());
  }

  /** {@code JOIN … ON distance < r}. */
  static RelNode join(LogicalJoin join) {
    return join.getJoinType() == JoinRelType.INNER
        ? within(join, Pile.of(join), List.of(join.getCondition()))
        : null;
  }

  private static RelNode within(RelNode rel, Pile flat, List<RexNode> conditions) {
    for (RexCall call : RankedBy.all(conditions)) {
      VectorSource source = VectorSource.within(flat, new RankedBy(call, true, true));
      if (source != null) {
        Found found = VectorTopKBuilder.build(source, Wanted.all(flat.exprs()));
        if (found != null) {
          return as(rel, project(found, rel));
        }
      }
    }
    return null;
  }

  private static RelNode numbered(Filter filter, Pile flat, Project numbered) {
    RexOver over = null;
    RexNode qualified = null;
    List<Integer> ranks = new ArrayList<>();
    for (int i = 0; i < numbered.getProjects().size(); i++) {
      RexNode expr = numbered.getProjects().get(i);
      if (!RexOver.containsOver(expr)) {
        continue;
      }
      Most qualify = flat.conditions().contains(refTo(numbered, i)) ? Most.of(expr) : null;
      if (qualify != null && qualify.number() instanceof RexOver inside) {
        // QUALIFY's condition is a column, on which the filter is.
        expr = inside;
        qualified = qualify.last();
      } else {
        ranks.add(i);
      }
      if (!(expr instanceof RexOver call)
          || call.getAggOperator().getKind() != SqlKind.ROW_NUMBER
              && call.getAggOperator().getKind() != SqlKind.RANK
          || over != null && !over.getWindow().equals(call.getWindow())) {
        return null;
      }
      if (over == null || call.getAggOperator().getKind() == SqlKind.RANK) {
        over = call;
      }
    }
    RexNode most = over == null ? null : most(filter, flat.conditions(), ranks);
    if (most == null && over != null) {
      most = qualified;
    }
    if (most == null || over.getWindow().orderKeys.isEmpty()) {
      return null;
    }
    Pile below = Pile.of(numbered.getInput());
    List<RexNode> exprs = new ArrayList<>();
    for (RexNode expr : numbered.getProjects()) {
      exprs.add(Pile.replace(expr, below.exprs()));
    }
    RexFieldCollation first = over.getWindow().orderKeys.get(0);
    RankedBy distance = RankedBy.in(Pile.replace(first.left, below.exprs()));
    if (distance == null) {
      return null;
    }
    List<RexNode> others = new ArrayList<>();
    if (over.getAggOperator().getKind() == SqlKind.RANK) {
      others.add(null);
    }
    for (RexFieldCollation key : Util.skip(over.getWindow().orderKeys)) {
      others.add(key.getDirection().isDescending() ? null : Pile.replace(key.left, below.exprs()));
    }
    VectorSource source =
        VectorSource.nearest(
            below,
            distance,
            first.getDirection().isDescending(),
            first.getNullDirection() == RelFieldCollation.NullDirection.FIRST
                ? Nulls.FIRST
                : Nulls.LAST,
            others);
    if (source == null) {
      return null;
    }
    List<RexNode> partition = below.over(over.getWindow().partitionKeys);
    Found found = VectorTopKBuilder.build(source, Wanted.firstOfEach(partition, exprs, most));
    if (found == null) {
      return null;
    }
    RelNode again = project(found, numbered);
    RexBuilder rex = filter.getCluster().getRexBuilder();
    RelNode kept =
        LogicalFilter.create(
            as(numbered, again), RexUtil.composeConjunction(rex, flat.conditions()));
    return as(filter, project(kept, flat.exprs(), filter));
  }

  /** How many rows of each group the conditions let through at most, or null. */
  private static RexNode most(Filter filter, List<RexNode> conditions, List<Integer> ranks) {
    RexBuilder rex = filter.getCluster().getRexBuilder();
    for (RexNode condition : conditions) {
      for (RexNode part : RelOptUtil.conjunctions(RexUtil.expandSearch(rex, null, condition))) {
        Most found = Most.of(part);
        if (found != null
            && found.number() instanceof RexInputRef ref
            && ranks.contains(ref.getIndex())) {
          return found.last();
        }
      }
    }
    return null;
  }

  private static RexNode refTo(RelNode rel, int column) {
    return RexInputRef.of(column, rel.getRowType());
  }

  /** A condition that a number is not above a constant. */
  private record Most(RexNode number, RexNode last) {
    static Most of(RexNode condition) {
      if (!(condition instanceof RexCall call) || call.getOperands().size() != 2) {
        return null;
      }
      RexNode left = call.getOperands().get(0);
      RexNode right = call.getOperands().get(1);
      SqlKind kind = call.getKind();
      if (isConstant(left)) {
        RexNode swap = left;
        left = right;
        right = swap;
        kind = kind.reverse();
      }
      boolean most =
          kind == SqlKind.LESS_THAN || kind == SqlKind.LESS_THAN_OR_EQUAL || kind == SqlKind.EQUALS;
      return most && isConstant(right) ? new Most(left, right) : null;
    }
  }

  /** Whether an expression has the same value for every row. */
  static boolean isConstant(RexNode node) {
    boolean[] varies = {false};
    node.accept(
        new RexVisitorImpl<Void>(true) {
          @Override
          public Void visitInputRef(RexInputRef ref) {
            varies[0] = true;
            return null;
          }
        });
    return !varies[0];
  }

  private static RelNode project(Found found, RelNode like) {
    return project(found.rel(), found.exprs(), like);
  }

  private static RelNode project(RelNode rows, List<RexNode> exprs, RelNode like) {
    return LogicalProject.create(
        rows, List.of(), exprs, like.getRowType().getFieldNames(), java.util.Set.of());
  }

  private static RelNode as(RelNode like, RelNode rel) {
    return RelOptUtil.createCastRel(rel, like.getRowType(), true);
  }
}
