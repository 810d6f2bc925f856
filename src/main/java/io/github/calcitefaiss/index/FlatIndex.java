/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;

/**
 * The vectors of one version of a table, searched exactly.
 *
 * <p>Immutable once built, so any number of threads may search it.
 */
public final class FlatIndex {
  private final int dims;
  private final List<float[]> vectors;
  private final List<Object> ids;

  private FlatIndex(int dims, List<float[]> vectors, List<Object> ids) {
    this.dims = dims;
    this.vectors = vectors;
    this.ids = ids;
  }

  /** Elements of each vector; 0 for an index without rows. */
  public int dims() {
    return dims;
  }

  /** Number of rows. */
  public int size() {
    return vectors.size();
  }

  /** Bytes of memory held. */
  public long bytes() {
    return (long) size() * (dims * 4L + 8);
  }

  /** The id of a row: Long, Double, String or byte[]. */
  public Object id(int ordinal) {
    return ids.get(ordinal);
  }

  /** Copies a row's vector. */
  public float[] vector(int ordinal) {
    return vectors.get(ordinal).clone();
  }

  /** The rows nearest to a vector; {@code checkpoint} is called while it works. */
  public Neighbors search(Search search, Checkpoint checkpoint) {
    record Hit(int ordinal, double value) {}
    Metric metric = search.metric();
    double sign = metric.descending() ? -1 : 1;
    PriorityQueue<Hit> worstFirst =
        new PriorityQueue<>(
            (a, b) -> {
              int c = Double.compare(sign * b.value, sign * a.value);
              return c != 0 ? c : Ids.compare(id(b.ordinal), id(a.ordinal));
            });
    for (int i = 0; i < size(); i++) {
      if ((i & 1023) == 0) {
        checkpoint.check();
      }
      if (search.rows() != null && !search.rows().get(i)) {
        continue;
      }
      double value = metric.value(search.query(), vectors.get(i)) + 0.0;
      if (Double.isNaN(value) || sign * value > sign * search.bound()) {
        continue;
      }
      worstFirst.add(new Hit(i, value));
      if (worstFirst.size() > search.k()) {
        worstFirst.poll();
      }
    }
    int n = worstFirst.size();
    int[] ordinals = new int[n];
    double[] values = new double[n];
    for (int i = n - 1; i >= 0; i--) {
      Hit hit = worstFirst.remove();
      ordinals[i] = hit.ordinal;
      values[i] = hit.value;
    }
    return new Neighbors(ordinals, values);
  }

  /** Answers many searches in one pass over the vectors; result i belongs to search i. */
  public Neighbors[] searchAll(List<Search> searches, Checkpoint checkpoint) {
    Neighbors[] results = new Neighbors[searches.size()];
    for (int i = 0; i < results.length; i++) {
      results[i] = search(searches.get(i), checkpoint);
    }
    return results;
  }

  /** Collects rows; used by one thread. */
  public static final class Builder {
    private int dims = -1;
    private final List<float[]> vectors = new ArrayList<>();
    private final List<Object> ids = new ArrayList<>();

    /**
     * Adds a row.
     *
     * @param id Long, Double, String or byte[]
     * @param blob the vector, float32 little-endian
     * @throws VectorException if the blob is no vector or has another dimension than the first; the
     *     builder is then as it was before
     */
    public void add(Object id, byte[] blob) {
      float[] vector = VectorCodec.decode(blob);
      if (vector.length == 0) {
        throw new VectorException("the vector is empty (0 bytes)");
      }
      if (dims >= 0 && vector.length != dims) {
        throw new VectorException("expected " + dims + " dimensions, got " + vector.length);
      }
      dims = vector.length;
      vectors.add(vector);
      ids.add(id);
    }

    /** Number of rows added. */
    public int size() {
      return vectors.size();
    }

    /** Builds the index; the builder can't be used afterwards. */
    public FlatIndex build() {
      return new FlatIndex(Math.max(dims, 0), vectors, ids);
    }
  }
}
