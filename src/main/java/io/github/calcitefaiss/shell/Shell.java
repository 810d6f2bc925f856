/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.lang.reflect.InvocationTargetException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import sqlline.SqlLine;

/**
 * sqlline, but with one line for a failed statement.
 *
 * <p>sqlline itself prints a stack trace for each error in {@code -e} and {@code -f}, and keeps the
 * outcome of the last statement only. With {@code --verbose=true} the trace is there still.
 */
final class Shell extends SqlLine {
  private boolean failed;

  @Override
  public void handleException(Throwable thrown) {
    Throwable e = thrown;
    while (e instanceof InvocationTargetException && e.getCause() != null) {
      e = e.getCause();
    }
    if (e instanceof SQLException && !(e instanceof SQLWarning)) {
      failed = true;
      if (!getOpts().getVerbose()) {
        error("Error: " + e.getMessage());
        return;
      }
    }
    super.handleException(e);
  }

  /** After {@code -e} and {@code -f} sqlline would still say its version. */
  @Override
  public void info(String message) {
    if (!isExit()) {
      super.info(message);
    }
  }

  /** Whether any statement, or the connection, failed. */
  boolean failed() {
    return failed;
  }
}
