/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spark and SQLite answer generated statements alike: ids, order and bits. */
class LawTest {
  @TempDir static Path folder;

  @Test
  void bothEnginesGiveTheSame() throws Exception {
    long seed = Long.getLong("seed", new Random().nextLong());
    Random random = new Random(seed);
    int dims = 4 + random.nextInt(12);
    Path file = folder.resolve("law.db");
    Product.database(file, 1500, dims, seed);
    List<String> exported = Export.export(file, folder.resolve("law"), Set.of(), 20_000);
    assertEquals(1, exported.size(), exported.toString());
    LocalSpark.session().conf().set(Indexes.PARTITION_BYTES, "30k");
    LocalSpark.session()
        .read()
        .parquet(folder.resolve("law/embeddings").toString())
        .createOrReplaceTempView("embeddings");
    try (Connection sqlite = Product.open(Product.driver(List.of()), file)) {
      for (String sql : Product.statements(random, 80, dims)) {
        String expected = Product.text(sqlite, sql);
        StringBuilder got = new StringBuilder();
        // Spark's texts have backslashes doubled, and quotes with one before them.
        String spark = sql.replace("\\", "\\\\").replace("it''s", "it\\'s");
        for (Row row : LocalSpark.rows(spark)) {
          for (int i = 0; i < row.size(); i++) {
            got.append(i == 0 ? "" : ",").append(row.get(i));
          }
          got.append('\n');
        }
        assertEquals(expected, got.toString(), () -> "seed " + seed + ": " + sql);
      }
    } finally {
      LocalSpark.session().conf().unset(Indexes.PARTITION_BYTES);
    }
  }
}
