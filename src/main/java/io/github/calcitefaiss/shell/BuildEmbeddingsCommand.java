/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code build-embeddings}: {@link BuildEmbeddings} from the command line. */
@Command(
    name = "build-embeddings",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a table of embeddings for a table of text, in the same SQLite file, with a model that"
          + " runs here.",
      "The model is not in this jar: see docs/clients.md for the artefact to add."
    },
    footer = {"", "Example: build-embeddings notes.db notes id title,body"})
final class BuildEmbeddingsCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "DATABASE", description = "A SQLite file.")
  private Path database;

  @Parameters(index = "1", paramLabel = "TABLE", description = "The table or view with the text.")
  private String table;

  @Parameters(index = "2", paramLabel = "ID", description = "Its column that tells rows apart.")
  private String id;

  @Parameters(
      index = "3",
      paramLabel = "TEXT[,TEXT...]",
      split = ",",
      arity = "1",
      description = "Its columns to embed, joined by line ends.")
  private List<String> texts;

  @Parameters(
      index = "4",
      arity = "0..1",
      paramLabel = "EMBEDDINGS",
      defaultValue = "embeddings",
      description = "The table to write, replaced if it exists; default ${DEFAULT-VALUE}.")
  private String embeddings;

  @Parameters(
      index = "5",
      arity = "0..1",
      paramLabel = "MODEL",
      defaultValue = BuildEmbeddings.DEFAULT_MODEL,
      description =
          "A class that implements langchain4j's EmbeddingModel; default all-MiniLM-L6-v2.")
  private String model;

  private final PrintStream progress = System.err;

  @Override
  public Integer call() throws Main.CommandException {
    try {
      BuildEmbeddings.run(
          new BuildEmbeddings.Job(database, table, id, texts, embeddings, model), progress);
      return Main.OK;
    } catch (BuildEmbeddings.JobException e) {
      throw new Main.CommandException(e.getMessage(), e);
    }
  }
}
