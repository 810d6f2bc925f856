/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import io.github.calcitefaiss.index.Checkpoint;
import java.sql.SQLException;

/**
 * What somebody sees of the databases: for a statement, the same version of each from its beginning
 * to its end.
 */
public interface View extends Checkpoint {
  /** What is there at the moment of each question, for those who run no statement. */
  View NOW =
      new View() {
        @Override
        public void check() {}

        @Override
        public <V> V version(Versioned<V, ?> database) throws SQLException {
          return database.version(this);
        }

        @Override
        public <V, L extends Versioned.Lease<V>, T> T read(
            Versioned<V, L> database, Reading<L, T> reading) throws SQLException {
          try (L lease = database.snapshot(this, null)) {
            return reading.of(lease);
          }
        }
      };

  /**
   * The version of a database that is seen.
   *
   * @throws SQLException if the database can't be read
   */
  <V> V version(Versioned<V, ?> database) throws SQLException;

  /**
   * Reads something of a version that isn't older than that seen; the lease is valid for the call.
   *
   * @throws SQLException if the database can't be read
   */
  <V, L extends Versioned.Lease<V>, T> T read(Versioned<V, L> database, Reading<L, T> reading)
      throws SQLException;

  /** What is read on a lease. */
  @FunctionalInterface
  interface Reading<L, T> {
    /** Reads it. */
    T of(L lease) throws SQLException;
  }
}
