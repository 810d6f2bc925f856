/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/** The columns of a table that are kept beside the vectors of its rows. Immutable. */
public final class KeptColumns {
  /** No columns. */
  public static final KeptColumns NONE = new KeptColumns(List.of());

  private final List<KeptColumn> columns;

  KeptColumns(List<KeptColumn> columns) {
    this.columns = List.copyOf(columns);
  }

  /** A column to be kept. */
  public record Wanted(String name, KeptColumn.Affinity affinity) {}

  /** The columns, in the table's order. */
  public List<KeptColumn> list() {
    return columns;
  }

  /** The column of a name, or null. */
  public KeptColumn get(String name) {
    for (KeptColumn column : columns) {
      if (column.name().equals(name)) {
        return column;
      }
    }
    return null;
  }

  /** Bytes of memory held. */
  public long bytes() {
    return columns.stream().mapToLong(KeptColumn::bytes).sum();
  }

  /** Collects the values of rows; used by one thread. */
  public static final class Builder {
    private final List<KeptColumnBuilder> columns = new ArrayList<>();

    /**
     * Prepares.
     *
     * @param wanted the columns
     * @param all whether they are kept however many values they have, not only where these are
     *     numbers or few texts
     * @param charge called with the bytes about to be allocated, and with a negative number when
     *     some were let go
     */
    public Builder(List<Wanted> wanted, boolean all, LongConsumer charge) {
      for (Wanted column : wanted) {
        columns.add(new KeptColumnBuilder(column.name(), column.affinity(), all, charge));
      }
    }

    /** Number of columns that were wanted. */
    public int width() {
      return columns.size();
    }

    /** Whether the values of a column are still wanted. */
    public boolean takes(int column) {
      return !columns.get(column).isGivenUp();
    }

    /**
     * Adds the value of the next row.
     *
     * @param value Long, Double, String, byte[] or null
     */
    public void add(int column, Object value) {
      columns.get(column).add(value);
    }

    /** Keeps nothing, and gives the memory back. */
    public void giveUp() {
      columns.forEach(KeptColumnBuilder::giveUp);
    }

    /** Whether anything is held. */
    public boolean holdsAny() {
      return columns.stream().anyMatch(column -> !column.isGivenUp());
    }

    /** What is kept; the builder can't be used afterwards. */
    public KeptColumns build() {
      List<KeptColumn> kept = new ArrayList<>();
      for (KeptColumnBuilder column : columns) {
        KeptColumn built = column.isGivenUp() ? null : column.build();
        if (built != null) {
          kept.add(built);
        }
      }
      return kept.isEmpty() ? NONE : new KeptColumns(kept);
    }
  }
}
