/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.connect.SparkPush;
import io.github.calcitefaiss.connect.SparkTableScan;
import io.github.calcitefaiss.sql.function.DistanceFunctions;
import io.github.calcitefaiss.sql.planner.VectorSource.Limit;
import io.github.calcitefaiss.sql.planner.VectorSource.Sides;
import io.github.calcitefaiss.sql.search.TableRows;
import io.github.calcitefaiss.sql.search.VectorSearch;
import io.github.calcitefaiss.sql.search.VectorSearch.Bound;
import io.github.calcitefaiss.sql.search.VectorSearch.Link;
import io.github.calcitefaiss.sql.search.VectorSearch.Nulls;
import io.github.calcitefaiss.sql.search.VectorSearch.Side;
import io.github.calcitefaiss.sqlite.PushDown;
import io.github.calcitefaiss.sqlite.SqliteTableScan;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.RelFactories;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.logical.LogicalValues;
import org.apache.calcite.rel.type.RelDataType;
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
import org.apache.calcite.sql.validate.SqlValidatorUtil;
import org.apache.calcite.sql2rel.RelFieldTrimmer;
import org.apache.calcite.util.ImmutableBitSet;

/**
 * Makes a tree with a {@link VectorTopK} of a {@link VectorSource}, and says where what was wanted
 * is among its columns.
 */
final class VectorTopKBuilder {
  private final VectorSource source;
  private final Wanted wanted;
  private final Sides sides;
  private final TableScan scan;
  private final RexBuilder rex;

  /**
   * What is wanted of the rows.
   *
   * @param exprs expressions over the base
   * @param fetch how many rows, or null for all
   * @param offset how many rows come before these, or null for none
   * @param partition expressions over the base within whose values so many rows are wanted
   */
  record Wanted(List<RexNode> exprs, RexNode fetch, RexNode offset, List<RexNode> partition) {
    static Wanted all(List<RexNode> exprs) {
      return new Wanted(exprs, null, null, List.of());
    }

    static Wanted first(List<RexNode> exprs, RexNode fetch, RexNode offset) {
      return new Wanted(exprs, fetch, offset, List.of());
    }

    static Wanted firstOfEach(List<RexNode> partition, List<RexNode> exprs, RexNode fetch) {
      return new Wanted(exprs, fetch, null, partition);
    }
  }

  /**
   * The rows found.
   *
   * @param rel a tree that gives them
   * @param exprs what was wanted of them, over the tree
   */
  record Found(RelNode rel, List<RexNode> exprs) {}

  /** The rows; null if no index gives them. */
  static Found build(VectorSource source, Wanted wanted) {
    return new VectorTopKBuilder(source, wanted).build();
  }

  private VectorTopKBuilder(VectorSource source, Wanted wanted) {
    this.source = source;
    this.wanted = wanted;
    this.sides = source.sides();
    this.scan = source.table().scan();
    this.rex = scan.getCluster().getRexBuilder();
  }

  /** Which columns of the candidates' base and of the queries are needed. */
  private record Needed(ImmutableBitSet candidates, ImmutableBitSet queries) {}

  /**
   * The queries' rows.
   *
   * @param rel columns of the queries that are needed, then the vector, fetch, offset and bounds
   * @param columns where each column of the queries is, or -1
   * @param row where the others are
   * @param bounds those on the distance
   * @param shown what explain tells of them
   */
  private record Queries(
      RelNode rel,
      List<Integer> columns,
      VectorSearch.QueryRow row,
      List<Bound> bounds,
      List<VectorTopK.Shown> shown) {}

  /**
   * The candidates.
   *
   * @param rel their rows, or null where the table's own rows are the candidates
   * @param columns columns of their base that they have
   * @param condition where the table's own rows are the candidates, which of them; or null for all
   */
  private record Candidates(RelNode rel, List<Integer> columns, RexNode condition) {
    boolean own() {
      return rel == null;
    }

    /** Number of columns of a candidate, its id among them unless its row is the table's own. */
    int width() {
      return own() ? columns.size() : columns.size() + 1;
    }

    /** Where the id is, or {@link VectorSearch#NONE}. */
    int key() {
      return own() ? VectorSearch.NONE : columns.size();
    }

