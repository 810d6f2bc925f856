/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real cluster on loopback, reached by the product's driver: the same answers as from the SQLite
 * file that its data came from, whatever is killed meanwhile.
 */
class ClusterTest {
  private static final int DIMS = 8;
  private static final int PORT = Integer.getInteger("cluster.port", 15102);

  @TempDir static Path folder;

  private static Connection sqlite;
  private static Connection spark;
  private static Driver driver;

  @BeforeAll
  static void start() throws Exception {
    cluster("start", "--port", String.valueOf(PORT), "--memory", "1000m");
    Path file = folder.resolve("local.db");
    Product.database(file, 4000, DIMS, 7);
    Export.export(file, folder.resolve("lake"), Set.of(), 50_000);
    driver = LocalCluster.driver();
    sqlite = Product.open(driver, file);
    spark = Product.open(driver, model("sc://127.0.0.1:" + PORT));
  }

  @AfterAll
  static void stop() throws Exception {
    cluster("stop");
  }

  private static Path model(String url) throws Exception {
    Path model = folder.resolve("model.json");
    Files.writeString(
        model,
        """
        { "version": "1.0", "defaultSchema": "lake", "schemas": [
          { "name": "lake", "type": "custom",
            "factory": "io.github.calcitefaiss.FaissSchemaFactory",
            "operand": { "engine": "spark", "url": "%s", "tables": [
              { "table": "embeddings", "path": "%s" } ] } },
          { "name": "local", "type": "custom",
            "factory": "io.github.calcitefaiss.FaissSchemaFactory",
            "operand": { "database": "local.db" } } ] }
        """
            .formatted(url, folder.resolve("lake/embeddings")));
    return model;
  }

  private static String cluster(String... arguments) throws Exception {
    return LocalCluster.run("test-cluster", arguments);
  }

  private static void same(String sql) throws SQLException {
    assertEquals(Product.text(sqlite, sql), Product.text(spark, sql), sql);
  }

  @Test
  void generatedStatementsGiveTheSameOnBothEngines() throws Exception {
    long seed = Long.getLong("seed", new Random().nextLong());
    Random random = new Random(seed);
    for (String sql : Product.statements(random, 40, DIMS)) {
      assertEquals(
          Product.text(sqlite, sql), Product.text(spark, sql), () -> "seed " + seed + ": " + sql);
    }
  }

  @Test
  void everyFormOfTheReadmeIsAnswered() throws Exception {
    String vector = "(select embedding from local.embeddings where id = 6)";
    String json = "select %s('%s', 'embeddings', %s, 7)";
    for (String function : List.of("faiss_search", "faiss_search_with_scores")) {
      assertEquals(
          Product.text(spark, json.formatted(function, "local", vector)),
          Product.text(spark, json.formatted(function, "lake", vector)));
    }
    String neighbors =
        "select l.name, n.id, n.distance, n.rank from faiss_neighbors('%s', 'embeddings', "
            + vector
            + ", 5) n join local.embeddings l on l.id = n.id order by n.rank";
    assertEquals(
        Product.text(spark, neighbors.formatted("local")),
        Product.text(spark, neighbors.formatted("lake")));
    same(
        "select id from embeddings where section = 1 order by l2_distance(embedding, (select"
            + " embedding from embeddings where id = 9)) nulls last, id limit 4");
    same(
        "select id from embeddings where l2_distance(embedding, '[1, 0, 1, 0, 1, 0, 1, 0]') < 2"
            + " order by id");
    same("select section, count(*), max(id) from embeddings group by section order by section");
    same("select vec_to_json(vec_add(embedding, embedding)) from embeddings where id = 6");
    String lateral =
        "select q.id, n.id, n.rank from (select id, embedding from local.embeddings where id in"
            + " (6, 9, 12)) q, lateral table(faiss_neighbors('%s', 'embeddings', q.embedding, 3)) n"
            + " order by q.id, n.rank";
    assertEquals(
        Product.text(spark, lateral.formatted("local")),
        Product.text(spark, lateral.formatted("lake")));
  }

