/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.Toy;
import io.github.calcitefaiss.sql.planner.Plan;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A plan is used again, and never shows what was there when it was made. */
class PlanCacheTest {
  @TempDir private Path folder;
  private Path file;
  private FaissConnection connection;

  @BeforeEach
  void connect() throws SQLException {
    file = TestDatabase.blog(folder);
    connection = TestDatabase.connectPlanned(file).unwrap(FaissConnection.class);
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  private Plan plan(String sql) throws SQLException {
    return plan(connection, sql);
  }

  private static Plan plan(FaissConnection connection, String sql) throws SQLException {
    return ((PlannedStatement) connection.prepareAlone(sql)).plan();
  }

  private Object one(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertTrue(rows.next());
      return rows.getObject(1);
    }
  }

  @Test
  void sameTextSamePlan() throws SQLException {
    String sql = "select count(*) from post";
    assertSame(plan(sql), plan(sql));
    connection.setSchema("metadata");
    assertThrows(SQLException.class, () -> plan(sql));
  }

  @Test
  void newRowsAreSeenBySameTextAndPrepared() throws SQLException {
    String search = "select faiss_search('blog', 'embeddings', faiss_encode('[3, 3]'), 2)";
    String count = "select count(*) from post where title <> 'x'";
    try (PreparedStatement prepared = connection.prepareStatement(search)) {
      Plan before = plan(count);
      assertEquals(4L, one(count));
      assertEquals("[3, 1]", one(search));
      TestDatabase.write(
          file,
          "INSERT INTO post VALUES (4, 'new', 1, 0, NULL)",
          "INSERT INTO embeddings VALUES (4, x'0000404000004040')");
      assertSame(before, plan(count));
      assertEquals(5L, one(count));
      assertEquals("[4, 3]", one(search));
      try (ResultSet rows = prepared.executeQuery()) {
        assertTrue(rows.next());
        assertEquals("[4, 3]", rows.getString(1));
      }
    }
  }

  @Test
  void newColumnIsSeenBySameTextAndPrepared() throws SQLException {
    String sql = "select * from author";
    try (PreparedStatement prepared = connection.prepareStatement(sql);
        Statement statement = connection.createStatement()) {
      Plan before = plan(sql);
      assertEquals(2, prepared.getMetaData().getColumnCount());
      TestDatabase.write(file, "ALTER TABLE author ADD COLUMN born INTEGER DEFAULT 1990");
      assertNotSame(before, plan(sql));
      for (ResultSet rows :
          new ResultSet[] {statement.executeQuery(sql), prepared.executeQuery()}) {
        assertEquals(3, rows.getMetaData().getColumnCount());
        assertTrue(rows.next());
        assertEquals(1990L, rows.getLong("born"));
        rows.close();
      }
    }
  }

  @Test
  void droppedTableIsAnErrorAndComesBack() throws SQLException {
    String sql = "select count(*) from pair";
    assertEquals(0L, one(sql));
    TestDatabase.write(file, "DROP TABLE pair");
    assertEquals("42S02", assertThrows(SQLException.class, () -> one(sql)).getSQLState());
    TestDatabase.write(file, "CREATE TABLE pair (x)", "INSERT INTO pair VALUES (1)");
    assertEquals(1L, one(sql));
  }

  @Test
  void typeOfAColumnChanges() throws SQLException {
    TestDatabase.write(file, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)");
    String sql = "select a from t";
    assertEquals(1L, one(sql));
    TestDatabase.write(
        file, "DROP TABLE t", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('x')");
    assertEquals("x", one(sql));
  }

  private static final String[] SWAPPED = {
    "DROP TABLE t", "CREATE TABLE t (b INTEGER, a INTEGER)", "INSERT INTO t VALUES (2, 1)"
  };

  /** A statement that is planned before a change and read after it. */
  private FaissResultSet changedMeanwhile(String sql, String... change) throws SQLException {
    // A run that has read what tables there are keeps its snapshot, and nothing changes under it.
    one("select count(*) from t");
    AtomicBoolean changed = new AtomicBoolean();
    return ((FaissStatement) connection.createStatement())
        .run(
            run -> {
              Prepared plan = connection.prepare(sql, run);
              if (!changed.getAndSet(true)) {
                TestDatabase.write(file, change);
              }
              return plan;
            },
            new Object[0]);
  }

  @Test
  void columnsThatChangeAfterPlanningAreNotMistaken() throws SQLException {
    TestDatabase.write(
        file, "CREATE TABLE t (a INTEGER, b INTEGER)", "INSERT INTO t VALUES (1, 2)");
    try (ResultSet rows = changedMeanwhile("select a, b from t where a < b", SWAPPED)) {
      assertTrue(rows.next());
      assertEquals(1L, rows.getLong("a"));
      assertEquals(2L, rows.getLong("b"));
    }
    SQLException e =
        assertThrows(
            SQLException.class,
            () -> changedMeanwhile("select * from t", "ALTER TABLE t ADD COLUMN c"));
    assertEquals("40001", e.getSQLState(), e.toString());
    e = assertThrows(SQLException.class, () -> changedMeanwhile("select * from t", "DROP TABLE t"));
    assertEquals("42S02", e.getSQLState(), e.toString());
  }

  @Test
  void columnsThatChangeAfterPreparingAreNotMistakenByCalciteItself() throws SQLException {
    TestDatabase.write(
        file, "CREATE TABLE t (a INTEGER, b INTEGER)", "INSERT INTO t VALUES (1, 2)");
    String model =
        "inline:{\"version\": \"1.0\", \"defaultSchema\": \"s\", \"schemas\": [{\"name\": \"s\","
            + " \"type\": \"custom\", \"factory\": \"io.github.calcitefaiss.FaissSchemaFactory\","
            + " \"operand\": {\"database\": \""
            + file.toString().replace("\\", "/")
            + "\"}}]}";
    Properties properties = new Properties();
    properties.setProperty("model", model);
    try (Connection calcite = DriverManager.getConnection("jdbc:calcite:", properties);
        PreparedStatement prepared = calcite.prepareStatement("select * from \"t\"")) {
      TestDatabase.write(file, SWAPPED);
      Throwable cause = assertThrows(SQLException.class, prepared::executeQuery);
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      assertTrue(cause.getMessage().contains("table s.t was given other columns"), cause + "");
    }
  }

  @Test
  void timeGoesOn() throws Exception {
    String sql = "select current_timestamp";
    Object first = one(sql);
    long start = System.currentTimeMillis();
    while (System.currentTimeMillis() < start + 5) {
      Thread.onSpinWait();
    }
    assertFalse(first.equals(one(sql)), "the clock stands still");
  }

  @Test
  void plansOverOtherSourcesAreNotKept() throws SQLException {
    try (Connection toy = Toy.connect()) {
      FaissConnection other = toy.unwrap(FaissConnection.class);
      String sql = "select count(*) from docs";
      assertNotSame(plan(other, sql), plan(other, sql));
    }
  }
}
