/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Refuses requests that come while too many others are answered, or are still being sent: each
 * holds a thread, and some threads stay free for whoever asks whether the server is up.
 */
final class Places extends Handler.Wrapper {
  private final Semaphore places;

  /**
   * @param most how many requests are answered at once
   */
  Places(Handler handler, int most) {
    super(handler);
    this.places = new Semaphore(most);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    if (Request.getPathInContext(request).equals("/health")) {
      return super.handle(request, response, callback);
    }
    if (!places.tryAcquire()) {
      response.setStatus(503);
      response.getHeaders().put(HttpHeader.RETRY_AFTER, 1);
      response.getHeaders().put(HttpHeader.CONNECTION, "close");
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/plain;charset=utf-8");
      response.write(
          true,
          java.nio.ByteBuffer.wrap(
              "The server answers as many requests as it can; try again\n"
                  .getBytes(StandardCharsets.UTF_8)),
          callback);
      return true;
    }
    try {
      // What follows answers before it returns.
      return super.handle(request, response, callback);
    } finally {
      places.release();
    }
  }
}
