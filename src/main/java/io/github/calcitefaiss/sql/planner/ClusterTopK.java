/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.connect.SparkConvention;
import io.github.calcitefaiss.connect.SparkPush;
import io.github.calcitefaiss.connect.SparkSearch;
import io.github.calcitefaiss.connect.SparkTableScan;
import io.github.calcitefaiss.run.Polling;
import io.github.calcitefaiss.sql.function.Signature;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.EnumerableConvention;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.adapter.enumerable.EnumerableRelImplementor;
import org.apache.calcite.adapter.enumerable.JavaRowFormat;
import org.apache.calcite.adapter.enumerable.PhysType;
import org.apache.calcite.adapter.enumerable.PhysTypeImpl;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.tree.BlockBuilder;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.linq4j.tree.Types;
import org.apache.calcite.plan.Convention;
import org.apache.calcite.plan.RelOptCluster;
import org.apache.calcite.plan.RelOptCost;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.plan.RelOptUtil;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelFieldCollation;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelWriter;
import org.apache.calcite.rel.SingleRel;
import org.apache.calcite.rel.convert.ConverterRule;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.JoinRelType;
import org.apache.calcite.rel.core.RelFactories;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.logical.LogicalValues;
import org.apache.calcite.rel.metadata.RelMetadataQuery;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.tools.RelBuilder;
import org.apache.calcite.util.ImmutableBitSet;

/**
 * The rows of a table on a cluster that are nearest to a vector: what {@link VectorTopK} is for a
 * SQLite file. The input is the one row that has the vector and the number of rows.
 */
public class ClusterTopK extends SingleRel {
  private static final Method ROWS =
      Types.lookupMethod(SparkSearch.class, "rows", DataContext.class, Enumerable.class);

  private final Plan plan;

  /**
   * What is planned, apart from the input.
   *
   * @param scan the table
   * @param candidates its rows that qualify
   * @param form what is asked
   * @param metric for explain
   * @param where for explain, the condition; or null
   */
  record Plan(
      SparkTableScan scan,
      RelNode candidates,
      SparkSearch.Form form,
      String metric,
      String where) {}

  private ClusterTopK(RelOptCluster cluster, RelTraitSet traits, Plan plan, RelNode queries) {
    super(cluster, traits, queries);
    this.plan = plan;
  }

  /** Makes the rule known to planners that meet a cluster's table. */
  static void register() {
    SparkConvention.addRules(
        planner -> {
          planner.addRule(rule());
          planner.addRule(VectorTopKRules.clusterRule());
        });
  }

  private static ConverterRule rule() {
    return ConverterRule.Config.INSTANCE
        .withConversion(
            ClusterTopK.class,
            Convention.NONE,
            EnumerableConvention.INSTANCE,
            "EnumerableClusterTopKRule")
        .withRuleFactory(Rule::new)
        .toRule(Rule.class);
  }

