/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * Exact vector search in memory: codec, flat index, kernels, the cache of indexes.
 *
 * <p>Pure Java, usable alone: it may use no other room, and nothing of Calcite, JDBC or JSON.
 * Vectors come from a loader, queries from {@code sql.search}; ids and distances go back.
 */
package io.github.calcitefaiss.index;
