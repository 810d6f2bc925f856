/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.apache.calcite.plan.RelOptPredicateList;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.Correlate;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.SetOp;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.core.Values;
import org.apache.calcite.rel.logical.LogicalAggregate;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexDynamicParam;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexSimplify;
import org.apache.calcite.rex.RexSubQuery;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;

/**
 * What SQLite does with values that are compared: a column of numbers makes a number of a text that
 * says one, a column of texts makes texts of numbers that have no column of their own.
 *
 * <p>So the ids in {@code ["1", "2"]} are found in an INTEGER column, and {@code '1.0'} of a TEXT
 * column equals 1 of a NUMERIC one. Another source's dates and times are their texts, where they
 * meet anything else.
 *
 * @see <a href="https://sqlite.org/datatype3.html">SQLite's type conversions before comparison</a>
 */
final class Affinity {
  /** What may be compared with anything. */
  private static final Set<ValueKind> AS_THEY_ARE = EnumSet.of(ValueKind.ANY, ValueKind.NULL);

  private final RexBuilder rex;
  private final Affinities affinities = new Affinities();

  private Affinity(RexBuilder rex) {
    this.rex = rex;
  }

  /** A query's tree with conversions in its comparisons. */
  static RelNode rewrite(RelNode query) {
    return new Affinity(query.getCluster().getRexBuilder()).visit(query);
  }

  private RelNode visit(RelNode node) {
    List<RelNode> inputs = new ArrayList<>();
    List<Affinities.Kind> fields = new ArrayList<>();
    for (RelNode input : node.getInputs()) {
      RelNode visited = visit(input);
      inputs.add(visited);
      fields.addAll(affinities.of(visited));
      if (node instanceof Correlate correlate && inputs.size() == 1) {
        affinities.outer(correlate.getCorrelationId(), new ArrayList<>(fields));
      }
    }
    RelNode copy = Trees.over(node, inputs);
    node.getVariablesSet().forEach(id -> affinities.outer(id, fields));
    return copy instanceof LogicalAggregate aggregate
        ? aggregated(aggregate)
        : copy instanceof SetOp compound
            ? compound(compound)
            : copy.accept(new Comparisons(fields));
  }

  /** Averages of values of any type, and lists of their texts. */
  private RelNode aggregated(LogicalAggregate aggregate) {
    RelNode input = aggregate.getInput();
    List<RexNode> columns = new ArrayList<>(rex.identityProjects(input.getRowType()));
    List<AggregateCall> calls = new ArrayList<>();
    for (AggregateCall call : aggregate.getAggCallList()) {
      int first = call.getArgList().isEmpty() ? -1 : call.getArgList().get(0);
      if (first < 0 || !AnyValues.isAny(columns.get(first).getType())) {
        calls.add(call);
      } else if (call.getAggregation().getKind() == SqlKind.AVG) {
        calls.add(AnyValues.with(call, AnySum.AVG, call.isDistinct()));
      } else if (call.getAggregation().getKind() == SqlKind.LISTAGG) {
        List<Integer> arguments = new ArrayList<>(call.getArgList());
        arguments.set(0, columns.size());
        RexNode value = columns.get(first);
        columns.add(asText(value));
        calls.add(call.withArgList(arguments));
      } else {
        calls.add(call);
      }
    }
    boolean same = columns.size() == input.getRowType().getFieldCount();
    return calls.equals(aggregate.getAggCallList())
        ? aggregate
        : aggregate.copy(
            aggregate.getTraitSet(),
            same
                ? input
                : LogicalProject.create(input, List.of(), columns, (List<String>) null, Set.of()),
            aggregate.getGroupSet(),
            aggregate.getGroupSets(),
            calls);
  }

  private RexNode asText(RexNode value) {
    return rex.makeCall(like(SqlTypeName.VARCHAR, value), SqliteOperators.TEXT_OF, List.of(value));
  }

  private final class Comparisons extends RexShuttle {
    private final List<Affinities.Kind> fields;

    private Comparisons(List<Affinities.Kind> fields) {
      this.fields = fields;
    }

