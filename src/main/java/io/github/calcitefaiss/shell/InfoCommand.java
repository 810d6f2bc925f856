/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.index.Checkpoint;
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
import java.util.concurrent.Callable;
import org.apache.calcite.sql.type.SqlTypeName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code info}: what a database holds, what will be indexed, and which rows would be refused. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description =
        "Says of a database or model what is in it, which tables get an index and why not, and"
            + " which rows are wrong.",
    footer = {"", "Example: info examples/packages.db"})
final class InfoCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "DATABASE", description = "A SQLite file or a model.")
  private String target;

  @Spec private CommandSpec spec;

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
    List<String> problems = new ArrayList<>();
    try (SqliteDatabase.Lease lease = schema.database().snapshot(Checkpoint.NONE)) {
      Connection connection = lease.connection();
      for (SqliteTable table : schema.sqliteTables().values()) {
        IndexedTable indexed = schema.indexedTables().find(table.name());
        String kind = table.isView() ? "view" : "table";
        if (indexed == null) {
          tables.add(
              List.of(table.name(), kind, count(connection, table), "", "no: " + reason(table)));
          continue;
        }
        VectorCheck check = VectorCheck.of(connection, indexed, this::progress);
        tables.add(
            List.of(
                table.name(),
                kind,
                check.rows(),
                check.dimensions() < 0 ? "" : check.dimensions(),
                "yes: " + indexed.id() + ", " + indexed.embedding()));
        for (String problem : check.problems()) {
          problems.add(table.name() + ": " + problem);
        }
      }
    }
    tables.print(out, spec.commandLine().getColorScheme().ansi().enabled());
    if (problems.isEmpty()) {
      out.println("No problems found.");
    } else {
      out.println("Problems:");
      problems.forEach(problem -> out.println("  " + problem));
    }
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
            statement.executeQuery("SELECT count(*) FROM " + Source.quote(table.name()))) {
      return row.getLong(1);
    } catch (SQLException e) {
      // A view may fail in its rows; the others are still worth telling.
      return "unreadable: " + e.getMessage();
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
    String reason =
        "it has no column "
            + String.join(" and no ", missing)
            + (missing.size() == 2 ? ", and no other is named" : "");
    for (SqliteTable.Column column : table.columns()) {
      if (column.type() == SqlTypeName.VARBINARY) {
        return reason + "; name " + column.name() + " in a model if it holds vectors";
      }
    }
    return reason;
  }
}
