/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.run.Polling;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.EnumerableConvention;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.adapter.enumerable.EnumerableRelImplementor;
import org.apache.calcite.adapter.enumerable.JavaRowFormat;
import org.apache.calcite.adapter.enumerable.PhysType;
import org.apache.calcite.adapter.enumerable.PhysTypeImpl;
import org.apache.calcite.adapter.java.JavaTypeFactory;
import org.apache.calcite.adapter.jdbc.JdbcImplementor;
import org.apache.calcite.linq4j.tree.BlockBuilder;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.plan.ConventionTraitDef;
import org.apache.calcite.plan.RelOptCluster;
import org.apache.calcite.plan.RelOptCost;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.plan.RelTraitSet;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.convert.ConverterImpl;
import org.apache.calcite.rel.convert.ConverterRule;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.metadata.RelMetadataQuery;
import org.apache.calcite.rel.type.RelDataTypeField;
import org.apache.calcite.rex.RexCorrelVariable;
import org.apache.calcite.runtime.Hook;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlString;

/** Brings the rows of a query that runs inside SQLite into Calcite. */
final class SqliteToEnumerableConverter extends ConverterImpl implements EnumerableRel, Polling {
  private SqliteToEnumerableConverter(RelOptCluster cluster, RelTraitSet traits, RelNode input) {
    super(cluster, ConventionTraitDef.INSTANCE, traits, input);
  }

  static ConverterRule rule(SqliteConvention convention) {
    return ConverterRule.Config.INSTANCE
        .withConversion(
            RelNode.class,
            convention,
            EnumerableConvention.INSTANCE,
            "SqliteToEnumerableConverterRule")
        .withRuleFactory(Rule::new)
        .toRule(Rule.class);
  }

  private static final class Rule extends ConverterRule {
    private Rule(Config config) {
      super(config);
    }

    @Override
    public RelNode convert(RelNode rel) {
      return new SqliteToEnumerableConverter(
          rel.getCluster(), rel.getTraitSet().replace(getOutTrait()), rel);
    }
  }

  @Override
  public RelNode copy(RelTraitSet traitSet, List<RelNode> inputs) {
    return new SqliteToEnumerableConverter(getCluster(), traitSet, sole(inputs));
  }

  @Override
  public RelOptCost computeSelfCost(RelOptPlanner planner, RelMetadataQuery mq) {
    RelOptCost cost = super.computeSelfCost(planner, mq);
    // A blob that nobody needs is worth a projection inside SQLite.
    long blobs =
        getRowType().getFieldList().stream()
            .filter(field -> field.getType().getSqlTypeName() == SqlTypeName.VARBINARY)
            .count();
    return cost == null ? null : cost.multiplyBy(.1 + blobs);
  }

  @Override
  public Result implement(EnumerableRelImplementor implementor, Prefer pref) {
    SqliteConvention convention = (SqliteConvention) getInput().getConvention();
    PhysType physType =
        PhysTypeImpl.of(implementor.getTypeFactory(), getRowType(), JavaRowFormat.ARRAY);

    BlockBuilder block = new BlockBuilder(false);
    List<Expression> outer = new ArrayList<>();
    Implementor toSql =
        new Implementor(
            (JavaTypeFactory) getCluster().getTypeFactory(),
            (variable, field) -> {
              outer.add(
                  Expressions.convert_(
                      Expressions.box(
                          implementor
                              .getCorrelVariableGetter(variable.id.getName())
                              .field(
                                  block,
                                  field.getIndex(),
                                  implementor.getTypeFactory().getJavaClass(field.getType()))),
                      Object.class));
              return outer.size() - 1;
            });
    SqlString sql = SqliteDialect.text(toSql.visitRoot(getInput()).asStatement());
    Hook.QUERY_PLAN.run(sql.getSql());

    SqliteQuery query =
        SqliteQuery.of(
            convention.schema().database(), sql, SqliteQuery.outputs(getInput()), getInput());
    block.add(
        Expressions.return_(
            null,
            Expressions.call(
                implementor.stash(query, SqliteQuery.class),
                "rows",
                DataContext.ROOT,
                Expressions.newArrayInit(Object.class, outer))));
    return implementor.result(physType, block.toBlock());
  }

  interface CorrelatedField {
    int add(RexCorrelVariable variable, RelDataTypeField field);
  }

  /**
   * Turns the fields of an outer query's row into parameters, from a high number on.
   *
   * <p>Public, since Calcite finds its visit methods by reflection.
   */
  public static final class Implementor extends JdbcImplementor {
    private final CorrelatedField correlated;

    Implementor(JavaTypeFactory typeFactory, CorrelatedField correlated) {
      super(SqliteDialect.INSTANCE, typeFactory);
      this.correlated = correlated;
    }

    @Override
    public Result visit(TableScan scan) {
      // Calcite's own would write the schema's name in Calcite, which SQLite doesn't know.
      return ((SqliteTableScan) scan).implement(this);
    }

    @Override
    protected Context getAliasContext(RexCorrelVariable variable) {
      Context known = correlTableMap.get(variable.id);
      if (known != null) {
        return known;
      }
      List<RelDataTypeField> fields = variable.getType().getFieldList();
      return new Context(SqliteDialect.INSTANCE, fields.size()) {
        @Override
        public SqlNode field(int ordinal) {
          int position = correlated.add(variable, fields.get(ordinal));
          return new SqlDynamicParam(SqliteQuery.FIRST_OUTER + position, SqlParserPos.ZERO);
        }

        @Override
        public Implementor implementor() {
          return Implementor.this;
        }
      };
    }
  }
}
