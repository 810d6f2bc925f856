/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.DistanceFunctions;
import io.github.calcitefaiss.sql.search.TableRows;
import io.github.calcitefaiss.sql.search.VectorSearch;
import io.github.calcitefaiss.sql.search.VectorSearch.Bound;
import io.github.calcitefaiss.sql.search.VectorSearch.Link;
import io.github.calcitefaiss.sql.search.VectorSearch.Nulls;
import io.github.calcitefaiss.sql.search.VectorSearch.Side;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.PushDown;
import io.github.calcitefaiss.sqlite.SqliteTable;
import io.github.calcitefaiss.sqlite.SqliteTableScan;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.JoinRelType;
import org.apache.calcite.rel.core.RelFactories;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.logical.LogicalValues;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexCorrelVariable;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.sql2rel.RelFieldTrimmer;
import org.apache.calcite.util.ImmutableBitSet;

/**
 * What a distance is computed over, taken apart: the candidates, with the embedding, on one side
 * and the queries, with the other vector, on the other.
 *
 * <p>Every condition is about the candidates, about the queries, or about the distance, or else
 * equates or tells apart a column of each; with any other condition there is no such source, since
 * candidates must be filtered before they are searched and never after.
 */
final class VectorSource {
  private final RexBuilder rex;
  private final RexCall distance;
  private final RexNode query;
  private final SqliteTableScan scan;
  private final IndexedTable indexed;

  /** The candidates, their conditions, and where the embedding is among their columns. */
  private final Pile candidates;

  private final int embedding;

  /** The queries, or null where the vector is the same for all rows; their conditions. */
  private final RelNode queries;

  private final List<RexNode> queryConditions = new ArrayList<>();
  private final boolean outer;

  /** Columns of the base before this one are the left side's. */
  private final int left;

  private final boolean candidatesLeft;
  private final List<RexNode> residual = new ArrayList<>();
  private final List<RexNode> boundExprs = new ArrayList<>();
  private final List<Side> boundSides = new ArrayList<>();
  private final List<RexCall> links = new ArrayList<>();
  private Nulls nulls = Nulls.NONE;
  private boolean present;
  private boolean ties;
  private RexNode fetch;
  private RexNode offset;

  /** Set by {@link #build}: where a candidate's column, a query's column, the distance are. */
  private List<Integer> candidateColumns;

  private List<Integer> queryColumns;
  private int width;
  private RelNode rows;

  /** The rows nearest to a vector first; null if no index gives them. */
  static VectorSource nearest(
      Pile flat, RankedBy distance, boolean descending, Nulls nulls, List<RexNode> thenBy) {
    if (distance.rises() == descending != distance.metric().descending()) {
      return null;
    }
    VectorSource source = of(flat, distance, false);
    if (source == null) {
      return null;
    }
    source.nulls = source.present ? Nulls.NONE : nulls;
    source.ties = !thenBy.isEmpty() && !(thenBy.size() == 1 && source.isId(thenBy.get(0)));
    return source.ties && !distance.slight() ? null : source;
  }

  /** The rows near enough; null if nothing says how near or no index gives them. */
  static VectorSource within(Pile flat, RankedBy distance) {
    VectorSource source = of(flat, distance, true);
    return source == null || !source.boundSides.contains(Side.WITHIN) ? null : source;
  }

  private static VectorSource of(Pile flat, RankedBy distance, boolean whole) {
    List<RexNode> operands = distance.call().getOperands();
    for (int i = 0; i < 2; i++) {
      if (operands.get(i) instanceof RexInputRef column) {
        VectorSource source =
            of(flat, distance.call(), column.getIndex(), operands.get(1 - i), whole);
        if (source != null) {
          return source;
        }
      }
    }
    return null;
  }

  private static VectorSource of(
      Pile flat, RexCall distance, int column, RexNode query, boolean whole) {
    SqliteTableScan scan = WithId.origin(flat.base(), column);
    IndexedTable indexed = scan == null ? null : indexed(scan);
    if (indexed == null
        || WithId.originColumn(flat.base(), column)
            != VectorTopK.column(scan.sqliteTable(), indexed.embedding())) {
      return null;
    }
    ImmutableBitSet used = Pile.columns(query);
    if (used.isEmpty()) {
      return new VectorSource(flat, distance, query, scan, indexed, column).classify(flat, whole);
    }
    if (!(flat.base() instanceof Join join)) {
      return null;
    }
    int left = join.getLeft().getRowType().getFieldCount();
    boolean candidatesLeft = column < left;
    for (int each : used) {
      if (each < left == candidatesLeft) {
        return null;
      }
    }
    if (join.getJoinType() != JoinRelType.INNER
        && !(join.getJoinType() == JoinRelType.LEFT
            && candidatesLeft
            && join.getCondition().isAlwaysTrue())) {
      return null;
    }
    Pile joined = flat.and(RelOptUtil.conjunctions(join.getCondition()));
    return new VectorSource(joined, distance, query, scan, indexed, column, join)
        .classify(joined, whole);
  }

