/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Executors as small as Spark allows, whose memory is too small for an index that its files don't
 * show the size of: all its vectors are a few ones, which Parquet writes once.
 */
@Tag("slow")
class ClusterMemoryTest {
  private static final int PORT = Integer.getInteger("cluster.port", 15102) + 10;
  private static final String STATE = "test-small-cluster";

  @TempDir static Path folder;

  private static LocalCluster.Session spark;

  @BeforeAll
  static void start() throws Exception {
    Product.delete(Path.of("target", STATE));
    LocalCluster.run(STATE, "start", "--port", PORT + "", "--memory", "480m");
    spark = new LocalCluster.Session(LocalCluster.driver(), PORT);
    // A part must be of one file.
    spark.text("set " + Indexes.PARTITION_BYTES + "=200k");
  }

  @AfterAll
  static void stop() throws Exception {
    LocalCluster.run(STATE, "stop");
  }

  private static void add(Path table, String name, long from, long rows) throws Exception {
    spark.text(
        "insert overwrite directory '"
            + table.resolve(name)
            + "' using parquet select /*+ coalesce(1) */ id, id % 7 as section,"
            + " faiss_encode(array_repeat(float(id % 89), 96)) as v from range("
            + from
            + ", "
            + (from + rows)
            + ")");
  }

  /** Answers with what there is of an index are those without one. */
  private static void same(Path table, String mode) throws Exception {
    String rows = "parquet.`" + table + "/*`";
    String[] statements = {
      "select id, l2_distance(v, array_repeat(7.25F, 96)) as d from "
          + rows
          + " order by d limit 9",
      "select id from "
          + rows
          + " where section = 3 order by cosine_distance(v, array_repeat(2F, 96)) limit 5",
      "select l.id, r.id, l2_distance(l.v, r.v) from (select * from "
          + rows
          + " where id in (3, 77, 230050)) l join "
          + rows
          + " r exact nearest 4 by distance l2_distance(l.v, r.v) order by 1, 3, 2",
    };
    for (String sql : statements) {
      spark.text("set " + Indexes.ENABLED + "=false");
      String expected = spark.text(sql);
      spark.text("set " + Indexes.ENABLED + "=true");
      for (int i = 0; i < 2; i++) {
        assertEquals(expected, spark.text(sql), sql);
      }
      String plan = spark.text("explain " + sql);
      assertTrue(plan.matches("(?s).*mode=index \\(" + mode + ".*"), plan);
    }
  }

  @Test
  void anIndexThatDoesNotFitIsDoneWithoutWhereItDoesNot() throws Exception {
    Path large = folder.resolve("large");
    add(large, "a", 0, 230_000);
    add(large, "b", 230_000, 100);
    same(large, "1 of [0-9]+ parts row-wise: too large for the executors\\)");
    Path many = folder.resolve("many");
    for (int i = 0; i < 6; i++) {
      add(many, "p" + i, 80_000L * i, 80_000);
    }
    same(many, "[1-4] of [0-9]+ parts row-wise: too large for the executors\\)");
    // No executor was lost for it.
    int executors = 0;
    for (int worker = 1; worker <= 2; worker++) {
      try (Stream<Path> all = Files.walk(Path.of("target", STATE, "work" + worker), 2)) {
        executors += (int) all.filter(p -> p.getFileName().toString().matches("[0-9]+")).count();
      }
    }
    assertEquals(2, executors);
  }
}
