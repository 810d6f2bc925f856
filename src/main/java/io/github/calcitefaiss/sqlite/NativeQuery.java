/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.run.Detached;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.calcite.sql.type.SqlTypeName;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.core.CoreStatement;

/**
 * A whole statement that SQLite runs as it was written, on one committed version of each file.
 *
 * <p>Values are given as SQLite holds them: {@code Long}, {@code Double}, {@code String}, {@code
 * byte[]} or null. It is used by one thread at a time, and gives its connections back when closed.
 */
public final class NativeQuery implements AutoCloseable {
  /** SQLite can't make anything of the statement; the message is SQLite's own. */
  public static final class Refused extends SQLException {
    private static final long serialVersionUID = 1;

    private Refused(String message, SQLException cause) {
      super(message, cause);
    }
  }

  /**
   * A column of the result.
   *
   * @param label as SQLite labels it
   * @param table the table that it comes from, or null
   * @param declared the type declared for it there, or null
   */
  public record Column(String label, String table, String declared) {
    /** The type that its declaration says, or ANY if it says none. */
    public SqlTypeName type() {
      return declared == null ? SqlTypeName.ANY : ColumnType.of(declared);
    }
  }

  private final Execution execution;
  private final SqliteDatabase database;
  private final Execution.Snapshot<SqliteDatabase.Lease> snapshot;
  private final PreparedStatement statement;
  private final List<Column> columns;
  private final int parameters;
  private final boolean sorts;
  private final List<PreparedStatement> siblings = new ArrayList<>();
  private ResultSet rows;
  private boolean closed;

  private NativeQuery(
      Execution execution,
      SqliteDatabase database,
      Execution.Snapshot<SqliteDatabase.Lease> snapshot,
      PreparedStatement statement,
      boolean sorts)
      throws SQLException {
    this.execution = execution;
    this.database = database;
    this.snapshot = snapshot;
    this.statement = statement;
    this.sorts = sorts;
    parameters = statement.getParameterMetaData().getParameterCount();
    columns = columns(statement);
  }

  /**
   * Prepares a statement.
   *
   * @param execution the run that it belongs to
   * @param database what unqualified names are looked up in
   * @param others other files that it names, by the names it gives them
   * @param setup what else the connection needs, such as functions
   * @param shared whether it may use the run's connection, since no function of it loads an index
   * @param sorts whether SQLite may sort, or compute otherwise, for long before the first row
   * @throws Refused if SQLite can't prepare it
   * @throws SQLException if the database can't be read
   */
  public static NativeQuery open(
      Execution execution,
      SqliteDatabase database,
      Map<String, SqliteDatabase> others,
      Setup setup,
      String sql,
      boolean shared,
      boolean sorts)
      throws SQLException {
    Execution.Snapshot<SqliteDatabase.Lease> snapshot =
        shared ? execution.snapshot(database) : execution.ownSnapshot(database);
    PreparedStatement statement = null;
    try {
      for (Map.Entry<String, SqliteDatabase> other : others.entrySet()) {
        snapshot.lease().attach(other.getKey(), other.getValue(), execution);
      }
      setup.prepare(snapshot.lease());
      statement = prepare(snapshot.lease().connection(), sql);
      NativeQuery query = new NativeQuery(execution, database, snapshot, statement, sorts);
      if (query.columns.isEmpty()) {
        throw new FaissException(
            SqlState.READ_ONLY,
            "A statement that gives no rows is refused: databases are opened read-only; only"
                + " queries run here");
      }
      return query;
    } catch (Throwable t) {
      close(statement, snapshot);
      if (t instanceof SQLException e && !(t instanceof Refused)) {
        throw database.unreadable(e);
      }
      throw FaissException.<RuntimeException>sneakyThrow(t);
    }
  }

  /** What a connection needs before a statement is prepared on it. */
  @FunctionalInterface
  public interface Setup {
    /** Prepares the connection of a lease. */
    void prepare(SqliteDatabase.Lease lease) throws SQLException;
  }

  private static PreparedStatement prepare(Connection connection, String sql) throws SQLException {
    try {
      return connection.prepareStatement(sql);
    } catch (SQLException e) {
      SQLiteErrorCode code = SqliteFile.primaryCode(e);
      if (code == SQLiteErrorCode.SQLITE_ERROR
          || code == SQLiteErrorCode.SQLITE_AUTH
          || code == SQLiteErrorCode.SQLITE_TOOBIG
          || code == SQLiteErrorCode.SQLITE_RANGE) {
        throw new Refused(SqliteFile.said(e), e);
      }
      throw e;
    }
  }

