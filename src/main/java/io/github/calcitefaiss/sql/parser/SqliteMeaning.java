/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.sql.SqlBasicTypeNameSpec;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlCharStringLiteral;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlFunctionCategory;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlNumericLiteral;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.SqlUnresolvedFunction;
import org.apache.calcite.sql.fun.SqlCase;
import org.apache.calcite.sql.fun.SqlJsonArrayFunction;
import org.apache.calcite.sql.fun.SqlJsonObjectFunction;
import org.apache.calcite.sql.fun.SqlLikeOperator;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.fun.SqlTrimFunction;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlShuttle;

/**
 * Gives a parse tree the meaning that SQLite gives to its text: whole numbers have 64 bits, texts
 * no length, names that are no keywords of SQLite's are columns, and functions that have a grammar
 * of their own in the standard are functions as any other.
 */
final class SqliteMeaning extends SqlShuttle {
  private static final Set<String> NAMES =
      Set.of(
          "CURRENT_CATALOG",
          "CURRENT_PATH",
          "CURRENT_ROLE",
          "CURRENT_SCHEMA",
          "CURRENT_USER",
          "PI",
          "SESSION_USER",
          "SYSDATE",
          "SYSTEM_USER",
          "SYSTIMESTAMP",
          "USER");

  private static final Set<String> PLAIN = Set.of("CEIL", "CEILING", "FLOOR", "SUBSTRING");

  @Override
  public SqlNode visit(SqlDataTypeSpec type) {
    switch (type.getTypeName().toString().toUpperCase(Locale.ROOT)) {
      case "INTEGER":
      case "INT":
      case "SMALLINT":
      case "TINYINT":
        return type.getCollectionsTypeName() == null ? type(SqlTypeName.BIGINT, type) : type;
      default:
        return type;
    }
  }

  private static SqlDataTypeSpec type(SqlTypeName name, SqlNode at) {
    SqlParserPos position = at.getParserPosition();
    return new SqlDataTypeSpec(new SqlBasicTypeNameSpec(name, position), position);
  }

  /** A number with a fraction is a double. */
  @Override
  public SqlNode visit(SqlLiteral literal) {
    return literal instanceof SqlNumericLiteral number
            && !number.isInteger()
            && number.getTypeName() == SqlTypeName.DECIMAL
        ? SqlStdOperatorTable.CAST.createCall(
            literal.getParserPosition(), literal, type(SqlTypeName.DOUBLE, literal))
        : literal;
  }

