/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.calcitefaiss.run.FaissException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What the file {@code model.json} of an installed model says.
 *
 * @param kind {@link #ONNX} for a model that runs in this process, {@link #HTTP} for a server
 * @param dims how many elements its vectors have
 * @param pooling of ONNX: {@code mean} or {@code cls}
 * @param files of ONNX: the SHA-256 of each of its files
 * @param url of HTTP: where {@code /embeddings} is
 * @param model of HTTP: the server's name for the model
 * @param ask of HTTP: whether to ask for vectors of {@code dims} elements
 * @param keyEnv of HTTP: the environment variable that holds the key, or null
 * @param keyFile of HTTP: the file that holds the key, or null
 * @param batch how many texts at once
 * @param timeoutSeconds of HTTP: how long one request may take
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ModelDescription(
    String kind,
    Integer dims,
    String pooling,
    Map<String, String> files,
    String url,
    String model,
    Boolean ask,
    String keyEnv,
    String keyFile,
    Integer batch,
    Integer timeoutSeconds) {
  /** A model in the ONNX format, which runs in this process. */
  public static final String ONNX = "onnx";

  /** A server that speaks OpenAI's {@code /v1/embeddings}. */
  public static final String HTTP = "http";

  static final String FILE = "model.json";
  static final String WEIGHTS = "model.onnx";
  static final String TOKENIZER = "tokenizer.json";

  static final int MOST_DIMS = 65536;
  static final int MOST_BATCH = 2048;
  private static final int DEFAULT_BATCH = 64;
  private static final int DEFAULT_TIMEOUT_SECONDS = 60;
  private static final long LONGEST_FILE = 65536;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  static ModelDescription onnx(int dims, String pooling, Map<String, String> files) {
    return new ModelDescription(
        ONNX, dims, pooling, files, null, null, null, null, null, null, null);
  }

  /** What leads to a server's model; its key stands in a variable, a file, or nowhere. */
  public static ModelDescription http(
      String url,
      String model,
      Integer dims,
      String keyEnv,
      String keyFile,
      Integer batch,
      Integer timeoutSeconds) {
    return new ModelDescription(
        HTTP,
        dims,
        null,
        null,
        url,
        model,
        dims == null ? null : true,
        keyEnv,
        keyFile,
        batch,
        timeoutSeconds);
  }

  ModelDescription withDims(int count) {
    return new ModelDescription(
        kind, count, pooling, files, url, model, ask, keyEnv, keyFile, batch, timeoutSeconds);
  }

  /** Whether a text can be a model's name: letters, digits, dots, dashes, underscores. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  static ModelDescription read(Path file) throws FaissException {
    try {
      if (Files.size(file) > LONGEST_FILE) {
        throw EmbedErrors.badDescription(file, "it is longer than " + LONGEST_FILE + " bytes");
      }
      ModelDescription description = JSON.readValue(file.toFile(), ModelDescription.class);
      String problem = description == null ? "it is empty" : description.problem();
      if (problem != null) {
        throw EmbedErrors.badDescription(file, problem);
      }
      return description;
    } catch (JsonProcessingException e) {
      throw EmbedErrors.badDescription(
          file, "it is not the JSON that install-model writes: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw EmbedErrors.badDescription(file, "it can't be read");
    }
  }

  String json() throws IOException {
    return JSON.writeValueAsString(this) + "\n";
  }

  int batchSize() {
    return batch == null ? DEFAULT_BATCH : batch;
  }

  int timeout() {
    return timeoutSeconds == null ? DEFAULT_TIMEOUT_SECONDS : timeoutSeconds;
  }

  /** What is wrong with it, or null. */
  String problem() {
    if (dims == null || dims < 1 || dims > MOST_DIMS) {
      return "dims is " + dims + ", expected 1 to " + MOST_DIMS;
    } else if (batchSize() < 1 || batchSize() > MOST_BATCH) {
      return "batch is " + batch + ", expected 1 to " + MOST_BATCH;
    } else if (timeout() < 1 || timeout() > 3600) {
      return "timeoutSeconds is " + timeoutSeconds + ", expected 1 to 3600";
    } else if (ONNX.equals(kind)) {
      return onnxProblem();
    } else if (HTTP.equals(kind)) {
      return httpProblem();
    }
    return "kind is '" + kind + "', expected '" + ONNX + "' or '" + HTTP + "'";
  }

  private String onnxProblem() {
    if (!"mean".equals(pooling) && !"cls".equals(pooling)) {
      return "pooling is '" + pooling + "', expected 'mean' or 'cls'";
    } else if (files == null
        || !List.of(WEIGHTS, TOKENIZER).stream().allMatch(files::containsKey)
        || files.size() != 2) {
      return "files must have the SHA-256 of " + WEIGHTS + " and " + TOKENIZER;
    }
    return null;
  }

  private String httpProblem() {
    if (url == null || model == null || model.isBlank()) {
      return "url and model are needed";
    }
    String problem = urlProblem(url, keyEnv != null || keyFile != null);
    if (problem != null) {
      return problem;
    } else if (keyEnv != null && keyFile != null) {
      return "keyEnv and keyFile exclude each other";
    } else if (keyEnv != null && !VARIABLE.matcher(keyEnv).matches()) {
      return "keyEnv must be the name of an environment variable";
    }
    return null;
  }

  /** What is wrong with a server's address, or null; the address itself is not said. */
  private static String urlProblem(String url, boolean key) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      return "the URL can't be read";
    }
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(java.util.Locale.ROOT);
    if (!scheme.equals("http") && !scheme.equals("https") || uri.getHost() == null) {
      return "the URL must begin with http:// or https:// and a host";
    } else if (uri.getRawUserInfo() != null || uri.getRawQuery() != null) {
      return "the URL must have no name, password or query: a key is read from an environment"
          + " variable or a file";
    } else if (key && scheme.equals("http") && !isThisMachine(uri.getHost())) {
      return "a key is sent only by https, or to this machine";
    }
    return null;
  }

  private static boolean isThisMachine(String host) {
    return host.equals("localhost") || host.equals("127.0.0.1") || host.equals("[::1]");
  }
}
