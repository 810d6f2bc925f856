/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.Detached;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.RecentlyUsed;
import io.github.calcitefaiss.run.StatementRun;
import io.github.calcitefaiss.run.View;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.calcite.config.CalciteConnectionConfig;
import org.apache.calcite.config.CalciteConnectionConfigImpl;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.jdbc.CalcitePrepare;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.lookup.LikePattern;
import org.apache.calcite.sql.validate.SqlConformance;
import org.apache.calcite.sql.validate.SqlDelegatingConformance;

/**
 * The plans of one connection, by text and default schema, least recently used first.
 *
 * <p>A plan is given out again only while every schema that it reads from still has the version
 * that it was planned for; plans that read from a schema which can't tell are not kept.
 */
public final class PlanCache {
  /** How many statements are remembered for a connection. */
  public static final int CAPACITY = 256;

  /** The longest text of a statement that is remembered, in characters. */
  public static final int LONGEST_TEXT = 1 << 16;

  private record Key(String sql, String schema) {}

  private final CalciteConnection calcite;
  private final CalciteConnectionConfig config;
  private final Map<String, SqliteSchema> versioned = new TreeMap<>();
  private final Map<Key, Plan> plans = new RecentlyUsed<>(CAPACITY);

  public PlanCache(CalciteConnection calcite) {
    this.calcite = calcite;
    this.config = checked(calcite.config(), calcite.getProperties());
    SchemaPlus root = calcite.getRootSchema();
    for (String name : root.subSchemas().getNames(LikePattern.any())) {
      // Of the others, the tables may change without a word.
      SqliteSchema schema = SqliteSchema.of(root.subSchemas().get(name));
      if (schema != null) {
        versioned.put(name, schema);
      }
    }
  }

  /** A connection's settings, with which an overflow is an error and no other number. */
  private static CalciteConnectionConfig checked(
      CalciteConnectionConfig config, Properties properties) {
    SqlConformance conformance =
        new SqlDelegatingConformance(config.conformance()) {
          @Override
          public boolean checkedArithmetic() {
            return true;
          }
        };
    return new CalciteConnectionConfigImpl(properties) {
      @Override
      public SqlConformance conformance() {
        return conformance;
      }
    };
  }

  /** A number made of the versions of all our schemas: another one whenever one changed. */
  private long version(View view) throws SQLException {
    long version = 0;
    for (SqliteSchema schema : versioned.values()) {
      version = 1_000_003 * version + schema.schemaVersion(view);
    }
    return version;
  }

  /** Whether a plan is for what a run sees. */
  public boolean isCurrent(Plan plan, View view) throws SQLException {
    return !plan.broken().get() && plan.version() == version(view);
  }

  /**
   * Plans a statement, or finds its plan.
   *
   * @throws Throwable to be translated by the caller
   */
  public Plan plan(String sql, StatementRun run) throws Throwable {
    Key key = new Key(sql, calcite.getSchema());
    View view = run.view();
    long version = version(view);
    synchronized (plans) {
      Plan known = plans.get(key);
      if (known != null && known.version() == version && !known.broken().get()) {
        return known;
      }
    }
    FaissPrepare prepare = new FaissPrepare(run.flag(), view, versioned.keySet());
    CalcitePrepare.Context context = context(view);
    CalcitePrepare.CalciteSignature<Object> signature =
        detached(
            sql,
            run,
            context,
            () -> prepare.prepareSql(context, CalcitePrepare.Query.of(sql), Object[].class, -1));
    Plan plan =
        new Plan(
            signature,
            version,
            prepare.reusable() && !explains(sql),
            prepare.searches(),
            prepare.faithful(),
            prepare.origins(),
            new AtomicBoolean());
    if (plan.reusable() && sql.length() <= LONGEST_TEXT) {
      synchronized (plans) {
        plans.put(key, plan);
      }
    }
    return plan;
  }

  /** Whether a plan's text is asked for, which says what an index is like now. */
  private static boolean explains(String sql) {
    return sql.stripLeading().regionMatches(true, 0, "explain", 0, "explain".length());
  }

  /**
   * Looks at the constant arguments of our functions in a statement that isn't planned.
   *
   * @throws SQLException what is wrong with one, and where; or that the database can't be read
   */
  public void check(String sql, StatementRun run) throws SQLException {
    // As before planning: a wait for a writer is this thread's, and needs no other.
    View view = run.view();
    version(view);
    FaissPrepare prepare = new FaissPrepare(run.flag(), view, versioned.keySet());
    CalcitePrepare.Context context = context(view);
    try {
      detached(
          sql,
          run,
          context,
          () -> {
            prepare.check(context, sql);
            return null;
          });
    } catch (Throwable e) {
      run.check();
      if (e instanceof VirtualMachineError error && !(e instanceof StackOverflowError)) {
        throw error;
      }
      // Whatever else is wrong is wrong by Calcite's grammar only, and this is SQLite's.
      for (Throwable t = e; t != null; t = t.getCause()) {
        if (t instanceof FaissException wrong) {
          throw wrong;
        }
      }
    }
  }

  private CalcitePrepare.Context context(View view) {
    CalciteSchema root =
        CalciteSchema.from(calcite.getRootSchema()).createSnapshot(new SqliteSchema.Planning(view));
    return new FrozenContext(calcite.createPrepareContext(), root, config);
  }

  /**
   * Calls Calcite on another thread, so that a cancelled run need not wait for it; for a long
   * statement when no other long one is planned.
   */
  private static <T> T detached(
      String sql, StatementRun run, CalcitePrepare.Context context, Callable<T> call)
      throws Throwable {
    Runnable end = LongStatements.beginPlanning(sql, run);
    AtomicReference<Call> state = new AtomicReference<>(Call.EXPECTED);
    try {
      return Detached.call(
          run::check,
          () -> {
            if (!state.compareAndSet(Call.EXPECTED, Call.BEGUN)) {
              throw new CancellationException();
            }
            CalcitePrepare.Dummy.push(context);
            try {
              return call.call();
            } finally {
              CalcitePrepare.Dummy.pop(context);
              end.run();
            }
          },
          () -> {},
          () -> {});
    } finally {
      if (state.compareAndSet(Call.EXPECTED, Call.FORGONE)) {
        // No thread could be had for it, or nobody waits for it any more.
        end.run();
      }
    }
  }

  private enum Call {
    EXPECTED,
    BEGUN,
    FORGONE
  }

  public void clear() {
    synchronized (plans) {
      plans.clear();
    }
  }
}
