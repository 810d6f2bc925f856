/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files of any shape (one with nearly all rows, without rows, without bytes, without vectors; rows
 * whose vectors are of another dimension, not finite or no vectors) and any memory: Spark gives
 * what SQLite gives, or an error where that has one.
 */
class FaultLawTest {
  /** The section of rows that have no vector of the table's dimensions. */
  private static final int ODD = 9;

  @TempDir Path folder;

  private static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.LongType)
          .add("embedding", DataTypes.BinaryType)
          .add("section", DataTypes.IntegerType)
          .add("name", DataTypes.StringType);

  @AfterEach
  void defaults() {
    LocalSpark.session().conf().unset(Indexes.PARTITION_BYTES);
    LocalSpark.session().conf().unset(Indexes.ENABLED);
    LocalSpark.session().conf().unset(Room.PART_MEMORY);
  }

  private static byte[] vector(Random random, int dims, int id) {
    float[] vector = new float[dims];
    for (int d = 0; d < dims; d++) {
      vector[d] = random.nextInt(3) - 1 + (id % 4 == 0 ? random.nextFloat() : 0);
    }
    return VectorCodec.encode(vector);
  }

  /** What is no vector of these dimensions. */
  private static byte[] bad(Random random, int dims) {
    switch (random.nextInt(5)) {
      case 0:
        return vector(random, dims + 1, 0);
      case 1:
        return new byte[0];
      case 2:
        return new byte[] {1, 2, 3};
      default:
        float[] odd = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        ByteBuffer bytes = ByteBuffer.allocate(4 * dims).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putFloat(4 * random.nextInt(dims), odd[random.nextInt(3)]);
        return bytes.array();
    }
  }

  /** Rows, file by file. */
  private static List<List<Row>> files(Random random, int dims) {
    int[] sizes = new int[3 + random.nextInt(5)];
    for (int i = 1; i < sizes.length; i++) {
      sizes[i] = random.nextInt(3) == 0 ? 0 : random.nextInt(12);
    }
    sizes[0] = 900 + random.nextInt(600);
    boolean spoilt = random.nextInt(3) == 0;
    List<List<Row>> files = new ArrayList<>();
    int id = 0;
    for (int size : sizes) {
      boolean empty = !files.isEmpty() && random.nextInt(4) == 0;
      List<Row> rows = new ArrayList<>();
      for (int i = 0; i < size; i++, id++) {
        boolean odd = spoilt && random.nextInt(40) == 0;
        Object blob =
            empty || id % 50 == 7 ? null : odd ? bad(random, dims) : vector(random, dims, id);
        int section = odd && blob != null ? ODD : random.nextInt(6);
        // Ids in no order of the files.
        long key = id * 7919L % 100_003 - 500;
        rows.add(RowFactory.create(key, blob, section, "it's \\ n°" + id % 100));
      }
      files.add(rows);
    }
    return files;
  }

  private static void write(List<List<Row>> files, Path sqlite, Path parquet) throws Exception {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + sqlite);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (String table : List.of("embeddings", "odd")) {
        statement.execute(
            "create table "
                + table
                + " (id integer primary key, embedding blob, section integer, name text)");
        try (PreparedStatement insert =
            connection.prepareStatement("insert into " + table + " values (?, ?, ?, ?)")) {
          for (List<Row> rows : files) {
            for (Row row : rows) {
              if ((row.getInt(2) == ODD) == table.equals("odd")) {
                for (int i = 0; i < 4; i++) {
                  insert.setObject(i + 1, row.get(i));
                }
                insert.addBatch();
              }
            }
          }
          insert.executeBatch();
        }
      }
      connection.commit();
    }
    for (List<Row> rows : files) {
      LocalSpark.session()
          .createDataFrame(rows, SCHEMA)
          .coalesce(1)
          .write()
          .mode("append")
          .parquet(parquet.toString());
    }
    Files.createFile(parquet.resolve("part-00000-nothing.parquet"));
  }

  /** SQLite's answer, or an error if a row that has no vector of these dimensions qualifies. */
  private static String local(Connection connection, String sql) throws SQLException {
    int from = sql.indexOf("from embeddings") + "from embeddings".length();
    int order = sql.indexOf(" order by");
    String where = sql.substring(from, order < 0 ? sql.length() : order);
    return Product.text(connection, "select count(*) from odd" + where).equals("0\n")
        ? Product.text(connection, sql)
        : "error";
  }

  private static String spark(String sql) {
    try {
      StringBuilder got = new StringBuilder();
      for (Row row : LocalSpark.rows(sql.replace("\\", "\\\\").replace("it''s", "it\\'s"))) {
        for (int i = 0; i < row.size(); i++) {
          got.append(i == 0 ? "" : ",").append(row.get(i));
        }
        got.append('\n');
      }
      return got.toString();
    } catch (Exception e) {
      String all = LocalSpark.message(e);
      assertTrue(all.contains("VectorException"), all);
      return "error";
    }
  }

  @RepeatedTest(3)
  void sparkGivesWhatSqliteGives() throws Exception {
    long seed = Long.getLong("seed", new Random().nextLong());
    Random random = new Random(seed);
    int dims = 2 + random.nextInt(9);
    Path file = folder.resolve("law.db");
    Path parquet = folder.resolve("lake");
    write(files(random, dims), file, parquet);
    LocalSpark.session()
        .read()
        .schema(SCHEMA)
        .parquet(parquet.toString())
        .createOrReplaceTempView("embeddings");
    List<String> sizes = List.of("2k", "20k", "64m");
    List<String> memory = List.of("1", "100k", "150k", "0");
    try (Connection sqlite = Product.open(Product.driver(List.of()), file)) {
      for (String sql : Product.statements(random, 24, dims)) {
        LocalSpark.session().conf().set(Indexes.PARTITION_BYTES, sizes.get(random.nextInt(3)));
        LocalSpark.session().conf().set(Room.PART_MEMORY, memory.get(random.nextInt(4)));
        LocalSpark.session().conf().set(Indexes.ENABLED, random.nextInt(5) > 0);
        String expected = local(sqlite, sql);
        assertEquals(expected, spark(sql), () -> "seed " + seed + ": " + sql);
      }
    }
  }
}
