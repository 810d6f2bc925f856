/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.util.Map;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.java.JavaTypeFactory;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.linq4j.QueryProvider;
import org.apache.calcite.schema.SchemaPlus;

/**
 * What a running plan sees of its execution: the session's variables, the parameters, the cancel
 * flag and the schemas that it was planned against.
 *
 * <p>One per execution; the map is not changed after construction.
 */
final class RunContext implements DataContext {
  private final DataContext session;
  private final CalciteSchema rootSchema;
  private final Map<String, Object> values;

  /**
   * @param session clock, time zone, user and type factory
   * @param rootSchema schemas as they were when the statement was planned; null for those of now
   * @param values parameters by Calcite's names for them ("?0"), internal ones, the cancel flag
   */
  RunContext(DataContext session, CalciteSchema rootSchema, Map<String, Object> values) {
    this.session = session;
    this.rootSchema = rootSchema;
    this.values = values;
  }

  @Override
  public Object get(String name) {
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
