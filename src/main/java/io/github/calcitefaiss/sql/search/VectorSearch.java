/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Floats;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.Neighbors;
import io.github.calcitefaiss.index.RowGroups;
import io.github.calcitefaiss.index.Search;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.function.Arguments;
import io.github.calcitefaiss.sql.function.Errors;
import io.github.calcitefaiss.sql.planner.VectorTopK;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.calcite.DataContext;
import org.apache.calcite.linq4j.AbstractEnumerable;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;

/**
 * What a {@link VectorTopK} does when it runs: for each row of queries, the candidates that may be
 * among those wanted, nearest first, with their distance.
 *
 * <p>It gives at least the rows that are wanted. What orders them, cuts them and tests conditions
 * on the distance is the rest of the plan, as it would be without an index, so the answer is the
 * same; here it is only made sure that no wanted row is missing.
 *
 * @param schema where the table is
 * @param table whose index is searched
 * @param form what is asked
 * @param rows the table's rows, where they are read here and not by another part of the plan
 */
public record VectorSearch(SqliteSchema schema, IndexedTable table, Form form, TableRows rows) {
  /** Queries that are answered in one pass over the vectors. */
  private static final int BATCH = 1024;

  /** With more groups than this, one ranking of all rows is cheaper than a search for each. */
  private static final int MANY_GROUPS = 32;

  /** Beyond this part of all rows it is cheaper to ask for the candidates than to test rows. */
  private static final int TESTED_OF = 8;

  /** What a search within a radius asks for at first: this part of all rows. */
  private static final int NEAR_OF = 16;

  /** Where rows without a distance come in the order, if they are wanted at all. */
  public enum Nulls {
    FIRST,
    LAST,
    NONE
  }

  /** How a condition compares the distance, nearest side first, with a value of the query's row. */
  public enum Side {
    /** Not farther than the value. */
    WITHIN,
    /** Strictly farther. */
    BEYOND,
    /** As far or farther. */
    FROM
  }

  /** A condition on the distance: a column of the query's row says how far. */
  public record Bound(Side side, int column) {}

  /** A condition that a candidate's column equals, or differs from, a column of the query's row. */
  public record Link(int candidate, int query, boolean equal) {}

  /** In the place of a column that there isn't. */
  public static final int NONE = -1;

  /**
   * How vectors are compared.
   *
   * @param metric the metric
   * @param function the SQL function that the user wrote, for messages
   */
  public record Distance(Metric metric, String function) {}

  /**
   * The columns of a query's row.
   *
   * @param vector the column that holds the vector
   * @param fetch the column that says how many rows are wanted, or {@link #NONE}
   * @param offset the column that says how many rows come before these, or {@link #NONE}
   * @param width number of columns
   */
  public record QueryRow(int vector, int fetch, int offset, int width) {}

  /**
   * The columns of a candidate's row.
   *
   * @param key the column that holds the id, or {@link #NONE} where rows are read by the table
   * @param partition the columns within whose values so many rows are wanted
   * @param width number of columns
   */
  public record CandidateRow(int key, List<Integer> partition, int width) {}

  /**
   * What must be true of a row that is wanted.
   *
   * @param bounds conditions on the distance
   * @param links conditions between a candidate and a query's row
   */
  public record Conditions(List<Bound> bounds, List<Link> links) {}

  /**
   * What is wanted besides the nearest rows.
   *
   * @param nulls whether and where candidates without a distance count
   * @param ties whether all rows that tie with the last one are wanted
   * @param outer whether a single query's row of NULLs takes the place of no row
   */
  public record Also(Nulls nulls, boolean ties, boolean outer) {
    /** Nothing. */
    public static final Also NOTHING = new Also(Nulls.NONE, false, false);
  }

  /** What is asked. */
  public record Form(
      Distance distance,
      QueryRow queries,
      CandidateRow candidates,
      Conditions conditions,
      Also also) {}

  /** The rows for each query, called by generated code; {@code others} may be null. */
  public Enumerable<Object[]> rows(
      DataContext root, Enumerable<Object[]> queries, Enumerable<Object[]> others) {
    return new AbstractEnumerable<>() {
      @Override
      public Enumerator<Object[]> enumerator() {
        return new Run(root, queries.enumerator(), others);
      }
    };
  }

  /** One query's row and what it asks. */
  private static final class Query {
    private final Object[] row;
    private float[] vector;
    private int count = Integer.MAX_VALUE;
    private double within = Double.NaN;
    private long rank;
    private final List<Search> searches = new ArrayList<>();
    private final List<Neighbors> found = new ArrayList<>();

