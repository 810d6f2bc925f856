/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import com.google.common.collect.ImmutableList;
import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.calcite.sql.JoinConditionType;
import org.apache.calcite.sql.JoinType;
import org.apache.calcite.sql.SqlBasicTypeNameSpec;
import org.apache.calcite.sql.SqlBinaryStringLiteral;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlCharStringLiteral;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlFunctionCategory;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlJoin;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlNumericLiteral;
import org.apache.calcite.sql.SqlOrderBy;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.SqlUnresolvedFunction;
import org.apache.calcite.sql.SqlWindow;
import org.apache.calcite.sql.fun.SqlBetweenOperator;
import org.apache.calcite.sql.fun.SqlCase;
import org.apache.calcite.sql.fun.SqlJsonArrayFunction;
import org.apache.calcite.sql.fun.SqlJsonObjectFunction;
import org.apache.calcite.sql.fun.SqlLikeOperator;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.fun.SqlTrimFunction;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlBasicVisitor;
import org.apache.calcite.sql.util.SqlShuttle;

/**
 * Gives a parse tree the meaning that SQLite gives to its text: whole numbers have 64 bits, texts
 * no length, names that are no keywords of SQLite's are columns, and functions that have a grammar
 * of their own in the standard are functions as any other.
 */
final class SqliteMeaning extends SqlShuttle {
  private static final String COLLATE = "? collate ";

  /** What Calcite gives other values for than SQLite. */
  private static final Set<String> OTHERWISE = Set.of("NTH_VALUE");

  /** What may compute for hours on a short text, and looks at no cancel flag meanwhile. */
  private static final Set<String> ENDLESS =
      Set.of(
          "EXISTSNODE",
          "EXTRACTVALUE",
          "REGEXP",
          "REGEXP_CONTAINS",
          "REGEXP_EXTRACT",
          "REGEXP_EXTRACT_ALL",
          "REGEXP_INSTR",
          "REGEXP_LIKE",
          "REGEXP_REPLACE",
          "REGEXP_SUBSTR",
          "RLIKE",
          "XMLTRANSFORM");

  /** The arguments of Calcite's functions that are numbers of 32 bits, by their places from 0. */
  private static final Map<String, Set<Integer>> NARROW =
      Map.of(
          "CHR", Set.of(0),
          "LEFT", Set.of(1),
          "LEFTSHIFT", Set.of(1),
          "POSITION", Set.of(2),
          "RAND", Set.of(0),
          "RAND_INTEGER", Set.of(0, 1),
          "RIGHT", Set.of(1));

  /**
   * The calls that fold texts in a condition of WHERE, HAVING or ON, or in ORDER BY. In SQLite a
   * collation inside of any other expression is that of the whole.
   */
  private final Set<SqlNode> folds = Collections.newSetFromMap(new IdentityHashMap<>());

  private static final Set<String> NAMES =
      Set.of("PI", "SESSION_USER", "SYSDATE", "SYSTEM_USER", "SYSTIMESTAMP", "USER");

  private static final Set<String> PLAIN =
      Set.of("CEIL", "CEILING", "FLOOR", "OVERLAY", "SUBSTRING");

  private SqliteMeaning() {}

  /**
   * A statement's tree with SQLite's meaning.
   *
   * @throws Misplaced if it has what can't be given that meaning
   */
  static SqlNode of(SqlNode tree) {
    SqliteMeaning meaning = new SqliteMeaning();
    SqlNode changed = tree.accept(meaning);
    changed.accept(
        new SqlBasicVisitor<Void>() {
          @Override
          public Void visit(SqlCall call) {
            if (collation(call) != null && !meaning.folds.contains(call)) {
              throw new Misplaced(
                  "COLLATE is understood in conditions of WHERE, HAVING and ON and in ORDER BY, not here",
                  call.getParserPosition());
            }
            return super.visit(call);
          }
        });
    return changed;
  }

  /** The comparisons that depend on the order of texts. */
  private static final Set<SqlKind> ORDERS =
      Set.of(
          SqlKind.LESS_THAN,
          SqlKind.LESS_THAN_OR_EQUAL,
          SqlKind.GREATER_THAN,
          SqlKind.GREATER_THAN_OR_EQUAL,
          SqlKind.BETWEEN);

