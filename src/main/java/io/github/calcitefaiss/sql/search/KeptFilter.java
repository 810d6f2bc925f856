/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.index.RowFilter;
import io.github.calcitefaiss.index.RowFilter.Comparison;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.calcite.DataContext;

/**
 * A condition that SQLite would evaluate, to be answered by columns that are kept beside an index:
 * with SQLite's meaning, or not at all.
 *
 * <p>What is doubtful, as the text of a real or the digits beyond the fifteenth, is left to SQLite.
 *
 * @see <a href="https://sqlite.org/datatype3.html">SQLite's comparisons and type affinity</a>
 */
public sealed interface KeptFilter {
  /** Whether all are true. */
  record And(List<KeptFilter> parts) implements KeptFilter {}

  /** Whether one is true. */
  record Or(List<KeptFilter> parts) implements KeptFilter {}

  /** The contrary. */
  record Not(KeptFilter of) implements KeptFilter {}

  /** Whether another is true. */
  record IsTrue(KeptFilter of) implements KeptFilter {}

  /** Whether another is unknown. */
  record IsUnknown(KeptFilter of) implements KeptFilter {}

  /** The same of all rows: true, false, or unknown for null. */
  record Constant(Boolean value) implements KeptFilter {}

  /** Whether a column is NULL. */
  record IsNull(String column) implements KeptFilter {}

  /** Whether a column, as it stands for a boolean, is true. */
  record IsNotZero(String column) implements KeptFilter {}

  /** Whether a column equals a value, NULL being a value as others. */
  record Same(Compare compare) implements KeptFilter {}

  /**
   * Compares a column.
   *
   * @param asReal whether it is cast to REAL
   */
  record Compare(String column, boolean asReal, Comparison comparison, Operand operand)
      implements KeptFilter {}

  /** What a column is compared with. */
  sealed interface Operand {}

  /** A value as SQLite has it: Long, Double, String, byte[] or null. */
  record Value(Object value) implements Operand {}

  /** A parameter of the statement. */
  record Parameter(int index) implements Operand {}

  /** A cast; only of what is of that type. */
  record Cast(Operand of, Class<?> type) implements Operand {}

  /** The columns that a condition is about. */
  default Set<String> columns() {
    Set<String> names = new HashSet<>();
    new KeptFilterBinding(null, null).columns(this, names);
    return names;
  }

  /** The condition for a run and the columns of an index; null if these can't tell. */
  default RowFilter bind(DataContext root, KeptColumns columns) {
    return new KeptFilterBinding(root, columns).of(this);
  }
}
