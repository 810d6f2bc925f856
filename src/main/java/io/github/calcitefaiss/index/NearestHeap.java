/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;

/**
 * The k smallest (key, item) pairs offered so far, as a heap with the largest on top.
 *
 * <p>The order is by key, then by what the items stand for, then by item, so it is total and the
 * result does not depend on the order of the offers. Memory grows with what is held, not with k.
 */
final class NearestHeap {
  /** Compares what two items stand for. */
  @FunctionalInterface
  interface Ties {
    int compare(int a, int b);
  }

  private final int k;
  private final Ties ties;
  private double[] keys;
  private int[] items;
  private int size;

  NearestHeap(int k, Ties ties) {
    this.k = k;
    this.ties = ties;
    int capacity = Math.min(k, 16);
    keys = new double[capacity];
    items = new int[capacity];
  }

  int size() {
    return size;
  }

  /** No pair with a larger key can get in; infinite while there is room. */
  double worst() {
    return size < k ? Double.POSITIVE_INFINITY : k == 0 ? Double.NEGATIVE_INFINITY : keys[0];
  }

  /** The item to go when a nearer one comes. */
  int top() {
    return items[0];
  }

  /** Whether a pair would be kept. NaN keys never are. */
  boolean accepts(double key, int item) {
    return k > 0 && key == key && (size < k || before(key, item, keys[0], items[0]));
  }

  /** Takes a pair if it is among the k smallest; says whether it did. */
  boolean offer(double key, int item) {
    if (!accepts(key, item)) {
      return false;
    }
    if (size < k) {
      if (size == keys.length) {
        int capacity = (int) Math.min(k, 2L * size);
        keys = Arrays.copyOf(keys, capacity);
        items = Arrays.copyOf(items, capacity);
      }
      up(size++, key, item);
    } else {
      down(key, item);
    }
    return true;
  }

  /** Replaces the largest pair by one that is smaller. */
  void replaceTop(double key, int item) {
    down(key, item);
  }

  /** Offers all that this heap holds to another. */
  void offerTo(NearestHeap other) {
    for (int i = 0; i < size; i++) {
      other.offer(keys[i], items[i]);
    }
  }

  /** Empties the heap into arrays, smallest pair first. */
  void drain(double[] toKeys, int[] toItems) {
    while (size > 0) {
      size--;
      double key = keys[size];
      int item = items[size];
      toKeys[size] = keys[0];
      toItems[size] = items[0];
      if (size > 0) {
        down(key, item);
      }
    }
  }

  private boolean before(double key, int item, double otherKey, int otherItem) {
    if (key != otherKey) {
      return key < otherKey;
    }
    int c = ties.compare(item, otherItem);
    return c != 0 ? c < 0 : item < otherItem;
  }

  private void up(int at, double key, int item) {
    int i = at;
    while (i > 0) {
      int parent = (i - 1) / 2;
      if (!before(keys[parent], items[parent], key, item)) {
        break;
      }
      keys[i] = keys[parent];
      items[i] = items[parent];
      i = parent;
    }
    keys[i] = key;
    items[i] = item;
  }

  private void down(double key, int item) {
    int i = 0;
    while (true) {
      int child = 2 * i + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size
          && before(keys[child], items[child], keys[child + 1], items[child + 1])) {
        child++;
      }
      if (!before(key, item, keys[child], items[child])) {
        break;
      }
      keys[i] = keys[child];
      items[i] = items[child];
      i = child;
    }
    keys[i] = key;
    items[i] = item;
  }
}
