/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.KeptColumn;
import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.index.RowFilter;
import io.github.calcitefaiss.sql.search.KeptFilter.And;
import io.github.calcitefaiss.sql.search.KeptFilter.Cast;
import io.github.calcitefaiss.sql.search.KeptFilter.Compare;
import io.github.calcitefaiss.sql.search.KeptFilter.Constant;
import io.github.calcitefaiss.sql.search.KeptFilter.IsNotZero;
import io.github.calcitefaiss.sql.search.KeptFilter.IsNull;
import io.github.calcitefaiss.sql.search.KeptFilter.IsTrue;
import io.github.calcitefaiss.sql.search.KeptFilter.IsUnknown;
import io.github.calcitefaiss.sql.search.KeptFilter.Not;
import io.github.calcitefaiss.sql.search.KeptFilter.Operand;
import io.github.calcitefaiss.sql.search.KeptFilter.Or;
import io.github.calcitefaiss.sql.search.KeptFilter.Parameter;
import io.github.calcitefaiss.sql.search.KeptFilter.Same;
import io.github.calcitefaiss.sql.search.KeptFilter.Value;
import io.github.calcitefaiss.sqlite.SqliteQuery;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.calcite.DataContext;

/** Puts in the columns and the values of a run. */
final class KeptFilterBinding {
  private static final Pattern NUMBER =
      Pattern.compile("\\s*[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d{1,3})?\\s*");

  /** Said of a value that SQLite is to compare. */
  private static final Object DOUBTFUL = new Object();

  private static final int EXACT_DIGITS = 15;
  private static final int EXACT_POWER = 22;

  private final DataContext root;
  private final KeptColumns columns;

  KeptFilterBinding(DataContext root, KeptColumns columns) {
    this.root = root;
    this.columns = columns;
  }

  void columns(KeptFilter filter, Set<String> to) {
    if (filter instanceof And and) {
      and.parts().forEach(part -> columns(part, to));
    } else if (filter instanceof Or or) {
      or.parts().forEach(part -> columns(part, to));
    } else if (filter instanceof Not not) {
      columns(not.of(), to);
    } else if (filter instanceof IsTrue is) {
      columns(is.of(), to);
    } else if (filter instanceof IsUnknown is) {
      columns(is.of(), to);
    } else if (filter instanceof IsNull is) {
      to.add(is.column());
    } else if (filter instanceof IsNotZero is) {
      to.add(is.column());
    } else if (filter instanceof Same same) {
      to.add(same.compare().column());
    } else if (filter instanceof Compare compare) {
      to.add(compare.column());
    }
  }

  RowFilter of(KeptFilter filter) {
    if (filter instanceof And and) {
      List<RowFilter> parts = all(and.parts());
      return parts == null ? null : new RowFilter.And(parts);
    } else if (filter instanceof Or or) {
      List<RowFilter> parts = all(or.parts());
      return parts == null ? null : new RowFilter.Or(parts);
    } else if (filter instanceof Not not) {
      RowFilter of = of(not.of());
      return of == null ? null : new RowFilter.Not(of);
    } else if (filter instanceof IsTrue is) {
      RowFilter of = of(is.of());
      return of == null ? null : new RowFilter.IsTrue(of);
    } else if (filter instanceof IsUnknown is) {
      RowFilter of = of(is.of());
      return of == null ? null : new RowFilter.IsUnknown(of);
    } else if (filter instanceof IsNull is) {
      KeptColumn column = columns.get(is.column());
      return column == null ? null : new RowFilter.IsNull(column);
    } else if (filter instanceof IsNotZero is) {
      KeptColumn column = columns.get(is.column());
      return column == null || !column.holdsOnlyNumbers() ? null : new RowFilter.IsNotZero(column);
    } else if (filter instanceof Constant constant) {
      return new RowFilter.Constant(constant.value());
    } else if (filter instanceof Same same) {
      return same(same.compare());
    }
    return compare((Compare) filter);
  }

