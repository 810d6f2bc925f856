/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.server.console.Exchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadPendingException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.util.Callback;

/**
 * Notices that a client closed its connection while its request is worked on.
 *
 * <p>Jetty reads no more of a connection until its request is answered. So this does, for requests
 * that take longer than most: the end of the stream is the end of the client. A client that sends
 * its next request before it has this answer loses the connection afterwards, and asks again; no
 * browser does so.
 */
final class GoneWatch implements Exchange.Watch, Callback {
  private static final long AFTER_MILLIS = 100;

  private final EndPoint endPoint;
  private final Runnable action;
  private Future<?> start;
  private boolean waiting;
  private boolean over;
  private boolean spoiled;

  private GoneWatch(EndPoint endPoint, Runnable action) {
    this.endPoint = endPoint;
    this.action = action;
  }

  static GoneWatch begin(EndPoint endPoint, ScheduledExecutorService timer, Runnable action) {
    GoneWatch watch = new GoneWatch(endPoint, action);
    try {
      watch.start = timer.schedule(watch::listen, AFTER_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The server stops, and cancels what runs itself.
      watch.over = true;
    }
    return watch;
  }

  private synchronized void listen() {
    if (over) {
      return;
    }
    try {
      waiting = true;
      endPoint.fillInterested(this);
    } catch (ReadPendingException e) {
      // Jetty reads itself, and will notice.
      waiting = false;
    }
  }

  @Override
  public void succeeded() {
    boolean gone = false;
    synchronized (this) {
      waiting = false;
      if (over) {
        return;
      }
      ByteBuffer buffer = ByteBuffer.allocate(1);
      buffer.flip();
      try {
        int read = endPoint.fill(buffer);
        gone = read < 0;
        spoiled = read > 0;
      } catch (IOException e) {
        gone = true;
      }
      over = gone || spoiled;
      if (!over) {
        listen();
      }
    }
    if (gone) {
      action.run();
    }
  }

  @Override
  public void failed(Throwable reason) {
    synchronized (this) {
      waiting = false;
      if (over) {
        return;
      }
      if (reason instanceof TimeoutException) {
        // Nothing was sent for a while, as it should be.
        listen();
        return;
      }
      over = true;
    }
    action.run();
  }

  @Override
  public void close() {
    if (start != null) {
      start.cancel(false);
    }
    boolean cancel;
    synchronized (this) {
      over = true;
      cancel = waiting;
    }
    if (cancel && endPoint instanceof AbstractEndPoint base) {
      base.getFillInterest().onFail(new TimeoutException("answered"));
    }
  }

  /** Whether a byte of a next request was read, so that the connection is of no more use. */
  synchronized boolean spoiled() {
    return spoiled;
  }
}
