/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.FaissDriver;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.lookup.LikePattern;

/** A database or model that a command works on: a connection, and the SQLite schemas it reaches. */
record Source(Connection connection, List<SqliteSchema> schemas) implements AutoCloseable {
  static Source open(String target) throws SQLException, Main.CommandException {
    Connection connection = new FaissDriver().connect(Main.url(target), new Properties());
    if (connection == null) {
      throw new Main.CommandException("expected a jdbc:faiss: URL, got " + target);
    }
    SchemaPlus root = connection.unwrap(CalciteConnection.class).getRootSchema();
    List<SqliteSchema> schemas = new ArrayList<>();
    for (String name : root.subSchemas().getNames(LikePattern.any())) {
      SqliteSchema schema = SqliteSchema.of(root.subSchemas().get(name));
      if (schema != null) {
        schemas.add(schema);
      }
    }
    return new Source(connection, schemas);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
