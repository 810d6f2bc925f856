/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlCallBinding;
import org.apache.calcite.sql.SqlCharStringLiteral;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlNumericLiteral;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.SqlWith;
import org.apache.calcite.sql.fun.SqlCase;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.sql.validate.SqlQualified;
import org.apache.calcite.sql.validate.SqlValidator;
import org.apache.calcite.sql.validate.SqlValidatorScope;
import org.apache.calcite.sql.validate.SqlValidatorTable;
import org.apache.calcite.sql.validate.SqlValidatorUtil;
import org.apache.calcite.sql.validate.implicit.TypeCoercionImpl;
import org.apache.calcite.util.Util;

/**
 * CASE and COALESCE of numbers and texts give each row its own type, and a comparison of a number
 * with a text takes either for the other only where the affinity of a column says so, as in SQLite.
 *
 * @see <a href="https://sqlite.org/datatype3.html">SQLite's type conversions before comparison</a>
 */
final class MixedTypes extends TypeCoercionImpl {
  MixedTypes(RelDataTypeFactory typeFactory, SqlValidator validator) {
    super(typeFactory, validator);
  }

  @Override
  public boolean binaryComparisonCoercion(SqlCallBinding binding) {
    if (binding.getOperandCount() == 2 && isText(binding, 0) && isText(binding, 1)) {
      fold(binding);
    }
    return asTheyCome(binding, 0, binding.getOperandCount())
        || super.binaryComparisonCoercion(binding);
  }

  /** A list of values, or a query, each of which is compared with what stands before IN. */
  @Override
  public boolean inOperationCoercion(SqlCallBinding binding) {
    SqlNode right = binding.operand(1);
    if (binding.getOperandType(0).getSqlTypeName() == SqlTypeName.NULL) {
      // Nothing equals it, whatever its type.
      return false;
    } else if (right instanceof SqlNodeList list) {
      Set<ValueKind> classes = EnumSet.noneOf(ValueKind.class);
      classes.add(ValueKind.of(binding.getOperandType(0)));
      for (SqlNode each : list) {
        classes.add(
            each instanceof SqlDynamicParam
                ? ValueKind.ANY
                : ValueKind.of(validator.deriveType(binding.getScope(), each)));
      }
      if (isFullMoment(binding.getOperandType(0), list.getList())
          || !differ(classes)
              && !(classes.contains(ValueKind.ANY)
                  && list.stream().anyMatch(MixedTypes::isMixing))) {
        return super.inOperationCoercion(binding);
      }
      for (int i = 0; i < list.size(); i++) {
        list.set(i, any(binding, list.get(i)));
      }
      return wrapped(binding, 0);
    } else if (binding.getOperandType(0).isStruct()) {
      return super.inOperationCoercion(binding);
    }
    RelDataType row = binding.getOperandType(1);
    RelDataType column = row.isStruct() ? row.getFieldList().get(0).getType() : row;
    return differ(EnumSet.of(ValueKind.of(binding.getOperandType(0)), ValueKind.of(column)))
        ? wrapped(binding, 0)
        : super.inOperationCoercion(binding);
  }

  /** The columns of a compound keep their values, whatever they are. */
  @Override
  public RelDataType getWiderTypeFor(List<RelDataType> types, boolean promoteTexts) {
    Set<ValueKind> classes = EnumSet.noneOf(ValueKind.class);
    types.forEach(type -> classes.add(ValueKind.of(type)));
    return promoteTexts && differ(classes)
        ? factory.createTypeWithNullability(factory.createSqlType(SqlTypeName.ANY), true)
        : super.getWiderTypeFor(types, promoteTexts);
  }

  @Override
  public boolean rowTypeCoercion(
      SqlValidatorScope scope, SqlNode query, int column, RelDataType target) {
    if (target.getSqlTypeName() != SqlTypeName.ANY) {
      return super.rowTypeCoercion(scope, query, column, target);
    }
    boolean changed = false;
    switch (query.getKind()) {
      case SELECT:
        SqlSelect select = (SqlSelect) query;
        changed = asItComes(validator.getSelectScope(select), select.getSelectList(), column);
        break;
      case VALUES:
        for (SqlNode row : ((SqlCall) query).getOperandList()) {
          SqlCall values = (SqlCall) row;
          SqlNode value = values.operand(column);
          values.setOperand(column, any(scope, value));
          changed = true;
        }
        break;
      case UNION:
      case INTERSECT:
      case EXCEPT:
        for (SqlNode part : ((SqlCall) query).getOperandList()) {
          changed |= rowTypeCoercion(scope, part, column, target);
        }
        break;
      case WITH:
        changed = rowTypeCoercion(scope, ((SqlWith) query).body, column, target);
        break;
      default:
        return super.rowTypeCoercion(scope, query, column, target);
    }
    updateInferredColumnType(scope, query, column, target);
    return changed;
  }

