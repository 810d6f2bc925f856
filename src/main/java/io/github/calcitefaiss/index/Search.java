/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.BitSet;

/**
 * What is asked of an index: the nearest rows to one vector.
 *
 * @param query the vector, of the index's dimension, every element finite
 * @param metric how vectors are compared
 * @param k how many rows at most; the result has fewer where fewer qualify
 * @param bound the farthest value that qualifies, inclusive (the smallest one for a descending
 *     metric); NaN for none
 * @param rows the ordinals that qualify, or null for all
 */
public record Search(float[] query, Metric metric, int k, double bound, BitSet rows) {
  /** The {@code k} nearest of all rows. */
  public static Search nearest(float[] query, Metric metric, int k) {
    return new Search(query, metric, k, Double.NaN, null);
  }
}
