/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.nio.file.Path;

/**
 * How the indexes of a database are kept.
 *
 * @param skipBadRows whether rows without a usable vector are left out, or are an error
 * @param staleNanos how long after a commit an index without it may still answer: 0 for not at all,
 *     {@link #MANUAL} until it is asked to refresh
 * @param memoryLimit the most bytes that the indexes of the database may hold
 * @param codesOnly whether vectors are left to the table even where they would fit; only where
 *     {@code staleNanos} is 0
 * @param snapshots the folder where indexes are kept as files, or null; only with {@code codesOnly}
 * @param columns which columns are kept beside the vectors
 * @param embeddingModel the model that made its vectors where nothing else says it, which a text
 *     without a model is embedded by, too; or null
 * @param skipBadTexts whether a text that can't be embedded is NULL, or an error
 */
public record IndexOptions(
    boolean skipBadRows,
    long staleNanos,
    long memoryLimit,
    boolean codesOnly,
    Path snapshots,
    ColumnsToKeep columns,
    String embeddingModel,
    boolean skipBadTexts) {
  /** Staleness of an index that is only loaded anew when asked to. */
  public static final long MANUAL = Long.MAX_VALUE;

  /** Errors for bad rows, always fresh, no limit but the process's. */
  public static final IndexOptions DEFAULT =
      new IndexOptions(false, 0, Long.MAX_VALUE, false, null, ColumnsToKeep.SMALL, null, false);
}
