/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/**
 * The models that can be installed by name, and what runs them: files of Maven's central
 * repository, each with its SHA-256, so that nothing else is ever taken for one.
 *
 * @param runtime the jars that run a model in the ONNX format
 * @param models by name
 */
public record Catalog(List<Artifact> runtime, Map<String, Entry> models) {
  /** The model that is proposed to those who have none. */
  public static final String DEFAULT = "all-minilm-l6-v2-q";

  /** This release's. */
  public static final Catalog OURS = read();

  /**
   * A file of a Maven repository.
   *
   * @param path below the repository's address
   * @param sha256 in hexadecimal digits
   * @param size in bytes
   */
  record Artifact(String path, String sha256, long size) {
    String file() {
      return path.substring(path.lastIndexOf('/') + 1);
    }
  }

  /**
   * A model.
   *
   * @param about in words
   * @param jar what holds it
   * @param onnx the name in the jar of its weights
   * @param tokenizer the name in the jar of its tokenizer
   * @param pooling how a text's vector is made of its tokens'
   * @param dims of its vectors
   */
  public record Entry(
      String about, Artifact jar, String onnx, String tokenizer, String pooling, int dims) {}

  private static Catalog read() {
    try (InputStream in = Catalog.class.getResourceAsStream("models.json")) {
      return new ObjectMapper().readValue(in, Catalog.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
