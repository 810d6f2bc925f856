/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import io.github.calcitefaiss.sqlite.DeclaredType;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.sql.SqlBasicCall;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlCallBinding;
import org.apache.calcite.sql.SqlCharStringLiteral;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlNumericLiteral;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.fun.SqlCase;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.sql.validate.SqlQualified;
import org.apache.calcite.sql.validate.SqlValidator;
import org.apache.calcite.sql.validate.SqlValidatorTable;
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
    SqlCall call = binding.getCall();
    String sign = sign(call.getKind());
    if (binding.getOperandCount() == 2 && isText(binding, 0) && isText(binding, 1)) {
      fold(binding);
    }
    if (sign == null || binding.getOperandCount() != 2) {
      return super.binaryComparisonCoercion(binding);
    }
    boolean text = isText(binding, 0) || isText(binding, 1);
    if (text && (isBoolean(binding, 0) || isBoolean(binding, 1))) {
      // Of a column that is read as BOOLEAN nobody sees what text it held.
      throw binding.newValidationSignatureError();
    }
    boolean number =
        SqlTypeUtil.isNumeric(binding.getOperandType(0))
            || SqlTypeUtil.isNumeric(binding.getOperandType(1));
    boolean columns =
        binding.operand(0) instanceof SqlIdentifier && binding.operand(1) instanceof SqlIdentifier;
    String left = affinity(binding, 0);
    String right = affinity(binding, 1);
    if (NUMBER_OR_TEXT.equals(left) && uncast(binding.operand(1)) instanceof SqlNumericLiteral) {
      // A number has no affinity that would count, whatever type it was given.
      right = "?";
    } else if (NUMBER_OR_TEXT.equals(right)
        && uncast(binding.operand(0)) instanceof SqlNumericLiteral) {
      left = "?";
    }
    if (!text || !number || columns || left == null || right == null) {
      return super.binaryComparisonCoercion(binding);
    }
    for (int i = 0; i < 2; i++) {
      boolean numeric = NUMERIC.contains(i == 0 ? right : left);
      if (numeric && saysNumber(binding.operand(i))) {
        return super.binaryComparisonCoercion(binding);
      }
    }
    ((SqlBasicCall) call).setOperator(SqliteOperators.comparison(left + " " + sign + " " + right));
    return true;
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
    boolean negative = binding.getCall().getKind() == SqlKind.MINUS_PREFIX;
    return negative && texts(binding) || super.builtinFunctionCoercion(binding, types, expected);
  }

  private boolean texts(SqlCallBinding binding) {
    boolean found = false;
    for (int i = 0; i < binding.getOperandCount(); i++) {
      if (isText(binding, i) && !(binding.operand(i) instanceof SqlDynamicParam)) {
        binding.getCall().setOperand(i, any(binding, binding.operand(i)));
        found = true;
      }
    }
    return found;
  }

  /** A value of a column that keeps numbers and other texts: read as text, it is one of these. */
  private static final String NUMBER_OR_TEXT =
      "(select iif(v = cast(v as numeric) || '', cast(v as numeric), v) from (select ? as v))";

  private static final Set<String> NUMERIC = Set.of("cast(? as integer)", "cast(? as real)");

  private static String sign(SqlKind kind) {
    switch (kind) {
      case EQUALS:
      case NOT_EQUALS:
      case LESS_THAN:
      case LESS_THAN_OR_EQUAL:
      case GREATER_THAN:
      case GREATER_THAN_OR_EQUAL:
        return kind.sql;
      default:
        return null;
    }
  }

  private static boolean isText(SqlCallBinding binding, int i) {
    return SqlTypeUtil.isCharacter(binding.getOperandType(i));
  }

  private static boolean isBoolean(SqlCallBinding binding, int i) {
    return SqlTypeUtil.isBoolean(binding.getOperandType(i));
  }

  /** Whether a literal is a text that reads as a number. */
  private static boolean saysNumber(SqlNode node) {
    return node instanceof SqlCharStringLiteral literal
        && literal.getValueAs(String.class).matches("\\s*-?\\d{1,15}(\\.\\d{1,6})?\\s*");
  }

  /**
   * An operand as SQLite sees it: with its column's affinity, which a cast of the value says again;
   * null where that isn't known.
   */
  private String affinity(SqlCallBinding binding, int i) {
    SqlNode operand = binding.operand(i);
    if (operand instanceof SqlDynamicParam) {
      return null;
    }
    if (!(operand instanceof SqlIdentifier name)) {
      return operand.getKind() == SqlKind.CAST || operand.isA(SqlKind.QUERY) ? null : "?";
    }
    SqlQualified qualified = binding.getScope().fullyQualify(name);
    if (qualified.namespace == null || qualified.namespace.getTable() == null) {
      return null;
    }
    RelDataType type = binding.getOperandType(i);
    return SqlTypeUtil.isCharacter(type)
        ? isOfNumbers(binding, name) ? NUMBER_OR_TEXT : "cast(? as text)"
        : SqlTypeName.INT_TYPES.contains(type.getSqlTypeName())
            ? "cast(? as integer)"
            : SqlTypeUtil.isNumeric(type) ? "cast(? as real)" : "?";
  }

  /**
   * Whether a column that is read as text has the affinity NUMERIC in SQLite, as those declared as
   * dates have.
   */
  private static boolean isOfNumbers(SqlCallBinding binding, SqlIdentifier name) {
    SqliteTable table = table(binding, name);
    SqliteTable.Column column =
        table == null
            ? null
            : table.column(Util.last(binding.getScope().fullyQualify(name).identifier.names));
    return column != null && DeclaredType.isNumeric(column.declared());
  }

  @Override
  public boolean caseWhenCoercion(SqlCallBinding binding) {
    SqlCase call = (SqlCase) binding.getCall();
    List<SqlNode> branches = new ArrayList<>(call.getThenOperands());
    if (call.getElseOperand() != null) {
      branches.add(call.getElseOperand());
    }
    boolean text = false;
    boolean other = false;
    for (SqlNode branch : branches) {
      RelDataType type = validator.deriveType(binding.getScope(), branch);
      text |= SqlTypeUtil.isCharacter(type);
      other |= SqlTypeUtil.isNumeric(type) || SqlTypeUtil.isBinary(type);
    }
    if (!text || !other) {
      return super.caseWhenCoercion(binding);
    }
    SqlNodeList thens = call.getThenOperands();
    for (int i = 0; i < thens.size(); i++) {
      thens.set(i, any(binding, thens.get(i)));
    }
    if (call.getElseOperand() != null) {
      call.setOperand(3, any(binding, call.getElseOperand()));
    }
    return true;
  }

  private SqlNode any(SqlCallBinding binding, SqlNode branch) {
    SqlNode cast = SqliteOperators.AS_IT_COMES.createCall(branch.getParserPosition(), branch);
    validator.deriveType(binding.getScope(), cast);
    return cast;
  }
}
