/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import com.google.common.collect.ImmutableList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.calcite.sql.JoinConditionType;
import org.apache.calcite.sql.JoinType;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlJoin;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.util.SqlShuttle;

/**
 * The columns that two tables share by {@code USING}: one column, though Calcite finds two of that
 * name in WHERE. There a name is given the table whose value it has.
 */
final class CommonColumns extends SqlShuttle {
  private final Map<String, String> tables;

  private CommonColumns(Map<String, String> tables) {
    this.tables = tables;
  }

  /** Names the table of each shared column in a select's WHERE. */
  static void qualify(SqlSelect select) {
    Map<String, String> tables = new HashMap<>();
    if (!(select.getFrom() instanceof SqlJoin join) || !collect(join, tables)) {
      return;
    }
    CommonColumns columns = new CommonColumns(tables);
    if (select.getWhere() != null) {
      select.setWhere(select.getWhere().accept(columns));
    }
  }

  /** Whether all shared columns are known, and of one table each. */
  private static boolean collect(SqlJoin join, Map<String, String> tables) {
    boolean nested = join.getLeft() instanceof SqlJoin;
    if (join.isNatural()
        || nested && !collect((SqlJoin) join.getLeft(), tables)
        || join.getConditionType() == JoinConditionType.USING
            && !(join.getCondition() instanceof SqlNodeList)) {
      return false;
    }
    if (join.getConditionType() != JoinConditionType.USING) {
      return true;
    }
    JoinType type = join.getJoinType();
    boolean right = type == JoinType.RIGHT;
    String table = right ? name(join.getRight()) : nested ? null : name(join.getLeft());
    for (SqlNode each : (SqlNodeList) join.getCondition()) {
      String column = ((SqlIdentifier) each).getSimple().toLowerCase(Locale.ROOT);
      String of = table == null ? tables.get(column) : table;
      if (of == null || type == JoinType.FULL) {
        return false;
      }
      tables.put(column, of);
    }
    return true;
  }

  /** What a table of FROM is called, or null. */
  private static String name(SqlNode item) {
    if (item instanceof SqlIdentifier table) {
      return table.names.get(table.names.size() - 1);
    } else if (item.getKind() == SqlKind.AS) {
      return ((SqlIdentifier) ((SqlCall) item).operand(1)).getSimple();
    }
    return item.getKind() == SqlKind.TABLE_REF ? name(((SqlCall) item).operand(0)) : null;
  }

  @Override
  public SqlNode visit(SqlIdentifier id) {
    String table = id.isSimple() ? tables.get(id.getSimple().toLowerCase(Locale.ROOT)) : null;
    return table == null
        ? id
        : new SqlIdentifier(
            ImmutableList.of(table, id.getSimple()),
            null,
            id.getParserPosition(),
            List.of(id.getParserPosition().withQuoting(true), id.getComponentParserPosition(0)));
  }

  /** A query within has names of its own. */
  @Override
  public SqlNode visit(SqlCall call) {
    return SqlKind.QUERY.contains(call.getKind()) ? call : super.visit(call);
  }
}
