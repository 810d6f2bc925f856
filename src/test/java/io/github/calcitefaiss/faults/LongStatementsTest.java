/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.run.SqlState;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many statements of 0.9 MB at once, none of which can be planned in its time. */
class LongStatementsTest {
  @TempDir Path folder;

  @Test
  void eachEndsInItsTimeAndNoneGoesOn() throws Exception {
    String url = "jdbc:faiss:" + folder.resolve("t.db") + ";native=off";
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("t.db"));
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE t (n INTEGER)");
    }
    StringBuilder sql = new StringBuilder("SELECT n FROM t WHERE n = 0");
    for (int i = 0; sql.length() < 900_000; i++) {
      sql.append(i % 2 == 0 ? " OR n * 2 = " : " AND n + 1 > ").append(i);
    }
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<String>> states = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        states.add(
            threads.submit(
                () -> {
                  try (Connection connection = DriverManager.getConnection(url);
                      Statement statement = connection.createStatement()) {
                    statement.setQueryTimeout(1);
                    statement.executeQuery(sql.toString()).close();
                    return "answered";
                  } catch (SQLException e) {
                    return e.getSQLState();
                  }
                }));
      }
      for (Future<String> state : states) {
        assertEquals(SqlState.TIMED_OUT, state.get());
      }
    } finally {
      threads.shutdown();
    }
    long planned =
        Thread.getAllStackTraces().values().stream()
            .filter(
                stack ->
                    Arrays.stream(stack)
                        .anyMatch(frame -> frame.getClassName().endsWith(".FaissPrepare")))
            .count();
    assertTrue(planned <= 1, planned + " are still being planned");
  }
}