    private Query(Object[] row) {
      this.row = row;
    }
  }

  private final class Run implements Enumerator<Object[]> {
    private final Execution execution;
    private final DataContext root;
    private final Enumerator<Object[]> queries;
    private final Enumerable<Object[]> others;
    private final Deque<Object[]> out = new ArrayDeque<>();
    private boolean ended;
    private IndexCache.Entry entry;
    private List<Part> parts;
    private Object[] current;

    private Run(DataContext root, Enumerator<Object[]> queries, Enumerable<Object[]> others) {
      this.execution = Execution.of(root);
      this.root = root;
      this.queries = queries;
      this.others = others;
    }

    @Override
    public Object[] current() {
      return current;
    }

    @Override
    public boolean moveNext() {
      while (out.isEmpty()) {
        if (ended) {
          return false;
        }
        execution.check();
        List<Query> batch = read();
        ended = batch.size() < BATCH;
        if (parts == null && batch.isEmpty() && form.also.outer) {
          batch.add(new Query(new Object[form.queries.width]));
        }
        if (!batch.isEmpty()) {
          start();
          answer(batch);
        }
      }
      current = out.poll();
      return true;
    }

    @Override
    public void reset() {
      throw new UnsupportedOperationException("rows are read once");
    }

    @Override
    public void close() {
      queries.close();
    }

    private List<Query> read() {
      List<Query> batch = new ArrayList<>();
      while (batch.size() < BATCH && queries.moveNext()) {
        batch.add(new Query(queries.current()));
      }
      return batch;
    }

    private void start() {
      if (parts != null) {
        return;
      }
      try {
        entry = schema.indexedTables().index(table, execution);
        List<Object[]> given = others == null ? null : InputRows.read(others);
        parts = new ArrayList<>();
        for (FlatIndex index : entry.indexes()) {
          parts.add(
              new Part(
                  index,
                  given == null
                      ? rows.open(root, entry, index, form, names -> columns(index, names))
                      : new InputRows(
                          root, schema, table, entry, index, form.candidates.key, given)));
        }
      } catch (SQLException e) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
    }

    private KeptColumns columns(FlatIndex index, Collection<String> names) throws SQLException {
      return schema.indexedTables().columns(table, entry, index, names, execution);
    }

    private void answer(List<Query> batch) {
      Map<Part, List<Query>> asked = new LinkedHashMap<>();
      for (Query query : batch) {
        if (prepare(query)) {
          asked.computeIfAbsent(part(query), part -> new ArrayList<>()).add(query);
        }
      }
      asked.forEach(Part::answer);
    }

    /** The part whose vectors have the query's dimension, if no candidate is in another. */
    private Part part(Query query) {
      if (entry.mixed() == null || query.vector == null) {
        return parts.get(0);
      }
      for (Part part : parts) {
        if (part.index.dims() != query.vector.length && part.hasCandidate(query)) {
          throw new FaissException(
                  SqlState.DATA, form.distance.function + ": " + entry.mixed().what())
              .raise();
        }
      }
      return parts.stream()
          .filter(part -> part.index.dims() == query.vector.length)
          .findFirst()
          .orElseThrow();
    }

    /** Reads what a row asks; false if no row can be an answer. */
    private boolean prepare(Query query) {
      Object vector = query.row[form.queries.vector];
      if (vector != null) {
        query.vector = Arguments.vector(form.distance.function, "vector", vector);
        if (entry.index(query.vector.length) == null) {
          throw Errors.dimensions(
                  form.distance.function, "vector", IndexAccess.dims(entry), query.vector.length)
              .raise();
        }
      }
      if (form.queries.fetch >= 0) {
        long count = count(query.row[form.queries.fetch]);
        if (form.queries.offset >= 0) {
          count += count(query.row[form.queries.offset]);
        }
        query.count = (int) Math.min(count, Integer.MAX_VALUE);
      }
      for (Bound bound : form.conditions.bounds) {
        if (query.row[bound.column] == null || query.vector == null) {
          return false;
        }
        double value = ((Number) query.row[bound.column]).doubleValue();
        if (bound.side == Side.WITHIN) {
          boolean nearer =
              form.distance.metric.descending() ? value > query.within : value < query.within;
          if (Double.isNaN(query.within) || nearer) {
            query.within = value;
          }
        }
      }
      return query.count > 0;
    }

    private long count(Object value) {
      // What isn't a count is refused where the plan cuts the rows, in Calcite's words.
      return value instanceof Number n && n.longValue() >= 0 ? n.longValue() : Integer.MAX_VALUE;
    }

