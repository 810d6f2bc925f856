/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import com.google.common.collect.ImmutableList;
import io.github.calcitefaiss.sql.function.OrderedValue;
import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.calcite.adapter.enumerable.EnumerableHashJoin;
import org.apache.calcite.rel.RelHomogeneousShuttle;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.JoinInfo;
import org.apache.calcite.rel.core.SetOp;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.core.Union;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeFactoryImpl;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexFieldCollation;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexWindow;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.util.ImmutableBitSet;
import org.apache.calcite.util.Util;
import org.apache.calcite.util.mapping.IntPair;

/**
 * Texts in SQLite's order, which is that of their code points, where a plan compares, sorts or
 * takes the least of them: Java's order, and Calcite's of literals, has those beyond the basic
 * plane before U+E000.
 *
 * <p>What is ordered is replaced by texts that Java orders so, and what comes out is turned back.
 */
final class TextOrder {
  /** The comparisons that depend on the order. */
  private static final Set<SqlKind> KINDS =
      Set.of(
          SqlKind.LESS_THAN,
          SqlKind.LESS_THAN_OR_EQUAL,
          SqlKind.GREATER_THAN,
          SqlKind.GREATER_THAN_OR_EQUAL);

  /** What gives one of the values of its operand. */
  private static final Set<SqlKind> EXTREMES = Set.of(SqlKind.MIN, SqlKind.MAX);

  private TextOrder() {}

  /** Has a node of a physical plan order texts as SQLite does. */
  static RelNode rewrite(RelNode node) {
    if (node instanceof Sort sort) {
      return sorted(sort);
    } else if (node instanceof Aggregate aggregate) {
      return aggregated(aggregate);
    } else if (node instanceof SetOp all && !(node instanceof Union union && union.all)) {
      return alike(all);
    } else if (node instanceof EnumerableHashJoin join && join.analyzeCondition().isEqui()) {
      return joined(join);
    }
    return node.accept(new Comparisons(node.getCluster().getRexBuilder()));
  }

  /** Orders the sides of comparisons. */
  private static final class Comparisons extends RexShuttle {
    private final RexBuilder rex;

    private Comparisons(RexBuilder rex) {
      this.rex = rex;
    }

    @Override
    public RexNode visitCall(RexCall call) {
      RexNode visited = super.visitCall(call);
      if (!(visited instanceof RexCall compared)
          || !KINDS.contains(compared.getKind())
          || compared.getOperands().size() != 2
          || !compared.getOperands().stream().allMatch(TextOrder::isOpenText)) {
        return visited;
      }
      return rex.makeCall(
          compared.getType(),
          compared.getOperator(),
          compared.getOperands().stream()
              .map(side -> rex.makeCall(side.getType(), SqliteOperators.TO_ORDERED, List.of(side)))
              .toList());
    }
  }

  /** Not a literal, which compares rightly with any text. */
  private static boolean isOpenText(RexNode node) {
    return isText(node.getType()) && !(node instanceof RexLiteral);
  }

  private static boolean isText(RelDataType type) {
    return SqlTypeUtil.isCharacter(type);
  }

  private static boolean isOrdered(RelDataType type) {
    return isText(type) || AnyValues.isAny(type);
  }

  private static ImmutableBitSet those(
      RelNode rel, Iterable<Integer> columns, Predicate<RelDataType> which) {
    ImmutableBitSet.Builder found = ImmutableBitSet.builder();
    for (int column : columns) {
      if (which.test(rel.getRowType().getFieldList().get(column).getType())) {
        found.set(column);
      }
    }
    return found.build();
  }

  private static RelNode sorted(Sort sort) {
    ImmutableBitSet keys = those(sort, sort.getCollation().getKeys(), TextOrder::isOrdered);
    RelNode input = mapped(sort.getInput(), keys, SqliteOperators.TO_ORDERED);
    return mapped(
        sort.copy(sort.getTraitSet(), List.of(input)), keys, SqliteOperators.FROM_ORDERED);
  }

  /** UNION, INTERSECT and EXCEPT: 1 and 1.0 are one value. */
  private static RelNode alike(SetOp all) {
    ImmutableBitSet columns = those(all, all(all), AnyValues::isAny);
    RexBuilder rex = all.getCluster().getRexBuilder();
    List<RelNode> inputs = new ArrayList<>();
    for (RelNode input : all.getInputs()) {
      List<RexNode> values = references(input);
      for (int column : columns) {
        // Also where this input has a type.
        values.set(
            column,
            rex.makeCall(
                type(all, column), SqliteOperators.TO_ORDERED, List.of(values.get(column))));
      }
      inputs.add(calculated(input, values, input.getRowType().getFieldNames()));
    }
    return columns.isEmpty()
        ? all
        : mapped(all.copy(all.getTraitSet(), inputs), columns, SqliteOperators.FROM_ORDERED);
  }

  private static RelNode joined(EnumerableHashJoin join) {
    JoinInfo keys = join.analyzeCondition();
    int width = join.getLeft().getRowType().getFieldCount();
    ImmutableBitSet.Builder left = ImmutableBitSet.builder();
    ImmutableBitSet.Builder right = ImmutableBitSet.builder();
    for (IntPair pair : keys.pairs()) {
      if (AnyValues.isAny(type(join.getLeft(), pair.source))
          && AnyValues.isAny(type(join.getRight(), pair.target))) {
        left.set(pair.source);
        right.set(pair.target);
      }
    }
    ImmutableBitSet lefts = left.build();
    if (lefts.isEmpty()) {
      return join;
    }
    ImmutableBitSet rights = right.build();
    RelNode alike =
        join.copy(
            join.getTraitSet(),
            join.getCondition(),
            mapped(join.getLeft(), lefts, SqliteOperators.TO_ORDERED),
            mapped(join.getRight(), rights, SqliteOperators.TO_ORDERED),
            join.getJoinType(),
            join.isSemiJoinDone());
    return mapped(
        alike,
        join.getJoinType().projectsRight() ? lefts.union(rights.shift(width)) : lefts,
        SqliteOperators.FROM_ORDERED);
  }

