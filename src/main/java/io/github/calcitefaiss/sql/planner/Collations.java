/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static io.github.calcitefaiss.sql.function.SqliteOperators.AS_IT_COMES;
import static io.github.calcitefaiss.sql.function.SqliteOperators.BINARY;

import com.google.common.collect.ImmutableList;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.function.SqliteOperators;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.calcite.rel.RelCollations;
import org.apache.calcite.rel.RelFieldCollation;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.RelRoot;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.Correlate;
import org.apache.calcite.rel.core.CorrelationId;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.Minus;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.SetOp;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.core.Union;
import org.apache.calcite.rel.logical.LogicalAggregate;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rel.logical.LogicalSort;
import org.apache.calcite.rel.logical.LogicalUnion;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexCorrelVariable;
import org.apache.calcite.rex.RexFieldAccess;
import org.apache.calcite.rex.RexFieldCollation;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexSubQuery;
import org.apache.calcite.rex.RexUtil;
import org.apache.calcite.rex.RexWindow;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.util.ImmutableBitSet;
import org.apache.calcite.util.ImmutableIntList;

/**
 * The collations that columns declare: comparisons, sorts, groups, DISTINCT, windows, MIN and MAX
 * of such a column go by it, whoever computes them.
 *
 * <p>A text is compared by what its collation folds it to. As in SQLite, an explicit COLLATE comes
 * first, then the column on the left, then that on the right; a CAST of a column counts as the
 * column, any other expression doesn't. Where SQLite leaves open which of several equal texts a row
 * shows, it is the first that comes.
 *
 * @see <a href="https://sqlite.org/datatype3.html#collation">SQLite's collating sequences</a>
 */
final class Collations {
  private static final String PLAIN = "binary";

  private final RexBuilder rex;
  private final Map<CorrelationId, List<String>> correlated = new HashMap<>();
  private final Map<RelNode, List<String>> known = new IdentityHashMap<>();

  private Collations(RexBuilder rex) {
    this.rex = rex;
  }

  /**
   * A query's tree in which comparisons go by the collations that its columns declare.
   *
   * @throws FaissException if it has what can't be computed so
   */
  static RelRoot rewrite(RelRoot root) {
    if (!isNeeded(root.rel)) {
      return root;
    }
    Collations collations = new Collations(root.rel.getCluster().getRexBuilder());
    RelNode tree = root.rel;
    if (tree instanceof Sort sort && !sort.getCollation().getFieldCollations().isEmpty()) {
      // The columns that it is sorted by need not be among those that are shown.
      Sort sorted = collations.sorted(sort.copy(sort.getTraitSet(), collations.inputs(sort)));
      return new RelRoot(
          sorted, root.validatedRowType, root.kind, root.fields, sorted.getCollation(), root.hints);
    }
    return root.withRel(collations.visit(tree));
  }

  private static boolean isNeeded(RelNode tree) {
    if (tree instanceof TableScan scan) {
      SqliteTable table = scan.getTable().unwrap(SqliteTable.class);
      return table != null && table.isCollated();
    }
    boolean[] needed = new boolean[1];
    tree.accept(
        new RexShuttle() {
          @Override
          public RexNode visitCall(RexCall call) {
            needed[0] |= call.getOperator() == BINARY;
            return super.visitCall(call);
          }

          @Override
          public RexNode visitSubQuery(RexSubQuery subQuery) {
            needed[0] |= isNeeded(subQuery.rel);
            return super.visitSubQuery(subQuery);
          }
        });
    return needed[0] || tree.getInputs().stream().anyMatch(Collations::isNeeded);
  }

  private List<RelNode> inputs(RelNode node) {
    List<RelNode> inputs = new ArrayList<>();
    for (RelNode input : node.getInputs()) {
      inputs.add(visit(input));
      if (node instanceof Correlate correlate) {
        correlated.put(correlate.getCorrelationId(), of(inputs.get(0)));
      }
    }
    return inputs;
  }

