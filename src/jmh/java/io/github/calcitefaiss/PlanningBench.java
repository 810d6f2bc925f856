/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Preparing a statement that Calcite plans, over files of few and of many tables: it should take
 * the same time.
 *
 * <pre>
 *   mvn -Pbench test-compile exec:exec -Dbench=PlanningBench
 * </pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(value = 1, jvmArgs = "-Xmx1g")
public class PlanningBench {
  @Param({"10", "300", "1000"})
  int tables;

  private Path file;
  private Connection connection;
  private int n;

  /** Makes the file and opens a connection. */
  @Setup(Level.Trial)
  public void open() throws IOException, SQLException {
    file = Files.createTempFile("planning", ".db");
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = sqlite.createStatement()) {
      sqlite.setAutoCommit(false);
      for (int i = 0; i < tables; i++) {
        statement.execute(
            "CREATE TABLE t" + i + " (id INTEGER PRIMARY KEY, name TEXT, embedding BLOB)");
      }
      sqlite.commit();
    }
    connection = DriverManager.getConnection("jdbc:faiss:" + file + ";native=off");
  }

  /** Closes the connection. */
  @TearDown(Level.Trial)
  public void close() throws IOException, SQLException {
    connection.close();
    Files.delete(file);
  }

  /** A join of two tables with a new constant, so that no plan is remembered. */
  @Benchmark
  public void prepare() throws SQLException {
    n++;
    connection
        .prepareStatement("select a.name from t1 a join t2 b on b.id = a.id where a.id = " + n)
        .close();
  }
}
