/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * The newest index of each table, shared by the whole process.
 *
 * <p>However many ask for a version at once, one of them loads it and the others wait. An index
 * that was handed out stays as it is; a newer version takes its place for those who come later.
 */
public final class IndexCache {
  private final Map<Object, Slot> slots = new ConcurrentHashMap<>();

  /** Loads one version of one table. */
  @FunctionalInterface
  public interface Loader {
    /** Loads it on the calling thread; throws whatever is wrong, also when cancelled. */
    Entry load() throws Exception;
  }

  /**
   * An index and how it came about.
   *
   * @param version which version of the table it holds
   * @param index the index
   * @param skipped rows that have no usable vector
   * @param buildNanos how long loading took
   * @param loadedAt when it was loaded, milliseconds since 1970
   */
  public record Entry(
      Object version, FlatIndex index, long skipped, long buildNanos, long loadedAt) {}

  /** What is known of a table's index: the entry may be null, when it isn't loaded. */
  public record Status(Entry entry, long searches) {}

  /**
   * The index of a version, loading it if it is not there.
   *
   * @param key which table
   * @param version which version of it
   * @param loader loads that version
   * @param checkpoint ends the waiting
   * @throws Exception what the loader threw, if this call is the one that loaded
   */
  public Entry get(Object key, Object version, Loader loader, Checkpoint checkpoint)
      throws Exception {
    Slot slot = slots.computeIfAbsent(key, k -> new Slot());
    slot.searches.increment();
    while (true) {
      Loading loading;
      boolean mine = false;
      synchronized (slot) {
        if (slot.newest != null && slot.newest.version().equals(version)) {
          return slot.newest;
        }
        loading = slot.loading.get(version);
        if (loading == null) {
          loading = new Loading();
          slot.loading.put(version, loading);
          mine = true;
        }
      }
      if (mine) {
        return load(slot, version, loading, loader);
      }
      while (!loading.done.await(20, TimeUnit.MILLISECONDS)) {
        checkpoint.check();
      }
      if (loading.entry != null) {
        return loading.entry;
      }
      // The one that loaded failed or was cancelled. That is its own affair: try again here.
      checkpoint.check();
    }
  }

  private static Entry load(Slot slot, Object version, Loading loading, Loader loader)
      throws Exception {
    try {
      loading.entry = loader.load();
      return loading.entry;
    } finally {
      synchronized (slot) {
        slot.loading.remove(version);
        if (loading.entry != null) {
          slot.newest = loading.entry;
        }
      }
      loading.done.countDown();
    }
  }

  /** What is known of a table's index. */
  public Status status(Object key) {
    Slot slot = slots.get(key);
    if (slot == null) {
      return new Status(null, 0);
    }
    synchronized (slot) {
      return new Status(slot.newest, slot.searches.sum());
    }
  }

  private static final class Slot {
    private final LongAdder searches = new LongAdder();
    private final Map<Object, Loading> loading = new ConcurrentHashMap<>();
    private Entry newest;
  }

  private static final class Loading {
    private final CountDownLatch done = new CountDownLatch(1);
    private volatile Entry entry;
  }
}
