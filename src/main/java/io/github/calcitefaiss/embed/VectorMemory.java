/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import java.util.LinkedHashMap;
import java.util.Map;

/** Vectors of texts, as many as fit into a number of bytes; those asked for last are kept. */
final class VectorMemory {
  /** Roughly what an entry takes beside its text and its vector. */
  private static final int OVERHEAD = 150;

  private final long capacity;
  private final Map<Key, float[]> vectors = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  /**
   * A text as a model reads it.
   *
   * @param model not its name alone: another installation under the same name is another model
   */
  record Key(Object model, String text) {}

  VectorMemory(long capacity) {
    this.capacity = capacity;
  }

  private static long size(Key key, float[] vector) {
    return OVERHEAD + 2L * key.text().length() + 4L * vector.length;
  }

  synchronized float[] get(Key key) {
    return vectors.get(key);
  }

  /** Whether a vector is there, which doesn't count as asking for it. */
  synchronized boolean has(Key key) {
    return vectors.containsKey(key);
  }

  synchronized void put(Key key, float[] vector) {
    float[] before = vectors.put(key, vector);
    bytes += size(key, vector) - (before == null ? 0 : size(key, before));
    var oldest = vectors.entrySet().iterator();
    while (bytes > capacity && oldest.hasNext()) {
      Map.Entry<Key, float[]> entry = oldest.next();
      bytes -= size(entry.getKey(), entry.getValue());
      oldest.remove();
    }
  }
}
