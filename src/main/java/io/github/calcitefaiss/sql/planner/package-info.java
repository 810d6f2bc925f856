/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * From a parsed statement to a plan: vector forms become {@code VectorTopK}, types follow SQLite's
 * affinity, operators look at the cancel flag; plans are kept for their version of the data.
 *
 * <p>It may use {@code sql.search} and the rooms below; only {@code jdbc} and the entries use it.
 * Statements come from the driver, schemas from {@code sqlite}; a plan goes back to the driver.
 */
package io.github.calcitefaiss.sql.planner;
