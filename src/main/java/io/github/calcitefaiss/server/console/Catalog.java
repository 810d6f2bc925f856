/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** What a connection has: databases, their tables, and the tables' columns and keys. */
final class Catalog {
  /** The schemas that the driver adds. */
  private static final List<String> OWN = List.of("metadata", "faiss_metadata");

  private static final String INDEXES = "faiss_indexes";

  private final Work work;
  private final Map<String, Map<String, Index>> indexes = new TreeMap<>();

  Catalog(Work work) {
    this.work = work;
  }

  /** A table or view, by name. */
  record Name(String name, boolean view) {}

  /** A column and the name of its SQL type. */
  record Column(String name, String type) {
    boolean isBlob() {
      return type.contains("BINARY");
    }

    boolean isNumber() {
      return List.of("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT", "REAL")
              .contains(type)
          || type.startsWith("DECIMAL");
    }
  }

  /** Which columns of a table an index is made of, and what is known of it. */
  record Index(
      String id,
      String embedding,
      Long rows,
      Long skipped,
      List<Long> dims,
      Long bytes,
      long searches,
      String model) {
    boolean isLoaded() {
      return rows != null;
    }
  }

  /**
   * A table or view.
   *
   * @param keys the columns that name a row: the primary key, {@code rowid}, or none
   * @param rowid whether rows are named by the rowid, which no column holds
   * @param index its index, or null
   */
  record Table(
      String database,
      String name,
      boolean view,
      List<Column> columns,
      List<String> keys,
      boolean rowid,
      Index index) {
    Column column(String wanted) {
      for (Column column : columns) {
        if (column.name().equals(wanted)) {
          return column;
        }
      }
      return null;
    }
  }

  /** The names of the databases, the default one first. */
  List<String> databases() throws SQLException {
    List<String> names = new ArrayList<>();
    try (ResultSet rows = meta().getSchemas()) {
      while (rows.next()) {
        names.add(rows.getString("TABLE_SCHEM"));
      }
    }
    String own = ownSchema(names);
    names.remove(own);
    return names;
  }

  private static String ownSchema(List<String> names) {
    // Where a file is named metadata, the driver's own schema takes the other name.
    return names.contains(OWN.get(1)) ? OWN.get(1) : OWN.get(0);
  }

  /**
   * The database of a name.
   *
   * @throws Refusal 404
   */
  String database(String name) throws SQLException, Refusal {
    for (String known : databases()) {
      if (known.equalsIgnoreCase(name)) {
        return known;
      }
    }
    throw Refusal.notFound("Database not found");
  }

  /** The tables and views of a database, in the order of their names. */
  List<Name> names(String database) throws SQLException {
    List<Name> names = new ArrayList<>();
    try (ResultSet rows = meta().getTables(null, literal(database), null, null)) {
      while (rows.next()) {
        names.add(
            new Name(rows.getString("TABLE_NAME"), rows.getString("TABLE_TYPE").equals("VIEW")));
      }
    }
    return names;
  }

  /**
   * A table with its columns.
   *
   * @throws Refusal 404
   */
  Table table(String database, String name) throws SQLException, IOException, Refusal {
    Name found = null;
    try (ResultSet rows = meta().getTables(null, literal(database), literal(name), null)) {
      while (rows.next() && (found == null || !found.name().equals(name))) {
        found = new Name(rows.getString("TABLE_NAME"), rows.getString("TABLE_TYPE").equals("VIEW"));
      }
    }
    if (found == null) {
      throw Refusal.notFound("Table not found: " + name);
    }
    List<Column> columns = new ArrayList<>();
    try (ResultSet rows = meta().getColumns(null, literal(database), literal(found.name()), null)) {
      while (rows.next()) {
        columns.add(new Column(rows.getString("COLUMN_NAME"), rows.getString("TYPE_NAME")));
      }
    }
    Map<Integer, String> keys = new TreeMap<>();
    try (ResultSet rows = meta().getPrimaryKeys(null, database, found.name())) {
      while (rows.next()) {
        keys.put(rows.getInt("KEY_SEQ"), rows.getString("COLUMN_NAME"));
      }
    }
    boolean rowid = !found.view() && keys.isEmpty() && hasRowid(database, found.name());
    return new Table(
        database,
        found.name(),
        found.view(),
        columns,
        rowid ? List.of("rowid") : List.copyOf(keys.values()),
        rowid,
        indexes(database).get(found.name()));
  }

