/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.sql.SqlBasicCall;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.util.SqlBasicVisitor;
import org.apache.calcite.sql.util.SqlShuttle;

/**
 * One table, query or call of a table function in a FROM clause.
 *
 * @param node the tree as parsed, with its alias
 * @param alias name by which columns refer to it; null if there is none
 * @param call the function's call; null if it is none, or one that takes tables as arguments
 */
record FromItem(SqlNode node, String alias, SqlBasicCall call) {
  /** Name and column of the query that gives the value of a subquery among the arguments. */
  private static final String ARGUMENT = "$argument";

  static FromItem of(SqlNode node) {
    SqlNode table = node;
    if (table.getKind() == SqlKind.AS) {
      table = ((SqlCall) table).operand(0);
    }
    if (table.getKind() == SqlKind.LATERAL) {
      table = ((SqlCall) table).operand(0);
    }
    SqlBasicCall call = null;
    if (table.getKind() == SqlKind.COLLECTION_TABLE
        && ((SqlCall) table).operand(0) instanceof SqlBasicCall function
        && function.getOperator() instanceof SqlFunction
        && function.getOperandList().stream().noneMatch(FromItem::isTable)) {
      call = function;
    }
    return new FromItem(node, alias(node), call);
  }

  private static boolean isTable(SqlNode argument) {
    switch (argument.getKind()) {
      case EXPLICIT_TABLE:
      case SET_SEMANTICS_TABLE:
      case CURSOR:
        return true;
      case ARGUMENT_ASSIGNMENT:
        return isTable(((SqlCall) argument).operand(0));
      default:
        // Columns of a table that is another argument, perhaps as a query in parentheses.
        return argument instanceof SqlCall inner && inner.getOperator().isName("DESCRIPTOR", false);
    }
  }

  private static String alias(SqlNode node) {
    switch (node.getKind()) {
      case AS:
        return last(((SqlCall) node).operand(1));
      case IDENTIFIER:
        return last((SqlIdentifier) node);
      case TABLE_REF:
      case EXTEND:
      case SNAPSHOT:
      case TABLESAMPLE:
        return alias(((SqlCall) node).operand(0));
      default:
        return null;
    }
  }

  private static String last(SqlIdentifier identifier) {
    return identifier.names.get(identifier.names.size() - 1);
  }

  /** Whether a name, in lower case, is the alias. */
  boolean isNamed(String name) {
    return alias != null && alias.toLowerCase(Locale.ROOT).equals(name);
  }

  boolean isCall() {
    return call != null;
  }

  /** The function's name, without its schema's. */
  SqlIdentifier functionName() {
    SqlIdentifier name = ((SqlFunction) call.getOperator()).getSqlIdentifier();
    String last = name == null ? call.getOperator().getName() : last(name);
    return new SqlIdentifier(last, call.getParserPosition());
  }

  /** The same item under its function's name. */
  FromItem named() {
    SqlNode as = SqlStdOperatorTable.AS.createCall(node.getParserPosition(), node, functionName());
    return of(as);
  }

  /** The tables that the arguments name, in lower case. */
  Set<String> tablesReferred() {
    Set<String> tables = new HashSet<>();
    for (SqlIdentifier name : names(call, true)) {
      for (String part : name.names.subList(0, name.names.size() - 1)) {
        tables.add(part.toLowerCase(Locale.ROOT));
      }
    }
    return tables;
  }

  /** Whether the arguments name a column without its table. */
  boolean refersToAnyTable() {
    return names(call, false).stream().anyMatch(name -> name.names.size() == 1);
  }

  /** The names of columns, and of tables in subqueries, in an expression. */
  static List<SqlIdentifier> names(SqlNode expression) {
    return names(expression, true);
  }

  private static List<SqlIdentifier> names(SqlNode expression, boolean inSubqueries) {
    List<SqlIdentifier> names = new ArrayList<>();
    expression.accept(
        new SqlBasicVisitor<Void>() {
          @Override
          public Void visit(SqlIdentifier id) {
            names.add(id);
            return null;
          }

          @Override
          public Void visit(SqlCall inner) {
            if (inner.getKind() == SqlKind.ARGUMENT_ASSIGNMENT) {
              return inner.operand(0).accept(this);
            }
            return inSubqueries || !inner.isA(SqlKind.QUERY) ? super.visit(inner) : null;
          }
        });
    return names;
  }

