/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.java.JavaTypeFactory;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.linq4j.AbstractEnumerable;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.calcite.linq4j.QueryProvider;
import org.apache.calcite.linq4j.TransformedEnumerator;
import org.apache.calcite.schema.SchemaPlus;

/**
 * What a running plan sees of its execution: the session's variables, the parameters, the cancel
 * flag and the schemas that it was planned against.
 *
 * <p>One per execution; the map is not changed after construction.
 */
public final class RunContext implements Execution.Carrier {
  private final DataContext session;
  private final CalciteSchema rootSchema;
  private final Map<String, Object> values;
  private final AtomicBoolean cancelled;
  private final Execution execution;

  /**
   * Begins an execution of a run.
   *
   * @param session clock, time zone, user and type factory
   * @param rootSchema schemas as they were when the statement was planned; null for those of now
   * @param values parameters by Calcite's names for them ("?0"), and internal ones
   * @param run the run, which ends the execution
   */
  public RunContext(
      DataContext session, CalciteSchema rootSchema, Map<String, Object> values, StatementRun run) {
    this.cancelled = run.flag();
    this.session = session;
    this.rootSchema = rootSchema;
    this.values = values;
    this.execution = Execution.begin(run);
  }

  @Override
  public Execution execution() {
    return execution;
  }

  /** Ends the execution with an exception if it was cancelled; called by generated code. */
  public static void poll(DataContext root) {
    if (((RunContext) root).cancelled.get()) {
      throw new CancellationException();
    }
  }

  /** The same rows, with a {@link #poll} before each; called by generated code. */
  public static <T> Enumerable<T> polling(Enumerable<T> rows, DataContext root) {
    return new AbstractEnumerable<>() {
      @Override
      public Enumerator<T> enumerator() {
        poll(root);
        return new TransformedEnumerator<>(rows.enumerator()) {
          @Override
          public boolean moveNext() {
            poll(root);
            return super.moveNext();
          }

          @Override
          protected T transform(T row) {
            return row;
          }
        };
      }
    };
  }

  @Override
  public Object get(String name) {
    if (name.equals(Variable.CANCEL_FLAG.camelName)) {
      return cancelled;
    }
    Object value = values.get(name);
    return value == null ? session.get(name) : value;
  }

  @Override
  public SchemaPlus getRootSchema() {
    return rootSchema == null ? session.getRootSchema() : rootSchema.plus();
  }

  @Override
  public JavaTypeFactory getTypeFactory() {
    return session.getTypeFactory();
  }

  @Override
  public QueryProvider getQueryProvider() {
    return session.getQueryProvider();
  }
}