  private RelNode visit(RelNode node) {
    List<RelNode> inputs = inputs(node);
    RelNode copy = Trees.over(node, inputs);
    List<String> fields = new ArrayList<>();
    inputs.forEach(input -> fields.addAll(of(input)));
    node.getVariablesSet().forEach(id -> correlated.put(id, fields));
    if (copy instanceof Sort sort) {
      Sort sorted = sorted(sort);
      return sorted == sort
          ? sort
          : project(sorted, ImmutableIntList.identity(sort.getRowType().getFieldCount()), sort);
    } else if (copy instanceof Aggregate aggregate) {
      return grouped(aggregate);
    } else if (copy instanceof SetOp union) {
      return compound(union);
    }
    List<String> output =
        copy instanceof Project project
            ? project.getProjects().stream().map(each -> of(each, fields)).toList()
            : null;
    RelNode changed = copy.accept(new Comparisons(fields));
    if (output != null) {
      known.put(changed, output);
    }
    return changed;
  }

  // What the fields of a node are compared by.

  /** For each field the collation of the column that it is, in lower case; null of what is none. */
  private List<String> of(RelNode node) {
    List<String> collations = known.get(node);
    if (collations == null) {
      collations = computed(node);
      known.put(node, collations);
    }
    return collations;
  }

  private List<String> computed(RelNode node) {
    List<String> fields = new ArrayList<>();
    if (node instanceof TableScan scan) {
      SqliteTable table = scan.getTable().unwrap(SqliteTable.class);
      for (String field : scan.getRowType().getFieldNames()) {
        fields.add(table == null ? PLAIN : table.collation(field));
      }
      return fields;
    } else if (node instanceof Project project) {
      List<String> input = of(project.getInput());
      project.getProjects().forEach(each -> fields.add(of(each, input)));
      return fields;
    } else if (node instanceof Aggregate aggregate) {
      List<String> input = of(aggregate.getInput());
      aggregate.getGroupSet().forEach(key -> fields.add(input.get(key)));
      aggregate.getAggCallList().forEach(call -> fields.add(null));
      return fields;
    }
    int count = node.getRowType().getFieldCount();
    boolean all = node instanceof Join || node instanceof Correlate;
    for (RelNode input : all ? node.getInputs() : first(node.getInputs())) {
      fields.addAll(of(input));
    }
    if (fields.size() > count && all) {
      // A semi-join gives the rows of its left side.
      return fields.subList(0, count);
    }
    return fields.size() == count ? fields : Collections.nCopies(count, null);
  }

  private static List<RelNode> first(List<RelNode> inputs) {
    return inputs.isEmpty() ? inputs : inputs.subList(0, 1);
  }

  private String of(RexNode node, List<String> fields) {
    if (node instanceof RexInputRef ref) {
      return fields.get(ref.getIndex());
    } else if (node instanceof RexFieldAccess access
        && access.getReferenceExpr() instanceof RexCorrelVariable variable) {
      List<String> outer = correlated.get(variable.id);
      return outer == null ? null : outer.get(access.getField().getIndex());
    } else if (node instanceof RexCall call && call.operands.size() == 1) {
      boolean same =
          call.getKind() == SqlKind.CAST
              || call.getOperator() == AS_IT_COMES
              || ValueComparison.isAffinity(call.getOperator());
      return call.getOperator() == BINARY ? PLAIN : same ? of(call.operands.get(0), fields) : null;
    }
    return null;
  }

  private static boolean folds(String collation) {
    return collation != null && !collation.equals(PLAIN);
  }

  private static boolean isExplicit(RexNode node) {
    return node instanceof RexCall call && SqliteOperators.isCollation(call.getOperator());
  }

  private RexNode fold(RexNode node, String collation) {
    RelDataType type = node.getType();
    boolean text = SqlTypeUtil.isCharacter(type) || type.getSqlTypeName() == SqlTypeName.ANY;
    return text && !isExplicit(node)
        ? rex.makeCall(of(type), SqliteOperators.collation(collation), List.of(node))
        : node;
  }

  /** Not CHAR, which fills a shorter text with spaces. */
  private RelDataType of(RelDataType type) {
    return type.getSqlTypeName() == SqlTypeName.CHAR
        ? rex.getTypeFactory()
            .createTypeWithNullability(
                rex.getTypeFactory().createSqlType(SqlTypeName.VARCHAR), type.isNullable())
        : type;
  }