  static IndexedTable indexed(SqliteTableScan scan) {
    SqliteTable table = scan.sqliteTable();
    IndexedTable found = table.schema().indexedTables().of(table);
    return found != null && found.table().equals(table.name()) ? found : null;
  }

  private VectorSource(
      Pile flat,
      RexCall distance,
      RexNode query,
      SqliteTableScan scan,
      IndexedTable indexed,
      int column) {
    this.rex = scan.getCluster().getRexBuilder();
    this.distance = distance;
    this.query = query;
    this.scan = scan;
    this.indexed = indexed;
    this.left = Integer.MAX_VALUE;
    this.candidatesLeft = true;
    this.candidates = copy(Pile.of(flat.base()));
    this.queries = null;
    this.outer = false;
    this.embedding = ((RexInputRef) candidates.exprs().get(column)).getIndex();
  }

  private VectorSource(
      Pile flat,
      RexCall distance,
      RexNode query,
      SqliteTableScan scan,
      IndexedTable indexed,
      int column,
      Join join) {
    this.rex = scan.getCluster().getRexBuilder();
    this.distance = distance;
    this.query = query;
    this.scan = scan;
    this.indexed = indexed;
    this.left = join.getLeft().getRowType().getFieldCount();
    this.candidatesLeft = column < left;
    this.candidates = copy(Pile.of(candidatesLeft ? join.getLeft() : join.getRight()));
    this.queries = candidatesLeft ? join.getRight() : join.getLeft();
    this.outer = join.getJoinType() == JoinRelType.LEFT;
    this.embedding =
        ((RexInputRef) candidates.exprs().get(candidatesLeft ? column : column - left)).getIndex();
  }

  /** With a list of conditions that can grow. */
  private static Pile copy(Pile flat) {
    return new Pile(flat.base(), flat.exprs(), new ArrayList<>(flat.conditions()));
  }

  private boolean isCandidate(int column) {
    return column < left == candidatesLeft;
  }

  /** A column of the base as one of its side. */
  private int inSide(int column) {
    return column < left ? column : column - left;
  }

  /** A candidate's column of the base as an expression over the candidates' own base. */
  private RexNode candidate(int column) {
    return candidates.exprs().get(inSide(column));
  }

  /**
   * Takes the conditions apart; null if there is one that can't be.
   *
   * @param whole whether all rows near enough are wanted and not a number of them, so that any
   *     condition may be tested on what was found
   */
  private VectorSource classify(Pile flat, boolean whole) {
    for (RexNode condition : flat.conditions()) {
      if (RankedBy.all(List.of(condition)).contains(distance)) {
        RexNode expanded = RexUtil.expandSearch(rex, null, condition);
        for (RexNode part : RelOptUtil.conjunctions(expanded)) {
          if (!bound(part)) {
            return null;
          }
        }
        residual.add(condition);
        continue;
      }
      boolean ofCandidates = false;
      boolean ofQueries = false;
      for (int column : Pile.columns(condition)) {
        ofCandidates |= isCandidate(column);
        ofQueries |= !isCandidate(column);
      }
      if (ofQueries && outer) {
        return null;
      } else if (!ofQueries) {
        candidates
            .conditions()
            .add(
                condition.accept(
                    new RexShuttle() {
                      @Override
                      public RexNode visitInputRef(RexInputRef ref) {
                        return candidate(ref.getIndex());
                      }
                    }));
      } else if (!ofCandidates) {
        queryConditions.add(condition);
      } else if (isLink(condition)) {
        links.add((RexCall) condition);
        residual.add(condition);
      } else if (whole && RankedBy.all(List.of(condition)).isEmpty()) {
        residual.add(condition);
      } else {
        return null;
      }
    }
    return this;
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
    for (int column : Pile.columns(limit)) {
      if (isCandidate(column)) {
        return false;
      }
    }
    if (!SqlTypeUtil.isNumeric(limit.getType())) {
      return false;
    }
    boolean falling = DistanceFunctions.metric(distance.getOperator()).descending();
    switch (falling ? kind.reverse() : kind) {
      case LESS_THAN:
      case LESS_THAN_OR_EQUAL:
        add(Side.WITHIN, limit);
        return true;
      case EQUALS:
        add(Side.WITHIN, limit);
        add(Side.FROM, limit);
        return true;
      case GREATER_THAN:
        add(Side.BEYOND, limit);
        return true;
      case GREATER_THAN_OR_EQUAL:
        add(Side.FROM, limit);
        return true;
      default:
        return false;
    }
  }

