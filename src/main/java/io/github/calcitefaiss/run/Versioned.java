/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import io.github.calcitefaiss.index.Checkpoint;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.BooleanSupplier;

/**
 * A database of which one committed version can be told from another and be read as a whole: what a
 * run needs of a source, so that all that the run reads of it is of one version.
 *
 * @param <V> a version, equal to another exactly if nothing was committed in between
 * @param <L> a lease on a connection that reads one version
 */
public interface Versioned<V, L extends Versioned.Lease<V>> {
  /**
   * Which committed version is current, after waiting for a writer that holds the database.
   *
   * @param checkpoint ends the wait
   * @throws SQLException if the database can't be read
   */
  V version(Checkpoint checkpoint) throws SQLException;

  /**
   * Begins to read one committed version, which the lease keeps until it is closed.
   *
   * @param checkpoint ends a wait for a writer
   * @param expected the version that was current a moment ago, or null if that isn't known; the
   *     lease is on that or a newer one
   * @throws SQLException if the database can't be read or a writer holds it for too long
   */
  L snapshot(Checkpoint checkpoint, V expected) throws SQLException;

  /** A connection lent to read one version. */
  interface Lease<V> extends AutoCloseable {
    /** The version that is read. */
    V version();

    /** The connection; the caller closes what it opens on it, not the connection itself. */
    Connection connection();

    /** Ends whatever runs on the connection soon after the condition becomes true. */
    void interruptWhen(BooleanSupplier condition) throws SQLException;

    /** Ends the transaction and gives the connection back. */
    @Override
    void close();

    /** Gives the connection up, with whatever is open on it. */
    void discard();
  }
}
