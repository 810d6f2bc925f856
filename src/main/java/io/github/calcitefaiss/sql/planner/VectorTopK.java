/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.Polling;
import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sql.search.KeptFilter;
import io.github.calcitefaiss.sql.search.TableRows;
import io.github.calcitefaiss.sql.search.VectorSearch;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteQuery;
import io.github.calcitefaiss.sqlite.SqliteTable;
import io.github.calcitefaiss.sqlite.SqliteTableScan;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
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
import org.apache.calcite.plan.RelOptTable;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.AbstractRelNode;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelWriter;
import org.apache.calcite.rel.convert.ConverterRule;
import org.apache.calcite.rel.logical.LogicalFilter;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.metadata.RelMetadataQuery;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeField;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.sql.SqlExplainLevel;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * The candidates nearest to each vector of a query, found by the index of a table.
 *
 * <p>Inputs are the queries and, unless the table's own rows are the candidates, the candidates.
 * The row is the candidate's columns, the query's columns, its place among the query's rows from 1,
 * and the distance. It gives at least the rows that a statement wants, see {@link VectorSearch},
 * and the nodes above it make the order, the cut and the conditions exact.
 */
public class VectorTopK extends AbstractRelNode {
  private static final Method ROWS =
      Types.lookupMethod(
          VectorSearch.class, "rows", DataContext.class, Enumerable.class, Enumerable.class);

  /** What explain calls the place where the filter is answered. */
  static final String FILTER_IN = "filterIn";

  private final Plan plan;
  private List<RelNode> inputs;

  /**
   * What is planned, apart from the inputs.
   *
   * @param scan the indexed table
   * @param indexed its index
   * @param form what is asked
   * @param columns where the table's own rows are the candidates, their columns; else empty
   * @param condition where the table's own rows are the candidates, which of them; or null
   * @param shown what explain tells of the query, k, offset, bounds and filter
   */
  record Plan(
      SqliteTableScan scan,
      IndexedTable indexed,
      VectorSearch.Form form,
      List<Integer> columns,
      RexNode condition,
      List<Shown> shown) {
    boolean ownRows() {
      return form.candidates().key() == VectorSearch.NONE;
    }
  }

  /** A term of explain. */
  record Shown(String name, String value) {}

  private VectorTopK(RelOptCluster cluster, RelTraitSet traits, Plan plan, List<RelNode> inputs) {
    super(cluster, traits);
    this.plan = plan;
    this.inputs = List.copyOf(inputs);
  }

  /** A node of no convention yet. */
  static VectorTopK create(Plan plan, List<RelNode> inputs) {
    RelOptCluster cluster = plan.scan().getCluster();
    return new VectorTopK(cluster, cluster.traitSetOf(Convention.NONE), plan, inputs);
  }

  /** Makes it run in Calcite's generated code. */
  static ConverterRule rule() {
    return ConverterRule.Config.INSTANCE
        .withConversion(
            VectorTopK.class,
            Convention.NONE,
            EnumerableConvention.INSTANCE,
            "EnumerableVectorTopKRule")
        .withRuleFactory(Rule::new)
        .toRule(Rule.class);
  }

