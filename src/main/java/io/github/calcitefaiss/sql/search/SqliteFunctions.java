/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.sql.function.DistanceFunctions;
import io.github.calcitefaiss.sql.function.EmbedFunctions;
import io.github.calcitefaiss.sql.function.FaissAggregate;
import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.schema.Function;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * This product's functions as functions of SQLite's, on one connection: what a whole statement that
 * SQLite runs is given.
 *
 * <p>They are the same methods that generated code calls, so their answers and errors are the same.
 * SQLite knows only an error's text: the error itself is kept until the run asks for it.
 */
public final class SqliteFunctions {
  /** What a statement is given that an index is to find the rows of; users don't call it. */
  public static final String NEAREST_IDS = "faiss_nearest_ids";

  private DataContext root;
  private Throwable failure;
  private EmbedScout scout;

  private SqliteFunctions(Connection connection) {
    try {
      Set<String> known = known(connection);
      for (Map.Entry<String, Function> entry : FaissFunctions.scalars()) {
        String name = entry.getKey();
        if (!known.contains(name) && entry.getValue() instanceof Signature.Own function) {
          register(connection, name, function);
        }
      }
      register(
          connection,
          NEAREST_IDS,
          (Signature.Own)
              Signature.of("database", "table", "vector", "metric", "count", "skip", "ids")
                  .scalar(SqlTypeName.VARCHAR, SearchFunctions.class, "nearestIds"));
      for (int arguments = 1; arguments <= 2; arguments++) {
        org.sqlite.Function.create(connection, EmbedScout.NAME, new Noted(this), arguments, 0);
      }
      for (boolean scores : new boolean[] {false, true}) {
        org.sqlite.Function.create(
            connection,
            scores ? "faiss_agg_with_scores" : "faiss_agg",
            new Aggregate(this, scores),
            4,
            0);
      }
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  /** The functions of a lease's connection, registered when they are first asked for. */
  public static SqliteFunctions on(SqliteDatabase.Lease lease) {
    return lease.attachment(SqliteFunctions.class, () -> new SqliteFunctions(lease.connection()));
  }

  /** Says for which run the functions are called from now on. */
  public void begin(DataContext run) {
    root = run;
    failure = null;
    scout = null;
  }

  /** Says what looks ahead for texts to embed, until the next run begins. */
  public void lookAhead(EmbedScout.Statement statement) {
    scout = new EmbedScout(root, statement);
  }

  /** What a function threw since the run began, or null. */
  public Throwable failure() {
    return failure;
  }

  /** SQLite's own functions, which are never replaced. */
  private static Set<String> known(Connection connection) throws SQLException {
    Set<String> names = new HashSet<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT name FROM pragma_function_list")) {
      while (rows.next()) {
        names.add(rows.getString(1).toLowerCase(Locale.ROOT));
      }
    }
    return names;
  }

  private void register(Connection connection, String name, Signature.Own function)
      throws SQLException {
    int arguments = function.getParameters().size();
    boolean pure = function.getParameters().stream().noneMatch(p -> p.getName().equals("database"));
    MethodHandle method = null;
    if (function instanceof Signature.Evaluated evaluated) {
      try {
        method =
            MethodHandles.lookup()
                .unreflect(evaluated.method())
                .asSpreader(1, Object[].class, arguments)
                .asType(
                    java.lang.invoke.MethodType.methodType(
                        Object.class, DataContext.class, Object[].class));
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
    }
    org.sqlite.Function.create(
        connection,
        name,
        new Scalar(this, name, method),
        arguments,
        pure ? org.sqlite.Function.FLAG_DETERMINISTIC : 0);
  }

  private static final int INTEGER = 1;
  private static final int REAL = 2;
  private static final int TEXT = 3;
  private static final int BLOB = 4;

  /** A function whose arguments are values of Java's. */
  private abstract static class WithValues extends org.sqlite.Function {
    final SqliteFunctions owner;

    private WithValues(SqliteFunctions owner) {
      this.owner = owner;
    }

    Object[] arguments() throws SQLException {
      Object[] values = new Object[args()];
      for (int i = 0; i < values.length; i++) {
        values[i] = argument(i);
      }
      return values;
    }

    private Object argument(int i) throws SQLException {
      switch (value_type(i)) {
        case INTEGER:
          return value_long(i);
        case REAL:
          return value_double(i);
        case TEXT:
          return value_text(i);
        case BLOB:
          byte[] blob = value_blob(i);
          return new ByteString(blob == null ? new byte[0] : blob);
        default:
          return null;
      }
    }
  }

  /** What takes the place of {@code embed} in a statement that looks ahead. */
  private static final class Noted extends WithValues {
    private Noted(SqliteFunctions owner) {
      super(owner);
    }

    @Override
    protected void xFunc() throws SQLException {
      try {
        Object[] values = arguments();
        if (owner.scout != null) {
          owner.scout.note(values.length == 1 ? null : values[0], values[values.length - 1]);
        }
        result();
      } catch (Throwable t) {
        // Of no statement of the user's.
        error(String.valueOf(t.getMessage()));
      }
    }
  }

  /** A scalar function; a distance where there is no method. */
  private static final class Scalar extends WithValues {
    private final String name;
    private final MethodHandle method;

    private Scalar(SqliteFunctions owner, String name, MethodHandle method) {
      super(owner);
      this.name = name;
      this.method = method;
    }

    @Override
    protected void xFunc() throws SQLException {
      try {
        Object[] values = arguments();
        if (owner.scout != null && EmbedFunctions.embeds(name)) {
          owner.scout.before(values.length == 1 ? null : values[0], values[values.length - 1]);
        }
        Object value =
            method == null
                ? DistanceFunctions.value(name, values[0], values[1])
                : method.invokeExact(owner.root, values);
        give(value);
      } catch (Throwable t) {
        error(owner.failed(t));
      }
    }

    private void give(Object value) throws SQLException {
      if (value == null) {
        result();
      } else if (value instanceof String text) {
        result(text);
      } else if (value instanceof ByteString bytes) {
        result(bytes.getBytes());
      } else if (value instanceof byte[] bytes) {
        result(bytes);
      } else if (value instanceof Double || value instanceof Float || value instanceof BigDecimal) {
        result(((Number) value).doubleValue());
      } else if (value instanceof Number number) {
        result(number.longValue());
      } else if (value instanceof Boolean flag) {
        result(flag ? 1 : 0);
      } else {
        result(value.toString());
      }
    }
  }

  /**
   * One of {@code faiss_agg} and {@code faiss_agg_with_scores}; SQLite clones it for each group.
   */
  private static final class Aggregate extends org.sqlite.Function.Aggregate {
    private final SqliteFunctions owner;
    private final boolean scores;
    private FaissAggregate group;

    private Aggregate(SqliteFunctions owner, boolean scores) {
      this.owner = owner;
      this.scores = scores;
    }

    @Override
    protected void xStep() throws SQLException {
      try {
        if (group == null) {
          group = new FaissAggregate(owner.root, scores);
        }
        group.add(value(0), value(1), query(), value(3));
      } catch (Throwable t) {
        error(owner.failed(t));
      }
    }

    /** The query is compared from row to row. */
    private Object query() throws SQLException {
      Object query = value(2);
      return query instanceof byte[] blob ? new ByteString(blob) : query;
    }

    private Object value(int i) throws SQLException {
      switch (value_type(i)) {
        case INTEGER:
          return value_long(i);
        case REAL:
          return value_double(i);
        case TEXT:
          return value_text(i);
        case BLOB:
          byte[] blob = value_blob(i);
          return blob == null ? new byte[0] : blob;
        default:
          return null;
      }
    }

    @Override
    protected void xFinal() throws SQLException {
      try {
        String answer = group == null ? null : group.result();
        group = null;
        if (answer == null) {
          result();
        } else {
          result(answer);
        }
      } catch (Throwable t) {
        error(owner.failed(t));
      }
    }
  }

  private String failed(Throwable t) {
    if (failure == null && (scout == null || !scout.isLooking())) {
      failure = t;
    }
    return String.valueOf(t.getMessage());
  }
}