    int at(int column) {
      return columns.indexOf(column);
    }
  }

  private Found build() {
    List<Integer> partition = partition();
    if (partition == null) {
      return null;
    }
    Needed needed = needed(partition);
    Queries queries = queries(needed.queries());
    Candidates candidates = candidates(needed.candidates().toList());
    if (candidates == null) {
      return null;
    }
    VectorSearch.Form form =
        new VectorSearch.Form(
            new VectorSearch.Distance(
                DistanceFunctions.metric(distance().getOperator()),
                distance().getOperator().getName().toLowerCase(Locale.ROOT)),
            queries.row(),
            new VectorSearch.CandidateRow(
                candidates.key(),
                partition.stream().map(candidates::at).distinct().toList(),
                candidates.width()),
            new VectorSearch.Conditions(queries.bounds(), links(candidates, queries)),
            new VectorSearch.Also(
                wanted.fetch() == null ? Nulls.NONE : source.order().nulls(),
                source.order().ties(),
                sides.outer()));
    List<VectorTopK.Shown> shown = new ArrayList<>(queries.shown());
    shown.addAll(show(candidates));
    RelNode rows =
        source.table().onCluster()
            ? there(form, candidates, queries, shown)
            : here(form, candidates, queries, shown);
    if (rows == null) {
      return null;
    }
    RexShuttle over = over(rows.getRowType(), candidates, queries);
    List<RexNode> residual = source.conditions().residual();
    RelNode kept =
        residual.isEmpty()
            ? rows
            : LogicalFilter.create(rows, RexUtil.composeConjunction(rex, over.apply(residual)));
    return new Found(kept, over.apply(wanted.exprs()));
  }

  /** A search of an index here. */
  private RelNode here(
      VectorSearch.Form form,
      Candidates candidates,
      Queries queries,
      List<VectorTopK.Shown> shown) {
    VectorTopK.Plan plan =
        new VectorTopK.Plan(
            (SqliteTableScan) scan,
            source.table().indexed(),
            form,
            candidates.own() ? candidates.columns() : List.of(),
            candidates.condition(),
            shown);
    return VectorTopK.create(
        plan, candidates.own() ? List.of(queries.rel()) : List.of(queries.rel(), candidates.rel()));
  }

  /** A search on a cluster; null if it can't be asked for there. */
  private RelNode there(
      VectorSearch.Form form,
      Candidates candidates,
      Queries queries,
      List<VectorTopK.Shown> shown) {
    RelNode base = sides.candidates().base();
    for (Link link : form.conditions().links()) {
      int column = candidates.columns().get(link.candidate());
      if (!ClusterTopK.canBeWritten(base.getRowType().getFieldList().get(column).getType())) {
        return null;
      }
    }
    return ClusterTopK.create(
        (SparkTableScan) scan,
        ClusterTopK.candidates(
            base, candidates.condition(), candidates.columns(), source.asked().embedding()),
        form,
        distance().getOperands().get(0).equals(source.asked().query()),
        shown,
        queries.rel());
  }

  private RexCall distance() {
    return source.asked().distance();
  }

  /** The candidates' columns among those that the rows are grouped by; null if one is none. */
  private List<Integer> partition() {
    List<Integer> columns = new ArrayList<>();
    for (RexNode expr : wanted.partition()) {
      if (!sides.anyCandidate(expr)) {
        continue;
      }
      if (!(expr instanceof RexInputRef ref)
          || !(sides.candidate(ref.getIndex()) instanceof RexInputRef column)) {
        return null;
      }
      columns.add(column.getIndex());
    }
    return columns;
  }

  private Needed needed(List<Integer> partition) {
    ImmutableBitSet.Builder ofCandidates = ImmutableBitSet.builder();
    ImmutableBitSet.Builder ofQueries = ImmutableBitSet.builder();
    partition.forEach(ofCandidates::set);
    List<RexNode> exprs = new ArrayList<>(wanted.exprs());
    exprs.addAll(source.conditions().residual());
    for (RexNode expr : exprs) {
      expr.accept(
          new RexVisitorImpl<Void>(true) {
            @Override
            public Void visitCall(RexCall call) {
              return call.equals(distance()) ? null : super.visitCall(call);
            }

            @Override
            public Void visitInputRef(RexInputRef ref) {
              if (sides.isCandidate(ref.getIndex())) {
                ofCandidates.addAll(Pile.columns(sides.candidate(ref.getIndex())));
              } else {
                ofQueries.set(sides.inSide(ref.getIndex()));
              }
              return null;
            }
          });
    }
    return new Needed(ofCandidates.build(), ofQueries.build());
  }

