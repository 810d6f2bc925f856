/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** How often a statement asks its file for the version, and begins to read one. Counted. */
@Isolated
class OneViewTest {
  private static final String SEARCH =
      "select faiss_search('blog', 'embeddings', faiss_encode('[3, 4]'), 2)";

  private static final String NEAREST =
      "select e.id, p.title from embeddings e join post p on p.id = e.id"
          + " order by l2_distance(e.embedding, faiss_encode('[3, 4]')) limit 2";

  @TempDir Path folder;

  private record Counts(long questions, long snapshots) {
    private static Counts now() {
      return new Counts(SqliteDatabase.questions(), SqliteDatabase.snapshots());
    }
  }

  @FunctionalInterface
  private interface Action {
    void run() throws SQLException;
  }

  private static Counts counted(Action action) throws SQLException {
    Counts before = Counts.now();
    action.run();
    Counts after = Counts.now();
    return new Counts(after.questions - before.questions, after.snapshots - before.snapshots);
  }

  private static List<String> rows(ResultSet rows) throws SQLException {
    try (rows) {
      List<String> all = new ArrayList<>();
      while (rows.next()) {
        all.add(rows.getString(1));
      }
      return all;
    }
  }

  @Test
  void aWarmSearchAsksOnceWhereNoTableIsRead() throws SQLException {
    Path file = TestDatabase.blog(folder);
    try (Connection connection = TestDatabase.connectPlanned(file);
        PreparedStatement search = connection.prepareStatement(SEARCH)) {
      assertEquals(List.of("[3, 2]"), rows(search.executeQuery()));
      assertEquals(
          new Counts(1, 0),
          counted(() -> assertEquals(List.of("[3, 2]"), rows(search.executeQuery()))));
    }
  }

  @Test
  void andOnceAfterItBegan() throws SQLException {
    Path file = TestDatabase.blog(folder);
    try (Connection connection = TestDatabase.connect(file);
        PreparedStatement search = connection.prepareStatement(SEARCH);
        PreparedStatement nearest = connection.prepareStatement(NEAREST)) {
      rows(search.executeQuery());
      rows(nearest.executeQuery());
      assertEquals(
          new Counts(2, 1),
          counted(() -> assertEquals(List.of("[3, 2]"), rows(search.executeQuery()))));
      assertEquals(
          new Counts(2, 1),
          counted(() -> assertEquals(List.of("3", "2"), rows(nearest.executeQuery()))));
    }
  }

  @Test
  void aLoadAfterAChangeTakesOneSnapshot() throws SQLException {
    Path file = TestDatabase.blog(folder);
    for (String way : List.of("", ";native=off")) {
      try (Connection connection =
              java.sql.DriverManager.getConnection("jdbc:faiss:" + file + way);
          PreparedStatement search = connection.prepareStatement(SEARCH);
          PreparedStatement nearest = connection.prepareStatement(NEAREST)) {
        rows(search.executeQuery());
        rows(nearest.executeQuery());
        TestDatabase.write(file, "update embeddings set embedding = x'0000803f0000803f'");
        assertEquals(
            new Counts(2, 1),
            counted(() -> assertEquals(List.of("[1, 2]"), rows(search.executeQuery()))));
        TestDatabase.write(file, "update embeddings set embedding = x'0000803f00000040'");
        assertEquals(
            new Counts(2, 1),
            counted(() -> assertEquals(List.of("1", "2"), rows(nearest.executeQuery()))));
      }
    }
  }

  @Test
  void planningOverManyTablesAsksTwice() throws SQLException {
    Path file = TestDatabase.blog(folder);
    List<String> tables = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      tables.add("create table t" + i + " (id integer primary key, name text)");
    }
    TestDatabase.write(file, tables.toArray(new String[0]));
    for (String way : List.of("", ";native=off")) {
      try (Connection connection =
              java.sql.DriverManager.getConnection("jdbc:faiss:" + file + way);
          Statement statement = connection.createStatement()) {
        rows(statement.executeQuery("select 1 from t7"));
        Counts counts =
            counted(
                () ->
                    connection
                        .prepareStatement(
                            NEAREST.replace("order by", "join t1 on t1.id = p.id order by"))
                        .close());
        assertTrue(counts.questions <= 2, counts.toString());
        assertEquals(0, counts.snapshots);
      }
    }
  }
}
