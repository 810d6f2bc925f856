/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.OnnxEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import io.github.calcitefaiss.embed.Embedder;
import io.github.calcitefaiss.embed.InstalledModels;
import io.github.calcitefaiss.embed.ModelFolder;
import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.Daemons;
import io.github.calcitefaiss.shell.BuildEmbeddings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;

/**
 * Texts a second of a local model: called directly, through {@link Embedder}, in SQL on both ways,
 * and by build-embeddings; in turns, so that a busy machine is busy for all of them.
 *
 * <p>All are given the same texts in batches of 64, by as many threads as there are processors.
 */
public final class EmbedThroughput {
  private static final int BATCH = 64;

  private EmbedThroughput() {}

  private interface Way {
    int embed(Path database, List<String> texts) throws Exception;
  }

  /** Arguments: how many texts, and how many rounds after the first, which warms up. */
  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[0]);
    int rounds = Integer.parseInt(args[1]);
    System.setProperty(ModelFolder.PROPERTY, InstalledModels.shared().path().toString());
    Path files = ModelFolder.ours().path().resolve("all-minilm-l6-v2-q");
    EmbeddingModel direct =
        new OnnxEmbeddingModel(
            files.resolve("model.onnx"),
            files.resolve("tokenizer.json"),
            PoolingMode.MEAN,
            Executors.newFixedThreadPool(
                Runtime.getRuntime().availableProcessors(),
                task -> Daemons.thread("direct", task)));
    Map<String, Way> ways = new LinkedHashMap<>();
    ways.put("the model, called directly", (database, texts) -> direct(direct, texts));
    ways.put("Embedder", (database, texts) -> ours(texts));
    ways.put("select embed(words)", (database, texts) -> sql(database, "auto"));
    ways.put("the same, native=off", (database, texts) -> sql(database, "off"));
    ways.put("build-embeddings", (database, texts) -> build(database));
    Map<String, double[]> rates = new LinkedHashMap<>();
    List<String> summaries = summaries();
    int number = 0;
    for (int round = -1; round < rounds; round++) {
      for (Map.Entry<String, Way> way : ways.entrySet()) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          texts.add(summaries.get(i % summaries.size()) + ' ' + number++);
        }
        Path folder = Files.createTempDirectory("embed");
        Path database = write(folder.resolve("texts.db"), texts);
        long begin = System.nanoTime();
        int embedded = way.getValue().embed(database, texts);
        double rate = embedded / ((System.nanoTime() - begin) / 1e9);
        if (embedded != count) {
          throw new IllegalStateException(way.getKey() + " embedded " + embedded);
        }
        if (round >= 0) {
          rates.computeIfAbsent(way.getKey(), key -> new double[rounds])[round] = rate;
        }
        Files.delete(database);
        Files.delete(folder);
      }
    }
    double base = median(rates.values().iterator().next());
    rates.forEach(
        (way, each) ->
            System.out.printf(
                Locale.ROOT,
                "%-28s %6.0f texts/s  %.2f%n",
                way,
                median(each),
                median(each) / base));
  }

  private static double median(double[] rates) {
    double[] sorted = rates.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static int direct(EmbeddingModel model, List<String> texts) {
    int embedded = 0;
    for (int from = 0; from < texts.size(); from += BATCH) {
      embedded +=
          model
              .embedAll(
                  texts.subList(from, Math.min(from + BATCH, texts.size())).stream()
                      .map(TextSegment::from)
                      .toList())
              .content()
              .size();
    }
    return embedded;
  }

  private static int ours(List<String> texts) throws SQLException {
    Embedder embedder = Embedder.ours();
    return embedder.all(embedder.model(null), texts, Checkpoint.NONE).size();
  }

  private static int sql(Path database, String way) throws SQLException {
    int embedded = 0;
    try (Connection connection =
            DriverManager.getConnection("jdbc:faiss:" + database + ";native=" + way);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select embed(words) from texts")) {
      while (rows.next()) {
        embedded += rows.getBytes(1).length == 4 * 384 ? 1 : 0;
      }
    }
    return embedded;
  }

  private static int build(Path database) throws BuildEmbeddings.JobException {
    return (int)
        BuildEmbeddings.run(
                new BuildEmbeddings.Job(
                    database, "texts", "id", List.of("words"), "made", null, false, false),
                line -> {})
            .embedded();
  }

  private static List<String> summaries() throws SQLException {
    List<String> summaries = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:examples/packages.db");
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select name || ': ' || summary from packages")) {
      while (rows.next()) {
        summaries.add(rows.getString(1));
      }
    }
    return summaries;
  }

  private static Path write(Path database, List<String> texts) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement()) {
      statement.execute("create table texts (id integer primary key, words text)");
      connection.setAutoCommit(false);
      try (PreparedStatement insert =
          connection.prepareStatement("insert into texts (words) values (?)")) {
        for (String text : texts) {
          insert.setString(1, text);
          insert.addBatch();
        }
        insert.executeBatch();
      }
      connection.commit();
    }
    return database;
  }
}
