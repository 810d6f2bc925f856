/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.run.FaissException;

/**
 * What became of one text.
 *
 * @param vector its vector, not to be changed; null if it has none
 * @param failure why it has none; null if it has one
 */
public record Embedded(float[] vector, FaissException failure) {
  static Embedded of(float[] vector) {
    return new Embedded(vector, null);
  }

  static Embedded failed(FaissException failure) {
    return new Embedded(null, failure);
  }

  /** The vector, or the failure thrown. */
  public float[] get() throws FaissException {
    if (failure != null) {
      throw failure;
    }
    return vector;
  }
}
