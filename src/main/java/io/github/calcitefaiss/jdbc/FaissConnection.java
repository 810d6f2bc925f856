/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.StatementRun;
import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sql.planner.LongStatements;
import io.github.calcitefaiss.sql.planner.Plan;
import io.github.calcitefaiss.sql.planner.PlanCache;
import io.github.calcitefaiss.sqlite.DeclaredType;
import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.SQLXML;
import java.sql.Savepoint;
import java.sql.ShardingKey;
import java.sql.Statement;
import java.sql.Struct;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TimeZone;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.AvaticaConnection;
import org.apache.calcite.avatica.AvaticaParameter;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.avatica.SqlType;
import org.apache.calcite.config.CalciteConnectionProperty;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.jdbc.CalciteMetaImpl;
import org.apache.calcite.schema.lookup.LikePattern;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * A connection to one SQLite file, or to the schemas of a model.
 *
 * <p>Calcite's connection below it holds schemas and settings; planning, running and the JDBC
 * objects are this layer's own. Nothing is ever written, so transactions are accepted and change
 * nothing.
 */
public final class FaissConnection implements Connection {
  private final String url;
  private final CalciteConnection calcite;
  private final TimeZone timeZone;
  private final boolean declaredTypes;
  private final PlanCache plans;
  private final Preparation preparation;
  private final Set<FaissStatement> statements = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;
  private boolean autoCommit = true;
  private int isolation = Connection.TRANSACTION_NONE;
  private int networkTimeoutMillis;
  private SQLWarning warnings;
  private final Properties clientInfo = new Properties();

  /**
   * Creates a connection.
   *
   * @param url what it was opened with
   * @param calcite Calcite's own connection, which is closed with it
   * @param nativeWay whether SQLite may run whole statements
   * @param declaredTypes whether dates and decimals are announced as they are declared
   */
  public FaissConnection(
      String url, CalciteConnection calcite, boolean nativeWay, boolean declaredTypes) {
    this.url = url;
    this.calcite = calcite;
    // Avatica would take the machine's as it was when Avatica was loaded.
    this.timeZone =
        calcite.getProperties().getProperty(CalciteConnectionProperty.TIME_ZONE.camelName()) == null
            ? TimeZone.getDefault()
            : ((AvaticaConnection) calcite).getTimeZone();
    this.declaredTypes = declaredTypes;
    this.plans = new PlanCache(calcite);
    this.preparation = new Preparation(this, plans, nativeWay);
  }

  private static String schemaNamed(CalciteConnection calcite, String name) throws SQLException {
    Set<String> names = calcite.getRootSchema().subSchemas().getNames(LikePattern.any());
    for (String known : names) {
      if (known.equalsIgnoreCase(name)) {
        return known;
      }
    }
    throw FaissErrors.connect("There is no schema '" + name + "'" + Names.among(name, names));
  }

  CalciteConnection calcite() {
    return calcite;
  }

  String url() {
    return url;
  }

  TimeZone timeZone() {
    return timeZone;
  }

  /** What a declaration says of a column, where this connection announces that; else null. */
  DeclaredType declaredType(String declared) {
    return declaredTypes ? DeclaredType.of(declared) : null;
  }

  /** Variables of the session for one execution: clock, time zone, user. */
  DataContext session() {
    return CalciteMetaImpl.createDataContext(calcite);
  }

  /** Prepares a statement within a run. */
  Prepared prepare(String sql, PlannedRun run) throws SQLException {
    Runnable end = LongStatements.beginPreparing(sql, run);
    try {
      return preparation.prepare(sql, run);
    } catch (SQLException e) {
      throw FirstMistakes.advise(e, sql, calcite);
    } finally {
      end.run();
    }
  }

  /** Prepares a statement that isn't run yet. */
  Prepared prepareAlone(String sql) throws SQLException {
    PlannedRun run = new PlannedRun(0, true);
    run.enter();
    try {
      Prepared prepared = prepare(sql, run);
      if (prepared instanceof NativeStatement statement) {
        statement.release();
      }
      return prepared;
    } catch (Throwable t) {
      throw run.translate(t);
    } finally {
      run.leave();
      run.finish();
    }
  }

