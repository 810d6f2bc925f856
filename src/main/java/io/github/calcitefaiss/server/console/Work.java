/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.run.SqlState;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The statements of one request: run within the server's limits, written to its log, and cancelled
 * when the client goes away.
 */
final class Work implements AutoCloseable {
  private final Exchange exchange;
  private final Access access;
  private final ScheduledExecutorService timer;
  private final Access.Lease lease;
  private final Exchange.Watch watch;
  private volatile boolean gone;
  private volatile Statement running;

  /** A result that was read whole, or up to a number of rows. */
  record Result(
      List<String> columns,
      List<Object[]> rows,
      boolean truncated,
      List<String> types,
      long nanos) {
    /** The place of a column, or -1. */
    int column(String name) {
      for (int i = 0; i < columns.size(); i++) {
        if (columns.get(i).equalsIgnoreCase(name)) {
          return i;
        }
      }
      return -1;
    }
  }

  /** Takes the rows of a result as they come. */
  interface Sink {
    /** The names of the columns, before the first row. */
    void columns(List<String> names, List<String> types) throws IOException, SQLException;

    /** A row; false if no more are wanted. */
    boolean row(Object[] values) throws IOException, SQLException;
  }

  /** What a reader throws whose client went away. */
  static final class GoneException extends IOException {
    private static final long serialVersionUID = 1;
  }

  Work(Exchange exchange, Access access, ScheduledExecutorService timer) throws SQLException {
    this.exchange = exchange;
    this.access = access;
    this.timer = timer;
    lease = access.connect();
    watch = exchange.whenGone(this::leave);
  }

  private void leave() {
    gone = true;
    cancel(running);
  }

  private static void cancel(Statement statement) {
    if (statement != null) {
      try {
        statement.cancel();
      } catch (SQLException e) {
        // It is over either way.
      }
    }
  }

  /** Whether nobody waits for the answer any more. */
  boolean isGone() {
    return gone;
  }

  Connection connection() {
    return lease.connection();
  }

  /** Chooses the database that names without another mean. */
  void use(String database) throws SQLException {
    connection().setSchema(database);
  }

  /**
   * Runs a statement and keeps its rows.
   *
   * @param parameters their values by place
   * @param most rows to keep
   * @param limit how long it may take; null for the server's own limit alone
   */
  Result run(String sql, List<?> parameters, int most, Duration limit)
      throws SQLException, IOException {
    return run(sql, parameters, most, limit, access.begin(exchange.user(), sql));
  }

  /** Runs a statement of the page's own about another, which the log doesn't tell. */
  Result quietly(String sql, List<?> parameters, Duration limit) throws SQLException, IOException {
    return run(sql, parameters, 1000, limit, (rows, error, left) -> {});
  }

  private Result run(String sql, List<?> parameters, int most, Duration limit, Access.Trace trace)
      throws SQLException, IOException {
    List<String> columns = new ArrayList<>();
    List<String> types = new ArrayList<>();
    List<Object[]> rows = new ArrayList<>();
    boolean[] truncated = new boolean[1];
    long start = System.nanoTime();
    stream(
        trace,
        sql,
        parameters,
        most + 1L,
        limit,
        new Sink() {
          @Override
          public void columns(List<String> names, List<String> typeNames) {
            columns.addAll(names);
            types.addAll(typeNames);
          }

          @Override
          public boolean row(Object[] values) {
            if (rows.size() == most) {
              truncated[0] = true;
              return false;
            }
            return rows.add(values);
          }
        });
    return new Result(columns, rows, truncated[0], types, System.nanoTime() - start);
  }

  /**
   * Runs a statement and hands its rows on as they come.
   *
   * @param most rows to read; 0 for all
   */
  void stream(String sql, List<?> parameters, long most, Duration limit, Sink sink)
      throws SQLException, IOException {
    stream(access.begin(exchange.user(), sql), sql, parameters, most, limit, sink);
  }

  private void stream(
      Access.Trace trace, String sql, List<?> parameters, long most, Duration limit, Sink sink)
      throws SQLException, IOException {
    long count = 0;
    SQLException failure = null;
    boolean whole = false;
    boolean[] late = new boolean[1];
    Future<?> alarm = null;
    try (PreparedStatement statement = connection().prepareStatement(sql)) {
      running = statement;
      if (gone) {
        throw new GoneException();
      }
      if (limit != null) {
        Runnable end =
            () -> {
              late[0] = true;
              cancel(statement);
            };
        alarm = timer.schedule(end, limit.toMillis(), TimeUnit.MILLISECONDS);
      }
      long seconds = access.timeout().toSeconds();
      statement.setQueryTimeout((int) Math.min(seconds, Integer.MAX_VALUE));
      statement.setLargeMaxRows(most);
      for (int i = 0; i < parameters.size(); i++) {
        statement.setObject(i + 1, parameters.get(i));
      }
      if (!statement.execute()) {
        throw new SQLException("The statement gives no rows", SqlState.READ_ONLY);
      }
      try (ResultSet rows = statement.getResultSet()) {
        ResultSetMetaData meta = rows.getMetaData();
        int width = meta.getColumnCount();
        List<String> names = new ArrayList<>();
        List<String> types = new ArrayList<>();
        for (int i = 1; i <= width; i++) {
          names.add(meta.getColumnLabel(i));
          types.add(meta.getColumnTypeName(i));
        }
        sink.columns(names, types);
        boolean wanted = true;
        while (wanted && rows.next()) {
          Object[] values = new Object[width];
          for (int i = 0; i < width; i++) {
            values[i] = value(rows, i + 1);
          }
          wanted = sink.row(values);
          count += wanted ? 1 : 0;
        }
        whole = true;
      }
    } catch (SQLException e) {
      failure = e;
      if (gone) {
        throw new GoneException();
      }
      throw late[0] && SqlState.CANCELLED.equals(e.getSQLState())
          ? new SQLException(
              "The statement took longer than " + limit.toMillis() + " ms", SqlState.TIMED_OUT, e)
          : e;
    } finally {
      running = null;
      if (alarm != null) {
        alarm.cancel(false);
      }
      trace.ended(count, gone ? null : failure, !whole && (gone || failure == null));
    }
  }

  /** What SQLite holds, as Python would get it: no booleans, and times as their text. */
  private static Object value(ResultSet rows, int column) throws SQLException {
    Object value = rows.getObject(column);
    if (value instanceof Boolean b) {
      return b ? 1L : 0L;
    }
    return value == null || value instanceof Number || value instanceof byte[]
        ? value
        : rows.getString(column);
  }

  @Override
  public void close() {
    watch.close();
    lease.close();
  }
}
