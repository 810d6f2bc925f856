/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.sqlite.Identifiers;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.calcite.sql.type.SqlTypeName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code info}: what a database holds, what will be indexed, what other columns seem to hold, and
 * which rows would be refused.
 */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description =
        "Says of a database or model what is in it, which tables get an index and why not, what"
            + " their columns seem to hold, and which rows are wrong.",
    footer = {"", "Example: info examples/packages.db"})
final class InfoCommand implements Callable<Integer> {
  /** Values that are looked at to tell what a column holds. */
  private static final int SAMPLE = 50;

  @Parameters(index = "0", paramLabel = "DATABASE", description = "A SQLite file or a model.")
  private String target;

  @Spec private CommandSpec spec;

  /** What there is to say below the table of tables. */
  private record Findings(List<String> vectors, List<String> problems, List<String> use) {}

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try (Source source = Source.open(target)) {
      if (source.schemas().isEmpty()) {
        out.println(target + " has no schema of a SQLite file.");
      }
      for (SqliteSchema schema : source.schemas()) {
        describe(schema, out);
      }
    }
    return Main.OK;
  }

  private void describe(SqliteSchema schema, PrintWriter out) throws Exception {
    out.printf(
        Locale.ROOT,
        "Schema %s: %s, %,d bytes%n",
        schema.name(),
        schema.database(),
        Files.size(schema.database().path()));
    TextTable tables = new TextTable(List.of("table", "kind", "rows", "dimensions", "index"), 120);
    Findings findings = new Findings(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    try (SqliteDatabase.Lease lease = schema.database().snapshot(Checkpoint.NONE, null)) {
      Connection connection = lease.connection();
      for (SqliteTable table : schema.sqliteTables().values()) {
        describe(schema, table, connection, tables, findings);
      }
    }
    tables.print(out, spec.commandLine().getColorScheme().ansi().enabled());
    print(out, "Vectors:", findings.vectors);
    if (!findings.use.isEmpty()) {
      out.println("To have more of them indexed, add to the URL:");
      out.println("  ;tables=" + String.join(",", all(schema, findings.use)));
    }
    List<String> unreadable = new ArrayList<>();
    for (Map.Entry<String, String> table : schema.unreadableTables().entrySet()) {
      unreadable.add(table.getKey() + ": " + table.getValue());
    }
    print(out, "SQLite can't read:", unreadable);
    if (schema.name().equalsIgnoreCase("metadata")) {
      out.println("The indexes in memory are in \"faiss_metadata\".\"faiss_indexes\" here.");
    }
    if (findings.problems.isEmpty()) {
      out.println("No problems found.");
    } else {
      print(out, "Problems:", findings.problems);
    }
  }

  private static void print(PrintWriter out, String title, List<String> lines) {
    if (!lines.isEmpty()) {
      out.println(title);
      lines.forEach(line -> out.println("  " + line));
    }
  }

  /** Naming some tables leaves out those that are found by themselves, so these are named, too. */
  private static List<String> all(SqliteSchema schema, List<String> more) throws SQLException {
    List<String> all = new ArrayList<>();
    for (IndexedTable table : schema.indexedTables().list()) {
      all.add(entry(table.table(), table.id(), table.embedding()));
    }
    all.addAll(more);
    return all;
  }

  private static String entry(String table, String id, String embedding) {
    boolean usual =
        id.equals(IndexedTable.DEFAULT_ID) && embedding.equals(IndexedTable.DEFAULT_EMBEDDING);
    return usual ? table : table + "(" + id + "," + embedding + ")";
  }

  private void describe(
      SqliteSchema schema,
      SqliteTable table,
      Connection connection,
      TextTable tables,
      Findings findings)
      throws SQLException {
    IndexedTable indexed = schema.indexedTables().of(table);
    String kind = table.isView() ? "view" : "table";
    List<String> lines = new ArrayList<>();
    String use = null;
    for (SqliteTable.Column column : table.columns()) {
      if (indexed != null && column.name().equals(indexed.embedding())) {
        continue;
      }
      BlobKind holds = holds(connection, table, column);
      if (holds != null) {
        String name = table.name() + "." + column.name() + ": ";
        lines.add(name + holds.what());
        if (holds.advice() != null) {
          findings.problems.add(
              name + "float32 is needed to index them; to convert a value: " + holds.advice());
        } else if (holds.use() && indexed == null && use == null) {
          use = key(connection, table);
          if (use != null) {
            use = entry(table.name(), use, column.name());
            findings.use.add(use);
          }
        }
      }
    }
    if (indexed == null) {
      tables.add(List.of(table.name(), kind, count(connection, table), "", "no: " + reason(table)));
      findings.vectors.addAll(lines);
      return;
    }
    VectorCheck check = VectorCheck.of(connection, indexed, this::progress);
    tables.add(
        List.of(
            table.name(),
            kind,
            check.rows(),
            check.dimensions(),
            "yes: " + indexed.id() + ", " + indexed.embedding()));
    for (String fact : check.facts()) {
      findings.vectors.add(table.name() + "." + indexed.embedding() + ": " + fact);
    }
    if (check.dimensions().matches("\\d+")) {
      findings.vectors.add(
          table.name()
              + "."
              + indexed.embedding()
              + ": its index takes "
              + schema
                  .indexedTables()
                  .place(indexed, check.rows(), Integer.parseInt(check.dimensions())));
    }
    for (String problem : check.problems()) {
      findings.problems.add(table.name() + ": " + problem);
    }
    BlobKind holds = holds(connection, table, table.column(indexed.embedding()));
    if (holds != null && holds.advice() != null) {
      findings.problems.add(
          String.format(
              Locale.ROOT,
              "%s: its %s are probably %s, no float32; to convert a value: %s",
              table.name(),
              indexed.embedding(),
              holds.what(),
              holds.advice()));
    }
    findings.vectors.addAll(lines);
  }

  /** What a column that may hold vectors seems to hold; null for one that holds ordinary values. */
  private static BlobKind holds(
      Connection connection, SqliteTable table, SqliteTable.Column column) {
    if (column == null) {
      return null;
    }
    String name = Identifiers.quote(column.name());
    List<Object> values = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT "
                    + name
                    + " FROM "
                    + Identifiers.quote(table.name())
                    + " WHERE "
                    + name
                    + " IS NOT NULL LIMIT "
                    + SAMPLE)) {
      while (rows.next()) {
        values.add(rows.getObject(1));
      }
    } catch (SQLException e) {
      // Said of the table, as the number of its rows.
      return null;
    }
    boolean blobs = values.stream().anyMatch(value -> value instanceof byte[]);
    BlobKind kind = BlobKind.of(values);
    if (kind == null) {
      return null;
    }
    boolean declared = column.type() == SqlTypeName.VARBINARY;
    boolean vectors = kind.use() || kind.advice() != null;
    return blobs || declared || vectors ? kind : null;
  }

  private void progress(String text) {
    if (Tty.present()) {
      PrintStream err = System.err;
      err.println("info: " + text);
    }
  }

  private static Object count(Connection connection, SqliteTable table) {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT count(*) FROM " + Identifiers.quote(table.name()))) {
      return row.getLong(1);
    } catch (SQLException e) {
      // A view may fail in its rows; the others are still worth telling.
      return "unreadable: " + e.getMessage();
    }
  }

  /** The column to use as id: one named so, a key of one column, or the rowid; null if none. */
  private static String key(Connection connection, SqliteTable table) {
    SqliteTable.Column id = table.column(IndexedTable.DEFAULT_ID);
    List<String> keys =
        table.columns().stream()
            .filter(column -> column.key() > 0)
            .map(SqliteTable.Column::name)
            .toList();
    if (id != null) {
      return id.name();
    } else if (keys.size() == 1) {
      return keys.get(0);
    }
    try (Statement statement = connection.createStatement()) {
      statement.executeQuery("SELECT rowid FROM " + Identifiers.quote(table.name())).close();
      return table.isView() ? null : "rowid";
    } catch (SQLException e) {
      // WITHOUT ROWID, and a key of several columns.
      return null;
    }
  }

  private static String reason(SqliteTable table) {
    List<String> missing = new ArrayList<>();
    for (String column : List.of(IndexedTable.DEFAULT_ID, IndexedTable.DEFAULT_EMBEDDING)) {
      if (table.column(column) == null) {
        missing.add(column);
      }
    }
    if (missing.isEmpty()) {
      return "not among the operand 'tables'";
    }
    return "it has no column "
        + String.join(" and no ", missing)
        + (missing.size() == 2 ? ", and no other is named" : "");
  }
}
