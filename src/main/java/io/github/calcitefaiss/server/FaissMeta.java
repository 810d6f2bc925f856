/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.FaissDriver;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.sql.Types;
import java.util.BitSet;
import java.util.Calendar;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TimeZone;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;
import org.apache.calcite.avatica.AvaticaParameter;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.avatica.MissingResultsException;
import org.apache.calcite.avatica.NoSuchConnectionException;
import org.apache.calcite.avatica.NoSuchStatementException;
import org.apache.calcite.avatica.QueryState;
import org.apache.calcite.avatica.jdbc.JdbcMeta;
import org.apache.calcite.avatica.jdbc.StatementInfo;
import org.apache.calcite.avatica.proto.Requests;
import org.apache.calcite.avatica.remote.TypedValue;

/**
 * Runs what clients ask for on this project's driver.
 *
 * <p>A connection and its statements can be used only by the user who opened it, though their names
 * are the client's choice and small numbers. A client can set no property but those of {@link
 * ClientProperties}; the URL is the server's.
 */
final class FaissMeta extends JdbcMeta {
  private final String url;
  private final Limits limits;
  private final Metrics metrics;
  private final StatementLog log;
  private final Semaphore places;
  private final Map<Integer, Running> statements = new ConcurrentHashMap<>();
  private final ThreadLocal<String> caller = new ThreadLocal<>();
  private volatile boolean closed;

  FaissMeta(String url, Limits limits, Metrics metrics, StatementLog log) throws SQLException {
    super(url, cacheSettings(limits));
    this.url = url;
    this.limits = limits;
    this.metrics = metrics;
    this.log = log;
    this.places = new Semaphore(limits.connections());
  }

  /** An execution of a statement, as the log will tell it. */
  private static final class Running {
    private final String connectionId;
    private final String user;
    private String sql;

    /** Of a prepared statement, else null. */
    private Signature signature;

    private long nanos;
    private long rows;
    private boolean open;
    private boolean complete;

    /** Columns announced as text; and those of them that held something else. */
    private BitSet texts = new BitSet();

    private final BitSet mixed = new BitSet();
    private BitSet decimals = new BitSet();

    private Running(String connectionId, String user, String sql) {
      this.connectionId = connectionId;
      this.user = user;
      this.sql = sql;
    }
  }

  @FunctionalInterface
  interface Call<T> {
    T run() throws Exception;
  }

  /** Nothing is ever pushed out to make place: limits refuse what is new instead. */
  private static Properties cacheSettings(Limits limits) {
    Properties settings = new Properties();
    String idle = Long.toString(Math.max(1, limits.idle().toMillis()));
    String unlimited = Long.toString(Long.MAX_VALUE);
    settings.setProperty(ConnectionCacheSettings.MAX_CAPACITY.key(), unlimited);
    settings.setProperty(ConnectionCacheSettings.EXPIRY_DURATION.key(), idle);
    settings.setProperty(ConnectionCacheSettings.EXPIRY_UNIT.key(), "MILLISECONDS");
    settings.setProperty(StatementCacheSettings.MAX_CAPACITY.key(), unlimited);
    settings.setProperty(StatementCacheSettings.EXPIRY_DURATION.key(), idle);
    settings.setProperty(StatementCacheSettings.EXPIRY_UNIT.key(), "MILLISECONDS");
    return settings;
  }

  /** Runs a call in the name of a user; null where nobody has to log in. */
  <T> T as(String user, Call<T> call) throws Exception {
    caller.set(user);
    try {
      return call.run();
    } finally {
      caller.remove();
    }
  }

  int connections() {
    return limits.connections() - places.availablePermits();
  }

  /** Closes what nobody used for the idle time: a client that vanished says nothing. */
  void expire() {
    getConnectionCache().cleanUp();
    getStatementCache().cleanUp();
    statements.keySet().removeIf(id -> !getStatementCache().asMap().containsKey(id));
  }

  /** Cancels every statement that runs, and closes every connection. */
  void close() {
    closed = true;
    for (Connection connection : getConnectionCache().asMap().values()) {
      try {
        connection.abort(Runnable::run);
      } catch (SQLException e) {
        // It is over either way.
      }
    }
    getConnectionCache().invalidateAll();
    getStatementCache().invalidateAll();
  }

