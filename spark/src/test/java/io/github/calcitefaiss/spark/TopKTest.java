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
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.rdd.RDD;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code ORDER BY distance LIMIT k}: what the index gives is what comparing all rows gives. */
class TopKTest {
  @TempDir static Path folder;

  /** Rows in two files: an id, text, a number, and a vector as each type that holds one. */
  private static String table() throws IOException {
    Path path = folder.resolve("rows");
    if (!Files.exists(path)) {
      session()
          .sql(
              "select id, concat('row ', id) as name, id % 7 as section,"
                  + " case when id % 11 = 0 then null else faiss_encode(json) end as blob,"
                  + " case when id % 11 = 0 then null else json end as json,"
                  + " case when id % 11 = 0 then null"
                  + " else array(float(id % 13), float(id % 5), 0.5F) end as floats,"
                  + " case when id % 11 = 0 then null"
                  + " else array(double(id % 13), double(id % 5), 0.5D) end as doubles"
                  + " from (select id, concat('[', id % 13, ',', id % 5, ', 0.5]') as json"
                  + " from range(0, 3000, 1, 2))")
          .write()
          .parquet(path.toString());
    }
    return "parquet.`" + path + "`";
  }

  @AfterEach
  void withIndex() {
    session().conf().unset(Indexes.ENABLED);
    session().conf().unset(Indexes.PARTITION_BYTES);
    session().conf().unset(Room.PART_MEMORY);
  }

  /** The statement's answer, which must be the same without the index. */
  private static String same(String sql) {
    String plan = plan(sql);
    assertTrue(plan.contains("mode=index"), plan);
    String answer = text(sql);
    session().conf().set(Indexes.ENABLED, "false");
    plan = plan(sql);
    assertTrue(plan.contains("mode=row-wise (spark.calcitefaiss.index is false)"), plan);
    assertEquals(text(sql), answer, sql);
    session().conf().unset(Indexes.ENABLED);
    return answer;
  }

  static Stream<String> forms() {
    return Stream.of(
        "select id, %s as d from T order by d nulls last limit 5",
        "select id from T order by %s nulls last limit 5",
        "select name, round(%s, 3) from T order by %s nulls last limit 7",
        "select id, blob, name from T order by %s nulls last limit 3",
        "select id, %s as d from T where section = 3 order by d nulls last limit 20",
        "select upper(name) from T where section in (1, 2) and id > 100 order by %s nulls last"
            + " limit 4",
        "select id, %s as d from T where id between 50 and 60 order by d nulls last limit 40",
        "select id, %s as d from T order by d limit 10",
        "select id, %s as d from T where section = 2 order by d limit 60",
        "select id, %s as d from T order by d nulls last, id limit 5",
        "select id, %s as d from T order by d nulls last limit 5 offset 3",
        "select d, id from (select *, %s as d from T where section <> 1) where id < 900"
            + " order by d nulls last limit 6");
  }

