/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * What a column without a declared type, such as one that a view computes, is announced as to tools
 * that can't do without a type: what its first values are, where they agree, else text.
 *
 * <p>It is said, and changes no value.
 */
public final class FoundTypes {
  private static final int ROWS = 1000;
  private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(1);

  private FoundTypes() {}

  /**
   * The types of a table's columns that declare none, by column.
   *
   * @throws SQLException if the file can't be read
   */
  public static Map<String, SqlTypeName> of(SqliteTable table) throws SQLException {
    Map<String, SqlTypeName> found = new HashMap<>();
    if (table.columns().stream().noneMatch(c -> c.type() == SqlTypeName.ANY)) {
      return found;
    }
    long end = System.nanoTime() + LONGEST_NANOS;
    try (SqliteDatabase.Lease lease = table.schema().database().snapshot(() -> {}, null)) {
      lease.interruptWhen(() -> System.nanoTime() - end > 0);
      for (SqliteTable.Column column : table.columns()) {
        if (column.type() == SqlTypeName.ANY) {
          found.put(column.name(), of(table, column, lease.connection()));
        }
      }
    }
    return found;
  }

  private static SqlTypeName of(
      SqliteTable table, SqliteTable.Column column, Connection connection) {
    String name = Identifiers.quote(column.name());
    Set<String> kinds = new TreeSet<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT DISTINCT typeof("
                    + name
                    + ") FROM (SELECT "
                    + name
                    + " FROM "
                    + Identifiers.quote(table.name())
                    + " LIMIT "
                    + ROWS
                    + ") WHERE "
                    + name
                    + " IS NOT NULL")) {
      while (rows.next()) {
        kinds.add(rows.getString(1));
      }
    } catch (SQLException e) {
      // It takes too long, or can't be computed: a statement that reads it will say why.
      return SqlTypeName.VARCHAR;
    }
    if (kinds.equals(Set.of("integer"))) {
      return SqlTypeName.BIGINT;
    } else if (kinds.equals(Set.of("real")) || kinds.equals(Set.of("integer", "real"))) {
      return SqlTypeName.DOUBLE;
    }
    return kinds.equals(Set.of("blob")) ? SqlTypeName.VARBINARY : SqlTypeName.VARCHAR;
  }
}
