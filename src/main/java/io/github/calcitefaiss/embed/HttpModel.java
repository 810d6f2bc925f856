/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * A model behind a server that speaks OpenAI's {@code /v1/embeddings}: OpenAI, Ollama, llama.cpp,
 * vLLM and others.
 *
 * <p>A batch that the server refuses as a whole (400, 413, 422) is halved until it is taken, or one
 * text stands alone. What may pass (429, 5xx, a broken connection) is tried again, {@value
 * #ATTEMPTS} times in all, with growing pauses. What a server says is never repeated, since it may
 * hold a text or the key; redirections are not followed, since they would get both.
 */
final class HttpModel implements EmbeddingModel {
  private static final int ATTEMPTS = 5;
  private static final long FIRST_PAUSE_MILLIS = 100;
  private static final long LONGEST_PAUSE_MILLIS = 30_000;

  /** A number takes some 25 characters at most; what is longer than that is no answer. */
  private static final int BYTES_A_NUMBER = 64;

  private static final int BYTES_A_TEXT = 4096;

  private static final Set<Integer> TOO_MUCH = Set.of(400, 413, 422);
  private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504, 529);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String name;
  private final ModelDescription description;
  private final UnaryOperator<String> environment;
  private final URI address;
  private final HttpClient client;

  /**
   * @param environment gives the value of an environment variable, or null
   */
  HttpModel(String name, ModelDescription description, UnaryOperator<String> environment) {
    this.name = name;
    this.description = description;
    this.environment = environment;
    this.address = address(description.url());
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(10))
            .followRedirects(HttpClient.Redirect.NEVER);
    ProxySelector proxies = ProxySelector.getDefault();
    if (proxies != null) {
      builder.proxy(proxies);
    }
    this.client = builder.build();
  }

  /** The address itself, or its base: {@code http://host}, {@code https://host/v1}. */
  static URI address(String url) {
    String base = url.replaceAll("/+$", "");
    if (base.endsWith("/embeddings")) {
      return URI.create(base);
    }
    String path = URI.create(base).getPath();
    return URI.create(base + (path == null || path.isEmpty() ? "/v1" : "") + "/embeddings");
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int dims() {
    return description.dims();
  }

  @Override
  public int batch() {
    return description.batchSize();
  }

  @Override
  public List<Embedded> embed(List<String> texts, Checkpoint watch) throws FaissException {
    return Vectors.checked(name, dims(), texts.size(), split(texts, key(), watch));
  }

  /** How many dimensions the server's vectors have. */
  int probe(Checkpoint watch) throws FaissException {
    return split(List.of("probe"), key(), watch).get(0).get().length;
  }

  private String key() throws FaissException {
    String key;
    if (description.keyEnv() != null) {
      key = environment.apply(description.keyEnv());
      if (key == null || key.isBlank()) {
        throw EmbedErrors.failed(
            name,
            "needs a key in the environment variable "
                + description.keyEnv()
                + ", which is not set for this process");
      }
    } else if (description.keyFile() != null) {
      Path file = Path.of(description.keyFile());
      try {
        key = Files.readString(file);
      } catch (IOException e) {
        throw EmbedErrors.failed(name, "needs a key in the file " + file + ", which can't be read");
      }
    } else {
      return null;
    }
    key = key.strip();
    if (key.isEmpty() || !key.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw EmbedErrors.failed(
          name, "has a key that is empty, or has a blank or a character beyond ASCII");
    }
    return key;
  }

  private List<Embedded> split(List<String> texts, String key, Checkpoint watch)
      throws FaissException {
    Reply reply = ask(texts, key, watch);
    if (reply.status() == 200) {
      return parse(reply.body(), texts.size());
    }
    if (texts.size() == 1) {
      return List.of(
          Embedded.failed(
              EmbedErrors.failed(
                  name,
                  "refused this text (HTTP status "
                      + reply.status()
                      + "); it may be too long, or the server may not know the model "
                      + description.model())));
    }
    List<Embedded> both = new ArrayList<>(texts.size());
    int half = texts.size() / 2;
    both.addAll(split(texts.subList(0, half), key, watch));
    both.addAll(split(texts.subList(half, texts.size()), key, watch));
    return both;
  }

  private record Reply(int status, byte[] body, long waitMillis) {}

  /** An answer of status 200, or one that says that this batch is too much. */
  private Reply ask(List<String> texts, String key, Checkpoint watch) throws FaissException {
    long timeout = TimeUnit.SECONDS.toMillis(description.timeout());
    HttpRequest request = request(texts, key);
    String why = null;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      long pause = (FIRST_PAUSE_MILLIS << attempt) / 2;
      pause = pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
      Throwable cause = null;
      try {
        Reply reply = Waiting.on(() -> send(request, texts.size()), timeout, watch);
        if (reply.status() == 200 || TOO_MUCH.contains(reply.status())) {
          return reply;
        } else if (!PASSING.contains(reply.status())) {
          throw EmbedErrors.failed(name, meaning(reply.status()));
        }
        why = "answered with the HTTP status " + reply.status();
        pause = Math.max(pause, reply.waitMillis());
      } catch (Waiting.TooLong e) {
        why = "gave no answer in " + description.timeout() + " s";
        // Another two are as likely to be in vain, and each takes as long.
        attempt++;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof FaissException failure) {
          throw failure;
        }
        cause = e.getCause();
        why = "can't be reached at " + host();
      }
      if (attempt >= ATTEMPTS) {
        throw EmbedErrors.failed(name, why + ", tried " + ATTEMPTS + " times at most", cause);
      }
      Waiting.pause(Math.min(pause, LONGEST_PAUSE_MILLIS), watch);
    }
    throw EmbedErrors.failed(name, why);
  }

  private String host() {
    return address.getHost() + (address.getPort() < 0 ? "" : ":" + address.getPort());
  }

  private String meaning(int status) {
    String said = "answered with the HTTP status " + status;
    switch (status) {
      case 401:
      case 403:
        return said
            + (description.keyEnv() != null
                ? ": the key in the environment variable " + description.keyEnv() + " is not taken"
                : description.keyFile() != null
                    ? ": the key in the file " + description.keyFile() + " is not taken"
                    : ": it wants a key (install-model … --key-env VARIABLE, or --key-file FILE)");
      case 404:
        return said + ": there is nothing at " + address + ", or no model " + description.model();
      default:
        return said + (status / 100 == 3 ? ", a redirection, which is not followed" : "");
    }
  }

  private HttpRequest request(List<String> texts, String key) throws FaissException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(body)) {
      json.writeStartObject();
      json.writeStringField("model", description.model());
      json.writeArrayFieldStart("input");
      for (String text : texts) {
        json.writeString(text);
      }
      json.writeEndArray();
      if (Boolean.TRUE.equals(description.ask())) {
        json.writeNumberField("dimensions", description.dims());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw EmbedErrors.failed(name, "can't be sent a text that is no Unicode");
    }
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()));
    if (key != null) {
      request.header("Authorization", "Bearer " + key);
    }
    return request.build();
  }

  private Reply send(HttpRequest request, int texts) throws Exception {
    HttpResponse<InputStream> response =
        client.send(request, HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      if (response.statusCode() != 200) {
        return new Reply(response.statusCode(), null, retryAfterMillis(response));
      }
      long most =
          (long) texts * (BYTES_A_TEXT + (long) BYTES_A_NUMBER * description.dims()) + BYTES_A_TEXT;
      byte[] body = in.readNBytes((int) Math.min(most, Integer.MAX_VALUE - 8));
      if (in.read() >= 0) {
        throw EmbedErrors.failed(
            name,
            "gave an answer that is longer than "
                + texts
                + " vectors of "
                + description.dims()
                + " dimensions can be");
      }
      return new Reply(200, body, 0);
    }
  }

  /** For how long a server asks to be left alone. */
  private static long retryAfterMillis(HttpResponse<?> response) {
    String said = response.headers().firstValue("Retry-After").orElse("").strip();
    try {
      if (said.matches("\\d{1,6}")) {
        return TimeUnit.SECONDS.toMillis(Long.parseLong(said));
      } else if (!said.isEmpty()) {
        Instant at = ZonedDateTime.parse(said, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        return Math.max(0, Duration.between(Instant.now(), at).toMillis());
      }
    } catch (DateTimeParseException e) {
      // As if nothing were said.
    }
    return 0;
  }

  private List<Embedded> parse(byte[] body, int texts) throws FaissException {
    JsonNode data;
    try {
      data = JSON.readTree(body).path("data");
    } catch (JsonProcessingException e) {
      throw EmbedErrors.failed(name, "gave an answer that is no JSON");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    if (!data.isArray()) {
      throw EmbedErrors.failed(name, "gave an answer without the array 'data'");
    }
    if (data.size() != texts) {
      throw EmbedErrors.failed(name, "gave " + data.size() + " vectors for " + texts + " texts");
    }
    Embedded[] answers = new Embedded[texts];
    for (int i = 0; i < texts; i++) {
      JsonNode entry = data.get(i);
      int index = entry.has("index") ? entry.get("index").asInt(-1) : i;
      if (index < 0 || index >= texts || answers[index] != null) {
        throw EmbedErrors.failed(name, "gave vectors whose indexes are not those of the texts");
      }
      answers[index] = Embedded.of(vector(entry.path("embedding")));
    }
    return Arrays.asList(answers);
  }

  private float[] vector(JsonNode elements) throws FaissException {
    if (!elements.isArray()) {
      throw EmbedErrors.failed(name, "gave an answer whose 'embedding' is no array of numbers");
    }
    float[] vector = new float[elements.size()];
    for (int i = 0; i < vector.length; i++) {
      JsonNode element = elements.get(i);
      vector[i] = element.isNumber() ? element.floatValue() : Float.NaN;
    }
    return vector;
  }
}
