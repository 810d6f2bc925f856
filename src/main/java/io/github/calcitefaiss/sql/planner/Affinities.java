/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import io.github.calcitefaiss.sqlite.DeclaredType;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.Correlate;
import org.apache.calcite.rel.core.CorrelationId;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.TableFunctionScan;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.core.Values;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexCorrelVariable;
import org.apache.calcite.rex.RexDynamicParam;
import org.apache.calcite.rex.RexFieldAccess;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexSubQuery;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;

/**
 * The affinity that each value of a tree has in a comparison: that of the column that it is, or of
 * the cast.
 *
 * @see <a href="https://sqlite.org/datatype3.html#affinity_of_expressions">Affinity of
 *     expressions</a>
 */
final class Affinities {
  /** What a column does to a value that it is compared with; nothing for a value without any. */
  enum Kind {
    /** Nothing, and nothing is done to it but by numbers. */
    BLOB,
    /** Numbers become texts. */
    TEXT,
    /** Texts that say a number become one, whose whole numbers are integers: INTEGER, NUMERIC. */
    NUMERIC,
    /** The same of a column that keeps whole numbers as real ones. */
    REAL;

    boolean isOfNumbers() {
      return this == NUMERIC || this == REAL;
    }
  }

  private final Map<CorrelationId, List<Kind>> correlated = new HashMap<>();
  private final Map<RelNode, List<Kind>> known = new IdentityHashMap<>();

  /** Remembers what the values of an outer row are. */
  void outer(CorrelationId id, List<Kind> fields) {
    correlated.put(id, fields);
  }

  /** For each field its affinity, null for none. */
  List<Kind> of(RelNode node) {
    List<Kind> kinds = known.get(node);
    if (kinds == null) {
      kinds = computed(node);
      known.put(node, kinds);
    }
    return kinds;
  }

  private List<Kind> computed(RelNode node) {
    List<Kind> fields = new ArrayList<>();
    if (node instanceof TableScan scan) {
      SqliteTable table = scan.getTable().unwrap(SqliteTable.class);
      scan.getRowType()
          .getFieldList()
          .forEach(
              field ->
                  fields.add(
                      table == null
                          ? ofForeign(field.getType())
                          : of(table, table.column(field.getName()))));
      return fields;
    } else if (node instanceof Project project) {
      List<Kind> input = of(project.getInput());
      project.getProjects().forEach(each -> fields.add(of(each, input)));
      return fields;
    } else if (node instanceof Aggregate aggregate) {
      List<Kind> input = of(aggregate.getInput());
      aggregate.getGroupSet().forEach(key -> fields.add(input.get(key)));
      aggregate
          .getAggCallList()
          .forEach(
              call ->
                  fields.add(
                      call.getAggregation().getKind() == SqlKind.SINGLE_VALUE
                          ? input.get(call.getArgList().get(0))
                          : null));
      return fields;
    }
    int count = node.getRowType().getFieldCount();
    if (node instanceof TableFunctionScan) {
      return Collections.nCopies(count, Kind.BLOB);
    } else if (node instanceof Values || node.getInputs().isEmpty()) {
      return Collections.nCopies(count, null);
    }
    boolean all = node instanceof Join || node instanceof Correlate;
    for (RelNode input : all ? node.getInputs() : node.getInputs().subList(0, 1)) {
      fields.addAll(of(input));
    }
    // A semi-join gives the left side's fields only; a window adds some of its own.
    while (fields.size() < count) {
      fields.add(null);
    }
    return fields.subList(0, count);
  }

  private static Kind of(SqliteTable table, SqliteTable.Column column) {
    String declared = column == null ? "" : column.declared();
    if (declared.isEmpty()) {
      return table.isView() ? null : Kind.BLOB;
    }
    return DeclaredType.isNumeric(declared)
        ? Kind.NUMERIC
        : ofForeign(DeclaredType.stored(declared));
  }

  private static Kind ofForeign(RelDataType type) {
    return SqlTypeUtil.isCharacter(type) ? Kind.TEXT : ofForeign(type.getSqlTypeName());
  }

  private static Kind ofForeign(SqlTypeName type) {
    switch (type) {
      case CHAR:
      case VARCHAR:
        return Kind.TEXT;
      case ANY:
      case BINARY:
      case VARBINARY:
        return Kind.BLOB;
      case FLOAT:
      case REAL:
      case DOUBLE:
      case DECIMAL:
        return Kind.REAL;
      default:
        return Kind.NUMERIC;
    }
  }

  /** The affinity of an expression over fields. */
  Kind of(RexNode node, List<Kind> fields) {
    if (node instanceof RexInputRef ref) {
      return fields.get(ref.getIndex());
    } else if (node instanceof RexFieldAccess access
        && access.getReferenceExpr() instanceof RexCorrelVariable variable) {
      List<Kind> outer = correlated.get(variable.id);
      return outer == null ? null : outer.get(access.getField().getIndex());
    } else if (node instanceof RexSubQuery query) {
      return query.getKind() == SqlKind.SCALAR_QUERY ? of(query.rel).get(0) : null;
    } else if (!(node instanceof RexCall call) || call.operands.size() != 1) {
      return null;
    } else {
      return of(call, fields);
    }
  }

  private Kind of(RexCall call, List<Kind> fields) {
    SqlOperator operator = call.getOperator();
    RexNode operand = call.operands.get(0);
    if (operator == SqliteOperators.TO_INTEGER || operator == SqliteOperators.TO_NUMERIC) {
      return Kind.NUMERIC;
    } else if (operator == SqliteOperators.TO_REAL) {
      return Kind.REAL;
    } else if (operator == SqliteOperators.TEXT_OF) {
      return Kind.TEXT;
    } else if (operator == SqliteOperators.AS_IT_COMES || SqliteOperators.isCollation(operator)) {
      return of(operand, fields);
    } else if (call.getKind() != SqlKind.CAST) {
      return null;
    }
    boolean constant = operand instanceof RexLiteral || operand instanceof RexDynamicParam;
    return constant || call.getType().getSqlTypeName() == SqlTypeName.ANY
        ? of(operand, fields)
        : ofForeign(call.getType());
  }
}
