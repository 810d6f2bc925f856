/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.sql.SQLException;
import java.sql.Wrapper;

/** A part of the driver that wraps nothing, and so is only what its own class is. */
interface Unwrappable extends Wrapper {
  /**
   * {@inheritDoc}
   *
   * @throws SQLException if this is none
   */
  @Override
  default <T> T unwrap(Class<T> iface) throws SQLException {
    if (iface.isInstance(this)) {
      return iface.cast(this);
    }
    throw FaissErrors.badArgument(
        "This driver's " + getClass().getSimpleName() + " is no " + iface.getName());
  }

  @Override
  default boolean isWrapperFor(Class<?> iface) {
    return iface.isInstance(this);
  }
}