  private RexNode plain(RexNode node, List<String> fields) {
    if (node instanceof RexCall call && call.getOperator() == BINARY) {
      RexNode inner = call.operands.get(0);
      // What may hide a column stays: Calcite takes a CASE or a query apart.
      boolean plain = PLAIN.equals(of(inner, fields)) || inner instanceof RexLiteral;
      return plain ? inner : node;
    }
    return folds(of(node, fields)) && !isExplicit(node)
        ? rex.makeCall(of(node.getType()), BINARY, List.of(node))
        : node;
  }

  /** Both sides of a comparison, as its collation has them. */
  private List<RexNode> sides(RexNode left, RexNode right, List<String> fields) {
    if (isExplicit(left) || isExplicit(right)) {
      return List.of(plain(left, fields), plain(right, fields));
    }
    String collation = of(left, fields) == null ? of(right, fields) : of(left, fields);
    return folds(collation)
        ? List.of(fold(left, collation), fold(right, collation))
        : List.of(plain(left, fields), plain(right, fields));
  }

  private final class Comparisons extends RexShuttle {
    private final List<String> fields;

    private Comparisons(List<String> fields) {
      this.fields = fields;
    }

    @Override
    public RexNode visitCall(RexCall call) {
      if (call.getKind() == SqlKind.SEARCH) {
        return folds(of(call.operands.get(0), fields))
            ? RexUtil.expandSearch(rex, null, call).accept(this)
            : call;
      } else if (SqlKind.BINARY_COMPARISON.contains(call.getKind())) {
        List<RexNode> sides =
            sides(visited(call.operands.get(0)), visited(call.operands.get(1)), fields);
        return sides.equals(call.operands)
            ? call
            : rex.makeCall(call.getType(), call.getOperator(), sides);
      } else if (call.getOperator() == BINARY) {
        RexNode inner = call.operands.get(0).accept(this);
        return plain(rex.makeCall(call.getType(), BINARY, List.of(inner)), fields);
      }
      refuseExtreme(call);
      return super.visitCall(call);
    }

    /** An operand with its own comparisons changed; a COLLATE BINARY is looked at by its owner. */
    private RexNode visited(RexNode operand) {
      return operand instanceof RexCall call && call.getOperator() == BINARY
          ? operand
          : operand.accept(this);
    }

    private void refuseExtreme(RexCall call) {
      String name = call.getOperator().getName().toLowerCase(Locale.ROOT);
      boolean extreme = name.startsWith("min(?") || name.startsWith("max(?");
      if (extreme) {
        String first = null;
        for (RexNode operand : call.operands) {
          first = first == null ? of(operand, fields) : first;
        }
        if (folds(first)) {
          throw refused(name.substring(0, 3) + " of several values");
        }
      }
    }

    @Override
    public RexNode visitOver(RexOver over) {
      RexOver visited = (RexOver) super.visitOver(over);
      boolean extreme = over.getKind() == SqlKind.MIN || over.getKind() == SqlKind.MAX;
      if (extreme && folds(of(over.operands.get(0), fields))) {
        throw refused(over.getOperator().getName() + " OVER");
      }
      return visited;
    }

    @Override
    public RexWindow visitWindow(RexWindow window) {
      RexWindow visited = super.visitWindow(window);
      List<RexNode> partition = new ArrayList<>();
      visited.partitionKeys.forEach(key -> partition.add(key(key)));
      ImmutableList.Builder<RexFieldCollation> order = ImmutableList.builder();
      visited.orderKeys.forEach(key -> order.add(new RexFieldCollation(key(key.left), key.right)));
      return rex.makeWindow(
          partition,
          order.build(),
          visited.getLowerBound(),
          visited.getUpperBound(),
          visited.isRows(),
          visited.getExclude());
    }

    private RexNode key(RexNode node) {
      String collation = of(node, fields);
      return folds(collation) ? fold(node, collation) : node;
    }

