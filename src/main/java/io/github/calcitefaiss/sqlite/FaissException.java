/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.sql.SQLException;

/**
 * An error for the person who typed the query: what, where, got, expected, what to do.
 *
 * <p>Calcite's generated code declares no checked exceptions and wraps unchecked ones, so it is
 * thrown with {@link #sneakyThrow} and arrives at the caller of JDBC as it is.
 */
public final class FaissException extends SQLException {
  /** SQLSTATE of a wrong argument: data exception. */
  public static final String DATA = "22000";

  /** SQLSTATE of a name that isn't known. */
  public static final String UNKNOWN_NAME = "42704";

  /** SQLSTATE of a statement that was cancelled. */
  public static final String CANCELLED = "HY008";

  /** SQLSTATE of a statement that took longer than its timeout. */
  public static final String TIMEOUT = "HYT00";

  /** SQLSTATE of a statement that can succeed if it is run again: the data changed under it. */
  public static final String CHANGED = "40001";

  /** SQLSTATE of a database that can't be read. */
  public static final String UNREADABLE = "08006";

  /** SQLSTATE of a memory limit reached. */
  public static final String MEMORY = "53200";

  /** SQLSTATE of a wrong configuration. */
  public static final String CONFIGURATION = "08001";

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
