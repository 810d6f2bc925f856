/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.FaissDriver;
import io.github.calcitefaiss.server.console.Access;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Deque;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * Connections for the pages, within the limits of all connections.
 *
 * <p>A few are kept between requests, with the plans that they know. They carry nothing of a
 * user's: every user may read the same.
 */
final class PageAccess implements Access {
  private static final int KEPT = 8;
  private static final String NAME = "page";

  private final String url;
  private final FaissMeta meta;
  private final Limits limits;
  private final Metrics metrics;
  private final StatementLog log;
  private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();
  private final Set<Connection> used = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  PageAccess(String url, FaissMeta meta, Limits limits, Metrics metrics, StatementLog log) {
    this.url = url;
    this.meta = meta;
    this.limits = limits;
    this.metrics = metrics;
    this.log = log;
  }

  @Override
  public Lease connect() throws SQLException {
    meta.place();
    Connection connection = null;
    try {
      connection = idle.poll();
      if (connection == null) {
        connection = new FaissDriver().connect(url, new Properties());
      }
      used.add(connection);
      Taken taken = new Taken(connection, connection.getSchema());
      if (closed) {
        connection.abort(Runnable::run);
      }
      return taken;
    } catch (SQLException e) {
      if (connection != null) {
        used.remove(connection);
      }
      meta.leave();
      throw e;
    }
  }

  private final class Taken implements Lease {
    private final Connection connection;
    private final String schema;

    private Taken(Connection connection, String schema) {
      this.connection = connection;
      this.schema = schema;
    }

    @Override
    public Connection connection() {
      return connection;
    }

    @Override
    public void close() {
      used.remove(connection);
      try {
        if (closed || connection.isClosed() || idle.size() >= KEPT) {
          connection.close();
        } else {
          connection.setSchema(schema);
          idle.push(connection);
        }
      } catch (SQLException e) {
        // It is not kept.
      } finally {
        meta.leave();
      }
    }
  }

  @Override
  public Duration timeout() {
    return limits.statementTimeout();
  }

  @Override
  public long rows() {
    return limits.rows();
  }

  @Override
  public Trace begin(String user, String sql) {
    metrics.begin();
    long start = System.nanoTime();
    return (rows, error, left) -> {
      metrics.end();
      Metrics.Outcome outcome =
          left
              ? Metrics.Outcome.CLOSED
              : error == null ? Metrics.Outcome.OK : Metrics.Outcome.ERROR;
      log.ended(user, NAME, sql, outcome, System.nanoTime() - start, rows, error);
    };
  }

  /** Cancels what runs, and closes every connection. */
  void close() {
    closed = true;
    for (Connection connection : used) {
      try {
        connection.abort(Runnable::run);
      } catch (SQLException e) {
        // It is over either way.
      }
    }
    for (Connection connection = idle.poll(); connection != null; connection = idle.poll()) {
      try {
        connection.close();
      } catch (SQLException e) {
        // It is not used any more.
      }
    }
  }
}
