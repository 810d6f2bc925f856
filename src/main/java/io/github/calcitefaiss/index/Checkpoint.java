/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/** Called now and then (at least every few milliseconds) by long work, so that it can be ended. */
@FunctionalInterface
public interface Checkpoint {
  /** A checkpoint that lets everything pass. */
  Checkpoint NONE = () -> {};

  /** Returns if the work may go on; throws, whatever the caller wants thrown, if it must end. */
  void check();
}
