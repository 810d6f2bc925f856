/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.index.VectorCodec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * The first search of a new version of a table with three columns of numbers, one of 40 texts and
 * one of 336 dates: the build of its index, with columns that may be kept beside it and without, in
 * turn. Prints the least time by the clock and the least processor time of the process.
 *
 * <pre>
 *   mvn -Pbench test-compile exec:java -Dexec.classpathScope=test \
 *     -Dexec.mainClass=io.github.calcitefaiss.BuildTimes [-Dexec.args="100000 384 15"]
 * </pre>
 */
public final class BuildTimes {
  private static final String NEAREST = " ORDER BY l2_distance(embedding, ?) LIMIT 10";
  private static final String[] FILTERS = {
    "",
    " WHERE n < 500",
    " WHERE n < 500 AND price < 40 AND year > 1995 AND section <> 'section 1' AND day < '2024-08'"
  };
  private static final String[] NAMES = {
    "a search", "a search filtered by one column", "a search filtered by five columns"
  };

  private static final Random RANDOM = new Random(42);

  private BuildTimes() {}

  /** Runs with rows, dimensions and rounds. */
  public static void main(String[] args) throws IOException, SQLException {
    int rows = args.length > 0 ? Integer.parseInt(args[0]) : 100_000;
    int dims = args.length > 1 ? Integer.parseInt(args[1]) : 384;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 15;
    Path folder = Files.createTempDirectory("buildtimes");
    Path file = folder.resolve("bench.db");
    String[] operands = {"none", "auto"};
    long[][] clock = new long[FILTERS.length][operands.length];
    long[][] processor = new long[FILTERS.length][operands.length];
    Arrays.stream(clock).forEach(each -> Arrays.fill(each, Long.MAX_VALUE));
    Arrays.stream(processor).forEach(each -> Arrays.fill(each, Long.MAX_VALUE));
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file)) {
      make(writer, rows, dims);
      for (int round = 0; round < rounds; round++) {
        for (int f = 0; f < FILTERS.length; f++) {
          for (int o = 0; o < operands.length; o++) {
            change(writer, dims);
            String url = "jdbc:faiss:" + file + ";columns=" + operands[o];
            try (Connection connection = DriverManager.getConnection(url)) {
              long nanos = System.nanoTime();
              long processorNanos = processorNanos();
              first(connection, "SELECT id FROM docs" + FILTERS[f] + NEAREST, dims);
              clock[f][o] = Math.min(clock[f][o], System.nanoTime() - nanos);
              processor[f][o] = Math.min(processor[f][o], processorNanos() - processorNanos);
            }
          }
        }
      }
    }
    for (int f = 0; f < FILTERS.length; f++) {
      for (int o = 0; o < operands.length; o++) {
        System.out.printf(
            Locale.ROOT,
            "build and %s, columns=%s: %.0f ms, processor %.0f ms%n",
            NAMES[f],
            operands[o],
            clock[f][o] / 1e6,
            processor[f][o] / 1e6);
      }
    }
    try (java.util.stream.Stream<Path> files = Files.list(folder)) {
      for (Path left : List.copyOf(files.toList())) {
        Files.delete(left);
      }
    }
    Files.delete(folder);
  }

  private static long processorNanos() {
    return ((com.sun.management.OperatingSystemMXBean)
            ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static void make(Connection writer, int rows, int dims) throws SQLException {
    try (Statement s = writer.createStatement()) {
      s.execute("PRAGMA synchronous = OFF");
      s.execute(
          "CREATE TABLE docs(id INTEGER PRIMARY KEY, n INTEGER, price REAL, year INTEGER,"
              + " section TEXT, day TEXT, embedding BLOB)");
      writer.setAutoCommit(false);
      try (PreparedStatement p =
          writer.prepareStatement("INSERT INTO docs VALUES (?, ?, ?, ?, ?, ?, ?)")) {
        for (int i = 0; i < rows; i++) {
          p.setInt(1, i + 1);
          p.setInt(2, RANDOM.nextInt(1000));
          p.setDouble(3, RANDOM.nextInt(5000) / 100.0);
          p.setInt(4, 1990 + RANDOM.nextInt(35));
          p.setString(5, "section " + RANDOM.nextInt(40));
          int month = 1 + RANDOM.nextInt(12);
          int day = 1 + RANDOM.nextInt(28);
          p.setString(6, String.format(Locale.ROOT, "2024-%02d-%02d", month, day));
          p.setBytes(7, vector(dims));
          p.executeUpdate();
        }
      }
      writer.commit();
      writer.setAutoCommit(true);
    }
  }

  private static byte[] vector(int dims) {
    float[] vector = new float[dims];
    for (int d = 0; d < dims; d++) {
      vector[d] = (float) RANDOM.nextGaussian();
    }
    return VectorCodec.encode(vector);
  }

  /** Makes another version, of which the first vector differs: all are coded again. */
  private static void change(Connection writer, int dims) throws SQLException {
    try (PreparedStatement p =
        writer.prepareStatement("UPDATE docs SET embedding = ? WHERE id = 1")) {
      p.setBytes(1, vector(dims));
      p.executeUpdate();
    }
  }

  private static void first(Connection connection, String sql, int dims) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setBytes(1, vector(dims));
      try (ResultSet results = statement.executeQuery()) {
        if (!results.next()) {
          throw new IllegalStateException("no row");
        }
      }
    }
  }
}