    @Override
    public RexNode visitSubQuery(RexSubQuery subQuery) {
      RelNode inner = visit(subQuery.rel);
      List<String> columns = of(inner);
      List<RexNode> operands = new ArrayList<>();
      List<RexNode> results = new ArrayList<>();
      for (int i = 0; i < subQuery.operands.size(); i++) {
        RexNode left = visited(subQuery.operands.get(i));
        RexNode right = rex.makeInputRef(inner, i);
        String collation = of(left, fields) == null ? columns.get(i) : of(left, fields);
        boolean fold = folds(collation) && !isExplicit(left);
        operands.add(fold ? fold(left, collation) : plain(left, fields));
        results.add(fold ? fold(right, collation) : plain(right, columns));
      }
      if (subQuery.getKind() == SqlKind.SOME && !operands.equals(subQuery.operands)) {
        throw refused("SOME, ANY or ALL");
      }
      boolean same = results.stream().allMatch(RexInputRef.class::isInstance);
      return subQuery
          .clone(subQuery.getType(), operands)
          .clone(same ? inner : over(inner, results));
    }
  }

  private static RuntimeException refused(String what) {
    return FaissException.<RuntimeException>sneakyThrow(
        new FaissException(
            SqlState.UNSUPPORTED,
            what
                + " of a column that declares a collation is computed only by SQLite; give it"
                + " COLLATE in a view, or let the statement name only tables of one file"));
  }

  // Whole rows.

  private static RelNode over(RelNode input, List<RexNode> results) {
    return LogicalProject.create(
        input, List.of(), results, input.getRowType().getFieldNames(), Set.of());
  }

  /** Some fields of a node under the names of another, and with its collations. */
  private RelNode project(RelNode input, List<Integer> fields, RelNode as) {
    List<RexNode> results = new ArrayList<>();
    for (int i = 0; i < fields.size(); i++) {
      RexNode field = rex.makeInputRef(input, fields.get(i));
      RelDataType type = as.getRowType().getFieldList().get(i).getType();
      results.add(field.getType().equals(type) ? field : rex.makeAbstractCast(type, field, false));
    }
    RelNode project =
        LogicalProject.create(input, List.of(), results, as.getRowType().getFieldNames(), Set.of());
    known.put(project, of(as));
    return project;
  }

  /** An input with the folded texts of some of its fields after all others. */
  private RelNode withFolded(RelNode input, Map<Integer, Integer> places) {
    List<String> collations = of(input);
    List<RexNode> results = new ArrayList<>();
    List<String> names = new ArrayList<>(input.getRowType().getFieldNames());
    ImmutableIntList.identity(names.size()).forEach(i -> results.add(rex.makeInputRef(input, i)));
    for (Map.Entry<Integer, Integer> place : places.entrySet()) {
      RexNode field = rex.makeInputRef(input, place.getKey());
      place.setValue(results.size());
      results.add(fold(field, collations.get(place.getKey())));
      names.add("folded" + results.size());
    }
    return LogicalProject.create(input, List.of(), results, names, Set.of());
  }

  private Sort sorted(Sort sort) {
    List<String> collations = of(sort.getInput());
    Map<Integer, Integer> places = new LinkedHashMap<>();
    for (RelFieldCollation key : sort.getCollation().getFieldCollations()) {
      if (folds(collations.get(key.getFieldIndex()))) {
        places.put(key.getFieldIndex(), null);
      }
    }
    if (places.isEmpty()) {
      return sort;
    }
    RelNode input = withFolded(sort.getInput(), places);
    List<RelFieldCollation> keys = new ArrayList<>();
    for (RelFieldCollation key : sort.getCollation().getFieldCollations()) {
      Integer place = places.get(key.getFieldIndex());
      keys.add(place == null ? key : key.withFieldIndex(place));
    }
    return LogicalSort.create(input, RelCollations.of(keys), sort.offset, sort.fetch);
  }

