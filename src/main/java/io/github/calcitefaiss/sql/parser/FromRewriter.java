/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.apache.calcite.sql.JoinConditionType;
import org.apache.calcite.sql.JoinType;
import org.apache.calcite.sql.SqlAsofJoin;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlJoin;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;

/**
 * Lets a FROM clause call functions as SQLite does: a call without alias is named after its
 * function, may refer to tables on either side of it, and may have subqueries as arguments.
 *
 * <p>The columns of {@code SELECT *} stay those of the clause as it is written, in that order.
 */
final class FromRewriter {
  private FromRewriter() {}

  /** Rewrites the FROM clause of a query in place, if it calls functions. */
  static void rewrite(SqlSelect select) {
    if (select.getFrom() == null || items(select.getFrom()).stream().noneMatch(FromItem::isCall)) {
      return;
    }
    SqlNode from = nameCalls(select.getFrom());
    List<FromItem> written = items(from);
    from = order(from);
    List<FromItem> ordered = items(from);
    if (!written.equals(ordered)) {
      expandStar(select, from, written);
    }
    SqlNode first = ordered.get(0).node();
    from = replaceItems(from, item -> FromItem.of(item).toStandard(item != first));
    moveConditions(select, from, true);
    select.setFrom(from);
  }

  /** Joins tables by commas. */
  static SqlNode commaJoin(List<SqlNode> tables) {
    SqlNode from = tables.get(0);
    for (SqlNode table : tables.subList(1, tables.size())) {
      from = join(table.getParserPosition(), from, JoinType.COMMA, table, null);
    }
    return from;
  }

  private static List<FromItem> items(SqlNode from) {
    List<FromItem> items = new ArrayList<>();
    replaceItems(
        from,
        node -> {
          items.add(FromItem.of(node));
          return node;
        });
    return items;
  }

  /** Replaces what a tree of joins joins, from left to right. */
  private static SqlNode replaceItems(SqlNode from, UnaryOperator<SqlNode> replace) {
    if (!(from instanceof SqlJoin join)) {
      return replace.apply(from);
    }
    join.setLeft(replaceItems(join.getLeft(), replace));
    join.setRight(replaceItems(join.getRight(), replace));
    return join;
  }

  /** Names a call without alias after its function, unless two would have that name. */
  private static SqlNode nameCalls(SqlNode from) {
    List<FromItem> items = items(from);
    return replaceItems(
        from,
        node -> {
          FromItem item = FromItem.of(node);
          if (!item.isCall() || item.alias() != null) {
            return node;
          }
          FromItem named = item.named();
          String name = named.alias().toLowerCase(Locale.ROOT);
          long same =
              items.stream()
                  .map(other -> other.isCall() && other.alias() == null ? other.named() : other)
                  .filter(other -> other.isNamed(name))
                  .count();
          return same == 1 ? named.node() : node;
        });
  }

  /** Moves calls behind the tables that they refer to, as far as joins allow. */
  private static SqlNode order(SqlNode from) {
    if (!(from instanceof SqlJoin join)) {
      return from;
    }
    if (!isInner(join)) {
      join.setLeft(order(join.getLeft()));
      join.setRight(order(join.getRight()));
      return join;
    }
    List<SqlJoin> joins = new ArrayList<>();
    SqlNode leftmost = from;
    while (leftmost instanceof SqlJoin inner && isInner(inner)) {
      joins.add(0, inner);
      leftmost = inner.getLeft();
    }
    joins.get(0).setLeft(order(leftmost));
    List<SqlNode> tables = new ArrayList<>();
    tables.add(joins.get(0).getLeft());
    for (SqlJoin inner : joins) {
      inner.setRight(order(inner.getRight()));
      tables.add(inner.getRight());
    }
    List<Integer> order = order(tables);
    for (int i = 0; i < order.size(); i++) {
      if (order.get(i) != i) {
        return join(tables, joins, order);
      }
    }
    return from;
  }

  /** A join whose sides can change places. */
  private static boolean isInner(SqlJoin join) {
    JoinType type = join.getJoinType();
    return (type == JoinType.COMMA || type == JoinType.CROSS || type == JoinType.INNER)
        && !join.isNatural()
        && join.getConditionType() != JoinConditionType.USING
        && !(join instanceof SqlAsofJoin);
  }

  /** The order nearest to the present one that puts calls behind what they refer to. */
  private static List<Integer> order(List<SqlNode> tables) {
    List<List<FromItem>> items = tables.stream().map(FromRewriter::items).toList();
    List<Integer> order = new ArrayList<>();
    for (int next = 0; next >= 0; ) {
      next = -1;
      for (int i = 0; i < tables.size() && next < 0; i++) {
        next = order.contains(i) || waits(i, items, order) ? -1 : i;
      }
      if (next >= 0) {
        order.add(next);
      }
    }
    // Calls that refer to each other in a circle: the validator names the first unknown table.
    for (int i = 0; i < tables.size(); i++) {
      if (!order.contains(i)) {
        order.add(i);
      }
    }
    return order;
  }

