/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.embed.ModelDescription;
import io.github.calcitefaiss.embed.ModelInstaller;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code install-model}: puts an embedding model where every statement finds it. */
@Command(
    name = "install-model",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Installs an embedding model, which embed(text) in SQL then uses: one of those that 'models'"
          + " lists, by its name; files of your own, with --onnx; or a server that speaks OpenAI's"
          + " /v1/embeddings, with --url.",
      "The first one is what embed(text) takes where no model is named."
    },
    footer = {
      "",
      "Examples:",
      "  install-model all-minilm-l6-v2-q",
      "  install-model mine --onnx model.onnx --tokenizer tokenizer.json",
      "  install-model nomic --url http://localhost:11434 --model nomic-embed-text",
      "  install-model small --url https://api.example.org/v1 --model text-embedding-3-small"
          + " --key-env API_KEY"
    })
final class InstallModelCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "NAME",
      description = "What statements call it by, and for a model from the list its name there.")
  private String name;

  @Option(names = "--default", description = "Make it the one that embed(text) takes.")
  private boolean makeDefault;

  @Option(
      names = "--repository",
      paramLabel = "URL",
      description = "Where to download from, in place of Maven's central repository.")
  private String repository;

  @Option(names = "--onnx", paramLabel = "FILE", description = "A model in the ONNX format.")
  private Path onnx;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "Its tokenizer, as tokenizer.json of Hugging Face.")
  private Path tokenizer;

  @Option(
      names = "--pooling",
      paramLabel = "mean|cls",
      defaultValue = "mean",
      description = "How a text's vector is made of those of its tokens; default ${DEFAULT-VALUE}.")
  private String pooling;

  @Option(names = "--url", paramLabel = "URL", description = "A server, such as http://host/v1.")
  private String url;

  @Option(names = "--model", paramLabel = "MODEL", description = "The server's name for it.")
  private String model;

  @Option(
      names = "--dimensions",
      paramLabel = "N",
      description = "Ask the server for vectors of N elements; else it is asked how many it gives.")
  private Integer dimensions;

  @Option(
      names = "--key-env",
      paramLabel = "VARIABLE",
      description = "The environment variable that holds the server's key.")
  private String keyEnv;

  @Option(names = "--key-file", paramLabel = "FILE", description = "The file that holds it.")
  private Path keyFile;

  @Option(names = "--batch", paramLabel = "N", description = "Texts in one request; default 64.")
  private Integer batch;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "How long one request may take; default 60.")
  private Integer timeout;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Main.CommandException {
    if (url != null && onnx != null) {
      throw new Main.CommandException("--onnx and --url exclude each other");
    } else if (onnx == null != (tokenizer == null)) {
      throw new Main.CommandException("--onnx and --tokenizer go together");
    } else if (url == null != (model == null)) {
      throw new Main.CommandException("--url and --model go together");
    } else if (onnx != null && !pooling.equals("mean") && !pooling.equals("cls")) {
      throw new Main.CommandException("--pooling is '" + pooling + "', expected mean or cls");
    } else if (url == null
        && (dimensions != null
            || keyEnv != null
            || keyFile != null
            || batch != null
            || timeout != null)) {
      throw new Main.CommandException(
          "--dimensions, --key-env, --key-file, --batch and --timeout belong to --url");
    }
    ModelInstaller installer =
        ModelInstaller.ours(
            repository, line -> spec.commandLine().getErr().println("install-model: " + line));
    try {
      if (url != null) {
        installer.installHttp(
            name,
            ModelDescription.http(
                url,
                model,
                dimensions,
                keyEnv,
                keyFile == null ? null : keyFile.toAbsolutePath().toString(),
                batch,
                timeout));
      } else if (onnx != null) {
        installer.installOnnx(name, onnx, tokenizer, pooling);
      } else {
        installer.install(name);
      }
      if (makeDefault) {
        installer.makeDefault(name);
      }
      String usual = installer.folder().defaultName();
      spec.commandLine()
          .getOut()
          .println(
              "model '"
                  + name
                  + "' is installed in "
                  + installer.folder().path()
                  + (name.equals(usual)
                      ? "; embed(text) uses it"
                      : "; use it as embed('" + name + "', text)"));
      return Main.OK;
    } catch (SQLException e) {
      throw new Main.CommandException(e.getMessage(), e);
    }
  }
}
