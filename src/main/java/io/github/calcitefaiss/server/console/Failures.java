/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.run.SqlState;
import java.sql.SQLException;

/** Which answer an error of the driver is. */
final class Failures {
  /** A server that has no more connections to give, or stops. */
  private static final String FULL = "08004";

  private Failures() {}

  static boolean isTimeOut(SQLException e) {
    return SqlState.TIMED_OUT.equals(e.getSQLState());
  }

  static Refusal of(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    if (state.equals(FULL)) {
      return new Refusal(503, "Too many connections", e.getMessage());
    } else if (isTimeOut(e)) {
      return new Refusal(400, "SQL Interrupted", e.getMessage());
    } else if (state.equals(SqlState.READ_ONLY)) {
      return new Refusal(400, "Invalid SQL", "Statement must be a SELECT");
    }
    return new Refusal(400, "Invalid SQL", e.getMessage());
  }
}
