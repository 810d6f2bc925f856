/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.sql.SQLException;

/**
 * An error for the person who typed the query: what, where, got, expected, what to do.
 *
 * <p>Calcite's generated code declares no checked exceptions and wraps unchecked ones, so it is
 * thrown with {@link #sneakyThrow} and arrives at the caller of JDBC as it is.
 */
public final class FaissException extends SQLException {
  /** Creates an exception with a SQLSTATE. */
  public FaissException(String state, String message) {
    super(message, state);
  }

  /** Creates an exception with a SQLSTATE and a cause. */
  public FaissException(String state, String message, Throwable cause) {
    super(message, state, cause);
  }

  /**
   * Throws any exception where none is declared; never returns, {@code throw} it for the compiler.
   */
  @SuppressWarnings("unchecked")
  public static <E extends Throwable> RuntimeException sneakyThrow(Throwable e) throws E {
    throw (E) e;
  }

  /** Throws this where no checked exception is declared. */
  public RuntimeException raise() {
    throw FaissException.<RuntimeException>sneakyThrow(this);
  }
}