  /**
   * The types that Calcite would give to a statement's columns, where it can plan it; else text.
   *
   * @param count how many columns there are
   */
  List<SqlTypeName> typesByCalcite(String sql, int count) throws SQLException {
    Plan plan = planned(sql);
    if (plan == null || plan.signature().columns.size() != count) {
      return Collections.nCopies(count, SqlTypeName.VARCHAR);
    }
    List<SqlTypeName> types = new ArrayList<>();
    for (ColumnMetaData column : AnnouncedColumns.of(this, plan, plan.signature().columns, null)) {
      types.add(ResultColumns.type(column.type.id));
    }
    return types;
  }

  /** The parameters that Calcite would give to a statement; empty where it can't plan it. */
  List<AvaticaParameter> parametersByCalcite(String sql) {
    Plan plan = planned(sql);
    return plan == null ? List.of() : plan.signature().parameters;
  }

  private Plan planned(String sql) {
    if (sql.length() > PlanCache.LONGEST_TEXT) {
      // Types alone aren't worth a wait that no deadline ends.
      return null;
    }
    StatementRun run = new StatementRun(0);
    try {
      return plans.plan(sql, run);
    } catch (Throwable t) {
      // It is SQLite's alone, then.
      if (t instanceof VirtualMachineError error && !(t instanceof StackOverflowError)) {
        throw error;
      }
      return null;
    } finally {
      run.finish();
    }
  }

  boolean isCurrent(Plan plan, StatementRun run) throws SQLException {
    return plans.isCurrent(plan, run.view());
  }

  void forget(FaissStatement statement) {
    statements.remove(statement);
  }

  void checkOpen() throws SQLException {
    if (closed) {
      throw FaissErrors.closed("connection");
    }
  }

  private <T extends FaissStatement> T register(T statement) {
    statements.add(statement);
    return statement;
  }

  /** As JDBC asks: what can't be had is given as the nearest thing, with a warning. */
  private void checkKind(int type, int concurrency) throws SQLException {
    boolean scrollable =
        type == ResultSet.TYPE_SCROLL_SENSITIVE || type == ResultSet.TYPE_SCROLL_INSENSITIVE;
    boolean updatable = concurrency == ResultSet.CONCUR_UPDATABLE;
    if (!scrollable && type != ResultSet.TYPE_FORWARD_ONLY
        || !updatable && concurrency != ResultSet.CONCUR_READ_ONLY) {
      throw FaissErrors.badArgument(
          "Unknown result set type " + type + " or concurrency " + concurrency);
    }
    if (scrollable || updatable) {
      warnings = new SQLWarning("Results are read forward only and can't be changed", "01S02");
    }
  }

  @Override
  public Statement createStatement() throws SQLException {
    checkOpen();
    return register(new FaissStatement(this));
  }

  @Override
  public Statement createStatement(int type, int concurrency) throws SQLException {
    checkKind(type, concurrency);
    return createStatement();
  }

  @Override
  public Statement createStatement(int type, int concurrency, int holdability) throws SQLException {
    return createStatement(type, concurrency);
  }

  @Override
  public PreparedStatement prepareStatement(String sql) throws SQLException {
    checkOpen();
    return register(new FaissPreparedStatement(this, sql));
  }

  @Override
  public PreparedStatement prepareStatement(String sql, int type, int concurrency)
      throws SQLException {
    checkKind(type, concurrency);
    return prepareStatement(sql);
  }

  @Override
  public PreparedStatement prepareStatement(String sql, int type, int concurrency, int holdability)
      throws SQLException {
    return prepareStatement(sql, type, concurrency);
  }

  @Override
  public PreparedStatement prepareStatement(String sql, int autoGeneratedKeys) throws SQLException {
    if (autoGeneratedKeys != Statement.NO_GENERATED_KEYS) {
      throw FaissErrors.unsupported("Returning generated keys");
    }
    return prepareStatement(sql);
  }

  @Override
  public PreparedStatement prepareStatement(String sql, int[] columnIndexes) throws SQLException {
    throw FaissErrors.unsupported("Returning generated keys");
  }

  @Override
  public PreparedStatement prepareStatement(String sql, String[] columnNames) throws SQLException {
    throw FaissErrors.unsupported("Returning generated keys");
  }

  @Override
  public CallableStatement prepareCall(String sql) throws SQLException {
    throw FaissErrors.unsupported("Calling a procedure");
  }

  @Override
  public CallableStatement prepareCall(String sql, int type, int concurrency) throws SQLException {
    return prepareCall(sql);
  }