  @ParameterizedTest
  @MethodSource("forms")
  void indexGivesWhatComparingGives(String form) throws IOException {
    String sql = form.replace("T", table());
    same(sql.replace("%s", "l2_distance(blob, '[3.25, 1, 0]')"));
    same(sql.replace("%s", "cosine_distance(array(1F, 0F, 1F), floats)"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "l2_distance(json, '[3.25, 1, 0]')",
        "l2_distance(floats, '[3.25, 1, 0]')",
        "l2_distance(doubles, '[3.25, 1, 0]')",
        "l1_distance('[3.25, 1, 0]', blob)",
        "l2_squared_distance(blob, (select blob from T where id = 17))",
      })
  void everyTypeAndMetricIsAnswered(String call) throws IOException {
    same(
        ("select id, %s as d, floats, doubles, json from T where section > 1"
                + " order by d nulls last limit 4")
            .replace("%s", call)
            .replace("T", table()));
  }

  @Test
  void similaritiesDescend() throws IOException {
    String from = " as d from " + table() + " order by d desc nulls last limit 9";
    same("select id, cosine_similarity(blob, '[1, 2, 3]')" + from);
    same("select id, inner_product(floats, '[1, 2, 3]')" + from);
  }

  @Test
  void tiesGoByIdHoweverFilesAreSplit() throws IOException {
    String sql =
        "select id from "
            + table()
            + " order by l2_distance(blob, '[3, 1, 0.5]') nulls last limit 4";
    assertEquals("[16]\n[81]\n[146]\n[211]", same(sql));
    session().conf().set(Indexes.PARTITION_BYTES, "7k");
    assertEquals("[16]\n[81]\n[146]\n[211]", same(sql));
  }

  @Test
  void fewerRowsThanAskedForAreAllGiven() throws IOException {
    assertEquals(
        5,
        same("select id from "
                + table()
                + " where id < 5 order by l2_distance(blob, '[3, 1, 0.5]') limit 10")
            .lines()
            .count());
    assertEquals(
        "",
        same(
            "select id from "
                + table()
                + " where id < 0 order by l2_distance(blob, '[3, 1, 0.5]') limit 10"));
  }

  @Test
  void nullAndZeroQueriesGiveRowsWithoutDistance() throws IOException {
    same(
        ("select id, l2_distance(blob, (select max(blob) from T where id < 0)) d from T"
                + " order by d limit 5")
            .replace("T", table()));
    same("select id, cosine_distance(blob, '[0, 0, 0]') d from " + table() + " order by d limit 5");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select id from T order by l2_distance(blob, '[1, 2, 3]') desc limit 3"
            + "| the farthest rows are asked for",
        "select id from T order by l2_distance(blob, '[1, 2, 3]'), name limit 3"
            + "| more than the distance and the id order the rows",
        "select id from T order by l2_distance(blob, floats) limit 3"
            + "| the query is not the same for all rows",
        "select id from (select id, blob from T union all select id, blob from T)"
            + " order by l2_distance(blob, '[1, 2, 3]') limit 3| the rows are no table of files",
      })
  void otherFormsAreComparedRowByRowAndExplainSaysWhy(String form) throws IOException {
    String[] parts = form.split("\\| ");
    String plan = plan(parts[0].replace("T", table()));
    assertTrue(plan.contains("VectorTopK mode=row-wise (" + parts[1] + ")"), plan);
    assertEquals(3, text(parts[0].replace("T", table())).lines().count());
  }

  @Test
  void anotherDimensionIsAnErrorOnlyWhereItsRowQualifies() throws IOException {
    Path path = folder.resolve("mixed");
    session()
        .sql(
            "select id, case when id = 70 then '[1]' when id = 71 then '[]' when id = 72 then '[x]'"
                + " else '[1, 2]' end as v from range(100)")
        .write()
        .parquet(path.toString());
    String from = " from parquet.`" + path + "` ";
    String order = " order by l2_distance(v, '[0, 0]') limit 2";
    assertEquals("[0]\n[1]", same("select id" + from + "where id < 70" + order));
    for (boolean index : new boolean[] {true, false}) {
      session().conf().set(Indexes.ENABLED, String.valueOf(index));
      String differ = "l2_distance: the vectors' dimensions differ: ";
      assertHas(differ + "1 and 2", error("select id" + from + "where id < 71" + order));
      assertHas(differ + "0 and 2", error("select id" + from + "where id = 71" + order));
      assertHas(
          "l2_distance: first vector: malformed JSON at element 0",
          error("select id" + from + "where id > 71" + order));
    }
  }

