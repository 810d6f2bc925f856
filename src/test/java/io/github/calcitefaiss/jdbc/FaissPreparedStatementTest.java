/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.index.VectorCodec;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.sql.BatchUpdateException;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.Date;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.rowset.serial.SerialBlob;
import javax.sql.rowset.serial.SerialClob;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Where Calcite plans, parameters of every kind arrive as meant, or are refused. */
class FaissPreparedStatementTest {
  private static final byte[] BLOB = VectorCodec.encode(new float[] {3, 3});

  @TempDir private Path folder;
  private Connection connection;

  @BeforeEach
  void connect() throws SQLException {
    connection = TestDatabase.connectPlanned(TestDatabase.blog(folder));
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  @FunctionalInterface
  interface Setter {
    void set(PreparedStatement statement) throws SQLException;
  }

  private static Arguments setter(String name, Setter setter) {
    return Arguments.of(org.junit.jupiter.api.Named.of(name, setter));
  }

  static Stream<Arguments> vectors() {
    return Stream.of(
        setter("setBytes", s -> s.setBytes(1, BLOB)),
        setter("setObject(byte[])", s -> s.setObject(1, BLOB)),
        setter("setObject(byte[], VARBINARY)", s -> s.setObject(1, BLOB, Types.VARBINARY)),
        setter("setObject(byte[], BLOB)", s -> s.setObject(1, BLOB, Types.BLOB)),
        setter("setObject(float[])", s -> s.setObject(1, new float[] {3, 3})),
        setter("setObject(double[])", s -> s.setObject(1, new double[] {3, 3})),
        setter("setObject(Double[])", s -> s.setObject(1, new Double[] {3.0, 3.0})),
        setter("setObject(List)", s -> s.setObject(1, List.of(3, 3.0f))),
        setter("setString(JSON)", s -> s.setString(1, "[3, 3.0]")),
        setter("setObject(JSON)", s -> s.setObject(1, " [3e0,3]")),
        setter("setObject(JSON, VARCHAR)", s -> s.setObject(1, "[3,3]", Types.VARCHAR)),
        setter("setBinaryStream", s -> s.setBinaryStream(1, new ByteArrayInputStream(BLOB))),
        setter(
            "setBinaryStream(length)",
            s -> s.setBinaryStream(1, new ByteArrayInputStream(BLOB), BLOB.length)),
        setter("setBlob", s -> s.setBlob(1, new SerialBlob(BLOB))),
        setter("setBlob(created)", FaissPreparedStatementTest::setCreatedBlob),
        setter("setClob(created)", FaissPreparedStatementTest::setCreatedClob),
        setter(
            "setArray",
            s -> s.setArray(1, s.getConnection().createArrayOf("FLOAT", new Object[] {3f, 3f}))),
        setter(
            "setObject(Array)",
            s -> s.setObject(1, s.getConnection().createArrayOf("real", new Object[] {3, 3.0}))),
        setter("setBlob(stream)", s -> s.setBlob(1, new ByteArrayInputStream(BLOB))),
        setter("setCharacterStream", s -> s.setCharacterStream(1, new StringReader("[3,3]"))),
        setter("setClob", s -> s.setClob(1, new SerialClob("[3,3]".toCharArray()))));
  }

  private static void setCreatedBlob(PreparedStatement s) throws SQLException {
    Blob blob = s.getConnection().createBlob();
    assertEquals(4, blob.setBytes(1, BLOB, 0, 4));
    try (OutputStream out = blob.setBinaryStream(5)) {
      out.write(BLOB, 4, 4);
      out.write(1);
    } catch (IOException e) {
      throw new SQLException(e);
    }
    blob.truncate(8);
    s.setBlob(1, blob);
  }

  private static void setCreatedClob(PreparedStatement s) throws SQLException {
    Clob clob = s.getConnection().createNClob();
    clob.setString(1, "[1,3]");
    clob.setString(2, "3");
    s.setClob(1, clob);
  }

  @Test
  void lobsGiveWhatThereIsAndNameWrongPositions() throws SQLException {
    Blob blob = connection.createBlob();
    assertEquals(0, blob.getBytes(1, 10).length);
    blob.setBytes(1, new byte[] {1, 2, 3});
    assertArrayEquals(new byte[] {2, 3}, blob.getBytes(2, 100));
    assertEquals(2, blob.position(new byte[] {2, 3}, 1));
    assertEquals(-1, blob.position(new byte[] {2, 3}, 3));
    SQLException wrong = assertThrows(SQLException.class, () -> blob.getBytes(5, 1));
    assertEquals(
        "The position in a blob of length 3 must be from 1 to 4, got 5", wrong.getMessage());
    Clob clob = connection.createClob();
    clob.setString(1, "text");
    assertEquals("xt", clob.getSubString(3, 100));
    assertEquals(3, clob.position("xt", 1));
    assertThrows(SQLException.class, () -> clob.getSubString(0, 1));
    assertThrows(SQLException.class, () -> clob.setString(9, "x"));
    assertThrows(SQLException.class, () -> connection.createArrayOf(null, null));
    assertTrue(
        assertThrows(SQLException.class, () -> connection.createArrayOf("nosuch", new Object[0]))
            .getMessage()
            .contains("no type 'nosuch'"));
  }

  @Test
  void largeBatchesAreRefusedAsBatchesAre() throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("select 1")) {
      assertEquals(0, statement.executeLargeBatch().length);
      statement.addBatch();
      assertThrows(BatchUpdateException.class, statement::executeLargeBatch);
    }
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void vectorForAFunction(Setter setter) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select faiss_search('blog', 'embeddings', ?, 2)")) {
      setter.set(statement);
      assertEquals("[3, 1]", one(statement));
    }
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void vectorForABinaryParameter(Setter setter) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select hex(cast(? as varbinary))")) {
      setter.set(statement);
      assertEquals("0000404000004040", one(statement));
    }
  }

  private static Object one(PreparedStatement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery()) {
      assertTrue(rows.next());
      Object value = rows.getObject(1);
      assertFalse(rows.next());
      return value;
    }
  }

  private Object echo(String type, Setter setter) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select cast(? as " + type + ")")) {
      setter.set(statement);
      return one(statement);
    }
  }

  @Test
  void scalars() throws SQLException {
    assertEquals(5_000_000_000L, echo("bigint", s -> s.setLong(1, 5_000_000_000L)));
    assertEquals(5L, echo("bigint", s -> s.setInt(1, 5)));
    assertEquals(5L, echo("bigint", s -> s.setString(1, "5")));
    assertEquals(5L, echo("bigint", s -> s.setObject(1, BigInteger.valueOf(5))));
    assertEquals(7L, echo("integer", s -> s.setBigDecimal(1, new BigDecimal("7.00"))));
    assertEquals(1.5, echo("double", s -> s.setDouble(1, 1.5)));
    assertEquals(1.5, echo("double", s -> s.setFloat(1, 1.5f)));
    assertEquals(0.1, echo("double", s -> s.setBigDecimal(1, new BigDecimal("0.1"))));
    assertEquals(true, echo("boolean", s -> s.setBoolean(1, true)));
    assertEquals("ü'", echo("varchar", s -> s.setString(1, "ü'")));
    assertEquals("ü", echo("varchar", s -> s.setNString(1, "ü")));
    assertEquals("5", echo("varchar", s -> s.setInt(1, 5)));
    assertEquals(
        Date.valueOf("2024-02-29"), echo("date", s -> s.setDate(1, Date.valueOf("2024-02-29"))));
    assertEquals(
        Date.valueOf("2024-02-29"), echo("date", s -> s.setObject(1, LocalDate.of(2024, 2, 29))));
    assertEquals(
        Timestamp.valueOf("2024-02-29 12:30:00"),
        echo("timestamp", s -> s.setTimestamp(1, Timestamp.valueOf("2024-02-29 12:30:00"))));
    assertEquals(
        Timestamp.valueOf("2024-02-29 12:30:00"),
        echo("timestamp", s -> s.setObject(1, LocalDateTime.of(2024, 2, 29, 12, 30))));
  }

  @Test
  void nulls() throws SQLException {
    for (String type : List.of("bigint", "varchar", "varbinary", "double", "date", "boolean")) {
      assertNull(echo(type, s -> s.setNull(1, Types.OTHER)));
      assertNull(echo(type, s -> s.setObject(1, null)));
      assertNull(echo(type, s -> s.setString(1, null)));
      assertNull(echo(type, s -> s.setBytes(1, null)));
      assertNull(echo(type, s -> s.setNull(1, Types.VARCHAR, "x")));
    }
  }

  @Test
  void againWithOtherValues() throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select title from post where id = ? or title = ?")) {
      statement.setLong(1, 1);
      statement.setString(2, "none");
      assertEquals("cat", one(statement));
      statement.setLong(1, 5_000_000_000L);
      assertEquals("far", one(statement));
      statement.clearParameters();
      SQLException e = assertThrows(SQLException.class, statement::executeQuery);
      assertEquals("Parameter 1 of 2 has no value; set each of them", e.getMessage());
      assertEquals("07001", e.getSQLState());
    }
  }

  private static String refused(Setter setter, PreparedStatement statement) {
    return assertThrows(SQLException.class, () -> setter.set(statement)).getMessage();
  }

  @Test
  void wrongValuesNameTheParameter() throws SQLException {
    try (PreparedStatement s =
        connection.prepareStatement(
            "select cast(? as integer), cast(? as varbinary), cast(? as double), cast(? as"
                + " date)")) {
      assertEquals(
          "Parameter 1 must be a whole number from -9223372036854775808 to"
              + " 9223372036854775807, got the number 2.5",
          refused(x -> x.setDouble(1, 2.5), s));
      assertEquals(
          "Parameter 1 must be a number, got the text 'cat'",
          refused(x -> x.setString(1, "cat"), s));
      assertEquals(
          "Parameter 1 must be a number, got a blob of 8 bytes",
          refused(x -> x.setBytes(1, BLOB), s));
      assertEquals(
          "Parameter 2 must be binary: bytes, numbers, or a vector as JSON text ('[1, 2, 3]'),"
              + " got the text 'cat'",
          refused(x -> x.setString(2, "cat"), s));
      assertTrue(
          refused(x -> x.setString(2, "[1, null]"), s)
              .startsWith("Parameter 2 must be a vector: element 1 is null"));
      assertEquals(
          "Parameter 4 must be a date, got the text 'soon'",
          refused(x -> x.setString(4, "soon"), s));
      assertEquals("There is no parameter 5; the statement has 4", refused(x -> x.setInt(5, 1), s));
      assertEquals("There is no parameter 0; the statement has 4", refused(x -> x.setInt(0, 1), s));
    }
  }

  @Test
  void metadataBeforeExecution() throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select id, title as t from post where id = ? and title = ?")) {
      assertEquals(2, statement.getMetaData().getColumnCount());
      assertEquals("t", statement.getMetaData().getColumnLabel(2));
      assertEquals(Types.BIGINT, statement.getMetaData().getColumnType(1));
      ParameterMetaData parameters = statement.getParameterMetaData();
      assertEquals(2, parameters.getParameterCount());
      assertEquals(Types.BIGINT, parameters.getParameterType(1));
      assertEquals(Types.VARCHAR, parameters.getParameterType(2));
      assertThrows(SQLException.class, () -> parameters.getParameterType(3));
    }
  }

  @Test
  void prepareRefusesWhatExecuteWould() {
    SQLException e =
        assertThrows(SQLException.class, () -> connection.prepareStatement("select x from post"));
    assertTrue(e.getMessage().startsWith("Column 'x' not found"), e.getMessage());
    assertThrows(SQLException.class, () -> connection.prepareStatement("delete from post"));
    assertThrows(SQLException.class, () -> connection.prepareStatement(null));
  }

  @Test
  void batchOfSearchesIsRefusedWithAdvice() throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select faiss_search('blog', 'embeddings', ?, 2)")) {
      statement.setBytes(1, BLOB);
      statement.addBatch();
      BatchUpdateException e = assertThrows(BatchUpdateException.class, statement::executeBatch);
      assertTrue(e.getMessage().contains("run the prepared statement once for each"));
      assertEquals("[3, 1]", one(statement));
    }
  }
}