  private void add(Side side, RexNode limit) {
    boundSides.add(side);
    boundExprs.add(limit);
  }

  private boolean isLink(RexNode condition) {
    return condition instanceof RexCall call
        && (call.getKind() == SqlKind.EQUALS || call.getKind() == SqlKind.NOT_EQUALS)
        && call.getOperands().get(0) instanceof RexInputRef a
        && call.getOperands().get(1) instanceof RexInputRef b
        && isCandidate(a.getIndex()) != isCandidate(b.getIndex())
        && a.getType().getSqlTypeName() == b.getType().getSqlTypeName()
        && candidate(isCandidate(a.getIndex()) ? a.getIndex() : b.getIndex())
            instanceof RexInputRef;
  }

  /** Whether an expression over the base is the table's id, which orders ties in the index too. */
  private boolean isId(RexNode node) {
    return node instanceof RexInputRef ref
        && isCandidate(ref.getIndex())
        && candidates.base() == scan
        && candidate(ref.getIndex()) instanceof RexInputRef column
        && column.getIndex() == VectorTopK.column(scan.sqliteTable(), indexed.id())
        && column.getType().getSqlTypeName() == org.apache.calcite.sql.type.SqlTypeName.BIGINT;
  }

  /** Says how many rows are wanted. */
  VectorSource limit(RexNode fetchRows, RexNode offsetRows) {
    fetch = fetchRows;
    offset = offsetRows;
    return this;
  }

  /**
   * The rows, of which {@link #over} says where everything is.
   *
   * @param exprs what is wanted of them, over the base
   * @param partition expressions over the base within whose values so many rows are wanted
   * @return null if no index gives them
   */
  RelNode build(List<RexNode> exprs, List<RexNode> partition) {
    ImmutableBitSet.Builder needed = ImmutableBitSet.builder();
    List<Integer> partitionColumns = new ArrayList<>();
    for (RexNode expr : partition) {
      boolean ofCandidates = false;
      for (int column : Pile.columns(expr)) {
        ofCandidates |= isCandidate(column);
      }
      if (!ofCandidates) {
        continue;
      }
      if (!(expr instanceof RexInputRef ref)
          || !(candidate(ref.getIndex()) instanceof RexInputRef column)) {
        return null;
      }
      partitionColumns.add(column.getIndex());
      needed.set(column.getIndex());
    }
    List<RexNode> wanted = new ArrayList<>(exprs);
    wanted.addAll(residual);
    ImmutableBitSet.Builder neededQueries = ImmutableBitSet.builder();
    for (RexNode expr : wanted) {
      expr.accept(
          new RexVisitorImpl<Void>(true) {
            @Override
            public Void visitCall(RexCall call) {
              return call.equals(distance) ? null : super.visitCall(call);
            }

            @Override
            public Void visitInputRef(RexInputRef ref) {
              if (isCandidate(ref.getIndex())) {
                needed.addAll(Pile.columns(candidate(ref.getIndex())));
              } else {
                neededQueries.set(inSide(ref.getIndex()));
              }
              return null;
            }
          });
    }
    List<VectorTopK.Shown> shown = new ArrayList<>();
    RelNode queryRows = queries(neededQueries.build(), shown);
    int vector = queryColumns.stream().mapToInt(c -> c >= 0 ? 1 : 0).sum();
    int next = vector + 1;
    int fetchColumn = fetch == null ? -1 : next++;
    int offsetColumn = offset == null ? -1 : next++;
    List<Bound> bounds = new ArrayList<>();
    for (Side side : boundSides) {
      // Without a limit on their number, what is too near does no harm.
      if (side == Side.WITHIN || fetch != null) {
        bounds.add(new Bound(side, next));
      }
      next++;
    }

    boolean own =
        candidates.base() == scan
            && candidates.conditions().stream().allMatch(VectorSource::inSqlite);
    List<Integer> columns = needed.build().toList();
    RelNode candidateRows = null;
    int key = -1;
    if (own) {
      if (columns.isEmpty()) {
        columns = List.of(VectorTopK.column(scan.sqliteTable(), indexed.id()));
      }
    } else {
      candidateRows = candidateRows(columns);
      if (candidateRows == null) {
        return null;
      }
      key = columns.size();
    }
    List<Integer> at = new ArrayList<>();
    for (int i = 0; i < candidates.base().getRowType().getFieldCount(); i++) {
      at.add(columns.indexOf(i));
    }
    candidateColumns = at;
    width = own ? columns.size() : columns.size() + 1;

    List<Link> linked = new ArrayList<>();
    for (RexCall link : links) {
      RexInputRef a = (RexInputRef) link.getOperands().get(0);
      RexInputRef b = (RexInputRef) link.getOperands().get(1);
      int ofCandidate = isCandidate(a.getIndex()) ? a.getIndex() : b.getIndex();
      int ofQuery = isCandidate(a.getIndex()) ? b.getIndex() : a.getIndex();
      linked.add(
          new Link(
              at.get(((RexInputRef) candidate(ofCandidate)).getIndex()),
              queryColumns.get(inSide(ofQuery)),
              link.getKind() == SqlKind.EQUALS));
    }
    RexNode condition =
        own && !candidates.conditions().isEmpty()
            ? RexUtil.composeConjunction(rex, candidates.conditions())
            : null;
    show(shown, own, condition, linked);
    VectorSearch.Form form =
        new VectorSearch.Form(
            DistanceFunctions.metric(distance.getOperator()),
            distance.getOperator().getName().toLowerCase(java.util.Locale.ROOT),
            width,
            key,
            vector,
            fetchColumn,
            offsetColumn,
            bounds,
            linked,
            partitionColumns.stream().map(at::get).distinct().toList(),
            fetch == null ? Nulls.NONE : nulls,
            ties,
            outer,
            next);
    VectorTopK.Plan plan =
        new VectorTopK.Plan(scan, indexed, form, own ? columns : List.of(), condition, shown);
    rows = VectorTopK.create(plan, own ? List.of(queryRows) : List.of(queryRows, candidateRows));
    return residual.isEmpty()
        ? rows
        : LogicalFilter.create(rows, RexUtil.composeConjunction(rex, over(residual)));
  }

