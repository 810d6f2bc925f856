/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The newest index of each table, shared by the whole process, within a limit of memory.
 *
 * <p>However many ask for a version at once, it is loaded once, on a thread of its own, and the
 * load goes on as long as one of them waits for it. An index that was handed out stays as it is; a
 * newer version takes its place for those who come later. Memory is charged before it is allocated;
 * to make room, what is held beside indexes goes first, then the indexes that were asked for least
 * recently, that of a version gone by before the others.
 */
public final class IndexCache {
  /** System property: the most memory that all indexes of the process may hold, as in 512MB. */
  public static final String LIMIT = "calcitefaiss.memoryLimit";

  /** Share of the heap that indexes may hold where nothing else is said. */
  private static final double DEFAULT_SHARE = 0.6;

  private static final long WAIT_MILLIS = 20;

  private static final ThreadPoolExecutor LOADERS =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE,
          1,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          body -> Daemons.thread("calcite-faiss-load", body));

  private final long limit;
  private final Map<Object, Slot> slots = new HashMap<>();
  private final Map<Object, Long> heldByGroup = new HashMap<>();
  private long held;
  private long clock;

  /** Makes a cache that holds at most some bytes. */
  public IndexCache(long limit) {
    this.limit = limit;
  }

  /** The limit of the process: of the system property, or a share of the heap. */
  public static long processLimit() {
    String text = System.getProperty(LIMIT);
    long limit = text == null ? -1 : MemorySize.parse(text);
    if (text != null && limit < 0) {
      throw new IllegalArgumentException(
          "System property " + LIMIT + " is '" + text + "', expected an amount such as 512MB");
    }
    return limit < 0 ? (long) (Runtime.getRuntime().maxMemory() * DEFAULT_SHARE) : limit;
  }

  /** Begins to load one version of one table. */
  @FunctionalInterface
  public interface Loader {
    /**
     * Gets hold of the data, on the calling thread.
     *
     * @return null if that version can't be had any more
     */
    Source open() throws Exception;
  }

  /** The data of one version of one table; loaded and closed on another thread. */
  public interface Source {
    /**
     * Says that it will be loaded; called before, on the thread that opened it.
     *
     * @param abandoned tells when nobody waits for the load any more
     */
    void handOver(BooleanSupplier abandoned);

    /**
     * Reads it into an index.
     *
     * @param checkpoint throws when nobody waits for the load any more
     * @param memory is told before memory is allocated, and may refuse
     * @param previous an index of another version of the table, or null; if nothing changed, its
     *     index may be handed on
     */
    Entry load(Checkpoint checkpoint, Memory memory, Entry previous) throws Exception;

    /** Releases the data. */
    void close();
  }

  /** What a load holds of the memory. */
  public interface Memory {
    /** The most that one load could get. */
    long limit();

    /**
     * Charges bytes about to be allocated, or gives back a negative number of them.
     *
     * @throws MemoryLimitException if there is no room, even without all other indexes
     */
    void charge(long bytes);
  }

  /**
   * An index and how it came about.
   *
   * @param version which version of the table it holds
   * @param index the index
   * @param bytes memory that it holds, ids included
   * @param skipped rows that have no usable vector
   * @param buildNanos how long loading took
   * @param loadedAt when it was loaded, milliseconds since 1970
   * @param mixed where the vectors have several dimensions, an index for each; else null, and
   *     {@code index} is that of most vectors
   */
  public record Entry(
      Comparable<?> version,
      FlatIndex index,
      long bytes,
      long skipped,
      long buildNanos,
      long loadedAt,
      Mixed mixed) {
    /** An index of vectors that all have one dimension. */
    public Entry(
        Comparable<?> version,
        FlatIndex index,
        long bytes,
        long skipped,
        long buildNanos,
        long loadedAt) {
      this(version, index, bytes, skipped, buildNanos, loadedAt, null);
    }

    /** The index of each dimension, that of most vectors first. */
    public Collection<FlatIndex> indexes() {
      return mixed == null ? List.of(index) : mixed.byDims.values();
    }

    /** The index of a dimension; an empty one serves for all; null if there is none. */
    public FlatIndex index(int dims) {
      return mixed != null
          ? mixed.byDims.get(dims)
          : index.size() == 0 || index.dims() == dims ? index : null;
    }

    /** Number of rows, of whatever dimension. */
    public long size() {
      return indexes().stream().mapToLong(FlatIndex::size).sum();
    }
  }

  /**
   * A table whose vectors have several dimensions.
   *
   * @param byDims the index of each, that of most vectors first
   * @param toldApart whether a column of the table says which dimension a row has, so that each is
   *     meant to be searched by itself; else the rows of the rarer ones may be mistakes
   * @param what a sentence for the person who asks: which there are, and what to do
   */
  public record Mixed(Map<Integer, FlatIndex> byDims, boolean toldApart, String what) {}

  /** What is known of a table's index: the entry may be null, when it isn't loaded. */
  public record Status(Entry entry, long searches) {}

  /**
   * The index of a version, loading it if it is not there.
   *
   * @param key which table
   * @param group which tables share a limit
   * @param groupLimit the most bytes that the indexes of the group may hold
   * @param version which version of the table
   * @param loader loads that version
   * @param checkpoint ends the waiting
   * @return null if the loader says that the version can't be had
   * @throws Exception what went wrong with the load, thrown to all who waited for it
   */
  public Entry get(
      Object key,
      Object group,
      long groupLimit,
      Comparable<?> version,
      Loader loader,
      Checkpoint checkpoint)
      throws Exception {
    checkpoint.check();
    Loading loading;
    synchronized (this) {
      Slot slot = slot(key);
      Entry known = known(slot, version);
      if (known != null) {
        return known;
      }
      loading = join(slot, version);
    }
    if (loading == null) {
      // Whoever begins a load has the data already, so that those who wait for it, and may hold
      // what a writer waits for, never wait for a writer themselves.
      Source source = loader.open();
      if (source == null) {
        return null;
      }
      boolean mine = false;
      try {
        synchronized (this) {
          Slot slot = slot(key);
          Entry known = known(slot, version);
          if (known != null) {
            return known;
          }
          loading = join(slot, version);
          if (loading == null) {
            loading = new Loading(slot, group, groupLimit, version);
            loading.waiting = 1;
            slot.loading.put(version, loading);
            mine = true;
          }
        }
      } finally {
        if (!mine) {
          source.close();
        }
      }
      if (mine) {
        Loading begun = loading;
        source.handOver(() -> begun.waiting == 0);
        LOADERS.execute(() -> load(begun, source));
      }
    }
    try {
      while (!loading.done.await(WAIT_MILLIS, TimeUnit.MILLISECONDS)) {
        checkpoint.check();
      }
    } finally {
      synchronized (this) {
        loading.waiting--;
      }
    }
    if (loading.failure != null) {
      throw loading.failure;
    }
    return loading.entry;
  }

  private synchronized Entry newest(Slot slot) {
    return slot.newest;
  }

  private Entry known(Slot slot, Object version) {
    if (slot.newest == null || !slot.newest.version().equals(version)) {
      return null;
    }
    slot.usedAt = ++clock;
    return slot.newest;
  }

  private static Loading join(Slot slot, Object version) {
    Loading loading = slot.loading.get(version);
    if (loading == null || loading.waiting == 0) {
      return null;
    }
    loading.waiting++;
    return loading;
  }

  private void load(Loading loading, Source source) {
    Entry entry = null;
    try {
      try {
        entry = attempt(loading, source);
      } catch (OutOfMemoryError e) {
        // The heap holds more than what is charged here. What nobody waits for goes.
        dropAll(loading);
        entry = attempt(loading, source);
      }
    } catch (Exception e) {
      loading.failure = e;
    } catch (Throwable e) {
      loading.failure = new IllegalStateException(e.toString(), e);
    } finally {
      source.close();
      finish(loading, entry);
    }
  }

  private Entry attempt(Loading loading, Source source) throws Exception {
    return source.load(
        () -> {
          if (loading.waiting == 0) {
            throw new IllegalStateException("nobody waits for this load any more");
          }
        },
        new Memory() {
          @Override
          public long limit() {
            return Math.min(limit, loading.groupLimit);
          }

          @Override
          public void charge(long bytes) {
            IndexCache.this.charge(loading, bytes);
          }
        },
        newest(loading.slot));
  }

  /** Drops every index, and what a load has charged so far. */
  private synchronized void dropAll(Loading loading) {
    for (Slot slot : slots.values()) {
      if (slot.newest != null) {
        drop(slot);
      }
    }
    add(loading.group, -loading.charged);
    loading.charged = 0;
  }

  /**
   * Begins to hold something beside an index that is there, for which no index is put out.
   *
   * @param key which table
   * @param entry the table's index
   * @param forget lets it go, when the index goes or other indexes need the room
   */
  public synchronized Beside beside(Object key, Entry entry, Runnable forget) {
    Slot slot = slot(key);
    Beside beside = new Beside(slot, forget);
    if (slot.newest == entry) {
      slot.besides.add(beside);
    } else {
      beside.gone = true;
    }
    return beside;
  }

  /** What is held beside an index. */
  public final class Beside {
    private final Slot slot;
    private final Runnable forget;
    private long bytes;
    private boolean gone;

    private Beside(Slot slot, Runnable forget) {
      this.slot = slot;
      this.forget = forget;
    }

    /**
     * Charges bytes about to be allocated, or gives back a negative number of them.
     *
     * @throws MemoryLimitException if there is no room, or the index is gone
     */
    public void charge(long more) {
      synchronized (IndexCache.this) {
        if (more > 0) {
          boolean group = held(slot.group) + more > slot.groupLimit;
          if (gone || group || held + more > limit) {
            throw new MemoryLimitException(group ? slot.groupLimit : limit);
          }
        }
        if (!gone) {
          bytes += more;
          add(slot.group, more);
        }
      }
    }

    /** Holds it, unless it has to go already; whether it is held. */
    public boolean hold(Runnable what) {
      synchronized (IndexCache.this) {
        if (!gone) {
          what.run();
        }
        return !gone;
      }
    }

    /** Gives all back. */
    public void close() {
      synchronized (IndexCache.this) {
        slot.besides.remove(this);
        let();
      }
    }

    private void let() {
      if (!gone) {
        gone = true;
        add(slot.group, -bytes);
        forget.run();
      }
    }
  }

  private static void forgetBesides(Slot slot) {
    slot.besides.forEach(Beside::let);
    slot.besides.clear();
  }

  /** Forgets what is beside the indexes of a group, or of all; whether that made any room. */
  private boolean forgetBesides(Object group) {
    long before = held;
    for (Slot slot : slots.values()) {
      if (group == null || group.equals(slot.group)) {
        forgetBesides(slot);
      }
    }
    return held < before;
  }

  private synchronized void charge(Loading loading, long bytes) {
    while (bytes > 0) {
      boolean group = held(loading.group) + bytes > loading.groupLimit;
      if (!group && held + bytes <= limit) {
        break;
      }
      if (forgetBesides(group ? loading.group : null)) {
        continue;
      }
      Slot victim = leastMissed(loading, group);
      if (victim == null) {
        throw new MemoryLimitException(group ? loading.groupLimit : limit);
      }
      drop(victim);
    }
    loading.charged += bytes;
    add(loading.group, bytes);
  }

  private long held(Object group) {
    return heldByGroup.getOrDefault(group, 0L);
  }

  private void add(Object group, long bytes) {
    held += bytes;
    heldByGroup.merge(group, bytes, (a, b) -> a + b == 0 ? null : (Long) (a + b));
  }

  /**
   * The index to drop for a load: the older version of its own table, or the one unused longest.
   */
  private Slot leastMissed(Loading loading, boolean ofGroup) {
    if (loading.slot.newest != null) {
      return loading.slot;
    }
    Slot victim = null;
    for (Slot slot : slots.values()) {
      if (slot.newest != null
          && (!ofGroup || slot.group.equals(loading.group))
          && (victim == null || slot.usedAt < victim.usedAt)) {
        victim = slot;
      }
    }
    return victim;
  }

  private void drop(Slot slot) {
    forgetBesides(slot);
    add(slot.group, -slot.charged);
    slot.newest = null;
    slot.charged = 0;
  }

  private void finish(Loading loading, Entry entry) {
    synchronized (this) {
      Slot slot = loading.slot;
      slot.loading.remove(loading.version, loading);
      add(loading.group, -loading.charged);
      if (entry != null) {
        loading.entry = entry;
        if (slot.newest == null || compare(slot.newest.version(), entry.version()) < 0) {
          if (slot.newest != null) {
            drop(slot);
          }
          slot.newest = entry;
          slot.group = loading.group;
          slot.groupLimit = loading.groupLimit;
          slot.charged = entry.bytes();
          slot.usedAt = ++clock;
          add(slot.group, slot.charged);
        }
      }
    }
    loading.done.countDown();
  }

  @SuppressWarnings("unchecked")
  private static int compare(Comparable<?> a, Comparable<?> b) {
    return ((Comparable<Object>) a).compareTo(b);
  }

  private Slot slot(Object key) {
    return slots.computeIfAbsent(key, k -> new Slot());
  }

  /** Counts a search of a table. */
  public synchronized void count(Object key) {
    slot(key).searches++;
  }

  /** Says that a version was seen to be the current one at a {@link System#nanoTime}. */
  public synchronized void confirm(Object key, Comparable<?> version, long nanoTime) {
    Slot slot = slot(key);
    if (slot.newest != null && slot.newest.version().equals(version)) {
      slot.confirmedAt = nanoTime;
    }
  }

  /** The newest index, if it was seen to be current at most some nanoseconds ago; or null. */
  public synchronized Entry recent(Object key, long nanos) {
    Slot slot = slot(key);
    if (slot.newest == null || System.nanoTime() - slot.confirmedAt > nanos) {
      return null;
    }
    slot.usedAt = ++clock;
    return slot.newest;
  }

  /** Bytes held by indexes and by loads now. */
  public synchronized long bytes() {
    return held;
  }

  /** How many wait for a load of a table. */
  synchronized int waiting(Object key) {
    return slot(key).loading.values().stream().mapToInt(loading -> loading.waiting).sum();
  }

  /** What is known of a table's index. */
  public synchronized Status status(Object key) {
    Slot slot = slots.get(key);
    return slot == null ? new Status(null, 0) : new Status(slot.newest, slot.searches);
  }

  private static final class Slot {
    private final Map<Object, Loading> loading = new HashMap<>();
    private Entry newest;
    private final List<Beside> besides = new ArrayList<>();
    private Object group;
    private long groupLimit;
    private long charged;
    private long usedAt;
    private long confirmedAt;
    private long searches;
  }

  private static final class Loading {
    private final CountDownLatch done = new CountDownLatch(1);
    private final Slot slot;
    private final Object group;
    private final long groupLimit;
    private final Object version;
    private long charged;
    private volatile int waiting;
    private volatile Entry entry;
    private volatile Exception failure;

    private Loading(Slot slot, Object group, long groupLimit, Object version) {
      this.slot = slot;
      this.group = group;
      this.groupLimit = groupLimit;
      this.version = version;
    }
  }
}
