/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.RunContext;
import io.github.calcitefaiss.sql.parser.SqliteText;
import io.github.calcitefaiss.sql.planner.Plan;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.AvaticaParameter;
import org.apache.calcite.avatica.ColumnMetaData;

/**
 * A statement that Calcite has planned.
 *
 * @param columns the plan's, labelled as SQLite labels them
 */
record PlannedStatement(FaissConnection connection, Plan plan, List<ColumnMetaData> columns)
    implements Prepared {
  @Override
  public List<AvaticaParameter> parameters() {
    return plan.signature().parameters;
  }

  @Override
  public List<AvaticaParameter> describedParameters() {
    return ParameterTypes.known(parameters(), new SqliteText(plan.signature().sql));
  }

  @Override
  public boolean isCurrent(PlannedRun run) throws SQLException {
    return connection.isCurrent(plan, run);
  }

  @Override
  public FaissResultSet run(
      FaissStatement statement, PlannedRun run, Preparer again, Object[] values, long maxRows) {
    run.running(plan);
    return new FaissResultSet(
        statement,
        run,
        columns,
        plan.signature().cursorFactory,
        maxRows,
        () -> bind(run, again, values),
        connection.timeZone());
  }

  /** Runs the plan, or, if the data changed meanwhile, that of now, if its rows are alike. */
  private Iterable<Object> bind(PlannedRun run, Preparer again, Object[] parameters) {
    Plan current = run.plan();
    try {
      if (run.restarted() && !connection.isCurrent(current, run)) {
        Prepared anew = again.prepare(run);
        if (!(anew instanceof PlannedStatement planned) || !planned.plan.givesRowsOf(current)) {
          throw FaissErrors.columnsChanged();
        }
        current = planned.plan;
        run.running(current);
      }
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
    Map<String, Object> values = new HashMap<>();
    for (int i = 0; i < parameters.length; i++) {
      values.put("?" + i, parameters[i]);
    }
    values.putAll(current.signature().internalParameters);
    if (run.timeoutMillis() > 0) {
      // For scans of other databases: theirs is in whole seconds, rounded down.
      values.put(DataContext.Variable.TIMEOUT.camelName, run.timeoutMillis() + 1000);
    }
    return current
        .signature()
        .enumerable(
            new RunContext(connection.session(), current.signature().rootSchema, values, run));
  }
}
