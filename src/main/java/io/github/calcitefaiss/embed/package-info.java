/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * Text to vectors: the interface of embedding models, those that run in this process, those behind
 * an HTTP server, the folder they are installed in, and what is remembered of their answers.
 *
 * <p>It may use {@code run} and {@code index}, Jackson, and the JDK; what runs a local model is
 * loaded from the folder by a class loader of its own. Texts come from {@code sql.function} and the
 * shell; vectors go back.
 */
package io.github.calcitefaiss.embed;
