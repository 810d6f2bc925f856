/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/** Threads that don't keep the process alive. */
public final class Daemons {
  private Daemons() {}

  /** A thread of a name, not yet started. */
  public static Thread thread(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    return thread;
  }
}
