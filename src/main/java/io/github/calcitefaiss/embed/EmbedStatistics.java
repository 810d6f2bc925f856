/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import java.util.concurrent.atomic.LongAdder;

/** What embedding came to in this process, for who watches it. */
public final class EmbedStatistics {
  final LongAdder texts = new LongAdder();
  final LongAdder batches = new LongAdder();
  final LongAdder hits = new LongAdder();
  final LongAdder failures = new LongAdder();

  EmbedStatistics() {}

  /** Texts that a model was given. */
  public long texts() {
    return texts.sum();
  }

  /** How often a model was asked. */
  public long batches() {
    return batches.sum();
  }

  /** Texts whose vectors were remembered. */
  public long hits() {
    return hits.sum();
  }

  /** Texts without a vector, and batches that failed as a whole. */
  public long failures() {
    return failures.sum();
  }
}
