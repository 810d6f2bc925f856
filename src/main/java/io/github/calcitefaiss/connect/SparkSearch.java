/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Execution;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.AbstractEnumerable;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.calcite.rel.RelNode;

/**
 * The rows nearest to vectors that are known when the statement runs, asked of the cluster: one
 * vector by ORDER BY and LIMIT, many together by NEAREST BY or a window.
 *
 * <p>It gives at least the rows that are wanted, as the search of an index here does; the rest of
 * the plan orders and cuts them.
 */
public final class SparkSearch {
  /** The names of a candidate's columns; those that are wanted are numbered from 0. */
  public static final String COLUMN = "c";

  /** The name of a candidate's vector. */
  public static final String VECTOR = "v";

  /** The name of a candidate's id: the cluster's join knows by it what decides ties. */
  public static final String ID = "id";

  /** Vectors that are asked about in one statement, and about how many characters it may have. */
  private static final int BATCH = 1024;

  private static final int BATCH_CHARACTERS = 4 << 20;

  /** The most that NEAREST BY finds for one row. */
  private static final int NEAREST_BY = 100_000;

  /** Rows that are asked for beyond those wanted, where all that tie with the last are. */
  private static final int TIES = 16;

  private final SparkQuery candidates;
  private final Form form;

  /** Where rows without a distance come, if they are wanted. */
  public enum Nulls {
    FIRST,
    LAST,
    NONE
  }

  /** A condition on the distance: an operator, and the column of a query's row it compares with. */
  public record Bound(String operator, int column) {}

  /** A condition that a candidate's column equals, or differs from, a column of a query's row. */
  public record Link(int candidate, int query, boolean equal) {}

  /** Columns of a query's row, the number of them last; -1 for what there isn't. */
  public record QueryRow(int vector, int fetch, int offset, int width) {}

  /**
   * What is asked.
   *
   * @param function the function
   * @param queryFirst whether the query is its first argument
   * @param descending whether the largest value is the nearest
   * @param columns how many columns of a candidate are wanted
   * @param ids whether a candidate has an id
   * @param query the columns of a query's row
   * @param bounds conditions on the distance
   * @param links conditions between a candidate and a query's row
   * @param partition the candidate's columns within whose values so many rows are wanted
   * @param nulls whether and where candidates without a distance count
   * @param ties whether all rows that tie with the last one are wanted
   * @param outer whether a query's row of NULLs takes the place of no row
   */
  public record Form(
      String function,
      boolean queryFirst,
      boolean descending,
      int columns,
      boolean ids,
      QueryRow query,
      List<Bound> bounds,
      List<Link> links,
      List<Integer> partition,
      Nulls nulls,
      boolean ties,
      boolean outer) {
    private String call(String column, String query) {
      return function
          + (queryFirst ? "(" + query + ", " + column + ")" : "(" + column + ", " + query + ")");
    }

    private String order() {
      return (descending ? " DESC" : " ASC")
          + (nulls == Nulls.FIRST ? " NULLS FIRST" : " NULLS LAST");
    }

    private boolean single() {
      return query.fetch >= 0 && partition.isEmpty();
    }
  }

  private SparkSearch(SparkQuery candidates, Form form) {
    this.candidates = candidates;
    this.form = form;
  }

  /** A search of the rows of a tree over a cluster's tables. */
  public static SparkSearch of(SparkTable table, RelNode candidates, Form form) {
    return new SparkSearch(SparkQuery.of(table.schema(), candidates), form);
  }

  /**
   * The candidates' columns, the query's, the row's place among the query's rows, and the distance;
   * called by generated code.
   */
  public Enumerable<Object[]> rows(DataContext root, Enumerable<Object[]> queries) {
    return new AbstractEnumerable<>() {
      @Override
      public Enumerator<Object[]> enumerator() {
        return new Run(root, queries.enumerator());
      }
    };
  }

  /** A query's row and how many rows it asks for. */
  private static final class Query {
    private final Object[] row;
    private final int count;
    private long rank;

    private Query(Object[] row, int count) {
      this.row = row;
      this.count = count;
    }
  }

  /** Rows of the cluster; for several queries the first column says whose each is. */
  private record Source(SparkRows rows, List<Query> queries) {}

  private final class Run implements Enumerator<Object[]> {
    private final DataContext root;
    private final Execution execution;
    private final Enumerator<Object[]> queries;
    private final Deque<Supplier<Source>> pending = new ArrayDeque<>();
    private final Deque<Object[]> out = new ArrayDeque<>();
    private Source source;
    private boolean any;
    private boolean ended;
    private Object[] current;

