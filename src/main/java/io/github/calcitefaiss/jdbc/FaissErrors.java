/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLSyntaxErrorException;

/**
 * What the JDBC layer says when something goes wrong: its own messages, and the translation of
 * whatever Calcite or the Java runtime threw.
 *
 * <p>Every exception that leaves the layer is an {@link SQLException} whose message begins with
 * what the person needs to know, with an SQLSTATE, and with the original as its cause.
 */
public final class FaissErrors {
  private FaissErrors() {}

  public static SQLException closed(String what) {
    return new SQLNonTransientConnectionException("This " + what + " is closed", SqlState.CLOSED);
  }

  public static SQLException unsupported(String what) {
    return new SQLFeatureNotSupportedException(
        what + " is not supported: this driver reads forward only and never writes",
        SqlState.UNSUPPORTED);
  }

  public static SQLException connect(String message, Throwable cause) {
    return new SQLNonTransientConnectionException(message, SqlState.CONNECTION, cause);
  }

  public static SQLException connect(String message) {
    return connect(message, null);
  }

  static FaissException columnsChanged() {
    return new FaissException(
        SqlState.CHANGED,
        "the columns of the result changed after the statement was prepared; prepare and run it"
            + " again");
  }

  public static SQLException badArgument(String message) {
    return new SQLException(message, SqlState.BAD_ARGUMENT);
  }

  /** An argument that must not be null. */
  static <T> T given(T argument, String what) throws SQLException {
    if (argument == null) {
      throw badArgument(what + " is missing (null)");
    }
    return argument;
  }

  public static SQLException data(String message, String state) {
    return new SQLDataException(message, state);
  }

  public static SQLException parameter(String message) {
    return new SQLException(message, SqlState.PARAMETERS);
  }

  /** The same error in other words. */
  static SQLException saying(String message, SQLException e) {
    if (message == null || message.equals(e.getMessage())) {
      return e;
    }
    SQLException said = new SQLSyntaxErrorException(message, e.getSQLState(), e.getCause());
    said.setStackTrace(e.getStackTrace());
    return said;
  }

  /** The same error with more advice at the end of its message. */
  public static SQLException advised(SQLException e, String advice) {
    if (advice.isEmpty()) {
      return e;
    }
    SQLException advised =
        new SQLSyntaxErrorException(e.getMessage() + advice, e.getSQLState(), e.getCause());
    advised.setStackTrace(e.getStackTrace());
    return advised;
  }
}