  private void show(
      List<VectorTopK.Shown> shown, boolean own, RexNode condition, List<Link> linked) {
    if (condition != null) {
      shown.add(new VectorTopK.Shown("filter", show(condition)));
    } else if (!own && !candidates.conditions().isEmpty()) {
      shown.add(
          new VectorTopK.Shown(
              "filter", show(RexUtil.composeConjunction(rex, candidates.conditions()))));
    }
    if (condition != null || !own) {
      shown.add(new VectorTopK.Shown("filterIn", own ? "SQLite" : "input"));
    }
    if (!linked.isEmpty()) {
      shown.add(new VectorTopK.Shown("links", String.valueOf(links)));
    }
  }

  /** A condition with the names of the candidates' columns. */
  private String show(RexNode condition) {
    List<String> names = candidates.base().getRowType().getFieldNames();
    String text = condition.toString();
    for (int i = names.size() - 1; i >= 0; i--) {
      text = text.replaceAll("\\$" + i + "\\b", names.get(i).replace("$", "\\$"));
    }
    return text;
  }

  private static boolean inSqlite(RexNode condition) {
    boolean[] correlated = {false};
    condition.accept(
        new RexVisitorImpl<Void>(true) {
          @Override
          public Void visitCorrelVariable(RexCorrelVariable variable) {
            correlated[0] = true;
            return null;
          }
        });
    return !correlated[0] && PushDown.allowed(condition);
  }