  /**
   * Takes one of the places for connections, to be given back with {@link #leave()}.
   *
   * @throws SQLException 08004 if there is none, or the server stops
   */
  void place() throws SQLException {
    if (closed) {
      throw new SQLNonTransientConnectionException("The server is shutting down", "08004");
    }
    if (!places.tryAcquire()) {
      expire();
      if (!places.tryAcquire()) {
        metrics.connectionRefused();
        throw new SQLTransientConnectionException(
            "The server has "
                + limits.connections()
                + " connections open, its limit (--max-connections); close one, or try later",
            "08004");
      }
    }
  }

  void leave() {
    places.release();
  }

  @Override
  public void openConnection(ConnectionHandle ch, Map<String, String> info) {
    try {
      if (ch.id == null || ch.id.isEmpty()) {
        throw unnamed();
      }
      Properties properties = ClientProperties.accepted(info);
      place();
      Connection connection = null;
      try {
        Connection opened = new FaissDriver().connect(url, properties);
        connection = Session.open(caller.get(), opened, limits, this::leave);
      } finally {
        if (connection == null) {
          leave();
        }
      }
      if (getConnectionCache().asMap().putIfAbsent(ch.id, connection) != null) {
        connection.close();
        throw new SQLNonTransientConnectionException(
            "A connection with the id " + ch.id + " is open already", "08002");
      }
    } catch (SQLException e) {
      throw new RuntimeException(e);
    }
  }

  private static SQLException unnamed() {
    return new SQLException(
        "The request names no connection: expected a connectionId, and a request that this"
            + " server knows",
        "08003");
  }

  @Override
  protected Connection getConnection(String id) throws SQLException {
    if (id == null) {
      throw unnamed();
    }
    Connection connection = super.getConnection(id);
    if (!Session.belongs(connection, caller.get())) {
      // As for an id that isn't there: it is none of the caller's business.
      throw new NoSuchConnectionException(id);
    }
    return connection;
  }

  @Override
  public void closeConnection(ConnectionHandle ch) {
    try {
      getConnection(ch.id);
    } catch (SQLException | NoSuchConnectionException e) {
      return;
    }
    for (Map.Entry<Integer, Running> statement : statements.entrySet()) {
      if (statement.getValue().connectionId.equals(ch.id)) {
        forget(statement.getKey());
        getStatementCache().invalidate(statement.getKey());
      }
    }
    super.closeConnection(ch);
  }

  @Override
  public StatementHandle createStatement(ConnectionHandle ch) {
    StatementHandle handle = super.createStatement(ch);
    statements.put(handle.id, new Running(ch.id, caller.get(), ""));
    return handle;
  }

  @Override
  public void closeStatement(StatementHandle h) {
    Running running = statements.get(h.id);
    if (running == null || !running.connectionId.equals(h.connectionId) || !owns(h)) {
      // As for an id that isn't there: it is none of the caller's business.
      return;
    }
    forget(h.id);
    super.closeStatement(h);
  }

