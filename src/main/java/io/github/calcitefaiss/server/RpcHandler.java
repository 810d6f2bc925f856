/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.calcite.avatica.AvaticaSeverity;
import org.apache.calcite.avatica.NoSuchConnectionException;
import org.apache.calcite.avatica.remote.JsonService;
import org.apache.calcite.avatica.remote.LocalService;
import org.apache.calcite.avatica.remote.ProtobufTranslation;
import org.apache.calcite.avatica.remote.ProtobufTranslationImpl;
import org.apache.calcite.avatica.remote.Service;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.handler.AbstractHandler;

/**
 * Reads a request of Avatica's protocol, in JSON or protobuf, and writes the response in the same;
 * answers /health and /metrics.
 *
 * <p>An error carries what the driver says, with its SQLSTATE, and never a stack trace.
 */
final class RpcHandler extends AbstractHandler {
  private static final String PROTOBUF = "application/x-google-protobuf";
  private static final String JSON = "application/json;charset=utf-8";
  private static final String TEXT = "text/plain;charset=utf-8";

  private final FaissMeta meta;
  private final Service service;
  private final Metrics metrics;
  private final int maxBody;
  private final ProtobufTranslation protobuf = new ProtobufTranslationImpl();

  RpcHandler(FaissMeta meta, Metrics metrics, int maxBody) {
    this.meta = meta;
    this.service = new LocalService(meta);
    this.metrics = metrics;
    this.maxBody = maxBody;
  }

  void setAddress(String address) {
    service.setRpcMetadata(new Service.RpcMetadataResponse(address));
  }

  @Override
  public void handle(
      String target, Request base, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    base.setHandled(true);
    switch (target) {
      case "/health" -> answer(response, 200, JSON, "{\"status\":\"ok\"}\n");
      case "/metrics" ->
          answer(
              response,
              200,
              "text/plain; version=0.0.4;charset=utf-8",
              metrics.text(meta::connections));
      case "/" -> {
        if (request.getHeader("Origin") != null) {
          // Only a browser sends it, and then some web page is asking, not the person.
          answer(response, 403, TEXT, "Requests of web pages are refused.\n");
        } else if (!request.getMethod().equals("POST")) {
          response.setHeader("Allow", "POST");
          answer(
              response,
              405,
              TEXT,
              "This is a calcite-faiss server. Connect with Avatica's thin JDBC driver, or POST"
                  + " JSON here; see also /health and /metrics.\n");
        } else {
          call(request, response);
        }
      }
      default -> answer(response, 404, TEXT, "Nothing here; the server is at /.\n");
    }
  }

  private void call(HttpServletRequest http, HttpServletResponse response) throws IOException {
    byte[] body = null;
    if (http.getContentLengthLong() <= maxBody) {
      body = http.getInputStream().readNBytes(maxBody + 1);
    }
    if (body == null || body.length > maxBody) {
      // What was not read can't be skipped cheaply, so the connection ends with this answer.
      response.setHeader("Connection", "close");
      answer(
          response,
          413,
          TEXT,
          "The request has more than " + maxBody + " bytes, the server's limit (--max-body).\n");
      return;
    }
    boolean json = isJson(body);
    Service.Response answer;
    int status = 200;
    try {
      Service.Request request =
          json
              ? JsonService.MAPPER.readValue(body, Service.Request.class)
              : protobuf.parseRequest(body);
      if (request == null) {
        throw new IOException("the request is empty");
      }
      answer = meta.as(http.getRemoteUser(), () -> apply(request));
    } catch (IOException e) {
      status = 400;
      answer = error("The request can't be read: " + reason(e), "08P01", -1);
    } catch (Exception | StackOverflowError | OutOfMemoryError e) {
      status = 500;
      answer = error(e);
    }
    response.setStatus(status);
    response.setContentType(json ? JSON : PROTOBUF);
    byte[] bytes =
        json ? JsonService.MAPPER.writeValueAsBytes(answer) : protobuf.serializeResponse(answer);
    response.setContentLength(bytes.length);
    response.getOutputStream().write(bytes);
  }

  /** Each kind of request has a method of the service; the request's own way to it isn't public. */
  private Service.Response apply(Service.Request request) throws ReflectiveOperationException {
    return (Service.Response)
        Service.class.getMethod("apply", request.getClass()).invoke(service, request);
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

  private static String reason(IOException e) {
    return e instanceof JsonProcessingException json
        ? json.getOriginalMessage()
        : String.valueOf(e.getMessage());
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
        ? new SQLException("The server is out of memory; ask for less", "53200")
        : new SQLException(
            "Internal error (" + root.getClass().getSimpleName() + ": " + root.getMessage() + ")",
            "HY000");
  }

  private static void answer(HttpServletResponse response, int status, String type, String text)
      throws IOException {
    response.setStatus(status);
    response.setContentType(type);
    response.setHeader("Cache-Control", "no-store");
    response.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
  }
}
