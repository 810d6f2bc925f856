/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.run.View;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which model made each table of embeddings of a file, as the table {@value #TABLE} in it says.
 *
 * @param made by the name of the table, whatever its case
 */
public record TableModels(Map<String, Made> made) {
  /** The table that says it. */
  public static final String TABLE = "faiss_models";

  /** Makes that table. */
  public static final String CREATE =
      "create table if not exists "
          + TABLE
          + " (embeddings text primary key collate nocase, model text not null,"
          + " dims integer not null)";

  /** Writes a row of it: table, model, dimensions. */
  public static final String REPLACE = "insert or replace into " + TABLE + " values (?, ?, ?)";

  /**
   * A model, and how many elements its vectors have.
   *
   * @param model its name
   * @param dims 0 if that isn't said
   */
  public record Made(String model, int dims) {
    @Override
    public String toString() {
      return dims == 0 ? model : model + " (" + dims + " dimensions)";
    }
  }

  /** What a file says, of tables and of views that show a column of one. */
  public static TableModels read(Connection connection) throws SQLException {
    Map<String, Made> made = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select embeddings, model, dims from " + TABLE)) {
      while (rows.next()) {
        made.put(
            String.valueOf(rows.getString(1)),
            new Made(String.valueOf(rows.getString(2)), rows.getInt(3)));
      }
    }
    return new TableModels(made);
  }

  /** Whether a file says it of any table. */
  static boolean isIn(SqliteSchema schema, View view) throws SQLException {
    SqliteTable table = schema.sqliteTable(TABLE, view);
    return table != null
        && table.column("embeddings") != null
        && table.column("model") != null
        && table.column("dims") != null;
  }

  /** The model of a table, or null if nothing says it. */
  public Made of(String table) {
    return made.get(table);
  }

  /** The table that a view's column is of, or the table itself; null if it is computed. */
  static String origin(Connection connection, String table, String column) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select "
                + Identifiers.quote(column)
                + " from "
                + Identifiers.quote(table)
                + " limit 0")) {
      try (ResultSet rows = statement.executeQuery()) {
        String origin = rows.getMetaData().getTableName(1);
        return origin == null || origin.isEmpty() ? null : origin;
      }
    }
  }
}
