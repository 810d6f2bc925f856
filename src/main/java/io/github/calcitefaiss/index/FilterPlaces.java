/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import io.github.calcitefaiss.index.RowFilter.And;
import io.github.calcitefaiss.index.RowFilter.Compare;
import io.github.calcitefaiss.index.RowFilter.Constant;
import io.github.calcitefaiss.index.RowFilter.IsNotZero;
import io.github.calcitefaiss.index.RowFilter.IsNull;
import io.github.calcitefaiss.index.RowFilter.IsTrue;
import io.github.calcitefaiss.index.RowFilter.IsUnknown;
import io.github.calcitefaiss.index.RowFilter.Not;
import io.github.calcitefaiss.index.RowFilter.Or;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Where a condition is true or false: rows, or the codes of one column. */
final class FilterPlaces {
  private final int size;
  private final boolean codes;

  private FilterPlaces(int size, boolean codes) {
    this.size = size;
    this.codes = codes;
  }

  static FilterPlaces ofRows(int size) {
    return new FilterPlaces(size, false);
  }

  BitSet where(RowFilter filter, boolean truth) {
    if (!codes) {
      Set<KeptColumn> columns = new HashSet<>();
      columns(filter, columns);
      if (columns.size() == 1) {
        KeptColumn column = columns.iterator().next();
        return column.rows(new FilterPlaces(column.codes(), true).where(filter, truth));
      }
    }
    if (filter instanceof And and) {
      return together(and.parts(), truth, truth);
    } else if (filter instanceof Or or) {
      return together(or.parts(), truth, !truth);
    } else if (filter instanceof Not not) {
      return where(not.of(), !truth);
    } else if (filter instanceof IsTrue is) {
      BitSet found = where(is.of(), true);
      return truth ? found : others(found);
    } else if (filter instanceof IsUnknown is) {
      BitSet known = where(is.of(), true);
      known.or(where(is.of(), false));
      return truth ? others(known) : known;
    } else if (filter instanceof Constant constant) {
      return constant.value() != null && constant.value() == truth ? others(new BitSet()) : none();
    } else if (filter instanceof Compare compare) {
      return known(compared(compare), truth);
    } else if (filter instanceof IsNull) {
      BitSet found = new BitSet();
      found.set(0);
      return truth ? found : others(found);
    }
    return known(notZero(((IsNotZero) filter).column()), truth);
  }

  private static BitSet none() {
    return new BitSet();
  }

  private BitSet together(List<RowFilter> parts, boolean truth, boolean all) {
    BitSet found = null;
    for (RowFilter part : parts) {
      BitSet more = where(part, truth);
      if (found == null) {
        found = more;
      } else if (all) {
        found.and(more);
      } else {
        found.or(more);
      }
    }
    return found;
  }

  private BitSet others(BitSet of) {
    BitSet others = new BitSet(size);
    others.set(0, size);
    others.andNot(of);
    return others;
  }

  /** Of codes, those where something is true, or where it is false: NULL is neither. */
  private BitSet known(BitSet found, boolean truth) {
    if (truth) {
      return found;
    }
    BitSet others = others(found);
    others.clear(0);
    return others;
  }

  private static BitSet compared(Compare compare) {
    KeptColumn.Range equal = compare.column().equal(compare.value(), compare.asReal());
    int end = compare.column().codes();
    BitSet found = new BitSet(end);
    switch (compare.comparison()) {
      case EQUAL:
        found.set(equal.from(), equal.to());
        break;
      case LESS:
        found.set(1, equal.from());
        break;
      case LESS_OR_EQUAL:
        found.set(1, equal.to());
        break;
      case GREATER:
        found.set(equal.to(), end);
        break;
      default:
        found.set(equal.from(), end);
    }
    return found;
  }

  private static BitSet notZero(KeptColumn column) {
    BitSet found = new BitSet(column.codes());
    for (int code = 1; code < column.codes(); code++) {
      found.set(code, ((Number) column.value(code)).doubleValue() != 0);
    }
    return found;
  }

  private static void columns(RowFilter filter, Set<KeptColumn> to) {
    if (filter instanceof Compare compare) {
      to.add(compare.column());
    } else if (filter instanceof IsNull is) {
      to.add(is.column());
    } else if (filter instanceof IsNotZero is) {
      to.add(is.column());
    } else if (filter instanceof And and) {
      and.parts().forEach(part -> columns(part, to));
    } else if (filter instanceof Or or) {
      or.parts().forEach(part -> columns(part, to));
    } else if (filter instanceof Not not) {
      columns(not.of(), to);
    } else if (filter instanceof IsTrue is) {
      columns(is.of(), to);
    } else if (filter instanceof IsUnknown is) {
      columns(is.of(), to);
    }
  }
}
