/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.server.console.Exchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.apache.calcite.avatica.AvaticaSeverity;
import org.apache.calcite.avatica.NoSuchConnectionException;
import org.apache.calcite.avatica.remote.JsonService;
import org.apache.calcite.avatica.remote.LocalService;
import org.apache.calcite.avatica.remote.ProtobufTranslation;
import org.apache.calcite.avatica.remote.ProtobufTranslationImpl;
import org.apache.calcite.avatica.remote.Service;

/**
 * Reads a request of Avatica's protocol, in JSON or protobuf, and writes the response in the same.
 *
 * <p>An error carries what the driver says, with its SQLSTATE, and never a stack trace.
 */
final class RpcHandler {
  private static final String PROTOBUF = "application/x-google-protobuf";
  private static final String JSON = "application/json;charset=utf-8";
  private static final String TEXT = "text/plain;charset=utf-8";
  private static final String OUT_OF_MEMORY = "The server is out of memory; ask for less";

  private final FaissMeta meta;
  private final Service service;
  private final int maxBody;
  private final Bodies bodies;
  private final ProtobufTranslation protobuf = new ProtobufTranslationImpl();

  RpcHandler(FaissMeta meta, Limits limits) {
    this.meta = meta;
    this.service = new LocalService(meta);
    this.maxBody = limits.bodyBytes();
    Duration wait = limits.statementTimeout();
    this.bodies = new Bodies(maxBody, wait.isZero() ? Limits.DEFAULT.statementTimeout() : wait);
  }

  void setAddress(String address) {
    service.setRpcMetadata(new Service.RpcMetadataResponse(address));
  }

  /** Answers a POST to {@code /}. */
  void answer(Exchange exchange) throws IOException {
    try {
      if (!bodies.read(exchange, body -> answer(exchange, body))) {
        exchange.header("Retry-After", "1");
        refuse(exchange, 503, "The server is busy with other large requests; try again");
      }
    } catch (OutOfMemoryError e) {
      refuse(exchange, 503, OUT_OF_MEMORY);
    }
  }

  /** What was not read can't be skipped cheaply, so the connection ends with this answer. */
  private static void refuse(Exchange exchange, int status, String text) throws IOException {
    exchange.header("Connection", "close");
    answer(exchange, status, TEXT, text + "\n");
  }

  private void answer(Exchange exchange, byte[] body) throws IOException {
    if (body == null) {
      refuse(
          exchange,
          413,
          "The request has more than " + maxBody + " bytes, the server's limit (--max-body).");
      return;
    }
    boolean json = isJson(body);
    Service.Response answer;
    int status = 200;
    int fetched = -1;
    try {
      Service.Request request =
          json ? JsonService.MAPPER.readValue(body, Service.Request.class) : parsed(body);
      if (request == null) {
        throw new IOException("the request is empty");
      }
      String missing = Unreadable.missing(request);
      if (missing != null) {
        throw new IOException("it lacks the field '" + missing + "'");
      }
      fetched = request instanceof Service.FetchRequest fetch ? fetch.statementId : -1;
      answer = meta.as(exchange.user(), () -> apply(request));
    } catch (IOException e) {
      status = 400;
      answer = error("The request can't be read: " + Unreadable.why(e), "08P01", -1);
    } catch (Exception | StackOverflowError | OutOfMemoryError e) {
      status = 500;
      answer = error(e);
    }
    exchange.status(status);
    exchange.header("Content-Type", json ? JSON : PROTOBUF);
    byte[] bytes =
        json ? JsonService.MAPPER.writeValueAsBytes(answer) : protobuf.serializeResponse(answer);
    if (!json && hasMixedTexts(answer, fetched)) {
      bytes = WireTexts.add(bytes, fetched, meta::mixedTexts);
    }
    exchange.header("Content-Length", Integer.toString(bytes.length));
    exchange.body().write(bytes);
  }

  private boolean hasMixedTexts(Service.Response answer, int fetched) {
    return answer instanceof Service.ExecuteResponse response
        ? response.results.stream().anyMatch(r -> !meta.mixedTexts(r.statementId).isEmpty())
        : fetched >= 0 && !meta.mixedTexts(fetched).isEmpty();
  }

  /** Each kind of request has a method of the service; the request's own way to it isn't public. */
  private Service.Response apply(Service.Request request) throws ReflectiveOperationException {
    return (Service.Response)
        Service.class.getMethod("apply", request.getClass()).invoke(service, request);
  }

  private Service.Request parsed(byte[] body) throws IOException {
    try {
      return protobuf.parseRequest(body);
    } catch (IOException | RuntimeException e) {
      throw new IOException(
          "it is neither an object of JSON nor a message of Avatica's protobuf", e);
    }
  }

  /** A protobuf message begins with a tag, 0x0a, and the length of a class's name. */
  private static boolean isJson(byte[] body) {
    for (byte b : body) {
      if (b != ' ' && b != '\t' && b != '\r' && b != '\n') {
        return b == '{';
      }
    }
    return true;
  }

  private static Service.Response error(Throwable thrown) {
    if (thrown.getCause() instanceof NoSuchConnectionException) {
      // The code tells Avatica's driver that it may connect anew; the exception tells nothing.
      return error(
          "Connection not found: its id is wrong, or it was closed, or nobody used it for too long"
              + " (--idle-timeout)",
          "08003",
          Service.ErrorResponse.MISSING_CONNECTION_ERROR_CODE);
    }
    SQLException e = sqlException(thrown);
    return error(e.getMessage(), e.getSQLState(), e.getErrorCode());
  }

  private static Service.Response error(String message, String state, int code) {
    return new Service.ErrorResponse(
        List.of(message),
        message,
        code,
        state == null ? "HY000" : state,
        AvaticaSeverity.ERROR,
        null);
  }

  /** The exception for the client: the innermost SQLException, or one that tells what is there. */
  static SQLException sqlException(Throwable thrown) {
    SQLException found = null;
    Throwable root = thrown;
    for (Throwable t = thrown; t != null && t != t.getCause(); t = t.getCause()) {
      if (found == null && t instanceof SQLException e) {
        found = e;
      }
      root = t;
    }
    if (found != null) {
      return found;
    }
    return root instanceof OutOfMemoryError
        ? new SQLException(OUT_OF_MEMORY, "53200")
        : new SQLException("Internal error; please report the request", "HY000", root);
  }

  private static void answer(Exchange exchange, int status, String type, String text)
      throws IOException {
    exchange.status(status);
    exchange.header("Content-Type", type);
    exchange.header("Cache-Control", "no-store");
    exchange.body().write(text.getBytes(StandardCharsets.UTF_8));
  }
}