  @Override
  public SqlNode visit(SqlCall call) {
    SqlNode node = super.visit(call);
    if (!(node instanceof SqlCall visited)) {
      return node;
    }
    if (visited.getOperator() instanceof SqlFunction function) {
      String name = function.getName().toUpperCase(Locale.ROOT);
      if (visited.operandCount() == 0
          && NAMES.contains(name)
          && !(function instanceof SqlUnresolvedFunction)) {
        SqlParserPos quoted = visited.getParserPosition().withQuoting(true);
        return new SqlIdentifier(
            ImmutableList.of(name.toLowerCase(Locale.ROOT)),
            null,
            quoted,
            ImmutableList.of(quoted));
      } else if (function instanceof SqlTrimFunction && visited.operandCount() == 3) {
        return trim(visited);
      } else if (function instanceof SqlJsonArrayFunction
          || function instanceof SqlJsonObjectFunction) {
        return call(name, visited.getOperandList().subList(1, visited.operandCount()), visited);
      } else if (PLAIN.contains(name) && !(function instanceof SqlUnresolvedFunction)) {
        return call(name, visited.getOperandList(), visited);
      }
    }
    if (visited.operandCount() == 2
        && (visited.getKind() == SqlKind.MOD
            || visited.getKind() == SqlKind.DIVIDE && !isDivisor(visited.operand(1)))) {
      String sign = visited.getKind() == SqlKind.MOD ? "? % ?" : "? / ?";
      return call(sign, List.of(wide(visited.operand(0)), wide(visited.operand(1))), visited);
    }
    if (visited.getKind() == SqlKind.COALESCE) {
      return call(
          "coalesce", visited.getOperandList().stream().map(SqliteMeaning::wide).toList(), visited);
    }
    if (visited.getOperator() instanceof SqlLikeOperator like
        && visited.getKind() == SqlKind.LIKE
        && like.getName().endsWith("LIKE")
        && !like.getName().endsWith("ILIKE")) {
      List<SqlNode> arguments = new ArrayList<>(visited.getOperandList());
      arguments.add(0, arguments.remove(1));
      SqlNode found = call("like", arguments, visited);
      return like.isNegated()
          ? SqlStdOperatorTable.NOT.createCall(visited.getParserPosition(), found)
          : found;
    }
    switch (visited.getKind()) {
      case PLUS:
      case MINUS:
      case TIMES:
      case DIVIDE:
      case MOD:
      case ROW:
        for (int i = 0; i < visited.operandCount(); i++) {
          visited.setOperand(i, wide(visited.operand(i)));
        }
        break;
      case CASE:
        SqlCase choice = (SqlCase) visited;
        choice.getThenOperands().replaceAll(SqliteMeaning::wide);
        if (choice.getElseOperand() != null) {
          choice.setOperand(3, wide(choice.getElseOperand()));
        }
        break;
      case SELECT:
        SqlNodeList list = ((SqlSelect) visited).getSelectList();
        list.replaceAll(SqliteMeaning::selected);
        break;
      default:
        break;
    }
    return visited;
  }

  private static SqlNode selected(SqlNode item) {
    if (item != null && item.getKind() == SqlKind.AS) {
      SqlCall as = (SqlCall) item;
      as.setOperand(0, wide(as.operand(0)));
      return as;
    }
    return wide(item);
  }

  /** A literal without the width that Calcite would give it. */
  private static SqlNode wide(SqlNode node) {
    SqlTypeName type =
        node instanceof SqlNumericLiteral number && number.isInteger()
            ? SqlTypeName.BIGINT
            : node instanceof SqlCharStringLiteral ? SqlTypeName.VARCHAR : null;
    if (type == null || type == SqlTypeName.BIGINT && !isLong((SqlLiteral) node)) {
      return node;
    }
    return SqlStdOperatorTable.CAST.createCall(node.getParserPosition(), node, type(type, node));
  }

  /** Whether a quotient by it is the same to Java: a number that isn't 0. */
  private static boolean isDivisor(SqlNode node) {
    if (node.getKind() == SqlKind.CAST) {
      return isDivisor(((SqlCall) node).operand(0));
    }
    return node instanceof SqlNumericLiteral number && number.bigDecimalValue().signum() != 0;
  }

  private static boolean isLong(SqlLiteral literal) {
    return literal.bigDecimalValue().toBigInteger().bitLength() < 64;
  }

  private static SqlNode trim(SqlCall call) {
    SqlTrimFunction.Flag side =
        ((SqlLiteral) call.operand(0)).getValueAs(SqlTrimFunction.Flag.class);
    List<SqlNode> arguments = new ArrayList<>(List.of(call.operand(2), call.operand(1)));
    String name =
        side == SqlTrimFunction.Flag.LEADING
            ? "ltrim"
            : side == SqlTrimFunction.Flag.TRAILING ? "rtrim" : "trim";
    return call(name, arguments, call);
  }

  private static SqlNode call(String name, List<SqlNode> arguments, SqlCall like) {
    SqlParserPos position = like.getParserPosition();
    return new SqlUnresolvedFunction(
            new SqlIdentifier(name, position),
            null,
            null,
            null,
            null,
            SqlFunctionCategory.USER_DEFINED_FUNCTION)
        .createCall(position, arguments);
  }
}