    private Run(DataContext root, Enumerator<Object[]> queries) {
      this.root = root;
      this.execution = Execution.of(root);
      this.queries = queries;
    }

    @Override
    public Object[] current() {
      return current;
    }

    @Override
    public boolean moveNext() {
      while (true) {
        if (!out.isEmpty()) {
          current = out.poll();
          return true;
        } else if (source != null) {
          if (source.rows.moveNext()) {
            take(source.rows.current());
          } else {
            source.rows.close();
            source = null;
          }
        } else if (!pending.isEmpty()) {
          source = pending.poll().get();
        } else if (ended) {
          return false;
        } else {
          answer(read());
        }
      }
    }

    private void take(Object[] row) {
      if (source.queries.size() == 1 && row.length == width()) {
        emit(source.queries.get(0), row, 0);
      } else {
        emit(source.queries.get(((Number) row[0]).intValue()), row, 1);
      }
    }

    /** The number of columns of a row for one query. */
    private int width() {
      return form.columns + 1;
    }

    private void emit(Query query, Object[] row, int from) {
      Object distance = row[from + form.columns];
      if (distance == null && form.nulls == Nulls.NONE) {
        return;
      }
      Object[] all = new Object[form.columns + query.row.length + 2];
      System.arraycopy(row, from, all, 0, form.columns);
      System.arraycopy(query.row, 0, all, form.columns, query.row.length);
      all[all.length - 2] = ++query.rank;
      all[all.length - 1] = distance;
      out.add(all);
    }

    private List<Query> read() {
      List<Query> batch = new ArrayList<>();
      long characters = 0;
      int met = 0;
      while (met < BATCH && characters < BATCH_CHARACTERS) {
        if (!queries.moveNext()) {
          ended = true;
          break;
        }
        any = true;
        met++;
        Query query = query(queries.current());
        if (query != null) {
          batch.add(query);
          characters += 2L * size(query.row[form.query.vector]);
        }
      }
      if (ended && !any && form.outer) {
        batch.add(new Query(new Object[form.query.width], Integer.MAX_VALUE - 1));
      }
      return batch;
    }

    /** What a row asks; null if no row can be an answer. */
    private Query query(Object[] row) {
      long count = Integer.MAX_VALUE - 1L;
      if (form.query.fetch >= 0) {
        count = count(row[form.query.fetch]);
        if (form.query.offset >= 0) {
          count += count(row[form.query.offset]);
        }
      }
      boolean none = count <= 0;
      for (Bound bound : form.bounds) {
        none |= row[bound.column] == null;
      }
      boolean noDistance =
          row[form.query.vector] == null && (form.nulls == Nulls.NONE || !form.bounds.isEmpty());
      return none || noDistance
          ? null
          : new Query(row.clone(), (int) Math.min(count, Integer.MAX_VALUE - 1L));
    }

    private void answer(List<Query> batch) {
      if (batch.isEmpty()) {
        return;
      }
      boolean nearest =
          form.single()
              && !form.ties
              && form.bounds.isEmpty()
              && form.links.stream().noneMatch(Link::equal);
      if (form.single() && batch.size() == 1) {
        Query query = batch.get(0);
        if (form.ties) {
          tied(query);
        } else {
          pending.add(() -> new Source(run(one(query, query.count)), batch));
        }
      } else if (nearest) {
        nearest(batch);
      } else {
        pending.add(() -> new Source(run(many(batch)), batch));
      }
    }

    private SparkRows run(String sql) {
      return candidates.run(root, sql);
    }

    private List<Object[]> all(String sql) {
      List<Object[]> all = new ArrayList<>();
      SparkRows rows = run(sql);
      try {
        while (rows.moveNext()) {
          all.add(rows.current());
        }
      } finally {
        rows.close();
      }
      return all;
    }

    /** All rows that tie with the last one, too: more are asked for until one doesn't. */
    private void tied(Query query) {
      long asked = query.count + (long) TIES;
      List<Object[]> found;
      do {
        execution.check();
        asked = Math.min(asked, Integer.MAX_VALUE - 1L);
        found = all(one(query, (int) asked));
        if (found.size() < asked) {
          break;
        }
        asked *= 4;
      } while (ties(found.get(query.count - 1), found.get(found.size() - 1)));
      for (Object[] row : found) {
        emit(query, row, 0);
      }
    }

    private boolean ties(Object[] wanted, Object[] last) {
      Double a = (Double) wanted[form.columns];
      Double b = (Double) last[form.columns];
      return a == null || b == null ? a == b : Math.abs(a - b) <= 2e-14 * Math.max(1, Math.abs(a));
    }