    @Override
    public RexNode visitCall(RexCall call) {
      if (call.getKind() == SqlKind.SEARCH) {
        RelDataType type = call.operands.get(0).getType();
        boolean plain =
            !AnyValues.isAny(type)
                && type.getFamily() == call.operands.get(1).getType().getFamily();
        return plain ? call : RexUtil.expandSearch(rex, null, call).accept(this);
      }
      RexNode node = super.visitCall(call);
      if (node instanceof RexCall visited) {
        node = SqliteOperations.typed(visited, rex);
      }
      if (!(node instanceof RexCall visited)) {
        return node;
      } else if (!ValueComparison.isOne(visited.getKind())) {
        boolean ours =
            SqliteOperators.isOne(visited.getOperator())
                || Constant.isOurs(visited.getOperator())
                    && !ValueComparison.isAffinity(visited.getOperator());
        boolean any = visited.getKind() == SqlKind.CAST && AnyValues.isAny(visited.getType());
        return ours || any ? asSqliteHas(visited) : visited;
      }
      List<RexNode> sides =
          sides(
              visited.operands.get(0),
              affinities.of(visited.operands.get(0), fields),
              visited.operands.get(1),
              affinities.of(visited.operands.get(1), fields));
      return sides.equals(visited.operands)
          ? visited
          : rex.makeCall(visited.getType(), visited.getOperator(), sides);
    }

    /**
     * Whether a query has no rows whatever the data holds. Calcite's way to turn IN of such a query
     * under OR into a join loses all rows.
     */
    private boolean isEmpty(RelNode query) {
      if (query instanceof Values values) {
        return values.getTuples().isEmpty();
      } else if (query instanceof Filter filter) {
        RexSimplify simplify = new RexSimplify(rex, RelOptPredicateList.EMPTY, RexUtil.EXECUTOR);
        return simplify.simplifyUnknownAsFalse(filter.getCondition()).isAlwaysFalse()
            || isEmpty(filter.getInput());
      } else if (query instanceof Project || query instanceof Sort) {
        return isEmpty(query.getInput(0));
      }
      return query instanceof Aggregate aggregate
          && aggregate.getGroupType() == Aggregate.Group.SIMPLE
          && !aggregate.getGroupSet().isEmpty()
          && isEmpty(aggregate.getInput());
    }

    @Override
    public RexNode visitOver(RexOver over) {
      RexOver visited = (RexOver) super.visitOver(over);
      if (visited.operands.isEmpty() || !AnyValues.isAny(visited.operands.get(0).getType())) {
        return visited;
      }
      SqlAggFunction function = AnyValues.of(visited.getAggOperator().getKind());
      return function == null ? visited : AnyValues.over(rex, visited, function, visited.operands);
    }

    @Override
    public RexNode visitSubQuery(RexSubQuery subQuery) {
      boolean exists = subQuery.getKind() == SqlKind.IN || subQuery.getKind() == SqlKind.EXISTS;
      if (exists && isEmpty(subQuery.rel)) {
        return rex.makeLiteral(false);
      }
      RexSubQuery visited = (RexSubQuery) super.visitSubQuery(subQuery);
      RexSubQuery inner = visited.clone(Affinity.this.visit(visited.rel));
      if (inner.getKind() != SqlKind.IN) {
        return inner;
      }
      List<Affinities.Kind> columns = affinities.of(inner.rel);
      List<RexNode> lefts = new ArrayList<>();
      List<RexNode> rights = new ArrayList<>();
      for (int i = 0; i < inner.operands.size(); i++) {
        RexNode left = inner.operands.get(i);
        RexNode right = rex.makeInputRef(inner.rel, i);
        List<RexNode> sides = sides(left, affinities.of(left, fields), right, columns.get(i));
        lefts.add(sides.get(0));
        rights.add(sides.get(1));
      }
      RelNode converted =
          RexUtil.isIdentity(rights, inner.rel.getRowType())
              ? inner.rel
              : LogicalProject.create(
                  inner.rel, List.of(), rights, inner.rel.getRowType().getFieldNames(), Set.of());
      return inner.clone(inner.getType(), lefts).clone(converted);
    }
  }

  /** Both sides of a comparison as they are compared. */
  private List<RexNode> sides(RexNode a, Affinities.Kind ofA, RexNode b, Affinities.Kind ofB) {
    Affinities.Kind common = common(ofA, ofB);
    RexNode left = as(common, ofA, strip(a));
    RexNode right = as(common, ofB, strip(b));
    RexNode newLeft = apart(common, alike(left, right), right);
    RexNode newRight = apart(common, alike(right, left), left);
    ValueKind ofLeft = ValueKind.of(newLeft.getType());
    ValueKind ofRight = ValueKind.of(newRight.getType());
    if (ofLeft == ofRight || AS_THEY_ARE.contains(ofLeft) || AS_THEY_ARE.contains(ofRight)) {
      return List.of(newLeft, newRight);
    }
    // Of different types, neither of which becomes the other: Calcite would make it so.
    return newRight instanceof RexLiteral
        ? List.of(newLeft, any(common, newRight))
        : List.of(any(common, newLeft), newRight);
  }