  @Test
  void aFileThatComesGoesOrChangesIsSeen() throws IOException {
    Path path = folder.resolve("changing");
    String from = " from parquet.`" + path + "`";
    String sql = "select id" + from + " order by l2_distance(v, '[0]') limit 2";
    write("select id, array(float(id)) as v from range(1, 10)", path, "append");
    assertEquals("[1]\n[2]", same(sql));
    session()
        .sql("create or replace temp view changing using parquet options (path '" + path + "')");
    String view = sql.replace(from, " from changing");
    assertEquals("[1]\n[2]", same(view));
    write("select 77L as id, array(0.5F) as v", path, "append");
    assertEquals("[77]\n[1]", same(sql));
    assertEquals("[77]\n[1]", same(view));
    write("select id, array(float(id)) as v from range(5, 10)", path, "overwrite");
    assertEquals("[5]\n[6]", same(sql));
    assertEquals("[5]\n[6]", same(view));
    assertEquals(1, kept("changing").size(), "older indexes are given back");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFileThatChangesWhileItIsReadIsAnErrorThatNamesIt(boolean index) throws IOException {
    Path path = folder.resolve("meanwhile" + index);
    write("select id, array(float(id)) as v from range(100)", path, "overwrite");
    Path file;
    try (Stream<Path> files = Files.list(path)) {
      file = files.filter(f -> f.toString().endsWith(".parquet")).findFirst().orElseThrow();
    }
    String name = "changes" + index;
    String changed = file.toString();
    session()
        .udf()
        .register(
            name,
            (org.apache.spark.sql.api.java.UDF1<Long, Boolean>)
                id -> {
                  FileTime now = Files.getLastModifiedTime(Path.of(changed));
                  if (id == 50 && now.toMillis() != 1_000_000) {
                    Files.setLastModifiedTime(Path.of(changed), FileTime.fromMillis(1_000_000));
                  }
                  return true;
                },
            org.apache.spark.sql.types.DataTypes.BooleanType);
    String sql =
        "select id from parquet.`"
            + path
            + "` where "
            + name
            + "(id) order by l2_distance(v, '[0]') limit 2";
    session().conf().set(Indexes.ENABLED, String.valueOf(index));
    String error = error(sql);
    assertHas(file.getFileName() + " changed while the statement read it", error);
    assertEquals("[0]\n[1]", text(sql), "the statement run again");
  }

  private static List<RDD<?>> kept(String name) {
    List<RDD<?>> kept = new ArrayList<>();
    org.apache.spark.api.java.JavaSparkContext.fromSparkContext(session().sparkContext())
        .getPersistentRDDs()
        .values()
        .forEach(
            rdd -> {
              if (rdd.name() != null && rdd.name().contains(name)) {
                kept.add(rdd.rdd());
              }
            });
    return kept;
  }

  /** Waits until files may be taken for what they were, since their times tell them from others. */
  private static void settle(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      for (Path file : files.toList()) {
        FileTime changed = (FileTime) Files.getAttribute(file, "unix:ctime");
        while (System.currentTimeMillis() < changed.toMillis() + 200) {
          Thread.onSpinWait();
        }
      }
    }
  }

  @Test
  void whatIsAddedIsBuiltAloneAndWhatIsGoneIsDropped() throws IOException {
    Path path = folder.resolve("growing");
    String sql = "select id from parquet.`" + path + "` order by l2_distance(v, '[0]') limit 100";
    write("select id, array(float(id)) as v from range(1, 4)", path, "append");
    settle(path);
    assertEquals("[1]\n[2]\n[3]", same(sql));
    RDD<?> first = kept("growing").get(0);
    StringBuilder all = new StringBuilder("[1]\n[2]\n[3]");
    for (int i = 4; i < 30; i++) {
      write("select " + i + "L as id, array(" + i + "F) as v", path, "append");
      settle(path);
      all.append("\n[").append(i).append(']');
      assertEquals(all.toString(), text(sql));
      assertEquals(all.toString(), text(sql));
      List<RDD<?>> kept = kept("growing");
      assertTrue(kept.size() <= 16, kept.toString());
      if (i < 15) {
        assertTrue(kept.contains(first), "the first file's index is kept");
        assertEquals(i - 2, kept.size(), "one more for each file");
      }
    }
    Path gone;
    try (Stream<Path> files = Files.list(path)) {
      gone = files.filter(f -> f.toString().endsWith(".parquet")).findFirst().orElseThrow();
    }
    List<RDD<?>> before = kept("growing");
    Files.delete(gone);
    same(sql);
    List<RDD<?>> after = new ArrayList<>(kept("growing"));
    after.removeAll(before);
    assertTrue(after.size() <= 1, "what shared a part with it is built again, no more");
  }

