/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.embed.EmbeddingModel;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.sqlite.Identifiers;
import io.github.calcitefaiss.sqlite.TableModels;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;

/**
 * A table of embeddings: {@code (id, embedding, content_hash)}, and the record of which model made
 * it, in {@link TableModels#TABLE}.
 *
 * <p>All its rows are of one model. What a transaction writes is whole embeddings, so that a
 * process that is killed leaves some of the rows, each right.
 */
final class EmbeddingTable {
  private final Connection connection;
  private final BuildEmbeddings.Job job;
  private final String name;

  EmbeddingTable(Connection connection, BuildEmbeddings.Job job) {
    this.connection = connection;
    this.job = job;
    this.name = Identifiers.quote(job.embeddings());
  }

  /** A row to write; without a vector where the text has none. */
  record Row(Object id, byte[] hash, float[] vector) {}

  /** Makes the table where it isn't there, or refuses one that isn't of this model. */
  void prepare(EmbeddingModel model) throws SQLException, BuildEmbeddings.JobException {
    execute("begin immediate");
    boolean done = false;
    try {
      if (exists("table", job.embeddings()) || exists("view", job.embeddings())) {
        String made = madeBy();
        String asked = model.name() + " (" + model.dims() + " dimensions)";
        if (job.rebuild() && !exists("view", job.embeddings())) {
          execute("drop table " + name);
          create(model);
        } else if (made == null) {
          throw new BuildEmbeddings.JobException(
              job.embeddings()
                  + " exists, and was not made by build-embeddings; name another table, or"
                  + " --rebuild, which replaces it",
              null);
        } else if (!made.equals(asked)) {
          throw new BuildEmbeddings.JobException(
              "table "
                  + job.embeddings()
                  + " was made by the model "
                  + made
                  + ", asked for is "
                  + asked
                  + "; name another table, or --rebuild, which replaces it",
              null);
        }
      } else {
        create(model);
      }
      execute("commit");
      done = true;
    } finally {
      if (!done) {
        execute("rollback");
      }
    }
  }

  private void create(EmbeddingModel model) throws SQLException {
    boolean numbers = number("select count(*) from faiss_texts where typeof(id) <> 'integer'") == 0;
    execute(
        String.format(
            Locale.ROOT,
            "create table %s (id %s primary key%s, embedding blob, content_hash blob)",
            name,
            numbers ? "integer" : "text",
            references()));
    execute(TableModels.CREATE);
    try (PreparedStatement insert = connection.prepareStatement(TableModels.REPLACE)) {
      insert.setString(1, job.embeddings());
      insert.setString(2, model.name());
      insert.setInt(3, model.dims());
      insert.execute();
    }
  }

  /** A foreign key can lead to a table, not to a view. */
  private String references() throws SQLException {
    return exists("table", job.table())
        ? String.format(
            Locale.ROOT,
            " references %s(%s)",
            Identifiers.quote(job.table()),
            Identifiers.quote(job.id()))
        : "";
  }

  private boolean exists(String type, String table) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select 1 from sqlite_schema where type = ? and name = ? collate nocase")) {
      statement.setString(1, type);
      statement.setString(2, table);
      try (ResultSet result = statement.executeQuery()) {
        return result.next();
      }
    }
  }

  /** The model that the table was made by, and its dimensions; null if nothing says it. */
  private String madeBy() throws SQLException {
    if (!exists("table", TableModels.TABLE)) {
      return null;
    }
    TableModels.Made made = TableModels.read(connection).of(job.embeddings());
    return made == null ? null : made.toString();
  }

  /** Writes rows, in one transaction. */
  void write(List<Row> rows) throws SQLException {
    execute("begin immediate");
    boolean done = false;
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert or replace into " + name + " (id, embedding, content_hash) values (?, ?, ?)")) {
      for (Row row : rows) {
        insert.setObject(1, row.id());
        insert.setBytes(2, row.vector() == null ? null : VectorCodec.encode(row.vector()));
        insert.setBytes(3, row.hash());
        insert.addBatch();
      }
      insert.executeBatch();
      execute("commit");
      done = true;
    } finally {
      if (!done) {
        execute("rollback");
      }
    }
  }

  /** Removes the rows whose texts are gone, and returns how many those were. */
  long removeGone() throws SQLException {
    String gone = " from " + name + " where id not in (select id from faiss_texts)";
    if (number("select count(*)" + gone) == 0) {
      // Nothing is written, so nobody has to load an index again.
      return 0;
    }
    try (Statement statement = connection.createStatement()) {
      return statement.executeUpdate("delete" + gone);
    }
  }

  private long number(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.getLong(1);
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
