/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.StatementRun;
import io.github.calcitefaiss.sql.planner.Plan;
import java.sql.SQLException;

/** An execution of a statement that knows the plan which it executes. */
final class PlannedRun extends StatementRun {
  private final boolean preparing;
  private Plan plan;

  /**
   * @param timeoutMillis how long the execution may take; 0 for no limit
   * @param preparing whether a statement is only prepared, and nothing is to be loaded for it
   */
  PlannedRun(long timeoutMillis, boolean preparing) {
    super(timeoutMillis);
    this.preparing = preparing;
  }

  /** Whether a statement is only prepared. */
  boolean isPreparing() {
    return preparing;
  }

  /** Says which plan is executed. */
  void running(Plan started) {
    plan = started;
  }

  /** The plan that is executed. */
  Plan plan() {
    return plan;
  }

  /** The exception to show for one thrown during this execution. */
  SQLException translate(Throwable thrown) {
    Plan running = plan;
    for (Throwable t = thrown; t != null && running != null; t = t.getCause()) {
      if (t instanceof LinkageError) {
        running.broken().set(true);
      }
    }
    return ErrorTranslation.of(thrown, this);
  }
}
