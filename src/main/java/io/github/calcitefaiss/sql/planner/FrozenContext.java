/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.java.JavaTypeFactory;
import org.apache.calcite.config.CalciteConnectionConfig;
import org.apache.calcite.jdbc.CalcitePrepare;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.tools.RelRunner;

/**
 * A connection's context of preparing, with the schemas as one run sees them.
 *
 * @param connection the connection's own
 * @param root what is planned against
 * @param config the connection's settings, and an overflow is an error
 */
record FrozenContext(
    CalcitePrepare.Context connection, CalciteSchema root, CalciteConnectionConfig config)
    implements CalcitePrepare.Context {
  @Override
  public JavaTypeFactory getTypeFactory() {
    return connection.getTypeFactory();
  }

  @Override
  public CalciteSchema getRootSchema() {
    return root;
  }

  @Override
  public CalciteSchema getMutableRootSchema() {
    return connection.getMutableRootSchema();
  }

  @Override
  public List<String> getDefaultSchemaPath() {
    return connection.getDefaultSchemaPath();
  }

  @Override
  public CalcitePrepare.SparkHandler spark() {
    return connection.spark();
  }

  @Override
  public DataContext getDataContext() {
    return connection.getDataContext();
  }

  @Override
  public List<String> getObjectPath() {
    return connection.getObjectPath();
  }

  @Override
  public RelRunner getRelRunner() {
    return connection.getRelRunner();
  }
}
