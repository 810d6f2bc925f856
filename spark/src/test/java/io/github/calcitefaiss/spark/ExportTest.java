/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SQLite's tables as Parquet. */
class ExportTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void database() throws SQLException {
    file = folder.resolve("a b.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute("create table t (i integer, x, b, r real, n integer, s text)");
      statement.execute(
          "insert into t values (1099511627776, 1, x'0000803f', 0.5, null, 'é''\\'),"
              + " (-1, 2.5, null, 3, null, null)");
      statement.execute("create view v as select i, s from t where s is not null");
      statement.execute("create table empty (id integer, embedding blob)");
      statement.execute("create table odd (x)");
      statement.execute("insert into odd values ('a'), (x'00')");
    }
  }

  private String read(String table) {
    return LocalSpark.text("select * from parquet.`" + folder.resolve("out").resolve(table) + "`");
  }

  @Test
  void valuesAndTypesStay() throws Exception {
    Export.export(file, folder.resolve("out"), Set.of("t", "v", "empty"), 1);
    assertEquals(
        "[-1,2.5,null,3.0,null,null]\n[1099511627776,1.0,0000803f,0.5,null,é'\\]",
        LocalSpark.text("select * from parquet.`" + folder.resolve("out/t") + "` order by i"));
    assertEquals("[1099511627776,é'\\]", read("v"));
    assertEquals("", read("empty"));
    assertEquals(
        "[embedding,binary,null]\n[id,bigint,null]",
        LocalSpark.text(
            "describe select embedding, id from parquet.`" + folder.resolve("out/empty") + "`"));
    try (var files = Files.list(folder.resolve("out/t"))) {
      assertEquals(2, files.filter(f -> f.toString().endsWith(".parquet")).count());
    }
  }

  @Test
  void mixedTypesAndUnknownTablesAreErrors() {
    Path out = folder.resolve("out");
    String message =
        assertThrows(SQLException.class, () -> Export.export(file, out, Set.of("odd"), 1))
            .getMessage();
    assertTrue(
        message.startsWith("table 'odd', column 'x' holds values of several types"), message);
    message =
        assertThrows(SQLException.class, () -> Export.export(file, out, Set.of("x"), 1))
            .getMessage();
    assertTrue(message.contains("no table 'x' in"), message);
  }

  @Test
  void whatSqliteAllowsIsWrittenOrAnErrorAndNoOtherTableSuffers() throws Exception {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute("create table big (n)");
      statement.execute("insert into big values (9007199254740993), (0.5)");
      statement.execute(
          "create table kinds (k text primary key, d date, m decimal(10, 2), twice generated"
              + " always as (m * 2), stored text generated always as (k || '!') stored)"
              + " without rowid");
      statement.execute(
          "insert into kinds (k, d, m) values ('a', '2026-11-27', 1.5), ('b', null, 2)");
      statement.execute("create view broken as select * from missing");
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] arguments = {file.toString(), "--parquet", folder.resolve("out").toString()};
    assertEquals(1, Export.run(arguments, new PrintStream(out, true), new PrintStream(err, true)));
    String wrong = err.toString(StandardCharsets.UTF_8);
    assertTrue(wrong.contains("column 'n' holds real numbers and whole ones beyond 2^53"), wrong);
    assertTrue(wrong.contains("table 'odd', column 'x' holds values of several types"), wrong);
    assertTrue(wrong.contains("table 'broken': "), wrong);
    assertEquals(4, out.toString(StandardCharsets.UTF_8).lines().count(), out.toString());
    assertEquals("[a,2026-11-27,1.5,3.0,a!]\n[b,null,2.0,4.0,b!]", read("kinds"));
  }

  @Test
  void tenFilesAreSearchedAsOne() throws Exception {
    List<String> arguments = new ArrayList<>();
    String order = " order by l2_distance(embedding, '[1, 0, 1, 0]') nulls last, id limit 25";
    Path all = folder.resolve("all.db");
    Product.database(all, 0, 4, 1);
    for (int i = 0; i < 10; i++) {
      Path each = folder.resolve("shard" + i + ".db");
      Product.database(each, 60, 4, i);
      try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + all);
          Statement statement = connection.createStatement()) {
        statement.execute("attach '" + each + "' as shard");
        statement.execute(
            "insert into embeddings select id * 10 + %d, embedding, section, name from shard.embeddings"
                .formatted(i));
        statement.execute("detach shard");
      }
      arguments.add(each.toString());
    }
    Path out = folder.resolve("lake");
    arguments.addAll(List.of("--parquet", out.toString()));
    assertEquals(0, Export.run(arguments.toArray(new String[0]), System.out, System.err));
    String shards = "parquet.`" + out + "/*/embeddings`";
    assertEquals("[600]", LocalSpark.text("select count(*) from " + shards));
    try (Connection sqlite = Product.open(Product.driver(List.of()), all)) {
      // Ids of the shards are the same; distances and their number are what can be compared.
      String distances = "select l2_distance(embedding, '[1, 0, 1, 0]') as d from ";
      String expected = Product.text(sqlite, distances + "embeddings" + order);
      StringBuilder got = new StringBuilder();
      for (org.apache.spark.sql.Row row : LocalSpark.rows(distances + shards + order)) {
        got.append(row.get(0)).append('\n');
      }
      assertEquals(expected, got.toString());
    }
    String plan = LocalSpark.plan("select id from " + shards + order);
    assertTrue(plan.contains("VectorTopK") && !plan.contains("row-wise"), plan);
    Path twin = Files.createDirectory(folder.resolve("b")).resolve("shard0.db");
    Files.copy(folder.resolve("shard0.db"), twin);
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] both = {arguments.get(0), twin.toString(), "--parquet", out.toString()};
    assertEquals(2, Export.run(both, System.out, new PrintStream(err, true)));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("would both go to"), err.toString());
  }

  @Test
  void aKilledExportLeavesWhatWasThereAndTheNextCleansUp() throws Exception {
    Path out = folder.resolve("out");
    Export.export(file, out, Set.of("v"), 1);
    Path big = folder.resolve("big.db");
    Product.database(big, 200_000, 16, 1);
    Process export =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                Export.class.getName(),
                big.toString(),
                "--parquet",
                out.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    while (export.isAlive() && unfinished(out) == 0) {
      export.waitFor(5, TimeUnit.MILLISECONDS);
    }
    export.destroyForcibly().waitFor();
    assertFalse(Files.exists(out.resolve("embeddings")), "half a table is there");
    assertEquals("[1099511627776,é'\\]", read("v"));
    Export.export(file, out, Set.of("v"), 1);
    assertEquals(0, unfinished(out));
  }

  private static long unfinished(Path out) throws Exception {
    try (var entries = Files.list(out)) {
      return entries.filter(e -> e.getFileName().toString().startsWith(".unfinished-")).count();
    }
  }
}