    private void emit(Object[] candidate, Query query, double distance) {
      Object[] row = Arrays.copyOf(candidate, form.candidates.width + query.row.length + 2);
      System.arraycopy(query.row, 0, row, form.candidates.width, query.row.length);
      row[row.length - 2] = ++query.rank;
      row[row.length - 1] = Double.isNaN(distance) ? null : (Object) (distance + 0.0);
      out.add(row);
    }

    /** The index of one dimension, and the candidates in it. */
    private final class Part {
      private final FlatIndex index;
      private final Floats floats;
      private final Candidates candidates;
      private final Map<Integer, Map<List<Object>, int[]>> groups = new HashMap<>();
      private List<int[]> partitions;
      private RowGroups rowGroups;
      private boolean disjoint;

      private Part(FlatIndex index, Candidates candidates) {
        this.index = index;
        this.floats = schema.indexedTables().floats(table, entry, index, execution);
        this.candidates = candidates;
      }

      private void answer(List<Query> asked) {
        if (!candidates.indexed()) {
          asked.forEach(this::compareAll);
          return;
        }
        search(asked);
        BitSet ordinals = new BitSet();
        for (Query query : asked) {
          for (Neighbors neighbors : query.found) {
            for (int ordinal : neighbors.ordinals()) {
              ordinals.set(ordinal);
            }
          }
        }
        candidates.fetch(ordinals);
        for (Query query : asked) {
          int before = out.size();
          if (form.also.nulls == Nulls.FIRST) {
            emitNulls(query, query.count);
          }
          BitSet emitted = form.candidates.partition.isEmpty() ? null : new BitSet();
          for (Neighbors neighbors : query.found) {
            for (int i = 0; i < neighbors.size(); i++) {
              if (emitted != null) {
                // A row joined to several groups may have been found in each.
                if (emitted.get(neighbors.ordinals()[i])) {
                  continue;
                }
                emitted.set(neighbors.ordinals()[i]);
              }
              for (Object[] row : candidates.rows(neighbors.ordinals()[i])) {
                emit(row, query, neighbors.values()[i]);
              }
            }
          }
          if (form.also.nulls == Nulls.LAST) {
            boolean enough =
                form.candidates.partition.isEmpty() && out.size() - before >= query.count;
            emitNulls(query, enough ? 0 : query.count);
          }
        }
      }

      private void search(List<Query> asked) {
        if (asked.size() == 1 && candidates.isTested() && searchAndTest(asked.get(0))) {
          return;
        }
        List<Search> all = new ArrayList<>();
        for (Query query : asked) {
          if (query.vector != null && index.size() > 0) {
            BitSet qualifying = qualifying(query);
            if (form.candidates.partition.isEmpty()) {
              query.searches.add(search(query, query.count, query.within, qualifying));
            } else {
              searchGroups(query, qualifying);
            }
          }
          all.addAll(query.searches);
        }
        Neighbors[] found = searchAll(all);
        int i = 0;
        for (Query query : asked) {
          for (int s = 0; s < query.searches.size(); s++) {
            Neighbors neighbors = found[i++];
            query.found.add(
                form.also.ties && neighbors.size() == query.searches.get(s).k()
                    ? withTies(query, query.searches.get(s), neighbors)
                    : neighbors);
          }
        }
      }

      /**
       * Answers searches; those within a radius as ones for fewer rows first, since the index is
       * quicker with these than with one for all, and most of the time that is enough.
       */
      private Neighbors[] searchAll(List<Search> all) {
        int most = index.size() / NEAR_OF;
        List<Search> fewer = new ArrayList<>(all);
        fewer.replaceAll(
            s ->
                s.k() > most && s.rows() == null && !Double.isNaN(s.bound())
                    ? new Search(s.query(), s.metric(), most, s.bound(), null)
                    : s);
        Neighbors[] found = index.searchAll(fewer, execution, floats);
        for (int i = 0; i < found.length; i++) {
          if (fewer.get(i) != all.get(i) && found[i].size() == most) {
            found[i] = index.search(all.get(i), execution, floats);
          }
        }
        return found;
      }

