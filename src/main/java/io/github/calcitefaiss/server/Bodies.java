/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.server.console.Exchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Reads requests' bodies. Of the large ones only as many are in hand at once as the heap has room
 * for, since each is there several times over: as bytes, as text, and as what is made of it.
 */
final class Bodies {
  /** From here on a body is large, in bytes. */
  static final int LARGE = 64 << 10;

  /** What a large request may need of the heap. */
  private static final long HEAP_FOR_EACH = 64L << 20;

  /** How long a body may take, whatever its size; each 16 KB give it another second. */
  private static final long NANOS = TimeUnit.SECONDS.toNanos(30);

  private static final long NANOS_PER_BYTE = TimeUnit.SECONDS.toNanos(1) >> 14;

  private final int most;
  private final long waitMillis;
  private final Semaphore large =
      new Semaphore((int) Math.max(1, Runtime.getRuntime().maxMemory() / HEAP_FOR_EACH));

  /**
   * @param most bytes of one body
   * @param wait how long a large one waits for others
   */
  Bodies(int most, Duration wait) {
    this.most = most;
    this.waitMillis = wait.toMillis();
  }

  /** What is done with a body. */
  interface Use {
    /**
     * @param body null if it has more bytes than allowed
     */
    void of(byte[] body) throws IOException;
  }

  /**
   * Reads the body of a request and hands it on.
   *
   * @return false if there were too many large ones for too long, and nothing was read
   */
  boolean read(Exchange exchange, Use use) throws IOException {
    String header = exchange.header("Content-Length");
    long length =
        header == null ? -1 : header.length() < 19 ? Long.parseLong(header) : Long.MAX_VALUE;
    if (length > most) {
      use.of(null);
      return true;
    }
    boolean waits = length < 0 || length > LARGE;
    if (waits && !begin()) {
      return false;
    }
    try {
      use.of(bytes(exchange.input(), (int) Math.max(length, 0)));
      return true;
    } finally {
      if (waits) {
        large.release();
      }
    }
  }

  private boolean begin() throws IOException {
    try {
      return large.tryAcquire(waitMillis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private byte[] bytes(InputStream in, int expected) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream(Math.max(expected, 512));
    byte[] part = new byte[8192];
    long begun = System.nanoTime();
    int read = in.read(part);
    while (read >= 0) {
      body.write(part, 0, read);
      if (body.size() > most) {
        return null;
      }
      if (System.nanoTime() - begun > NANOS + body.size() * NANOS_PER_BYTE) {
        throw new IOException("the body is sent too slowly", new TimeoutException());
      }
      read = in.read(part);
    }
    return body.toByteArray();
  }
}
