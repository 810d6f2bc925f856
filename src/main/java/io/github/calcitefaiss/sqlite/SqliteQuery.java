/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.run.Detached;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.run.SqlState;
import java.math.BigDecimal;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.java.JavaTypeFactory;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.AbstractEnumerable;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.calcite.linq4j.Linq4j;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.metadata.RelColumnOrigin;
import org.apache.calcite.rel.type.RelDataTypeField;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlString;

/**
 * A query that runs inside SQLite, and the reading of its rows.
 *
 * <p>SQLite stores any type in any column, and its driver converts what doesn't fit in silence
 * (text in an INTEGER column reads as 0). Here every value is read as it is stored, and one that
 * doesn't fit makes the column one of any type, for which the statement is planned again.
 *
 * @param database what is read
 * @param sql the query, in SQLite's own SQL
 * @param outputs its columns
 * @param parameters for each {@code ?} of the query, which parameter of the statement it is, or
 *     {@link #FIRST_OUTER} plus which value of the outer query's row
 * @param tables what it reads, with the columns that it was made for
 * @param sorts whether SQLite may have to sort before it gives the first row
 */
public record SqliteQuery(
    SqliteDatabase database,
    String sql,
    List<Output> outputs,
    List<Integer> parameters,
    List<SqliteTable> tables,
    boolean sorts) {
  private static final long EXACT = 1L << 53;

  static final int FIRST_OUTER = Integer.MAX_VALUE - 10000;

  /**
   * A column of the result.
   *
   * @param origin the table that it is a column of, unchanged; or null
   * @param column which of its columns; or null
   */
  record Output(String name, SqlTypeName type, SqliteTable origin, SqliteTable.Column column) {
    private static Output of(RelNode rel, int ordinal, String name) {
      SqlTypeName type = rel.getRowType().getFieldList().get(ordinal).getType().getSqlTypeName();
      RelColumnOrigin origin = rel.getCluster().getMetadataQuery().getColumnOrigin(rel, ordinal);
      SqliteTable table =
          origin == null || origin.isDerived()
              ? null
              : origin.getOriginTable().unwrap(SqliteTable.class);
      return table == null
          ? new Output(name, type, null, null)
          : new Output(name, type, table, table.columns().get(origin.getOriginColumnOrdinal()));
    }
  }

  /** The columns of a tree's rows. */
  static List<Output> outputs(RelNode rel) {
    List<Output> outputs = new ArrayList<>();
    for (RelDataTypeField field : rel.getRowType().getFieldList()) {
      outputs.add(Output.of(rel, field.getIndex(), field.getName()));
    }
    return outputs;
  }

  /**
   * What a tree over one of a database's tables is in SQLite's SQL; it must hold nothing that
   * {@link PushDown} refuses and no correlation.
   */
  public static SqliteQuery of(SqliteDatabase database, RelNode rel) {
    SqliteToEnumerableConverter.Implementor implementor =
        new SqliteToEnumerableConverter.Implementor(
            (JavaTypeFactory) rel.getCluster().getTypeFactory(),
            (variable, field) -> {
              throw new IllegalArgumentException("correlated: " + variable);
            });
    SqlString text = SqliteDialect.text(implementor.visitRoot(rel).asStatement());
    return of(database, text, outputs(rel), rel);
  }

  static SqliteQuery of(
      SqliteDatabase database, SqlString text, List<Output> outputs, RelNode rel) {
    return new SqliteQuery(
        database,
        text.getSql(),
        outputs,
        text.getDynamicParameters() == null ? List.of() : text.getDynamicParameters(),
        tables(rel),
        sorts(rel));
  }

  private static List<SqliteTable> tables(RelNode rel) {
    return rel instanceof SqliteTableScan scan
        ? List.of(scan.sqliteTable())
        : rel.getInputs().stream().flatMap(input -> tables(input).stream()).distinct().toList();
  }

  private static boolean sorts(RelNode rel) {
    return rel instanceof Sort
        || rel instanceof Aggregate
        || rel instanceof SqliteTableScan scan && scan.sqliteTable().isView()
        || rel.getInputs().stream().anyMatch(SqliteQuery::sorts);
  }

  /** This query, with a column read as it is stored whatever its type. */
  public SqliteQuery withRaw(int column) {
    List<Output> changed = new ArrayList<>(outputs);
    changed.set(column, new Output(outputs.get(column).name(), SqlTypeName.ANY, null, null));
    return new SqliteQuery(database, sql, changed, parameters, tables, sorts);
  }

  /**
   * The rows of this query whose last column is a vector of some dimension, without that column.
   */
  public SqliteQuery ofDimension(int dims) {
    List<Output> others = outputs.subList(0, outputs.size() - 1);
    return new SqliteQuery(
        database,
        "SELECT "
            + String.join(
                ", ", others.stream().map(output -> Identifiers.quote(output.name())).toList())
            + " FROM ("
            + sql
            + ") WHERE "
            + MixedDimensions.sql(Identifiers.quote(outputs.get(others.size()).name()))
            + " = "
            + dims,
        others,
        parameters,
        tables,
        sorts);
  }

  /** The rows of this query in which a column has one of so many values, given as outer values. */
  public SqliteQuery withAny(String column, int count) {
    List<Integer> all = new ArrayList<>(parameters);
    all.addAll(outer(count));
    return new SqliteQuery(
        database,
        "SELECT * FROM ("
            + sql
            + ") WHERE "
            + Identifiers.quote(column)
            + " IN ("
            + "?, ".repeat(count - 1)
            + "?)",
        outputs,
        all,
        tables,
        sorts);
  }

  /**
   * The same, where the column is a key: SQLite looks each value up, whatever other index it has.
   */
  public SqliteQuery withAnyKey(String column, int count) {
    List<Integer> all = outer(count);
    all.addAll(parameters);
    return new SqliteQuery(
        database,
        "SELECT q.* FROM (VALUES "
            + "(?), ".repeat(count - 1)
            + "(?)) AS k CROSS JOIN ("
            + sql
            + ") AS q WHERE q."
            + Identifiers.quote(column)
            + " = k.column1",
        outputs,
        all,
        tables,
        sorts);
  }

  private static List<Integer> outer(int count) {
    List<Integer> parameters = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      parameters.add(FIRST_OUTER + i);
    }
    return parameters;
  }

  /**
   * The rows, each an {@code Object[]} (or the value itself where there is one column).
   *
   * @param root the statement's run
   * @param outer values of the outer query's row
   */
  public Enumerable<Object> rows(DataContext root, Object[] outer) {
    return new AbstractEnumerable<>() {
      @Override
      public Enumerator<Object> enumerator() {
        if (outer.length > 0) {
          return new Rows(Execution.of(root), root, outer, null);
        }
        // The inner side of a nested loop is read again for every row of the outer one.
        Repeated repeated = Execution.of(root).memo(SqliteQuery.this, key -> new Repeated());
        List<Object> known = repeated.rows;
        return known != null
            ? Linq4j.enumerator(known)
            : new Rows(Execution.of(root), root, outer, repeated);
      }
    };
  }

  /** The rows of a query without correlation, kept within a run if there are few. */
  private static final class Repeated {
    private static final int MAX_ROWS = 64;

    private volatile List<Object> rows;
  }

  private final class Rows implements Enumerator<Object> {
    private final Execution execution;
    private final Execution.Snapshot<SqliteDatabase.Lease> snapshot;
    private final PreparedStatement statement;
    private final ResultSet rows;
    private final Repeated repeated;
    private List<Object> kept;
    private Object current;

    private Rows(Execution execution, DataContext root, Object[] outer, Repeated repeated) {
      this.execution = execution;
      this.repeated = repeated;
      this.kept = repeated == null ? null : new ArrayList<>();
      execution.check();
      Execution.Snapshot<SqliteDatabase.Lease> opened = null;
      PreparedStatement prepared = null;
      try {
        opened = execution.snapshot(database);
        for (SqliteTable table : tables) {
          table.schema().checkColumns(table, opened.lease());
        }
        prepared = opened.lease().connection().prepareStatement(sql);
        for (int i = 0; i < parameters.size(); i++) {
          int parameter = parameters.get(i);
          prepared.setObject(
              i + 1,
              toSqlite(
                  parameter >= FIRST_OUTER
                      ? outer[parameter - FIRST_OUTER]
                      : root.get("?" + parameter)));
        }
        // For each row of an outer query there is less to sort, and no time for another thread.
        rows = sorts && outer.length == 0 ? first(prepared, opened) : prepared.executeQuery();
      } catch (Throwable e) {
        if (opened == null || !opened.isLeft()) {
          close(prepared, opened);
        }
        throw e instanceof SQLException problem
            ? failed(problem)
            : FaissException.<RuntimeException>sneakyThrow(e);
      }
      snapshot = opened;
      statement = prepared;
    }

    /** SQLite looks at the cancel flag between the steps of a query, but a sort is one step. */
    private ResultSet first(
        PreparedStatement prepared, Execution.Snapshot<SqliteDatabase.Lease> opened)
        throws Throwable {
      return Detached.call(execution, prepared::executeQuery, opened::leave, opened::close);
    }

    @Override
    public Object current() {
      return current;
    }

    @Override
    public boolean moveNext() {
      execution.check();
      try {
        if (!rows.next()) {
          if (kept != null) {
            repeated.rows = kept;
            kept = null;
          }
          return false;
        }
        int n = outputs.size();
        if (n == 1) {
          current = read(0);
        } else {
          Object[] row = new Object[n];
          for (int i = 0; i < n; i++) {
            row[i] = read(i);
          }
          current = row;
        }
        keep();
        return true;
      } catch (SQLException e) {
        throw failed(e);
      }
    }

    private void keep() {
      if (kept != null) {
        if (kept.size() < Repeated.MAX_ROWS) {
          kept.add(current);
        } else {
          kept = null;
        }
      }
    }

    private RuntimeException failed(SQLException e) {
      if (execution.isCancelled()) {
        return FaissException.<RuntimeException>sneakyThrow(execution.stopped());
      }
      return FaissException.sneakyThrow(database.unreadable(e));
    }

    @Override
    public void reset() {
      throw new UnsupportedOperationException("rows are read once");
    }

    @Override
    public void close() {
      close(statement, snapshot);
    }

    private static void close(
        PreparedStatement statement, Execution.Snapshot<SqliteDatabase.Lease> snapshot) {
      try (snapshot) {
        if (statement != null && !snapshot.isSpoiled()) {
          statement.close();
        }
      } catch (SQLException e) {
        // Nothing was written, and the rows are not wanted any more.
      }
    }

    private Object read(int i) throws SQLException {
      Object value = rows.getObject(i + 1);
      if (value == null) {
        return null;
      }
      switch (outputs.get(i).type()) {
        case BIGINT:
          if (value instanceof Integer || value instanceof Long) {
            return ((Number) value).longValue();
          }
          break;
        case INTEGER:
        case SMALLINT:
        case TINYINT:
          return readSmall(i, value);
        case DOUBLE:
        case FLOAT:
          // An integer that no double is equal to would become another number.
          if (value instanceof Number number
              && !(value instanceof Long whole
                  && outputs.get(i).origin() != null
                  && Math.abs(whole) > EXACT)) {
            return number.doubleValue();
          }
          break;
        case REAL:
          if (value instanceof Number number) {
            return number.floatValue();
          }
          break;
        case DECIMAL:
          if (value instanceof Double number) {
            return BigDecimal.valueOf(number);
          } else if (value instanceof Number number) {
            return BigDecimal.valueOf(number.longValue());
          }
          break;
        case BOOLEAN:
          if (value instanceof Integer || value instanceof Long) {
            return ((Number) value).longValue() != 0;
          } else if ("true".equalsIgnoreCase(value.toString())) {
            return true;
          } else if ("false".equalsIgnoreCase(value.toString())) {
            return false;
          }
          break;
        case CHAR:
        case VARCHAR:
          if (!(value instanceof byte[])) {
            return value.toString();
          }
          break;
        case BINARY:
        case VARBINARY:
          if (value instanceof byte[] bytes) {
            return new ByteString(bytes);
          }
          break;
        case ANY:
          return value instanceof byte[] bytes
              ? new ByteString(bytes)
              : value instanceof Integer number ? (Object) number.longValue() : value;
        default:
          break;
      }
      throw mismatch(i, value);
    }

    private Object readSmall(int i, Object value) throws SQLException {
      if (value instanceof Integer || value instanceof Long) {
        long number = ((Number) value).longValue();
        switch (outputs.get(i).type()) {
          case INTEGER:
            if (number == (int) number) {
              return (int) number;
            }
            break;
          case SMALLINT:
            if (number == (short) number) {
              return (short) number;
            }
            break;
          default:
            if (number == (byte) number) {
              return (byte) number;
            }
        }
      }
      throw mismatch(i, value);
    }

    private FaissException mismatch(int i, Object value) {
      Output output = outputs.get(i);
      if (output.origin != null && output.origin.schema().found(output.origin, output.column)) {
        return new FaissException(
            SqlState.CHANGED,
            "column "
                + output.origin
                + "."
                + output.column.name()
                + " was found to hold values of another type than "
                + output.column.declared()
                + " after rows were given; run the statement again");
      }
      return new FaissException(
          "22018",
          "column \""
              + output.name()
              + "\" of "
              + database
              + " is "
              + output.type()
              + ", but a row holds "
              + Shown.value(value)
              + "; SQLite lets a column hold any type: correct the row, or read the column through a"
              + " view that casts it, as in CAST(\""
              + output.name()
              + "\" AS TEXT)");
    }
  }

  /** A value of Calcite's as a parameter of SQLite's. */
  public static Object toSqlite(Object value) {
    if (value instanceof ByteString bytes) {
      return bytes.getBytes();
    }
    return value instanceof Character c ? c.toString() : held(value);
  }

  /** A number or a condition as SQLite holds it, a Long or a Double; any other value as it is. */
  public static Object held(Object value) {
    if (value instanceof Boolean condition) {
      return condition ? 1L : 0L;
    } else if (value instanceof Float number) {
      return number.doubleValue();
    } else if (value instanceof BigDecimal number) {
      // SQLite has no decimals: a whole number stays one, so that it equals INTEGER values.
      return number.stripTrailingZeros().scale() <= 0 && number.precision() < 19
          ? (Object) number.longValue()
          : number.doubleValue();
    }
    return value instanceof Integer || value instanceof Short || value instanceof Byte
        ? (Object) ((Number) value).longValue()
        : value;
  }
}