  @Override
  public StatementHandle prepare(ConnectionHandle ch, String sql, long maxRowCount) {
    Running running = new Running(ch.id, caller.get(), sql);
    try {
      StatementHandle handle =
          timed(running, () -> super.prepare(ch, sql, limits.rowsToRead(maxRowCount)));
      running.signature = announced(handle.signature);
      handle = new StatementHandle(handle.connectionId, handle.id, running.signature);
      statements.put(handle.id, running);
      return handle;
    } catch (NoSuchStatementException | MissingResultsException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A parameter that may be of any type is announced as text, since clients in other languages
   * (phoenixdb) know no type for it.
   */
  private static Signature announced(Signature signature) {
    List<AvaticaParameter> parameters =
        signature.parameters.stream()
            .map(
                p ->
                    p.parameterType != Types.OTHER && p.parameterType != Types.JAVA_OBJECT
                        ? p
                        : new AvaticaParameter(
                            p.signed,
                            p.precision,
                            p.scale,
                            Types.VARCHAR,
                            "VARCHAR",
                            String.class.getName(),
                            p.name))
            .toList();
    return new Signature(
        signature.columns,
        signature.sql,
        parameters,
        signature.internalParameters,
        signature.cursorFactory,
        signature.statementType);
  }

  @Override
  public ExecuteResult prepareAndExecute(
      StatementHandle h,
      String sql,
      long maxRowCount,
      int maxRowsInFirstFrame,
      PrepareCallback callback)
      throws NoSuchStatementException {
    Running running = begin(h, sql);
    return frames(
        running,
        () -> {
          unprepared(h, running);
          return super.prepareAndExecute(
              h, sql, limits.rowsToRead(maxRowCount), frame(maxRowsInFirstFrame), callback);
        });
  }

  /** A client may use the handle of a prepared statement for another text, as phoenixdb does. */
  private void unprepared(StatementHandle h, Running running) throws SQLException {
    if (running.signature != null) {
      Statement fresh = getConnection(h.connectionId).createStatement();
      getStatementCache().put(h.id, new StatementInfo(fresh));
      running.signature = null;
    }
  }

  @Override
  public ExecuteResult execute(
      StatementHandle h, List<TypedValue> parameterValues, int maxRowsInFirstFrame)
      throws NoSuchStatementException {
    Running running = begin(h, null);
    if (running.signature == null) {
      throw new RuntimeException(
          new SQLException(
              "Statement "
                  + h.id
                  + " was not prepared: expected a prepare request first, or prepareAndExecute",
              "HY010"));
    }
    if (h.signature == null) {
      // Avatica's driver sends back what prepare gave it; others need not.
      h.signature = running.signature;
    }
    check(parameterValues);
    return frames(running, () -> super.execute(h, parameterValues, frame(maxRowsInFirstFrame)));
  }

  /** Refuses a parameter whose value isn't of the type that it came with, as JSON may say. */
  private static void check(List<TypedValue> parameters) {
    for (int i = 0; i < parameters.size(); i++) {
      TypedValue parameter = parameters.get(i);
      try {
        if (parameter != null) {
          parameter.toJdbc(Calendar.getInstance(TimeZone.getTimeZone("UTC"), Locale.ROOT));
        }
      } catch (RuntimeException e) {
        throw new RuntimeException(
            new SQLException(
                "Parameter "
                    + (i + 1)
                    + " has a value that its type "
                    + parameter.type
                    + " can't hold; a date or time, as text, is compared as it is stored",
                "HY024",
                e));
      }
    }
  }

  private ExecuteResult frames(Running running, Call<ExecuteResult> call)
      throws NoSuchStatementException {
    try {
      ExecuteResult result = timed(running, call);
      for (MetaResultSet rows : result.resultSets) {
        running.texts =
            columns(rows.signature, column -> column.type.rep == ColumnMetaData.Rep.STRING);
        running.decimals = columns(rows.signature, column -> column.type.id == Types.DECIMAL);
        count(running, rows.firstFrame);
      }
      return result;
    } catch (MissingResultsException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Frame fetch(StatementHandle h, long offset, int fetchMaxRowCount)
      throws NoSuchStatementException, MissingResultsException {
    Running running = statements.get(h.id);
    if (running == null) {
      throw new NoSuchStatementException(h);
    }
    check(h, running);
    if (running.complete) {
      return new Frame(offset, true, List.of());
    }
    int rows =
        fetchMaxRowCount < 0 ? Limits.FRAME_ROWS : Math.min(fetchMaxRowCount, Limits.FRAME_ROWS);
    Frame frame = timed(running, () -> super.fetch(h, offset, rows));
    count(running, frame);
    return frame;
  }

  @Override
  public boolean syncResults(StatementHandle h, QueryState state, long offset)
      throws NoSuchStatementException {
    Running running = begin(h, state.sql);
    try {
      return timed(running, () -> super.syncResults(h, state, offset));
    } catch (MissingResultsException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public ExecuteBatchResult prepareAndExecuteBatch(StatementHandle h, List<String> sqlCommands)
      throws NoSuchStatementException {
    begin(h, null);
    return super.prepareAndExecuteBatch(h, sqlCommands);
  }

  @Override
  public ExecuteBatchResult executeBatch(StatementHandle h, List<List<TypedValue>> batches)
      throws NoSuchStatementException {
    begin(h, null);
    return super.executeBatch(h, batches);
  }

  @Override
  public ExecuteBatchResult executeBatchProtobuf(
      StatementHandle h, List<Requests.UpdateBatch> batches) throws NoSuchStatementException {
    begin(h, null);
    return super.executeBatchProtobuf(h, batches);
  }

  /** The statement of a handle, ready to be executed anew. */
  private Running begin(StatementHandle h, String sql) throws NoSuchStatementException {
    Running running = statements.get(h.id);
    if (running == null) {
      throw new NoSuchStatementException(h);
    }
    check(h, running);
    end(running, Metrics.Outcome.CLOSED, null);
    running.complete = false;
    if (sql != null) {
      running.sql = sql;
    }
    return running;
  }

  private void check(StatementHandle h, Running running) throws NoSuchStatementException {
    if (!running.connectionId.equals(h.connectionId) || !owns(h)) {
      throw new NoSuchStatementException(h);
    }
  }

  private boolean owns(StatementHandle h) {
    try {
      // Also keeps the connection from expiring while rows are fetched.
      getConnection(h.connectionId);
      return true;
    } catch (SQLException | NoSuchConnectionException e) {
      return false;
    }
  }

  private <T> T timed(Running running, Call<T> call)
      throws NoSuchStatementException, MissingResultsException {
    long start = System.nanoTime();
    metrics.begin();
    Exception failure = null;
    try {
      return call.run();
    } catch (NoSuchStatementException | MissingResultsException e) {
      throw e;
    } catch (Exception e) {
      failure = e;
      throw e instanceof RuntimeException runtime ? runtime : new RuntimeException(e);
    } finally {
      metrics.end();
      running.nanos += System.nanoTime() - start;
      if (failure != null) {
        running.open = true;
        end(running, Metrics.Outcome.ERROR, failure);
      }
    }
  }

  private void count(Running running, Frame frame) {
    running.open = true;
    if (frame == null) {
      return;
    }
    for (Object row : frame.rows) {
      running.rows++;
      for (int i = running.texts.nextSetBit(0); i >= 0; i = running.texts.nextSetBit(i + 1)) {
        Object value = row instanceof Object[] array ? array[i] : ((List<?>) row).get(i);
        if (value instanceof Number) {
          running.mixed.set(i);
        }
      }
      checkDecimals(running, row);
    }
    if (limits.rows() > 0 && running.rows > limits.rows()) {
      SQLException tooMany =
          new SQLException(
              "The result has more than "
                  + limits.rows()
                  + " rows, the server's limit (--max-rows); ask for fewer, for example with LIMIT",
              "54000");
      end(running, Metrics.Outcome.ERROR, tooMany);
      throw new RuntimeException(tooMany);
    }
    if (frame.done) {
      running.complete = true;
      end(running, Metrics.Outcome.OK, null);
    }
  }

  /** A client reads a decimal as one, and would fail on anything else without saying why. */
  private static void checkDecimals(Running running, Object row) {
    for (int i = running.decimals.nextSetBit(0); i >= 0; i = running.decimals.nextSetBit(i + 1)) {
      Object value = row instanceof Object[] array ? array[i] : ((List<?>) row).get(i);
      if (value != null && !(value instanceof BigDecimal)) {
        throw new RuntimeException(
            new SQLDataException(
                "Column "
                    + (i + 1)
                    + " is declared to be DECIMAL, but a row holds "
                    + (value instanceof byte[] ? "a blob" : "'" + value + "'")
                    + "; CAST it, or connect without types=declared",
                "22018"));
      }
    }
  }

  private static BitSet columns(Signature signature, Predicate<ColumnMetaData> wanted) {
    BitSet columns = new BitSet();
    for (ColumnMetaData column :
        signature == null ? List.<ColumnMetaData>of() : signature.columns) {
      columns.set(column.ordinal, wanted.test(column));
    }
    return columns;
  }

  /** The columns of a statement that are announced as text and held numbers, too. */
  BitSet mixedTexts(int statement) {
    Running running = statements.get(statement);
    return running == null ? new BitSet() : running.mixed;
  }

  private void forget(int id) {
    Running running = statements.remove(id);
    if (running != null) {
      end(running, Metrics.Outcome.CLOSED, null);
    }
  }

  private void end(Running running, Metrics.Outcome outcome, Exception error) {
    if (running.open) {
      running.open = false;
      log.ended(
          running.user,
          running.connectionId,
          running.sql,
          outcome,
          running.nanos,
          running.rows,
          error == null ? null : RpcHandler.sqlException(error));
      running.nanos = 0;
      running.rows = 0;
    }
  }

  /**
   * Avatica takes -2 for a first frame without an end, and 0, which is also what a JSON request
   * without this field says, for a result that ends before its first row.
   */
  private static int frame(int rows) {
    return rows <= 0 ? -1 : rows;
  }
}
