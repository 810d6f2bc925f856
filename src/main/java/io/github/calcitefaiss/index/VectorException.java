/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/** Says what is wrong with a vector: what was got and what was expected. */
public class VectorException extends RuntimeException {
  /** Creates an exception whose message completes the sentence "the vector is refused: …". */
  public VectorException(String message) {
    // No stack trace: the message is for the person who wrote the vector, and a bad table can
    // raise one a row.
    super(message, null, false, false);
  }
}
