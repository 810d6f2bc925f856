/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/** An index would take more memory than indexes may hold. */
public class MemoryLimitException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long limit;

  /** With the limit in bytes that was in the way. */
  public MemoryLimitException(long limit) {
    super("an index needs more than " + MemorySize.format(limit));
    this.limit = limit;
  }

  /** The limit in bytes that was in the way. */
  public final long limit() {
    return limit;
  }
}
