/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables large enough to be sampled first, whatever their rowids are like. */
class IndexLoaderTest {
  private static final int ROWS = 4500;
  private static final int DIMS = 1000;

  @TempDir static Path folder;
  private static final float[][] VECTORS = new float[ROWS][DIMS];

  @BeforeAll
  static void make() throws SQLException {
    Random random = new Random(5);
    for (float[] vector : VECTORS) {
      for (int d = 0; d < DIMS; d++) {
        vector[d] = (float) random.nextGaussian();
      }
    }
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder + "/l.db");
        Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA journal_mode = OFF");
      connection.setAutoCommit(false);
      statement.execute("CREATE TABLE plain(id INTEGER PRIMARY KEY, embedding BLOB)");
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO plain VALUES (?, ?)")) {
        for (int i = 0; i < ROWS; i++) {
          insert.setInt(1, i);
          insert.setBytes(2, VectorCodec.encode(VECTORS[i]));
          insert.executeUpdate();
        }
      }
      statement.execute("CREATE TABLE far(id INTEGER, embedding BLOB)");
      statement.execute(
          "INSERT INTO far(rowid, id, embedding)"
              + " SELECT CASE id WHEN 7 THEN 9223372036854775807 ELSE id - 100 END, id, embedding"
              + " FROM plain");
      statement.execute("CREATE TABLE high(id INTEGER PRIMARY KEY, embedding BLOB)");
      statement.execute("INSERT INTO high SELECT id + 1000000000000, embedding FROM plain");
      statement.execute("CREATE TABLE keyed(id INTEGER PRIMARY KEY, embedding BLOB) WITHOUT ROWID");
      statement.execute("INSERT INTO keyed SELECT id, embedding FROM plain");
      statement.execute("CREATE TABLE named(rowid TEXT, id INTEGER, embedding BLOB)");
      statement.execute("INSERT INTO named SELECT '9' || id, id, embedding FROM plain");
      statement.execute("CREATE VIEW viewed AS SELECT id, embedding FROM plain");
      statement.execute("CREATE TABLE gaps(id INTEGER PRIMARY KEY, embedding BLOB)");
      statement.execute("INSERT INTO gaps SELECT id, embedding FROM plain");
      statement.execute("INSERT INTO gaps SELECT id + 100000, NULL FROM plain");
      connection.commit();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "far", "high", "keyed", "named", "viewed", "gaps"})
  void answersAreThoseOfThePlainDefinition(String table) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + folder + "/l.db");
        PreparedStatement statement =
            connection.prepareStatement("select faiss_search('l', '" + table + "', ?, 5)")) {
      for (int row : new int[] {0, 7, 4499}) {
        float[] query = VECTORS[row].clone();
        query[3] += 4;
        statement.setBytes(1, VectorCodec.encode(query));
        try (ResultSet rows = statement.executeQuery()) {
          assertTrue(rows.next());
          long shift = table.equals("high") ? 1_000_000_000_000L : 0;
          assertEquals(nearest(query, shift), rows.getString(1));
        }
      }
    }
  }

  private static String nearest(float[] query, long shift) {
    double[] distances = new double[ROWS];
    for (int i = 0; i < ROWS; i++) {
      for (int d = 0; d < DIMS; d++) {
        double difference = (double) VECTORS[i][d] - query[d];
        distances[i] += difference * difference;
      }
    }
    return Arrays.toString(
        IntStream.range(0, ROWS)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> distances[i]))
            .limit(5)
            .mapToLong(i -> i + shift)
            .toArray());
  }
}