  /**
   * The item as Calcite takes it.
   *
   * @param lateral whether there are tables before it, which its arguments may refer to
   */
  SqlNode toStandard(boolean lateral) {
    if (!isCall()) {
      return node;
    }
    SqlNode table = node.getKind() == SqlKind.AS ? ((SqlCall) node).operand(0) : node;
    boolean isLateral = table.getKind() == SqlKind.LATERAL;
    SqlNode function = isLateral ? ((SqlCall) table).operand(0) : table;
    SqlNode standard = liftSubqueries(function);
    if (isLateral || lateral && !names(call, true).isEmpty()) {
      standard = lateral(standard);
    }
    if (node.getKind() == SqlKind.AS) {
      ((SqlCall) node).setOperand(0, standard);
      return node;
    }
    return standard;
  }

  private static SqlNode lateral(SqlNode table) {
    return SqlStdOperatorTable.LATERAL.createCall(table.getParserPosition(), table);
  }

  /**
   * Moves scalar subqueries out of the arguments.
   *
   * <p>Calcite can't run {@code TABLE(f((q)))}, but it can run {@code (SELECT f.* FROM (SELECT
   * SINGLE_VALUE(v) AS v FROM (q) AS a (v)) AS a, LATERAL TABLE(f(a.v)) AS f)}. SINGLE_VALUE, which
   * is NULL for no row and an error for two, rather than a scalar subquery in that SELECT: one that
   * refers to tables of the outer FROM fails in Calcite's decorrelator.
   */
  private SqlNode liftSubqueries(SqlNode function) {
    List<SqlNode> from = new ArrayList<>();
    SqlNode lifted =
        call.accept(
            new SqlShuttle() {
              @Override
              public SqlNode visit(SqlCall inner) {
                switch (inner.getKind()) {
                  case EXISTS:
                  case IN:
                  case NOT_IN:
                  case SOME:
                  case ALL:
                  case UNIQUE:
                  case ARRAY_QUERY_CONSTRUCTOR:
                  case MAP_QUERY_CONSTRUCTOR:
                  case MULTISET_QUERY_CONSTRUCTOR:
                    return inner;
                  default:
                    if (!inner.isA(SqlKind.QUERY)) {
                      return super.visit(inner);
                    }
                    String name = ARGUMENT + from.size();
                    from.add(argument(inner, name));
                    return new SqlIdentifier(List.of(name, ARGUMENT), inner.getParserPosition());
                }
              }
            });
    if (from.isEmpty()) {
      return function;
    }
    SqlParserPos position = function.getParserPosition();
    SqlIdentifier name = functionName();
    SqlNode table = SqlStdOperatorTable.COLLECTION_TABLE.createCall(position, lifted);
    from.add(SqlStdOperatorTable.AS.createCall(position, lateral(table), name));
    SqlIdentifier star =
        SqlIdentifier.star(List.of(name.getSimple(), ""), position, List.of(position, position));
    return select(position, star, FromRewriter.commaJoin(from));
  }

  /** A query of one row, whatever the subquery has. More rows than one are an error. */
  private static SqlNode argument(SqlCall subquery, String name) {
    SqlParserPos position = subquery.getParserPosition();
    SqlIdentifier value = new SqlIdentifier(ARGUMENT, position);
    SqlIdentifier table = new SqlIdentifier(name, position);
    SqlNode query = SqlStdOperatorTable.AS.createCall(position, subquery, table, value);
    SqlNode single =
        SqlStdOperatorTable.AS.createCall(
            position, SqlStdOperatorTable.SINGLE_VALUE.createCall(position, value), value);
    return SqlStdOperatorTable.AS.createCall(position, select(position, single, query), table);
  }

  private static SqlSelect select(SqlParserPos position, SqlNode item, SqlNode from) {
    return new SqlSelect(
        position,
        null,
        SqlNodeList.of(item),
        from,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }
}
