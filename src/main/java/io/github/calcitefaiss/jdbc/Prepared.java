/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.sql.SQLException;
import java.util.List;
import org.apache.calcite.avatica.AvaticaParameter;
import org.apache.calcite.avatica.ColumnMetaData;

/** A statement that is ready to run, in one of the two ways there are. */
sealed interface Prepared permits PlannedStatement, NativeStatement {
  /**
   * The columns, as far as they are known before it runs.
   *
   * @throws SQLException if they must be asked for and can't be
   */
  List<ColumnMetaData> columns() throws SQLException;

  /** The parameters, each of the type that values are converted to when they are set. */
  List<AvaticaParameter> parameters();

  /** The parameters with the types that fit best, for those who ask what to set. */
  default List<AvaticaParameter> describedParameters() {
    return parameters();
  }

  /** Whether it can run on what a run sees; otherwise it is to be prepared anew. */
  boolean isCurrent(PlannedRun run) throws SQLException;

  /**
   * Runs it.
   *
   * @param run the execution, already entered
   * @param again prepares it anew, if the data changed meanwhile
   * @param values the parameters' values, as set
   * @param maxRows how many rows to give at most; 0 for all
   */
  FaissResultSet run(
      FaissStatement statement, PlannedRun run, Preparer again, Object[] values, long maxRows)
      throws SQLException;

  /** Prepares a statement; it may be cancelled through its run. */
  @FunctionalInterface
  interface Preparer {
    Prepared prepare(PlannedRun run) throws SQLException;
  }
}