    /** All queries in one join; those whose rows it doesn't tell in another statement. */
    private void nearest(List<Query> batch) {
      List<Query> asked = new ArrayList<>();
      List<Query> others = new ArrayList<>();
      int most = 0;
      for (Query query : batch) {
        int count = query.count + form.links.size();
        if (query.row[form.query.vector] == null || count < 0 || count > NEAREST_BY) {
          others.add(query);
        } else {
          asked.add(query);
          most = Math.max(most, count);
        }
      }
      if (!asked.isEmpty()) {
        List<List<Object[]>> found = new ArrayList<>();
        asked.forEach(query -> found.add(new ArrayList<>()));
        for (Object[] row : all(join(asked, most))) {
          found.get(((Number) row[0]).intValue()).add(row);
        }
        List<Object[]> absent = null;
        for (int i = 0; i < asked.size(); i++) {
          Query query = asked.get(i);
          List<Object[]> rows = found.get(i);
          boolean full = rows.size() == most;
          boolean enough = !full && form.nulls == Nulls.NONE || full && enough(query, rows);
          if (!enough) {
            others.add(query);
            continue;
          }
          if (form.nulls == Nulls.FIRST) {
            absent = absent == null ? all(withoutDistance(query, most)) : absent;
            absent.forEach(row -> emit(query, row, 0));
          }
          rows.forEach(row -> emit(query, row, 1));
        }
      }
      if (!others.isEmpty()) {
        pending.add(() -> new Source(run(many(others)), others));
      }
    }

    /** Whether enough rows differ from the query's where they must. */
    private boolean enough(Query query, List<Object[]> rows) {
      int differ = 0;
      for (Object[] row : rows) {
        boolean all = true;
        for (Link link : form.links) {
          all &= differ(row[1 + link.candidate], query.row[link.query]);
        }
        differ += all ? 1 : 0;
      }
      return differ >= query.count;
    }

    private static boolean differ(Object a, Object b) {
      if (a == null || b == null) {
        return false;
      }
      return a instanceof Number x && b instanceof Number y
          ? new BigDecimal(x.toString()).compareTo(new BigDecimal(y.toString())) != 0
          : !a.equals(b);
    }