  /** The queries: their columns that are needed, then vector, fetch, offset and bounds. */
  private RelNode queries(ImmutableBitSet needed, List<VectorTopK.Shown> shown) {
    List<RexNode> exprs = new ArrayList<>();
    List<String> names = new ArrayList<>();
    queryColumns = new ArrayList<>();
    RelNode from = queries;
    if (from == null) {
      from = LogicalValues.createOneRow(scan.getCluster());
    } else {
      for (int i = 0; i < from.getRowType().getFieldCount(); i++) {
        if (needed.get(i)) {
          queryColumns.add(exprs.size());
          exprs.add(RexInputRef.of(i, from.getRowType()));
          names.add(from.getRowType().getFieldNames().get(i));
        } else {
          queryColumns.add(-1);
        }
      }
      if (!queryConditions.isEmpty()) {
        List<RexNode> conditions = new ArrayList<>();
        queryConditions.forEach(condition -> conditions.add(ofQuery(condition)));
        from = LogicalFilter.create(from, RexUtil.composeConjunction(rex, conditions));
      }
    }
    exprs.add(ofQuery(query));
    names.add("query");
    shown.add(new VectorTopK.Shown("query", show(query, from)));
    if (fetch != null) {
      exprs.add(fetch);
      names.add("k");
      shown.add(new VectorTopK.Shown("k", fetch.toString()));
    }
    if (offset != null) {
      exprs.add(offset);
      names.add("offset");
      shown.add(new VectorTopK.Shown("offset", offset.toString()));
    }
    for (int i = 0; i < boundExprs.size(); i++) {
      exprs.add(ofQuery(boundExprs.get(i)));
      names.add("bound" + i);
      String side = boundSides.get(i).name().toLowerCase(java.util.Locale.ROOT);
      shown.add(new VectorTopK.Shown(side, show(boundExprs.get(i), from)));
    }
    return LogicalProject.create(from, List.of(), exprs, uniquify(names), Set.of());
  }

  private static List<String> uniquify(List<String> names) {
    return org.apache.calcite.sql.validate.SqlValidatorUtil.uniquify(names, true);
  }

  private String show(RexNode node, RelNode from) {
    RexNode own = ofQuery(node);
    if (own instanceof RexLiteral literal) {
      return literal.toString();
    }
    String text = own.toString();
    List<String> names = from.getRowType().getFieldNames();
    for (int i = names.size() - 1; i >= 0; i--) {
      text = text.replaceAll("\\$" + i + "\\b", names.get(i).replace("$", "\\$"));
    }
    return text;
  }

  private RexNode ofQuery(RexNode node) {
    return node.accept(
        new RexShuttle() {
          @Override
          public RexNode visitInputRef(RexInputRef ref) {
            return RexInputRef.of(inSide(ref.getIndex()), queries.getRowType());
          }
        });
  }

  /** The candidates, as far as their columns are needed, and the id; null if it can't be had. */
  private RelNode candidateRows(List<Integer> columns) {
    if (!WithId.usable(scan.sqliteTable(), indexed)) {
      return null;
    }
    RelNode rel = candidates.base();
    // What SQLite can test goes below what it can't, so that it may go there.
    for (boolean pushed : new boolean[] {true, false}) {
      List<RexNode> part = new ArrayList<>();
      for (RexNode condition : candidates.conditions()) {
        if (PushDown.allowed(condition) == pushed) {
          part.add(condition);
        }
      }
      if (!part.isEmpty()) {
        rel = LogicalFilter.create(rel, RexUtil.composeConjunction(rex, part));
      }
    }
    WithId extended = WithId.of(rel, embedding, indexed);
    if (extended == null) {
      return null;
    }
    List<RexNode> exprs = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int column : columns) {
      exprs.add(extended.over(RexInputRef.of(column, rel.getRowType())));
      names.add(rel.getRowType().getFieldNames().get(column));
    }
    exprs.add(RexInputRef.of(extended.key(), extended.rel().getRowType()));
    names.add(TableRows.ID);
    RelNode projected =
        LogicalProject.create(extended.rel(), List.of(), exprs, uniquify(names), Set.of());
    return new RelFieldTrimmer(null, RelFactories.LOGICAL_BUILDER.create(scan.getCluster(), null))
        .trim(projected);
  }

  /** Expressions over the base as expressions over the rows built. */
  List<RexNode> over(List<RexNode> exprs) {
    List<RexNode> changed = new ArrayList<>();
    RexShuttle ofCandidate =
        new RexShuttle() {
          @Override
          public RexNode visitInputRef(RexInputRef ref) {
            return RexInputRef.of(candidateColumns.get(ref.getIndex()), rows.getRowType());
          }
        };
    for (RexNode expr : exprs) {
      changed.add(
          expr.accept(
              new RexShuttle() {
                @Override
                public RexNode visitCall(RexCall call) {
                  return call.equals(distance)
                      ? RexInputRef.of(rows.getRowType().getFieldCount() - 1, rows.getRowType())
                      : super.visitCall(call);
                }

                @Override
                public RexNode visitInputRef(RexInputRef ref) {
                  return isCandidate(ref.getIndex())
                      ? candidate(ref.getIndex()).accept(ofCandidate)
                      : RexInputRef.of(
                          width + queryColumns.get(inSide(ref.getIndex())), rows.getRowType());
                }
              }));
    }
    return changed;
  }
}