  /**
   * Every form is answered as by SQLite, by searches of the cluster, without its rows coming here.
   */
  @Test
  void everyFormIsSearchedThere() throws Exception {
    String vector = "(select embedding from embeddings where id = 6)";
    List<String> forms =
        List.of(
            "select id, name from embeddings order by l2_distance(embedding, %s), name, id limit 9",
            "select id from embeddings where embedding is not null"
                + " order by -inner_product(embedding, %s), id limit 9",
            "select id from embeddings where embedding is not null"
                + " order by 1 - cosine_similarity(embedding, %s), id limit 9",
            "select id from embeddings order by vector_l2_distance(embedding, %s) nulls last, id"
                + " limit 9",
            "select id from embeddings where l2_distance(embedding, %s) < 2.5 order by id",
            "select id from embeddings where section in (select section from embeddings"
                + " where id in (9, 12)) order by l2_distance(embedding, %s) nulls last, id limit 9",
            "select section, id from (select section, id, row_number() over (partition by section"
                + " order by l2_distance(embedding, '[1, 0, 1, 0, 1, 0, 1, 0]') nulls last, id) as r from embeddings)"
                + " where r <= 3 order by section, id",
            "select q.id, n.id, n.d from (select id, embedding from embeddings where id < 40) q,"
                + " lateral (select d.id, l2_distance(d.embedding, q.embedding) as d from"
                + " embeddings d where d.id <> q.id order by d, d.id limit 4) n"
                + " order by q.id, n.d, n.id",
            "select q.id, n.id from (select id, embedding, section from embeddings where id < 40) q"
                + " left join lateral (select d.id from embeddings d where d.section = q.section"
                + " order by l2_distance(d.embedding, q.embedding) nulls last, d.id limit 3) n"
                + " on true order by q.id, n.id",
            "select a.id, b.id from embeddings a join embeddings b exact nearest 2 by distance"
                + " l2_distance(a.embedding, b.embedding) where a.id < 90 order by a.id, b.id",
            "select a.id, b.id from embeddings a join embeddings b on l2_distance(a.embedding,"
                + " b.embedding) < 0.9 where a.id < 60 order by a.id, b.id");
    for (String form : forms) {
      String sql = form.replace("%s", vector);
      same(sql);
      String plan = Product.text(spark, "explain plan for " + sql);
      assertTrue(plan.contains("SparkVectorTopK") && plan.contains("engine=[spark]"), plan);
    }
    for (String aggregate :
        List.of(
            "faiss_agg(id, embedding, %s, 5)",
            "faiss_agg_with_scores(id, embedding, %s, 5)", "min(l2_distance(embedding, %s))")) {
      String sql = "select " + aggregate.replace("%s", vector) + " from embeddings";
      same(sql);
    }
  }

  /** Vectors of another source go to the cluster together, not one by one. */
  @Test
  void manyVectorsAreAskedAboutInOneStatement() throws Exception {
    String lateral =
        "select q.id, n.id, n.rank from (select id, embedding from local.embeddings where id < 900)"
            + " q, lateral table(faiss_neighbors('%s', 'embeddings', q.embedding, 3)) n"
            + " order by q.id, n.rank";
    assertEquals(
        Product.text(spark, lateral.formatted("local")),
        Product.text(spark, lateral.formatted("lake")));
    String plan = Product.text(spark, "explain plan for " + lateral.formatted("lake"));
    assertTrue(plan.contains("SparkVectorTopK") && !plan.contains("Correlate"), plan);
  }

  @Test
  void plansSayWhatTheClusterDoes() throws Exception {
    String plan =
        Product.text(
            spark,
            "explain plan for select id from embeddings where section = 1 order by"
                + " l2_distance(embedding, (select embedding from local.embeddings where name = 'x'))"
                + " limit 4");
    assertTrue(plan.contains("SparkVectorTopK(table=[[lake, embeddings]], metric=[L2]"), plan);
    assertTrue(
        plan.contains("filter=[=(section, 1)], filterIn=[Spark], mode=[exact], engine=[spark]"),
        plan);
  }

