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

  /**
   * Work that is done again and again, whatever happened once: an executor would never again begin
   * what has thrown, and others rely on it. An OutOfMemoryError may come to any thread.
   */
  public static Runnable again(Runnable work) {
    return () -> {
      try {
        work.run();
      } catch (Throwable t) {
        // Next time, then.
      }
    };
  }
}
