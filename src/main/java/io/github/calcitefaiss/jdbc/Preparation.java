/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.RecentlyUsed;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.parser.Differences;
import io.github.calcitefaiss.sql.parser.NearestFirst;
import io.github.calcitefaiss.sql.parser.ReadOnly;
import io.github.calcitefaiss.sql.parser.Spellings;
import io.github.calcitefaiss.sql.parser.SqliteText;
import io.github.calcitefaiss.sql.planner.Plan;
import io.github.calcitefaiss.sql.planner.PlanCache;
import io.github.calcitefaiss.sql.search.FaissFunctions;
import io.github.calcitefaiss.sqlite.NativeQuery;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.sql.SQLException;
import java.sql.SQLSyntaxErrorException;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.lookup.LikePattern;

/**
 * Decides which way a statement takes: SQLite's own, or Calcite's.
 *
 * <p>Calcite's where its plan searches an index, or where SQLite can't prepare the statement, since
 * it names another source; else SQLite's. What both can answer, they answer alike.
 */
final class Preparation {
  private static final String NO_TABLE = "no such table: ";

  private static final Pattern TOO_DEEP =
      Pattern.compile("(?i)recursion limit|parser stack overflow|tree is too large|too many");

  private enum Way {
    NATIVE,
    CALCITE
  }

  private record Key(String sql, String schema) {}

  private final FaissConnection connection;
  private final CalciteConnection calcite;
  private final PlanCache plans;
  private final boolean nativeWay;
  private final Map<Key, Way> ways =
      Collections.synchronizedMap(new RecentlyUsed<>(PlanCache.CAPACITY));

  /**
   * @param nativeWay whether SQLite may run whole statements
   */
  Preparation(FaissConnection connection, PlanCache plans, boolean nativeWay) {
    this.connection = connection;
    this.calcite = connection.calcite();
    this.plans = plans;
    this.nativeWay = nativeWay;
  }

  /**
   * Prepares a statement for a run.
   *
   * @throws SQLException for the person, where neither way can run it
   */
  Prepared prepare(String sql, PlannedRun run) throws SQLException {
    Spellings.Result words;
    try {
      words = Spellings.rewrite(new SqliteText(sql), true);
    } catch (Spellings.NotNearest e) {
      throw new SQLSyntaxErrorException(e.getMessage(), SqlState.SYNTAX, e);
    }
    try {
      return prepare(words.text(), run);
    } catch (SQLException e) {
      throw FaissErrors.saying(words.restore(e.getMessage()), e);
    }
  }

  private Prepared prepare(SqliteText text, PlannedRun run) throws SQLException {
    String sql = text.sql();
    String verb = text.verb();
    boolean pragma = verb.equals("pragma");
    if (pragma && !(nativeWay && ReadOnly.isReadingPragma(text))) {
      throw ReadOnly.refused("PRAGMA");
    }
    SqliteSchema schema = nativeWay ? defaultSchema() : null;
    if (schema == null || text.isSeveral() && !pragma) {
      return byCalcite(sql, run);
    }
    if (Explanation.isAsked(text)) {
      return explained(text, schema, run);
    }
    Key key = new Key(sql, calcite.getSchema());
    Way known = ways.get(key);
    boolean ranks = known == null && FaissFunctions.mayRank(text.words());
    if (known == Way.CALCITE || ranks) {
      return byCalciteFirst(text, schema, key, run);
    }
    if (known == null && FaissFunctions.mayBeWrong(text.words())) {
      // Before a connection is held, since a writer may wait for that.
      plans.check(sql, run);
    }
    SQLException refused;
    try {
      Prepared prepared = natively(text, schema, run);
      remember(key, Way.NATIVE);
      return prepared;
    } catch (NativeQuery.Refused e) {
      refused = e;
    }
    if (pragma || verb.equals("explain")) {
      throw said(refused);
    }
    try {
      Prepared planned = byCalcite(sql, run);
      remember(key, Way.CALCITE);
      return planned;
    } catch (SQLException e) {
      throw better(refused, e);
    }
  }

  private void remember(Key key, Way way) {
    if (key.sql().length() <= PlanCache.LONGEST_TEXT) {
      ways.put(key, way);
    }
  }

  /** Which way a statement takes, why, and its plan there. */
  private Prepared explained(SqliteText text, SqliteSchema schema, PlannedRun run)
      throws SQLException {
    String statement = Explanation.statement(text);
    if (statement == null) {
      return byCalcite(text.sql(), run);
    }
    if (!(prepare(new SqliteText(statement), run) instanceof NativeStatement whole)) {
      return byCalcite(text.sql(), run);
    }
    whole.release();
    String why =
        !whole.searches().isEmpty()
            ? "the index of "
                + String.join(" and ", whole.searches())
                + " finds the nearest of the rows that SQLite's conditions leave"
            : FaissFunctions.mayRank(new SqliteText(statement).words())
                ? "no index finds its rows"
                : "it compares no vectors by an index";
    return natively(new SqliteText(Explanation.asStatement(why, whole.explain(run))), schema, run);
  }

