/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.View;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.apache.calcite.adapter.enumerable.EnumerableConvention;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.config.CalciteConnectionConfig;
import org.apache.calcite.jdbc.CalcitePrepare;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.plan.Contexts;
import org.apache.calcite.plan.RelOptCluster;
import org.apache.calcite.plan.RelOptCostFactory;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.plan.RelOptRule;
import org.apache.calcite.plan.RelOptTable;
import org.apache.calcite.prepare.CalciteCatalogReader;
import org.apache.calcite.prepare.CalcitePrepareImpl;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelRoot;
import org.apache.calcite.rel.RelVisitor;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.metadata.DefaultRelMetadataProvider;
import org.apache.calcite.rel.rules.CoreRules;
import org.apache.calcite.rel.rules.JoinPushThroughJoinRule;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlOperatorTable;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.calcite.sql.parser.SqlParserImplFactory;
import org.apache.calcite.sql.util.SqlOperatorTables;
import org.apache.calcite.sql.validate.SqlNameMatcher;
import org.apache.calcite.sql.validate.SqlValidator;
import org.apache.calcite.sql.validate.SqlValidatorUtil;
import org.apache.calcite.sql2rel.SqlToRelConverter;
import org.apache.calcite.tools.Program;
import org.apache.calcite.tools.Programs;
import org.apache.calcite.util.CancelFlag;

/**
 * Calcite's preparation of one statement, made cancellable and observed.
 *
 * <p>The planner polls the execution's cancel flag, and {@link #reusable} tells afterwards whether
 * the plan reads only from schemas that tell when they change. An instance prepares one statement.
 */
final class FaissPrepare extends CalcitePrepareImpl {
  /**
   * Of more joins than these only the order that was written is planned: the orders grow with the
   * factorial. SQLite finds an order of its own for what is pushed to it.
   */
  private static final int MOST_JOINS_REORDERED = 5;

  private static final List<RelOptRule> JOIN_ORDERS =
      List.of(
          CoreRules.JOIN_COMMUTE,
          CoreRules.JOIN_COMMUTE_OUTER,
          CoreRules.JOIN_ASSOCIATE,
          JoinPushThroughJoinRule.LEFT,
          JoinPushThroughJoinRule.RIGHT);

  private final AtomicBoolean cancelFlag;
  private final View view;
  private final Set<String> versionedSchemas;
  private boolean foreignTable;
  private boolean searches;
  private boolean faithful;
  private List<ColumnOrigin> origins = List.of();

  /**
   * @param cancelFlag polled while planning
   * @param view what the run that it is prepared for sees
   * @param versionedSchemas names of the top-level schemas that tell when they change
   */
  FaissPrepare(AtomicBoolean cancelFlag, View view, Set<String> versionedSchemas) {
    this.cancelFlag = cancelFlag;
    this.view = view;
    this.versionedSchemas = versionedSchemas;
  }

  /** Whether every table of the prepared statement belongs to a versioned schema. */
  boolean reusable() {
    return !foreignTable;
  }

  /**
   * Says what is wrong with the constant arguments of our functions in a statement that won't be
   * planned.
   *
   * @throws Exception the error, with its place, or whatever else Calcite finds
   */
  void check(CalcitePrepare.Context context, String sql) throws Exception {
    CalciteConnectionConfig config = context.config();
    CalciteCatalogReader catalog =
        new CalciteCatalogReader(
            context.getRootSchema(),
            context.getDefaultSchemaPath(),
            context.getTypeFactory(),
            config);
    SqlParser.Config parser =
        parserConfig()
            .withQuotedCasing(config.quotedCasing())
            .withUnquotedCasing(config.unquotedCasing())
            .withQuoting(config.quoting())
            .withConformance(config.conformance())
            .withCaseSensitive(config.caseSensitive());
    SqlParserImplFactory factory = config.parserFactory(SqlParserImplFactory.class, null);
    SqlNode statement =
        createParser(sql, factory == null ? parser : parser.withParserFactory(factory)).parseStmt();
    SqlOperatorTable operators =
        SqlOperatorTables.chain(
            config.fun(SqlOperatorTable.class, SqlStdOperatorTable.instance()), catalog);
    SqlValidator validator =
        SqlValidatorUtil.newValidator(
            operators,
            new PollingCatalog(catalog, context),
            context.getTypeFactory(),
            SqlValidator.Config.DEFAULT
                .withConformance(config.conformance())
                .withLenientOperatorLookup(config.lenientOperatorLookup())
                .withDefaultNullCollation(config.defaultNullCollation())
                .withIdentifierExpansion(true));
    FaissValidator.like(validator, view).validate(statement);
  }

  /** Whether what the plan computes itself is what SQLite would compute. */
  boolean faithful() {
    return faithful;
  }

  /** For each column of the result where it comes from, or null. */
  List<ColumnOrigin> origins() {
    return origins;
  }

  /** Whether the plan searches an index. */
  boolean searches() {
    return searches;
  }

