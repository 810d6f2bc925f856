/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.server.console.Console;
import io.github.calcitefaiss.server.console.Exchange;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * The one place where requests of Jetty's become this server's own: Avatica's protocol at POST /,
 * /health and /metrics, and the pages at all else.
 */
final class HttpHandler extends Handler.Abstract {
  private final RpcHandler rpc;
  private final Console console;
  private final FaissMeta meta;
  private final Metrics metrics;
  private final ScheduledExecutorService timer;
  private final WebGuard guard;

  HttpHandler(
      RpcHandler rpc,
      Console console,
      FaissMeta meta,
      Metrics metrics,
      ScheduledExecutorService timer,
      WebGuard guard) {
    this.rpc = rpc;
    this.console = console;
    this.meta = meta;
    this.metrics = metrics;
    this.timer = timer;
    this.guard = guard;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    JettyExchange exchange = new JettyExchange(request, response);
    try {
      route(Request.getPathInContext(request), exchange);
      if (exchange.aborted) {
        throw new EofException("broken off");
      }
      exchange.body().close();
      callback.succeeded();
      if (exchange.watch != null && exchange.watch.spoiled()) {
        exchange.endPoint().close();
      }
    } catch (IOException e) {
      brokenOff(request, response, callback, e);
    } catch (Throwable t) {
      callback.failed(t);
    }
    return true;
  }

  /** A client that sends or reads too slowly, or is gone: nothing that a log need tell. */
  private static void brokenOff(
      Request request, Response response, Callback callback, IOException e) {
    boolean slow = e.getCause() instanceof TimeoutException;
    if (slow && !response.isCommitted()) {
      response.getHeaders().put(HttpHeader.CONNECTION, "close");
      Response.writeError(request, response, callback, HttpStatus.REQUEST_TIMEOUT_408);
    } else {
      callback.failed(e instanceof EofException ? e : new EofException(e));
    }
  }

  private void route(String path, JettyExchange exchange) throws IOException {
    if (path.equals("/health")) {
      answer(exchange, 200, "application/json;charset=utf-8", "{\"status\":\"ok\"}\n");
      return;
    }
    String refused = guard.refusal(exchange);
    if (refused != null) {
      answer(exchange, 403, "text/plain;charset=utf-8", refused);
    } else if (path.equals("/metrics")) {
      String type = "text/plain; version=0.0.4;charset=utf-8";
      answer(exchange, 200, type, metrics.text(meta::connections));
    } else if (path.equals("/") && exchange.method().equals("POST")) {
      rpc.answer(exchange);
    } else {
      console.answer(exchange);
    }
  }

  private static void answer(Exchange exchange, int status, String type, String text)
      throws IOException {
    exchange.status(status);
    exchange.header("Content-Type", type);
    exchange.header("Cache-Control", "no-store");
    exchange.body().write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A request of Jetty's and its response. */
  private final class JettyExchange implements Exchange {
    private final Request request;
    private final Response response;
    private OutputStream body;
    private GoneWatch watch;
    private boolean aborted;

    private JettyExchange(Request request, Response response) {
      this.request = request;
      this.response = response;
      response.setStatus(200);
    }

    @Override
    public String method() {
      return request.getMethod();
    }

    @Override
    public String path() {
      return request.getHttpURI().getPath();
    }

    @Override
    public String query() {
      return request.getHttpURI().getQuery();
    }

    @Override
    public String header(String name) {
      return request.getHeaders().get(name);
    }

    @Override
    public String scheme() {
      return request.isSecure() ? "https" : "http";
    }

    @Override
    public String user() {
      Request.AuthenticationState state = Request.getAuthenticationState(request);
      Principal principal = state == null ? null : state.getUserPrincipal();
      return principal == null ? null : principal.getName();
    }

    @Override
    public InputStream input() {
      return Content.Source.asInputStream(request);
    }

    @Override
    public void status(int code) {
      response.setStatus(code);
    }

    @Override
    public void header(String name, String value) {
      response.getHeaders().put(name, value);
    }

    @Override
    public OutputStream body() {
      if (body == null) {
        body = new Body(Response.asBufferedOutputStream(request, response));
      }
      return body;
    }

    /**
     * Ends the watch before a client can have the whole response: what it sends then is its next
     * request, and not for the watch to read.
     */
    private final class Body extends FilterOutputStream {
      private Body(OutputStream out) {
        super(out);
      }

      private void beforeTheEnd() {
        if (watch != null) {
          watch.close();
        }
      }

      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int from, int length) throws IOException {
        if (response.getHeaders().contains(HttpHeader.CONTENT_LENGTH)) {
          beforeTheEnd();
        }
        out.write(bytes, from, length);
      }

      @Override
      public void close() throws IOException {
        beforeTheEnd();
        out.close();
      }
    }

    @Override
    public void abort() {
      aborted = true;
    }

    @Override
    public Watch whenGone(Runnable action) {
      watch = GoneWatch.begin(endPoint(), timer, action);
      return watch;
    }

    private EndPoint endPoint() {
      return request.getConnectionMetaData().getConnection().getEndPoint();
    }
  }
}
