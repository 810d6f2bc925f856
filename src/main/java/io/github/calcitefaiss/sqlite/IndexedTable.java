/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

/**
 * A table or view whose vectors are indexed.
 *
 * @param table its name
 * @param id the column of ids
 * @param embedding the column of vectors
 * @param skipBadRows whether rows without a usable vector are left out, or are an error
 * @param model the embedding model that made the vectors, where somebody said it; else null
 */
public record IndexedTable(
    String table, String id, String embedding, boolean skipBadRows, String model) {
  /** The column of ids where none is named. */
  public static final String DEFAULT_ID = "id";

  /** A table of which nobody said which model made it. */
  public IndexedTable(String table, String id, String embedding, boolean skipBadRows) {
    this(table, id, embedding, skipBadRows, null);
  }

  /** The column of vectors where none is named. */
  public static final String DEFAULT_EMBEDDING = "embedding";
}
