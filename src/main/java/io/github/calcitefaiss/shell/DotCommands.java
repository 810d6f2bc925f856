/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.io.PrintStream;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.lookup.LikePattern;

/** What the commands of {@link Session} that begin with a point say of a database. */
final class DotCommands {
  static final List<String> HELP =
      List.of(
          "Statements end with a semicolon. Commands, as in sqlite3:",
          "  .tables [NAME]     tables and views, and which have an index",
          "  .schema [TABLE]    the statements that made them",
          "  .indexes           the indexes in memory",
          "  .databases         the databases and other schemas of this connection",
          "  .mode MODE         table, vertical, csv, tsv or json",
          "  .headers on|off    the columns' names above the rows",
          "  .nullvalue TEXT    what stands for NULL",
          "  .timer on|off      how long a statement took",
          "  .width N           the widest cell of a table; 0 for any",
          "  .read FILE         runs a script",
          "  .quit              leaves, as Ctrl-D does",
          "sqlline's own commands begin with !, and !help lists them. Tab completes names; Ctrl-C ends a"
              + " statement.",
          "Nearest rows:  select id from embeddings order by l2_distance(embedding, '[0.1, …]') limit 5;");

  static final List<String> NAMES =
      List.of(
          ".tables",
          ".schema",
          ".indexes",
          ".databases",
          ".mode",
          ".headers",
          ".nullvalue",
          ".timer",
          ".width",
          ".read",
          ".print",
          ".quit",
          ".exit",
          ".help");

  private DotCommands() {}

  /** The SQLite schemas that a connection reaches, that of its own first. */
  static List<SqliteSchema> schemas(Connection connection) throws SQLException {
    List<SqliteSchema> found = new ArrayList<>();
    if (connection == null || !connection.isWrapperFor(CalciteConnection.class)) {
      return found;
    }
    SchemaPlus root = connection.unwrap(CalciteConnection.class).getRootSchema();
    String current = connection.getSchema();
    for (String name : root.subSchemas().getNames(LikePattern.any())) {
      SqliteSchema schema = SqliteSchema.of(root.subSchemas().get(name));
      if (schema != null) {
        found.add(name.equals(current) ? 0 : found.size(), schema);
      }
    }
    return found;
  }

  static void tables(Connection connection, String pattern, PrintStream out) throws SQLException {
    TreeSet<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    String own = connection == null ? null : connection.getSchema();
    for (SqliteSchema schema : schemas(connection)) {
      String prefix = schema.name().equals(own) ? "" : schema.name() + ".";
      for (SqliteTable table : schema.sqliteTables().values()) {
        IndexedTable indexed = schema.indexedTables().of(table);
        String like = pattern.replace("%", "");
        if (table
            .name()
            .toLowerCase(java.util.Locale.ROOT)
            .contains(like.toLowerCase(java.util.Locale.ROOT))) {
          names.add(
              prefix
                  + table.name()
                  + (table.isView() ? " (view" : indexed == null ? "" : " (")
                  + (table.isView() && indexed != null ? ", " : "")
                  + (indexed == null ? "" : "index on " + indexed.embedding())
                  + (table.isView() || indexed != null ? ")" : ""));
        }
      }
    }
    names.forEach(out::println);
  }

  static void schema(Connection connection, String table, PrintStream out) throws SQLException {
    boolean found = false;
    List<String> known = new ArrayList<>();
    for (SqliteSchema schema : schemas(connection)) {
      known.addAll(schema.sqliteTables().keySet());
      try (SqliteDatabase.Lease lease = schema.database().snapshot(Checkpoint.NONE, null);
          PreparedStatement statement =
              lease
                  .connection()
                  .prepareStatement(
                      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE"
                          + " 'sqlite\\_%' ESCAPE '\\' AND (? = '' OR tbl_name = ? COLLATE NOCASE)"
                          + " ORDER BY tbl_name, type DESC, name")) {
        statement.setString(1, table);
        statement.setString(2, table);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            out.println(rows.getString(1) + ";");
            found = true;
          }
        }
      }
    }
    if (!found && !table.isEmpty()) {
      throw Session.notFound("no table '" + table + "'" + Names.didYouMean(table, known));
    }
  }

  static void databases(Connection connection, PrintStream out) throws SQLException {
    if (connection == null) {
      return;
    }
    List<String> sqlite = new ArrayList<>();
    for (SqliteSchema schema : schemas(connection)) {
      sqlite.add(schema.name());
      out.println(schema.name() + ": " + schema.database());
    }
    try (ResultSet rows = connection.getMetaData().getSchemas()) {
      while (rows.next()) {
        if (!sqlite.contains(rows.getString(1))) {
          out.println(rows.getString(1));
        }
      }
    }
  }
}
