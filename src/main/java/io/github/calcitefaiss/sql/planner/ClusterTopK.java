/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.connect.SparkConvention;
import io.github.calcitefaiss.connect.SparkPush;
import io.github.calcitefaiss.connect.SparkSearch;
import io.github.calcitefaiss.connect.SparkTableScan;
import io.github.calcitefaiss.run.Polling;
import io.github.calcitefaiss.sql.search.VectorSearch;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
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
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelWriter;
import org.apache.calcite.rel.SingleRel;
import org.apache.calcite.rel.convert.ConverterRule;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.JoinRelType;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.metadata.RelMetadataQuery;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.sql.SqlExplainLevel;

/**
 * The rows of a cluster's tables that are nearest to each vector of a query: what {@link
 * VectorTopK} is for a SQLite file, with rows of the same form. The input is the queries.
 */
public class ClusterTopK extends SingleRel {
  private static final Method ROWS =
      Types.lookupMethod(SparkSearch.class, "rows", DataContext.class, Enumerable.class);

  private final Plan plan;

  /**
   * What is planned, apart from the input.
   *
   * @param scan the table with the vectors
   * @param candidates the rows that qualify: columns that are wanted, the vector, and the id if
   *     there is one
   * @param form what is asked
   * @param queryFirst whether the query is the function's first argument
   * @param shown what explain tells of the query, k, offset, bounds and filter
   */
  record Plan(
      SparkTableScan scan,
      RelNode candidates,
      VectorSearch.Form form,
      boolean queryFirst,
      List<VectorTopK.Shown> shown) {
    /** How many columns of a candidate are wanted. */
    int columns() {
      return form.candidates().width();
    }
  }

  private ClusterTopK(RelOptCluster cluster, RelTraitSet traits, Plan plan, RelNode queries) {
    super(cluster, traits, queries);
    this.plan = plan;
  }

  /** A node of no convention yet. */
  static ClusterTopK create(
      SparkTableScan scan,
      RelNode candidates,
      VectorSearch.Form form,
      boolean queryFirst,
      List<VectorTopK.Shown> shown,
      RelNode queries) {
    RelOptCluster cluster = scan.getCluster();
    return new ClusterTopK(
        cluster,
        cluster.traitSetOf(Convention.NONE),
        new Plan(scan, candidates, form, queryFirst, shown),
        queries);
  }

  /** Makes the rules known to planners that meet a cluster's table. */
  static void register() {
    SparkConvention.addRules(VectorTopKRules::addTo);
  }

  /** Makes it run in Calcite's generated code. */
  static ConverterRule rule() {
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

  /** Where the id of the row is that a column with an {@link WithId#origin} comes from, or -1. */
  private static int idOf(RelNode rel, int column) {
    if (rel instanceof SparkTableScan scan) {
      return scan.sparkTable().column(scan.sparkTable().named().id());
    } else if (rel instanceof Project project) {
      int id =
          idOf(project.getInput(), ((RexInputRef) project.getProjects().get(column)).getIndex());
      for (int i = 0; i < project.getProjects().size(); i++) {
        if (id >= 0
            && project.getProjects().get(i) instanceof RexInputRef ref
            && ref.getIndex() == id) {
          return i;
        }
      }
      return -1;
    } else if (rel instanceof Filter filter) {
      return idOf(filter.getInput(), column);
    }
    Join join = (Join) rel;
    int left = join.getLeft().getRowType().getFieldCount();
    int right = column < left ? -1 : idOf(join.getRight(), column - left);
    return column < left ? idOf(join.getLeft(), column) : right < 0 ? -1 : left + right;
  }

  /** Whether one cluster has all the rows of a tree, and can compute them. */
  static boolean isThere(RelNode rel) {
    return isThere(rel, null);
  }

  private static boolean isThere(RelNode rel, SparkTableScan like) {
    if (rel instanceof SparkTableScan scan) {
      return like == null || scan.sparkTable().schema() == like.sparkTable().schema();
    } else if (rel instanceof Project project) {
      return project.getProjects().stream().allMatch(ClusterTopK::isThere)
          && isThere(project.getInput(), like);
    } else if (rel instanceof Filter filter) {
      return isThere(filter.getCondition()) && isThere(filter.getInput(), like);
    } else if (rel instanceof Aggregate aggregate) {
      return SparkPush.allowed(aggregate) && isThere(aggregate.getInput(), like);
    } else if (rel instanceof Join join) {
      SparkTableScan first = any(join.getLeft());
      return (join.getJoinType() == JoinRelType.INNER
              || join.getJoinType() == JoinRelType.LEFT
              || join.getJoinType() == JoinRelType.SEMI)
          && !join.getCondition().isAlwaysTrue()
          && isThere(join.getCondition())
          && first != null
          && isThere(join.getLeft(), like == null ? first : like)
          && isThere(join.getRight(), like == null ? first : like);
    }
    return false;
  }

  private static boolean isThere(RexNode node) {
    return Pile.isPlain(node) && !RexUtil.containsCorrelation(node) && SparkPush.allowed(node);
  }

  private static SparkTableScan any(RelNode rel) {
    return rel instanceof SparkTableScan scan
        ? scan
        : rel.getInputs().isEmpty() ? null : any(rel.getInput(0));
  }

  /** Whether values of a type can be written into a statement. */
  static boolean canBeWritten(RelDataType type) {
    switch (type.getSqlTypeName()) {
      case TINYINT:
      case SMALLINT:
      case INTEGER:
      case BIGINT:
      case DOUBLE:
      case BOOLEAN:
      case CHAR:
      case VARCHAR:
      case BINARY:
      case VARBINARY:
        return true;
      default:
        return false;
    }
  }

  /** Some columns of the rows that qualify, the vector and, if it is known, the id. */
  static RelNode candidates(RelNode base, RexNode condition, List<Integer> columns, int vector) {
    RelNode rel = condition == null ? base : LogicalFilter.create(base, condition);
    List<RexNode> refs = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int column : columns) {
      names.add(SparkSearch.COLUMN + refs.size());
      refs.add(RexInputRef.of(column, rel.getRowType()));
    }
    names.add(SparkSearch.VECTOR);
    refs.add(RexInputRef.of(vector, rel.getRowType()));
    int id = idOf(base, vector);
    if (id >= 0) {
      names.add(SparkSearch.ID);
      refs.add(RexInputRef.of(id, rel.getRowType()));
    }
    return LogicalProject.create(rel, List.of(), refs, names, Set.of());
  }