  /** Whether a table is a call that refers to one not yet placed. */
  private static boolean waits(int table, List<List<FromItem>> items, List<Integer> placed) {
    FromItem call = items.get(table).get(0);
    if (items.get(table).size() > 1 || !call.isCall()) {
      return false;
    }
    Set<String> needed = call.tablesReferred();
    boolean needsAny = table == 0 && call.refersToAnyTable();
    for (int i = 0; i < items.size(); i++) {
      if (i != table
          && !placed.contains(i)
          && items.get(i).stream()
              .anyMatch(
                  item -> needsAny && !item.isCall() || needed.stream().anyMatch(item::isNamed))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Joins tables in another order.
   *
   * <p>A condition goes where all tables that it could see have come.
   *
   * @param joins joins by which table 1, 2, … followed the ones before
   */
  private static SqlNode join(List<SqlNode> tables, List<SqlJoin> joins, List<Integer> order) {
    SqlNode from = tables.get(order.get(0));
    Set<Integer> placed = new HashSet<>(order.subList(0, 1));
    int conditions = 0;
    for (int i : order.subList(1, order.size())) {
      placed.add(i);
      SqlNode condition = null;
      for (; conditions < joins.size() && placed.containsAll(range(conditions + 2)); conditions++) {
        SqlNode next = joins.get(conditions).getCondition();
        if (next != null) {
          condition = condition == null ? next : and(condition, next);
        }
      }
      SqlJoin join = joins.get(Math.max(0, i - 1));
      JoinType type = condition == null ? JoinType.COMMA : JoinType.INNER;
      from = join(join.getParserPosition(), from, type, tables.get(i), condition);
    }
    return from;
  }

  /**
   * Moves the condition of an inner join with a call to WHERE, where it means the same.
   *
   * <p>Calcite 1.42 fails with a NoElementException on a condition that names other tables' columns
   * beside a call that does so too.
   *
   * @param isLast whether no tables follow, whose columns could make a name ambiguous
   */
  private static void moveConditions(SqlSelect select, SqlNode from, boolean isLast) {
    if (!(from instanceof SqlJoin join)) {
      return;
    }
    SqlNode condition = join.getCondition();
    if (isInner(join)
        && condition != null
        && isLateral(join.getRight())
        && (isLast || FromItem.names(condition).stream().allMatch(id -> id.names.size() > 1))) {
      SqlNode where = select.getWhere();
      select.setWhere(where == null ? condition : and(condition, where));
      join.setOperand(2, JoinType.CROSS.symbol(join.getParserPosition()));
      join.setOperand(4, JoinConditionType.NONE.symbol(join.getParserPosition()));
      join.setOperand(5, null);
    }
    if (isInner(join) || join.getJoinType() == JoinType.LEFT) {
      moveConditions(select, join.getLeft(), false);
    }
  }

  private static boolean isLateral(SqlNode table) {
    SqlNode inner = table.getKind() == SqlKind.AS ? ((SqlCall) table).operand(0) : table;
    return inner.getKind() == SqlKind.LATERAL;
  }

  private static SqlNode and(SqlNode left, SqlNode right) {
    return SqlStdOperatorTable.AND.createCall(left.getParserPosition(), left, right);
  }

  private static List<Integer> range(int end) {
    return IntStream.range(0, end).boxed().toList();
  }

  private static SqlJoin join(
      SqlParserPos position, SqlNode left, JoinType type, SqlNode right, SqlNode condition) {
    return new SqlJoin(
        position,
        left,
        SqlLiteral.createBoolean(false, position),
        type.symbol(position),
        right,
        (condition == null ? JoinConditionType.NONE : JoinConditionType.ON).symbol(position),
        condition);
  }

  /** Writes out the tables of {@code *}. */
  private static void expandStar(SqlSelect select, SqlNode from, List<FromItem> written) {
    if (hasCommonColumns(from) || written.stream().anyMatch(item -> item.alias() == null)) {
      return;
    }
    List<SqlNode> list = new ArrayList<>();
    for (SqlNode node : select.getSelectList()) {
      if (node instanceof SqlIdentifier star && star.isStar() && star.names.size() == 1) {
        SqlParserPos position = star.getParserPosition();
        for (FromItem item : written) {
          list.add(
              SqlIdentifier.star(List.of(item.alias(), ""), position, List.of(position, position)));
        }
      } else {
        list.add(node);
      }
    }
    select.setSelectList(new SqlNodeList(list, select.getSelectList().getParserPosition()));
  }

  /** Whether a join merges columns, so that {@code *} is not all columns of all tables. */
  private static boolean hasCommonColumns(SqlNode from) {
    return from instanceof SqlJoin join
        && (join.isNatural()
            || join.getConditionType() == JoinConditionType.USING
            || hasCommonColumns(join.getLeft())
            || hasCommonColumns(join.getRight()));
  }
}
