/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A map of bounded size: the entry that was not asked for longest makes room for a new one.
 *
 * <p>Reading changes its order, so whoever shares it between threads locks it for reading, too.
 */
public final class RecentlyUsed<K, V> extends LinkedHashMap<K, V> {
  private static final long serialVersionUID = 1;

  private final int capacity;

  /** An empty map of at most so many entries. */
  public RecentlyUsed(int capacity) {
    super(16, 0.75f, true);
    this.capacity = capacity;
  }

  @Override
  protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
    return size() > capacity;
  }
}