  @Override
  public CallableStatement prepareCall(String sql, int type, int concurrency, int holdability)
      throws SQLException {
    return prepareCall(sql);
  }

  @Override
  public String nativeSQL(String sql) throws SQLException {
    checkOpen();
    return sql;
  }

  @Override
  public void setAutoCommit(boolean autoCommit) throws SQLException {
    checkOpen();
    this.autoCommit = autoCommit;
  }

  @Override
  public boolean getAutoCommit() throws SQLException {
    checkOpen();
    return autoCommit;
  }

  @Override
  public void commit() throws SQLException {
    checkOpen();
  }

  @Override
  public void rollback() throws SQLException {
    checkOpen();
  }

  @Override
  public void close() throws SQLException {
    if (closed) {
      return;
    }
    closed = true;
    for (FaissStatement statement : statements) {
      statement.close();
    }
    plans.clear();
    calcite.close();
  }

  @Override
  public boolean isClosed() {
    return closed;
  }

  @Override
  public DatabaseMetaData getMetaData() throws SQLException {
    checkOpen();
    return new FaissDatabaseMetaData(this);
  }

  @Override
  public void setReadOnly(boolean readOnly) throws SQLException {
    checkOpen();
    // Always read-only: asking for less is a hint that JDBC lets a driver ignore, and pools send
    // it.
  }

  @Override
  public boolean isReadOnly() throws SQLException {
    checkOpen();
    return true;
  }

  @Override
  public void setCatalog(String catalog) throws SQLException {
    checkOpen();
    // There are no catalogs, and JDBC says to ignore the call then.
  }

  @Override
  public String getCatalog() throws SQLException {
    checkOpen();
    return null;
  }

  @Override
  public void setTransactionIsolation(int level) throws SQLException {
    checkOpen();
    switch (level) {
      case TRANSACTION_NONE:
      case TRANSACTION_READ_UNCOMMITTED:
      case TRANSACTION_READ_COMMITTED:
      case TRANSACTION_REPEATABLE_READ:
      case TRANSACTION_SERIALIZABLE:
        isolation = level;
        break;
      default:
        throw FaissErrors.badArgument("Unknown transaction isolation " + level);
    }
  }

  @Override
  public int getTransactionIsolation() throws SQLException {
    checkOpen();
    return isolation;
  }

  @Override
  public SQLWarning getWarnings() throws SQLException {
    checkOpen();
    return warnings;
  }

  @Override
  public void clearWarnings() throws SQLException {
    checkOpen();
    warnings = null;
  }

  @Override
  public Map<String, Class<?>> getTypeMap() throws SQLException {
    checkOpen();
    return new HashMap<>();
  }

  @Override
  public void setTypeMap(Map<String, Class<?>> map) throws SQLException {
    if (map != null && !map.isEmpty()) {
      throw FaissErrors.unsupported("A type map");
    }
  }

  @Override
  public void setHoldability(int holdability) throws SQLException {
    checkOpen();
    if (holdability != ResultSet.HOLD_CURSORS_OVER_COMMIT
        && holdability != ResultSet.CLOSE_CURSORS_AT_COMMIT) {
      throw FaissErrors.badArgument("Unknown holdability " + holdability);
    }
  }

  @Override
  public int getHoldability() throws SQLException {
    checkOpen();
    return ResultSet.HOLD_CURSORS_OVER_COMMIT;
  }

  @Override
  public Savepoint setSavepoint() throws SQLException {
    throw FaissErrors.unsupported("A savepoint");
  }

  @Override
  public Savepoint setSavepoint(String name) throws SQLException {
    throw FaissErrors.unsupported("A savepoint");
  }

  @Override
  public void rollback(Savepoint savepoint) throws SQLException {
    throw FaissErrors.unsupported("A savepoint");
  }

  @Override
  public void releaseSavepoint(Savepoint savepoint) throws SQLException {
    throw FaissErrors.unsupported("A savepoint");
  }

  @Override
  public Clob createClob() throws SQLException {
    checkOpen();
    return new HeldClob("");
  }

  @Override
  public Blob createBlob() throws SQLException {
    checkOpen();
    return new HeldBlob(new byte[0]);
  }

  @Override
  public NClob createNClob() throws SQLException {
    checkOpen();
    return new HeldClob("");
  }

  @Override
  public SQLXML createSQLXML() throws SQLException {
    throw FaissErrors.unsupported("Creating SQLXML");
  }

