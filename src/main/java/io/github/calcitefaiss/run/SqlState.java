/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

/** The SQLSTATEs that errors carry, from the lists of SQL:2016, ODBC and PostgreSQL. */
public final class SqlState {
  /** Parameters of a statement that are missing or don't fit. */
  public static final String PARAMETERS = "07001";

  /** A connection that can't be opened: a wrong configuration, URL or model. */
  public static final String CONNECTION = "08001";

  /** A connection, statement or result that is closed. */
  public static final String CLOSED = "08003";

  /** A database that can't be read. */
  public static final String UNREADABLE = "08006";

  /** A feature that is not there. */
  public static final String UNSUPPORTED = "0A000";

  /** A wrong argument or value. */
  public static final String DATA = "22000";

  /** A number out of range. */
  public static final String OUT_OF_RANGE = "22003";

  /** A division by zero. */
  public static final String DIVISION_BY_ZERO = "22012";

  /** A value that can't be read as the type asked for. */
  public static final String BAD_CAST = "22018";

  /** A statement that would write. */
  public static final String READ_ONLY = "25006";

  /** A statement that can succeed if it is run again: the data changed under it. */
  public static final String CHANGED = "40001";

  /** A statement that can't be understood. */
  public static final String SYNTAX = "42000";

  /** A name that isn't known. */
  public static final String UNKNOWN_NAME = "42704";

  /** A table that isn't known. */
  public static final String NO_TABLE = "42S02";

  /** A column that isn't known. */
  public static final String NO_COLUMN = "42S22";

  /** A text that no vector could be had for. */
  public static final String EMBEDDING = "38000";

  /** A memory limit that is reached. */
  public static final String MEMORY = "53200";

  /** A statement that is too complex. */
  public static final String TOO_COMPLEX = "54001";

  /** Anything else. */
  public static final String GENERAL = "HY000";

  /** A statement that was cancelled. */
  public static final String CANCELLED = "HY008";

  /** A wrong argument of a method of JDBC's. */
  public static final String BAD_ARGUMENT = "HY024";

  /** A statement that took longer than its timeout. */
  public static final String TIMED_OUT = "HYT00";

  private SqlState() {}
}
