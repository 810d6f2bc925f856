/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.connect.SparkTableScan;
import io.github.calcitefaiss.sql.function.DistanceFunctions;
import io.github.calcitefaiss.sql.search.VectorSearch.Nulls;
import io.github.calcitefaiss.sql.search.VectorSearch.Side;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteTable;
import io.github.calcitefaiss.sqlite.SqliteTableScan;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.JoinRelType;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.util.ImmutableBitSet;

/**
 * What a distance is computed over, taken apart: the candidates, with the embedding, on one side
 * and the queries, with the other vector, on the other. {@link VectorTopKBuilder} makes a tree of
 * it.
 *
 * <p>Every condition is about the candidates, about the queries, or about the distance, or else
 * equates or tells apart a column of each; with any other condition there is no such source, since
 * candidates must be filtered before they are searched and never after.
 *
 * @param asked the distance
 * @param table the indexed table
 * @param sides candidates and queries
 * @param conditions what they must fulfil
 * @param order which of them are wanted besides the nearest
 */
record VectorSource(Asked asked, Table table, Sides sides, Conditions conditions, Order order) {
  /**
   * A distance.
   *
   * @param distance the call, over the base
   * @param query its other vector, over the base
   * @param embedding where the embedding is among the columns of the candidates' base
   */
  record Asked(RexCall distance, RexNode query, int embedding) {}

  /**
   * A table that is searched.
   *
   * @param scan a scan of a SQLite table, or of one on a cluster
   * @param indexed the index here; null for a cluster's table, whose indexes are there
   */
  record Table(TableScan scan, IndexedTable indexed) {
    /** The table whose vectors are a column of a tree; null if no index has them. */
    private static Table of(RelNode base, int column) {
      TableScan origin = WithId.origin(base, column);
      if (origin instanceof SqliteTableScan scan) {
        IndexedTable indexed = VectorSource.indexed(scan);
        boolean vectors =
            indexed != null
                && WithId.originColumn(base, column)
                    == VectorTopK.column(scan.sqliteTable(), indexed.embedding());
        return vectors ? new Table(scan, indexed) : null;
      }
      return origin instanceof SparkTableScan ? new Table(origin, null) : null;
    }

    boolean onCluster() {
      return indexed == null;
    }

    int id() {
      return scan instanceof SparkTableScan there
          ? there.sparkTable().column(there.sparkTable().named().id())
          : VectorTopK.column(((SqliteTableScan) scan).sqliteTable(), indexed.id());
    }
  }

  /**
   * The two sides of the base.
   *
   * @param candidates the candidates, with those conditions that are below the base
   * @param queries the queries, or null where the vector is the same for all rows
   * @param left columns of the base before this one are the left side's
   * @param candidatesLeft whether the candidates are the left side
   * @param outer whether candidates are wanted if there is no query
   */
  record Sides(Pile candidates, RelNode queries, int left, boolean candidatesLeft, boolean outer) {
    private static Sides of(RelNode base) {
      return new Sides(Pile.of(base), null, Integer.MAX_VALUE, true, false);
    }

    private static Sides of(Join join, boolean candidatesLeft) {
      return new Sides(
          Pile.of(candidatesLeft ? join.getLeft() : join.getRight()),
          candidatesLeft ? join.getRight() : join.getLeft(),
          join.getLeft().getRowType().getFieldCount(),
          candidatesLeft,
          join.getJoinType() == JoinRelType.LEFT);
    }

    /** Whether a column of the base is the candidates'. */
    boolean isCandidate(int column) {
      return column < left == candidatesLeft;
    }

    /** Whether any column of an expression over the base is the candidates'. */
    boolean anyCandidate(RexNode node) {
      return Pile.columns(node).asList().stream().anyMatch(this::isCandidate);
    }

    /** A column of the base as one of its side. */
    int inSide(int column) {
      return column < left ? column : column - left;
    }

    /** A candidate's column of the base as an expression over the candidates' own base. */
    RexNode candidate(int column) {
      return candidates.exprs().get(inSide(column));
    }
  }

  /** How far a distance may be, as an expression over the base. */
  record Limit(Side side, RexNode value) {}

  /**
   * Conditions by what they are about.
   *
   * @param ofCandidates those over the candidates' own base, with those of their pile
   * @param ofQueries those over the base that are about the queries
   * @param limits those on the distance
   * @param links those between a candidate and a query
   * @param residual those over the base that are tested again on what was found
   */
  record Conditions(
      List<RexNode> ofCandidates,
      List<RexNode> ofQueries,
      List<Limit> limits,
      List<RexCall> links,
      List<RexNode> residual) {
    Conditions {
      ofCandidates = List.copyOf(ofCandidates);
      ofQueries = List.copyOf(ofQueries);
      limits = List.copyOf(limits);
      links = List.copyOf(links);
      residual = List.copyOf(residual);
    }
  }

