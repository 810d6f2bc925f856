/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.BitSet;
import java.util.List;

/**
 * A condition over kept columns. As in SQL, it is true, false or unknown of a row.
 *
 * <p>What is asked of one column is decided once for each of its values, not for each row.
 */
public sealed interface RowFilter {
  /** How a value compares. */
  enum Comparison {
    EQUAL,
    LESS,
    LESS_OR_EQUAL,
    GREATER,
    GREATER_OR_EQUAL
  }

  /**
   * Compares a column with a value, unknown where the column is NULL.
   *
   * @param asReal whether the column's values, which are numbers, are compared as doubles
   * @param value Long, Double, String or byte[]
   */
  record Compare(KeptColumn column, boolean asReal, Comparison comparison, Object value)
      implements RowFilter {}

  /** Whether a column's value is NULL; never unknown. */
  record IsNull(KeptColumn column) implements RowFilter {}

  /** Whether a column, which holds numbers only, isn't 0; unknown where it is NULL. */
  record IsNotZero(KeptColumn column) implements RowFilter {}

  /** Whether all are true. */
  record And(List<RowFilter> parts) implements RowFilter {}

  /** Whether one is true. */
  record Or(List<RowFilter> parts) implements RowFilter {}

  /** The contrary. */
  record Not(RowFilter of) implements RowFilter {}

  /** Whether another is true; never unknown. */
  record IsTrue(RowFilter of) implements RowFilter {}

  /** Whether another is unknown; never unknown itself. */
  record IsUnknown(RowFilter of) implements RowFilter {}

  /** The same of all rows: true, false, or unknown for null. */
  record Constant(Boolean value) implements RowFilter {}

  /** The rows, of so many, that the condition is true of. */
  default BitSet rows(int size) {
    return FilterPlaces.ofRows(size).where(this, true);
  }
}
