/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import java.util.List;

/** Turns texts into vectors, all of one dimension. Safe for use by several threads. */
public interface EmbeddingModel {
  /** The name that statements call it by. */
  String name();

  /** How many elements its vectors have. */
  int dims();

  /** How many texts it is best given at once. */
  int batch();

  /**
   * Embeds texts, in order.
   *
   * @param texts none null, none without a visible character
   * @param watch looked at often; what it throws ends the work
   * @return for each text a vector of {@link #dims} finite elements, or why there is none
   * @throws FaissException if no text can be embedded, for a reason that isn't in the texts
   */
  List<Embedded> embed(List<String> texts, Checkpoint watch) throws FaissException;
}