  /** Whether rows without a distance, and all rows that tie with the last one, are wanted. */
  record Order(Nulls nulls, boolean ties) {}

  /** The rows nearest to a vector first; null if no index gives them. */
  static VectorSource nearest(
      Pile flat, RankedBy distance, boolean descending, Nulls nulls, List<RexNode> thenBy) {
    if (distance.rises() == descending != distance.metric().descending()) {
      return null;
    }
    VectorSource source = of(flat, distance, new Wish(false, nulls, thenBy));
    return source == null || source.order.ties && !distance.slight() ? null : source;
  }

  /** The rows near enough; null if nothing says how near or no index gives them. */
  static VectorSource within(Pile flat, RankedBy distance) {
    VectorSource source = of(flat, distance, new Wish(true, Nulls.NONE, List.of()));
    return source != null
            && source.conditions.limits.stream().anyMatch(limit -> limit.side == Side.WITHIN)
        ? source
        : null;
  }

  /**
   * What a statement wants.
   *
   * @param whole whether all rows near enough are wanted and not a number of them, so that any
   *     condition may be tested on what was found
   * @param nulls where rows without a distance come
   * @param thenBy what orders rows at the same distance, over the base; null for what is not known
   */
  private record Wish(boolean whole, Nulls nulls, List<RexNode> thenBy) {}

  private static VectorSource of(Pile flat, RankedBy distance, Wish wish) {
    List<RexNode> operands = distance.call().getOperands();
    for (int i = 0; i < 2; i++) {
      if (operands.get(i) instanceof RexInputRef column) {
        VectorSource source =
            of(flat, distance.call(), column.getIndex(), operands.get(1 - i), wish);
        if (source != null) {
          return source;
        }
      }
    }
    return null;
  }

  private static VectorSource of(
      Pile flat, RexCall distance, int column, RexNode query, Wish wish) {
    Table table = Table.of(flat.base(), column);
    if (table == null) {
      return null;
    }
    ImmutableBitSet used = Pile.columns(query);
    Sides sides;
    List<RexNode> all = flat.conditions();
    if (used.isEmpty()) {
      sides = Sides.of(flat.base());
    } else {
      if (!(flat.base() instanceof Join join)) {
        return null;
      }
      sides = Sides.of(join, column < join.getLeft().getRowType().getFieldCount());
      if (sides.anyCandidate(query)
          || join.getJoinType() != JoinRelType.INNER
              && !(join.getJoinType() == JoinRelType.LEFT
                  && sides.candidatesLeft
                  && join.getCondition().isAlwaysTrue())) {
        return null;
      }
      all = flat.and(RelOptUtil.conjunctions(join.getCondition())).conditions();
    }
    if (table.onCluster() && !ClusterTopK.isThere(sides.candidates().base())) {
      return null;
    }
    Sorter sorter = new Sorter(distance, sides, wish.whole);
    for (RexNode condition : all) {
      if (!sorter.add(condition)) {
        return null;
      }
    }
    return new VectorSource(
        new Asked(distance, query, ((RexInputRef) sides.candidate(column)).getIndex()),
        table,
        sides,
        sorter.conditions(),
        new Order(sorter.present ? Nulls.NONE : wish.nulls, ties(wish.thenBy, table, sides)));
  }

  static IndexedTable indexed(SqliteTableScan scan) {
    SqliteTable table = scan.sqliteTable();
    IndexedTable found = table.schema().indexedTables().of(table);
    return found != null && found.table().equals(table.name()) ? found : null;
  }

  /** Whether all ties are wanted: something other than the id, as in the index, orders them. */
  private static boolean ties(List<RexNode> thenBy, Table table, Sides sides) {
    return !thenBy.isEmpty() && !(thenBy.size() == 1 && isId(thenBy.get(0), table, sides));
  }

  /** Whether an expression over the base is the table's id, which orders ties in the index too. */
  private static boolean isId(RexNode node, Table table, Sides sides) {
    return node instanceof RexInputRef ref
        && sides.isCandidate(ref.getIndex())
        && sides.candidates.base() == table.scan
        && sides.candidate(ref.getIndex()) instanceof RexInputRef column
        && column.getIndex() == table.id()
        && (column.getType().getSqlTypeName() == SqlTypeName.BIGINT
            || table.onCluster()
                && SqlTypeName.INT_TYPES.contains(column.getType().getSqlTypeName()));
  }

