/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Filters that keep few rows, many, or those that are far, asked again and after changes. */
class KnownFiltersTest {
  private static final int ROWS = 4000;

  @TempDir Path folder;
  private Connection sqlite;
  private Connection faiss;

  @BeforeEach
  void create() throws SQLException {
    Path file = folder.resolve("f.db");
    sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
    try (Statement s = sqlite.createStatement()) {
      s.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, n INTEGER, embedding BLOB)");
      s.execute("CREATE TABLE u(id TEXT PRIMARY KEY, n INTEGER, embedding BLOB)");
      s.execute("CREATE INDEX u_n ON u(n)");
    }
    sqlite.setAutoCommit(false);
    try (PreparedStatement t = sqlite.prepareStatement("INSERT INTO t VALUES (?, ?, ?, ?)");
        PreparedStatement u = sqlite.prepareStatement("INSERT INTO u VALUES (?, ?, ?)")) {
      for (int i = 0; i < ROWS; i++) {
        // The vector is the id, and so the rows come in the order of their ids.
        byte[] vector = i == 17 ? null : VectorCodec.encode(new float[] {i, 0});
        t.setInt(1, i);
        t.setString(2, "r" + i);
        t.setInt(3, i % 10);
        t.setBytes(4, vector);
        t.execute();
        u.setString(1, "k" + (100000 + i));
        u.setInt(2, i % 10);
        u.setBytes(3, vector);
        u.execute();
      }
    }
    sqlite.commit();
    sqlite.setAutoCommit(true);
    faiss = DriverManager.getConnection("jdbc:faiss:" + file);
  }

  @AfterEach
  void close() throws SQLException {
    faiss.close();
    sqlite.close();
  }

  private List<Object> ids(String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = faiss.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        List<Object> ids = new ArrayList<>();
        while (rows.next()) {
          ids.add(rows.getObject(1));
        }
        return ids;
      }
    }
  }

  private List<Object> nearest(String filter, Object... parameters) throws SQLException {
    return ids(
        "SELECT id, name FROM t WHERE embedding IS NOT NULL AND ("
            + filter
            + ") ORDER BY l2_distance(embedding, '[0,0]') LIMIT 3",
        parameters);
  }

  @Test
  void aFilterGivesTheSameHoweverOftenItIsAsked() throws SQLException {
    for (int i = 0; i < 40; i++) {
      assertEquals(List.of(0L, 1L, 2L), nearest("n >= 0"));
      assertEquals(List.of(3L, 13L, 23L), nearest("n = 3"));
      assertEquals(List.of(4L, 14L, 24L), nearest("n = ?", 4));
      assertEquals(List.of(3990L, 3991L, 3992L), nearest("id >= ?", 3990));
      // Many are kept, and all of them are far.
      assertEquals(List.of(1000L, 1001L, 1002L), nearest("id >= ?", 1000));
      assertEquals(List.of(), nearest("n > 77"));
    }
  }

  @Test
  void limitsBeyondTheRowsAndRadiusesCountWhatIsKept() throws SQLException {
    assertEquals(
        3600,
        ids(
                "SELECT id, name FROM t WHERE n <> 7 ORDER BY l2_distance(embedding, '[0,0]') LIMIT ?",
                9999)
            .size());
    assertEquals(
        List.of(1L, 2L, 3L),
        ids(
            "SELECT id, name FROM t WHERE n >= 1 AND l2_distance(embedding, '[0,0]') < 3.5"
                + " ORDER BY id"));
    assertEquals(
        3239,
        ids("SELECT id, name FROM t WHERE n >= 1 AND l2_distance(embedding, '[0,0]') < 3599.5")
            .size());
    assertEquals(
        List.of(21L, 22L),
        ids(
            "SELECT id, name FROM t WHERE n >= 1 AND l2_distance(embedding, '[0,0]') > 19"
                + " ORDER BY l2_distance(embedding, '[0,0]') LIMIT 2"));
    assertEquals(
        List.of(17L, 0L),
        ids(
            "SELECT id, name FROM t WHERE n >= 0 ORDER BY l2_distance(embedding, '[0,0]') LIMIT 2"));
  }

  @Test
  void aChangeOfTheFilteredColumnAloneIsSeen() throws SQLException {
    for (int i = 1; i <= 6; i++) {
      assertEquals(3, nearest("n >= 0").size());
      try (Statement s = sqlite.createStatement()) {
        s.execute("UPDATE t SET n = -1 WHERE id = " + (i - 1));
        s.execute("UPDATE t SET n = 99 WHERE id = " + (100 - i));
      }
      assertEquals((long) i, nearest("n >= 0").get(0));
      assertEquals((long) 100 - i, nearest("n = 99").get(0));
    }
  }

  @Test
  void textKeysBesideAnotherIndex() throws SQLException {
    String sql = "SELECT id, n FROM u WHERE n = ? ORDER BY l2_distance(embedding, '[0,0]') LIMIT 2";
    for (int i = 0; i < 20; i++) {
      assertEquals(List.of("k100005", "k100015"), ids(sql, 5));
    }
  }
}
