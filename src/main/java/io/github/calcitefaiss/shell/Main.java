/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import sqlline.SqlLine;

/**
 * What {@code java -jar calcite-faiss-all.jar} runs: sqlline, connected to a SQLite file or a
 * model.
 *
 * <p>The exit code is 0 when everything ran, 1 for wrong arguments, 2 when a statement failed.
 */
public final class Main {
  private static final String URL_PREFIX = "jdbc:faiss:";

  private static final int OK = 0;
  private static final int WRONG_ARGUMENTS = 1;
  private static final int FAILED = 2;

  /** Wide enough for a JSON answer of some tens of neighbours; sqlline cuts what is wider. */
  private static final int WIDTH_WITHOUT_TERMINAL = 4000;

  private static final String USAGE =
      """
      Usage: sqlline DATABASE [option...]
        DATABASE   a SQLite file, a model (.json, .yaml), or a JDBC URL
        -e SQL     run a statement and leave; may be repeated
        -f FILE    run a script and leave
        --NAME=V   a setting of sqlline, for example --outputformat=csv
      Without -e and -f the shell reads statements from the terminal, or from standard input.
      Example: sqlline examples/packages.db -e "select count(*) from packages"
      """;

  private Main() {}

  /** Runs the shell and leaves the JVM with its exit code. */
  public static void main(String[] args) throws IOException {
    System.exit(run(args, System.out, System.err));
  }

  /** Runs the shell, and returns the exit code. */
  static int run(String[] args, PrintStream out, PrintStream err) throws IOException {
    if (args.length == 0) {
      err.print(USAGE);
      return WRONG_ARGUMENTS;
    }
    String target = args[0];
    if (target.equals("--help") || target.equals("-h")) {
      out.print(USAGE);
      return OK;
    }
    if (target.startsWith("-")) {
      err.println("sqlline: the first argument is a database or a model, got option " + target);
      err.print(USAGE);
      return WRONG_ARGUMENTS;
    }
    boolean url = target.startsWith("jdbc:");
    // A shell without a connection would be of no use, so a wrong path ends here.
    if (!url && !Files.isRegularFile(Path.of(target))) {
      err.println(
          "sqlline: no such file: " + target + " (in " + Path.of("").toAbsolutePath() + ")");
      return FAILED;
    }
    List<String> options = List.of(args).subList(1, args.length);
    boolean interactive = onTerminal() && !options.contains("-e") && !options.contains("-f");
    if (!interactive) {
      // Looking for a terminal takes JLine a while, and makes it warn that there is none.
      for (String kind : List.of("jna", "jansi", "exec")) {
        System.setProperty("org.jline.terminal." + kind, "false");
      }
      System.setProperty("org.jline.terminal.dumb", "true");
    }
    Shell shell = new Shell();
    shell.setOutputStream(out);
    shell.setErrorStream(err);
    SqlLine.Status status =
        shell.begin(
            arguments(url ? target : URL_PREFIX + target, options, interactive), null, interactive);
    if (status == SqlLine.Status.ARGS) {
      return WRONG_ARGUMENTS;
    }
    // A person at the prompt has seen the error; a script needs the exit code.
    boolean failed = status == SqlLine.Status.OTHER || shell.failed();
    return failed && !interactive ? FAILED : OK;
  }

  /** sqlline's own arguments; the user's come last, so that they win. */
  private static String[] arguments(String url, List<String> options, boolean interactive) {
    List<String> all = new ArrayList<>();
    // An empty name and password, or sqlline asks for them.
    all.addAll(List.of("-u", url, "-n", "", "-p", ""));
    // The level that a read-only source has; sqlline's default makes it warn at each start.
    all.add("--isolation=TRANSACTION_NONE");
    if (!interactive) {
      // sqlline takes the width of a missing terminal for 0, and prints empty cells.
      all.add("--maxWidth=" + WIDTH_WITHOUT_TERMINAL);
      // Statements from a pipe are answered without a prompt between.
      all.add("--no-prompt");
    }
    all.addAll(options);
    return all.toArray(String[]::new);
  }

  private static boolean onTerminal() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      // From JDK 22 on there is a console without a terminal too, and this method to tell.
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }
}
