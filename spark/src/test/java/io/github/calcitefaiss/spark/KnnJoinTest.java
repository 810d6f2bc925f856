/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static io.github.calcitefaiss.spark.LocalSpark.error;
import static io.github.calcitefaiss.spark.LocalSpark.plan;
import static io.github.calcitefaiss.spark.LocalSpark.session;
import static io.github.calcitefaiss.spark.LocalSpark.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code EXACT NEAREST k BY DISTANCE}: what the join gives is what comparing all pairs gives. */
class KnnJoinTest {
  @TempDir static Path folder;

  private static String table(String name, int rows, int step) {
    Path path = folder.resolve(name);
    if (!Files.exists(path)) {
      session()
          .sql(
              "select id, concat('"
                  + name
                  + " ', id) as name, id % 4 as section, case when id % 9 = 0 then null else"
                  + " array(float(id * "
                  + step
                  + " % 17), float(id % 6)) end as v from range(0, "
                  + rows
                  + ", 1, 3)")
          .write()
          .parquet(path.toString());
    }
    return "parquet.`" + path + "`";
  }

  @AfterEach
  void defaults() {
    session().conf().unset(Indexes.ENABLED);
    session().conf().unset(Indexes.PARTITION_BYTES);
    session().conf().unset(Room.PART_MEMORY);
  }

  /** All pairs, ranked. */
  private static String expected(String left, String right, int k, String where, boolean outer) {
    return text(
        "select q, r, d from (select l.id as q, r.id as r, l2_distance(l.v, r.v) as d,"
            + " row_number() over (partition by l.id order by l2_distance(l.v, r.v) nulls last,"
            + " r.id) as n from "
            + left
            + (outer ? " l left join (select * from " : " l join (select * from ")
            + right
            + where
            + ") r on l2_distance(l.v, r.v) is not null) where n <= "
            + k
            + " order by q, d, r");
  }