  /**
   * A literal that is no integer, compared with a value of any type, as what isn't taken for one:
   * Calcite would sort values of several kinds into one list of ranges.
   */
  private RexNode apart(Affinities.Kind common, RexNode node, RexNode other) {
    return node instanceof RexLiteral literal
            && !literal.isNull()
            && !SqlTypeName.INT_TYPES.contains(node.getType().getSqlTypeName())
            && AnyValues.isAny(other.getType())
        ? any(common, node)
        : node;
  }

  /** A value as one of any type; what isn't compared with a column, SQLite must not take so. */
  private RexNode any(Affinities.Kind common, RexNode node) {
    SqlOperator same =
        !(node instanceof RexLiteral)
            ? SqliteOperators.AS_IT_COMES
            : common == null ? ValueComparison.OPAQUE : ValueComparison.AS_IT_IS;
    return rex.makeCall(like(SqlTypeName.ANY, node), same, List.of(node));
  }

  /** What is done to both sides: of two columns numbers decide, of one that one. */
  private static Affinities.Kind common(Affinities.Kind a, Affinities.Kind b) {
    if (a == null || b == null) {
      return a == null ? b : a;
    }
    return a.isOfNumbers() || b.isOfNumbers() ? Affinities.Kind.NUMERIC : null;
  }

  /** A value without what only gave it the type of all. */
  private RexNode strip(RexNode node) {
    if (!(node instanceof RexCall call) || call.operands.size() != 1) {
      return node;
    }
    RexNode inner = strip(call.operands.get(0));
    if (inner instanceof RexLiteral literal
        && SqlTypeUtil.isNumeric(literal.getType())
        && !literal.isNull()) {
      BigDecimal number = literal.getValueAs(BigDecimal.class);
      if (node.getKind() == SqlKind.MINUS_PREFIX) {
        return rex.makeLiteral(number.negate(), literal.getType(), false, true);
      } else if (node.getKind() == SqlKind.CAST
          && node.getType().getSqlTypeName() == SqlTypeName.DOUBLE) {
        return rex.makeApproxLiteral(
            number, rex.getTypeFactory().createTypeWithNullability(node.getType(), false));
      }
    }
    return AnyValues.isAny(call.getType())
            && (call.getKind() == SqlKind.CAST || call.getOperator() == SqliteOperators.AS_IT_COMES)
        ? inner
        : node;
  }

  private RexNode as(Affinities.Kind kind, Affinities.Kind own, RexNode node) {
    RelDataType type = node.getType();
    boolean numbers = own == Affinities.Kind.NUMERIC && kind != null && kind.isOfNumbers();
    boolean any = AnyValues.isAny(type) && !numbers && (own != kind || own == Affinities.Kind.REAL);
    if (kind != null && kind.isOfNumbers() && (any || SqlTypeUtil.isCharacter(type))) {
      return node instanceof RexLiteral literal
          ? literal(ValueComparison.numeric(null, literal.getValueAs(String.class)), literal)
          : rex.makeCall(like(SqlTypeName.ANY, node), ValueComparison.NUMERIC, List.of(node));
    } else if (kind == Affinities.Kind.TEXT && (any || SqlTypeUtil.isNumeric(type))) {
      return node instanceof RexLiteral literal
          ? literal(ValueComparison.text(null, number(literal)), literal)
          : rex.makeCall(like(SqlTypeName.ANY, node), ValueComparison.TEXT, List.of(node));
    }
    return node;
  }

  /** A literal's number as SQLite reads it: one with a point or an exponent is real. */
  private static Number number(RexLiteral literal) {
    BigDecimal number = literal.getValueAs(BigDecimal.class);
    boolean whole =
        SqlTypeName.INT_TYPES.contains(literal.getType().getSqlTypeName())
            && number.stripTrailingZeros().scale() <= 0;
    return whole ? (Number) number.longValue() : (Number) number.doubleValue();
  }

  private RexNode literal(Object value, RexLiteral like) {
    if (value instanceof Long number) {
      return rex.makeBigintLiteral(BigDecimal.valueOf(number));
    } else if (value instanceof Double number && Double.isFinite(number)) {
      return rex.makeApproxLiteral(
          new BigDecimal(number), rex.getTypeFactory().createSqlType(SqlTypeName.DOUBLE));
    }
    return value instanceof String text && !SqlTypeUtil.isCharacter(like.getType())
        ? rex.makeLiteral(text)
        : like;
  }

