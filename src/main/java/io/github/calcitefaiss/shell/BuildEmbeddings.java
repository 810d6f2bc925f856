/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.embed.Embedded;
import io.github.calcitefaiss.embed.Embedder;
import io.github.calcitefaiss.embed.EmbeddingModel;
import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.HowFar;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.sqlite.Identifiers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Keeps a table of embeddings in step with a table of text, in the same SQLite file.
 *
 * <p>The result has one row for each row of the source that has any text: the id as it is stored
 * there, a blob of little-endian float32, and a hash of the text. Only what is new or changed is
 * embedded, what is gone is removed, and whatever ends the work, the next run goes on from there.
 */
public final class BuildEmbeddings implements AutoCloseable {
  /** Texts that are read, embedded and written at once: so many batches of the model's, or so. */
  private static final int BATCHES = 8;

  private static final int MOST_CHARACTERS = 4 << 20;
  private static final int HASH_BYTES = 16;
  private static final long NANOS_A_LOOK = 200_000_000L;
  private static final long NANOS_AFTER_FAILURE = 30_000_000_000L;
  private static final String BUSY = "pragma busy_timeout = 30000";

  /**
   * What to read and what to write.
   *
   * @param database a SQLite file that exists
   * @param table the table or view with the text
   * @param id its column of ids
   * @param texts its columns to embed, at least one; a NULL counts as empty
   * @param embeddings the table to write
   * @param model the name of an installed model, or null for the default
   * @param skipFailures whether a text that can't be embedded gets NULL, or is an error
   * @param rebuild whether a table of another model, or another's, is replaced
   */
  public record Job(
      Path database,
      String table,
      String id,
      List<String> texts,
      String embeddings,
      String model,
      boolean skipFailures,
      boolean rebuild) {}

  /**
   * What a run came to, in rows.
   *
   * @param embedded new or changed
   * @param failed of those, without a vector
   * @param removed whose text is gone
   * @param unchanged left as they were
   */
  public record Outcome(long embedded, long failed, long removed, long unchanged) {}

  /** A reason for the person at the terminal: no stack trace needed. */
  public static final class JobException extends Exception {
    JobException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private record Text(Object id, String text, byte[] hash) {}

  private final Job job;
  private final Consumer<String> progress;
  private final Checkpoint watch;
  private final Connection connection;

  private BuildEmbeddings(Job job, Consumer<String> progress, Checkpoint watch)
      throws SQLException {
    this.job = job;
    this.progress = progress;
    this.watch = watch;
    this.connection = DriverManager.getConnection("jdbc:sqlite:" + job.database());
  }

  /**
   * Opens the file and looks at the names.
   *
   * @param watch what it throws ends a run, of which what is written stays
   */
  public static BuildEmbeddings open(Job job, Consumer<String> progress, Checkpoint watch)
      throws JobException {
    if (!Files.isRegularFile(job.database())) {
      throw new JobException("no such database: " + job.database(), null);
    }
    if (job.table().equalsIgnoreCase(job.embeddings())) {
      throw new JobException(
          "table " + job.table() + " would be replaced by its own embeddings", null);
    }
    BuildEmbeddings build = null;
    try {
      build = new BuildEmbeddings(job, progress, watch);
      build.name();
      return build;
    } catch (SQLException e) {
      if (build != null) {
        build.close();
      }
      throw build == null ? new JobException(e.getMessage(), e) : build.said(e);
    }
  }

  private JobException said(SQLException e) {
    return new JobException(job.database() + ": " + e.getMessage(), e);
  }

  /** One run, from any process. */
  public static Outcome run(Job job, Consumer<String> progress) throws JobException {
    try (BuildEmbeddings build = open(job, progress, Checkpoint.NONE)) {
      return build.run();
    }
  }

  /** The source as a view of its own, in which a text is one column. */
  private void name() throws SQLException {
    // Qualified, for SQLite takes an unknown column in quotes alone for a string.
    String id = "source." + Identifiers.quote(job.id());
    List<String> texts = new ArrayList<>();
    for (String column : job.texts()) {
      texts.add("ifnull(source." + Identifiers.quote(column) + ", '')");
    }
    String text = String.join(" || char(10) || ", texts);
    try (Statement statement = connection.createStatement()) {
      statement.execute(BUSY);
      statement.execute(
          String.format(
              Locale.ROOT,
              "create temp view faiss_texts as select id, text from"
                  + " (select %s as id, trim(%s, char(9, 10, 11, 12, 13, 32)) as text"
                  + " from main.%s as source) where id is not null and text <> ''",
              id,
              text,
              Identifiers.quote(job.table())));
      // A view is not looked at until it is read.
      statement.executeQuery("select * from faiss_texts limit 0").close();
    }
  }

