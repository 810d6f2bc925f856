/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * What is written beyond Calcite's grammar: tokens are rewritten before its parser sees them.
 *
 * <p>It may use {@code sql.function} and the rooms below. SQL text comes from the driver or from
 * Calcite, a parse tree whose positions are those of the text goes back.
 */
package io.github.calcitefaiss.sql.parser;
