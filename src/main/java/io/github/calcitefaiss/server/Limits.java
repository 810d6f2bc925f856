/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import java.time.Duration;

/**
 * What the server lets clients use.
 *
 * @param connections connections open at once, of all clients together
 * @param statementTimeout how long the driver may work on one execution; zero for no limit
 * @param rows rows of one result; 0 for no limit
 * @param bodyBytes bytes of one request
 * @param idle how long a connection is kept that nobody uses
 */
public record Limits(
    int connections, Duration statementTimeout, long rows, int bodyBytes, Duration idle) {
  /** What holds where nothing else is said. */
  public static final Limits DEFAULT =
      new Limits(100, Duration.ofMinutes(5), 0, 16 << 20, Duration.ofMinutes(10));

  /** A frame is built in memory before it is sent, so a client can't ask for one of any size. */
  static final int FRAME_ROWS = 10_000;

  /**
   * The row limit to set on a statement: one more than allowed, so that a result that is too long
   * is noticed and not cut off.
   *
   * @param asked what the client asked for; negative or 0 for all rows
   */
  long rowsToRead(long asked) {
    return rows == 0 || asked > 0 && asked <= rows ? asked : rows + 1;
  }
}