  @Override
  protected RelOptPlanner createPlanner(
      CalcitePrepare.Context prepareContext,
      org.apache.calcite.plan.Context external,
      RelOptCostFactory costs) {
    Object config = external == null ? prepareContext.config() : external;
    return super.createPlanner(
        prepareContext, Contexts.of(config, new CancelFlag(cancelFlag)), costs);
  }

  @Override
  protected RelOptCluster createCluster(RelOptPlanner planner, RexBuilder rexBuilder) {
    RelOptCluster cluster = super.createCluster(planner, rexBuilder);
    cluster.setMetadataQuerySupplier(PlannerMetadata::query);
    return cluster;
  }

  @Override
  protected CalcitePreparingStmt getPreparingStmt(
      CalcitePrepare.Context context,
      Type elementType,
      CalciteCatalogReader catalogReader,
      RelOptPlanner planner) {
    return new CalcitePreparingStmt(
        this,
        context,
        catalogReader,
        context.getTypeFactory(),
        context.getRootSchema(),
        EnumerableRel.Prefer.ARRAY,
        createCluster(planner, new RexBuilder(context.getTypeFactory())),
        EnumerableConvention.INSTANCE,
        createConvertletTable()) {
      @Override
      protected SqlValidator createSqlValidator(
          CatalogReader catalog, UnaryOperator<SqlValidator.Config> configure) {
        return FaissValidator.like(
            super.createSqlValidator(
                new PollingCatalog((CalciteCatalogReader) catalog, context), configure),
            view);
      }

      @Override
      protected SqlToRelConverter getSqlToRelConverter(
          SqlValidator validator, CatalogReader catalog, SqlToRelConverter.Config config) {
        // As in SQLite, the rows of a subquery that is sorted come in its order.
        return super.getSqlToRelConverter(
            validator, catalog, config.withRemoveSortInSubQuery(false));
      }

      @Override
      protected RelNode decorrelate(
          SqlToRelConverter sqlToRelConverter, SqlNode query, RelNode rootRel) {
        return super.decorrelate(sqlToRelConverter, query, LateralRewrite.rewrite(rootRel));
      }

      @Override
      protected RelRoot trimUnusedFields(RelRoot root) {
        // Before what can have no rows is cut away, as where tools add WHERE 1 = 0.
        origins = ColumnOrigin.of(root);
        return super.trimUnusedFields(root);
      }

      @Override
      protected Program getProgram() {
        // Once subqueries have become joins, some of them are lateral as well.
        return Programs.sequence(
            Programs.subQuery(DefaultRelMetadataProvider.INSTANCE),
            (planner, rel, traits, materializations, lattices) -> LateralRewrite.rewrite(rel),
            super.getProgram());
      }

      @Override
      protected RelRoot optimize(
          RelRoot root,
          List<Materialization> materializations,
          List<CalciteSchema.LatticeEntry> lattices) {
        RelRoot collated =
            Collations.rewrite(root.withRel(Affinity.rewrite(WindowQueries.rewrite(root.rel))));
        RelNode tree = collated.rel;
        if (joins(tree) > MOST_JOINS_REORDERED) {
          JOIN_ORDERS.forEach(tree.getCluster().getPlanner()::removeRule);
        }
        RelRoot ordered = collated.withRel(TextOrder.inWindows(tree));
        RelRoot planned = super.optimize(ordered, materializations, lattices);
        return planned.withRel(NeededColumns.only(planned.rel));
      }

      @Override
      protected PreparedResult implement(RelRoot root) {
        watchTables(root.rel);
        RelNode plan =
            Trees.physical(
                root.rel,
                node -> TextOrder.rewrite(SqliteOperations.rewrite(AnyValues.rewrite(node))));
        faithful = Faithful.is(plan);
        return super.implement(root.withRel(PollingRel.watch(EmbedAheadRel.rewrite(plan))));
      }
    };
  }

  private static int joins(RelNode tree) {
    int joins = tree instanceof Join ? 1 : 0;
    for (RelNode input : tree.getInputs()) {
      joins += joins(input);
    }
    return joins;
  }

  /** Looks at the cancel flag whenever the validator compares names, which is all the time. */
  private final class PollingCatalog extends CalciteCatalogReader {
    private PollingCatalog(CalciteCatalogReader catalog, CalcitePrepare.Context context) {
      super(
          catalog.getRootSchema(),
          catalog.nameMatcher(),
          catalog.getSchemaPaths(),
          catalog.getTypeFactory(),
          context.config());
    }

    @Override
    public SqlNameMatcher nameMatcher() {
      if (cancelFlag.get()) {
        throw new CancellationException();
      }
      return super.nameMatcher();
    }
  }

  private void watchTables(RelNode plan) {
    new RelVisitor() {
      @Override
      public void visit(RelNode node, int ordinal, RelNode parent) {
        searches |= node instanceof VectorTopK;
        RelOptTable table = node.getTable();
        if (table != null && !versionedSchemas.contains(table.getQualifiedName().get(0))) {
          foreignTable = true;
        }
        super.visit(node, ordinal, parent);
      }
    }.go(plan);
  }
}