  @Override
  public RelNode copy(RelTraitSet traits, List<RelNode> inputs) {
    return new ClusterTopK(getCluster(), traits, plan, sole(inputs));
  }

  @Override
  protected RelDataType deriveRowType() {
    RelDataTypeFactory factory = getCluster().getTypeFactory();
    RelDataTypeFactory.Builder row = factory.builder();
    row.addAll(plan.candidates().getRowType().getFieldList().subList(0, plan.columns()));
    return VectorTopK.withQueries(row, getInput(), plan.form().also().outer(), factory);
  }

  @Override
  public RelWriter explainTerms(RelWriter writer) {
    super.explainTerms(writer);
    writer.item("table", plan.scan().getTable().getQualifiedName());
    writer.item("metric", plan.form().distance().metric());
    for (VectorTopK.Shown shown : plan.shown()) {
      writer.item(shown.name(), shown.value());
    }
    writer.item("mode", "exact");
    writer.item("engine", "spark");
    if (writer.getDetailLevel() == SqlExplainLevel.DIGEST_ATTRIBUTES) {
      writer.item("form", plan.form()).item("first", plan.queryFirst());
      writer.item("candidates", org.apache.calcite.plan.RelOptUtil.toString(plan.candidates()));
    }
    return writer;
  }

  @Override
  public double estimateRowCount(RelMetadataQuery mq) {
    return 10 * mq.getRowCount(getInput());
  }

  @Override
  public RelOptCost computeSelfCost(RelOptPlanner planner, RelMetadataQuery mq) {
    return planner.getCostFactory().makeTinyCost();
  }

  /** What is asked, in the terms of the statements that are sent. */
  private static SparkSearch search(Plan plan) {
    VectorSearch.Form form = plan.form();
    VectorSearch.QueryRow query = form.queries();
    List<SparkSearch.Bound> bounds = new ArrayList<>();
    boolean descending = form.distance().metric().descending();
    for (VectorSearch.Bound bound : form.conditions().bounds()) {
      String operator =
          switch (bound.side()) {
            case WITHIN -> descending ? ">=" : "<=";
            case BEYOND -> descending ? "<" : ">";
            case FROM -> descending ? "<=" : ">=";
          };
      bounds.add(new SparkSearch.Bound(operator, bound.column()));
    }
    List<SparkSearch.Link> links =
        form.conditions().links().stream()
            .map(link -> new SparkSearch.Link(link.candidate(), link.query(), link.equal()))
            .toList();
    return SparkSearch.of(
        plan.scan().sparkTable(),
        plan.candidates(),
        new SparkSearch.Form(
            SparkPush.distance(form.distance().function(), form.distance().metric()),
            plan.queryFirst(),
            descending,
            plan.columns(),
            plan.candidates().getRowType().getFieldNames().contains(SparkSearch.ID),
            new SparkSearch.QueryRow(query.vector(), query.fetch(), query.offset(), query.width()),
            bounds,
            links,
            form.candidates().partition(),
            SparkSearch.Nulls.valueOf(form.also().nulls().name()),
            form.also().ties(),
            form.also().outer()));
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
      BlockBuilder block = new BlockBuilder();
      Result queries = implementor.visitChild(this, 0, (EnumerableRel) getInput(), Prefer.ARRAY);
      Expression rows =
          queries.physType.convertTo(block.append("queries", queries.block), JavaRowFormat.ARRAY);
      PhysType type =
          PhysTypeImpl.of(implementor.getTypeFactory(), getRowType(), JavaRowFormat.ARRAY);
      block.add(
          Expressions.return_(
              null,
              Expressions.call(
                  implementor.stash(search(super.plan), SparkSearch.class),
                  ROWS,
                  DataContext.ROOT,
                  rows)));
      return implementor.result(type, block.toBlock());
    }
  }
}
