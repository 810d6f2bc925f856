/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sql.planner.VectorTopKRules;
import io.github.calcitefaiss.sql.search.FaissFunctions;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.calcite.schema.Schema;
import org.apache.calcite.schema.SchemaFactory;
import org.apache.calcite.schema.SchemaPlus;

/**
 * Makes a schema of a SQLite file, or of tables on a Spark cluster; named as {@code factory} in a
 * Calcite model.
 *
 * <p>Whatever is wrong with the operands or the file is an error here, at connect time, and not a
 * surprise in a query.
 */
public final class FaissSchemaFactory implements SchemaFactory {
  /** Creates a factory; Calcite does so by name. */
  public FaissSchemaFactory() {}

  /**
   * Makes the schema and adds the functions to its parent.
   *
   * <p>Throws, though it can't be declared, a {@link FaissException} that says what is wrong.
   */
  @Override
  public Schema create(SchemaPlus parentSchema, String name, Map<String, Object> operand) {
    try {
      if (operand.containsKey(ClusterConfig.ENGINE)) {
        Schema cluster = ClusterConfig.schema(name, operand);
        FaissFunctions.register(parentSchema, name);
        VectorTopKRules.register();
        return cluster;
      }
      FaissConfig config = FaissConfig.of(name, operand);
      SqliteDatabase database = SqliteDatabase.of(config.database());
      database.setBusyTimeout(config.busyTimeoutMillis());
      List<IndexedTable> tables = new ArrayList<>();
      SqliteSchema probe =
          new SqliteSchema(parentSchema, name, database, List.of(), config.options());
      for (IndexedTable table : config.tables()) {
        tables.add(resolve(probe, table));
      }
      FaissFunctions.register(parentSchema, name);
      VectorTopKRules.register();
      if (tables.isEmpty()) {
        probe.sqliteTables();
      }
      SqliteSchema schema =
          tables.isEmpty()
              ? probe
              : new SqliteSchema(parentSchema, name, database, tables, config.options());
      checkColumns(schema, config.options().columns().names());
      return schema;
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  /** The table with its names as SQLite has them. */
  private static IndexedTable resolve(SqliteSchema schema, IndexedTable table) throws SQLException {
    SqliteTable found = schema.sqliteTable(table.table());
    if (found == null) {
      throw FaissConfig.wrong(
          schema.name(),
          "operand 'tables': no table '"
              + table.table()
              + "' in "
              + schema.database()
              + Names.didYouMean(table.table(), schema.sqliteTables().keySet()));
    }
    return new IndexedTable(
        found.name(),
        column(schema, found, "id", table.id()),
        column(schema, found, "embedding", table.embedding()),
        table.skipBadRows(),
        table.model());
  }

  /** Refuses a column to be kept that no indexed table has. */
  private static void checkColumns(SqliteSchema schema, List<String> names) throws SQLException {
    if (names == null || names.isEmpty()) {
      return;
    }
    List<String> known = new ArrayList<>();
    List<IndexedTable> tables = schema.indexedTables().list();
    for (IndexedTable table : tables) {
      SqliteTable found = schema.sqliteTable(table.table());
      found.columns().stream()
          .map(SqliteTable.Column::name)
          .filter(column -> !column.equals(table.id()) && !column.equals(table.embedding()))
          .forEach(known::add);
    }
    for (String name : names) {
      if (known.stream().noneMatch(name::equalsIgnoreCase)) {
        throw FaissConfig.wrong(
            schema.name(),
            "operand 'columns': no indexed table has a column '"
                + name
                + "' beside its id and vector"
                + Names.didYouMean(name, known)
                + "; indexed tables: "
                + (tables.isEmpty()
                    ? "none"
                    : String.join(", ", tables.stream().map(IndexedTable::table).toList())));
      }
    }
  }

  private static String lower(String name) {
    return name.toLowerCase(java.util.Locale.ROOT);
  }

  private static String column(SqliteSchema schema, SqliteTable table, String role, String name)
      throws SQLException {
    SqliteTable.Column column = table.column(name);
    if (column == null && role.equals("id") && SqliteTable.ROWIDS.contains(lower(name))) {
      String rowid = schema.rowid(table);
      if (rowid != null) {
        return rowid;
      }
    }
    if (column == null) {
      List<String> known = table.columns().stream().map(SqliteTable.Column::name).toList();
      throw FaissConfig.wrong(
          schema.name(),
          "operand 'tables': table '"
              + table.name()
              + "' has no column '"
              + name
              + "' for '"
              + role
              + "'"
              + Names.didYouMean(name, known)
              + "; its columns: "
              + String.join(", ", known));
    }
    return column.name();
  }
}
