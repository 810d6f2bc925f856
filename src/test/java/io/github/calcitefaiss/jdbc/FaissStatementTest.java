/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.Toy;
import io.github.calcitefaiss.ToySchemaFactory;
import java.nio.file.Path;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Statements and connections as JDBC describes them, and errors that say what is wrong. */
class FaissStatementTest {
  @TempDir private Path folder;
  private Connection connection;
  private Statement statement;

  @BeforeEach
  void connect() throws SQLException {
    connection = TestDatabase.connect(TestDatabase.blog(folder));
    statement = connection.createStatement();
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  private static int count(ResultSet rows) throws SQLException {
    int n = 0;
    while (rows.next()) {
      n++;
    }
    return n;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "select titel from post | 42S22"
            + " | Column 'titel' not found in any table (line 1, column 8) (did you mean 'title'?)",
        "select * from pots | 42S02"
            + " | Object 'pots' not found (line 1, column 15) (did you mean 'post'?)",
        "select faiss_serch('a') | 42000 | there is no function faiss_serch that takes",
        "select 'abc | 42000 | Syntax error: the ' (line 1, column 8) has no partner",
        "select id from post where (id = 1 | 42000 | Syntax error: unexpected end (line 1,"
            + " column 33): a ( has no )",
        "explain plan for selct 1 | 42000 | Syntax error: a query, SELECT …, should stand here (line 1",
        "select id from post limit 3.5 | HY000 | SQLite: datatype mismatch",
        "select 1 frm post | 42000 | Syntax error at 'post' (line 1, column 14)",
        "select * from post where | 42000 | Syntax error after 'where': unexpected end (line 1,"
            + " column 20)",
        "select faiss_search('blog', 'nope', x'00', 1) | | faiss_search: ",
        "insert into post values (1) | 25006 | INSERT is refused: databases are opened read-only",
        "/* x */ -- y\\n drop table post | 25006 | DROP is refused",
        "attach 'x' as y | 25006 | ATTACH is refused",
        "pragma user_version = 3 | 25006 | PRAGMA is refused",
        "pragma journal_mode(wal) | 25006 | PRAGMA is refused",
        "select id from post where id = ? | 07001 | The statement has 1 parameter: use prepare",
        "SPACES | HY024 | The SQL text is empty",
        ";  | HY024 | The SQL text is empty",
      })
  void errorsSayWhatIsWrong(String sql, String state, String message) {
    for (int again = 0; again < 2; again++) {
      SQLException e =
          assertThrows(
              SQLException.class,
              () ->
                  count(statement.executeQuery(sql.replace("\\n", "\n").replace("SPACES", "  "))));
      assertTrue(e.getMessage().startsWith(message), e.getMessage());
      if (state != null) {
        assertEquals(state, e.getSQLState());
      }
    }
  }

  @Test
  void executeAndItsResults() throws SQLException {
    assertTrue(statement.execute("select id from post;"));
    ResultSet rows = statement.getResultSet();
    assertEquals(-1, statement.getUpdateCount());
    assertEquals(4, count(rows));
    assertFalse(statement.getMoreResults());
    assertTrue(rows.isClosed());
    assertEquals(-1, statement.getUpdateCount());
    assertNull(statement.getResultSet());
  }

  @Test
  void nextExecutionClosesTheFormerResult() throws SQLException {
    ResultSet first = statement.executeQuery("select id from post");
    assertTrue(first.next());
    ResultSet second = statement.executeQuery("select id from author");
    assertTrue(first.isClosed());
    assertEquals(2, count(second));
  }

  @Test
  void maxRows() throws SQLException {
    statement.setMaxRows(2);
    assertEquals(2, count(statement.executeQuery("select id from post")));
    statement.setMaxRows(0);
    assertEquals(4, count(statement.executeQuery("select id from post")));
    statement.setFetchSize(10);
    assertEquals(10, statement.getFetchSize());
    assertThrows(SQLException.class, () -> statement.setMaxRows(-1));
    assertThrows(SQLException.class, () -> statement.setQueryTimeout(-1));
  }

  @Test
  void closeOnCompletion() throws SQLException {
    statement.closeOnCompletion();
    statement.executeQuery("select id from post").close();
    assertTrue(statement.isClosed());
    SQLException e =
        assertThrows(SQLException.class, () -> statement.executeQuery("select id from post"));
    assertEquals("This statement is closed", e.getMessage());
  }

  @Test
  void closingTheConnectionClosesAll() throws SQLException {
    ResultSet rows = statement.executeQuery("select id from post");
    connection.close();
    connection.close();
    assertTrue(statement.isClosed());
    assertTrue(rows.isClosed());
    assertFalse(connection.isValid(1));
    assertEquals(
        "This connection is closed",
        assertThrows(SQLException.class, connection::createStatement).getMessage());
  }

