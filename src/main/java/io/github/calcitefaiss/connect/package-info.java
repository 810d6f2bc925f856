/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * Tables on an Apache Spark cluster, reached through Spark Connect: what is pushed down as Spark's
 * SQL, the searches that the cluster's indexes answer, and the rows that come back.
 *
 * <p>May use {@code run} and {@code index}. The client's library is optional: nothing here is
 * touched unless a model names a cluster.
 */
package io.github.calcitefaiss.connect;
