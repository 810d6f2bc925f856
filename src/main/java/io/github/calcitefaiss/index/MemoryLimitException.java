/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/** An index would take more memory than indexes may hold. */
public final class MemoryLimitException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long limit;

  MemoryLimitException(long limit) {
    super("an index needs more than " + MemorySize.format(limit));
    this.limit = limit;
  }

  /** The limit in bytes that was in the way. */
  public long limit() {
    return limit;
  }
}
