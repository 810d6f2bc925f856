/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * Exact vector search in memory: codec, flat index, kernels. Pure Java, usable alone; knows nothing
 * of Calcite, JDBC or JSON.
 */
package io.github.calcitefaiss.index;
