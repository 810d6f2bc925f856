/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The columns of a table that are kept beside the vectors of its rows, and those that may be read
 * and kept when they are asked for. Immutable.
 */
public final class KeptColumns {
  /** No columns. */
  public static final KeptColumns NONE = new KeptColumns(List.of());

  private final List<KeptColumn> columns;
  private final List<Wanted> later;
  private final Wanted idName;
  private final IdColumn ids;
  private volatile KeptColumn id;

  KeptColumns(List<KeptColumn> columns) {
    this(columns, List.of(), null, null);
  }

  private KeptColumns(List<KeptColumn> columns, List<Wanted> later, Wanted idName, IdColumn ids) {
    this.columns = List.copyOf(columns);
    this.later = List.copyOf(later);
    this.idName = idName;
    this.ids = ids;
  }

  /** None yet, but some that are read when they are asked for. */
  public static KeptColumns later(List<Wanted> wanted) {
    return wanted.isEmpty() ? NONE : new KeptColumns(List.of(), wanted, null, null);
  }

  /** These columns, and the ids that an index holds as one more where all are integers. */
  KeptColumns withIds(Wanted name, IdColumn of) {
    return new KeptColumns(columns, later, name, of.holdsLongs() ? of : null);
  }

  /** What is wanted of a column that isn't kept yet but may be; null of others. */
  public Wanted later(String name) {
    return later.stream().filter(wanted -> wanted.name().equals(name)).findFirst().orElse(null);
  }

  /** The same when some of the columns were asked for, and what of them can be kept was read. */
  KeptColumns with(KeptColumns read, List<Wanted> asked) {
    List<KeptColumn> more = new ArrayList<>(columns);
    more.addAll(read.columns);
    return changed(more, later.stream().filter(wanted -> !asked.contains(wanted)).toList());
  }

  /** The same when columns were given up, to be read again if they are asked for. */
  KeptColumns without(KeptColumns read) {
    List<Wanted> again = new ArrayList<>(later);
    read.columns.forEach(column -> again.add(new Wanted(column.name(), column.affinity())));
    return changed(columns.stream().filter(c -> !read.columns.contains(c)).toList(), again);
  }

  private KeptColumns changed(List<KeptColumn> to, List<Wanted> toLater) {
    KeptColumns changed = new KeptColumns(to, toLater, idName, ids);
    changed.id = id;
    return changed;
  }

  /** A column to be kept. */
  public record Wanted(String name, KeptColumn.Affinity affinity) {}

  /** The columns but for the id. */
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
    return ids != null && idName.name().equals(name) ? id() : null;
  }

  private KeptColumn id() {
    KeptColumn known = id;
    if (known == null) {
      // Two threads may both make it; either result serves.
      known = KeptColumn.ofIds(idName, ids);
      id = known;
    }
    return known;
  }

  /** Bytes of memory held, without what was made of the ids. */
  public long bytes() {
    return columns.stream().mapToLong(KeptColumn::bytes).sum();
  }

  /** Bytes that are held to look ids up; 0 as long as none was asked for. */
  long idBytes() {
    KeptColumn known = id;
    return known == null ? 0 : known.bytes();
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
