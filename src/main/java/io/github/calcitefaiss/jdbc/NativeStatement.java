/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.RunContext;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.function.EmbedFunctions;
import io.github.calcitefaiss.sql.parser.SqliteText;
import io.github.calcitefaiss.sql.search.EmbedScout;
import io.github.calcitefaiss.sql.search.SearchFunctions;
import io.github.calcitefaiss.sql.search.SqliteFunctions;
import io.github.calcitefaiss.sqlite.DeclaredType;
import io.github.calcitefaiss.sqlite.NativeQuery;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.calcite.avatica.AvaticaParameter;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.avatica.Meta;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * A statement that SQLite runs as it was written.
 *
 * <p>SQLite prepares it anew for each run, on a connection that reads one committed version, in
 * some microseconds; so it is never out of date. The connection that it was first prepared on
 * serves the first run, if that follows at once.
 */
final class NativeStatement implements Prepared {
  private static final int MAX_ATTEMPTS = 10;

  /** What SQLite's plan says where FTS5 is asked for MATCH. */
  private static final Pattern FULL_TEXT = Pattern.compile("VIRTUAL TABLE INDEX \\d+:\\D*M\\d");

  private static final Set<String> LOADING =
      Set.of(
          "faiss_search", "faiss_search_with_scores", "faiss_refresh", SqliteFunctions.NEAREST_IDS);

  private final FaissConnection connection;
  private final SqliteText text;
  private final SqliteText run;
  private final SqliteSchema schema;
  private final Map<String, SqliteDatabase> others;
  private final List<NativeQuery.Column> columns;

  /** What is announced of each column as it is declared; null for others. */
  private final DeclaredType[] declared;

  private final List<AvaticaParameter> parameters = new ArrayList<>();
  private List<ColumnMetaData> shown;
  private Opened opened;

  private record Opened(Execution execution, NativeQuery query, SqliteFunctions functions) {}

  /**
   * Prepares a statement on a connection that the next run uses, or {@link #release} gives back.
   *
   * @param text the statement
   * @param run what SQLite runs for it, which gives the same rows
   * @param schema what unqualified names belong to
   * @param others further files that the statement names
   * @throws NativeQuery.Refused if SQLite can't prepare it
   */
  NativeStatement(
      FaissConnection connection,
      SqliteText text,
      SqliteText run,
      SqliteSchema schema,
      Map<String, SqliteDatabase> others,
      PlannedRun planned)
      throws SQLException {
    this.connection = connection;
    this.text = text;
    this.run = run;
    this.schema = schema;
    this.others = others;
    opened = open(planned);
    columns = opened.query().columns();
    declared =
        columns.stream()
            .map(column -> connection.declaredType(column.declared()))
            .toArray(DeclaredType[]::new);
    for (int i = 0; i < opened.query().parameters(); i++) {
      parameters.add(
          new AvaticaParameter(
              true, 0, 0, Types.OTHER, "ANY", Object.class.getName(), "?" + (i + 1)));
    }
  }

  /** Opens it, again if the data changes while it does. */
  private Opened open(PlannedRun run) throws SQLException {
    for (int attempt = 1; ; attempt++) {
      try {
        return openOnce(run);
      } catch (SQLException e) {
        if (attempt == MAX_ATTEMPTS || !SqlState.CHANGED.equals(e.getSQLState())) {
          throw e;
        }
        run.restart();
      }
    }
  }

  private Opened openOnce(PlannedRun planned) throws SQLException {
    RunContext context = new RunContext(connection.session(), null, Map.of(), planned);
    Execution execution = context.execution();
    try {
      // A function that loads an index while SQLite runs needs a second connection, and a writer
      // that waits for the first one keeps it from being had: so indexes are loaded before.
      boolean loaded = !planned.isPreparing() && load(context, run);
      SqliteFunctions[] functions = new SqliteFunctions[1];
      NativeQuery query =
          NativeQuery.open(
              execution,
              schema.database(),
              others,
              lease -> {
                functions[0] = SqliteFunctions.on(lease);
                functions[0].begin(context);
              },
              run.sql(),
              loaded,
              text.mayHaveToSort()
                  || text.mayMakeLongValues()
                  || !others.isEmpty()
                  // Its own text may sort, too.
                  || schema.mayNameView(text.words()));
      return new Opened(execution, query, functions[0]);
    } catch (Throwable t) {
      // The statement may go another way, on which a connection held here would be in the way.
      execution.end();
      throw t;
    }
  }