  private boolean hasRowid(String database, String table) throws SQLException {
    work.use(database);
    String sql = "select rowid from " + Identifiers.quote(table) + " limit 0";
    try (PreparedStatement statement = work.connection().prepareStatement(sql)) {
      statement.executeQuery().close();
      return true;
    } catch (SQLException e) {
      // Another source's table.
      return false;
    }
  }

  /** Hands on each column of a database as an option of the editor's. */
  void columns(String database, Consumer<Map<String, Object>> options) throws SQLException {
    try (ResultSet rows = meta().getColumns(null, literal(database), null, null)) {
      while (rows.next()) {
        String table = rows.getString("TABLE_NAME");
        String detail = table + ", " + rows.getString("TYPE_NAME").toLowerCase(Locale.ROOT);
        options.accept(
            Completion.option(rows.getString("COLUMN_NAME"), "property", detail, 1, table));
      }
    }
  }

  /** Whether there is a function of a name. */
  boolean hasFunction(String name) throws SQLException {
    try (ResultSet rows = meta().getFunctions(null, null, literal(name))) {
      return rows.next();
    }
  }

  /** The indexes of a database, by table. */
  Map<String, Index> indexes(String database) throws SQLException {
    Map<String, Index> known = indexes.get(database);
    if (known == null) {
      known = readIndexes(database);
      indexes.put(database, known);
    }
    return known;
  }

  private Map<String, Index> readIndexes(String database) throws SQLException {
    List<String> schemas = new ArrayList<>();
    try (ResultSet rows = meta().getSchemas()) {
      while (rows.next()) {
        schemas.add(rows.getString("TABLE_SCHEM"));
      }
    }
    Map<String, Index> indexes = new TreeMap<>();
    String sql =
        "select table_name, id_column, embedding_column, row_count, skipped_rows, dims, bytes,"
            + " searches, model from "
            + Identifiers.quote(ownSchema(schemas))
            + "."
            + Identifiers.quote(INDEXES)
            + " where table_schema = ?";
    try (PreparedStatement statement = work.connection().prepareStatement(sql)) {
      statement.setString(1, database);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          Index index =
              new Index(
                  rows.getString(2),
                  rows.getString(3),
                  number(rows, 4),
                  number(rows, 5),
                  rows.getObject(6) == null ? List.of() : List.of(rows.getLong(6)),
                  number(rows, 7),
                  rows.getLong(8),
                  rows.getString(9));
          indexes.merge(rows.getString(1), index, Catalog::together);
        }
      }
    }
    return indexes;
  }

  /**
   * The table that a table's rows are searched in: itself, or one whose ids are its keys, since
   * embeddings often stand beside their table; null if there is none.
   */
  Table searched(Table table) throws SQLException, IOException, Refusal {
    if (table.index() != null) {
      return table;
    } else if (table.keys().size() != 1) {
      return null;
    }
    Map<String, Index> indexes = indexes(table.database());
    for (String name : List.of(table.name() + "_embeddings", "embeddings")) {
      Index index = indexes.get(name);
      if (index != null && index.id().equalsIgnoreCase(table.keys().get(0))) {
        return table(table.database(), name);
      }
    }
    return null;
  }

  /** A table whose vectors have several dimensions has a row for each. */
  private static Index together(Index a, Index b) {
    List<Long> dims = new ArrayList<>(a.dims());
    dims.addAll(b.dims());
    return new Index(
        a.id(),
        a.embedding(),
        a.rows() + b.rows(),
        a.skipped(),
        dims,
        a.bytes() + b.bytes(),
        a.searches(),
        a.model());
  }

  private static Long number(ResultSet rows, int column) throws SQLException {
    return rows.getObject(column) == null ? null : (Long) rows.getLong(column);
  }

  private DatabaseMetaData meta() throws SQLException {
    return work.connection().getMetaData();
  }

  /** A name as a pattern that means only itself. */
  private String literal(String name) throws SQLException {
    String escape = meta().getSearchStringEscape();
    return name.replace(escape, escape + escape)
        .replace("%", escape + "%")
        .replace("_", escape + "_");
  }
}
