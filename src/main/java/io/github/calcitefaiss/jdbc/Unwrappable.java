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
    if (FaissErrors.given(iface, "The class to unwrap").isInstance(this)) {
      return iface.cast(this);
    }
    throw FaissErrors.badArgument("This is no " + iface.getSimpleName() + " and holds none");
  }

  @Override
  default boolean isWrapperFor(Class<?> iface) {
    return iface != null && iface.isInstance(this);
  }
}
