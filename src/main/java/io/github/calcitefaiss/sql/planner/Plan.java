/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import java.sql.Types;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.jdbc.CalcitePrepare;

/**
 * A statement as Calcite compiled it, and the state of the schemas it was compiled for.
 *
 * <p>It holds code, never data: every execution binds it to a context of its own.
 *
 * @param signature compiled query, its parameters and columns
 * @param version sum of the schemas' versions when planning began
 * @param searches whether it searches an index
 * @param reusable whether every table in it belongs to a schema that tells its version
 * @param faithful whether what it computes itself is what SQLite would compute
 * @param origins for each column of the result where it comes from, or null; empty if not known
 * @param broken set when its generated class failed to load: it would fail for ever, and say less
 */
public record Plan(
    CalcitePrepare.CalciteSignature<Object> signature,
    long version,
    boolean reusable,
    boolean searches,
    boolean faithful,
    List<ColumnOrigin> origins,
    AtomicBoolean broken) {

  /** Where a column of the result, from 0, comes from; null for one that is computed. */
  public ColumnOrigin origin(int column) {
    return column < origins.size() ? origins.get(column) : null;
  }

  /** Whether its rows look like those of another: the same columns, or now such of any type. */
  public boolean givesRowsOf(Plan other) {
    List<ColumnMetaData> mine = signature.columns;
    List<ColumnMetaData> others = other.signature.columns;
    boolean same = mine.size() == others.size();
    for (int i = 0; same && i < mine.size(); i++) {
      same =
          mine.get(i).label.equals(others.get(i).label)
              && (mine.get(i).type.id == Types.JAVA_OBJECT
                  || mine.get(i).type.id == others.get(i).type.id
                      && mine.get(i).type.rep == others.get(i).type.rep);
    }
    return same;
  }
}
