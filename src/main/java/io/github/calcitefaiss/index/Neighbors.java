/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * The rows found, nearest first, ties in the order of their ids.
 *
 * @param ordinals positions in the index, for {@link FlatIndex#id}
 * @param values the metric's value of each, as {@link Metric#value} defines it
 */
public record Neighbors(int[] ordinals, double[] values) {
  /** How many rows were found. */
  public int size() {
    return ordinals.length;
  }
}
