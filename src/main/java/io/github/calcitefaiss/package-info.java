/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The two ways in, by {@code jdbc:faiss:} and by a Calcite model, and what can be configured.
 *
 * <p>It may use every room but the shell and the server. A URL, properties or operands come from
 * the user; a connection or a schema goes back.
 */
package io.github.calcitefaiss;