  private Prepared byCalciteFirst(SqliteText text, SqliteSchema schema, Key key, PlannedRun run)
      throws SQLException {
    boolean known = ways.get(key) == Way.CALCITE;
    boolean collates = !known && schema.mayCollate(text.words(), run.view());
    if (!known && (collates || Differences.mayBe(text, FaissFunctions::isSame))) {
      // What SQLite itself understands is left to it, and the index finds its rows all the same.
      SqliteText nearest = NearestFirst.rewrite(text, schema, run.view());
      if (nearest != null) {
        if (FaissFunctions.mayBeWrong(text.words())) {
          plans.check(text.sql(), run);
        }
        try {
          Prepared prepared = new NativeStatement(connection, text, nearest, schema, Map.of(), run);
          remember(key, Way.NATIVE);
          return prepared;
        } catch (NativeQuery.Refused e) {
          // It names something that only Calcite knows.
        }
      }
    }
    PlannedStatement planned = null;
    SQLException problem = null;
    try {
      planned = byCalcite(text.sql(), run);
      boolean same = planned.plan().faithful() && !collates;
      if (known || planned.plan().searches() && same) {
        remember(key, Way.CALCITE);
        return planned;
      }
    } catch (SQLException e) {
      if (!isOfGrammar(e)) {
        throw e;
      }
      problem = e;
    }
    try {
      Prepared prepared = natively(text, schema, run);
      remember(key, Way.NATIVE);
      return prepared;
    } catch (NativeQuery.Refused e) {
      if (planned == null) {
        throw better(e, problem);
      }
      remember(key, Way.CALCITE);
      return planned;
    }
  }

  /** Whether an error says that Calcite doesn't know what SQLite may know. */
  private static boolean isOfGrammar(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return state.startsWith("42") && !state.equals(SqlState.UNKNOWN_NAME)
        || state.startsWith("HY0") && !state.equals(SqlState.CANCELLED)
        || state.equals(SqlState.UNSUPPORTED);
  }

  private PlannedStatement byCalcite(String sql, PlannedRun run) throws SQLException {
    Plan plan;
    try {
      plan = plans.plan(sql, run);
    } catch (Throwable t) {
      throw DidYouMean.advise(ErrorTranslation.of(t, run), sql, calcite);
    }
    return new PlannedStatement(
        connection, plan, ResultColumns.labelled(plan.signature().columns, sql));
  }

  private NativeStatement natively(SqliteText text, SqliteSchema schema, PlannedRun run)
      throws SQLException {
    SqliteText nearest =
        FaissFunctions.mayRank(text.words())
            ? NearestFirst.rewrite(text, schema, run.view())
            : null;
    if (nearest != null) {
      try {
        return new NativeStatement(connection, text, nearest, schema, Map.of(), run);
      } catch (NativeQuery.Refused e) {
        // As it was written, then, or else SQLite's words about that.
      }
    }
    try {
      return new NativeStatement(connection, text, text, schema, Map.of(), run);
    } catch (NativeQuery.Refused e) {
      Map<String, SqliteDatabase> others = named(text);
      if (others.isEmpty()) {
        throw e;
      }
      return new NativeStatement(connection, text, text, schema, others, run);
    }
  }

  private SqliteSchema defaultSchema() throws SQLException {
    String name = calcite.getSchema();
    return name == null ? null : SqliteSchema.of(calcite.getRootSchema().subSchemas().get(name));
  }

  /** The files whose schemas a statement names. */
  private Map<String, SqliteDatabase> named(SqliteText text) {
    Map<String, SqliteDatabase> named = new TreeMap<>();
    SchemaPlus root = calcite.getRootSchema();
    for (String qualifier : text.qualifiers()) {
      for (String name : root.subSchemas().getNames(LikePattern.any())) {
        SqliteSchema schema =
            name.equalsIgnoreCase(qualifier) ? SqliteSchema.of(root.subSchemas().get(name)) : null;
        if (schema != null && !name.equalsIgnoreCase("main") && !name.equalsIgnoreCase("temp")) {
          named.put(name, schema.database());
        }
      }
    }
    return named;
  }

  /** Whether the table that SQLite misses is said to be in another source. */
  private boolean isElsewhere(String said) throws SQLException {
    int dot = said.indexOf('.');
    if (!said.startsWith(NO_TABLE) || dot < 0) {
      return false;
    }
    String qualifier = said.substring(NO_TABLE.length(), dot);
    SchemaPlus root = calcite.getRootSchema();
    return root.subSchemas().getNames(LikePattern.any()).stream()
        .filter(qualifier::equalsIgnoreCase)
        .anyMatch(name -> SqliteSchema.of(root.subSchemas().get(name)) == null);
  }

  /** Of the errors of both ways, the one that helps the person. */
  private SQLException better(SQLException refused, SQLException planned) throws SQLException {
    String said = String.valueOf(refused.getMessage());
    if (isElsewhere(said)) {
      return planned;
    }
    boolean syntax =
        said.contains("syntax error")
            || said.contains("incomplete input")
            || said.contains("unrecognized token");
    boolean calciteSyntax = String.valueOf(planned.getMessage()).startsWith("Syntax error at");
    return !syntax && calciteSyntax ? said(refused) : planned;
  }

  private static SQLException said(SQLException refused) {
    String said = String.valueOf(refused.getMessage());
    if (TOO_DEEP.matcher(said).find()) {
      return new SQLException(
          "The statement is nested too deeply for SQLite (" + said + "); split it",
          SqlState.TOO_COMPLEX,
          refused);
    }
    String state =
        said.startsWith("no such table")
            ? SqlState.NO_TABLE
            : said.startsWith("no such column") ? SqlState.NO_COLUMN : SqlState.SYNTAX;
    return new SQLSyntaxErrorException("SQLite: " + said, state, refused);
  }
}
