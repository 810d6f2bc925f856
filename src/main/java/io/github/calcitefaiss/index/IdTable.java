/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/**
 * Finds the rows that have an id: a hash table of ordinals, open addressing.
 *
 * <p>Ids that SQLite holds for equal are equal here: 1 is 1.0.
 */
final class IdTable {
  private final IntFunction<Object> ids;
  private final int[] slots;
  private final boolean unique;

  IdTable(int size, IntFunction<Object> ids) {
    this.ids = ids;
    slots = new int[Math.max(2, Integer.highestOneBit(Math.max(1, size)) * 4)];
    Arrays.fill(slots, -1);
    boolean repeated = false;
    for (int ordinal = 0; ordinal < size; ordinal++) {
      Object id = ids.apply(ordinal);
      int slot = slot(id);
      while (slots[slot] >= 0) {
        repeated = repeated || Ids.compare(ids.apply(slots[slot]), id) == 0;
        slot = slot + 1 & slots.length - 1;
      }
      slots[slot] = ordinal;
    }
    unique = !repeated;
  }

  /** Whether no two rows have one id. */
  boolean unique() {
    return unique;
  }

  /** The first row that has an id, or -1. */
  int first(Object id) {
    int slot = slot(id);
    while (slots[slot] >= 0 && Ids.compare(ids.apply(slots[slot]), id) != 0) {
      slot = slot + 1 & slots.length - 1;
    }
    return slots[slot];
  }

  long bytes() {
    return 4L * slots.length;
  }

  /** Passes on the ordinals of all rows that have an id, in ascending order. */
  void find(Object id, IntConsumer found) {
    // Rows of one id were put in by ordinal, each at the next free place, so they come in order.
    for (int slot = slot(id); slots[slot] >= 0; slot = slot + 1 & slots.length - 1) {
      if (Ids.compare(ids.apply(slots[slot]), id) == 0) {
        found.accept(slots[slot]);
      }
    }
  }

  private int slot(Object id) {
    int hash;
    if (id instanceof byte[] blob) {
      hash = Arrays.hashCode(blob);
    } else if (id instanceof Number n) {
      // The double of a long is the double of every number equal to it.
      hash = Double.hashCode(n.doubleValue() + 0.0);
    } else {
      hash = id.hashCode();
    }
    hash *= 0x9E3779B9;
    return (hash ^ hash >>> 15) & slots.length - 1;
  }
}