  private List<RowFilter> all(List<KeptFilter> parts) {
    List<RowFilter> all = new ArrayList<>();
    for (KeptFilter part : parts) {
      RowFilter of = of(part);
      if (of == null) {
        return null;
      }
      all.add(of);
    }
    return all;
  }

  private RowFilter same(Compare compare) {
    RowFilter equal = compare(compare);
    if (equal instanceof RowFilter.Constant) {
      return new RowFilter.IsNull(columns.get(compare.column()));
    }
    return equal == null ? null : new RowFilter.IsTrue(equal);
  }

  private RowFilter compare(Compare compare) {
    KeptColumn column = columns.get(compare.column());
    if (column == null || compare.asReal() && !column.holdsOnlyNumbers()) {
      return null;
    }
    Object value = value(compare.operand());
    if (value == null) {
      return new RowFilter.Constant(null);
    }
    KeptColumn.Affinity affinity =
        compare.asReal() ? KeptColumn.Affinity.NUMERIC : column.affinity();
    if (compare.operand() instanceof Cast) {
      // It has an affinity of its own, which matters unless both are alike.
      boolean number = value instanceof Long || value instanceof Double;
      boolean alike =
          number
              ? affinity == KeptColumn.Affinity.NUMERIC
              : affinity == KeptColumn.Affinity.TEXT && value instanceof String;
      value = alike ? value : DOUBTFUL;
    } else {
      value = converted(value, affinity);
    }
    return value == DOUBTFUL
        ? null
        : new RowFilter.Compare(column, compare.asReal(), compare.comparison(), value);
  }

  /** A constant as SQLite compares it with a column. */
  private static Object converted(Object value, KeptColumn.Affinity affinity) {
    if (affinity == KeptColumn.Affinity.NUMERIC && value instanceof String text) {
      return NUMBER.matcher(text).matches() ? number(new BigDecimal(text.strip())) : text(text);
    } else if (affinity == KeptColumn.Affinity.TEXT && value instanceof Long) {
      return value.toString();
    } else if (affinity == KeptColumn.Affinity.TEXT && value instanceof Double) {
      return DOUBTFUL;
    }
    return value;
  }

  /** A text that isn't written as a number, if that is beyond doubt. */
  private static Object text(String text) {
    String stripped = text.strip();
    boolean plain = !stripped.isEmpty() && Character.isLetter(stripped.charAt(0));
    return plain && text.indexOf(0) < 0 ? text : DOUBTFUL;
  }

  /** A number of few enough digits for all ways of reading it to give one double. */
  private static Object number(BigDecimal number) {
    if (number.scale() <= 0 && number.precision() - number.scale() <= 18) {
      return number.longValueExact();
    }
    return number.precision() <= EXACT_DIGITS && Math.abs(number.scale()) <= EXACT_POWER
        ? (Object) number.doubleValue()
        : DOUBTFUL;
  }

  private Object value(Operand operand) {
    if (operand instanceof Value constant) {
      return constant.value() instanceof BigDecimal real
          ? number(real) instanceof Number number ? (Object) number.doubleValue() : DOUBTFUL
          : constant.value();
    } else if (operand instanceof Parameter parameter) {
      return stored(SqliteQuery.toSqlite(root.get("?" + parameter.index())));
    }
    Cast cast = (Cast) operand;
    Object value = value(cast.of());
    if (cast.type() == Double.class && value instanceof Long number) {
      return number.doubleValue();
    }
    return value == null || cast.type().isInstance(value) ? value : DOUBTFUL;
  }

  /** What becomes of a value that is bound to a parameter. */
  private static Object stored(Object value) {
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    } else if (value instanceof Double || value instanceof Float) {
      double number = ((Number) value).doubleValue();
      return Double.isNaN(number) ? null : (Object) number;
    }
    return value == null
            || value instanceof Long
            || value instanceof String
            || value instanceof byte[]
        ? value
        : DOUBTFUL;
  }
}