  @Override
  public Array createArrayOf(String typeName, Object[] elements) throws SQLException {
    checkOpen();
    if (typeName == null || elements == null) {
      throw FaissErrors.badArgument("An array needs a type's name and elements, got null");
    }
    String type = typeName.toUpperCase(Locale.ROOT);
    for (SqlType known : SqlType.values()) {
      if (known.name().equals(type)) {
        return new HeldArray(calcite.createArrayOf(type, elements));
      }
    }
    throw FaissErrors.badArgument(
        "There is no type '" + typeName + "' of array elements; a vector's is FLOAT");
  }

  @Override
  public Struct createStruct(String typeName, Object[] attributes) throws SQLException {
    throw FaissErrors.unsupported("Creating a struct");
  }

  @Override
  public boolean isValid(int timeoutSeconds) throws SQLException {
    if (timeoutSeconds < 0) {
      throw FaissErrors.badArgument("The timeout must be 0 or more, got " + timeoutSeconds);
    }
    return !closed;
  }

  @Override
  public void setClientInfo(String name, String value) throws SQLClientInfoException {
    if (name == null) {
      throw new SQLClientInfoException(
          "The property's name is missing (null)", SqlState.BAD_ARGUMENT, Map.of());
    } else if (value == null) {
      clientInfo.remove(name);
    } else {
      clientInfo.setProperty(name, value);
    }
  }

  @Override
  public void setClientInfo(Properties properties) throws SQLClientInfoException {
    clientInfo.clear();
    if (properties != null) {
      clientInfo.putAll(properties);
    }
  }

  @Override
  public String getClientInfo(String name) throws SQLException {
    checkOpen();
    return clientInfo.getProperty(FaissErrors.given(name, "The property's name"));
  }

  @Override
  public Properties getClientInfo() throws SQLException {
    checkOpen();
    return (Properties) clientInfo.clone();
  }

  @Override
  public boolean setShardingKeyIfValid(ShardingKey key, int timeoutSeconds) throws SQLException {
    throw FaissErrors.unsupported("A sharding key");
  }

  @Override
  public boolean setShardingKeyIfValid(ShardingKey key, ShardingKey upper, int timeoutSeconds)
      throws SQLException {
    throw FaissErrors.unsupported("A sharding key");
  }

  @Override
  public void setShardingKey(ShardingKey key) throws SQLException {
    throw FaissErrors.unsupported("A sharding key");
  }

  @Override
  public void setShardingKey(ShardingKey key, ShardingKey upper) throws SQLException {
    throw FaissErrors.unsupported("A sharding key");
  }

  @Override
  public void setSchema(String schema) throws SQLException {
    checkOpen();
    calcite.setSchema(schema == null ? null : schemaNamed(calcite, schema));
  }

  @Override
  public String getSchema() throws SQLException {
    checkOpen();
    return calcite.getSchema();
  }

  @Override
  public void abort(Executor executor) throws SQLException {
    if (executor == null) {
      throw FaissErrors.badArgument("abort needs an executor, got null");
    }
    closed = true;
    statements.forEach(FaissStatement::cancelRun);
    executor.execute(
        () -> {
          try {
            calcite.close();
          } catch (SQLException e) {
            // Nothing is left to release, and nobody waits for the outcome.
          }
        });
  }

  @Override
  public void setNetworkTimeout(Executor executor, int milliseconds) throws SQLException {
    checkOpen();
    if (milliseconds < 0) {
      throw FaissErrors.badArgument("The timeout must be 0 or more, got " + milliseconds);
    }
    networkTimeoutMillis = milliseconds;
  }

  @Override
  public int getNetworkTimeout() throws SQLException {
    checkOpen();
    return networkTimeoutMillis;
  }

  @Override
  public <T> T unwrap(Class<T> iface) throws SQLException {
    if (FaissErrors.given(iface, "The class to unwrap").isInstance(this)) {
      return iface.cast(this);
    } else if (!isWrapperFor(iface)) {
      throw FaissErrors.badArgument("This is no " + iface.getSimpleName() + " and holds none");
    }
    return calcite.unwrap(iface);
  }

  @Override
  public boolean isWrapperFor(Class<?> iface) throws SQLException {
    return iface != null && (iface.isInstance(this) || calcite.isWrapperFor(iface));
  }
}