  private static RelDataType type(RelNode rel, int column) {
    return rel.getRowType().getFieldList().get(column).getType();
  }

  /** What is grouped by keeps its place; what is computed of it, and the least, are added. */
  private static RelNode aggregated(Aggregate aggregate) {
    RelNode input = aggregate.getInput();
    RexBuilder rex = aggregate.getCluster().getRexBuilder();
    ImmutableBitSet groups = those(input, aggregate.getGroupSet(), AnyValues::isAny);
    List<RexNode> given = references(input);
    List<RexNode> columns = new ArrayList<>(given);
    List<String> names = new ArrayList<>(input.getRowType().getFieldNames());
    // Generated code wants of many keys that their type says that they can be compared.
    RelDataTypeFactory types = rex.getTypeFactory();
    RelDataType comparable =
        types.createTypeWithNullability(types.createJavaType(OrderedValue.class), true);
    for (int column : groups) {
      columns.set(
          column, rex.makeCall(comparable, SqliteOperators.TO_ORDERED, List.of(given.get(column))));
    }
    ImmutableBitSet.Builder results = ImmutableBitSet.builder();
    for (int column : groups) {
      results.set(aggregate.getGroupSet().indexOf(column));
    }
    List<AggregateCall> calls = new ArrayList<>();
    for (AggregateCall call : aggregate.getAggCallList()) {
      if (call.getAggregation().getKind() == SqlKind.GROUPING) {
        calls.add(call);
        continue;
      }
      boolean extreme =
          EXTREMES.contains(call.getAggregation().getKind()) && isText(call.getType());
      List<Integer> arguments = new ArrayList<>();
      for (int argument : call.getArgList()) {
        RexNode value = extreme ? ordered(rex, given.get(argument)) : given.get(argument);
        if (!columns.contains(value)) {
          columns.add(value);
          names.add("value" + columns.size());
        }
        arguments.add(columns.indexOf(value));
      }
      if (extreme) {
        results.set(aggregate.getGroupCount() + calls.size());
      }
      calls.add(call.withArgList(arguments));
    }
    ImmutableBitSet turned = results.build();
    return turned.isEmpty()
        ? aggregate
        : mapped(
            aggregate.copy(
                aggregate.getTraitSet(),
                calculated(input, columns, names),
                aggregate.getGroupSet(),
                aggregate.getGroupSets(),
                calls),
            turned,
            SqliteOperators.FROM_ORDERED);
  }

  /** Has windows order by, and take the least of, texts and values of any type as SQLite does. */
  static RelNode inWindows(RelNode tree) {
    RexBuilder rex = tree.getCluster().getRexBuilder();
    RexShuttle windows =
        new RexShuttle() {
          @Override
          public RexNode visitOver(RexOver over) {
            RexOver visited = (RexOver) super.visitOver(over);
            if (!EXTREMES.contains(over.getKind()) || !isOrdered(over.getType())) {
              return visited;
            }
            return AnyValues.over(
                rex, visited, AnyValues.of(over.getKind()), visited.getOperands());
          }

          @Override
          public RexWindow visitWindow(RexWindow window) {
            RexWindow visited = super.visitWindow(window);
            ImmutableList.Builder<RexFieldCollation> order = ImmutableList.builder();
            visited.orderKeys.forEach(
                key -> order.add(new RexFieldCollation(ordered(rex, key.left), key.right)));
            return rex.makeWindow(
                visited.partitionKeys.stream()
                    .map(key -> AnyValues.isAny(key.getType()) ? ordered(rex, key) : key)
                    .toList(),
                order.build(),
                visited.getLowerBound(),
                visited.getUpperBound(),
                visited.isRows(),
                visited.getExclude());
          }
        };
    return tree.accept(
        new RelHomogeneousShuttle() {
          @Override
          public RelNode visit(RelNode other) {
            return super.visit(other).accept(windows);
          }
        });
  }

  private static List<RexNode> references(RelNode rel) {
    return new ArrayList<>(
        all(rel).stream()
            .map(column -> (RexNode) rel.getCluster().getRexBuilder().makeInputRef(rel, column))
            .toList());
  }

  private static RexNode ordered(RexBuilder rex, RexNode key) {
    return isOrdered(key.getType()) ? call(rex, SqliteOperators.TO_ORDERED, key) : key;
  }

  private static RexNode call(RexBuilder rex, SqlOperator function, RexNode text) {
    RelDataType type = text.getType();
    boolean ordered = type instanceof RelDataTypeFactoryImpl.JavaType;
    return rex.makeCall(
        ordered ? Signature.nullable(rex.getTypeFactory(), SqlTypeName.ANY) : type,
        function,
        List.of(text));
  }

  private static List<Integer> all(RelNode rel) {
    return Util.range(rel.getRowType().getFieldCount());
  }

  private static RelNode mapped(RelNode rel, ImmutableBitSet texts, SqlOperator function) {
    if (texts.isEmpty()) {
      return rel;
    }
    List<RexNode> columns = references(rel);
    for (int column : texts) {
      columns.set(column, call(rel.getCluster().getRexBuilder(), function, columns.get(column)));
    }
    return calculated(rel, columns, rel.getRowType().getFieldNames());
  }

  private static RelNode calculated(RelNode rel, List<RexNode> columns, List<String> names) {
    return new Trees.Expressions(columns, null).over(rel, names);
  }
}
