/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.RunContext;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.parser.ReadOnly;
import io.github.calcitefaiss.sql.planner.Plan;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.calcite.DataContext;

/**
 * A statement: its settings, and at most one open result.
 *
 * <p>Every execution is a {@link PlannedRun} of its own, so cancelling or timing out one leaves the
 * statement usable.
 */
public class FaissStatement implements Statement, Unwrappable {
  private final FaissConnection connection;
  private final List<String> batch = new ArrayList<>();
  private volatile PlannedRun run;
  private volatile boolean closed;
  private FaissResultSet result;
  private boolean closeOnCompletion;
  private boolean poolable;
  private long maxRows;
  private int fetchSize;
  private int timeoutSeconds;

  FaissStatement(FaissConnection connection) {
    this.connection = connection;
  }

  final FaissConnection connection() {
    return connection;
  }

  final void checkOpen() throws SQLException {
    connection.checkOpen();
    if (closed) {
      throw FaissErrors.closed("statement");
    }
  }

  /** Runs something of this statement's as a new execution, its errors translated. */
  public final FaissResultSet run(SqlSupplier<Plan> planner, Map<String, Object> parameters)
      throws SQLException {
    checkOpen();
    closeResult();
    PlannedRun started = new PlannedRun(timeoutSeconds * 1000L);
    run = started;
    FaissResultSet rows = null;
    started.enter();
    try {
      Plan plan = planner.get(started);
      started.running(plan);
      rows =
          new FaissResultSet(
              this,
              started,
              plan.signature(),
              maxRows,
              () -> bind(started, planner, parameters),
              connection.timeZone());
      result = rows;
      return rows;
    } catch (Throwable t) {
      throw started.translate(t);
    } finally {
      started.leave();
      if (rows == null) {
        started.finish();
      }
    }
  }

