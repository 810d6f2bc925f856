/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/** What the server gives to the pages: connections within its limits, and its log. */
public interface Access {
  /**
   * A connection for one request.
   *
   * @throws SQLException 08004 if the server has as many open as it may, or is stopping
   */
  Lease connect() throws SQLException;

  /** How long a statement may work; zero for no limit. */
  Duration timeout();

  /** Rows that a result may have; 0 for no limit. */
  long rows();

  /** Says that a statement begins. */
  Trace begin(String user, String sql);

  /** A connection that goes back when closed. */
  interface Lease extends AutoCloseable {
    Connection connection();

    @Override
    void close();
  }

  /** A statement that runs, as the log will tell it. */
  interface Trace {
    /**
     * Ends it.
     *
     * @param error why it failed, or null
     * @param left whether the client went away before the last row
     */
    void ended(long rows, SQLException error, boolean left);
  }
}
