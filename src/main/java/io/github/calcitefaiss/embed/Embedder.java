/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Embeds texts by the installed models: one call of a model for many texts, each text once, and
 * none for a text whose vector is remembered.
 */
public final class Embedder {
  /** The system property that says how many bytes of vectors and their texts are remembered. */
  public static final String MEMORY_PROPERTY = "calcitefaiss.embedMemory";

  private static final long DEFAULT_MEMORY = 64L << 20;

  private static final EmbedStatistics STATISTICS = new EmbedStatistics();
  private static final VectorMemory MEMORY =
      new VectorMemory(Long.getLong(MEMORY_PROPERTY, DEFAULT_MEMORY));
  private static final Map<Path, Embedder> ALL = new HashMap<>();

  private final ModelFolder folder;
  private final UnaryOperator<String> environment;
  private final Map<String, Opened> open = new HashMap<>();

  /** A model, and when its description was written. */
  private record Opened(EmbeddingModel model, FileTime written) {}

  private Embedder(ModelFolder folder, UnaryOperator<String> environment) {
    this.folder = folder;
    this.environment = environment;
  }

  /** For the models of this process's folder. */
  public static Embedder ours() {
    return of(ModelFolder.ours());
  }

  /** For the models of a folder. */
  static Embedder of(ModelFolder folder) {
    synchronized (ALL) {
      return ALL.computeIfAbsent(folder.path(), path -> new Embedder(folder, System::getenv));
    }
  }

  /** What was embedded since the process began. */
  public static EmbedStatistics statistics() {
    return STATISTICS;
  }

  /** The folder of the models. */
  public ModelFolder folder() {
    return folder;
  }

  /**
   * A model, loaded if it is the first time, or if it was installed anew.
   *
   * @param name null for the default
   * @throws FaissException if there is none, with what to do
   */
  public EmbeddingModel model(String name) throws FaissException {
    String chosen = name == null ? folder.usual() : name;
    Path file = folder.folder(chosen).resolve(ModelDescription.FILE);
    synchronized (open) {
      Opened known = ModelDescription.isName(chosen) ? open.get(chosen) : null;
      FileTime written = written(file);
      if (known != null && known.written().equals(written)) {
        return known.model();
      }
      ModelDescription description = folder.describe(chosen);
      EmbeddingModel model =
          description.kind().equals(ModelDescription.ONNX)
              ? OnnxModel.open(folder, chosen, description)
              : new HttpModel(chosen, description, environment);
      open.put(chosen, new Opened(model, written == null ? FileTime.fromMillis(0) : written));
      return model;
    }
  }

  private static FileTime written(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      return null;
    }
  }

  /** What becomes of one text. */
  public Embedded embed(EmbeddingModel model, String text, Checkpoint watch) throws FaissException {
    float[] known = MEMORY.get(new VectorMemory.Key(model, text));
    if (known != null) {
      STATISTICS.hits.increment();
      return Embedded.of(known);
    }
    return all(model, List.of(text), watch).get(0);
  }

  /** Whether the vector of a text is remembered. */
  public boolean remembers(EmbeddingModel model, String text) {
    return MEMORY.has(new VectorMemory.Key(model, text));
  }

  /**
   * What becomes of texts, in order: remembered, or asked for in batches, each different text once.
   */
  public List<Embedded> all(EmbeddingModel model, List<String> texts, Checkpoint watch)
      throws FaissException {
    Map<String, Embedded> known = new HashMap<>();
    Set<String> wanted = new LinkedHashSet<>();
    for (String text : texts) {
      if (known.containsKey(text) || wanted.contains(text)) {
        continue;
      }
      float[] vector = MEMORY.get(new VectorMemory.Key(model, text));
      if (vector != null) {
        STATISTICS.hits.increment();
        known.put(text, Embedded.of(vector));
      } else if (text.isBlank()) {
        STATISTICS.failures.increment();
        known.put(text, Embedded.failed(EmbedErrors.emptyText()));
      } else {
        wanted.add(text);
      }
    }
    List<String> unknown = new ArrayList<>(wanted);
    for (int from = 0; from < unknown.size(); from += model.batch()) {
      List<String> batch = unknown.subList(from, Math.min(from + model.batch(), unknown.size()));
      List<Embedded> embedded = ask(model, batch, watch);
      for (int i = 0; i < batch.size(); i++) {
        known.put(batch.get(i), embedded.get(i));
        if (embedded.get(i).failure() == null) {
          MEMORY.put(new VectorMemory.Key(model, batch.get(i)), embedded.get(i).vector());
        } else {
          STATISTICS.failures.increment();
        }
      }
    }
    return texts.stream().map(known::get).toList();
  }

  private static List<Embedded> ask(EmbeddingModel model, List<String> batch, Checkpoint watch)
      throws FaissException {
    STATISTICS.batches.increment();
    STATISTICS.texts.add(batch.size());
    try {
      return model.embed(batch, watch);
    } catch (FaissException e) {
      STATISTICS.failures.increment();
      throw e;
    }
  }
}
