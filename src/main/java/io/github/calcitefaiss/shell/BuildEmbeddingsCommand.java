/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.index.Checkpoint;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code build-embeddings}: {@link BuildEmbeddings} from the command line. */
@Command(
    name = "build-embeddings",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Keeps a table of embeddings in step with a table of text, in the same SQLite file: embeds"
          + " what is new or changed, removes what is gone. Where it was stopped, it goes on.",
      "The model is one that is installed: see 'models' and 'install-model'."
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
      description = "The table to keep in step, made if need be; default ${DEFAULT-VALUE}.")
  private String embeddings;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "An installed model; by default the one that embed(text) takes.")
  private String model;

  @Option(
      names = "--on-bad-row",
      paramLabel = "error|null",
      defaultValue = "error",
      description =
          "What a text is that can't be embedded: an error that names its row, or a row without a"
              + " vector; default ${DEFAULT-VALUE}.")
  private String onBadRow;

  @Option(
      names = "--rebuild",
      description = "Replace a table of another model, or one that another program made.")
  private boolean rebuild;

  @Option(
      names = "--watch",
      description = "Go on: follow what other programs write, until interrupted.")
  private boolean watch;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Main.CommandException {
    if (!onBadRow.equals("error") && !onBadRow.equals("null")) {
      throw new Main.CommandException("--on-bad-row is '" + onBadRow + "', expected error or null");
    }
    PrintWriter progress = spec.commandLine().getErr();
    BuildEmbeddings.Job job =
        new BuildEmbeddings.Job(
            database, table, id, texts, embeddings, model, onBadRow.equals("null"), rebuild);
    try (BuildEmbeddings build =
        BuildEmbeddings.open(
            job, line -> progress.println("build-embeddings: " + line), Checkpoint.NONE)) {
      if (watch) {
        build.follow(this::say, e -> progress.println("build-embeddings: " + e.getMessage()));
      } else {
        say(build.run());
      }
      return Main.OK;
    } catch (BuildEmbeddings.JobException e) {
      throw new Main.CommandException(e.getMessage(), e);
    }
  }

  private void say(BuildEmbeddings.Outcome outcome) {
    spec.commandLine()
        .getOut()
        .println(
            String.format(
                Locale.ROOT,
                "%s: %,d embedded%s, %,d removed, %,d unchanged",
                embeddings,
                outcome.embedded() - outcome.failed(),
                outcome.failed() == 0
                    ? ""
                    : String.format(Locale.ROOT, ", %,d without a vector", outcome.failed()),
                outcome.removed(),
                outcome.unchanged()));
  }
}