  private static final class Rule extends ConverterRule {
    private Rule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      VectorTopK node = (VectorTopK) rel;
      List<RelNode> converted = new ArrayList<>();
      for (RelNode input : node.getInputs()) {
        converted.add(convert(input, input.getTraitSet().replace(EnumerableConvention.INSTANCE)));
      }
      return new EnumerableVectorTopK(
          rel.getCluster(), rel.getTraitSet().replace(getOutTrait()), node.plan, converted);
    }
  }

  @Override
  public List<RelNode> getInputs() {
    return inputs;
  }

  @Override
  public void replaceInput(int ordinal, RelNode input) {
    List<RelNode> changed = new ArrayList<>(inputs);
    changed.set(ordinal, input);
    inputs = List.copyOf(changed);
    recomputeDigest();
  }

  @Override
  public RelNode copy(RelTraitSet traitSet, List<RelNode> newInputs) {
    return new VectorTopK(getCluster(), traitSet, plan, newInputs);
  }

  @Override
  public RelOptTable getTable() {
    return plan.scan().getTable();
  }

  /**
   * A row of what was found: the candidate's columns, which are there already, the query's, the
   * rank and the distance.
   */
  static RelDataType withQueries(
      RelDataTypeFactory.Builder row, RelNode queries, boolean outer, RelDataTypeFactory factory) {
    for (RelDataTypeField field : queries.getRowType().getFieldList()) {
      row.add(
          field.getName(),
          outer ? factory.createTypeWithNullability(field.getType(), true) : field.getType());
    }
    row.add("rank", factory.createSqlType(SqlTypeName.BIGINT));
    row.add("distance", Signature.nullable(factory, SqlTypeName.DOUBLE));
    return row.uniquify().build();
  }

  @Override
  protected RelDataType deriveRowType() {
    RelDataTypeFactory factory = getCluster().getTypeFactory();
    RelDataTypeFactory.Builder row = factory.builder();
    if (plan.ownRows()) {
      List<RelDataTypeField> fields = plan.scan().getRowType().getFieldList();
      for (int column : plan.columns()) {
        row.add(fields.get(column));
      }
    } else {
      row.addAll(inputs.get(1).getRowType().getFieldList());
    }
    return withQueries(row, inputs.get(0), plan.form().also().outer(), factory);
  }

  @Override
  public RelWriter explainTerms(RelWriter writer) {
    super.explainTerms(writer);
    writer.input("queries", inputs.get(0));
    if (!plan.ownRows()) {
      writer.input("candidates", inputs.get(1));
    }
    writer.item("table", plan.scan().getTable().getQualifiedName());
    writer.item("metric", plan.form().distance().metric());
    boolean digest = writer.getDetailLevel() == SqlExplainLevel.DIGEST_ATTRIBUTES;
    for (Shown shown : plan.shown()) {
      boolean where = shown.name().equals(FILTER_IN) && !digest;
      writer.item(shown.name(), where ? filterIn(shown.value()) : shown.value());
    }
    writer.item("mode", "exact");
    if (plan.scan().sqliteTable().schema().indexedTables().leavesVectors(plan.indexed())
        && !digest) {
      writer.item("memory", "codes; the vectors that these leave are read from the file");
    }
    if (digest) {
      writer.item("form", plan.form()).item("columns", plan.columns());
    }
    return writer;
  }

  @Override
  public double estimateRowCount(RelMetadataQuery mq) {
    double queries = mq.getRowCount(inputs.get(0));
    double most = plan.ownRows() ? plan.scan().estimateRowCount(mq) : mq.getRowCount(inputs.get(1));
    return queries * Math.min(10, Math.max(1, most / 2));
  }

  @Override
  public RelOptCost computeSelfCost(RelOptPlanner planner, RelMetadataQuery mq) {
    return planner.getCostFactory().makeTinyCost();
  }

  /** The rows of the table, as the run reads them. */
  private TableRows tableRows() {
    SqliteTableScan scan = plan.scan();
    SqliteTable table = scan.sqliteTable();
    List<RelDataTypeField> fields = scan.getRowType().getFieldList();
    RexBuilder rex = getCluster().getRexBuilder();
    int id = column(table, plan.indexed().id());
    int embedding = column(table, plan.indexed().embedding());
    RexNode vector = RexInputRef.of(embedding, fields);
    boolean unique = isKey(table, plan.indexed().id());
    VectorSearch.Form form = plan.form();

    List<Integer> keys = new ArrayList<>();
    for (int i = 0; i < plan.columns().size(); i++) {
      if (plan.columns().get(i) == id) {
        keys.add(i);
      }
    }
    TreeSet<Integer> grouped = new TreeSet<>(form.candidates().partition());
    for (VectorSearch.Link link : form.conditions().links()) {
      if (!keys.contains(link.candidate())) {
        grouped.add(link.candidate());
      }
    }
    List<Integer> groupColumns = List.copyOf(grouped);
    RexNode present = rex.makeCall(SqlStdOperatorTable.IS_NOT_NULL, vector);
    RexNode absent = rex.makeCall(SqlStdOperatorTable.IS_NULL, vector);
    List<Integer> group = new ArrayList<>(List.of(id));
    groupColumns.forEach(column -> group.add(plan.columns().get(column)));
    List<Integer> withId = new ArrayList<>(plan.columns());
    withId.add(id);
    List<Integer> withVector = new ArrayList<>(plan.columns());
    withVector.add(embedding);
    List<Integer> groupAndVector = new ArrayList<>(group);
    groupAndVector.add(embedding);
    List<Integer> idAndVector = new ArrayList<>(withId);
    idAndVector.add(embedding);
    boolean read = plan.condition() != null || !groupColumns.isEmpty();
    return new TableRows(
        new TableRows.Searched(
            read ? query(group, unique ? null : present).withRaw(0) : null,
            query(withId, unique ? null : present).withRaw(plan.columns().size())),
        new TableRows.Others(
            query(plan.columns(), absent),
            query(plan.columns(), null),
            query(withVector, null).withRaw(plan.columns().size()),
            new TableRows.Searched(
                query(groupAndVector, null).withRaw(0).withRaw(group.size()),
                query(idAndVector, null).withRaw(plan.columns().size()).withRaw(withId.size()))),
        new TableRows.Key(keys.size() == plan.columns().size(), keys, unique),
        new TableRows.Kept(
            kept(),
            plan.condition() != null,
            plan.columns().stream().map(column -> table.columns().get(column).name()).toList(),
            plan.columns().stream()
                .map(column -> fields.get(column).getType().getSqlTypeName())
                .toList()),
        groupColumns,
        plan.indexed().skipBadRows());
  }

  /** Who answers the filter, as far as that is known before the index is loaded. */
  private String filterIn(String otherwise) {
    KeptFilter filter = kept();
    if (filter == null) {
      return otherwise;
    }
    TreeSet<String> columns = new TreeSet<>(filter.columns());
    Boolean keeps =
        columns.isEmpty()
            ? Boolean.TRUE
            : plan.scan().sqliteTable().schema().indexedTables().keeps(plan.indexed(), columns);
    return keeps == null
        ? "index, if it keeps " + String.join(", ", columns)
        : keeps ? "index" : otherwise;
  }

  /** The condition as columns beside the index may answer it; null if they can't. */
  private KeptFilter kept() {
    return KeptConditions.of(plan.scan(), plan.indexed().embedding(), plan.condition());
  }

  private SqliteQuery query(List<Integer> columns, RexNode also) {
    SqliteTableScan scan = plan.scan();
    RexBuilder rex = getCluster().getRexBuilder();
    RelNode rel = scan;
    List<RexNode> conditions = new ArrayList<>();
    if (plan.condition() != null) {
      conditions.add(plan.condition());
    }
    if (also != null) {
      conditions.add(also);
    }
    if (!conditions.isEmpty()) {
      rel =
          LogicalFilter.create(
              rel, org.apache.calcite.rex.RexUtil.composeConjunction(rex, conditions));
    }
    List<String> names = new ArrayList<>();
    List<RexNode> refs = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      refs.add(RexInputRef.of(columns.get(i), scan.getRowType()));
      names.add(i == plan.columns().size() ? TableRows.ID : "c" + i);
    }
    rel = LogicalProject.create(rel, List.of(), refs, names, java.util.Set.of());
    return SqliteQuery.of(scan.sqliteTable().schema().database(), rel);
  }

  static int column(SqliteTable table, String name) {
    return table.columns().stream()
        .map(SqliteTable.Column::name)
        .collect(Collectors.toList())
        .indexOf(name);
  }

  /** Whether a column alone tells a table's rows apart, NULLs aside. */
  static boolean isKey(SqliteTable table, String name) {
    return table.column(name).key() > 0
        && table.columns().stream().filter(column -> column.key() > 0).count() == 1;
  }

  /** The node as it runs. */
  static final class EnumerableVectorTopK extends VectorTopK implements EnumerableRel, Polling {
    private EnumerableVectorTopK(
        RelOptCluster cluster, RelTraitSet traits, Plan plan, List<RelNode> inputs) {
      super(cluster, traits, plan, inputs);
    }

    @Override
    public RelNode copy(RelTraitSet traitSet, List<RelNode> newInputs) {
      return new EnumerableVectorTopK(getCluster(), traitSet, super.plan, newInputs);
    }

    @Override
    public Result implement(EnumerableRelImplementor implementor, Prefer prefer) {
      Plan plan = super.plan;
      BlockBuilder block = new BlockBuilder();
      Expression queries = rows(implementor, block, 0);
      Expression candidates =
          plan.ownRows()
              ? Expressions.constant(null, Enumerable.class)
              : rows(implementor, block, 1);
      VectorSearch search =
          new VectorSearch(
              plan.scan().sqliteTable().schema(),
              plan.indexed(),
              plan.form(),
              plan.ownRows() ? super.tableRows() : null);
      PhysType type =
          PhysTypeImpl.of(implementor.getTypeFactory(), getRowType(), JavaRowFormat.ARRAY);
      block.add(
          Expressions.return_(
              null,
              Expressions.call(
                  implementor.stash(search, VectorSearch.class),
                  ROWS,
                  DataContext.ROOT,
                  queries,
                  candidates)));
      return implementor.result(type, block.toBlock());
    }

    private Expression rows(EnumerableRelImplementor implementor, BlockBuilder block, int input) {
      Result result =
          implementor.visitChild(this, input, (EnumerableRel) getInput(input), Prefer.ARRAY);
      return result.physType.convertTo(
          block.append("input" + input, result.block), JavaRowFormat.ARRAY);
    }
  }
}
