/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.Toy;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Values read through JDBC are the ones stored, in whatever form they are asked for. */
class FaissResultSetTest {
  private Connection connection;
  private Statement statement;

  @BeforeEach
  void connect() throws SQLException {
    connection = Toy.connect();
    statement = connection.createStatement();
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  private ResultSet row(String sql) throws SQLException {
    ResultSet rows = statement.executeQuery(sql);
    assertTrue(rows.next());
    return rows;
  }

  @Test
  void wholeNumbersBeyond32Bits() throws SQLException {
    ResultSet row = row("SELECT id FROM docs WHERE title = 'cat'");
    assertEquals(5_000_000_000L, row.getLong(1));
    assertEquals(5_000_000_000L, row.getObject("ID"));
    assertEquals("5000000000", row.getString(1));
    assertEquals(new BigDecimal("5000000000"), row.getBigDecimal(1));
    SQLException e = assertThrows(SQLException.class, () -> row.getInt(1));
    assertEquals("22003", e.getSQLState());
    assertTrue(e.getMessage().startsWith("Column 'id' holds 5000000000, beyond"), e.getMessage());
  }

  @Test
  void binary() throws Exception {
    ResultSet row = row("SELECT embedding FROM docs WHERE title = 'cat'");
    byte[] bytes = {0, 0, (byte) 0x80, 0x3f};
    assertArrayEquals(bytes, row.getBytes(1));
    assertArrayEquals(bytes, (byte[]) row.getObject(1));
    assertArrayEquals(bytes, (byte[]) row.getObject("embedding"));
    assertArrayEquals(bytes, row.getBinaryStream(1).readAllBytes());
    assertArrayEquals(bytes, row.getBlob(1).getBytes(1, 4));
    assertArrayEquals(bytes, row.getObject(1, byte[].class));
    assertArrayEquals(new float[] {1f}, row.getObject(1, float[].class));
    assertEquals("0000803f", row.getString(1));
  }

  @Test
  void columnsOfAnyType() throws SQLException {
    ResultSet rows = statement.executeQuery("SELECT anything FROM docs");
    assertTrue(rows.next());
    assertEquals("x", rows.getString(1));
    assertEquals("x", rows.getObject(1));
    SQLException e = assertThrows(SQLException.class, () -> rows.getLong(1));
    assertEquals(
        "Column 'anything' holds the text 'x', which can't be read as a number", e.getMessage());
    assertTrue(rows.next());
    assertEquals(7L, rows.getLong(1));
    assertEquals(7, rows.getInt(1));
    assertEquals("7", rows.getString(1));
    assertTrue(rows.next());
    assertEquals("02", rows.getString(1));
    assertArrayEquals(new byte[] {2}, rows.getBytes(1));
    assertArrayEquals(new byte[] {2}, (byte[]) rows.getObject(1));
    assertFalse(rows.next());
  }

  @Test
  void nulls() throws SQLException {
    ResultSet row = row("SELECT embedding, title, CAST(NULL AS BIGINT) n FROM docs WHERE id = 2");
    assertNull(row.getBytes(1));
    assertTrue(row.wasNull());
    assertEquals("dog", row.getString(2));
    assertFalse(row.wasNull());
    assertEquals(0, row.getLong("n"));
    assertTrue(row.wasNull());
    assertNull(row.getObject(3));
    assertNull(row.getObject(3, Long.class));
    assertNull(row.getBinaryStream(1));
    assertNull(row.getString(1));
  }

  @Test
  void datesAsValuesAndAsText() throws SQLException {
    ResultSet row =
        row(
            "SELECT DATE '2024-01-31', TIMESTAMP '2024-01-31 23:59:58.5',"
                + " CAST('2024-01-31' AS VARCHAR), CAST('2024-01-31 23:59:58.5' AS VARCHAR),"
                + " CAST('soon' AS VARCHAR)");
    assertEquals(Date.valueOf("2024-01-31"), row.getDate(1));
    assertEquals(Date.valueOf("2024-01-31"), row.getObject(1));
    assertEquals("2024-01-31", row.getString(1));
    assertEquals(Timestamp.valueOf("2024-01-31 23:59:58.5"), row.getTimestamp(2));
    assertEquals(Date.valueOf("2024-01-31"), row.getDate(3));
    assertEquals(Timestamp.valueOf("2024-01-31 23:59:58.5"), row.getTimestamp(4));
    SQLException e = assertThrows(SQLException.class, () -> row.getTimestamp(5));
    assertTrue(e.getMessage().contains("holds the text 'soon'"), e.getMessage());
  }

  @Test
  void arraysAndRows() throws SQLException {
    ResultSet row = row("SELECT ARRAY[1, 2], MAP['a', 1], ARRAY[X'0102']");
    assertArrayEquals(new int[] {1, 2}, (int[]) row.getArray(1).getArray());
    assertEquals("[1, 2]", row.getString(1));
    assertEquals("{a=1}", row.getString(2));
    assertEquals("[0102]", row.getString(3));
  }

  @Test
  void wrongColumnsAndNoRow() throws SQLException {
    ResultSet rows = statement.executeQuery("SELECT id, title FROM docs LIMIT 1");
    SQLException early = assertThrows(SQLException.class, () -> rows.getLong(1));
    assertEquals("No row yet: call next() first", early.getMessage());
    assertTrue(rows.next());
    SQLException third = assertThrows(SQLException.class, () -> rows.getLong(3));
    assertEquals("There is no column 3; the result has 2", third.getMessage());
    SQLException named = assertThrows(SQLException.class, () -> rows.getLong("name"));
    assertEquals("There is no column 'name'; the result has [id, title]", named.getMessage());
    assertFalse(rows.next());
    assertFalse(rows.next());
    SQLException late = assertThrows(SQLException.class, () -> rows.getLong(1));
    assertEquals("No row left: next() returned false", late.getMessage());
    rows.close();
    assertEquals(
        "This result set is closed", assertThrows(SQLException.class, rows::next).getMessage());
  }

  @Test
  void knowsItsStatement() throws SQLException {
    ResultSet row = row("SELECT 1");
    assertSame(statement, row.getStatement());
    assertSame(connection, row.getStatement().getConnection());
    assertEquals(1, row.getInt(1));
  }
}
