/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static io.github.calcitefaiss.spark.LocalSpark.plan;
import static io.github.calcitefaiss.spark.LocalSpark.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Delta's tables: each statement's snapshot, with an index of its files. */
class DeltaTest {
  @TempDir static Path folder;

  private static SparkSession session() {
    return LocalSpark.session();
  }

  @AfterEach
  void defaults() {
    session().conf().unset(Indexes.ENABLED);
  }

  private static void append(Path path, String sql, String... options) {
    var writer = session().sql(sql).coalesce(1).write().format("delta").mode("append");
    for (String option : options) {
      writer = writer.option(option, "true");
    }
    writer.save(path.toString());
  }

  /** What is nearest, with the index and without. */
  private static String nearest(String table, String mode) {
    String sql = "select id from " + table + " order by l2_distance(v, '[3.25, 1]') limit 3";
    assertTrue(plan(sql).contains("mode=" + mode), plan(sql));
    String answer = text(sql);
    session().conf().set(Indexes.ENABLED, "false");
    assertEquals(text(sql), answer);
    session().conf().unset(Indexes.ENABLED);
    String join =
        "select r.id from (select array(3.25F, 1F) as v) l join "
            + table
            + " r exact nearest 3 by distance l2_distance(l.v, r.v) order by"
            + " l2_distance(l.v, r.v), r.id";
    assertEquals(answer, text(join));
    return answer;
  }

  @Test
  void eachStatementSeesItsSnapshot() {
    Path path = folder.resolve("table");
    String table = "delta.`" + path + "`";
    append(path, "select id, array(float(id), 1F) as v, id % 2 as section from range(100)");
    assertEquals("[3]\n[4]\n[2]", nearest(table, "index, files=file:" + path + " version 0"));
    append(path, "select 200L as id, array(3.25F, 1F) as v, 1L as section");
    assertEquals("[200]\n[3]\n[4]", nearest(table, "index, files=file:" + path + " version 1"));
    session().sql("delete from " + table + " where id = 3");
    assertEquals("[200]\n[4]\n[2]", nearest(table, "index"));
    session().sql("update " + table + " set v = array(3.25F, 1F) where id = 50");
    assertEquals("[50]\n[200]\n[4]", nearest(table, "index, files=file:" + path + " version 3"));
    assertEquals("[3]\n[4]\n[2]", nearest(table + " version as of 0", "index"));
    assertEquals("[200]\n[4]\n[2]", nearest(table + " version as of 2", "index"));
    assertEquals("[50]\n[200]\n[4]", nearest(table, "index"));
    assertEquals(
        "[50]\n[4]\n[2]",
        nearest("(select * from " + table + " where section = 0 and id < 100)", "index"));
  }

  @Test
  void rowsThatADeletionVectorLeavesOutAreLeftOut() {
    Path path = folder.resolve("vectors");
    String table = "delta.`" + path + "`";
    append(
        path,
        "select id, array(float(id), 1F) as v from range(100)",
        "delta.enableDeletionVectors");
    String mode = "row-wise";
    assertEquals("[3]\n[4]\n[2]", nearest(table, mode));
    session().sql("delete from " + table + " where id = 3");
    assertEquals(
        "1", text("select count(*) from delta.`" + path + "` where id = 4").replaceAll("\\D", ""));
    assertEquals("[4]\n[2]\n[5]", nearest(table, mode));
  }
}
