/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The functions that ask an index, and the search that a plan runs: candidates, filters, rows.
 *
 * <p>It may use {@code sql.function} and the rooms below. Arguments come from generated code;
 * indexes and rows come from {@code sqlite}; answers go back to generated code.
 */
package io.github.calcitefaiss.sql.search;
