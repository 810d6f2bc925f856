/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A server of {@code /v1/embeddings} on this machine, whose vectors are (length, spaces, 1), and
 * which can be told to answer otherwise.
 */
public final class EmbeddingServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** How often it was asked. */
  public final AtomicInteger calls = new AtomicInteger();

  /** Every text that it was asked for. */
  public final List<String> texts = Collections.synchronizedList(new ArrayList<>());

  /** The headers "Authorization" of all calls. */
  public final List<String> keys = Collections.synchronizedList(new ArrayList<>());

  /** Answers in place of the right one. */
  public volatile Answer answer = (call, request) -> null;

  /** What is answered to a call. */
  public interface Answer {
    /** A status and a body, or null for the right answer. */
    Reply to(int call, JsonNode request) throws Exception;
  }

  /**
   * An answer.
   *
   * @param status of HTTP
   * @param body in JSON or not
   * @param retryAfter the header, or null
   */
  public record Reply(int status, String body, String retryAfter) {
    /** An answer without that header. */
    public Reply(int status, String body) {
      this(status, body, null);
    }
  }

  /** Starts. */
  public EmbeddingServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/embeddings", this::serve);
    server.setExecutor(threads);
    server.start();
  }

  /** Its base address. */
  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      JsonNode request = JSON.readTree(exchange.getRequestBody());
      int call = calls.incrementAndGet();
      keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
      request.get("input").forEach(text -> texts.add(text.asText()));
      Reply reply;
      try {
        reply = answer.to(call, request);
      } catch (Exception e) {
        throw new IOException(e);
      }
      if (reply == null) {
        reply = new Reply(200, right(request).toString());
      }
      if (reply.retryAfter() != null) {
        exchange.getResponseHeaders().set("Retry-After", reply.retryAfter());
      }
      byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(reply.status(), body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** The right answer, last text first, as the standard allows. */
  static ObjectNode right(JsonNode request) {
    ObjectNode response = JSON.createObjectNode();
    ArrayNode data = response.putArray("data");
    JsonNode input = request.get("input");
    for (int i = input.size() - 1; i >= 0; i--) {
      String text = input.get(i).asText();
      ObjectNode entry = data.addObject().put("index", i);
      ArrayNode vector = entry.putArray("embedding");
      for (float element : vector(text)) {
        vector.add(element);
      }
    }
    return response;
  }

  /** The vector of a text. */
  public static float[] vector(String text) {
    return new float[] {text.length(), text.split(" ", -1).length - 1, 1};
  }

  /** Installs it as a model into a folder. */
  public void install(ModelFolder folder, String name, int dims) throws Exception {
    new ModelInstaller(folder, folder.path(), InstalledModels.NOWHERE, line -> {})
        .installHttp(name, ModelDescription.http(url(), "lengths", dims, null, null, null, null));
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