      /**
       * Searches all rows and tests those found, nearest first, until enough of them are
       * candidates: where most rows are, this is cheaper than to ask for all that are.
       *
       * @return false if too few are, or the question is another
       */
      private boolean searchAndTest(Query query) {
        int most = index.size() / TESTED_OF;
        if (query.vector == null
            || form.also.ties
            || !form.conditions.links.isEmpty()
            || !form.candidates.partition.isEmpty()
            || form.conditions.bounds.stream().anyMatch(bound -> bound.side != Side.WITHIN)) {
          return false;
        }
        int[] kept = new int[Math.min(query.count, most)];
        double[] values = new double[kept.length];
        int n = 0;
        int tested = 0;
        for (int k = (int) Math.min(most, 2L * query.count + 10); ; k = more(query.count, k, n)) {
          k = form.queries.fetch < 0 ? most : k;
          if (k > most || k < query.count && form.queries.fetch >= 0) {
            return false;
          }
          Neighbors found = index.search(search(query, k, query.within, null), execution, floats);
          BitSet some = new BitSet();
          for (int i = tested; i < found.size(); i++) {
            some.set(found.ordinals()[i]);
          }
          BitSet qualifying = candidates.test(some);
          for (; tested < found.size() && n < query.count; tested++) {
            if (qualifying.get(found.ordinals()[tested])) {
              kept[n] = found.ordinals()[tested];
              values[n++] = found.values()[tested];
            }
          }
          if (n == query.count || found.size() < k) {
            query.found.add(new Neighbors(Arrays.copyOf(kept, n), Arrays.copyOf(values, n)));
            return true;
          } else if (form.queries.fetch < 0) {
            return false;
          }
        }
      }

      /** How many rows to look at so that enough are kept, if of {@code k} rows {@code n} are. */
      private int more(int wanted, int k, int n) {
        return (int) Math.min(Integer.MAX_VALUE, 4L + Math.max(2L * k, 3L * k * wanted / (n + 1)));
      }

      private Search search(Query query, int k, double within, BitSet qualifying) {
        return new Search(
            query.vector, form.distance.metric, Math.min(k, index.size()), within, qualifying);
      }

      /**
       * All rows that may tie with the last one found, in what is computed from the distance too.
       */
      private Neighbors withTies(Query query, Search search, Neighbors found) {
        double last = found.values()[found.size() - 1];
        double within = form.distance.metric.descending() ? last - slack(last) : last + slack(last);
        return index.search(
            search(query, Integer.MAX_VALUE, within, search.rows()), execution, floats);
      }

      /** Whether a row of this part might be an answer, were it not of another dimension. */
      private boolean hasCandidate(Query query) {
        if (candidates.indexed()) {
          BitSet rows = linked(query);
          return rows == null ? index.size() > 0 : !rows.isEmpty();
        }
        for (Candidates.Compared row : candidates.compare()) {
          if (row.vector() != null
              && form.conditions.links.stream()
                  .allMatch(
                      link ->
                          link.equal
                              == Objects.equals(
                                  row.row()[link.candidate], query.row[link.query]))) {
            return true;
          }
        }
        return false;
      }

      /** The rows that are candidates for a query; null for all. */
      private BitSet linked(Query query) {
        BitSet rows = candidates.ordinals();
        for (Link link : form.conditions.links) {
          BitSet linked = linked(link, query.row[link.query], rows);
          if (rows != null) {
            linked.and(rows);
          }
          rows = linked;
        }
        return rows;
      }

      private BitSet qualifying(Query query) {
        BitSet rows = linked(query);
        for (Bound bound : form.conditions.bounds) {
          if (bound.side != Side.WITHIN) {
            rows = rows == null ? all() : (BitSet) rows.clone();
            double value = ((Number) query.row[bound.column]).doubleValue();
            Neighbors near =
                index.search(search(query, Integer.MAX_VALUE, value, rows), execution, floats);
            for (int i = 0; i < near.size(); i++) {
              if (bound.side == Side.BEYOND || near.values()[i] != value) {
                rows.clear(near.ordinals()[i]);
              }
            }
          }
        }
        return rows;
      }

      private BitSet linked(Link link, Object value, BitSet rows) {
        BitSet linked = new BitSet();
        if (value == null) {
          return linked;
        }
        if (candidates.isKey(link.candidate)) {
          int ordinal = index.ordinal(InputRows.id(value));
          if (!link.equal) {
            linked = rows == null ? all() : (BitSet) rows.clone();
          }
          if (ordinal >= 0) {
            linked.set(ordinal, link.equal);
          }
          return linked;
        }
        Map<List<Object>, int[]> byValue =
            groups.computeIfAbsent(link.candidate, c -> candidates.groups(List.of(link.candidate)));
        if (link.equal) {
          add(byValue.get(List.of(value)), linked);
          return linked;
        }
        for (Map.Entry<List<Object>, int[]> group : byValue.entrySet()) {
          Object other = group.getKey().get(0);
          if (other != null && !other.equals(value)) {
            add(group.getValue(), linked);
          }
        }
        return linked;
      }

