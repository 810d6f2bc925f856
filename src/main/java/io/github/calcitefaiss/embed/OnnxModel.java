/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** A model in the ONNX format, with its tokenizer, that runs in this process. */
final class OnnxModel implements EmbeddingModel {
  private static final long LONGEST_MILLIS = TimeUnit.MINUTES.toMillis(10);

  private final String name;
  private final ModelDescription description;
  private final OnnxRuntime runtime;
  private final Object model;

  private OnnxModel(String name, ModelDescription description, OnnxRuntime runtime, Object model) {
    this.name = name;
    this.description = description;
    this.runtime = runtime;
    this.model = model;
  }

  /** Loads a model, whose files must be those that were installed. */
  static OnnxModel open(ModelFolder folder, String name, ModelDescription description)
      throws FaissException {
    Path files = folder.folder(name);
    for (Map.Entry<String, String> file : description.files().entrySet()) {
      try {
        if (!Files256.of(files.resolve(file.getKey())).equals(file.getValue())) {
          throw EmbedErrors.incomplete(name, file.getKey() + " is not the file that was installed");
        }
      } catch (IOException e) {
        throw EmbedErrors.incomplete(name, file.getKey() + " can't be read");
      }
    }
    OnnxRuntime runtime = OnnxRuntime.of(folder, name);
    return new OnnxModel(
        name,
        description,
        runtime,
        load(
            runtime,
            name,
            files.resolve(ModelDescription.WEIGHTS),
            files.resolve(ModelDescription.TOKENIZER),
            description.pooling()));
  }

  static Object load(OnnxRuntime runtime, String name, Path weights, Path tokenizer, String pooling)
      throws FaissException {
    try {
      return runtime.model(weights, tokenizer, pooling);
    } catch (Exception | LinkageError | AssertionError e) {
      throw EmbedErrors.failed(
          name, "can't be loaded: its files are no model and tokenizer that this runs", e);
    }
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
    List<float[]> vectors;
    try {
      vectors = Waiting.on(() -> runtime.embed(model, texts), LONGEST_MILLIS, watch);
    } catch (Waiting.TooLong e) {
      throw EmbedErrors.failed(name, "took longer than ten minutes for " + texts.size() + " texts");
    } catch (ExecutionException e) {
      if (texts.size() == 1) {
        // The library's own words may repeat the text.
        return List.of(Embedded.failed(EmbedErrors.failed(name, "can't embed this text")));
      }
      List<Embedded> one = new ArrayList<>();
      for (String text : texts) {
        one.addAll(embed(List.of(text), watch));
      }
      return one;
    }
    return Vectors.checked(name, dims(), texts.size(), vectors.stream().map(Embedded::of).toList());
  }
}