  private Queries queries(ImmutableBitSet needed) {
    List<RexNode> exprs = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<Integer> columns = new ArrayList<>();
    List<VectorTopK.Shown> shown = new ArrayList<>();
    RelNode from = sides.queries();
    if (from == null) {
      from = LogicalValues.createOneRow(scan.getCluster());
    } else {
      for (int i = 0; i < from.getRowType().getFieldCount(); i++) {
        columns.add(needed.get(i) ? exprs.size() : -1);
        if (needed.get(i)) {
          exprs.add(RexInputRef.of(i, from.getRowType()));
          names.add(from.getRowType().getFieldNames().get(i));
        }
      }
      List<RexNode> conditions = source.conditions().ofQueries();
      if (!conditions.isEmpty()) {
        from =
            LogicalFilter.create(
                from,
                RexUtil.composeConjunction(rex, conditions.stream().map(this::ofQuery).toList()));
      }
    }
    int vector = exprs.size();
    exprs.add(ofQuery(source.asked().query()));
    names.add("query");
    shown.add(new VectorTopK.Shown("query", show(source.asked().query(), from)));
    int fetch = VectorSearch.NONE;
    if (wanted.fetch() != null) {
      fetch = exprs.size();
      exprs.add(wanted.fetch());
      names.add("k");
      shown.add(new VectorTopK.Shown("k", wanted.fetch().toString()));
    }
    int offset = VectorSearch.NONE;
    if (wanted.offset() != null) {
      offset = exprs.size();
      exprs.add(wanted.offset());
      names.add("offset");
      shown.add(new VectorTopK.Shown("offset", wanted.offset().toString()));
    }
    List<Bound> bounds = new ArrayList<>();
    List<Limit> limits = source.conditions().limits();
    for (int i = 0; i < limits.size(); i++) {
      Limit limit = limits.get(i);
      // Without a limit on their number, what is too near does no harm.
      if (limit.side() == Side.WITHIN || wanted.fetch() != null) {
        bounds.add(new Bound(limit.side(), exprs.size()));
      }
      exprs.add(ofQuery(limit.value()));
      names.add("bound" + i);
      shown.add(
          new VectorTopK.Shown(
              limit.side().name().toLowerCase(Locale.ROOT), show(limit.value(), from)));
    }
    return new Queries(
        LogicalProject.create(from, List.of(), exprs, uniquify(names), Set.of()),
        columns,
        new VectorSearch.QueryRow(vector, fetch, offset, exprs.size()),
        bounds,
        shown);
  }

  private static List<String> uniquify(List<String> names) {
    return SqlValidatorUtil.uniquify(names, true);
  }

  /** An expression over the base that is about the queries as one over these. */
  private RexNode ofQuery(RexNode node) {
    return node.accept(
        new RexShuttle() {
          @Override
          public RexNode visitInputRef(RexInputRef ref) {
            return RexInputRef.of(sides.inSide(ref.getIndex()), sides.queries().getRowType());
          }
        });
  }