  /**
   * A side as the other one is held: a condition as 1 or 0, a moment as its text, and what is
   * compared with a value of any type as SQLite holds it, since a join looks for the same value of
   * the same class.
   */
  private RexNode alike(RexNode node, RexNode other) {
    SqlTypeName type = node.getType().getSqlTypeName();
    if (type == SqlTypeName.BOOLEAN && other.getType().getSqlTypeName() != SqlTypeName.BOOLEAN) {
      return node instanceof RexLiteral literal && !literal.isNull()
          ? rex.makeBigintLiteral(
              RexLiteral.booleanValue(literal) ? BigDecimal.ONE : BigDecimal.ZERO)
          : rex.makeCall(like(SqlTypeName.BIGINT, node), SqliteOperators.TO_INTEGER, List.of(node));
    } else if (Moments.isOne(node.getType()) && !Moments.isOne(other.getType())) {
      return text(node);
    } else if (node instanceof RexLiteral || node instanceof RexDynamicParam) {
      return node;
    }
    SqlTypeName opposite = other.getType().getSqlTypeName();
    boolean constant = other instanceof RexLiteral || other instanceof RexDynamicParam;
    if (SqlTypeName.INT_TYPES.contains(type)) {
      return type != SqlTypeName.BIGINT
              && (opposite == SqlTypeName.BIGINT || AnyValues.isAny(other.getType()))
          ? rex.makeCast(like(SqlTypeName.BIGINT, node), node)
          : node;
    }
    boolean real = SqlTypeUtil.isNumeric(node.getType()) && AnyValues.isAny(other.getType());
    return real && !constant && !isConstantNumber(other)
        ? rex.makeCall(like(SqlTypeName.ANY, node), ValueComparison.NUMERIC, List.of(node))
        : node;
  }

  private static boolean isConstantNumber(RexNode node) {
    return node instanceof RexCall call
        && call.getOperator() == ValueComparison.NUMERIC
        && (call.operands.get(0) instanceof RexLiteral
            || call.operands.get(0) instanceof RexDynamicParam);
  }

  /** SQLite's functions know dates and times as texts; conditions are 1 and 0. */
  private RexNode asSqliteHas(RexCall call) {
    if (Moments.isOne(call.getType()) || Moments.isText(call.getOperator())) {
      return call;
    }
    boolean any = call.getKind() == SqlKind.CAST;
    List<RexNode> operands = call.operands.stream().map(each -> asSqliteHas(each, any)).toList();
    return operands.equals(call.operands)
        ? call
        : any
            ? rex.makeCall(call.getType(), SqliteOperators.AS_IT_COMES, operands)
            : rex.makeCall(call.getType(), call.getOperator(), operands);
  }

  private RexNode asSqliteHas(RexNode node, boolean any) {
    if (Moments.isOne(node.getType())) {
      return text(node);
    }
    return any && node.getType().getSqlTypeName() == SqlTypeName.BOOLEAN
        ? alike(node, rex.makeBigintLiteral(BigDecimal.ONE))
        : node;
  }

  /** The parts of a compound, of which one has values of any type. */
  private RelNode compound(SetOp compound) {
    List<RelNode> inputs = new ArrayList<>();
    for (RelNode input : compound.getInputs()) {
      List<RexNode> columns = new ArrayList<>(rex.identityProjects(input.getRowType()));
      for (int i = 0; i < columns.size(); i++) {
        if (AnyValues.isAny(compound.getRowType().getFieldList().get(i).getType())
            && !AnyValues.isAny(columns.get(i).getType())) {
          columns.set(i, any(null, asSqliteHas(columns.get(i), true)));
        }
      }
      inputs.add(
          RexUtil.isIdentity(columns, input.getRowType())
              ? input
              : LogicalProject.create(
                  input, List.of(), columns, input.getRowType().getFieldNames(), Set.of()));
    }
    return compound.copy(compound.getTraitSet(), inputs);
  }

  private RexNode text(RexNode moment) {
    SqlOperator text = Moments.text(moment.getType().getSqlTypeName());
    return rex.makeCall(like(SqlTypeName.VARCHAR, moment), text, List.of(moment));
  }

  private RelDataType like(SqlTypeName name, RexNode node) {
    return rex.getTypeFactory()
        .createTypeWithNullability(
            rex.getTypeFactory().createSqlType(name), node.getType().isNullable());
  }
}
