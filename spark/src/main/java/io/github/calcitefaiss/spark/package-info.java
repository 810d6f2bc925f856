/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The exact index on Apache Spark: our functions in Spark SQL, top-k from an index that Spark keeps
 * as a persisted RDD, and joins with the k nearest.
 *
 * <p>Uses {@code index} and the JSON of vectors, nothing of Calcite or JDBC. Queries come from
 * Spark's planner; rows go back to it.
 */
package io.github.calcitefaiss.spark;
