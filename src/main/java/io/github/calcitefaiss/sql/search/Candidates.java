/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.RowGroups;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The rows that a search may find, and how they belong to the rows of the index. */
interface Candidates {
  /** A row and its vector, which may be null. */
  record Compared(Object[] row, float[] vector) {}

  /** Collects the ordinals of groups. */
  final class Groups {
    private final Map<List<Object>, int[]> members = new HashMap<>();
    private final Map<List<Object>, Integer> sizes = new HashMap<>();

    void add(List<Object> values, int ordinal) {
      int size = sizes.merge(values, 1, Integer::sum);
      int[] known = members.get(values);
      if (known == null || known.length < size) {
        known = known == null ? new int[4] : Arrays.copyOf(known, 2 * known.length);
        members.put(values, known);
      }
      known[size - 1] = ordinal;
    }

    Map<List<Object>, int[]> build() {
      members.replaceAll((values, known) -> Arrays.copyOf(known, sizes.get(values)));
      return members;
    }
  }

  /** Whether ids tell the rows apart; if not, only {@link #compare} may be called. */
  boolean indexed();

  /** The index's rows that are candidates; null for all. */
  BitSet ordinals();

  /** Whether there are many candidates, so that {@link #test} beats {@link #ordinals}. */
  boolean isTested();

  /** Those of some of the index's rows that are candidates, which counts as {@link #fetch}. */
  BitSet test(BitSet some);

  /** Whether a column of the candidates is the id. */
  boolean isKey(int column);

  /** The index's rows that are candidates, by the values of some of the candidates' columns. */
  Map<List<Object>, int[]> groups(List<Integer> columns);

  /**
   * The same where each row has one place among them, and it costs less; null where it doesn't.
   *
   * @param columns as for {@link #groups}
   */
  default RowGroups partition(List<Integer> columns) {
    return null;
  }

  /** Gets ready to give the rows of some ordinals. */
  void fetch(BitSet ordinals);

  /** The candidates that have the vector of an ordinal that was fetched. */
  List<Object[]> rows(int ordinal);

  /** Candidates without a vector, at most so many; under cosine also those with a zero one. */
  List<Object[]> withoutDistance(int most, boolean cosine);

  /** All candidates, at most so many. */
  Iterable<Object[]> all(int most);

  /** All candidates with their vectors. */
  Iterable<Compared> compare();
}