  private static String joined(String left, String right, int k, boolean outer) {
    return "select l.id as q, r.id as r, l2_distance(l.v, r.v) as d from "
        + left
        + (outer ? " l left join " : " l join ")
        + right
        + " r exact nearest "
        + k
        + " by distance l2_distance(l.v, r.v) order by q, d, r";
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void joinGivesTheNearestOfAllPairs(boolean outer) {
    String left = table("left", 40, 3);
    String right = table("right", 300, 5);
    String sql = joined(left, right, 4, outer);
    assertTrue(
        plan(sql).contains("VectorKnnJoin query=l.v, column=r.v, metric=L2, k=4"), plan(sql));
    assertTrue(plan(sql).contains("mode=index"), plan(sql));
    String expected = expected(left, right, 4, "", outer);
    assertEquals(expected, text(sql));
    session().conf().set(Indexes.PARTITION_BYTES, "1k");
    assertEquals(expected, text(sql));
    session().conf().set(Room.PART_MEMORY, "1k");
    assertEquals(expected, text(sql));
    assertTrue(plan(sql).contains("row-wise: too large for the executors"), plan(sql));
    session().conf().set(Indexes.ENABLED, "false");
    assertTrue(plan(sql).contains("mode=blocks"), plan(sql));
    assertEquals(expected, text(sql));
  }

  @Test
  void conditionsOnTheRightComeFirst() {
    String left = table("left", 40, 3);
    String right = table("right", 300, 5);
    String some = "(select id, v from " + right + " where section = 2)";
    assertEquals(
        expected(left, right, 3, " where section = 2", false), text(joined(left, some, 3, false)));
    // Fewer than k qualify.
    some = "(select id, v from " + right + " where id < 2)";
    assertEquals(
        expected(left, right, 3, " where id < 2", false), text(joined(left, some, 3, false)));
    some = "(select id, v from " + right + " where id < 0)";
    assertEquals("", text(joined(left, some, 3, false)));
    assertEquals(
        expected(left, right, 3, " where id < 0", true), text(joined(left, some, 3, true)));
  }

  @Test
  void sidesMayBeAnything() {
    String right = table("right", 300, 5);
    // The same row twice on the left, aggregates, computed vectors, more columns.
    assertEquals(
        "[a,right 86,0.0]\n[a,right 86,0.0]\n[b,right 8,0.0]",
        text(
            "select q.n, r.name, l2_distance(faiss_encode(q.v), r.v) from"
                + " (values ('a', '[5, 2]'), ('b', '[6, 2]'), ('a', '[5, 2]')) as q(n, v) join "
                + right
                + " r exact nearest 1 by distance l2_distance(faiss_encode(q.v), r.v)"
                + " order by 1, 2"));
    String groups = "(select min(id) as id, v from " + right + " where v is not null group by v)";
    String left = "(select max(id) as id, v from " + table("left", 40, 3) + " group by v)";
    String sql = joined(left, groups, 3, false);
    assertTrue(plan(sql).contains("mode=blocks"), plan(sql));
    assertEquals(expected(left, groups, 3, "", false), text(sql));
  }

  @Test
  void rowsThatAreTheSameInSeveralPartitionsOfTheLeftEachHaveTheirNeighbours() {
    String left = "(select id % 3 as id, array(float(id % 3), 2F) as v from range(0, 30, 1, 5))";
    String once = "(select id, array(float(id), 2F) as v from range(3))";
    String right = table("right", 300, 5);
    for (String memory : new String[] {"0", "1k", "100k"}) {
      session().conf().set(Room.PART_MEMORY, memory);
      session().conf().set(Indexes.PARTITION_BYTES, "1k");
      String all = text(joined(left, right, 3, false));
      StringBuilder expected = new StringBuilder();
      for (String line : expected(once, right, 3, "", false).split("\n")) {
        expected.append((line + "\n").repeat(10));
      }
      assertEquals(expected.toString().strip(), all);
    }
  }

  /** Spark writes rows of some lengths into one buffer, one after the other. */
  @ParameterizedTest
  @ValueSource(ints = {6, 8})
  void rowsOfAnyLengthAreKeptApart(int dims) {
    Path path = folder.resolve("blobs" + dims);
    session()
        .sql(
            "select id, faiss_encode(array_repeat(float(id), "
                + dims
                + ")) as v, id % 2 as section from range(40)")
        .write()
        .parquet(path.toString());
    String table = "parquet.`" + path + "`";
    String left = "(select id, v from " + table + " where section = 1)";
    String expected = expected(left, table, 2, "", false);
    assertEquals(expected, text(joined(left, table, 2, false)));
    session().conf().set(Indexes.ENABLED, "false");
    assertEquals(expected, text(joined(left, table, 2, false)));
  }

  @Test
  void similarityAndBothOrdersOfArguments() {
    String left = table("left", 40, 3);
    String right = table("right", 300, 5);
    String by =
        "select l.id, r.id from "
            + left
            + " l join "
            + right
            + " r exact nearest 2 by similarity %s order by 1, 2";
    String sql = by.formatted("inner_product(r.v, l.v)");
    assertTrue(plan(sql).contains("VectorKnnJoin"), plan(sql));
    String all =
        text(
            "select q, r from (select l.id as q, r.id as r, row_number() over (partition by l.id"
                + " order by inner_product(l.v, r.v) desc, r.id) as n from "
                + left
                + " l join "
                + right
                + " r on l.v is not null and r.v is not null) where n <= 2 order by 1, 2");
    assertEquals(all, text(sql));
  }

  @Test
  void anotherDimensionIsAnError() throws IOException {
    String left = "(select id, array(1F) as v from range(3))";
    String got = error(joined(left, table("right", 300, 5), 2, false));
    assertTrue(got.contains("l2_distance: the vectors' dimensions differ: 1 and 2"), got);
  }

  @Test
  void aLeftSideOfManyBlocksIsNotHeldWhole() {
    String right = table("right", 300, 5);
    String left = "(select id, array(float(id % 23), 3F) as v from range(0, 20000, 1, 4))";
    String sql =
        "select count(*), sum(q + r) from ("
            + joined(left, right, 2, false).replace(" order by q, d, r", "")
            + ")";
    session().conf().set(Indexes.ENABLED, "false");
    String blocks = text(sql);
    session().conf().unset(Indexes.ENABLED);
    assertEquals(blocks, text(sql));
    assertTrue(blocks.startsWith("[40000,"), blocks);
  }
}
