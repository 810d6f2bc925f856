/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.RunContext;
import io.github.calcitefaiss.sql.parser.SqliteText;
import io.github.calcitefaiss.sql.planner.ColumnOrigin;
import io.github.calcitefaiss.sql.planner.Plan;
import io.github.calcitefaiss.sqlite.DeclaredType;
import java.sql.SQLException;
import java.sql.Types;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.AvaticaParameter;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * A statement that Calcite has planned.
 *
 * @param labelled the plan's columns, labelled as SQLite labels them
 */
record PlannedStatement(FaissConnection connection, Plan plan, List<ColumnMetaData> labelled)
    implements Prepared {
  @Override
  public List<ColumnMetaData> columns() throws SQLException {
    return AnnouncedColumns.of(connection, plan, labelled, null);
  }

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
        labelled,
        plan.signature().cursorFactory,
        maxRows,
        new Rows(run, again, values),
        connection.timeZone());
  }

  /** The rows of one run, and what is shown of them. */
  private final class Rows implements Supplier<Iterable<Object>>, FaissResultSet.Shown {
    private final PlannedRun run;
    private final Preparer again;
    private final Object[] values;
    private final DeclaredType[] declared = new DeclaredType[labelled.size()];
    private final BitSet integers = new BitSet();
    private final BitSet flags = new BitSet();

    private Rows(PlannedRun run, Preparer again, Object[] values) {
      this.run = run;
      this.again = again;
      this.values = values;
      for (int i = 0; i < declared.length; i++) {
        ColumnOrigin origin = plan.origin(i);
        if (origin != null) {
          declared[i] = connection.declaredType(origin.column().declared());
          flags.set(i, origin.column().type() == SqlTypeName.BOOLEAN);
          integers.set(i, labelled.get(i).type.id == Types.DOUBLE && origin.keepsIntegers());
        }
      }
    }

    @Override
    public Iterable<Object> get() {
      return bind(run, again, values);
    }

    @Override
    public List<ColumnMetaData> columns(Object[] row) throws SQLException {
      return AnnouncedColumns.of(
          connection,
          run.plan(),
          ResultColumns.withLabels(run.plan().signature().columns, labelled),
          row);
    }

    @Override
    public boolean asksForRow() {
      List<ColumnMetaData> columns = run.plan().signature().columns;
      return columns.stream()
          .anyMatch(
              column ->
                  AnnouncedColumns.isOfAnyType(column)
                      && run.plan().origin(column.ordinal) == null);
    }

    @Override
    public String text(int column, Double value) {
      return ColumnValues.text(value);
    }

    @Override
    public DeclaredType declared(int column) {
      return declared[column];
    }

    @Override
    public boolean isFlag(int column) {
      return flags.get(column);
    }

    @Override
    public boolean keepsIntegers(int column) {
      return integers.get(column);
    }
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
