/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

/** An answer that is an error: its status, and what to say to the person who asked. */
final class Refusal extends Exception {
  private static final long serialVersionUID = 1;

  private final int status;
  private final String title;

  Refusal(int status, String title, String message) {
    super(message, null, false, false);
    this.status = status;
    this.title = title;
  }

  static Refusal bad(String message) {
    return new Refusal(400, null, message);
  }

  static Refusal notFound(String message) {
    return new Refusal(404, null, message);
  }

  int status() {
    return status;
  }

  /** A heading such as "Invalid SQL", or null. */
  String title() {
    return title;
  }
}
