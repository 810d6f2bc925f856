/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What SQLite compares the texts of columns by, of tables and of views.
 *
 * <p>No pragma tells it of a column. SQLite's own program for a comparison does: EXPLAIN shows the
 * collation beside the instruction that compares.
 */
final class DeclaredCollations {
  private static final String MARK = "compared with ";

  /** Columns a statement: SQLite allows 2,000 results, and some builds fewer registers. */
  private static final int COLUMNS = 500;

  private DeclaredCollations() {}

  /**
   * The columns that are compared otherwise than by bytes.
   *
   * @return {@code nocase} or {@code rtrim} by the column's name
   */
  static Map<String, String> of(
      Connection connection, String table, List<SqliteTable.Column> columns) {
    Map<String, String> found = new HashMap<>();
    for (int from = 0; from < columns.size(); from += COLUMNS) {
      read(connection, table, columns, from, Math.min(columns.size(), from + COLUMNS), found);
    }
    return found;
  }

  private static void read(
      Connection connection,
      String table,
      List<SqliteTable.Column> columns,
      int from,
      int to,
      Map<String, String> found) {
    StringBuilder sql = new StringBuilder("EXPLAIN SELECT ");
    for (int i = from; i < to; i++) {
      sql.append(i == from ? "" : ", ")
          .append(Identifiers.quote(columns.get(i).name()))
          .append(" = '" + MARK)
          .append(i)
          .append('\'');
    }
    sql.append(" FROM ").append(Identifiers.quote(table));
    Map<Integer, String> columnOf = new HashMap<>();
    Map<Integer, String> collationOf = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet program = statement.executeQuery(sql.toString())) {
      while (program.next()) {
        String said = program.getString("p4");
        if (said == null) {
          continue;
        }
        String lower = said.toLowerCase(Locale.ROOT);
        if (program.getString("opcode").startsWith("String") && said.startsWith(MARK)) {
          int column = Integer.parseInt(said.substring(MARK.length()));
          columnOf.put(program.getInt("p2"), columns.get(column).name());
        } else if (lower.startsWith("nocase") || lower.startsWith("rtrim")) {
          // The registers of both sides; which of them holds the text is seen at the end.
          String collation = lower.startsWith("nocase") ? "nocase" : "rtrim";
          collationOf.put(program.getInt("p1"), collation);
          collationOf.put(program.getInt("p3"), collation);
        }
      }
    } catch (SQLException e) {
      // A collation that this SQLite doesn't have: no statement can compare the column.
      return;
    }
    columnOf.forEach(
        (register, column) -> {
          if (collationOf.containsKey(register)) {
            found.put(column, collationOf.get(register));
          }
        });
  }
}
