/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/** Where the vectors are of an index that holds codes only. */
@FunctionalInterface
public interface Floats {
  /**
   * Reads the vectors of some rows.
   *
   * @param ordinals of the rows, ascending
   * @param n how many
   * @param to receives the elements, one vector after the other
   */
  void read(int[] ordinals, int n, float[] to);
}
