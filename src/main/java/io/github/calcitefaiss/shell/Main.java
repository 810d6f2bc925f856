/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.run.Release;
import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sqlite.IndexedTables;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import sqlline.SqlLine;

/**
 * What {@code java -jar calcite-faiss-all.jar} runs: a command, or else sqlline, connected to the
 * SQLite file or model that is the first argument.
 *
 * <p>The exit code is 0 when everything ran, 1 when something failed, 2 for wrong arguments.
 */
@Command(
    name = "calcite-faiss",
    customSynopsis = {
      "calcite-faiss DATABASE [sqlline option...]",
      "       calcite-faiss COMMAND [argument...]",
    },
    description = {
      "",
      "The first form opens a shell (sqlline) on a SQLite file, a model (.json, .yaml) or a"
          + " jdbc:faiss: URL:",
      "  -e SQL     run statements and leave; may be repeated, and -e left out",
      "  -f FILE    run a script, up to its first failure, and leave",
      "  --NAME=V   a setting of sqlline, for example --outputformat=csv",
      "Without -e and -f it reads statements from the terminal, or from standard input.",
      "",
    },
    footer = {
      "",
      "Exit codes: 0 everything ran, 1 something failed, 2 wrong arguments.",
      "Example: calcite-faiss examples/packages.db -e \"select count(*) from packages\"",
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    subcommands = {
      InfoCommand.class,
      SearchCommand.class,
      ImportCommand.class,
      BuildEmbeddingsCommand.class,
      InstallModelCommand.class,
      ModelsCommand.class,
      ServeCommand.class,
      PasswordCommand.class
    })
public final class Main {
  static final int OK = 0;
  static final int FAILED = 1;
  static final int WRONG_ARGUMENTS = 2;

  /** The names of the subcommands: asking picocli for them takes a seventh of the shell's start. */
  static final Set<String> COMMANDS =
      Set.of(
          "info",
          "search",
          "import",
          "build-embeddings",
          "install-model",
          "models",
          "serve",
          "password");

  private static final Pattern SETTING =
      Pattern.compile("--[A-Za-z][A-Za-z0-9_-]*(=.*)?", Pattern.DOTALL);

  private static final String URL_PREFIX = "jdbc:faiss:";

  /** Wide enough for a JSON answer of some tens of neighbours; what is wider is cut. */
  private static final int WIDTH_WITHOUT_TERMINAL = 4000;

  private Main() {}

  /** Runs the shell and leaves the JVM with its exit code. */
  public static void main(String[] args) throws IOException, InterruptedException {
    if (Tty.present()) {
      // A person who waits for a large table wants to see that it goes on.
      for (String progress : List.of("sqlite.IndexLoader", "sql.function.EmbedAhead")) {
        String logger = "org.slf4j.simpleLogger.log.io.github.calcitefaiss." + progress;
        System.setProperty(logger, System.getProperty(logger, "info"));
      }
      for (String detail : List.of("showLogName", "showThreadName")) {
        String shown = "org.slf4j.simpleLogger." + detail;
        System.setProperty(shown, System.getProperty(shown, "false"));
      }
    }
    int code = run(args, System.in, System.out, System.err);
    // A process for one statement would never leave one.
    IndexedTables.finishSnapshots();
    System.exit(code);
  }

  /** The release that this is. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        Release.NAME + " " + Release.VERSION,
        "Java " + Runtime.version() + ", " + System.getProperty("os.name"),
      };
    }
  }

  /** Runs a command or the shell, and returns the exit code. */
  static int run(String[] args, InputStream in, PrintStream out, PrintStream err)
      throws IOException {
    if (args.length == 0) {
      commands(out, err).usage(err);
      return WRONG_ARGUMENTS;
    }
    // A database with a command's name can still be opened, as ./info.
    if (COMMANDS.contains(args[0]) || args[0].startsWith("-")) {
      return commands(out, err).execute(args);
    }
    return shell(args, in, out, err);
  }

  static CommandLine commands(PrintStream out, PrintStream err) {
    Charset charset = Charset.defaultCharset();
    CommandLine commands = new CommandLine(new Main());
    commands.setOut(new PrintWriter(out, true, charset));
    commands.setErr(new PrintWriter(err, true, charset));
    commands.setColorScheme(
        CommandLine.Help.defaultColorScheme(Tty.colours() ? Ansi.ON : Ansi.OFF));
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setUsageHelpWidth(100);
    commands.setUsageHelpLongOptionsMaxWidth(40);
    commands.setParameterExceptionHandler(
        (e, arguments) -> {
          CommandLine command = e.getCommandLine();
          command.getErr().println(command.getCommandName() + ": " + e.getMessage());
          command.getErr().println("Try '" + command.getCommandName() + " --help'.");
          return WRONG_ARGUMENTS;
        });
    commands.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          // What nobody expected keeps its stack trace, for the report.
          boolean ours = e instanceof CommandException;
          boolean expected = ours || e instanceof SQLException || e instanceof IOException;
          if (!expected) {
            throw e;
          }
          // An IOException of the JDK's often says no more than a path.
          String message = e instanceof IOException && !ours ? e.toString() : e.getMessage();
          command.getErr().println(command.getCommandName() + ": " + message);
          return FAILED;
        });
    return commands;
  }

  /** A reason for the person at the terminal: no stack trace needed. */
  static final class CommandException extends Exception {
    CommandException(String message) {
      super(message);
    }

    CommandException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The URL of a database, a model or a URL as given on the command line. */
  static String url(String target) throws CommandException {
    if (target.startsWith("jdbc:sqlite:")) {
      throw new CommandException(
          "jdbc:sqlite: is SQLite's own driver, without vectors; here: "
              + target.substring("jdbc:sqlite:".length()));
    } else if (target.startsWith("jdbc:")) {
      return target;
    }
    // A wrong path ends here, in the words of the person who typed it.
    int properties = target.indexOf(';');
    if (!isFile(target) && !(properties > 0 && isFile(target.substring(0, properties)))) {
      throw new CommandException(noFile(target));
    }
    return URL_PREFIX + target;
  }

  private static boolean isFile(String path) {
    try {
      return Files.isRegularFile(Path.of(path));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private static String noFile(String target) {
    String path =
        target
            .replaceFirst("^(sqlite:///|sqlite:|file://(?=/)|file:)", "")
            .replaceFirst("[?].*", "");
    if (isFile(path)) {
      return "no such file: " + target + " (did you mean '" + path + "'?)";
    } else if (Files.isDirectory(Path.of(path))) {
      return "'" + path + "' is a folder; the path of a SQLite file or a model is expected";
    }
    return "no such file: "
        + target
        + " (in "
        + Path.of("").toAbsolutePath()
        + ")"
        + (target.matches("[a-z-]+") ? Names.didYouMean(target, COMMANDS) : "");
  }

  private static int shell(String[] args, InputStream in, PrintStream out, PrintStream err)
      throws IOException {
    String url;
    List<String> settings = new ArrayList<>();
    Shell.Work work;
    try {
      work = work(args, settings, in);
      url = url(args[0]);
    } catch (CommandLine.ParameterException e) {
      err.println("calcite-faiss: " + e.getMessage());
      return WRONG_ARGUMENTS;
    } catch (CommandException e) {
      err.println("calcite-faiss: " + e.getMessage());
      return FAILED;
    }
    if (!work.interactive()) {
      // Looking for a terminal takes JLine a while, and makes it warn that there is none.
      for (String kind : List.of("jna", "jansi", "exec")) {
        System.setProperty("org.jline.terminal." + kind, "false");
      }
      System.setProperty("org.jline.terminal.dumb", "true");
    }
    Shell shell = new Shell(work, out, err);
    for (String setting : settings) {
      String name =
          setting
              .substring(2)
              .replaceFirst("(?s)=.*", "")
              .replaceFirst("^no-", "")
              .toLowerCase(Locale.ROOT);
      if (!shell.getOpts().hasProperty(name)) {
        err.println(
            "calcite-faiss: unknown option '"
                + setting
                + "'"
                + Names.didYouMean(name, shell.getOpts().propertyNames())
                + "; calcite-faiss --help says what there is");
        return WRONG_ARGUMENTS;
      }
    }
    SqlLine.Status status = shell.begin(arguments(url, settings, work), null, false);
    if (status == SqlLine.Status.ARGS || shell.hasWrongOption()) {
      return WRONG_ARGUMENTS;
    }
    // A person at the prompt has seen the error; a script needs the exit code.
    return shell.anyFailed() && !work.interactive() ? FAILED : OK;
  }

  /** What the arguments after the database say is to be done; the rest are settings of sqlline. */
  private static Shell.Work work(String[] args, List<String> settings, InputStream in) {
    List<String> statements = new ArrayList<>();
    List<Path> scripts = new ArrayList<>();
    for (int i = 1; i < args.length; i++) {
      String argument = args[i];
      if (argument.equals("-e") || argument.equals("-f")) {
        if (++i == args.length) {
          throw wrong(
              "option " + argument + (argument.equals("-e") ? " needs SQL" : " needs a file"));
        } else if (argument.equals("-e")) {
          statements.add(args[i]);
        } else {
          scripts.add(Path.of(args[i]));
        }
      } else if (argument.equals("--")) {
        statements.addAll(List.of(args).subList(i + 1, args.length));
        break;
      } else if (SETTING.matcher(argument).matches()) {
        settings.add(argument);
      } else if (argument.startsWith("-") && !argument.startsWith("-- ")) {
        throw wrong("unknown option '" + argument + "'; calcite-faiss --help says what there is");
      } else if (argument.strip().matches("[^\\s]+") && Files.exists(Path.of(argument))) {
        throw wrong("'" + argument + "' is a file; to run it as a script: -f " + argument);
      } else {
        // As with sqlite3.
        statements.add(argument);
      }
    }
    boolean given = !statements.isEmpty() || !scripts.isEmpty();
    return new Shell.Work(statements, scripts, given || Tty.present() ? null : in);
  }

  private static CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(new CommandLine(new Main()), message);
  }

  /** sqlline's own arguments; the user's come last, so that they win. */
  private static String[] arguments(String url, List<String> settings, Shell.Work work) {
    List<String> all = new ArrayList<>();
    // An empty name and password, or sqlline asks for them.
    all.addAll(List.of("-u", url, "-n", "", "-p", ""));
    // The level that a read-only source has; sqlline's default makes it warn at each start.
    all.add("--isolation=TRANSACTION_NONE");
    if (!work.interactive()) {
      all.add("--maxWidth=" + WIDTH_WITHOUT_TERMINAL);
    }
    all.addAll(settings);
    return all.toArray(String[]::new);
  }
}