  /** Changes whenever another connection commits something. */
  public long version() throws JobException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("pragma data_version")) {
      return row.getLong(1);
    } catch (SQLException e) {
      throw said(e);
    }
  }

  /** Brings the embeddings into step with the texts. */
  public Outcome run() throws JobException {
    try {
      EmbeddingModel model = Embedder.ours().model(job.model());
      EmbeddingTable table = new EmbeddingTable(connection, job);
      table.prepare(model);
      long[] counts = count();
      long changed = counts[0];
      Progress said = new Progress(progress, changed);
      long failed = 0;
      Object last = null;
      while (said.done() < changed) {
        List<Text> texts = read(last, model.batch() * BATCHES);
        if (texts.isEmpty()) {
          break;
        }
        last = texts.get(texts.size() - 1).id();
        failed += embed(model, table, texts);
        said.add(texts.size());
      }
      long removed = table.removeGone();
      return new Outcome(said.done(), failed, removed, counts[1]);
    } catch (FaissException e) {
      throw new JobException(e.getMessage(), e);
    } catch (SQLException e) {
      throw said(e);
    }
  }

  /**
   * Brings them into step whenever another connection has committed something, until the checkpoint
   * throws. What fails is tried again then, or after half a minute.
   */
  public void follow(Consumer<Outcome> done, Consumer<JobException> failed) throws JobException {
    while (true) {
      long seen = version();
      long again = System.nanoTime() + Long.MAX_VALUE / 2;
      try {
        done.accept(run());
      } catch (JobException e) {
        failed.accept(e);
        again = System.nanoTime() + NANOS_AFTER_FAILURE;
      }
      while (version() == seen && System.nanoTime() - again < 0) {
        watch.check();
        LockSupport.parkNanos(NANOS_A_LOOK);
      }
    }
  }

  private long embed(EmbeddingModel model, EmbeddingTable table, List<Text> texts)
      throws SQLException, JobException {
    List<Embedded> vectors =
        Embedder.ours().all(model, texts.stream().map(Text::text).toList(), watch);
    List<EmbeddingTable.Row> rows = new ArrayList<>();
    long failed = 0;
    JobException first = null;
    for (int i = 0; i < texts.size(); i++) {
      Embedded vector = vectors.get(i);
      if (vector.failure() != null) {
        failed++;
        if (!job.skipFailures()) {
          first = first == null ? notEmbedded(texts.get(i).id(), vector.failure()) : first;
          continue;
        }
      }
      rows.add(new EmbeddingTable.Row(texts.get(i).id(), texts.get(i).hash(), vector.vector()));
    }
    // Those that have a vector are kept, whatever becomes of the others.
    table.write(rows);
    if (first != null) {
      throw first;
    }
    return failed;
  }

  private JobException notEmbedded(Object id, FaissException why) {
    return new JobException(
        "the row of "
            + job.table()
            + " with the id "
            + Shown.id(id)
            + " can't be embedded: "
            + why.getMessage()
            + "; --on-bad-row null leaves such rows without a vector",
        why);
  }

  /** A text that is as it was embedded has the hash that is stored. */
  private static boolean isChanged(byte[] hash, byte[] stored) {
    return stored == null || !Arrays.equals(hash, stored);
  }

  private static final String JOIN =
      "select source.id, source.text, made.content_hash, typeof(source.id)"
          + " from faiss_texts as source left join main.%s as made on made.id = source.id";

  /** How many rows are to be embedded, and how many are in step. */
  private long[] count() throws SQLException, JobException {
    long changed = 0;
    long unchanged = 0;
    Object before = null;
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                String.format(Locale.ROOT, JOIN, Identifiers.quote(job.embeddings()))
                    + " order by 1")) {
      while (rows.next()) {
        watch.check();
        Object id = rows.getObject(1);
        if (id.equals(before)) {
          throw new JobException(
              "column " + job.id() + " of " + job.table() + " has the value " + id + " twice",
              null);
        }
        before = id;
        if (isChanged(hash(rows.getString(2)), rows.getBytes(3))) {
          changed++;
        } else {
          unchanged++;
        }
      }
    }
    return new long[] {changed, unchanged};
  }

  /** The next rows to embed, by their ids. */
  private List<Text> read(Object after, int most) throws SQLException {
    List<Text> texts = new ArrayList<>();
    int characters = 0;
    try (PreparedStatement statement =
        connection.prepareStatement(
            String.format(Locale.ROOT, JOIN, Identifiers.quote(job.embeddings()))
                + (after == null ? "" : " where source.id > ?")
                + " order by 1")) {
      if (after != null) {
        statement.setObject(1, after);
      }
      try (ResultSet rows = statement.executeQuery()) {
        while (texts.size() < most && characters < MOST_CHARACTERS && rows.next()) {
          watch.check();
          String text = rows.getString(2);
          byte[] hash = hash(text);
          if (isChanged(hash, rows.getBytes(3))) {
            texts.add(new Text(rows.getObject(1), text, hash));
            characters += text.length();
          }
        }
      }
    }
    return texts;
  }

  private static byte[] hash(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return Arrays.copyOf(digest.digest(text.getBytes(StandardCharsets.UTF_8)), HASH_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Says, every second, how far it is, how fast it goes and how long it will take. */
  private static final class Progress {
    private static final long NANOS_A_LINE = 1_000_000_000L;

    private final Consumer<String> out;
    private final long all;
    private final long begin = System.nanoTime();
    private long said = begin;
    private long done;

    private Progress(Consumer<String> out, long all) {
      this.out = out;
      this.all = all;
    }

    private long done() {
      return done;
    }

    private void add(long rows) {
      done += rows;
      long now = System.nanoTime();
      if (now - said < NANOS_A_LINE && done < all) {
        return;
      }
      said = now;
      double rate = done / Math.max(1e-9, (now - begin) / 1e9);
      out.accept(
          String.format(
              Locale.ROOT,
              "%,d of %,d rows, %.0f rows/s, %s left",
              done,
              all,
              rate,
              HowFar.time(Math.max(0, all - done) / rate)));
    }
  }
}