  /**
   * Loads the indexes that a statement searches, as far as its text names them, so that they are
   * there when SQLite calls the functions.
   *
   * @return whether no function of the statement will load an index
   */
  private static boolean load(RunContext root, SqliteText text) {
    List<SqliteText.Token> tokens = text.tokens();
    for (int i = 0; i < tokens.size(); i++) {
      String name = tokens.get(i).text().toLowerCase(Locale.ROOT);
      if (tokens.get(i).kind() != SqliteText.Kind.WORD || !LOADING.contains(name)) {
        continue;
      }
      if (name.equals("faiss_refresh")
          || i + 4 >= tokens.size()
          || !tokens.get(i + 1).isOperator("(")
          || literal(tokens.get(i + 2)) == null
          || literal(tokens.get(i + 4)) == null
          || !SearchFunctions.load(root, literal(tokens.get(i + 2)), literal(tokens.get(i + 4)))) {
        return false;
      }
    }
    return true;
  }

  /**
   * The statement with another function in place of {@code embed}, if that is called for anything
   * but constants; else null.
   */
  private String lookingAhead() {
    if (EmbedFunctions.NAMES.stream().noneMatch(run.words()::contains)) {
      return null;
    }
    StringBuilder sql = new StringBuilder();
    boolean varies = false;
    int from = 0;
    List<SqliteText.Token> tokens = run.tokens();
    for (int i = 0; i + 1 < tokens.size(); i++) {
      SqliteText.Token token = tokens.get(i);
      if (token.kind() == SqliteText.Kind.WORD
          && EmbedFunctions.embeds(token.text().toLowerCase(Locale.ROOT))
          && tokens.get(i + 1).isOperator("(")) {
        varies |= varies(tokens, i + 2);
        sql.append(run.sql(), from, token.start()).append(EmbedScout.NAME);
        from = token.end();
      }
    }
    return varies ? sql.append(run.sql(), from, run.sql().length()).toString() : null;
  }

  /** Whether arguments name anything, such as a column. */
  private static boolean varies(List<SqliteText.Token> tokens, int first) {
    int depth = 1;
    for (int i = first; i < tokens.size() && depth > 0; i++) {
      SqliteText.Token token = tokens.get(i);
      depth += token.isOperator("(") ? 1 : token.isOperator(")") ? -1 : 0;
      if (token.kind() == SqliteText.Kind.QUOTED
          || token.kind() == SqliteText.Kind.WORD && !token.is("null")) {
        return true;
      }
    }
    return false;
  }

  private static String literal(SqliteText.Token token) {
    String text = token.text();
    return token.kind() == SqliteText.Kind.STRING && text.startsWith("'") && text.length() > 1
        ? text.substring(1, text.length() - 1).replace("''", "'")
        : null;
  }

  /** SQLite's plan: its EXPLAIN QUERY PLAN, one line a step, indented below what it belongs to. */
  List<String> explain(PlannedRun run) throws SQLException {
    List<String> lines = new ArrayList<>();
    Map<Object, Integer> depths = new HashMap<>();
    NativeStatement plan = explanation(new SqliteText("EXPLAIN QUERY PLAN " + this.run.sql()), run);
    try (NativeQuery query = plan.opened.query()) {
      plan.opened = null;
      while (query.next()) {
        int depth = depths.getOrDefault(query.value(1), 0);
        depths.put(query.value(0), depth + 1);
        String line = String.valueOf(query.value(3));
        boolean match = FULL_TEXT.matcher(line).find();
        lines.add("  ".repeat(depth) + line + (match ? " (full text)" : ""));
      }
    }
    return lines;
  }

  private NativeStatement explanation(SqliteText asked, PlannedRun planned) throws SQLException {
    return new NativeStatement(connection, asked, asked, schema, others, planned);
  }

  /** The tables whose indexes find the rows that SQLite looks at, each as schema.table. */
  Set<String> searches() {
    Set<String> tables = new TreeSet<>();
    List<SqliteText.Token> tokens = run.tokens();
    for (int i = 0; i + 4 < tokens.size(); i++) {
      String name = tokens.get(i).text().toLowerCase(Locale.ROOT);
      if (LOADING.contains(name)
          && literal(tokens.get(i + 2)) != null
          && literal(tokens.get(i + 4)) != null) {
        tables.add(literal(tokens.get(i + 2)) + "." + literal(tokens.get(i + 4)));
      }
    }
    return tables;
  }

  /** Gives back what was opened to prepare it, if no run has used it. */
  void release() {
    Opened unused = opened;
    opened = null;
    if (unused != null) {
      unused.query().close();
      unused.execution().end();
    }
  }

  @Override
  public List<ColumnMetaData> columns() throws SQLException {
    if (shown == null) {
      shown = columns(new Object[columns.size()]);
    }
    return shown;
  }