  @Test
  void aFileOfTheSameLengthAndTimeInThePlaceOfAnotherIsSeen() throws IOException {
    Path path = folder.resolve("replaced");
    String sql = "select id from parquet.`" + path + "` order by l2_distance(v, '[0]') limit 1";
    write("select id, array(float(id + 1)) as v from range(5, 9)", path, "overwrite");
    Path file = parquet(path);
    byte[] old = Files.readAllBytes(file);
    FileTime time = Files.getLastModifiedTime(file);
    // Hadoop's sums would tell; files that other programs write have none.
    Files.delete(file.resolveSibling("." + file.getFileName() + ".crc"));
    settle(path);
    assertEquals("[5]", same(sql));
    Path other = folder.resolve("other");
    write("select id, array(float(9 - id)) as v from range(5, 9)", other, "overwrite");
    byte[] changed = Files.readAllBytes(parquet(other));
    assertEquals(old.length, changed.length);
    Files.write(file, changed);
    Files.setLastModifiedTime(file, time);
    assertEquals("[8]", text(sql));
    // And back at once, within one tick of a clock.
    Files.write(file, old);
    Files.setLastModifiedTime(file, time);
    assertEquals("[5]", text(sql));
  }

  private static Path parquet(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.filter(f -> f.toString().endsWith(".parquet")).findFirst().orElseThrow();
    }
  }

  @Test
  void aPartWithoutRoomIsComparedRowByRow() throws IOException {
    Path path = folder.resolve("roomless");
    String from = " from parquet.`" + path + "`";
    write("select id, array(float(id), 1F) as v from range(9000)", path, "append");
    write("select id, array(float(id), 2F) as v from range(9000, 9100)", path, "append");
    session().conf().set(Indexes.PARTITION_BYTES, "3k");
    session().conf().set(Room.PART_MEMORY, "80k");
    for (String where : List.of("", " where id % 3 = 1")) {
      String sql = "select id" + from + where + " order by l2_distance(v, '[9000, 1]') limit 6";
      session().conf().set(Indexes.ENABLED, "false");
      String expected = text(sql);
      session().conf().unset(Indexes.ENABLED);
      assertEquals(expected, text(sql));
      String plan = plan(sql);
      assertTrue(plan.matches("(?s).*mode=index \\(1 of [0-9]+ parts row-wise: too large.*"), plan);
    }
  }

  private static void write(String sql, Path path, String mode) {
    session().sql(sql).coalesce(1).write().mode(mode).parquet(path.toString());
  }

  @Test
  void foldersThatAreColumnsAndIdsOfTextWork() throws IOException {
    Path path = folder.resolve("partitioned");
    session()
        .sql("select string(id) as id, array(float(id), 1F) as v, id % 3 as part from range(90)")
        .write()
        .partitionBy("part")
        .parquet(path.toString());
    String from = " from parquet.`" + path + "`";
    same("select id, part" + from + " order by l2_distance(v, '[40, 1]') limit 3");
    assertEquals(
        "[40,1]\n[37,1]\n[43,1]",
        same(
            "select id, part"
                + from
                + " where part = 1 order by l2_distance(v, '[40, 1]') limit 3"));
  }

  @Test
  void withoutAnIdTiesGoByPlace() throws IOException {
    Path path = folder.resolve("anonymous");
    write("select concat('n', id) as name, array(1F) as v from range(50)", path, "overwrite");
    String sql = "select name from parquet.`" + path + "` order by l2_distance(v, '[0]') limit 3";
    assertEquals("[n0]\n[n1]\n[n2]", same(sql));
    assertTrue(plan(sql).contains("ties=place"));
  }

  @Test
  void anIndexTooLargeForTheExecutorsIsNotBuilt() throws IOException {
    Path path = folder.resolve("empty");
    session().sql("select id, array(1F) as v from range(0)").write().parquet(path.toString());
    String sql = "select id from parquet.`" + path + "` order by l2_distance(v, '[0]') limit 3";
    assertEquals("", same(sql));
    assertHas("the executors have", Indexes.rowWise(classic(), 1L << 50));
  }

  private static org.apache.spark.sql.classic.SparkSession classic() {
    return (org.apache.spark.sql.classic.SparkSession) session();
  }

  private static void assertHas(String part, String text) {
    assertTrue(text.contains(part), text);
  }
}