  /** The model and the statements of docs/spark.md, and what stands below them. */
  @Test
  void thePageIsTrue() throws Exception {
    Path database = Path.of("../examples/packages.db").toAbsolutePath().normalize();
    Path lake = folder.resolve("page");
    Export.export(database, lake, Set.of("embeddings", "docs"), Export.FILE_BYTES);
    String page = Files.readString(Path.of("../docs/spark.md"));
    List<String[]> blocks = new ArrayList<>();
    String[] parts = page.split("(?m)^```");
    for (int i = 1; i < parts.length; i += 2) {
      int line = parts[i].indexOf('\n');
      blocks.add(new String[] {parts[i].substring(0, line), parts[i].substring(line + 1)});
    }
    String json = blocks.stream().filter(b -> b[0].equals("json")).findFirst().orElseThrow()[1];
    Path model = folder.resolve("page.json");
    Files.writeString(
        model,
        json.replace("/tmp/lake", lake.toString())
            .replace("15002", String.valueOf(PORT))
            .replace("examples/packages.db", database.toString()));
    int tried = 0;
    try (Connection connection = Product.open(driver, model)) {
      for (int i = 0; i + 1 < blocks.size(); i++) {
        if (blocks.get(i)[0].equals("sql")) {
          String got = Product.text(connection, blocks.get(i)[1]);
          assertEquals(blocks.get(i + 1)[1].strip(), got.strip(), blocks.get(i)[1]);
          tried++;
        }
      }
    }
    assertEquals(2, tried);
  }

  @Test
  void errorsSayWhatIsWrong() throws Exception {
    String sql = "select id from embeddings order by l2_distance(embedding, '[1, 2]') limit 3";
    SQLException e = assertThrows(SQLException.class, () -> Product.text(spark, sql));
    assertEquals("l2_distance: the vectors' dimensions differ: 8 and 2", e.getMessage());
    assertEquals("22000", e.getSQLState());
    String unknown = "select faiss_search('lake', 'x', '[1]', 3)";
    e = assertThrows(SQLException.class, () -> Product.text(spark, unknown));
    assertTrue(e.getMessage().contains("unknown table 'x' in database 'lake'"), e.getMessage());
    Path dead = model("sc://127.0.0.1:15999");
    e = assertThrows(SQLException.class, () -> Product.open(driver, dead));
    assertTrue(
        e.getMessage().contains("no Spark Connect server answers at 127.0.0.1:15999"),
        e.getMessage());
  }

