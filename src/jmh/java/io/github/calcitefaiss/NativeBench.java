/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
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
 * Small statements on {@code examples/packages.db}: by sqlite-jdbc itself, by SQLite through us, and
 * planned by Calcite.
 *
 * <pre>
 *   mvn -Pbench test-compile exec:exec -Dbench=NativeBench
 * </pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(value = 1, jvmArgs = "-Xmx1g")
public class NativeBench {
  private static final String FILE = "examples/packages.db";
  private static final String LOOK_UP = "select name from packages where id = ";
  private static final String JOIN =
      "select p.name, d.title from packages p join docs d on d.id = p.id where p.id = ";

  @Param({"jdbc:sqlite:file:" + FILE + "?mode=ro", "jdbc:faiss:" + FILE, "jdbc:faiss:" + FILE + ";native=off"})
  String url;

  private Connection connection;
  private PreparedStatement prepared;
  private int n;

  /** Opens a connection, and prepares a statement on it. */
  @Setup(Level.Trial)
  public void open() throws SQLException {
    connection = DriverManager.getConnection(url);
    prepared = connection.prepareStatement(LOOK_UP + "?");
  }

  /** Closes the connection. */
  @TearDown(Level.Trial)
  public void close() throws SQLException {
    connection.close();
  }

  private String ask(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getString(1) : null;
    }
  }

  /** A statement whose text was never seen. */
  @Benchmark
  public String newLookUp() throws SQLException {
    return ask(LOOK_UP + n++);
  }

  /** A join whose text was never seen. */
  @Benchmark
  public String newJoin() throws SQLException {
    return ask(JOIN + n++);
  }

  /** The same statement again with another value. */
  @Benchmark
  public String preparedLookUp() throws SQLException {
    prepared.setInt(1, n++ % 3000);
    try (ResultSet row = prepared.executeQuery()) {
      return row.next() ? row.getString(1) : null;
    }
  }
}
