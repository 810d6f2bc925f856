/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The SQLite file as a Calcite data source: its schema, its rows with checked types, the part of a
 * query that SQLite may run, and the loading of vectors into an index of the committed version.
 *
 * <p>It may use {@code run} and {@code index}. Bytes come from the file, through sqlite-jdbc; rows
 * go to generated code, vectors to {@code index}.
 */
package io.github.calcitefaiss.sqlite;
