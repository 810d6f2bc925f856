/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.embed.Embedder;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sqlite.IndexOptions;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.util.Set;
import java.util.TreeSet;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.lookup.LikePattern;

/**
 * What a connection's databases say of embedding.
 *
 * @param models that a text without a model may be embedded by; none for the default of the folder
 * @param skipBadTexts whether a text that can't be embedded is NULL, since one of them says so
 */
public record EmbedSettings(Set<String> models, boolean skipBadTexts) {
  /** Of the schemas below a root. */
  public static EmbedSettings of(SchemaPlus root) {
    Set<String> models = new TreeSet<>();
    boolean skip = false;
    for (String name : root.subSchemas().getNames(LikePattern.any())) {
      SqliteSchema schema = SqliteSchema.of(root.subSchemas().get(name));
      if (schema != null) {
        IndexOptions options = schema.indexedTables().options();
        skip |= options.skipBadTexts();
        if (options.embeddingModel() != null) {
          models.add(options.embeddingModel());
        }
      }
    }
    return new EmbedSettings(models, skip);
  }

  /**
   * The name of the model that a text without one is embedded by.
   *
   * @throws FaissException if there is none, or several could be meant
   */
  public String model() throws FaissException {
    if (models.isEmpty()) {
      return Embedder.ours().folder().usual();
    } else if (models.size() > 1) {
      throw new FaissException(
          SqlState.UNKNOWN_NAME,
          "the databases of this connection name several models in their operand embeddingModel ("
              + String.join(", ", models)
              + "); say which, as in embed('"
              + models.iterator().next()
              + "', text)");
    }
    return models.iterator().next();
  }
}
