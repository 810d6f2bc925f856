/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/** The two ways in, by {@code jdbc:faiss:} and by a Calcite model, and what can be configured. */
package io.github.calcitefaiss;