      private void add(int[] ordinals, BitSet to) {
        if (ordinals != null) {
          for (int ordinal : ordinals) {
            to.set(ordinal);
          }
        }
      }

      private BitSet all() {
        BitSet all = new BitSet();
        all.set(0, index.size());
        return all;
      }

      private void searchGroups(Query query, BitSet qualifying) {
        RowGroups rows = form.also.ties ? null : rowGroups();
        if (rows != null) {
          Neighbors[] nearest =
              index.nearestOfEach(
                  search(query, query.count, query.within, null),
                  qualifying == null ? rows : rows.among(qualifying),
                  execution,
                  floats);
          if (nearest != null) {
            query.found.addAll(List.of(nearest));
            return;
          }
        }
        searchEachGroup(query, qualifying);
      }

      /** The groups, if no row is in two. */
      private RowGroups rowGroups() {
        if (rowGroups == null) {
          rowGroups = candidates.partition(form.candidates.partition);
        }
        if (rowGroups == null) {
          readPartitions();
          rowGroups = disjoint ? RowGroups.of(partitions, index.size()) : null;
        }
        return rowGroups;
      }

      private void readPartitions() {
        if (partitions == null) {
          partitions = List.copyOf(candidates.groups(form.candidates.partition).values());
          long members = partitions.stream().mapToLong(group -> group.length).sum();
          BitSet union = new BitSet();
          partitions.forEach(group -> add(group, union));
          disjoint = members == union.cardinality();
        }
      }

      private void searchEachGroup(Query query, BitSet qualifying) {
        readPartitions();
        if (partitions.size() <= MANY_GROUPS || !disjoint) {
          for (int[] group : partitions) {
            BitSet rows = new BitSet();
            add(group, rows);
            if (qualifying != null) {
              rows.and(qualifying);
            }
            query.searches.add(search(query, query.count, query.within, rows));
          }
        } else {
          query.found.add(rank(query, qualifying));
        }
      }

      /** The nearest of each group, read off a ranking of all rows. */
      private Neighbors rank(Query query, BitSet qualifying) {
        int[] groupOf = new int[index.size()];
        Arrays.fill(groupOf, -1);
        for (int g = 0; g < partitions.size(); g++) {
          for (int ordinal : partitions.get(g)) {
            groupOf[ordinal] = g;
          }
        }
        int[] taken = new int[partitions.size()];
        double[] last = new double[partitions.size()];
        Neighbors ranking =
            index.search(
                search(query, Integer.MAX_VALUE, query.within, qualifying), execution, floats);
        int[] kept = new int[ranking.size()];
        double[] values = new double[ranking.size()];
        int n = 0;
        for (int i = 0; i < ranking.size(); i++) {
          int group = groupOf[ranking.ordinals()[i]];
          if (group < 0) {
            continue;
          }
          double value = ranking.values()[i];
          boolean wanted = taken[group] < query.count;
          if (wanted || form.also.ties && Math.abs(value - last[group]) <= slack(value)) {
            if (wanted) {
              taken[group]++;
              last[group] = value;
            }
            kept[n] = ranking.ordinals()[i];
            values[n++] = value;
          }
        }
        return new Neighbors(Arrays.copyOf(kept, n), Arrays.copyOf(values, n));
      }

      private static double slack(double value) {
        return 1e-14 * Math.max(1, Math.abs(value));
      }

      private void emitNulls(Query query, int count) {
        if (count == 0 || !form.conditions.bounds.isEmpty()) {
          return;
        }
        // They all tie, and which come first may be for another sort key to say.
        int most = Integer.MAX_VALUE;
        boolean noDistance = query.vector == null || cosine() && zero(query.vector);
        for (Object[] row :
            noDistance ? candidates.all(most) : candidates.withoutDistance(most, cosine())) {
          emit(row, query, Double.NaN);
        }
      }

      private boolean cosine() {
        return form.distance.metric == Metric.COSINE_DISTANCE
            || form.distance.metric == Metric.COSINE_SIMILARITY;
      }

      /** Compares a query with every row, where ids can't tell the rows apart. */
      private void compareAll(Query query) {
        for (Candidates.Compared row : candidates.compare()) {
          if (row.vector() == null || query.vector == null) {
            if (form.also.nulls != Nulls.NONE) {
              emit(row.row(), query, Double.NaN);
            }
          } else {
            emit(row.row(), query, form.distance.metric.value(row.vector(), query.vector));
          }
        }
      }
    }
  }

  private static boolean zero(float[] vector) {
    for (float element : vector) {
      if (element != 0) {
        return false;
      }
    }
    return true;
  }
}
