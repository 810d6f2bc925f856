/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.index.Daemons;
import io.github.calcitefaiss.run.FaissException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The library that runs local models, langchain4j's, in a class loader that sees the JDK alone, so
 * that it neither meets nor disturbs the application's libraries.
 */
final class OnnxRuntime {
  private static final Map<Path, OnnxRuntime> LOADED = new HashMap<>();

  private final ModelFolder folder;
  private final ClassLoader loader;
  private final Executor threads;
  private final Method segment;
  private final Method embedAll;
  private final Method content;
  private final Method vector;

  private OnnxRuntime(ModelFolder folder, ClassLoader loader) throws ReflectiveOperationException {
    this.folder = folder;
    this.loader = loader;
    this.threads = threads(loader);
    segment = type("data.segment.TextSegment").getMethod("from", String.class);
    embedAll = type("model.embedding.EmbeddingModel").getMethod("embedAll", List.class);
    content = type("model.output.Response").getMethod("content");
    vector = type("data.embedding.Embedding").getMethod("vector");
  }

  private static Executor threads(ClassLoader loader) {
    int processors = Runtime.getRuntime().availableProcessors();
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            processors,
            processors,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = Daemons.thread("calcite-faiss-onnx", task);
              thread.setContextClassLoader(loader);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** The runtime in a folder of models, which is loaded once in the life of a process. */
  static OnnxRuntime of(ModelFolder folder, String model) throws FaissException {
    synchronized (LOADED) {
      OnnxRuntime known = LOADED.get(folder.path());
      if (known == null) {
        known = load(folder, model);
        LOADED.put(folder.path(), known);
      }
      return known;
    }
  }

  private static OnnxRuntime load(ModelFolder folder, String model) throws FaissException {
    List<URL> jars = new ArrayList<>();
    try {
      for (Catalog.Artifact artifact : Catalog.OURS.runtime()) {
        Path jar = folder.runtime().resolve(artifact.file());
        if (!Files.isRegularFile(jar)) {
          throw EmbedErrors.incomplete(model, "runtime/" + artifact.file() + " is missing");
        }
        ModelFolder.checkRights(jar);
        if (Files.size(jar) != artifact.size() || !Files256.of(jar).equals(artifact.sha256())) {
          throw EmbedErrors.incomplete(
              model, "runtime/" + artifact.file() + " is not the file that was installed");
        }
        jars.add(jar.toUri().toURL());
      }
      return new OnnxRuntime(
          folder,
          new URLClassLoader(
              "calcite-faiss-onnx",
              jars.toArray(URL[]::new),
              ClassLoader.getPlatformClassLoader()));
    } catch (IOException | ReflectiveOperationException e) {
      throw EmbedErrors.incomplete(model, "what runs it can't be loaded from " + folder.runtime());
    }
  }

  /**
   * System properties that its library looks at while it loads a tokenizer, and their values: it
   * would otherwise tell its maker of it, and unpack into the user's home.
   */
  private Map<String, String> properties() {
    return Map.of(
        "OPT_OUT_TRACKING", "true",
        "ai.djl.offline", "true",
        "DJL_CACHE_DIR", folder.natives().toString());
  }

  private Class<?> type(String name) throws ClassNotFoundException {
    return loader.loadClass("dev.langchain4j." + name);
  }

  /** A model of files; whatever the library says of them is thrown. */
  Object model(Path weights, Path tokenizer, String pooling) throws Exception {
    Class<?> poolings = type("model.embedding.onnx.PoolingMode");
    synchronized (LOADED) {
      Map<String, String> before = new HashMap<>();
      properties().forEach((key, value) -> before.put(key, System.setProperty(key, value)));
      try {
        return inside(() -> make(poolings, weights, tokenizer, pooling));
      } finally {
        before.forEach(OnnxRuntime::restore);
      }
    }
  }

  private static void restore(String property, String value) {
    if (value == null) {
      System.clearProperty(property);
    } else {
      System.setProperty(property, value);
    }
  }

  private Object make(Class<?> poolings, Path weights, Path tokenizer, String pooling)
      throws ReflectiveOperationException {
    return type("model.embedding.onnx.OnnxEmbeddingModel")
        .getConstructor(Path.class, Path.class, poolings, Executor.class)
        .newInstance(
            weights,
            tokenizer,
            poolings.getField(pooling.toUpperCase(java.util.Locale.ROOT)).get(null),
            threads);
  }

  /** Vectors of texts, by a model that {@link #model} made. */
  List<float[]> embed(Object model, List<String> texts) throws Exception {
    return inside(
        () -> {
          List<Object> segments = new ArrayList<>(texts.size());
          for (String text : texts) {
            segments.add(segment.invoke(null, text));
          }
          List<float[]> vectors = new ArrayList<>(texts.size());
          for (Object embedding : (List<?>) content.invoke(embedAll.invoke(model, segments))) {
            vectors.add((float[]) vector.invoke(embedding));
          }
          return vectors;
        });
  }

  private interface Call<T> {
    T run() throws Exception;
  }

  /** What it loads by itself, it looks for in the thread's loader. */
  private <T> T inside(Call<T> call) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return call.run();
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      if (cause instanceof VirtualMachineError error && !(cause instanceof StackOverflowError)) {
        throw error;
      }
      throw e;
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