  @Test
  void updatesAndBatchesAreRefused() throws SQLException {
    SQLException update =
        assertThrows(
            SQLException.class, () -> statement.executeUpdate("update post set title = 'x'"));
    assertEquals(
        "UPDATE is refused: databases are opened read-only; only queries run here",
        update.getMessage());
    assertEquals(0, statement.executeBatch().length);
    statement.addBatch("select 1");
    BatchUpdateException batch = assertThrows(BatchUpdateException.class, statement::executeBatch);
    assertTrue(batch.getMessage().startsWith("A batch can hold updates only"));
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        Connection.TRANSACTION_NONE,
        Connection.TRANSACTION_READ_COMMITTED,
        Connection.TRANSACTION_SERIALIZABLE
      })
  void transactionsAreAcceptedAndChangeNothing(int isolation) throws SQLException {
    connection.setTransactionIsolation(isolation);
    assertEquals(isolation, connection.getTransactionIsolation());
    connection.setAutoCommit(false);
    assertEquals(4, count(statement.executeQuery("select id from post")));
    connection.commit();
    connection.rollback();
    connection.setReadOnly(false);
    assertTrue(connection.isReadOnly());
  }

  @Test
  void twoResultsAtOnceOnTwoStatements() throws SQLException {
    try (Statement other = connection.createStatement()) {
      ResultSet a = statement.executeQuery("select id from post order by id");
      ResultSet b = other.executeQuery("select id from post order by id");
      while (a.next()) {
        assertTrue(b.next());
        assertEquals(a.getLong(1), b.getLong(1));
      }
      assertFalse(b.next());
    }
  }

  @Test
  void pool() throws SQLException {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl("jdbc:faiss:" + folder.resolve("blog.db"));
    config.setMaximumPoolSize(2);
    config.setReadOnly(true);
    config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
    config.setConnectionTestQuery("select 1");
    try (HikariDataSource pool = new HikariDataSource(config)) {
      for (int i = 0; i < 10; i++) {
        try (Connection pooled = pool.getConnection();
            Statement s = pooled.createStatement();
            ResultSet rows = s.executeQuery("select count(*) from post")) {
          assertTrue(rows.next());
          assertEquals(4, rows.getInt(1));
          assertSame(s, rows.getStatement());
        }
      }
    }
  }

  @Test
  void scrollingIsGivenUpWithAWarning() throws SQLException {
    try (Statement scrollable =
        connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)) {
      assertEquals("01S02", connection.getWarnings().getSQLState());
      connection.clearWarnings();
      assertNull(connection.getWarnings());
      assertEquals(ResultSet.TYPE_FORWARD_ONLY, scrollable.getResultSetType());
      ResultSet rows = scrollable.executeQuery("select id from post");
      assertTrue(rows.next());
      assertEquals("0A000", assertThrows(SQLException.class, rows::previous).getSQLState());
      assertEquals(
          "0A000", assertThrows(SQLException.class, () -> rows.updateInt(1, 1)).getSQLState());
    }
  }

  @Test
  void deepNestingIsAnAnswerOrAnError() throws SQLException {
    String sum = "select " + "(1+".repeat(20_000) + "1" + ")".repeat(20_000);
    try (ResultSet rows = statement.executeQuery(sum)) {
      assertTrue(rows.next());
    } catch (SQLException e) {
      assertTrue(e.getMessage().contains("nested too deeply"), e.getMessage());
    }
    assertEquals(4, count(statement.executeQuery("select id from post")));
  }

  @Test
  void dataThatChangesBeforeTheFirstRowIsReadAgain() throws SQLException {
    try (Connection toy = Toy.connect();
        Statement s = toy.createStatement()) {
      ToySchemaFactory.CHANGES.set(2);
      assertEquals(3, count(s.executeQuery("select id from restless")));
      ToySchemaFactory.CHANGES.set(2);
      assertEquals(3, count(s.executeQuery("select id from restless order by title")));
      ToySchemaFactory.CHANGES.set(Integer.MAX_VALUE);
      SQLException e =
          assertThrows(SQLException.class, () -> count(s.executeQuery("select * from restless")));
      assertEquals("40001", e.getSQLState());
      ToySchemaFactory.CHANGES.set(0);
    }
  }

  @Test
  void clientInfoAndTimeouts() throws SQLException {
    connection.setClientInfo("ApplicationName", "test");
    assertEquals("test", connection.getClientInfo("ApplicationName"));
    connection.setNetworkTimeout(Runnable::run, 1000);
    assertEquals(1000, connection.getNetworkTimeout());
    assertNull(connection.getWarnings());
    assertNull(connection.getCatalog());
  }
}