  /** Something that can't be given SQLite's meaning. */
  static final class Misplaced extends RuntimeException {
    private static final long serialVersionUID = 1;

    final transient SqlParserPos position;

    private Misplaced(String message, SqlParserPos position) {
      super(message, null, false, false);
      this.position = position;
    }
  }

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
      SqlNode replaced = function(name, visited);
      if (replaced != null) {
        return replaced;
      }
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
    if (visited.getOperator() == SqlStdOperatorTable.CONCAT) {
      for (int i = 0; i < 2; i++) {
        SqlNode operand = visited.operand(i);
        if (isOtherText(operand)) {
          visited.setOperand(i, call("cast(? as text)", List.of(operand), operand));
        }
      }
      return visited;
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
          visited.setOperand(i, wide(value(visited.operand(i))));
        }
        break;
      case EQUALS:
      case NOT_EQUALS:
      case LESS_THAN:
      case LESS_THAN_OR_EQUAL:
      case GREATER_THAN:
      case GREATER_THAN_OR_EQUAL:
      case IS_DISTINCT_FROM:
      case IS_NOT_DISTINCT_FROM:
      case BETWEEN:
      case IN:
      case NOT_IN:
        if (isRangeOfTexts(visited)) {
          return range(visited);
        }
        compared(visited);
        if (ORDERS.contains(visited.getKind())) {
          hideLiterals(visited);
        }
        break;
      case AND:
      case OR:
      case NOT:
      case IS_TRUE:
      case IS_FALSE:
      case IS_NOT_TRUE:
      case IS_NOT_FALSE:
        for (int i = 0; i < visited.operandCount(); i++) {
          visited.setOperand(i, condition(visited.operand(i)));
        }
        break;
      case POSIX_REGEX_CASE_INSENSITIVE:
      case POSIX_REGEX_CASE_SENSITIVE:
        throw endless("A regular expression (~)", visited);
      case RLIKE:
      case SIMILAR:
        throw endless(visited.getOperator().getName(), visited);
      case FILTER:
        visited.setOperand(1, condition(visited.operand(1)));
        break;
      case CASE:
        SqlCase choice = (SqlCase) visited;
        choice.getWhenOperands().replaceAll(SqliteMeaning::condition);
        choice.getThenOperands().replaceAll(each -> wide(value(each)));
        if (choice.getElseOperand() != null) {
          choice.setOperand(3, wide(value(choice.getElseOperand())));
        }
        break;
      case SELECT:
        SqlSelect select = (SqlSelect) visited;
        CommonColumns.qualify(select);
        select.getSelectList().replaceAll(SqliteMeaning::selected);
        if (select.getWhere() != null) {
          select.setWhere(condition(select.getWhere()));
          allow(select.getWhere());
        }
        if (select.getHaving() != null) {
          select.setHaving(condition(select.getHaving()));
          allow(select.getHaving());
        }
        sorted(select.getOrderList());
        break;
      case ORDER_BY:
        sorted(((SqlOrderBy) visited).orderList);
        break;
      case JOIN:
        SqlJoin join = (SqlJoin) visited;
        if (join.getConditionType() == JoinConditionType.ON) {
          join.setOperand(5, condition(join.getCondition()));
          allow(join.getCondition());
        } else if (join.getConditionType() == JoinConditionType.NONE
            && join.getJoinType() == JoinType.INNER
            && !join.isNatural()) {
          // A JOIN without a condition is a comma.
          join.setOperand(2, JoinType.CROSS.symbol(join.getParserPosition()));
        }
        break;
      case WINDOW:
        SqlWindow window = (SqlWindow) visited;
        if (window.getExclude() != null && !SqlWindow.isExcludeNoOthers(window.getExclude())) {
          throw new Misplaced(
              "EXCLUDE in a window is computed only by SQLite", window.getParserPosition());
        }
        sorted(window.getOrderList());
        break;
      default:
        break;
    }
    return visited;
  }

  /** What stands for a call of a function, or null for the call itself. */
  private static SqlNode function(String name, SqlCall call) {
    int operands = call.operandCount();
    if (OTHERWISE.contains(name)) {
      throw new Misplaced(
          name.toLowerCase(Locale.ROOT) + " is computed only by SQLite", call.getParserPosition());
    }
    if (ENDLESS.contains(name)) {
      throw endless(name, call);
    }
    for (int narrow : NARROW.getOrDefault(name, Set.of())) {
      if (narrow < operands) {
        call.setOperand(
            narrow,
            SqlStdOperatorTable.CAST.createCall(
                call.getParserPosition(), call.operand(narrow), type(SqlTypeName.INTEGER, call)));
      }
    }
    if (call.getOperator() instanceof SqlFunction && call.getKind() != SqlKind.CAST) {
      for (int i = 0; i < operands; i++) {
        if (call.operand(i) != null && isCondition(call.operand(i))) {
          call.setOperand(i, value(call.operand(i)));
        }
      }
    }
    if ((name.equals("IIF") || name.equals("IF")) && (operands == 2 || operands == 3)) {
      SqlParserPos position = call.getParserPosition();
      return new SqlCase(
          position,
          null,
          SqlNodeList.of(condition(call.operand(0))),
          SqlNodeList.of(wide(value(call.operand(1)))),
          operands == 3 ? wide(value(call.operand(2))) : SqlLiteral.createNull(position));
    } else if ((name.equals("MAX") || name.equals("MIN")) && operands > 1) {
      return call(
          name + "(" + "?,".repeat(operands - 1) + "?)",
          call.getOperandList().stream().map(SqliteMeaning::wide).toList(),
          call);
    } else if (name.equals("TOTAL") && operands == 1) {
      SqlParserPos position = call.getParserPosition();
      SqlNode sum = SqlStdOperatorTable.SUM.createCall(position, call.<SqlNode>operand(0));
      SqlNode none = SqlLiteral.createExactNumeric("0", position);
      return call(
          "cast(? as real)", List.of(call("coalesce", List.of(sum, wide(none)), call)), call);
    } else if (call.getKind() == SqlKind.CAST && operands == 2) {
      return cast(call);
    }
    return null;
  }

  private static Misplaced endless(String name, SqlCall call) {
    return new Misplaced(
        name
            + " is not offered: no time-out could end it; use LIKE, GLOB, instr, replace or"
            + " json_extract",
        call.getParserPosition());
  }

  /** A cast as it is written: a text gives the number that it begins with. */
  private static SqlNode cast(SqlCall call) {
    SqlNode operand = call.operand(0);
    if (!(call.operand(1) instanceof SqlDataTypeSpec type)
        || type.getCollectionsTypeName() != null
        || operand instanceof SqlDynamicParam) {
      return null;
    }
    boolean number = operand instanceof SqlNumericLiteral || operand.getKind() == SqlKind.CAST;
    switch (type.getTypeName().toString().toUpperCase(Locale.ROOT)) {
      case "BIGINT":
        return operand instanceof SqlNumericLiteral literal && literal.isInteger()
            ? null
            : call("cast(? as integer)", List.of(operand), call);
      case "DOUBLE":
      case "FLOAT":
        return number ? null : call("cast(? as real)", List.of(operand), call);
      case "NUMERIC":
      case "DECIMAL":
        return type.getTypeNameSpec() instanceof SqlBasicTypeNameSpec basic
                && basic.getPrecision() < 0
            ? call("cast(? as numeric)", List.of(operand), call)
            : null;
      case "BOOLEAN":
        return call("cast(? as numeric)", List.of(operand), call);
      case "VARCHAR":
        return isOtherText(operand) ? call("cast(? as text)", List.of(operand), call) : null;
      default:
        return null;
    }
  }

  /** Whether a literal is written as a text otherwise than SQLite does: Calcite does it at once. */
  private static boolean isOtherText(SqlNode node) {
    return node instanceof SqlBinaryStringLiteral
        || (node instanceof SqlNumericLiteral number
            ? !number.isExact() || !number.isInteger()
            : node instanceof SqlCall call
                && (call.getKind() == SqlKind.MINUS_PREFIX || call.getKind() == SqlKind.CAST)
                && isOtherText(call.operand(0)));
  }

  /** The operands of a comparison, folded by the collation that one of them has. */
  private static void compared(SqlCall call) {
    String collation = null;
    for (int i = 0; i < call.operandCount() && collation == null; i++) {
      collation = collation(call.operand(i));
    }
    if (collation == null && !isColumn(call.operand(0)) && hidesColumns(call)) {
      collation = "binary";
    }
    for (int i = 0; i < call.operandCount(); i++) {
      SqlNode operand = call.operand(i);
      if (operand instanceof SqlNodeList list) {
        String of = collation;
        list.replaceAll(each -> folded(compared(each), of));
      } else {
        boolean query = collation != null && operand.isA(SqlKind.QUERY);
        if (query && (call.getKind() == SqlKind.IN || call.getKind() == SqlKind.NOT_IN)) {
          throw new Misplaced(
              "COLLATE is not understood with IN and a query", call.getParserPosition());
        }
        call.setOperand(i, folded(compared(operand), collation));
      }
    }
  }

  private static boolean isRangeOfTexts(SqlCall call) {
    return call.getKind() == SqlKind.BETWEEN
        && call.operand(0) instanceof SqlIdentifier
        && call.operand(1) instanceof SqlCharStringLiteral
        && call.operand(2) instanceof SqlCharStringLiteral;
  }

  /**
   * Hides from Calcite the literals of a comparison that it would order otherwise, or it would join
   * two of them to a range that is empty. All others come where they should, beside any text.
   */
  private static void hideLiterals(SqlCall call) {
    for (int i = 0; i < call.operandCount(); i++) {
      SqlNode operand = call.operand(i);
      if (operand instanceof SqlCharStringLiteral literal
          && SqliteOperators.isHigh(literal.getValueAs(String.class))) {
        call.setOperand(i, call(SqliteOperators.HIDDEN.getName(), List.of(operand), operand));
      }
    }
  }

  /** BETWEEN as the two comparisons that it is, each by the collation of its column. */
  private static SqlNode range(SqlCall between) {
    SqlParserPos at = between.getParserPosition();
    hideLiterals(between);
    SqlNode column = between.operand(0);
    SqlNode both =
        SqlStdOperatorTable.AND.createCall(
            at,
            SqlStdOperatorTable.GREATER_THAN_OR_EQUAL.createCall(
                at, column, between.<SqlNode>operand(1)),
            SqlStdOperatorTable.LESS_THAN_OR_EQUAL.createCall(
                at, column.clone(at), between.<SqlNode>operand(2)));
    boolean negated = ((SqlBetweenOperator) between.getOperator()).isNegated();
    return negated ? SqlStdOperatorTable.NOT.createCall(at, both) : both;
  }

  /**
   * Whether a comparison that no column is a side of has columns within it whose collation would
   * count once Calcite has taken it apart: in a list, a query or the branches of a CASE.
   */
  private static boolean hidesColumns(SqlCall call) {
    SqlNode right = call.operandCount() == 2 ? call.operand(1) : null;
    if (right instanceof SqlNodeList list) {
      return list.stream().anyMatch(SqliteMeaning::isColumn);
    }
    return right != null
        && call.getKind() != SqlKind.IN
        && call.getKind() != SqlKind.NOT_IN
        && !isColumn(right)
        && (isTakenApart(call.operand(0)) || isTakenApart(right));
  }

  private static boolean isTakenApart(SqlNode side) {
    return side.getKind() == SqlKind.CASE
        || side.getKind() == SqlKind.SELECT
        || side.getKind() == SqlKind.ORDER_BY;
  }

  private static boolean isColumn(SqlNode side) {
    return side instanceof SqlIdentifier
        || side.getKind() == SqlKind.CAST && isColumn(((SqlCall) side).operand(0));
  }

  private static SqlNode compared(SqlNode operand) {
    return operand instanceof SqlLiteral ? operand : value(operand);
  }

  private static SqlNode folded(SqlNode operand, String collation) {
    if (collation == null) {
      return operand;
    }
    SqlNode inner = collation(operand) == null ? operand : ((SqlCall) operand).operand(0);
    return call(COLLATE + collation, List.of(inner), inner);
  }

  /** Lets the comparisons of a condition have collations. */
  private void allow(SqlNode condition) {
    boolean joined =
        condition.getKind() == SqlKind.AND
            || condition.getKind() == SqlKind.OR
            || condition.getKind() == SqlKind.NOT;
    if (condition instanceof SqlCall call && (joined || isCondition(call))) {
      for (SqlNode operand : call.getOperandList()) {
        if (joined) {
          allow(operand);
        } else if (operand instanceof SqlNodeList list) {
          folds.addAll(list);
        } else if (operand != null) {
          folds.add(operand);
        }
      }
    }
  }

  private void sorted(SqlNodeList keys) {
    if (keys != null) {
      keys.replaceAll(this::key);
    }
  }

  private SqlNode key(SqlNode key) {
    switch (key.getKind()) {
      case DESCENDING:
      case NULLS_FIRST:
      case NULLS_LAST:
        ((SqlCall) key).setOperand(0, key(((SqlCall) key).operand(0)));
        return key;
      default:
        SqlNode folded = folded(key, collation(key));
        folds.add(folded);
        return folded;
    }
  }

  /** The collation that a node gives its operand, in lower case, or null. */
  private static String collation(SqlNode node) {
    String name =
        node instanceof SqlCall call && call.operandCount() == 1
            ? call.getOperator().getName().toLowerCase(Locale.ROOT)
            : "";
    return name.startsWith(COLLATE) ? name.substring(COLLATE.length()) : null;
  }

  /** A condition where a value is wanted: 1, 0 or NULL. */
  private static SqlNode value(SqlNode node) {
    if (node instanceof SqlLiteral literal && literal.getTypeName() == SqlTypeName.BOOLEAN) {
      return SqlLiteral.createExactNumeric(
          literal.booleanValue() ? "1" : "0", literal.getParserPosition());
    }
    if (!isCondition(node)) {
      return node;
    }
    return call("cast(? as integer)", List.of(node), node);
  }

  /** A value where a condition is wanted: whether it is a number other than 0. */
  private static SqlNode condition(SqlNode node) {
    boolean known =
        isCondition(node)
            || node instanceof SqlDynamicParam
            || node instanceof SqlLiteral literal
                && (literal.getTypeName() == SqlTypeName.BOOLEAN
                    || literal.getTypeName() == SqlTypeName.NULL);
    return known ? node : call("not not ?", List.of(node), node);
  }

  private static boolean isCondition(SqlNode node) {
    switch (node.getKind()) {
      case AND:
      case OR:
      case NOT:
      case EQUALS:
      case NOT_EQUALS:
      case LESS_THAN:
      case LESS_THAN_OR_EQUAL:
      case GREATER_THAN:
      case GREATER_THAN_OR_EQUAL:
      case IS_DISTINCT_FROM:
      case IS_NOT_DISTINCT_FROM:
      case IS_NULL:
      case IS_NOT_NULL:
      case IS_TRUE:
      case IS_FALSE:
      case IS_NOT_TRUE:
      case IS_NOT_FALSE:
      case BETWEEN:
      case IN:
      case NOT_IN:
      case EXISTS:
      case LIKE:
      case RLIKE:
      case SIMILAR:
        return true;
      default:
        String name =
            node instanceof SqlCall call
                ? call.getOperator().getName().toLowerCase(Locale.ROOT)
                : "";
        return name.equals("like") || name.equals("? glob ?") || name.equals("not not ?");
    }
  }

  private static SqlNode selected(SqlNode item) {
    if (item != null && item.getKind() == SqlKind.AS) {
      SqlCall as = (SqlCall) item;
      as.setOperand(0, given(as.operand(0)));
      return as;
    }
    return given(item);
  }

  /** A value that is given, of which a collation says nothing. */
  private static SqlNode given(SqlNode item) {
    boolean binary = item != null && "binary".equals(collation(item));
    return wide(value(binary ? ((SqlCall) item).operand(0) : item));
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

  private static SqlNode call(String name, List<SqlNode> arguments, SqlNode like) {
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
