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
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
          "  .output [FILE]     prints into a file, or again here; .once FILE the next result only",
          "  .read FILE         runs a script",
          "  .bail on|off       whether a script ends at its first failure",
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
          ".output",
          ".once",
          ".bail",
          ".version",
          ".print",
          ".quit",
          ".exit",
          ".help");

  private static final String WRITES = "databases are read-only; sqlite3 FILE \"";

  /** What to do instead of sqlite3's commands that aren't here. */
  static final Map<String, String> INSTEAD =
      Map.ofEntries(
          Map.entry(
              ".dump", "sqlite3 FILE .dump writes a file as SQL; .mode csv and .output export"),
          Map.entry(
              ".import",
              WRITES + ".import --csv x.csv TABLE\" imports; so does calcite-faiss import"),
          Map.entry(".backup", WRITES + ".backup COPY\" copies"),
          Map.entry(".save", WRITES + ".backup COPY\" copies"),
          Map.entry(".clone", WRITES + ".backup COPY\" copies"),
          Map.entry(".restore", WRITES + ".restore COPY\" writes it"),
          Map.entry(".recover", "sqlite3 FILE .recover reads a damaged file"),
          Map.entry(".open", "!connect jdbc:faiss:FILE opens another file beside this one"),
          Map.entry(".separator", ".mode csv has commas, .mode tsv tabs"),
          Map.entry(".eqp", "EXPLAIN PLAN FOR SELECT … shows a plan"),
          Map.entry(".explain", "EXPLAIN PLAN FOR SELECT … shows a plan"),
          Map.entry(".expert", "EXPLAIN PLAN FOR SELECT … shows a plan"),
          Map.entry(".show", "!set lists all settings"),
          Map.entry(".load", "no extensions are loaded; tables of sqlite-vec are read without it"),
          Map.entry(".parameter", "write the values in their places"),
          Map.entry(".param", "write the values in their places"),
          Map.entry(".timeout", "busyTimeout=MILLISECONDS stands in the URL"),
          Map.entry(".shell", "use another terminal"),
          Map.entry(".system", "use another terminal"),
          Map.entry(".cd", "write the whole path, or start in that folder"),
          Map.entry(".excel", ".mode csv and .once FILE.csv make a file for it"),
          Map.entry(".log", ".output FILE writes into a file"),
          Map.entry(".stats", ".timer on|off tells the time"),
          Map.entry(".dbinfo", "calcite-faiss info FILE tells of a file"),
          Map.entry(".lint", "calcite-faiss info FILE tells of a file"),
          Map.entry(".archive", "sqlite3 or tar reads archives"),
          Map.entry(".auth", "nothing asks for it"),
          Map.entry(".changes", "nothing is written"),
          Map.entry(".connection", "!connect and !go change between connections"),
          Map.entry(".crlf", "--outputformat=csv has the line ends of the machine"),
          Map.entry(".dbconfig", "the URL has properties, as in jdbc:faiss:FILE;busyTimeout=100"),
          Map.entry(".filectrl", "sqlite3 has it"),
          Map.entry(".intck", "calcite-faiss info FILE tells of a file"),
          Map.entry(".limit", "the URL has properties, as in jdbc:faiss:FILE;memoryLimit=1GB"),
          Map.entry(".nonce", "nothing asks for it"),
          Map.entry(".progress", "Ctrl-C ends a statement"),
          Map.entry(".scanstats", "EXPLAIN PLAN FOR SELECT … shows a plan"),
          Map.entry(".session", "nothing is written"),
          Map.entry(".sha3sum", "sqlite3 has it"),
          Map.entry(".trace", ".timer on|off tells the time"),
          Map.entry(".unmodule", "sqlite3 has it"),
          Map.entry(".vfslist", "sqlite3 has it"),
          Map.entry(".vfsname", "sqlite3 has it"),
          Map.entry(".www", "calcite-faiss serve FILE --open has pages for a browser"),
          Map.entry(".echo", ".print TEXT says where a script is"),
          Map.entry(".prompt", "it tells where a statement begins and where it goes on"),
          Map.entry(".vfsinfo", "calcite-faiss info FILE tells of a file"));

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

  /**
   * Tables and views, each with what it has; of a pattern as LIKE takes it, or a part of a name.
   */
  static List<String> tables(Connection connection, String pattern) throws SQLException {
    Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    String own = connection == null ? null : connection.getSchema();
    String like = pattern.replace("%", "").toLowerCase(Locale.ROOT);
    for (SqliteSchema schema : schemas(connection)) {
      String prefix = schema.name().equals(own) ? "" : schema.name() + ".";
      for (SqliteTable table : schema.sqliteTables().values()) {
        IndexedTable indexed = schema.indexedTables().of(table);
        if (table.name().toLowerCase(Locale.ROOT).contains(like)) {
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
    return List.copyOf(names);
  }

  /** A statement to begin with: nearest rows where there is an index. */
  static String example(Connection connection) throws SQLException {
    String first = null;
    String own = connection == null ? null : connection.getSchema();
    for (SqliteSchema schema : schemas(connection)) {
      for (SqliteTable table : schema.sqliteTables().values()) {
        String name = NameCompleter.quoted(table.name());
        name = schema.name().equals(own) ? name : NameCompleter.quoted(schema.name()) + "." + name;
        if (schema.indexedTables().of(table) != null) {
          return "select * from " + name + " limit 3;";
        }
        first = first == null ? name : first;
      }
    }
    return first == null ? "select 1;" : "select * from " + first + " limit 3;";
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