  /** Runs the plan, or, if the data changed meanwhile, that of now, if its rows are alike. */
  private Iterable<Object> bind(
      PlannedRun started, SqlSupplier<Plan> planner, Map<String, Object> parameters) {
    Plan plan = started.plan();
    try {
      if (started.restarted() && !connection.isCurrent(plan)) {
        plan = planner.get(started);
        if (!plan.givesRowsOf(started.plan())) {
          throw new FaissException(
              SqlState.CHANGED,
              "the columns of the result changed after the statement was prepared; prepare and run"
                  + " it again");
        }
        started.running(plan);
      }
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
    Map<String, Object> values = new HashMap<>(parameters);
    values.putAll(plan.signature().internalParameters);
    if (started.timeoutMillis() > 0) {
      // For scans of other databases: theirs is in whole seconds, rounded down.
      values.put(DataContext.Variable.TIMEOUT.camelName, started.timeoutMillis() + 1000);
    }
    return plan.signature()
        .enumerable(
            new RunContext(
                connection.session(), plan.signature().rootSchema, values, started.flag()));
  }

  /** A planning step that may be cancelled through its run. */
  @FunctionalInterface
  public interface SqlSupplier<T> {
    T get(PlannedRun run) throws SQLException;
  }

  private FaissResultSet query(String sql) throws SQLException {
    String query = ReadOnly.query(sql);
    return run(started -> withoutParameters(connection.plan(query, started)), Map.of());
  }

  private static Plan withoutParameters(Plan plan) throws SQLException {
    int count = plan.signature().parameters.size();
    if (count > 0) {
      throw FaissErrors.parameter(
          "The statement has "
              + count
              + (count == 1 ? " parameter" : " parameters")
              + ": use prepareStatement, and set each");
    }
    return plan;
  }

  final void closeResult() {
    FaissResultSet open = result;
    result = null;
    if (open != null) {
      open.close();
    }
  }

  /** Called by a result when it closes. */
  final void resultClosed(FaissResultSet rows) {
    if (result == rows) {
      result = null;
    }
    if (closeOnCompletion) {
      close();
    }
  }

  final void cancelRun() {
    PlannedRun running = run;
    if (running != null) {
      running.cancel();
    }
  }

  @Override
  public ResultSet executeQuery(String sql) throws SQLException {
    return query(sql);
  }

  @Override
  public boolean execute(String sql) throws SQLException {
    query(sql);
    return true;
  }

  @Override
  public boolean execute(String sql, int autoGeneratedKeys) throws SQLException {
    return execute(sql);
  }

  @Override
  public boolean execute(String sql, int[] columnIndexes) throws SQLException {
    return execute(sql);
  }

  @Override
  public boolean execute(String sql, String[] columnNames) throws SQLException {
    return execute(sql);
  }

  @Override
  public int executeUpdate(String sql) throws SQLException {
    checkOpen();
    ReadOnly.query(sql);
    throw ReadOnly.refused("executeUpdate");
  }

  @Override
  public int executeUpdate(String sql, int autoGeneratedKeys) throws SQLException {
    return executeUpdate(sql);
  }

  @Override
  public int executeUpdate(String sql, int[] columnIndexes) throws SQLException {
    return executeUpdate(sql);
  }

  @Override
  public int executeUpdate(String sql, String[] columnNames) throws SQLException {
    return executeUpdate(sql);
  }

  @Override
  public long executeLargeUpdate(String sql) throws SQLException {
    return executeUpdate(sql);
  }

  @Override
  public ResultSet getResultSet() throws SQLException {
    checkOpen();
    return result;
  }

  @Override
  public int getUpdateCount() throws SQLException {
    checkOpen();
    return -1;
  }

  @Override
  public long getLargeUpdateCount() throws SQLException {
    return getUpdateCount();
  }

  @Override
  public boolean getMoreResults() throws SQLException {
    return getMoreResults(CLOSE_CURRENT_RESULT);
  }

  @Override
  public boolean getMoreResults(int current) throws SQLException {
    checkOpen();
    if (current == KEEP_CURRENT_RESULT) {
      throw FaissErrors.unsupported("Keeping one result open beside the next");
    }
    closeResult();
    return false;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    closeResult();
    connection.forget(this);
  }

  @Override
  public boolean isClosed() {
    return closed || connection.isClosed();
  }

  @Override
  public void cancel() throws SQLException {
    checkOpen();
    cancelRun();
  }

  @Override
  public int getQueryTimeout() throws SQLException {
    checkOpen();
    return timeoutSeconds;
  }

  @Override
  public void setQueryTimeout(int seconds) throws SQLException {
    checkOpen();
    if (seconds < 0) {
      throw FaissErrors.badArgument("The query timeout must be 0 or more, got " + seconds);
    }
    timeoutSeconds = seconds;
  }

  @Override
  public int getMaxRows() throws SQLException {
    checkOpen();
    return (int) Math.min(maxRows, Integer.MAX_VALUE);
  }

  @Override
  public void setMaxRows(int max) throws SQLException {
    setLargeMaxRows(max);
  }

  @Override
  public long getLargeMaxRows() throws SQLException {
    checkOpen();
    return maxRows;
  }

  @Override
  public void setLargeMaxRows(long max) throws SQLException {
    checkOpen();
    if (max < 0) {
      throw FaissErrors.badArgument("The row limit must be 0 or more, got " + max);
    }
    maxRows = max;
  }

  @Override
  public int getMaxFieldSize() throws SQLException {
    checkOpen();
    return 0;
  }

  @Override
  public void setMaxFieldSize(int max) throws SQLException {
    checkOpen();
    if (max != 0) {
      throw FaissErrors.unsupported("Cutting values off (setMaxFieldSize)");
    }
  }

  @Override
  public void setFetchSize(int rows) throws SQLException {
    checkOpen();
    if (rows < 0) {
      throw FaissErrors.badArgument("The fetch size must be 0 or more, got " + rows);
    }
    fetchSize = rows;
  }

  @Override
  public int getFetchSize() throws SQLException {
    checkOpen();
    return fetchSize;
  }

  @Override
  public void setFetchDirection(int direction) throws SQLException {
    checkOpen();
    if (direction != ResultSet.FETCH_FORWARD) {
      throw FaissErrors.unsupported("Fetching backwards");
    }
  }

  @Override
  public int getFetchDirection() throws SQLException {
    checkOpen();
    return ResultSet.FETCH_FORWARD;
  }

  @Override
  public int getResultSetConcurrency() throws SQLException {
    checkOpen();
    return ResultSet.CONCUR_READ_ONLY;
  }

  @Override
  public int getResultSetType() throws SQLException {
    checkOpen();
    return ResultSet.TYPE_FORWARD_ONLY;
  }

  @Override
  public int getResultSetHoldability() throws SQLException {
    checkOpen();
    return ResultSet.HOLD_CURSORS_OVER_COMMIT;
  }

  @Override
  public void setEscapeProcessing(boolean enable) throws SQLException {
    checkOpen();
    // JDBC escapes such as {fn …} are part of the SQL that Calcite's parser reads.
  }

  @Override
  public void setCursorName(String name) throws SQLException {
    throw FaissErrors.unsupported("A named cursor");
  }

  @Override
  public void addBatch(String sql) throws SQLException {
    checkOpen();
    batch.add(sql);
  }

  @Override
  public void clearBatch() throws SQLException {
    checkOpen();
    batch.clear();
  }

  @Override
  public int[] executeBatch() throws SQLException {
    checkOpen();
    if (batch.isEmpty()) {
      return new int[0];
    }
    batch.clear();
    throw batchRefused();
  }

  final BatchUpdateException batchRefused() {
    return new BatchUpdateException(
        "A batch can hold updates only, says JDBC, and this driver never writes; to search for many"
            + " vectors run the prepared statement once for each, or join a table of query vectors",
        "0A000",
        new int[0]);
  }

  @Override
  public Connection getConnection() throws SQLException {
    checkOpen();
    return connection;
  }

  @Override
  public ResultSet getGeneratedKeys() throws SQLException {
    throw FaissErrors.unsupported("Returning generated keys");
  }

  @Override
  public SQLWarning getWarnings() throws SQLException {
    checkOpen();
    return null;
  }

  @Override
  public void clearWarnings() throws SQLException {
    checkOpen();
  }

  @Override
  public void setPoolable(boolean poolable) throws SQLException {
    checkOpen();
    this.poolable = poolable;
  }

  @Override
  public boolean isPoolable() throws SQLException {
    checkOpen();
    return poolable;
  }

  @Override
  public void closeOnCompletion() throws SQLException {
    checkOpen();
    closeOnCompletion = true;
  }

  @Override
  public boolean isCloseOnCompletion() throws SQLException {
    checkOpen();
    return closeOnCompletion;
  }
}
