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
  private record Findings(
      List<String> vectors,
      List<String> problems,
      List<String> use,
      List<String> unsure,
      List<String> unreadable) {}

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
    Findings findings =
        new Findings(
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>());
    try (SqliteDatabase.Lease lease = schema.database().snapshot(Checkpoint.NONE, null)) {
      Connection connection = lease.connection();
      for (SqliteTable table : schema.sqliteTables().values()) {
        describe(schema, table, connection, tables, findings);
      }
    }
    tables.print(out, spec.commandLine().getColorScheme().ansi().enabled());
    print(out, "Vectors:", findings.vectors);
    if (!findings.use.isEmpty()) {
      out.println(
          "To have more of them indexed, write behind the file's name, in quotes, or to the URL:");
      out.println("  ;tables=" + String.join(",", all(schema, findings.use)));
    }
    for (Map.Entry<String, String> table : schema.unreadableTables().entrySet()) {
      findings.unreadable.add(table.getKey() + ": " + table.getValue());
    }
    print(out, "SQLite can't read:", findings.unreadable);
    if (schema.name().equalsIgnoreCase("metadata")) {
      out.println("The indexes in memory are in \"faiss_metadata\".\"faiss_indexes\" here.");
    }
    if (findings.problems.isEmpty() && findings.unreadable.isEmpty()) {
      out.println(
          findings.unsure.isEmpty()
              ? "No problems found."
              : "No problems found, but what some hold can't be told for sure.");
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
    if (indexed == null) {
      tables.add(
          List.of(
              table.name(), kind, count(connection, table, findings), "", "no: " + reason(table)));
    } else {
      describeIndexed(schema, table, indexed, connection, tables, findings);
    }
    String use = null;
    for (SqliteTable.Column column : table.columns()) {
      if (indexed != null && column.name().equals(indexed.embedding())) {
        continue;
      }
      BlobKind holds = holds(connection, table, column);
      if (holds == null) {
        continue;
      }
      String name = table.name() + "." + column.name() + ": ";
      findings.vectors.add(name + holds.what());
      for (String fact : facts(connection, table, column, holds)) {
        findings.vectors.add(name + fact);
      }
      if (holds.advice() != null) {
        findings.problems.add(
            name + "float32 is needed to index them; to convert a value: " + holds.advice());
      } else if (holds.use() && indexed == null && use == null) {
        use = key(connection, table);
        if (use != null) {
          findings.use.add(entry(table.name(), use, column.name()));
        }
      }
    }
  }

  private void describeIndexed(
      SqliteSchema schema,
      SqliteTable table,
      IndexedTable indexed,
      Connection connection,
      TextTable tables,
      Findings findings)
      throws SQLException {
    VectorCheck check = VectorCheck.of(connection, indexed, this::progress);
    tables.add(
        List.of(
            table.name(),
            table.isView() ? "view" : "table",
            check.rows(),
            check.dimensions(),
            "yes: " + indexed.id() + ", " + indexed.embedding()));
    String name = table.name() + "." + indexed.embedding() + ": ";
    BlobKind holds = holds(connection, table, table.column(indexed.embedding()));
    boolean use = holds == null || holds.use();
    boolean sure = use && (holds == null || holds.form() != null || check.json());
    if (sure) {
      check.facts().forEach(fact -> findings.vectors.add(name + fact));
    } else {
      findings.vectors.add(name + holds.what());
      check.facts().stream()
          .filter(fact -> use || !fact.startsWith("float32, "))
          .forEach(fact -> findings.vectors.add(name + fact));
      findings.unsure.add(name);
    }
    if (use && check.dimensions().matches("\\d+")) {
      findings.vectors.add(
          name
              + "its index takes "
              + schema
                  .indexedTables()
                  .place(indexed, check.rows(), Integer.parseInt(check.dimensions())));
    }
    for (String problem : check.problems()) {
      // Where all rows are to be converted, none is to be corrected or left out.
      if (use || holds.advice() == null || !problem.equals(VectorCheck.CORRECT)) {
        findings.problems.add(table.name() + ": " + problem);
      }
    }
    // Rows that can't be used are told one by one, where others can.
    boolean told = !check.problems().isEmpty() && !check.dimensions().isEmpty();
    if (!use && !(told && holds.advice() == null)) {
      findings.problems.add(
          name
              + "no float32 vectors, but "
              + holds.what()
              + (holds.advice() == null ? "" : "; to convert a value: " + holds.advice()));
    }
  }

  /** What is worth knowing of a column that no index is made of, but could be. */
  private List<String> facts(
      Connection connection, SqliteTable table, SqliteTable.Column column, BlobKind holds)
      throws SQLException {
    if (holds.form() != null || holds.use()) {
      NumberForm form = holds.form() == null ? NumberForm.FLOAT32 : holds.form();
      String id = key(connection, table);
      IndexedTable as = new IndexedTable(table.name(), id, column.name(), false);
      VectorCheck check = VectorCheck.of(connection, as, form, this::progress);
      List<String> facts = new ArrayList<>(check.facts());
      facts.addAll(check.problems());
      return facts;
    } else if (holds.advice() == null) {
      return List.of();
    }
    String name = Identifiers.quote(column.name());
    String counts = "SELECT count(*) - count(%1$s), count(%1$s) - count(DISTINCT %1$s) FROM ";
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                String.format(Locale.ROOT, counts, name) + Identifiers.quote(table.name()))) {
      List<String> facts = new ArrayList<>();
      if (row.getLong(1) > 0) {
        facts.add(String.format(Locale.ROOT, "NULL in %,d rows", row.getLong(1)));
      }
      if (row.getLong(2) > 0) {
        facts.add(String.format(Locale.ROOT, "%,d are the same as another", row.getLong(2)));
      }
      return facts;
    }
  }

  /** What a column that may hold vectors seems to hold; null for one that holds ordinary values. */
  private static BlobKind holds(
      Connection connection, SqliteTable table, SqliteTable.Column column) {
    if (column == null) {
      return null;
    }
    List<Object> values = sample(connection, table, column);
    boolean blobs = values.stream().anyMatch(value -> value instanceof byte[]);
    BlobKind declares = BlobKind.declared(column.declared(), values);
    BlobKind kind = declares != null ? declares : BlobKind.of(values);
    if (kind == null) {
      return null;
    }
    boolean declared =
        column.type() == SqlTypeName.VARBINARY
            && values.stream().allMatch(values.get(0).getClass()::isInstance);
    boolean vectors = kind.use() || kind.advice() != null || kind.what().startsWith("numpy");
    return blobs || declared || vectors ? kind : null;
  }

  /** Some values, of the first rows and of the last. */
  private static List<Object> sample(
      Connection connection, SqliteTable table, SqliteTable.Column column) {
    String name = Identifiers.quote(column.name());
    String value =
        "CASE WHEN typeof(%1$s) IN ('blob', 'text') THEN substr(%1$s, 1, %2$d) ELSE %1$s END";
    String from = " FROM " + Identifiers.quote(table.name()) + " WHERE " + name + " IS NOT NULL";
    String select = "SELECT " + String.format(Locale.ROOT, value, name, BlobKind.MOST_BYTES);
    List<Object> values = new ArrayList<>();
    if (!table.isView()) {
      String rowid = select + ", rowid" + from;
      try (Statement statement = connection.createStatement()) {
        long last = add(statement, rowid + " ORDER BY rowid LIMIT " + SAMPLE, values);
        if (values.size() == SAMPLE) {
          String end = " AND rowid > " + last + " ORDER BY rowid DESC LIMIT " + SAMPLE;
          add(statement, rowid + end, values);
        }
        return values;
      } catch (SQLException e) {
        // A table WITHOUT ROWID.
        values.clear();
      }
    }
    try (Statement statement = connection.createStatement()) {
      add(statement, select + ", 0" + from + " LIMIT " + SAMPLE, values);
    } catch (SQLException e) {
      // Said of the table, as the number of its rows.
      values.clear();
    }
    return values;
  }

  private static long add(Statement statement, String query, List<Object> values)
      throws SQLException {
    long last = 0;
    try (ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        Object value = rows.getObject(1);
        // The driver's way to give an empty blob.
        values.add(value == null ? new byte[0] : value);
        last = rows.getLong(2);
      }
    }
    return last;
  }

  private void progress(String text) {
    if (Tty.present()) {
      PrintStream err = System.err;
      err.println("info: " + text);
    }
  }

  private static Object count(Connection connection, SqliteTable table, Findings findings) {
    String count = "SELECT count(*) FROM " + Identifiers.quote(table.name());
    try (Statement statement = connection.createStatement()) {
      // An index may be in an order that only the program that wrote the file has.
      for (String query : List.of(count, count + " NOT INDEXED")) {
        try (ResultSet row = statement.executeQuery(query)) {
          return row.getLong(1);
        } catch (SQLException e) {
          if (!query.equals(count)) {
            throw e;
          }
        }
      }
    } catch (SQLException e) {
      // The others are still worth telling.
      findings.unreadable.add(table.name() + ": " + SqliteDatabase.said(e));
    }
    return "?";
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