  /**
   * The columns, where no type is declared as a row shows them, and where it doesn't as Calcite
   * would.
   */
  private List<ColumnMetaData> columns(Object[] row) throws SQLException {
    List<SqlTypeName> guessed = null;
    List<ColumnMetaData> list = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      if (declared[i] != null) {
        list.add(
            ResultColumns.of(
                i, columns.get(i).label(), declared[i], schema.name(), columns.get(i).table()));
        continue;
      }
      SqlTypeName type = columns.get(i).type();
      if (type == SqlTypeName.ANY) {
        if (row[i] == null && guessed == null) {
          guessed = connection.typesByCalcite(text.sql(), columns.size());
        }
        type = row[i] == null ? guessed.get(i) : AnnouncedColumns.typeOf(row[i]);
      }
      list.add(
          ResultColumns.of(i, columns.get(i).label(), type, schema.name(), columns.get(i).table()));
    }
    return list;
  }

  @Override
  public List<AvaticaParameter> parameters() {
    return parameters;
  }

  @Override
  public List<AvaticaParameter> describedParameters() {
    List<AvaticaParameter> planned = connection.parametersByCalcite(text.sql());
    return ParameterTypes.known(planned.size() == parameters.size() ? planned : parameters, text);
  }

  @Override
  public boolean isCurrent(PlannedRun run) {
    return true;
  }

  @Override
  public FaissResultSet run(
      FaissStatement statement, PlannedRun run, Preparer again, Object[] values, long maxRows)
      throws SQLException {
    List<ColumnMetaData> held = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      held.add(ResultColumns.dynamic(i, columns.get(i).label()));
    }
    Rows rows = new Rows(run, values);
    return new FaissResultSet(
        statement, run, held, Meta.CursorFactory.ARRAY, maxRows, rows, connection.timeZone());
  }

  /** The rows of one run, and what is shown of them. */
  private final class Rows implements Supplier<Iterable<Object>>, FaissResultSet.Shown {
    private final PlannedRun run;
    private final Object[] values;
    private Current current;

    private Rows(PlannedRun run, Object[] values) {
      this.run = run;
      this.values = values;
    }

    @Override
    public Iterable<Object> get() {
      return () -> {
        try {
          current = begin();
          return current;
        } catch (SQLException e) {
          throw FaissException.<RuntimeException>sneakyThrow(e);
        }
      };
    }

    private Current begin() throws SQLException {
      Opened ready = run.restarted() ? null : opened;
      opened = null;
      if (ready == null) {
        ready = open(run);
        if (!ready.query().columns().equals(columns)) {
          ready.query().close();
          throw FaissErrors.columnsChanged();
        }
      }
      return new Current(ready, values);
    }

    @Override
    public List<ColumnMetaData> columns(Object[] asked) throws SQLException {
      Object[] row = current == null ? null : current.row;
      return shown != null || row == null
          ? NativeStatement.this.columns()
          : NativeStatement.this.columns(row);
    }

    @Override
    public boolean asksForRow() {
      // It stands on its first row from the beginning.
      return false;
    }

    @Override
    public DeclaredType declared(int column) {
      return declared[column];
    }

    @Override
    public boolean isFlag(int column) {
      // Read as one already.
      return false;
    }

    @Override
    public boolean keepsIntegers(int column) {
      return false;
    }

    @Override
    public String text(int column, Double value) throws SQLException {
      return current.text(column);
    }
  }

  /**
   * Goes through the rows. The first one is read when it is made, since its types are shown; each
   * later one when it is asked for, so that SQLite stands on the row that is shown.
   */
  private final class Current implements Iterator<Object>, AutoCloseable {
    private final Opened opened;
    private Object[] row;
    private Object[] ahead;

    private Current(Opened opened, Object[] values) throws SQLException {
      this.opened = opened;
      boolean begun = false;
      try {
        opened.query().bind(values);
        String scout = lookingAhead();
        if (scout != null) {
          opened.functions().lookAhead(() -> opened.query().sibling(scout, values));
        }
        ahead = read();
        row = ahead;
        begun = true;
      } finally {
        if (!begun) {
          close();
        }
      }
    }

    private Object[] read() throws SQLException {
      try {
        if (!opened.query().next()) {
          return null;
        }
      } catch (SQLException e) {
        Throwable failure = opened.functions().failure();
        if (failure != null) {
          throw FaissException.<RuntimeException>sneakyThrow(failure);
        }
        throw e;
      }
      Object[] values = new Object[columns.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = fromSqlite(opened.query().value(i), columns.get(i));
      }
      return values;
    }

    private String text(int column) throws SQLException {
      return opened.query().text(column);
    }

    @Override
    public boolean hasNext() {
      try {
        ahead = ahead == null && row != null ? read() : ahead;
        return ahead != null;
      } catch (SQLException e) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
    }

    @Override
    public Object next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      row = ahead;
      ahead = null;
      return row;
    }

    @Override
    public void close() {
      opened.query().close();
    }
  }

  private static Object fromSqlite(Object value, NativeQuery.Column column) {
    if (value instanceof byte[] bytes) {
      return new ByteString(bytes);
    } else if (value instanceof Long number
        && (number == 0 || number == 1)
        && column.type() == SqlTypeName.BOOLEAN) {
      return number == 1;
    }
    return value;
  }
}
