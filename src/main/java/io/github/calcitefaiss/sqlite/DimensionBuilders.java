/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.index.VectorException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Collects a table's vectors into an index for each of their dimensions.
 *
 * <p>Nearly always there is one; a table that holds what several models made has one for each.
 */
final class DimensionBuilders implements AutoCloseable {
  /** More are no models but values that are no vectors. */
  private static final int MOST_DIMENSIONS = 32;

  /**
   * Above it a text or blob id is charged for its length; below, its share of the id column does.
   */
  private static final int SHORT_ID = 16;

  private final Map<Integer, FlatIndex.Builder> byDims = new LinkedHashMap<>();
  private final Map<Integer, KeptColumns.Builder> columnsByDims = new LinkedHashMap<>();
  private final IndexCache.Memory memory;
  private Supplier<KeptColumns.Builder> newColumns;
  private FlatIndex.Builder last;
  private int lastLength = -1;
  private long idBytes;
  private boolean codesOnly;

  /** Prepares for about so many rows, most of one dimension. */
  DimensionBuilders(int expectedRows, IndexCache.Memory memory) {
    this.memory = memory;
    last = new FlatIndex.Builder(expectedRows, memory::charge);
    byDims.put(0, last);
  }

  /** Whether there is no row yet. */
  boolean isEmpty() {
    return lastLength < 0;
  }

  /** Leaves the vectors to the table; said before the first row. */
  void keepCodesOnly() {
    codesOnly = true;
    last.keepCodesOnly();
  }

  boolean keepsCodesOnly() {
    return codesOnly;
  }

  /** Keeps columns beside the vectors; said before the first row. */
  void keepColumns(Supplier<KeptColumns.Builder> builder) {
    newColumns = builder;
  }

  /** What collects the columns of the rows of a dimension, one row for each vector; or null. */
  KeptColumns.Builder columns(int dims) {
    return newColumns == null ? null : columnsByDims.computeIfAbsent(dims, key -> newColumns.get());
  }

  /** The same of the row that was just added. */
  KeptColumns.Builder columns() {
    return columns(lastLength / 4);
  }

  /** Keeps no columns any more; whether that gave memory back. */
  boolean giveUpColumns() {
    boolean any = columnsByDims.values().stream().anyMatch(KeptColumns.Builder::holdsAny);
    columnsByDims.values().forEach(KeptColumns.Builder::giveUp);
    return any;
  }

  /** The columns of a dimension. */
  KeptColumns keptColumns(int dims) {
    KeptColumns.Builder columns = columnsByDims.get(dims);
    return columns == null ? KeptColumns.NONE : columns.build();
  }

  /** Says which rowid the row has that was just added. */
  void rowid(long rowid) {
    last.rowid(rowid);
  }

  /** Shows vectors from all over the table before the first row. */
  void sample(List<byte[]> blobs) {
    last.sample(blobs);
  }

  /**
   * Adds a row to the index of its dimension.
   *
   * @throws VectorException if the blob is no vector
   */
  void add(Object id, byte[] blob) {
    FlatIndex.Builder builder = last;
    boolean another = lastLength >= 0 && blob.length != lastLength;
    if (another && blob.length > 0 && blob.length % 4 == 0) {
      int dims = blob.length / 4;
      builder = byDims.get(dims);
      if (builder == null) {
        if (byDims.size() == MOST_DIMENSIONS) {
          throw new VectorException(
              "vectors of " + (MOST_DIMENSIONS + 1) + " different dimensions");
        }
        builder = new FlatIndex.Builder(0, memory::charge);
        if (codesOnly) {
          builder.keepCodesOnly();
        }
      }
    }
    long idLength = length(id);
    memory.charge(idLength);
    try {
      builder.add(id, blob);
    } catch (RuntimeException e) {
      memory.charge(-idLength);
      if (another && builder.size() == 0) {
        builder.close();
      }
      throw e;
    }
    idBytes += idLength;
    byDims.remove(0);
    byDims.putIfAbsent(blob.length / 4, builder);
    last = builder;
    lastLength = blob.length;
  }

  private static long length(Object id) {
    long length = id instanceof String s ? 2L * s.length() : id instanceof byte[] b ? b.length : 0;
    return length > SHORT_ID ? length : 0;
  }

  /** Bytes that long ids hold beside the indexes. */
  long idBytes() {
    return idBytes;
  }

  /** The index of each dimension, that of most vectors first; an empty one if there is no row. */
  List<FlatIndex> build() {
    List<FlatIndex> indexes = new ArrayList<>();
    for (FlatIndex.Builder builder : byDims.values()) {
      FlatIndex index = builder.build();
      KeptColumns columns = keptColumns(index.dims());
      indexes.add(columns.list().isEmpty() ? index : index.with(columns));
    }
    indexes.sort(Comparator.comparing(FlatIndex::size).reversed());
    return indexes;
  }

  @Override
  public void close() {
    byDims.values().forEach(FlatIndex.Builder::close);
  }
}
