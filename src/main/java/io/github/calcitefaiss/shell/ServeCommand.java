/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.server.FaissServer;
import io.github.calcitefaiss.server.Limits;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code serve}: the server in the foreground, until it is told to stop. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Serves a database or a model: pages for a browser, Datasette's addresses, and Avatica's"
          + " protocol for JDBC and other programs (JSON and protobuf).",
      "It runs until it gets SIGTERM or Ctrl-C, then lets statements end. See docs/server.md."
    },
    footer = {"", "Example: serve examples/packages.db --open"})
final class ServeCommand implements Callable<Integer> {
  private static final String PASSWORD_VARIABLE = "CALCITE_FAISS_KEYSTORE_PASSWORD";

  enum Auth {
    BASIC,
    DIGEST;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DATABASE",
      description = "A SQLite file, a model or a jdbc:faiss: URL.")
  private String database;

  @Option(names = "--model", paramLabel = "FILE", description = "The same, as an option.")
  private String model;

  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      description =
          "The address to listen on; default ${DEFAULT-VALUE}. Any but this machine's own"
              + " loopback address needs --users.")
  private String host;

  @Option(
      names = "--port",
      defaultValue = "8765",
      description = "The port; default ${DEFAULT-VALUE}; 0 for any that is free.")
  private int port;

  @Option(
      names = "--users",
      paramLabel = "FILE",
      description = "Who may log in; the command 'password' makes its lines.")
  private Path users;

  @Option(
      names = "--auth",
      defaultValue = "basic",
      description = "How they log in: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
  private Auth auth;

  @Option(
      names = "--keystore",
      paramLabel = "FILE",
      description =
          "The server's key and certificate (PKCS#12 or JKS); turns TLS on. Its password"
              + " comes from --keystore-password-file or from the environment variable "
              + PASSWORD_VARIABLE
              + ".")
  private Path keystore;

  @Option(
      names = "--keystore-password-file",
      paramLabel = "FILE",
      description = "A file whose first line is the keystore's password.")
  private Path keystorePasswordFile;

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      defaultValue = "100",
      description = "Connections open at once; default ${DEFAULT-VALUE}.")
  private int maxConnections;

  @Option(
      names = "--statement-timeout",
      paramLabel = "SECONDS",
      defaultValue = "300",
      description = "How long one statement may work; default ${DEFAULT-VALUE}; 0 for no limit.")
  private int statementTimeout;

  @Option(
      names = "--max-rows",
      paramLabel = "N",
      defaultValue = "0",
      description = "Rows of one result; more is an error. Default ${DEFAULT-VALUE}, no limit.")
  private long maxRows;

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      defaultValue = "16777216",
      description = "Bytes of one request; default ${DEFAULT-VALUE}.")
  private int maxBody;

  @Option(
      names = "--idle-timeout",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description = "When a connection that nobody uses is closed; default ${DEFAULT-VALUE}.")
  private int idleTimeout;

  @Option(names = "--open", description = "Opens the page in this machine's browser.")
  private boolean open;

  @Option(
      names = "--cors",
      description = "Web pages of other sites may read the JSON and CSV; by default none may.")
  private boolean cors;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    String target = database == null ? model : database;
    if (target == null || database != null && model != null) {
      throw wrong("give one database or model to serve");
    }
    atLeast("--port", port, 0);
    atLeast("--max-connections", maxConnections, 1);
    atLeast("--statement-timeout", statementTimeout, 0);
    atLeast("--max-rows", maxRows, 0);
    atLeast("--max-body", maxBody, 1024);
    atLeast("--idle-timeout", idleTimeout, 1);
    if (port > 65535) {
      throw wrong("--port must be 65535 or less, got " + port);
    }
    String url = Main.url(target);
    if (!url.startsWith("jdbc:faiss:")) {
      throw wrong("serves jdbc:faiss: only, got " + url);
    }
    PrintWriter err = spec.commandLine().getErr();
    String keyPassword = keystore == null ? null : keyPassword();
    FaissServer.Options options =
        new FaissServer.Options(
            url,
            host,
            port,
            users,
            auth == Auth.DIGEST,
            keystore == null ? null : keyStore(keyPassword),
            keyPassword,
            new Limits(
                maxConnections,
                Duration.ofSeconds(statementTimeout),
                maxRows,
                maxBody,
                Duration.ofSeconds(idleTimeout)),
            cors);
    FaissServer server = start(options, err);
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  server.close();
                  stopped.countDown();
                },
                "calcite-faiss-stop"));
    err.println(
        "serve: "
            + target
            + " at "
            + server.address()
            + " (pages, JSON and protobuf; "
            + (users == null ? "no login" : auth + " login")
            + (keystore == null ? ", no TLS" : ", TLS")
            + ")");
    if (users != null && auth == Auth.BASIC && keystore == null) {
      err.println(
          "serve: passwords cross the network as they are; give --keystore, or --auth digest,"
              + " unless a proxy in front speaks TLS");
    }
    if (open) {
      browse(server.address(), err);
    }
    err.flush();
    stopped.await();
    return Main.OK;
  }

  /** Without AWT, which a server's Java often lacks. */
  private static void browse(String address, PrintWriter err) {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    List<String> command =
        system.startsWith("windows")
            ? List.of("rundll32", "url.dll,FileProtocolHandler", address)
            : List.of(system.contains("mac") ? "open" : "xdg-open", address);
    try {
      new ProcessBuilder(command)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      err.println("serve: no browser was found to open " + address + " with; open it yourself");
    }
  }

  private static FaissServer start(FaissServer.Options options, PrintWriter err)
      throws IOException, SQLException, Main.CommandException {
    try {
      return new FaissServer(
          options,
          line -> {
            err.println(line);
            err.flush();
          });
    } catch (IOException e) {
      throw new Main.CommandException(e.getMessage(), e);
    }
  }

  private String keyPassword() throws Main.CommandException {
    if (keystorePasswordFile != null) {
      try {
        return Files.readAllLines(keystorePasswordFile).stream().findFirst().orElse("");
      } catch (IOException e) {
        throw new Main.CommandException("can't read the keystore's password: " + e, e);
      }
    }
    String password = System.getenv(PASSWORD_VARIABLE);
    if (password == null) {
      throw wrong("--keystore needs --keystore-password-file, or " + PASSWORD_VARIABLE);
    }
    return password;
  }

  private KeyStore keyStore(String password) throws Main.CommandException {
    try {
      return KeyStore.getInstance(keystore.toFile(), password.toCharArray());
    } catch (IOException | GeneralSecurityException e) {
      throw new Main.CommandException("can't read the keystore " + keystore + ": " + e, e);
    }
  }

  private void atLeast(String option, long value, long least) {
    if (value < least) {
      throw wrong(option + " must be " + least + " or more, got " + value);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
