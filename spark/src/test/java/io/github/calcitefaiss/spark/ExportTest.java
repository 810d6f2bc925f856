/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
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
