/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.run.RecentlyUsed;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What is known of a filter over the rows of an index, for the last filters of each index.
 *
 * <p>What is remembered holds for one committed version of the database only, and goes with the
 * index. It takes an eighth of a byte for a row and filter, of at most {@link #MOST} filters.
 */
final class KnownFilters {
  private static final int MOST = 16;

  private static final Map<FlatIndex, Map<Key, Known>> KNOWN = new WeakHashMap<>();

  private KnownFilters() {}

  /**
   * A filter.
   *
   * @param version the database's version
   * @param sql the query that gives the ids of the rows kept
   * @param parameters the values of its parameters
   */
  record Key(Object version, String sql, List<Object> parameters) {}

  /** The rows that a filter keeps; or that it keeps many, and how many were tested in vain. */
  static final class Known {
    private final BitSet ordinals;
    private final AtomicLong wasted = new AtomicLong();

    /** With the rows kept, not to be changed any more; null if they are many and not all read. */
    Known(BitSet ordinals) {
      this.ordinals = ordinals;
    }

    BitSet ordinals() {
      return ordinals;
    }

    /** Counts rows that were tested and not kept. */
    void waste(int rows) {
      wasted.addAndGet(rows);
    }

    long wasted() {
      return wasted.get();
    }
  }

  static synchronized Known get(FlatIndex index, Key key) {
    Map<Key, Known> known = KNOWN.get(index);
    return known == null ? null : known.get(key);
  }

  static synchronized void put(FlatIndex index, Key key, Known filter) {
    KNOWN.computeIfAbsent(index, i -> new RecentlyUsed<>(MOST)).put(key, filter);
  }
}
