/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The JDBC driver: connection, statements, results, metadata, and the translation of whatever is
 * thrown into an error for the person.
 *
 * <p>It may use the planner and the rooms below, and no room but the entries and the server knows
 * it. SQL and parameters come from the application; plans come from {@code sql.planner}; rows come
 * from a plan, run within a {@code run.StatementRun}, and go to the application.
 *
 * <p>The driver is our own, since Avatica's is where wrong behaviour lives that a user of it can't
 * mend: {@code getInt} of 5000000000 gives 705032704 and {@code getByte} of 300 gives 44; a
 * cancelled statement stays dead, and {@code cancel} waits while a statement is planned; a time-out
 * is looked at between rows only; no error has an SQLSTATE; streams and LOBs set as parameters are
 * dropped in silence. Its classes are package-private or have final methods. {@code
 * StockDriverTest} shows that stock Calcite still wraps numbers, gives no SQLSTATE and leaves a
 * cancelled statement dead, so that a mend upstream is noticed.
 */
package io.github.calcitefaiss.jdbc;