    @Override
    public void reset() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
      if (source != null) {
        source.rows.close();
      }
      queries.close();
    }
  }

  /** The candidates' columns that are wanted, each with a comma after it. */
  private String columns(String of) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < form.columns; i++) {
      text.append(of).append('`').append(COLUMN).append(i).append("`, ");
    }
    return text.toString();
  }

  private String byId() {
    return form.ids ? ", `" + ID + "`" : "";
  }

  /** Some rows for one query: what an index answers. */
  private String one(Query query, int count) {
    String call = form.call("`v`", literal(query.row[form.query.vector]));
    List<String> conditions = new ArrayList<>();
    for (Link link : form.links) {
      conditions.add(
          "`c"
              + link.candidate
              + (link.equal ? "` = " : "` <> ")
              + compared(query.row[link.query]));
    }
    for (Bound bound : form.bounds) {
      conditions.add(call + " " + bound.operator + " " + number(query.row[bound.column]));
    }
    return "SELECT "
        + columns("")
        + call
        + " AS `the distance` FROM ("
        + candidates.sql()
        + ")"
        + (conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions))
        + " ORDER BY `the distance`"
        + form.order()
        + byId()
        + " LIMIT "
        + count;
  }

  /** Rows that have no distance to any vector. */
  private String withoutDistance(Query query, int count) {
    String call = form.call("`v`", literal(query.row[form.query.vector]));
    return "SELECT "
        + columns("")
        + call
        + " AS `the distance` FROM ("
        + candidates.sql()
        + ") WHERE "
        + call
        + " IS NULL"
        + (form.ids ? " ORDER BY `" + ID + "`" : "")
        + " LIMIT "
        + count;
  }

  /** The nearest to each query, that have a distance. */
  private String join(List<Query> queries, int count) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < queries.size(); i++) {
      values.add("(" + i + ", " + blob(queries.get(i).row[form.query.vector]) + ")");
    }
    String call = form.call("c.`v`", "q.`the vector`");
    return "SELECT q.`the query`, "
        + columns("c.")
        + call
        + " AS `the distance` FROM (SELECT * FROM VALUES "
        + String.join(", ", values)
        + " AS t(`the query`, `the vector`)) q JOIN ("
        + candidates.sql()
        + ") c EXACT NEAREST "
        + count
        + (form.descending ? " BY SIMILARITY " : " BY DISTANCE ")
        + call;
  }

  /** The rows for several queries whatever is asked; every candidate is compared. */
  private String many(List<Query> queries) {
    List<String> names = new ArrayList<>(List.of("`the query`", "`the vector`", "`the count`"));
    List<String> conditions = new ArrayList<>();
    String call = form.call("c.`v`", "q.`the vector`");
    for (int i = 0; i < form.links.size(); i++) {
      Link link = form.links.get(i);
      names.add("`link " + i + "`");
      conditions.add(
          "c.`c" + link.candidate + (link.equal ? "` = q.`link " : "` <> q.`link ") + i + "`");
    }
    for (int i = 0; i < form.bounds.size(); i++) {
      names.add("`bound " + i + "`");
      conditions.add(call + " " + form.bounds.get(i).operator + " q.`bound " + i + "`");
    }
    List<String> values = new ArrayList<>();
    for (int i = 0; i < queries.size(); i++) {
      Query query = queries.get(i);
      List<String> row = new ArrayList<>();
      row.add(String.valueOf(i));
      row.add(blob(query.row[form.query.vector]));
      row.add(String.valueOf(query.count));
      form.links.forEach(link -> row.add(compared(query.row[link.query])));
      form.bounds.forEach(bound -> row.add(number(query.row[bound.column])));
      values.add("(" + String.join(", ", row) + ")");
    }
    boolean cut = form.query.fetch >= 0;
    String pairs =
        "SELECT q.`the query`, "
            + columns("c.")
            + call
            + " AS `the distance`"
            + (cut ? ", q.`the count`" + (form.ids ? ", c.`" + ID + "`" : "") : "")
            + " FROM (SELECT * FROM VALUES "
            + String.join(", ", values)
            + " AS t("
            + String.join(", ", names)
            + ")) q JOIN ("
            + candidates.sql()
            + ") c"
            + " ON "
            + (conditions.isEmpty() ? "TRUE" : String.join(" AND ", conditions));
    if (!cut) {
      return pairs;
    }
    StringBuilder partition = new StringBuilder("`the query`");
    form.partition.forEach(column -> partition.append(", `c").append(column).append('`'));
    return "SELECT `the query`, "
        + columns("")
        + "`the distance` FROM (SELECT *, "
        + (form.ties ? "RANK" : "ROW_NUMBER")
        + "() OVER (PARTITION BY "
        + partition
        + " ORDER BY `the distance`"
        + form.order()
        + (form.ties ? "" : byId())
        + ") AS `the place` FROM ("
        + pairs
        + ")) WHERE `the place` <= `the count` ORDER BY `the query`, `the place`"
        + byIdOfOuter();
  }

  private String byIdOfOuter() {
    return form.ties ? byId() : "";
  }

  private static long count(Object value) {
    // What isn't a count is refused where the plan cuts the rows.
    return value instanceof Number number && number.longValue() >= 0
        ? number.longValue()
        : Integer.MAX_VALUE - 1L;
  }

  private static int size(Object vector) {
    return vector instanceof ByteString blob
        ? blob.length()
        : vector instanceof List<?> list
            ? 4 * list.size()
            : vector == null ? 0 : vector.toString().length();
  }

  /** A number that distances are compared with. */
  private static String number(Object value) {
    double number = ((Number) value).doubleValue();
    return Double.isFinite(number) ? number + "D" : "CAST('" + number + "' AS DOUBLE)";
  }

  /** A vector as a blob, whatever it is written as. */
  private static String blob(Object vector) {
    boolean text = !(vector == null || vector instanceof ByteString || vector instanceof List);
    return text ? "faiss_encode(" + literal(vector) + ")" : literal(vector);
  }

  /** A value that columns are compared with. */
  private static String compared(Object value) {
    return value == null ? "NULL" : literal(value);
  }

  private static String literal(Object value) {
    if (value == null) {
      return "CAST(NULL AS BINARY)";
    } else if (value instanceof ByteString blob) {
      return "X'" + HexFormat.of().withUpperCase().formatHex(blob.getBytes()) + "'";
    } else if (value instanceof List<?> list) {
      float[] elements = new float[list.size()];
      for (int i = 0; i < elements.length; i++) {
        if (!(list.get(i) instanceof Number number)) {
          throw new VectorException("element " + i + " is " + list.get(i));
        }
        elements[i] = (float) number.doubleValue();
      }
      return "X'" + HexFormat.of().withUpperCase().formatHex(VectorCodec.encode(elements)) + "'";
    } else if (value instanceof Double number) {
      return number(number);
    } else if (value instanceof Number || value instanceof Boolean) {
      return value.toString();
    }
    StringBuilder text = new StringBuilder();
    SparkDialect.INSTANCE.quoteStringLiteral(text, null, value.toString());
    return text.toString();
  }
}
