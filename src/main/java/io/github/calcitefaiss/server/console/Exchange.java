/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** A request and its response, whatever HTTP server carries them. */
public interface Exchange {
  /** The method, in capitals. */
  String method();

  /** The path as it was sent, percent-encoding and all. */
  String path();

  /** The text after the question mark as it was sent, or null. */
  String query();

  /** A header's value, or null. */
  String header(String name);

  /** {@code https} or {@code http}. */
  String scheme();

  /** Who logged in; null where nobody has to. */
  String user();

  /** The request's body. */
  InputStream input();

  /** Sets the status of the response, before its body. */
  void status(int code);

  /** Sets a header of the response, before its body. */
  void header(String name, String value);

  /** Where the body goes; empty for HEAD. */
  OutputStream body() throws IOException;

  /** Breaks the connection off, so that a body which is not whole is not taken for whole. */
  void abort();

  /**
   * Has something done, once, if the client goes away before {@link Watch#close()}.
   *
   * @param action runs on another thread
   */
  Watch whenGone(Runnable action);

  /** The wait for a client to go. */
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }
}
