/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The k nearest of a stream of (id, value) pairs, smallest value first, ties in the order of ids.
 *
 * <p>Holds at most k pairs and what it holds grows with the pairs kept, so a huge k costs nothing
 * by itself. For one thread.
 */
public final class TopK {
  private static final VarHandle FLOATS =
      MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);

  private final NearestHeap heap;
  private final int k;
  private final List<Object> ids = new ArrayList<>();

  /** Prepares for the k nearest; k is 0 or more. */
  public TopK(int k) {
    this.k = k;
    heap = new NearestHeap(k, (a, b) -> Ids.compare(ids.get(a), ids.get(b)));
  }

  /** Pairs held now. */
  public int size() {
    return heap.size();
  }

  /** A pair with a larger value won't be kept; infinite while there is room for any. */
  public double threshold() {
    return heap.worst();
  }

  /**
   * Takes a pair if it is among the k nearest so far.
   *
   * @param value what is compared; a NaN is never kept
   * @param id Long, Double, String or byte[]
   * @return whether it was taken
   */
  public boolean offer(double value, Object id) {
    if (!(value <= heap.worst())) {
      return false;
    }
    if (heap.size() < k) {
      ids.add(id);
      return heap.offer(value + 0.0, ids.size() - 1);
    }
    int slot = heap.top();
    if (value == heap.worst() && Ids.compare(id, ids.get(slot)) >= 0) {
      return false;
    }
    ids.set(slot, id);
    heap.replaceTop(value + 0.0, slot);
    return true;
  }

  /** One pair of the result. */
  public record Hit(Object id, double value) {}

  /** The pairs kept, nearest first; empties this. */
  public List<Hit> drain() {
    int n = heap.size();
    double[] values = new double[n];
    int[] slots = new int[n];
    heap.drain(values, slots);
    List<Hit> hits = new ArrayList<>(n);
    for (int i = 0; i < n; i++) {
      hits.add(new Hit(ids.get(slots[i]), values[i]));
    }
    ids.clear();
    return hits;
  }

  /**
   * The squared L2 distance between a query and a vector in a blob, without decoding it first; the
   * same bits as {@link Metric#L2_SQUARED}'s value.
   *
   * @param blob float32 little-endian, of the query's length
   * @throws VectorException if the blob is no vector, has another dimension or an element that is
   *     not finite
   */
  public static double l2Squared(float[] query, byte[] blob) {
    if (blob.length != 4 * query.length) {
      throw new VectorException(
          "expected " + query.length + " dimensions, got " + VectorCodec.elements(blob));
    }
    double sum = 0;
    for (int i = 0; i < query.length; i++) {
      double d = (double) query[i] - (float) FLOATS.get(blob, 4 * i);
      sum += d * d;
    }
    // The sum is finite for finite elements, and not finite as soon as one is not.
    if (!Double.isFinite(sum)) {
      VectorCodec.decode(blob);
    }
    return sum;
  }
}
