/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.KeptColumn;
import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.index.RowFilter;
import io.github.calcitefaiss.index.RowGroups;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.sql.function.Values;
import io.github.calcitefaiss.sqlite.SqliteQuery;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.calcite.DataContext;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * Candidates that are rows of the indexed table itself, filtered inside SQLite: their ids are read
 * first, and only the rows found are read whole.
 *
 * @param searched what reads the candidates that a search is for, and those that it found
 * @param others what reads candidates otherwise
 * @param key what is known of the id
 * @param kept what columns beside the index may know of them
 * @param groupColumns the candidates' columns whose values are needed before the search
 * @param skipBadRows whether rows with an unusable vector are left out
 */
public record TableRows(
    Searched searched,
    Others others,
    Key key,
    Kept kept,
    List<Integer> groupColumns,
    boolean skipBadRows) {
  /** What the queries call the candidates' id. */
  public static final String ID = "candidate_id";

  private static final int CHUNK = 500;

  /** Ids that are read at least, and the part of all rows, before a filter keeps many. */
  private static final int FEW = 200;

  private static final int FEW_OF = 256;

  /** After so many rows tested in vain, as a part of all, it is cheaper to read a filter's ids. */
  private static final int WASTED_OF = 32;

  /**
   * What is read around a search.
   *
   * @param ids id, then the columns of {@code groupColumns}; null if no ids need to be read
   * @param found the candidates' columns and the id of rows that have a vector
   */
  public record Searched(SqliteQuery ids, SqliteQuery found) {
    private Searched ofDimension(int dims) {
      return new Searched(ids.ofDimension(dims), found.ofDimension(dims));
    }
  }

  /**
   * What is read without a search.
   *
   * @param empty the candidates' columns of rows that have no vector
   * @param all the candidates' columns of all rows
   * @param compared the candidates' columns and the vector of all rows
   * @param withVector what {@link Searched} gives, and the vector as the last column, for a table
   *     whose vectors have several dimensions; neither query is null
   */
  public record Others(
      SqliteQuery empty, SqliteQuery all, SqliteQuery compared, Searched withVector) {}

  /**
   * The id of a candidate.
   *
   * @param all whether the candidates have no other column
   * @param columns the candidates' columns that are the id
   * @param unique whether it is the primary key
   */
  public record Key(boolean all, List<Integer> columns, boolean unique) {}

  /**
   * What may be known beside the index.
   *
   * @param filter which rows are candidates, if that can be asked there; null if it can't
   * @param filtered whether not all rows are
   * @param columns the names of the candidates' columns
   * @param types their types
   */
  public record Kept(
      KeptFilter filter, boolean filtered, List<String> columns, List<SqlTypeName> types) {}

  /**
   * Gives the columns beside an index, read now if need be, with some names if that is possible.
   */
  @FunctionalInterface
  interface Beside {
    KeptColumns columns(Collection<String> names) throws SQLException;
  }

  Candidates open(
      DataContext root,
      IndexCache.Entry entry,
      FlatIndex index,
      VectorSearch.Form form,
      Beside beside) {
    TableRows rows = entry.mixed() == null ? this : ofDimension(index.dims());
    return rows.new Open(root, entry, index, form, beside);
  }

  /** Those rows whose vectors have one dimension, and those without one. */
  private TableRows ofDimension(int dims) {
    return new TableRows(
        others.withVector.ofDimension(dims), others, key, kept, groupColumns, skipBadRows);
  }

  private final class Open implements Candidates {
    private final DataContext root;
    private final IndexCache.Entry entry;
    private final FlatIndex index;
    private final VectorSearch.Form form;
    private final Beside columnsBeside;
    private final Map<Integer, Object[]> fetched = new HashMap<>();
    private final List<Object[]> members = new ArrayList<>();
    private final KnownFilters.Key filter;
    private final Map<Integer, Object[]> tested = new HashMap<>();
    private final Map<Integer, Object[]> types = new HashMap<>();
    private BitSet ordinals;
    private KnownFilters.Known many;

    /** Those beside the index, once asked for. */
    private KeptColumns columns;

    /** Whether all that is asked before the search is known beside the index. */
    private boolean beside;

    private Open(
        DataContext root,
        IndexCache.Entry entry,
        FlatIndex index,
        VectorSearch.Form form,
        Beside columnsBeside) {
      this.root = root;
      this.entry = entry;
      this.index = index;
      this.form = form;
      this.columnsBeside = columnsBeside;
      this.filter = searched.ids == null || !indexed() ? null : filter();
      if (filter != null) {
        KnownFilters.Known known =
            groupColumns.isEmpty() && isCurrent() ? KnownFilters.get(index, filter) : null;
        if (known != null && known.ordinals() != null) {
          ordinals = known.ordinals();
        } else if (isKept()) {
          beside = true;
        } else if (known == null) {
          readIds(canTest() ? Math.max(FEW, index.size() / FEW_OF) : Integer.MAX_VALUE);
        } else if (known.wasted() < index.size() / WASTED_OF) {
          many = known;
        } else {
          readIds(Integer.MAX_VALUE);
        }
      }
    }

    private KnownFilters.Key filter() {
      List<Object> parameters = new ArrayList<>();
      for (int parameter : searched.ids.parameters()) {
        parameters.add(root.get("?" + parameter));
      }
      return new KnownFilters.Key(entry.version(), searched.ids.sql(), parameters);
    }

    /** Whether the rows read here are of the version that the index is of. */
    private boolean isCurrent() {
      try {
        return Execution.of(root).version(searched.found.database()).equals(entry.version());
      } catch (SQLException e) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
    }

    /** Asks the columns beside the index; false if they can't tell. */
    private boolean isKept() {
      if (!isCurrent() || kept.filtered && kept.filter == null) {
        return false;
      }
      Set<String> names = new TreeSet<>(kept.filtered ? kept.filter.columns() : Set.of());
      groupColumns.forEach(column -> names.add(kept.columns.get(column)));
      readColumns(names);
      for (int column : groupColumns) {
        if (typed(column) == null) {
          return false;
        }
      }
      if (kept.filtered) {
        RowFilter bound = kept.filter.bind(root, columns);
        if (bound == null) {
          return false;
        }
        ordinals = bound.rows(index.size());
        if (groupColumns.isEmpty()) {
          KnownFilters.put(index, filter, new KnownFilters.Known(ordinals));
        }
      }
      return true;
    }

    private void readColumns(Set<String> names) {
      try {
        columns = columnsBeside.columns(names);
      } catch (SQLException e) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
    }

    /** What each code of a candidates' column stands for, as it is read; null if not known. */
    private Object[] typed(int column) {
      return types.computeIfAbsent(
          column,
          c -> {
            KeptColumn of = keptColumn(c);
            return of == null ? null : KeptValues.of(of, kept.types.get(c));
          });
    }

    /** Whether rows can be tested one by one: SQLite finds them by their key. */
    private boolean canTest() {
      return key.unique && groupColumns.isEmpty() && index.size() > 0;
    }

    private void readIds(int most) {
      ordinals = new BitSet(index.size());
      if (index.size() == 0) {
        return;
      }
      int read = 0;
      try (Enumerator<Object> row = searched.ids.rows(root, new Object[0]).enumerator()) {
        while (row.moveNext()) {
          if (++read > most) {
            ordinals = null;
            many = new KnownFilters.Known(null);
            break;
          }
          Object id = row.current() instanceof Object[] values ? values[0] : row.current();
          int ordinal = id == null ? -1 : index.ordinal(InputRows.id(id));
          if (ordinal >= 0) {
            ordinals.set(ordinal);
            if (row.current() instanceof Object[] values) {
              // A copy: a run keeps the rows of a small query for the next time.
              Object[] member = values.clone();
              member[0] = ordinal;
              members.add(member);
            }
          }
        }
      }
      if (groupColumns.isEmpty() && isCurrent()) {
        KnownFilters.put(index, filter, many == null ? new KnownFilters.Known(ordinals) : many);
      }
    }

    @Override
    public boolean isTested() {
      return many != null;
    }

    @Override
    public BitSet test(BitSet some) {
      Map<Integer, Object[]> qualifying = new HashMap<>();
      read(some, qualifying);
      tested.putAll(qualifying);
      BitSet kept = new BitSet();
      qualifying.keySet().forEach(kept::set);
      many.waste(some.cardinality() - qualifying.size());
      return kept;
    }

    @Override
    public boolean indexed() {
      return key.unique
          || index.size() == 0
          || key.all && searched.ids == null
          || index.hasUniqueIds() && !(skipBadRows && entry.skipped() > 0);
    }

    @Override
    public BitSet ordinals() {
      if (many != null) {
        many = null;
        readIds(Integer.MAX_VALUE);
      }
      return ordinals;
    }

    @Override
    public boolean isKey(int column) {
      return key.columns.contains(column);
    }

    @Override
    public Map<List<Object>, int[]> groups(List<Integer> columns) {
      if (beside) {
        return keptGroups(columns);
      }
      Groups groups = new Groups();
      for (Object[] member : members) {
        List<Object> values = new ArrayList<>(columns.size());
        for (int column : columns) {
          values.add(member[1 + groupColumns.indexOf(column)]);
        }
        groups.add(values, (Integer) member[0]);
      }
      return groups.build();
    }

    private Map<List<Object>, int[]> keptGroups(List<Integer> columns) {
      RowGroups groups = partition(columns);
      int[][] members = (ordinals == null ? groups : groups.among(ordinals)).members();
      Map<List<Object>, int[]> byValues = new HashMap<>();
      for (int[] rows : members) {
        if (rows.length > 0) {
          List<Object> values = new ArrayList<>(columns.size());
          for (int column : columns) {
            values.add(typed(column)[keptColumn(column).code(rows[0])]);
          }
          byValues.put(values, rows);
        }
      }
      return byValues;
    }

    @Override
    public RowGroups partition(List<Integer> columns) {
      if (!beside) {
        return null;
      }
      List<int[]> numbers = new ArrayList<>();
      for (int column : columns) {
        Map<Object, Integer> known = new HashMap<>();
        numbers.add(
            Arrays.stream(typed(column))
                .mapToInt(value -> known.computeIfAbsent(value, v -> known.size()))
                .toArray());
      }
      return RowGroups.of(columns.stream().map(this::keptColumn).toList(), numbers);
    }

    private KeptColumn keptColumn(int column) {
      return columns.get(kept.columns.get(column));
    }

    @Override
    public void fetch(BitSet wanted) {
      fetched.clear();
      if (wanted.stream().allMatch(tested::containsKey)) {
        fetched.putAll(tested);
        return;
      }
      if (!known(wanted)) {
        fetched.clear();
        read(wanted, fetched);
      }
    }

    /** Fetches rows of which the index, or what is kept beside it, knows every column. */
    private boolean known(BitSet wanted) {
      int width = form.candidates().width();
      KeptColumn[] from = new KeptColumn[width];
      if (!key.all) {
        if (!isCurrent()) {
          return false;
        }
        if (columns == null) {
          // Those that were asked for before.
          readColumns(Set.of());
        }
        for (int column = 0; column < width; column++) {
          if (!isKey(column)) {
            from[column] = keptColumn(column);
            if (from[column] == null) {
              return false;
            }
          }
        }
      }
      for (int o = wanted.nextSetBit(0); o >= 0; o = wanted.nextSetBit(o + 1)) {
        Object[] row = new Object[width];
        for (int column = 0; column < width; column++) {
          KeptColumn of = from[column];
          Object stored = of == null ? index.id(o) : of.value(of.code(o));
          row[column] = KeptValues.value(stored, kept.types.get(column));
          if (row[column] == null && (stored != null || of == null)) {
            return false;
          }
        }
        fetched.put(o, row);
      }
      return true;
    }

    private void read(BitSet wanted, Map<Integer, Object[]> to) {
      List<Object> chunk = new ArrayList<>();
      // Not the index's own table of ids, which takes long to make for the first few rows.
      Map<Object, Integer> byId = new HashMap<>();
      for (int o = wanted.nextSetBit(0); o >= 0; o = wanted.nextSetBit(o + 1)) {
        chunk.add(index.id(o));
        byId.putIfAbsent(comparable(index.id(o)), o);
        if (chunk.size() == CHUNK) {
          read(chunk, byId, to);
          chunk.clear();
          byId.clear();
        }
      }
      if (!chunk.isEmpty()) {
        read(chunk, byId, to);
      }
    }

    /** An id whose equals is SQLite's: 1.0 is 1. */
    private static Object comparable(Object id) {
      if (id instanceof Double number && number == number.longValue()) {
        return number.longValue();
      }
      return id instanceof byte[] blob ? ByteBuffer.wrap(blob) : id;
    }

    private void read(List<Object> chunk, Map<Object, Integer> byId, Map<Integer, Object[]> to) {
      SqliteQuery query =
          key.unique
              ? searched.found.withAnyKey(ID, chunk.size())
              : searched.found.withAny(ID, chunk.size());
      try (Enumerator<Object> rows = query.rows(root, chunk.toArray()).enumerator()) {
        while (rows.moveNext()) {
          Object[] row = row(rows.current());
          Integer ordinal = byId.get(comparable(InputRows.id(row[form.candidates().width()])));
          if (ordinal != null) {
            to.put(ordinal, row);
          }
        }
      }
    }

    @Override
    public List<Object[]> rows(int ordinal) {
      // An index that may lag behind can have rows that are gone.
      Object[] row = fetched.get(ordinal);
      return row == null ? List.of() : List.<Object[]>of(row);
    }

    @Override
    public List<Object[]> withoutDistance(int most, boolean cosine) {
      List<Object[]> rows = new ArrayList<>();
      if (entry.skipped() > 0) {
        rows.addAll(read(others.empty, most));
      }
      if (cosine && rows.size() < most) {
        BitSet zero = index.zeroRows();
        if (ordinals() != null) {
          zero.and(ordinals());
        }
        while (zero.cardinality() > most - rows.size()) {
          zero.clear(zero.length() - 1);
        }
        Map<Integer, Object[]> found = new HashMap<>();
        read(zero, found);
        rows.addAll(found.values());
      }
      return rows;
    }

    @Override
    public Iterable<Object[]> all(int most) {
      return read(others.all, most);
    }

    private List<Object[]> read(SqliteQuery query, int most) {
      List<Object[]> list = new ArrayList<>();
      try (Enumerator<Object> rows = query.rows(root, new Object[0]).enumerator()) {
        while (list.size() < most && rows.moveNext()) {
          list.add(row(rows.current()));
        }
      }
      return list;
    }

    private Object[] row(Object current) {
      return current instanceof Object[] values ? values : new Object[] {current};
    }

    @Override
    public Iterable<Compared> compare() {
      List<Compared> list = new ArrayList<>();
      try (Enumerator<Object> rows = others.compared.rows(root, new Object[0]).enumerator()) {
        while (rows.moveNext()) {
          Object[] row = row(rows.current());
          float[] vector = null;
          if (row[form.candidates().width()] != null) {
            vector = vector(row[form.candidates().width()]);
            if (vector == null) {
              continue;
            }
          }
          list.add(new Compared(row, vector));
        }
      }
      return list;
    }

    private float[] vector(Object embedding) {
      byte[] blob = Values.bytes(embedding);
      if (blob == null && !(embedding instanceof String)) {
        return null;
      }
      try {
        float[] vector =
            blob == null ? VectorJson.parse((String) embedding) : VectorCodec.decode(blob);
        return vector.length == index.dims() ? vector : null;
      } catch (VectorException e) {
        return null;
      }
    }
  }
}
