/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The command line: sqlline on a database, and the commands beside it.
 *
 * <p>It may use every room, and none knows it; it is the only one that speaks to the terminal. What
 * was typed comes from there, and text goes back.
 */
package io.github.calcitefaiss.shell;