  /** Takes the conditions apart, one after the other. */
  private static final class Sorter {
    private final RexCall distance;
    private final Sides sides;
    private final boolean whole;
    private final RexBuilder rex;
    private final List<RexNode> ofCandidates;
    private final List<RexNode> ofQueries = new ArrayList<>();
    private final List<Limit> limits = new ArrayList<>();
    private final List<RexCall> links = new ArrayList<>();
    private final List<RexNode> residual = new ArrayList<>();

    /** Whether there must be a distance. */
    private boolean present;

    private Sorter(RexCall distance, Sides sides, boolean whole) {
      this.distance = distance;
      this.sides = sides;
      this.whole = whole;
      this.rex = sides.candidates.base().getCluster().getRexBuilder();
      this.ofCandidates = new ArrayList<>(sides.candidates.conditions());
    }

    private Conditions conditions() {
      return new Conditions(ofCandidates, ofQueries, limits, links, residual);
    }

    /** Takes a condition over the base; false if it can't be. */
    private boolean add(RexNode condition) {
      if (RankedBy.all(List.of(condition)).contains(distance)) {
        RexNode expanded = RexUtil.expandSearch(rex, null, condition);
        residual.add(condition);
        return RelOptUtil.conjunctions(expanded).stream().allMatch(this::bound);
      }
      boolean aboutCandidates = sides.anyCandidate(condition);
      boolean aboutQueries =
          Pile.columns(condition).asList().stream().anyMatch(column -> !sides.isCandidate(column));
      if (aboutQueries && sides.outer) {
        return false;
      } else if (!aboutQueries) {
        ofCandidates.add(overCandidates(condition));
      } else if (!aboutCandidates) {
        ofQueries.add(condition);
      } else if (isLink(condition)) {
        links.add((RexCall) condition);
        residual.add(condition);
      } else if (whole && RankedBy.all(List.of(condition)).isEmpty()) {
        residual.add(condition);
      } else {
        return false;
      }
      return true;
    }

    private RexNode overCandidates(RexNode condition) {
      return condition.accept(
          new RexShuttle() {
            @Override
            public RexNode visitInputRef(RexInputRef ref) {
              return sides.candidate(ref.getIndex());
            }
          });
    }

    /** Takes a condition on the distance; false if it is none that the index knows. */
    private boolean bound(RexNode condition) {
      if (!(condition instanceof RexCall call)) {
        return false;
      }
      if (call.getKind() == SqlKind.IS_NOT_NULL && call.getOperands().get(0).equals(distance)) {
        present = true;
        return true;
      }
      if (call.getOperands().size() != 2) {
        return false;
      }
      RexNode limit = call.getOperands().get(1);
      SqlKind kind = call.getKind();
      if (limit.equals(distance)) {
        limit = call.getOperands().get(0);
        kind = kind.reverse();
      } else if (!call.getOperands().get(0).equals(distance)) {
        return false;
      }
      if (sides.anyCandidate(limit) || !SqlTypeUtil.isNumeric(limit.getType())) {
        return false;
      }
      boolean falling = DistanceFunctions.metric(distance.getOperator()).descending();
      switch (falling ? kind.reverse() : kind) {
        case LESS_THAN:
        case LESS_THAN_OR_EQUAL:
          limits.add(new Limit(Side.WITHIN, limit));
          return true;
        case EQUALS:
          limits.add(new Limit(Side.WITHIN, limit));
          limits.add(new Limit(Side.FROM, limit));
          return true;
        case GREATER_THAN:
          limits.add(new Limit(Side.BEYOND, limit));
          return true;
        case GREATER_THAN_OR_EQUAL:
          limits.add(new Limit(Side.FROM, limit));
          return true;
        default:
          return false;
      }
    }

    private boolean isLink(RexNode condition) {
      return condition instanceof RexCall call
          && (call.getKind() == SqlKind.EQUALS || call.getKind() == SqlKind.NOT_EQUALS)
          && call.getOperands().get(0) instanceof RexInputRef a
          && call.getOperands().get(1) instanceof RexInputRef b
          && sides.isCandidate(a.getIndex()) != sides.isCandidate(b.getIndex())
          && a.getType().getSqlTypeName() == b.getType().getSqlTypeName()
          && sides.candidate(sides.isCandidate(a.getIndex()) ? a.getIndex() : b.getIndex())
              instanceof RexInputRef;
    }
  }
}