  private boolean asItComes(SqlValidatorScope scope, SqlNodeList columns, int i) {
    SqlNode column = columns.get(i);
    if (column.getKind() == SqlKind.AS) {
      SqlCall named = (SqlCall) column;
      named.setOperand(0, any(scope, named.operand(0)));
      validator.deriveType(scope, named);
    } else {
      String name = SqlValidatorUtil.alias(column, i);
      columns.set(i, SqlValidatorUtil.addAlias(any(scope, column), name));
      validator.deriveType(scope, columns.get(i));
    }
    return true;
  }

  private boolean wrapped(SqlCallBinding binding, int i) {
    if (ValueKind.of(binding.getOperandType(i)) != ValueKind.ANY
        || isComputed(binding.operand(i))) {
      wrap(binding, i);
    }
    return true;
  }

  private void wrap(SqlCallBinding binding, int i) {
    binding.getCall().setOperand(i, same(binding.getScope(), binding.operand(i)));
  }

  /** A value of any type, and of what is computed one that no column's affinity is given. */
  private SqlNode same(SqlValidatorScope scope, SqlNode node) {
    if (!isComputed(node)) {
      return any(scope, node);
    }
    SqlCall call = (SqlCall) node;
    SqlNode wrapped =
        isCollated(node)
            ? call.getOperator().createCall(node.getParserPosition(), same(scope, call.operand(0)))
            : SqliteOperators.COMPUTED.createCall(node.getParserPosition(), node);
    validator.deriveType(scope, wrapped);
    return wrapped;
  }

  /** Whether a value has no column's affinity, though Calcite may find that it is a column's. */
  private static boolean isComputed(SqlNode node) {
    if (isCollated(node)) {
      return isComputed(((SqlCall) node).operand(0));
    }
    return node instanceof SqlCall call
        && call.getKind() != SqlKind.CAST
        && !isNumber(call)
        && !call.isA(SqlKind.QUERY)
        && call.getKind() != SqlKind.ROW
        && !(SqliteOperators.isOne(call.getOperator()) && call.operandCount() == 1);
  }

  /** Values of different kinds stay what they are: {@link Affinity} says how they compare. */
  private boolean asTheyCome(SqlCallBinding binding, int from, int to) {
    Set<ValueKind> classes = EnumSet.noneOf(ValueKind.class);
    List<SqlNode> others = new ArrayList<>();
    RelDataType moment = null;
    for (int i = from; i < to; i++) {
      RelDataType type = binding.getOperandType(i);
      if (binding.operand(i) instanceof SqlDynamicParam) {
        return false;
      }
      classes.add(ValueKind.of(type));
      if (ValueKind.of(type) == ValueKind.MOMENT) {
        moment = type;
      } else {
        others.add(binding.operand(i));
      }
    }
    if (classes.contains(ValueKind.ANY) && !differ(classes)) {
      for (int i = from; i < to; i++) {
        if (isMixing(binding.operand(i)) || isComputed(binding.operand(i))) {
          wrap(binding, i);
        }
      }
      return true;
    } else if (!differ(classes) || moment != null && isFullMoment(moment, others)) {
      return false;
    }
    for (int i = from; i < to; i++) {
      wrapped(binding, i);
    }
    return true;
  }

  /**
   * Whether a literal that is compared with a value of any type is none of an integer: Calcite
   * would sort values of several kinds into one list of ranges.
   */
  private static boolean isMixing(SqlNode node) {
    return node instanceof SqlNumericLiteral number
        ? !number.isInteger()
        : node instanceof SqlLiteral
            || isNumber(node) && (node.getKind() == SqlKind.CAST || isMixing(operand(node)));
  }

  /** Whether a call is a number as it is written: with a sign, or given the type of real ones. */
  private static boolean isNumber(SqlNode node) {
    boolean sign = node.getKind() == SqlKind.MINUS_PREFIX || node.getKind() == SqlKind.CAST;
    return sign && (operand(node) instanceof SqlNumericLiteral || isNumber(operand(node)));
  }

  private static SqlNode operand(SqlNode call) {
    return ((SqlCall) call).operand(0);
  }

  private static boolean differ(Set<ValueKind> classes) {
    return !classes.contains(ValueKind.OTHER)
        && classes.size()
            > (classes.contains(ValueKind.ANY) || classes.contains(ValueKind.NULL) ? 2 : 1);
  }

  private static boolean isFullMoment(RelDataType type, List<SqlNode> others) {
    return ValueKind.of(type) == ValueKind.MOMENT
        && others.stream()
            .allMatch(
                each ->
                    each instanceof SqlCharStringLiteral literal
                        && Moments.isFull(literal.getValueAs(String.class), type.getSqlTypeName()));
  }