  private static List<Column> columns(PreparedStatement statement) throws SQLException {
    List<Column> columns = new ArrayList<>();
    ResultSetMetaData metadata = statement.getMetaData();
    CoreStatement core = (CoreStatement) statement;
    int count = core.pointer.safeRunInt((db, pointer) -> db.column_count(pointer));
    for (int i = 0; i < count; i++) {
      int column = i;
      String declared = core.pointer.safeRun((db, pointer) -> db.column_decltype(pointer, column));
      String table = metadata.getTableName(i + 1);
      columns.add(
          new Column(
              metadata.getColumnName(i + 1),
              table == null || table.isEmpty() ? null : table,
              declared));
    }
    return columns;
  }

  /** The columns of the result. */
  public List<Column> columns() {
    return columns;
  }

  /** How many parameters it has: the largest number of one. */
  public int parameters() {
    return parameters;
  }

  /**
   * Sets the parameters.
   *
   * @param values as Calcite holds them
   */
  public void bind(Object[] values) throws SQLException {
    bind(statement, values);
  }

  private static void bind(PreparedStatement statement, Object[] values) throws SQLException {
    for (int i = 0; i < values.length; i++) {
      statement.setObject(i + 1, SqliteQuery.toSqlite(values[i]));
    }
  }

  /** Another statement on the same connection, which is closed with this one. */
  public PreparedStatement sibling(String sql, Object[] values) throws SQLException {
    PreparedStatement sibling = statement.getConnection().prepareStatement(sql);
    siblings.add(sibling);
    bind(sibling, values);
    return sibling;
  }

  /**
   * Goes to the next row.
   *
   * @return whether there is one
   * @throws SQLException what SQLite says, with the database's name where it is about the file
   */
  public boolean next() throws SQLException {
    execution.check();
    try {
      if (rows == null) {
        rows = sorts ? first() : statement.executeQuery();
      }
      return rows.next();
    } catch (SQLException e) {
      if (execution.isCancelled()) {
        throw execution.stopped();
      }
      throw SqliteFile.primaryCode(e) == SQLiteErrorCode.SQLITE_ERROR
          ? new FaissException(
              state(e), SqliteFile.said(e) + SqliteFile.hint(SqliteFile.said(e)), e)
          : database.unreadable(e);
    }
  }

  /** SQLite looks at the cancel flag between the steps of a query, but a sort is one step. */
  private ResultSet first() throws SQLException {
    try {
      return Detached.call(execution, statement::executeQuery, snapshot::leave, snapshot::close);
    } catch (SQLException e) {
      throw e;
    } catch (Throwable t) {
      throw FaissException.<RuntimeException>sneakyThrow(t);
    }
  }

  private static String state(SQLException e) {
    return SqliteFile.said(e).contains("overflow") ? SqlState.OUT_OF_RANGE : SqlState.DATA;
  }

  /** The value of a column of this row, from 0. */
  public Object value(int column) throws SQLException {
    Object value;
    try {
      value = rows.getObject(column + 1);
    } catch (SQLException e) {
      throw SqliteFile.isOutOfMemory(e)
          ? SqliteFile.outOfMemory(
              " while it gives column '" + columns.get(column).label() + "'", e)
          : e;
    }
    return value instanceof Integer number ? (Object) number.longValue() : value;
  }

  /** The text that SQLite makes of a column's value of this row, from 0. */
  public String text(int column) throws SQLException {
    return rows.getString(column + 1);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      if (!snapshot.isLeft()) {
        for (PreparedStatement sibling : siblings) {
          if (!snapshot.isSpoiled()) {
            closeQuietly(sibling);
          }
        }
        close(statement, snapshot);
      }
    }
  }

  private static void closeQuietly(PreparedStatement statement) {
    try {
      statement.close();
    } catch (SQLException e) {
      // Its rows are not wanted any more.
    }
  }

  private static void close(
      PreparedStatement statement, Execution.Snapshot<SqliteDatabase.Lease> snapshot) {
    try (snapshot) {
      if (statement != null && !snapshot.isSpoiled()) {
        statement.close();
      }
    } catch (SQLException e) {
      // Nothing was written, and the rows are not wanted any more.
    }
  }
}
