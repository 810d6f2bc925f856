/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.embed.Embedded;
import io.github.calcitefaiss.embed.Embedder;
import io.github.calcitefaiss.embed.EmbeddingModel;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.sqlite.TableModels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.schema.Function;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * Functions that turn text into vectors, by the models that are installed: {@code embed}, and
 * {@code llm_embed} and {@code llm_embed_decode} of datasette-llm-embed by Simon Willison.
 *
 * <p>NULL in any argument gives NULL. A text whose vector is remembered costs no call of a model.
 */
public final class EmbedFunctions {
  /** The names of the functions that turn a text into a vector. */
  public static final Set<String> NAMES = Set.of("embed", "llm_embed");

  private EmbedFunctions() {}

  /** Whether a function, by its name in lower case, turns a text into a vector. */
  public static boolean embeds(String name) {
    return NAMES.contains(name);
  }

  /** The functions by name; one name has two, of one argument and of two. */
  public static List<Map.Entry<String, Function>> all() {
    List<Map.Entry<String, Function>> all = new ArrayList<>();
    Signature two = Signature.of("model", "text");
    all.add(Map.entry("embed", embed(Signature.of("text"), "embed")));
    all.add(Map.entry("embed", embed(two, "embed")));
    all.add(Map.entry("llm_embed", embed(two, "llmEmbed")));
    all.add(
        Map.entry(
            "llm_embed_decode",
            Signature.of("blob")
                .scalar(SqlTypeName.VARCHAR, EmbedFunctions.class, "llmEmbedDecode")));
    return all;
  }

  private static Function embed(Signature signature, String method) {
    return signature.scalar(SqlTypeName.VARBINARY, EmbedFunctions.class, method);
  }

  /** {@code embed(text)}: its vector by the default model. */
  public static ByteString embed(DataContext root, Object text) {
    return text == null ? null : vector("embed", root, null, text);
  }

  /** {@code embed(model, text)}: its vector by an installed model. */
  public static ByteString embed(DataContext root, Object model, Object text) {
    return model == null || text == null ? null : vector("embed", root, model, text);
  }

  /** {@code llm_embed(model, text)}: the same. */
  public static ByteString llmEmbed(DataContext root, Object model, Object text) {
    return model == null || text == null ? null : vector("llm_embed", root, model, text);
  }

  /** {@code llm_embed_decode(blob)}: a JSON array of its elements. */
  public static String llmEmbedDecode(DataContext root, Object blob) {
    if (blob == null) {
      return null;
    } else if (Values.bytes(blob) == null) {
      throw Errors.notABlob("llm_embed_decode", "blob", blob).raise();
    }
    return JsonText.ofVector(Arguments.vector("llm_embed_decode", "blob", blob));
  }

  private record Chosen(String model) {}

  /** How many texts a run has asked for, so that a failure can say which of them it is. */
  private static final class Calls {
    private final AtomicLong count = new AtomicLong();
  }

  private static ByteString vector(String function, DataContext root, Object model, Object text) {
    Execution execution = Execution.of(root);
    long number = execution.memo(Calls.class, key -> new Calls()).count.incrementAndGet();
    String words = text(function, text);
    EmbeddingModel chosen;
    try {
      chosen = model(function, root, model);
    } catch (FaissException e) {
      throw e.raise();
    }
    Embedded embedded;
    try {
      embedded = Embedder.ours().embed(chosen, words, execution);
    } catch (FaissException e) {
      // The model's failure, and not this text's.
      throw Errors.notEmbedded(function, number, words, e).raise();
    }
    if (embedded.failure() == null) {
      return new ByteString(VectorCodec.encode(embedded.vector()));
    } else if (settings(root).skipBadTexts()) {
      return null;
    }
    throw Errors.notEmbedded(function, number, words, embedded.failure()).raise();
  }

  private static EmbedSettings settings(DataContext root) {
    return Execution.of(root)
        .memo(EmbedSettings.class, key -> EmbedSettings.of(root.getRootSchema()));
  }

  /**
   * The model of a call, the same for all calls of a run.
   *
   * @param model its name, or null where the call names none
   * @throws FaissException if there is none
   */
  static EmbeddingModel model(String function, DataContext root, Object model)
      throws FaissException {
    String name = model == null ? null : modelName(function, model);
    Object found =
        Execution.of(root)
            .memo(
                new Chosen(name),
                key -> {
                  try {
                    return Embedder.ours().model(name == null ? settings(root).model() : name);
                  } catch (FaissException e) {
                    return Errors.noModel(function, e);
                  }
                });
    if (found instanceof FaissException e) {
      throw e;
    }
    return (EmbeddingModel) found;
  }

  /** A model's name, which must be text. */
  public static String modelName(String function, Object value) {
    if (value instanceof String text) {
      return text.strip();
    }
    throw Errors.notAName(function, "model", value).raise();
  }

  /**
   * The model of a call, which is not loaded for that.
   *
   * @param model its name, or null where the call names none
   * @throws FaissException if there is none
   */
  public static TableModels.Made chosen(String function, Object model, SchemaPlus root)
      throws FaissException {
    try {
      String name = model == null ? EmbedSettings.of(root).model() : modelName(function, model);
      return new TableModels.Made(name, Embedder.ours().folder().describe(name).dims());
    } catch (FaissException e) {
      throw Errors.noModel(function, e);
    }
  }

  /** A text to embed. */
  public static String text(String function, Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw Errors.noText(function, value).raise();
  }
}
