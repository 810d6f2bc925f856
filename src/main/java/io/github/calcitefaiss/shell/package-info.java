/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The command line: opens a shell on a database, builds embeddings. On top of every other room; no
 * other room knows of it, and it is the only one that speaks to the terminal.
 */
package io.github.calcitefaiss.shell;