  /**
   * Compares by the collation that a column declares. {@link Collations} does it for all others; of
   * a column that is named here Calcite would join ranges before, as its own order of texts has it.
   */
  private void fold(SqlCallBinding binding) {
    SqlNode left = uncast(binding.operand(0));
    SqlNode right = uncast(binding.operand(1));
    if (isCollated(left) || isCollated(right)) {
      return;
    }
    SqlNode column =
        left instanceof SqlIdentifier ? left : right instanceof SqlIdentifier ? right : null;
    SqliteTable table = column == null ? null : table(binding, (SqlIdentifier) column);
    if (table == null) {
      return;
    }
    SqlOperator by =
        SqliteOperators.collation(
            table.collation(
                Util.last(
                    binding.getScope().fullyQualify((SqlIdentifier) column).identifier.names)));
    if (by != SqliteOperators.BINARY) {
      for (int i = 0; i < 2; i++) {
        SqlNode operand = binding.operand(i);
        SqlNode folded = by.createCall(operand.getParserPosition(), operand);
        validator.deriveType(binding.getScope(), folded);
        binding.getCall().setOperand(i, folded);
      }
    }
  }

  private static SqlNode uncast(SqlNode node) {
    return node.getKind() == SqlKind.CAST ? uncast(((SqlCall) node).operand(0)) : node;
  }

  private static boolean isCollated(SqlNode node) {
    return node instanceof SqlCall call && SqliteOperators.isCollation(call.getOperator());
  }

  /** The SQLite table that a name is a column of; null if it isn't one's. */
  private static SqliteTable table(SqlCallBinding binding, SqlIdentifier name) {
    SqlQualified qualified = binding.getScope().fullyQualify(name);
    SqlValidatorTable table = qualified.namespace == null ? null : qualified.namespace.getTable();
    return table == null ? null : table.unwrap(SqliteTable.class);
  }

  /** A text in a sum is the number that it begins with, whole or not as it is written. */
  @Override
  public boolean binaryArithmeticCoercion(SqlCallBinding binding) {
    switch (binding.getCall().getKind()) {
      case PLUS:
      case MINUS:
      case TIMES:
      case MINUS_PREFIX:
        return texts(binding) || super.binaryArithmeticCoercion(binding);
      default:
        return super.binaryArithmeticCoercion(binding);
    }
  }

  @Override
  public boolean builtinFunctionCoercion(
      SqlCallBinding binding, List<RelDataType> types, List<SqlTypeFamily> expected) {
    SqlKind kind = binding.getCall().getKind();
    boolean numbers = kind == SqlKind.MINUS_PREFIX || kind == SqlKind.SUM || kind == SqlKind.AVG;
    if (binding.getOperator() == SqlStdOperatorTable.CONCAT && isOfAny(binding)) {
      for (int i = 0; i < binding.getOperandCount(); i++) {
        binding.getCall().setOperand(i, any(binding, binding.operand(i)));
      }
      return true;
    }
    return numbers && texts(binding) || super.builtinFunctionCoercion(binding, types, expected);
  }

  private static boolean isOfAny(SqlCallBinding binding) {
    for (int i = 0; i < binding.getOperandCount(); i++) {
      ValueKind of = ValueKind.of(binding.getOperandType(i));
      if (of == ValueKind.ANY || of == ValueKind.BLOB) {
        return true;
      }
    }
    return false;
  }

  private boolean texts(SqlCallBinding binding) {
    boolean found = false;
    boolean interval = false;
    for (int i = 0; i < binding.getOperandCount(); i++) {
      interval |= SqlTypeUtil.isInterval(binding.getOperandType(i));
    }
    for (int i = 0; i < binding.getOperandCount() && !interval; i++) {
      ValueKind of = ValueKind.of(binding.getOperandType(i));
      boolean text = of == ValueKind.TEXT || of == ValueKind.CONDITION || of == ValueKind.MOMENT;
      if (text && !(binding.operand(i) instanceof SqlDynamicParam)) {
        binding.getCall().setOperand(i, any(binding, binding.operand(i)));
        found = true;
      }
    }
    return found;
  }

  private static boolean isText(SqlCallBinding binding, int i) {
    return SqlTypeUtil.isCharacter(binding.getOperandType(i));
  }

  @Override
  public boolean caseWhenCoercion(SqlCallBinding binding) {
    SqlCase call = (SqlCase) binding.getCall();
    List<SqlNode> branches = new ArrayList<>(call.getThenOperands());
    if (call.getElseOperand() != null) {
      branches.add(call.getElseOperand());
    }
    Set<ValueKind> classes = EnumSet.noneOf(ValueKind.class);
    for (SqlNode branch : branches) {
      classes.add(ValueKind.of(validator.deriveType(binding.getScope(), branch)));
    }
    if (!differ(classes)) {
      return super.caseWhenCoercion(binding);
    }
    SqlNodeList thens = call.getThenOperands();
    for (int i = 0; i < thens.size(); i++) {
      thens.set(i, same(binding.getScope(), thens.get(i)));
    }
    if (call.getElseOperand() != null) {
      call.setOperand(3, same(binding.getScope(), call.getElseOperand()));
    }
    return true;
  }

  private SqlNode any(SqlCallBinding binding, SqlNode branch) {
    return any(binding.getScope(), branch);
  }

  private SqlNode any(SqlValidatorScope scope, SqlNode node) {
    SqlNode cast = SqliteOperators.AS_IT_COMES.createCall(node.getParserPosition(), node);
    validator.deriveType(scope, cast);
    return cast;
  }
}
