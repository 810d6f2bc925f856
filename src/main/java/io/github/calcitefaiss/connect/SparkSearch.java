/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import java.util.HexFormat;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.AbstractEnumerable;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.calcite.linq4j.Linq4j;
import org.apache.calcite.rel.RelNode;

/** The rows nearest to a vector that is known when the statement runs, asked of the cluster. */
public final class SparkSearch {
  private final SparkQuery candidates;
  private final Form form;

  /**
   * What is asked.
   *
   * @param call the function and, with a question mark for the vector, its arguments
   * @param descending whether the largest value is the nearest
   * @param nullsFirst where rows without a distance go
   * @param columns how many columns of a candidate are wanted, of those that it has
   * @param query where the vector is in a row of the queries
   * @param fetch where the number of rows is in it
   * @param offset where the number of rows to skip is, or -1
   */
  public record Form(
      String call,
      boolean descending,
      boolean nullsFirst,
      int columns,
      int query,
      int fetch,
      int offset) {}

  private SparkSearch(SparkQuery candidates, Form form) {
    this.candidates = candidates;
    this.form = form;
  }

  /** A search of the rows of a tree over one table. */
  public static SparkSearch of(SparkTable table, RelNode candidates, Form form) {
    return new SparkSearch(SparkQuery.of(table.schema(), candidates), form);
  }

  /** The call of a function with a column and the vector to come. */
  public static String call(String function, String column, boolean queryFirst) {
    String quoted = SparkDialect.quoted(List.of(column));
    return function + (queryFirst ? "(?, " + quoted + ")" : "(" + quoted + ", ?)");
  }

  /** The candidates' columns, the query's and the distance; called by generated code. */
  public Enumerable<Object[]> rows(DataContext root, Enumerable<Object[]> queries) {
    return queries.selectMany(
        query ->
            new AbstractEnumerable<Object[]>() {
              @Override
              public Enumerator<Object[]> enumerator() {
                return found(root, query);
              }
            });
  }

  private Enumerator<Object[]> found(DataContext root, Object[] query) {
    long k = count(query[form.fetch]);
    if (form.offset >= 0) {
      k += count(query[form.offset]);
    }
    if (k <= 0) {
      return Linq4j.<Object[]>emptyEnumerable().enumerator();
    }
    String sql =
        "SELECT *, "
            + form.call.replace("?", literal(query[form.query]))
            + " AS `the distance` FROM ("
            + candidates.sql()
            + ") ORDER BY `the distance` "
            + (form.descending ? "DESC" : "ASC")
            + (form.nullsFirst ? " NULLS FIRST" : " NULLS LAST")
            + " LIMIT "
            + Math.min(k, Integer.MAX_VALUE - 1L);
    SparkRows rows = candidates.run(root, sql);
    return new Enumerator<>() {
      @Override
      public Object[] current() {
        Object[] row = rows.current();
        Object[] all = new Object[form.columns + query.length + 1];
        System.arraycopy(row, 0, all, 0, form.columns);
        System.arraycopy(query, 0, all, form.columns, query.length);
        all[all.length - 1] = row[row.length - 1];
        return all;
      }

      @Override
      public boolean moveNext() {
        return rows.moveNext();
      }

      @Override
      public void reset() {
        rows.reset();
      }

      @Override
      public void close() {
        rows.close();
      }
    };
  }

  private static long count(Object value) {
    // What isn't a count is refused where the plan cuts the rows.
    return value instanceof Number number && number.longValue() >= 0
        ? number.longValue()
        : Integer.MAX_VALUE - 1L;
  }

  private static String literal(Object vector) {
    if (vector == null) {
      return "CAST(NULL AS BINARY)";
    } else if (vector instanceof ByteString blob) {
      return "X'" + HexFormat.of().withUpperCase().formatHex(blob.getBytes()) + "'";
    } else if (vector instanceof List<?> list) {
      float[] elements = new float[list.size()];
      for (int i = 0; i < elements.length; i++) {
        if (!(list.get(i) instanceof Number number)) {
          throw new VectorException("element " + i + " is " + list.get(i));
        }
        elements[i] = (float) number.doubleValue();
      }
      return "X'" + HexFormat.of().withUpperCase().formatHex(VectorCodec.encode(elements)) + "'";
    }
    StringBuilder text = new StringBuilder();
    SparkDialect.INSTANCE.quoteStringLiteral(text, null, vector.toString());
    return text.toString();
  }
}
