/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.function.IntFunction;
import java.util.function.LongConsumer;

/** The ids of an index's rows: longs as long as all are, objects from the first other one on. */
final class IdColumn implements IntFunction<Object> {
  private final LongConsumer charge;
  private long[] longs = new long[0];
  private Object[] objects;
  private int size;

  IdColumn(LongConsumer charge) {
    this.charge = charge;
  }

  int size() {
    return size;
  }

  /** Bytes held; of objects, only what their references and usual headers take. */
  long bytes() {
    return objects == null ? 8L * longs.length : 32L * objects.length;
  }

  Object get(int row) {
    return objects == null ? (Object) longs[row] : objects[row];
  }

  /** Whether all ids are longs, so that {@link #getLong} gives them. */
  boolean holdsLongs() {
    return objects == null;
  }

  long getLong(int row) {
    return longs[row];
  }

  /** The ids, of which the first {@link #size} count, where all are longs. */
  long[] longs() {
    return longs;
  }

  @Override
  public Object apply(int row) {
    return get(row);
  }

  int compare(int a, int b) {
    return objects == null ? Long.compare(longs[a], longs[b]) : Ids.compare(objects[a], objects[b]);
  }

  void add(Object id) {
    if (objects == null) {
      if (id instanceof Long value) {
        addLong(value);
        return;
      }
      charge.accept(24L * longs.length);
      objects = new Object[longs.length];
      for (int i = 0; i < size; i++) {
        objects[i] = longs[i];
      }
      longs = null;
    }
    if (size == objects.length) {
      int capacity = grown();
      charge.accept(32L * (capacity - size));
      objects = Arrays.copyOf(objects, capacity);
    }
    objects[size++] = id;
  }

  void addLong(long id) {
    if (objects != null) {
      add(id);
      return;
    }
    if (size == longs.length) {
      int capacity = grown();
      charge.accept(8L * (capacity - size));
      longs = Arrays.copyOf(longs, capacity);
    }
    longs[size++] = id;
  }

  private int grown() {
    return (int) Math.min(Integer.MAX_VALUE - 8, Math.max(64, size + (size >> 1) + 0L));
  }
}
