/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;

/**
 * Candidates that another part of the plan computes: filtered or joined in any way, each with the
 * id of one row of the indexed table, whose primary key that is.
 */
final class InputRows implements Candidates {
  private final FlatIndex index;
  private final int key;
  private final BitSet ordinals = new BitSet();
  private final Map<Integer, List<Object[]>> byOrdinal = new HashMap<>();
  private final List<Object[]> withoutVector = new ArrayList<>();
  private final List<Object[]> unusable = new ArrayList<>();

  InputRows(
      DataContext root,
      SqliteSchema schema,
      IndexedTable table,
      IndexCache.Entry entry,
      FlatIndex index,
      int key,
      List<Object[]> rows)
      throws SQLException {
    this.index = index;
    this.key = key;
    BadRows bad = new BadRows(root, schema, table, entry);
    for (Object[] row : rows) {
      if (!isOfAnother(row, entry)) {
        add(row, bad);
      }
    }
  }

  /** The rows of another part of the plan, which are read once. */
  static List<Object[]> read(Enumerable<Object[]> rows) {
    List<Object[]> list = new ArrayList<>();
    try (Enumerator<Object[]> row = rows.enumerator()) {
      while (row.moveNext()) {
        list.add(row.current());
      }
    }
    return list;
  }

  /** Whether a row's vector is in the index of another dimension. */
  private boolean isOfAnother(Object[] row, IndexCache.Entry entry) {
    if (entry.mixed() == null || row[key] == null) {
      return false;
    }
    Object id = id(row[key]);
    return entry.indexes().stream().anyMatch(other -> other != index && other.ordinal(id) >= 0);
  }

  private void add(Object[] row, BadRows bad) {
    Object id = id(row[key]);
    int ordinal = id == null || index.size() == 0 ? -1 : index.ordinal(id);
    if (ordinal >= 0) {
      ordinals.set(ordinal);
      byOrdinal.computeIfAbsent(ordinal, o -> new ArrayList<>(1)).add(row);
    } else if (bad.contains(id)) {
      unusable.add(row);
    } else {
      withoutVector.add(row);
    }
  }

  /** An id as the index has it. */
  static Object id(Object value) {
    return value instanceof ByteString bytes ? bytes.getBytes() : value;
  }

  @Override
  public boolean indexed() {
    return true;
  }

  @Override
  public BitSet ordinals() {
    return ordinals;
  }

  @Override
  public boolean isTested() {
    return false;
  }

  @Override
  public BitSet test(BitSet some) {
    throw new IllegalStateException("all candidates are known");
  }

  @Override
  public boolean isKey(int column) {
    return column == key;
  }

  @Override
  public Map<List<Object>, int[]> groups(List<Integer> columns) {
    Groups groups = new Groups();
    byOrdinal.forEach(
        (ordinal, rows) -> {
          Set<List<Object>> seen = new HashSet<>();
          for (Object[] row : rows) {
            List<Object> values = new ArrayList<>(columns.size());
            for (int column : columns) {
              values.add(row[column]);
            }
            if (seen.add(values)) {
              groups.add(values, ordinal);
            }
          }
        });
    return groups.build();
  }

  @Override
  public void fetch(BitSet wanted) {
    // All are here.
  }

  @Override
  public List<Object[]> rows(int ordinal) {
    return byOrdinal.get(ordinal);
  }

  @Override
  public List<Object[]> withoutDistance(int most, boolean cosine) {
    List<Object[]> rows = new ArrayList<>(withoutVector);
    if (cosine) {
      BitSet zero = index.zeroRows();
      zero.and(ordinals);
      zero.stream().forEach(ordinal -> rows.addAll(byOrdinal.get(ordinal)));
    }
    return rows.size() > most ? rows.subList(0, most) : rows;
  }

  @Override
  public Iterable<Object[]> all(int most) {
    List<Object[]> rows = new ArrayList<>(withoutVector);
    rows.addAll(unusable);
    byOrdinal.values().forEach(rows::addAll);
    return rows.size() > most ? rows.subList(0, most) : rows;
  }

  @Override
  public Iterable<Compared> compare() {
    throw new IllegalStateException("compared by the index");
  }
}
