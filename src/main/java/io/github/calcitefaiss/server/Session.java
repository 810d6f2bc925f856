/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A client's connection: whose it is, and the limits that its statements are born with.
 *
 * <p>It gives its place back exactly once, whoever closes it: the client, the expiry of what nobody
 * uses, or the end of the server.
 */
final class Session implements InvocationHandler {
  private final String user;
  private final Connection connection;
  private final Limits limits;
  private final Runnable release;
  private final AtomicBoolean released = new AtomicBoolean();

  private Session(String user, Connection connection, Limits limits, Runnable release) {
    this.user = user;
    this.connection = connection;
    this.limits = limits;
    this.release = release;
  }

  static Connection open(String user, Connection connection, Limits limits, Runnable release) {
    return (Connection)
        Proxy.newProxyInstance(
            Session.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            new Session(user, connection, limits, release));
  }

  /** Whether a connection that {@link #open} returned belongs to a user. */
  static boolean belongs(Connection connection, String user) {
    return Proxy.getInvocationHandler(connection) instanceof Session session
        && Objects.equals(session.user, user);
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    try {
      Object result = method.invoke(connection, arguments);
      if (result instanceof Statement statement) {
        limit(statement);
      }
      return result;
    } catch (InvocationTargetException e) {
      throw e.getCause();
    } finally {
      boolean ends = method.getName().equals("close") || method.getName().equals("abort");
      if (ends && released.compareAndSet(false, true)) {
        release.run();
      }
    }
  }

  private void limit(Statement statement) throws SQLException {
    long seconds = limits.statementTimeout().toSeconds();
    statement.setQueryTimeout((int) Math.min(seconds, Integer.MAX_VALUE));
    statement.setLargeMaxRows(Math.max(0, limits.rowsToRead(0)));
  }
}