  private static final class Rule extends ConverterRule {
    private Rule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      ClusterTopK node = (ClusterTopK) rel;
      RelNode input = node.getInput();
      return new SparkVectorTopK(
          rel.getCluster(),
          rel.getTraitSet().replace(getOutTrait()),
          node.plan,
          convert(input, input.getTraitSet().replace(EnumerableConvention.INSTANCE)));
    }
  }

  /** {@code ORDER BY distance LIMIT n} over a cluster's table, or null for anything else. */
  static RelNode sort(Sort sort) {
    List<RelFieldCollation> keys = sort.getCollation().getFieldCollations();
    if (sort.fetch == null || keys.isEmpty()) {
      return null;
    }
    Pile flat = Pile.of(sort.getInput());
    RelNode left = flat.base();
    RelNode right = null;
    if (left instanceof Join join) {
      RelMetadataQuery mq = join.getCluster().getMetadataQuery();
      Double most = mq.getMaxRowCount(join.getRight());
      Double least = mq.getMinRowCount(join.getRight());
      boolean one =
          most != null && most <= 1
              || Boolean.TRUE.equals(mq.areColumnsUnique(join.getRight(), ImmutableBitSet.of()));
      boolean kind =
          join.getJoinType() == JoinRelType.INNER || join.getJoinType() == JoinRelType.LEFT;
      if (!one || !kind || !join.getCondition().isAlwaysTrue()) {
        return null;
      }
      left = join.getLeft();
      right = join.getRight();
      if (least == null || least < 1) {
        if (join.getJoinType() != JoinRelType.LEFT) {
          return null;
        }
        right = orNulls(right);
      }
    }
    Pile below = Pile.of(left);
    RankedBy distance = RankedBy.in(flat.exprs().get(keys.get(0).getFieldIndex()));
    if (!(below.base() instanceof SparkTableScan scan)
        || distance == null
        || !distance.call().equals(flat.exprs().get(keys.get(0).getFieldIndex()))) {
      return null;
    }
    return new Builder(sort, flat, below, scan, right, distance).build();
  }

  /** The row of a tree that has at most one, or one of NULLs. */
  private static RelNode orNulls(RelNode rel) {
    RelBuilder builder = RelFactories.LOGICAL_BUILDER.create(rel.getCluster(), null).push(rel);
    List<RelBuilder.AggCall> values = new ArrayList<>();
    for (RexNode field : builder.fields()) {
      values.add(builder.aggregateCall(SqlStdOperatorTable.SINGLE_VALUE, field));
    }
    return builder.aggregate(builder.groupKey(), values).build();
  }

  private static final class Builder {
    private final Sort sort;
    private final Pile flat;
    private final Pile below;
    private final SparkTableScan scan;
    private final RelNode right;
    private final RankedBy distance;
    private final RexBuilder rex;
    private final int leftWidth;

    private Builder(
        Sort sort, Pile flat, Pile below, SparkTableScan scan, RelNode right, RankedBy distance) {
      this.sort = sort;
      this.flat = flat;
      this.below = below;
      this.scan = scan;
      this.right = right;
      this.distance = distance;
      this.rex = sort.getCluster().getRexBuilder();
      this.leftWidth = below.exprs().size();
    }

    private RelNode build() {
      List<RelFieldCollation> keys = sort.getCollation().getFieldCollations();
      boolean descending = keys.get(0).direction.isDescending();
      if (descending != distance.metric().descending()
          || keys.size() > 2
          || keys.size() == 2 && !id(keys.get(1))) {
        return null;
      }
      RexNode a = distance.call().getOperands().get(0);
      RexNode b = distance.call().getOperands().get(1);
      boolean queryFirst = isQuery(a);
      RexNode query = queryFirst ? a : b;
      RexNode column = queryFirst ? b : a;
      if (!isQuery(query)
          || !(column instanceof RexInputRef ref)
          || ref.getIndex() >= leftWidth
          || !(below.exprs().get(ref.getIndex()) instanceof RexInputRef vector)) {
        return null;
      }
      List<RexNode> conditions = new ArrayList<>(below.conditions());
      for (RexNode condition : flat.conditions()) {
        if (Pile.columns(condition).nextSetBit(leftWidth) >= 0) {
          return null;
        }
        conditions.add(Pile.replace(condition, below.exprs()));
      }
      if (!conditions.stream().allMatch(SparkPush::allowed)) {
        return null;
      }
      return build(query, vector.getIndex(), conditions, queryFirst, keys.get(0), descending);
    }

    /** Whether a key is the ascending id. */
    private boolean id(RelFieldCollation key) {
      RexNode node = flat.exprs().get(key.getFieldIndex());
      return !key.direction.isDescending()
          && node instanceof RexInputRef ref
          && ref.getIndex() < leftWidth
          && below.exprs().get(ref.getIndex()) instanceof RexInputRef column
          && column.getIndex() == scan.sparkTable().column("id");
    }

    /** Whether an expression is the same for all rows of the table. */
    private boolean isQuery(RexNode node) {
      ImmutableBitSet columns = Pile.columns(node);
      int first = columns.nextSetBit(0);
      return first < 0 || first >= leftWidth;
    }

    private RelNode build(
        RexNode query,
        int vector,
        List<RexNode> conditions,
        boolean queryFirst,
        RelFieldCollation key,
        boolean descending) {
      RelOptCluster cluster = sort.getCluster();
      RelNode candidates = scan;
      RexNode condition = RexUtil.composeConjunction(rex, conditions);
      if (!conditions.isEmpty()) {
        candidates = LogicalFilter.create(candidates, condition);
      }
      // The columns that anything above needs, and the vector.
      ImmutableBitSet.Builder used = ImmutableBitSet.builder();
      for (RexNode expr : flat.exprs()) {
        RexNode over = expr.accept(new Without());
        for (int c : Pile.columns(over)) {
          if (c < leftWidth) {
            used.addAll(Pile.columns(below.exprs().get(c)));
          }
        }
      }
      List<Integer> columns = new ArrayList<>(used.build().asList());
      int wanted = columns.size();
      if (!columns.contains(vector)) {
        columns.add(vector);
      }
      List<RexNode> refs = new ArrayList<>();
      List<String> names = new ArrayList<>();
      for (int c : columns) {
        refs.add(RexInputRef.of(c, scan.getRowType()));
        names.add(scan.getRowType().getFieldNames().get(c));
      }
      candidates = LogicalProject.create(candidates, List.of(), refs, names, Set.of());

      // The one row that says what is asked.
      RelNode one = right == null ? LogicalValues.createOneRow(cluster) : right;
      List<RexNode> asked = new ArrayList<>();
      int rightWidth = right == null ? 0 : right.getRowType().getFieldCount();
      for (int i = 0; i < rightWidth; i++) {
        asked.add(RexInputRef.of(i, right.getRowType()));
      }
      asked.add(RexUtil.shift(query, -leftWidth));
      asked.add(sort.fetch);
      if (sort.offset != null) {
        asked.add(sort.offset);
      }
      RelNode queries = LogicalProject.create(one, List.of(), asked, (List<String>) null, Set.of());
      SparkSearch.Form form =
          new SparkSearch.Form(
              SparkSearch.call(
                  distance.call().getOperator().getName().toLowerCase(Locale.ROOT),
                  scan.getRowType().getFieldNames().get(vector),
                  queryFirst),
              descending,
              key.nullDirection == RelFieldCollation.NullDirection.FIRST,
              wanted,
              rightWidth,
              rightWidth + 1,
              sort.offset == null ? -1 : rightWidth + 2);
      Plan plan =
          new Plan(
              scan,
              candidates,
              form,
              distance.metric().name(),
              conditions.isEmpty() ? null : condition.toString());
      ClusterTopK search =
          new ClusterTopK(cluster, cluster.traitSetOf(Convention.NONE), plan, queries);
      return above(search, columns.subList(0, wanted), rightWidth);
    }

    /** The statement's own columns over what was found. */
    private RelNode above(ClusterTopK search, List<Integer> columns, int rightWidth) {
      RelDataType row = search.getRowType();
      int queryWidth = search.getInput().getRowType().getFieldCount();
      RexNode value = RexInputRef.of(columns.size() + queryWidth, row);
      List<RexNode> exprs = new ArrayList<>();
      for (RexNode expr : flat.exprs()) {
        exprs.add(
            expr.accept(
                new RexShuttle() {
                  @Override
                  public RexNode visitCall(org.apache.calcite.rex.RexCall call) {
                    return call.equals(distance.call()) ? value : super.visitCall(call);
                  }

                  @Override
                  public RexNode visitInputRef(RexInputRef ref) {
                    if (ref.getIndex() >= leftWidth) {
                      int at = columns.size() + ref.getIndex() - leftWidth;
                      return rex.ensureType(ref.getType(), RexInputRef.of(at, row), true);
                    }
                    return below
                        .exprs()
                        .get(ref.getIndex())
                        .accept(
                            new RexShuttle() {
                              @Override
                              public RexNode visitInputRef(RexInputRef column) {
                                return RexInputRef.of(columns.indexOf(column.getIndex()), row);
                              }
                            });
                  }
                }));
      }
      RelNode project =
          LogicalProject.create(
              search, List.of(), exprs, sort.getInput().getRowType().getFieldNames(), Set.of());
      RelNode as = RelOptUtil.createCastRel(project, sort.getInput().getRowType(), true);
      return sort.copy(sort.getTraitSet(), as, sort.getCollation(), sort.offset, sort.fetch);
    }

    /** An expression without the call, whose arguments are not needed above. */
    private final class Without extends RexShuttle {
      @Override
      public RexNode visitCall(org.apache.calcite.rex.RexCall call) {
        return call.equals(distance.call())
            ? rex.makeNullLiteral(call.getType())
            : super.visitCall(call);
      }
    }
  }

  @Override
  public RelNode copy(RelTraitSet traits, List<RelNode> inputs) {
    return new ClusterTopK(getCluster(), traits, plan, sole(inputs));
  }

  @Override
  protected RelDataType deriveRowType() {
    RelDataTypeFactory factory = getCluster().getTypeFactory();
    RelDataTypeFactory.Builder row = factory.builder();
    row.addAll(plan.candidates().getRowType().getFieldList().subList(0, plan.form().columns()));
    row.addAll(getInput().getRowType().getFieldList());
    row.add("distance", Signature.nullable(factory, SqlTypeName.DOUBLE));
    return row.uniquify().build();
  }

  @Override
  public RelWriter explainTerms(RelWriter writer) {
    super.explainTerms(writer);
    writer.item("table", plan.scan().getTable().getQualifiedName());
    writer.item("metric", plan.metric());
    writer.item("query", plan.form().call());
    writer.itemIf("where", plan.where(), plan.where() != null);
    writer.item("mode", "exact");
    writer.item("engine", "spark");
    if (writer.getDetailLevel() == org.apache.calcite.sql.SqlExplainLevel.DIGEST_ATTRIBUTES) {
      writer.item("form", plan.form());
      writer.item("candidates", plan.candidates().getRowType().getFieldNames());
    }
    return writer;
  }

  @Override
  public double estimateRowCount(RelMetadataQuery mq) {
    return 10;
  }

  @Override
  public RelOptCost computeSelfCost(RelOptPlanner planner, RelMetadataQuery mq) {
    return planner.getCostFactory().makeTinyCost();
  }

  /** The node as it runs. */
  static final class SparkVectorTopK extends ClusterTopK implements EnumerableRel, Polling {
    private SparkVectorTopK(RelOptCluster cluster, RelTraitSet traits, Plan plan, RelNode queries) {
      super(cluster, traits, plan, queries);
    }

    @Override
    public RelNode copy(RelTraitSet traits, List<RelNode> inputs) {
      return new SparkVectorTopK(getCluster(), traits, super.plan, sole(inputs));
    }

    @Override
    public Result implement(EnumerableRelImplementor implementor, Prefer prefer) {
      Plan plan = super.plan;
      BlockBuilder block = new BlockBuilder();
      Result queries = implementor.visitChild(this, 0, (EnumerableRel) getInput(), Prefer.ARRAY);
      Expression rows =
          queries.physType.convertTo(block.append("queries", queries.block), JavaRowFormat.ARRAY);
      SparkSearch search = SparkSearch.of(plan.scan().sparkTable(), plan.candidates(), plan.form());
      PhysType type =
          PhysTypeImpl.of(implementor.getTypeFactory(), getRowType(), JavaRowFormat.ARRAY);
      block.add(
          Expressions.return_(
              null,
              Expressions.call(
                  implementor.stash(search, SparkSearch.class), ROWS, DataContext.ROOT, rows)));
      return implementor.result(type, block.toBlock());
    }
  }
}
