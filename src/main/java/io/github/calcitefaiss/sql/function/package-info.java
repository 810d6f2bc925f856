/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The functions of values alone: vectors, distances, JSON, aggregates; their arguments' checks and
 * the texts of their errors.
 *
 * <p>It may use the rooms below. Values come from generated code and go back to it.
 */
package io.github.calcitefaiss.sql.function;