  private RelNode grouped(Aggregate aggregate) {
    RelNode input = aggregate.getInput();
    List<String> collations = of(input);
    Map<Integer, Integer> places = new LinkedHashMap<>();
    aggregate.getGroupSet().stream()
        .filter(key -> folds(collations.get(key)))
        .forEach(key -> places.put(key, null));
    for (AggregateCall call : aggregate.getAggCallList()) {
      boolean one =
          call.getArgList().size() == 1 && folds(collations.get(call.getArgList().get(0)));
      if (one && (isExtremum(call) || call.isDistinct())) {
        if (!isExtremum(call) && !isOfNumbers(call)) {
          throw refused(call.getAggregation().getName() + "(DISTINCT …)");
        }
        places.put(call.getArgList().get(0), null);
      }
    }
    if (places.isEmpty()) {
      return aggregate;
    } else if (aggregate.getGroupType() != Aggregate.Group.SIMPLE) {
      throw refused("GROUPING SETS, ROLLUP or CUBE");
    }
    RelNode folded = withFolded(input, places);
    ImmutableBitSet.Builder keys = ImmutableBitSet.builder();
    for (int key : aggregate.getGroupSet()) {
      keys.set(places.getOrDefault(key, key));
    }
    ImmutableBitSet set = keys.build();
    List<AggregateCall> calls = new ArrayList<>();
    List<Integer> results = new ArrayList<>();
    for (int key : aggregate.getGroupSet()) {
      if (places.containsKey(key)) {
        results.add(set.cardinality() + calls.size());
        calls.add(
            AggregateCall.create(
                SqlParserPos.ZERO,
                Extremum.FIRST,
                false,
                false,
                false,
                List.of(),
                List.of(key),
                -1,
                null,
                RelCollations.EMPTY,
                folded.getRowType().getFieldList().get(key).getType(),
                null));
      } else {
        results.add(set.indexOf(key));
      }
    }
    for (AggregateCall call : aggregate.getAggCallList()) {
      results.add(set.cardinality() + calls.size());
      Integer place = call.getArgList().size() == 1 ? places.get(call.getArgList().get(0)) : null;
      calls.add(place == null ? call : ordered(call, place));
    }
    return project(
        LogicalAggregate.create(folded, List.of(), set, null, calls), results, aggregate);
  }

  private static boolean isExtremum(AggregateCall call) {
    return call.getAggregation().getKind() == SqlKind.MIN
        || call.getAggregation().getKind() == SqlKind.MAX;
  }

  private static boolean isOfNumbers(AggregateCall call) {
    switch (call.getAggregation().getKind()) {
      case COUNT:
      case SUM:
      case SUM0:
      case AVG:
        return true;
      default:
        return false;
    }
  }

  private static AggregateCall ordered(AggregateCall call, int place) {
    if (!isExtremum(call)) {
      return call.isDistinct() ? call.withArgList(List.of(place)) : call;
    }
    boolean least = call.getAggregation().getName().equalsIgnoreCase("min");
    return AggregateCall.create(
        call.getParserPosition(),
        least ? Extremum.LEAST_BY : Extremum.GREATEST_BY,
        false,
        false,
        false,
        List.of(),
        List.of(place, call.getArgList().get(0)),
        call.filterArg,
        null,
        call.getCollation(),
        call.getType(),
        call.getName());
  }

  private RelNode compound(SetOp compound) {
    List<String> collations = of(compound);
    List<RelNode> inputs = new ArrayList<>();
    for (RelNode input : compound.getInputs()) {
      inputs.add(asCompared(input, collations));
    }
    SetOp same =
        inputs.equals(compound.getInputs())
            ? compound
            : compound.copy(compound.getTraitSet(), inputs, compound.all);
    known.put(same, collations);
    if (compound.all || collations.stream().noneMatch(Collations::folds)) {
      return same;
    } else if (!(compound instanceof Union)) {
      throw refused(compound instanceof Minus ? "EXCEPT" : "INTERSECT");
    }
    RelNode all = LogicalUnion.create(inputs, true);
    known.put(all, collations);
    return grouped(
        LogicalAggregate.create(
            all,
            List.of(),
            ImmutableBitSet.range(all.getRowType().getFieldCount()),
            null,
            List.of()));
  }

  /** A part of a compound whose texts are compared as those of the first part are. */
  private RelNode asCompared(RelNode input, List<String> collations) {
    List<String> own = of(input);
    List<RexNode> results = new ArrayList<>();
    for (int i = 0; i < own.size(); i++) {
      RexNode field = rex.makeInputRef(input, i);
      results.add(folds(collations.get(i)) ? field : plain(field, own));
    }
    return results.stream().allMatch(RexInputRef.class::isInstance) ? input : over(input, results);
  }
}