  @Test
  void aStatementCanBeCancelledAndTimesOut() throws Exception {
    // Pairs of rows, compared one by one, take minutes.
    String slow =
        "select count(*) from embeddings a join embeddings b on l2_distance(a.embedding,"
            + " b.embedding) < -1 and a.section >= b.section"
            + " join embeddings c on l2_distance(c.embedding, b.embedding) < -2";
    try (Statement statement = spark.createStatement()) {
      statement.setQueryTimeout(1);
      SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(slow).next());
      assertEquals("HYT00", e.getSQLState(), e.getMessage());
    }
    try (Statement statement = spark.createStatement()) {
      CompletableFuture<Void> cancel =
          CompletableFuture.runAsync(
              () -> {
                try {
                  statement.cancel();
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              },
              CompletableFuture.delayedExecutor(700, TimeUnit.MILLISECONDS));
      SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(slow).next());
      assertEquals("HY008", e.getSQLState(), e.getMessage());
      cancel.get();
      same("select count(*) from embeddings");
    }
  }

  /** Answers that must stay what they are, whatever is killed. */
  private record Question(String kind, String text, String expected, Ask ask) {
    private interface Ask {
      String answer(String text) throws Exception;
    }

    void check() throws Exception {
      assertEquals(expected, ask.answer(text), text);
    }
  }

  /** Top-k and aggregates through the driver, joins in Spark's own SQL. */
  private static List<Question> questions(Random random) throws Exception {
    LocalCluster.Session connect = new LocalCluster.Session(driver, PORT);
    List<Question> questions = new ArrayList<>();
    for (String sql : Product.statements(random, 30, DIMS)) {
      String kind = sql.contains("faiss_agg") ? "aggregates" : "top-k";
      questions.add(
          new Question(kind, sql, Product.text(sqlite, sql), q -> Product.text(spark, q)));
    }
    String all = "parquet.`" + folder.resolve("lake/embeddings") + "`";
    for (int section = 0; section < 6; section++) {
      int k = 1 + random.nextInt(20);
      String some = " where section = " + section + " and id < 1200 ";
      String join =
          "select l.id, r.id, l2_distance(l.embedding, r.embedding) from (select * from "
              + all
              + some
              + ") l join "
              + all
              + " r exact nearest "
              + k
              + " by distance l2_distance(l.embedding, r.embedding) order by 1, 3, 2";
      String pairs =
          "select q, r, d from (select l.id as q, r.id as r, l2_distance(l.embedding, r.embedding)"
              + " as d, row_number() over (partition by l.id order by l2_distance(l.embedding,"
              + " r.embedding), r.id) as n from (select * from embeddings"
              + some
              + " and embedding is not null) l cross join (select * from embeddings where embedding"
              + " is not null) r) where n <= "
              + k
              + " order by q, d, r";
      questions.add(new Question("joins", join, Product.text(sqlite, pairs), connect::text));
    }
    return questions;
  }

  /** What is killed, and what must be started again. */
  private enum Kill {
    EXECUTOR,
    ALL_EXECUTORS,
    WORKER,
    BOTH_WORKERS;

    /** Says when it is done. */
    private String run(int worker) {
      try {
        switch (this) {
          case EXECUTOR:
            return cluster("kill", "executor", worker + "");
          case ALL_EXECUTORS:
            return cluster("kill", "executor", "1") + cluster("kill", "executor", "2");
          case WORKER:
            cluster("kill", "worker", worker + "");
            return cluster("restart", "worker", worker + "");
          default:
            cluster("kill", "worker", "1");
            cluster("kill", "worker", "2");
            return cluster("restart", "worker", "1") + cluster("restart", "worker", "2");
        }
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void executorsAndWorkersMayBeKilled() throws Exception {
    long seed = Long.getLong("seed", 3);
    Random random = new Random(seed);
    List<Question> questions = questions(random);
    Map<String, Integer> answers = new TreeMap<>();
    Map<Kill, Integer> kills = new TreeMap<>();
    long slowest = 0;
    int most = Integer.getInteger("cluster.kills", 4);
    for (int kill = 0; kill < most; kill++) {
      // Each kind at first, then any.
      int kind = kill < 4 ? kill : random.nextInt(4);
      Kill what = Kill.values()[kind];
      int worker = 1 + random.nextInt(2);
      int lead = random.nextInt(900);
      CompletableFuture<String> killed =
          CompletableFuture.supplyAsync(
              () -> what.run(worker),
              CompletableFuture.delayedExecutor(lead, TimeUnit.MILLISECONDS));
      for (int i = 0; i < 8 || !killed.isDone(); i++) {
        Question question = questions.get(random.nextInt(questions.size()));
        long start = System.nanoTime();
        question.check();
        slowest = Math.max(slowest, System.nanoTime() - start);
        answers.merge(question.kind, 1, Integer::sum);
      }
      killed.get();
      kills.merge(what, 1, Integer::sum);
    }
    System.out.println(
        "seed "
            + seed
            + ", killed "
            + kills
            + ", answers "
            + answers
            + ", slowest "
            + slowest / 1_000_000
            + " ms");
  }

  @Test
  void aServerThatIsKilledIsAnErrorAndAsksNothingOfThoseWhoComeAfterIt() throws Exception {
    String sql = "select count(*) from embeddings";
    String all = Product.text(spark, sql);
    // In a statement that would take minutes, between statements, and before one.
    String slow =
        "select count(*) from embeddings a join embeddings b on l2_distance(a.embedding,"
            + " b.embedding) < -1 and a.section >= b.section"
            + " join embeddings c on l2_distance(c.embedding, b.embedding) < -2";
    CompletableFuture<String> killed =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return cluster("kill", "connect");
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            },
            CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS));
    long start = System.nanoTime();
    for (String each : List.of(slow, sql)) {
      SQLException e = assertThrows(SQLException.class, () -> Product.text(spark, each));
      assertTrue(e.getMessage().contains("no Spark Connect server answers at"), e.getMessage());
      assertEquals("08001", e.getSQLState(), e.getMessage());
    }
    System.out.println(
        "two errors " + (System.nanoTime() - start) / 1_000_000 + " ms after the first began");
    killed.get();
    cluster("restart", "connect");
    assertEquals(all, Product.text(spark, sql));
    cluster("kill", "connect");
    cluster("restart", "connect");
    assertEquals(all, Product.text(spark, sql));
  }
}
