/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Calcite's own driver still does what made this project write one; if a test here fails, it has
 * been mended there, and the reasons in this package's description are to be looked at again.
 */
class StockDriverTest {
  private Connection stock;

  @BeforeEach
  void connect() throws SQLException {
    stock = DriverManager.getConnection("jdbc:calcite:");
  }

  @AfterEach
  void close() throws SQLException {
    stock.close();
  }

  private ResultSet first(Statement statement, String sql) throws SQLException {
    ResultSet rows = statement.executeQuery(sql);
    assertTrue(rows.next());
    return rows;
  }

  @Test
  void numbersWrapAround() throws SQLException {
    try (Statement statement = stock.createStatement()) {
      assertEquals(705_032_704, first(statement, "VALUES (5000000000)").getInt(1));
      assertEquals(44, first(statement, "VALUES (300)").getByte(1));
    }
  }

  @Test
  void errorsHaveNoState() throws SQLException {
    try (Statement statement = stock.createStatement()) {
      SQLException e =
          assertThrows(SQLException.class, () -> statement.executeQuery("SELECT * FROM nope"));
      assertNull(e.getSQLState());
    }
  }

  @Test
  void aCancelledStatementStaysDead() throws SQLException {
    try (Statement statement = stock.createStatement()) {
      first(statement, "VALUES 1");
      statement.cancel();
      assertThrows(SQLException.class, () -> first(statement, "VALUES 1"));
    }
  }

  @Test
  void statementsStayOpenAfterTheirConnection() throws SQLException {
    Connection other = DriverManager.getConnection("jdbc:calcite:");
    Statement statement = other.createStatement();
    other.close();
    assertFalse(statement.isClosed());
  }
}
