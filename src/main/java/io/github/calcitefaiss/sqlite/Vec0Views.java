/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.sqlite.Function;
import org.sqlite.SQLiteConnection;

/**
 * The temporary views of a connection that stand for the virtual tables of sqlite-vec, and for the
 * file's own views of these, so that both can be read without the extension.
 *
 * <p>They are made outside of a transaction, whose end would take them away.
 */
final class Vec0Views {
  /** The function that reads a little-endian integer of 1, 4 or 8 bytes. */
  static final String INTEGER = "faiss_vec0_integer";

  /** The function that reads a little-endian double. */
  static final String DOUBLE = "faiss_vec0_double";

  private static final Pattern CREATE_VIEW = Pattern.compile("(?is)^\\s*create\\s+view\\s");

  private long schemaVersion = -1;
  private Map<String, String> made = Map.of();

  /** The tables of this kind of a database, by name; empty for nearly all databases. */
  static Map<String, Vec0Table> tables(Connection connection) throws SQLException {
    Map<String, Vec0Table> tables = new LinkedHashMap<>();
    definitions(connection)
        .forEach(
            (name, create) -> {
              Vec0Table table = Vec0Table.of(name, create);
              if (table != null) {
                tables.put(name, table);
              }
            });
    return tables;
  }

  private static Map<String, String> definitions(Connection connection) throws SQLException {
    Map<String, String> found = new LinkedHashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT name, sql FROM main.sqlite_schema WHERE type = 'table'"
                    + " AND sql LIKE 'create virtual table%vec0%'")) {
      while (rows.next()) {
        found.put(rows.getString(1), rows.getString(2));
      }
    }
    return found;
  }

  /** Whether the views are those of the version that the connection reads. */
  boolean areCurrent(Connection connection) throws SQLException {
    long version = SqliteFile.number(connection, "PRAGMA main.schema_version");
    if (version != schemaVersion && made.equals(definitions(connection))) {
      // Without such tables nothing depends on the schema, with them the file's views may.
      schemaVersion = made.isEmpty() ? version : schemaVersion;
    }
    return version == schemaVersion;
  }

  /** Makes the views anew. */
  void make(Connection connection) throws SQLException {
    for (String view : views(connection, "temp")) {
      SqliteFile.execute(connection, "DROP VIEW temp." + Identifiers.quote(view));
    }
    long version = SqliteFile.number(connection, "PRAGMA main.schema_version");
    made = definitions(connection);
    register(connection);
    for (Vec0Table table : tables(connection).values()) {
      String name = Identifiers.quote(table.name());
      SqliteFile.execute(connection, "CREATE TEMP VIEW " + name + " AS " + table.query());
    }
    for (String view : views(connection, "main")) {
      if (!isReadable(connection, "main." + Identifiers.quote(view))) {
        copy(connection, view);
      }
    }
    schemaVersion = version;
  }

  private static List<String> views(Connection connection, String schema) throws SQLException {
    List<String> names = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT name FROM "
                    + schema
                    + ".sqlite_schema WHERE type = 'view' ORDER BY name")) {
      while (rows.next()) {
        names.add(rows.getString(1));
      }
    }
    return names;
  }

  private static boolean isReadable(Connection connection, String name) {
    try {
      SqliteFile.execute(connection, "SELECT 1 FROM " + name + " LIMIT 0");
      return true;
    } catch (SQLException e) {
      return false;
    }
  }

  /** In a temporary view names mean temporary views first. */
  private static void copy(Connection connection, String view) throws SQLException {
    String create;
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT sql FROM main.sqlite_schema WHERE type = 'view' AND name = '"
                    + view.replace("'", "''")
                    + "'")) {
      create = row.getString(1);
    }
    if (!CREATE_VIEW.matcher(create).find()) {
      return;
    }
    SqliteFile.execute(connection, CREATE_VIEW.matcher(create).replaceFirst("CREATE TEMP VIEW "));
    if (!isReadable(connection, Identifiers.quote(view))) {
      // Broken for another reason, which SQLite says when it is read.
      SqliteFile.execute(connection, "DROP VIEW temp." + Identifiers.quote(view));
    }
  }

  private static void register(Connection connection) throws SQLException {
    Connection sqlite = connection.unwrap(SQLiteConnection.class);
    Function.create(
        sqlite,
        INTEGER,
        new Function() {
          @Override
          protected void xFunc() throws SQLException {
            ByteBuffer value = little(value_blob(0));
            result(
                value.remaining() >= 8
                    ? value.getLong()
                    : value.remaining() >= 4 ? value.getInt() : value.get());
          }
        });
    Function.create(
        sqlite,
        DOUBLE,
        new Function() {
          @Override
          protected void xFunc() throws SQLException {
            result(little(value_blob(0)).getDouble());
          }
        });
  }

  private static ByteBuffer little(byte[] blob) {
    return ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
  }
}
