/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.RecentlyUsed;
import io.github.calcitefaiss.run.SqlState;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.apache.calcite.avatica.util.ByteString;
import org.sqlite.SQLiteErrorCode;

/**
 * SQLite's functions of plain values, computed by SQLite itself on a private database in memory.
 *
 * <p>A call takes some microseconds. Connections are made as threads need them, and some are kept.
 */
public final class SqliteEvaluator {
  private static final int MAX_IDLE = 8;
  private static final int STATEMENTS = 64;

  private static final ConcurrentLinkedDeque<SqliteEvaluator> IDLE = new ConcurrentLinkedDeque<>();

  private static volatile Map<String, Boolean> functions;

  private final Connection connection;
  private final Map<String, PreparedStatement> statements = new RecentlyUsed<>(STATEMENTS);

  private SqliteEvaluator(Connection connection) {
    this.connection = connection;
  }

  private static SqliteEvaluator take() throws SQLException {
    SqliteEvaluator idle = IDLE.poll();
    return idle != null
        ? idle
        : new SqliteEvaluator(
            SqliteFile.bounded(DriverManager.getConnection("jdbc:sqlite::memory:")));
  }

  private void giveBack() throws SQLException {
    if (IDLE.size() < MAX_IDLE) {
      IDLE.push(this);
    } else {
      connection.close();
    }
  }

  /** Whether SQLite has a scalar function of a name, in lower case. */
  public static boolean isFunction(String name) {
    return functionNames().contains(name);
  }

  /** The names of SQLite's scalar functions, in lower case. */
  public static Set<String> functionNames() {
    Map<String, Boolean> known = functions;
    if (known == null) {
      known = new HashMap<>();
      try {
        SqliteEvaluator evaluator = take();
        try (Statement statement = evaluator.connection.createStatement();
            ResultSet rows =
                statement.executeQuery("SELECT DISTINCT name, type FROM pragma_function_list")) {
          while (rows.next()) {
            if (rows.getString(2).equals("s")) {
              known.put(rows.getString(1).toLowerCase(Locale.ROOT), true);
            }
          }
        }
        evaluator.giveBack();
      } catch (SQLException e) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
      functions = known;
    }
    return known.keySet();
  }

  /** Whether a function takes so many arguments. */
  public static boolean takes(String name, int arguments) {
    try {
      SqliteEvaluator evaluator = take();
      boolean taken = true;
      try (PreparedStatement statement =
          evaluator.connection.prepareStatement(sql(name, arguments))) {
        taken = statement.getMetaData().getColumnCount() == 1;
      } catch (SQLException e) {
        taken = false;
      }
      evaluator.giveBack();
      return taken;
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  private static String sql(String name, int arguments) {
    return name.contains("?")
        ? "SELECT " + name
        : ("SELECT " + name + "(" + "?,".repeat(arguments) + ")").replace(",)", ")");
  }

  /**
   * The value of a function.
   *
   * @param name of a function of SQLite's; or an expression with a {@code ?} for each argument
   * @param arguments as Calcite holds them
   * @return {@code Long}, {@code Double}, {@code String}, {@code ByteString} or null
   */
  public static Object call(String name, Object... arguments) {
    try {
      SqliteEvaluator evaluator = take();
      Object value = evaluator.value(name, arguments);
      evaluator.giveBack();
      return value;
    } catch (SQLException e) {
      boolean tooLong = SqliteFile.primaryCode(e) == SQLiteErrorCode.SQLITE_TOOBIG;
      String said = tooLong ? tooLong() : SqliteFile.said(e);
      throw new FaissException(SqlState.DATA, name + ": " + said, e).raise();
    }
  }

  /** The longest text or blob of a statement, in bytes. */
  public static int longestValue() {
    return SqliteFile.longestValue();
  }

  /** What to say of a text or blob that is longer. */
  public static String tooLong() {
    return SqliteFile.tooLong();
  }

  /** Refuses texts that are too long together before each of them is given to SQLite. */
  private static void checkSum(String name, Object[] arguments) {
    long sum = 0;
    for (Object argument : arguments) {
      sum += argument instanceof String text ? text.length() : 0;
    }
    if (sum > longestValue()) {
      throw new FaissException(SqlState.DATA, name + ": " + tooLong()).raise();
    }
  }

  private Object value(String name, Object[] arguments) throws SQLException {
    if (name.startsWith("concat")) {
      checkSum(name, arguments);
    }
    String sql = sql(name, arguments.length);
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      statements.put(sql, statement);
    }
    for (int i = 0; i < arguments.length; i++) {
      statement.setObject(i + 1, SqliteQuery.toSqlite(arguments[i]));
    }
    try (ResultSet rows = statement.executeQuery()) {
      rows.next();
      Object value = rows.getObject(1);
      return value instanceof Integer number
          ? (Object) number.longValue()
          : value instanceof byte[] bytes ? new ByteString(bytes) : value;
    }
  }
}