  /** The candidates, as far as their columns are needed; null if they can't be had. */
  private Candidates candidates(List<Integer> needed) {
    List<RexNode> conditions = source.conditions().ofCandidates();
    if (source.table().onCluster()) {
      boolean all =
          conditions.stream()
              .allMatch(c -> !RexUtil.containsCorrelation(c) && SparkPush.allowed(c));
      RexNode condition = conditions.isEmpty() ? null : RexUtil.composeConjunction(rex, conditions);
      return all ? new Candidates(null, needed, condition) : null;
    }
    if (sides.candidates().base() != scan
        || !conditions.stream().allMatch(VectorTopKBuilder::inSqlite)) {
      RelNode rows = candidateRows(needed);
      return rows == null ? null : new Candidates(rows, needed, null);
    }
    return new Candidates(
        null,
        needed.isEmpty() ? List.of(source.table().id()) : needed,
        conditions.isEmpty() ? null : RexUtil.composeConjunction(rex, conditions));
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

  /** The candidates' rows with some columns and the id; null if it can't be had. */
  private RelNode candidateRows(List<Integer> columns) {
    if (!WithId.usable(((SqliteTableScan) scan).sqliteTable(), source.table().indexed())) {
      return null;
    }
    RelNode rel = sides.candidates().base();
    // What SQLite can test goes below what it can't, so that it may go there.
    for (boolean pushed : new boolean[] {true, false}) {
      List<RexNode> part = new ArrayList<>();
      for (RexNode condition : source.conditions().ofCandidates()) {
        if (PushDown.allowed(condition) == pushed) {
          part.add(condition);
        }
      }
      if (!part.isEmpty()) {
        rel = LogicalFilter.create(rel, RexUtil.composeConjunction(rex, part));
      }
    }
    WithId extended = WithId.of(rel, source.asked().embedding(), source.table().indexed());
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

  private List<Link> links(Candidates candidates, Queries queries) {
    List<Link> links = new ArrayList<>();
    for (RexCall link : source.conditions().links()) {
      int a = ((RexInputRef) link.getOperands().get(0)).getIndex();
      int b = ((RexInputRef) link.getOperands().get(1)).getIndex();
      RexNode ofCandidate = sides.candidate(sides.isCandidate(a) ? a : b);
      links.add(
          new Link(
              candidates.at(((RexInputRef) ofCandidate).getIndex()),
              queries.columns().get(sides.inSide(sides.isCandidate(a) ? b : a)),
              link.getKind() == SqlKind.EQUALS));
    }
    return links;
  }

  /** Brings expressions over the base over the rows. */
  private RexShuttle over(RelDataType row, Candidates candidates, Queries queries) {
    RexShuttle ofCandidate =
        new RexShuttle() {
          @Override
          public RexNode visitInputRef(RexInputRef ref) {
            return RexInputRef.of(candidates.at(ref.getIndex()), row);
          }
        };
    return new RexShuttle() {
      @Override
      public RexNode visitCall(RexCall call) {
        return call.equals(distance())
            ? RexInputRef.of(row.getFieldCount() - 1, row)
            : super.visitCall(call);
      }

      @Override
      public RexNode visitInputRef(RexInputRef ref) {
        return sides.isCandidate(ref.getIndex())
            ? sides.candidate(ref.getIndex()).accept(ofCandidate)
            : RexInputRef.of(
                candidates.width() + queries.columns().get(sides.inSide(ref.getIndex())), row);
      }
    };
  }

  /** What explain tells of the candidates. */
  private List<VectorTopK.Shown> show(Candidates candidates) {
    List<VectorTopK.Shown> shown = new ArrayList<>();
    List<RexNode> conditions = source.conditions().ofCandidates();
    if (!conditions.isEmpty()) {
      String text = RexUtil.composeConjunction(rex, conditions).toString();
      shown.add(new VectorTopK.Shown("filter", named(text, sides.candidates().base())));
    }
    if (!conditions.isEmpty() || !candidates.own()) {
      String where = source.table().onCluster() ? "Spark" : candidates.own() ? "SQLite" : "input";
      shown.add(new VectorTopK.Shown(VectorTopK.FILTER_IN, where));
    }
    if (!source.conditions().links().isEmpty()) {
      shown.add(new VectorTopK.Shown("links", String.valueOf(source.conditions().links())));
    }
    return shown;
  }

  /** An expression over the base that is about the queries, with the names of their columns. */
  private String show(RexNode node, RelNode from) {
    RexNode own = ofQuery(node);
    return own instanceof RexLiteral literal ? literal.toString() : named(own.toString(), from);
  }

  /** A text with the names of the columns in the place of their numbers. */
  private static String named(String text, RelNode of) {
    List<String> names = of.getRowType().getFieldNames();
    String named = text;
    for (int i = names.size() - 1; i >= 0; i--) {
      named = named.replaceAll("\\$" + i + "\\b", names.get(i).replace("$", "\\$"));
    }
    return named;
  }
}
