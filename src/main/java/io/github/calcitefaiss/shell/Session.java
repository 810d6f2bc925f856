/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.Release;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.function.Names;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import sqlline.SqlLineOpts;

/**
 * Runs what was typed or read: statements, and the commands that people know from sqlite3.
 *
 * <p>sqlline's own commands, which begin with {@code !}, and statements whose result is wanted in a
 * format of sqlline's that isn't here, are handed back for sqlline to run.
 */
final class Session {
  private static final Pattern BLANKS = Pattern.compile("\\s+");
  private static final int LONGEST_WORDS = 80;

  private final ConnectionOf connections;
  private final PrintStream screen;
  private final PrintStream err;
  private final SqlLineOpts options;
  private final boolean interactive;
  private volatile Statement running;
  private PrintStream out;
  private boolean once;
  private int failures;
  private boolean ended;
  private boolean timer = true;

  /** Gives the connection that statements go to now, or null. */
  interface ConnectionOf {
    Connection get() throws SQLException;
  }

  Session(
      ConnectionOf connections,
      PrintStream out,
      PrintStream err,
      SqlLineOpts options,
      boolean interactive) {
    this.connections = connections;
    this.screen = out;
    this.out = out;
    this.err = err;
    this.options = options;
    this.interactive = interactive;
  }

  /** Whether anything failed that was run. */
  boolean failed() {
    return failures > 0;
  }

  /** How much failed up to now. */
  int failures() {
    return failures;
  }

  /** Counts what somebody else has said. */
  void failed(boolean seen) {
    failures += seen ? 0 : 1;
  }

  /** Whether the person asked to leave. */
  boolean ended() {
    return ended;
  }

  /** Says that something is wrong, for the person and the exit code. */
  void fail(String message) {
    failures++;
    out.flush();
    err.println("Error: " + message);
  }

  /** Ends the statement that runs now, if any. */
  void cancel() {
    Statement statement = running;
    if (statement != null) {
      try {
        statement.cancel();
      } catch (SQLException e) {
        fail(e.getMessage());
      }
    }
  }

  /**
   * Runs a statement or command.
   *
   * @return a line for sqlline to run, or null
   */
  String run(Script.Piece piece) {
    String text = piece.text();
    String command = piece.command() ? text : known(text);
    if (command == null) {
      return statement(text);
    } else if (command.startsWith("!")) {
      return sqlline(command);
    }
    try {
      dot(command);
    } catch (SQLException e) {
      fail(e.getMessage());
    } catch (IOException e) {
      fail(e.toString());
    }
    return null;
  }

  /** What many type before they know what there is, as the command that it means; else null. */
  static String known(String statement) {
    if (statement.length() > LONGEST_WORDS) {
      return null;
    }
    String words = BLANKS.matcher(statement.strip()).replaceAll(" ").toLowerCase(Locale.ROOT);
    switch (words) {
      case "exit":
      case "quit":
      case "bye":
      case "\\q":
        return ".quit";
      case "help":
      case "?":
      case "\\?":
      case "\\h":
        return ".help";
      case "tables":
      case "show tables":
      case "\\d":
      case "\\dt":
        return ".tables";
      case "schema":
        return ".schema";
      case "databases":
      case "show databases":
      case "show schemas":
      case "\\l":
        return ".databases";
      default:
        break;
    }
    if (words.startsWith("\\")) {
      return psql(BLANKS.matcher(statement.strip()).replaceAll(" "));
    } else if (words.startsWith("help ")) {
      return ".help";
    }
    for (String verb : List.of("describe ", "desc ")) {
      String name = words.startsWith(verb) ? words.substring(verb.length()) : "";
      if (!name.isEmpty() && name.indexOf(' ') < 0) {
        return ".schema " + name;
      }
    }
    return null;
  }

  /** A command of psql's, as that which does the same here. */
  private static String psql(String words) {
    String[] parts = words.split(" ", 2);
    String argument = parts.length > 1 ? " " + parts[1] : "";
    return switch (parts[0].replace("+", "").toLowerCase(Locale.ROOT)) {
      case "\\d", "\\dt", "\\dv", "\\ds" -> argument.isEmpty() ? ".tables" : ".schema" + argument;
      case "\\dn" -> ".databases";
      case "\\di" -> ".indexes";
      case "\\x" -> ".mode vertical";
      case "\\timing" -> ".timer" + (argument.isEmpty() ? " on" : argument);
      case "\\i" -> ".read" + argument;
      case "\\o" -> ".output" + argument;
      case "\\echo" -> ".print" + argument;
      case "\\c", "\\connect" -> ".open" + argument;
      default -> ".help";
    };
  }

  private String sqlline(String command) {
    String words = command.toLowerCase(Locale.ROOT).replaceFirst("[;\\s]+$", "");
    if (words.equals("!quit") || words.equals("!exit") || words.equals("!q")) {
      ended = true;
      return null;
    } else if (words.startsWith("!run ")) {
      read(Path.of(unquote(command.substring(5).strip())));
      return null;
    } else if (words.matches("!connect jdbc:faiss:\\S+")) {
      // Nobody logs in to a file; without a name and a password sqlline would ask for them.
      return command.replaceFirst("[;\\s]+$", "") + " \"\" \"\"";
    } else if (words.equals("!tables")) {
      return run(new Script.Piece(".tables", true, true));
    }
    return command;
  }

  /** The text of a script; null where it can't be read, which is said. */
  String textOf(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      fail(
          Files.exists(file)
              ? file + " can't be read as UTF-8 text"
              : "no such file: " + file + " (in " + Path.of("").toAbsolutePath() + ")");
      return null;
    }
  }

  /** Runs a script, up to its first failure unless the setting force says otherwise. */
  void read(Path file) {
    String text = textOf(file);
    if (text == null) {
      return;
    }
    Script script = Script.of(text);
    int before = failures;
    for (Script.Piece piece : script.pieces()) {
      if (ended || failures > before && !options.getForce()) {
        return;
      }
      String others = run(piece);
      if (others != null) {
        fail("'" + others + "' can't be run by .read or !run; type it at the prompt");
      }
    }
    if (script.open() != null && !ended) {
      fail("the last statement has no end: " + script.open());
    }
  }

  /** Runs one statement; returns it where sqlline must run it. */
  private String statement(String sql) {
    String format = options.getOutputFormat().toLowerCase(Locale.ROOT);
    if (!ResultPrinter.FORMATS.contains(format)) {
      return sql + ";";
    }
    long start = System.nanoTime();
    try {
      Connection connection = connections.get();
      if (connection == null) {
        fail("not connected; !connect jdbc:faiss:FILE connects");
        return null;
      }
      try (Statement statement = connection.createStatement()) {
        running = statement;
        statement.setMaxRows(Math.max(0, options.getRowLimit()));
        if (statement.execute(sql)) {
          try (ResultSet rows = statement.getResultSet()) {
            report(printer(format).print(rows), start);
          }
        } else {
          report(0, start);
        }
      } finally {
        running = null;
      }
    } catch (SQLException e) {
      fail(
          SqlState.PARAMETERS.equals(e.getSQLState())
              ? "the statement has parameters (? or :name); here write the values in their places"
              : e.getMessage());
      if (options.getVerbose()) {
        e.printStackTrace(err);
      }
    }
    out.flush();
    if (once) {
      output("", false);
    }
    return null;
  }

  /** Sends what is printed from now on to a file, or back to the screen. */
  private void output(String file, boolean onlyOnce) {
    if (out != screen) {
      out.close();
    }
    out = screen;
    once = false;
    if (file.isEmpty() || file.equals("stdout")) {
      return;
    }
    try {
      out = new PrintStream(Files.newOutputStream(Path.of(file)), false, StandardCharsets.UTF_8);
      once = onlyOnce;
    } catch (IOException e) {
      fail("'" + file + "' can't be written: " + e.getMessage());
    }
  }

  private ResultPrinter printer(String format) {
    String nullText = options.getNullValue();
    return new ResultPrinter(
        out,
        format,
        options.getShowHeader(),
        nullText == null || nullText.equals("default") ? null : nullText,
        interactive ? Math.max(1, cellWidth()) : options.getMaxWidth(),
        interactive ? Math.max(40, options.getMaxWidth()) : Integer.MAX_VALUE);
  }

  private int cellWidth() {
    return options.getMaxColumnWidth() <= 0 ? 1 << 20 : Math.max(60, options.getMaxColumnWidth());
  }

  private void report(long count, long start) {
    if (!options.getSilent()) {
      out.flush();
      String time =
          timer
              ? String.format(Locale.ROOT, " (%.3f seconds)", (System.nanoTime() - start) / 1e9)
              : "";
      err.println(
          (count == 0
                  ? "No rows"
                  : count == 1 ? "1 row" : String.format(Locale.ROOT, "%,d rows", count))
              + " selected"
              + time);
    }
  }

  private void dot(String command) throws SQLException, IOException {
    String[] words = BLANKS.split(command.replaceFirst("[;\\s]+$", ""), 2);
    String argument = words.length > 1 ? unquote(words[1].strip()) : "";
    switch (words[0].toLowerCase(Locale.ROOT)) {
      case ".quit":
      case ".q":
      case ".exit":
        ended = true;
        break;
      case ".help":
        DotCommands.HELP.forEach(out::println);
        break;
      case ".tables":
        DotCommands.tables(connections.get(), argument).forEach(out::println);
        break;
      case ".schema":
      case ".fullschema":
        DotCommands.schema(connections.get(), argument, out);
        break;
      case ".indexes":
      case ".indices":
        statement("select * from \"metadata\".\"faiss_indexes\"");
        break;
      case ".databases":
        DotCommands.databases(connections.get(), out);
        break;
      case ".headers":
      case ".header":
        onOff(words[0], argument, on -> options.set("showheader", String.valueOf(on)));
        break;
      case ".timer":
        onOff(words[0], argument, on -> timer = on);
        break;
      case ".mode":
        mode(argument);
        break;
      case ".nullvalue":
        options.set("nullvalue", argument);
        break;
      case ".width":
        options.set("maxcolumnwidth", argument.isEmpty() ? "-1" : argument);
        break;
      case ".read":
        read(Path.of(argument));
        break;
      case ".print":
        out.println(argument);
        break;
      case ".output":
      case ".once":
        output(argument, words[0].equalsIgnoreCase(".once"));
        break;
      case ".bail":
        onOff(words[0], argument, on -> options.set("force", String.valueOf(!on)));
        break;
      case ".version":
        out.println(Release.NAME + " " + Release.VERSION);
        break;
      default:
        String instead = DotCommands.INSTEAD.get(words[0].toLowerCase(Locale.ROOT));
        fail(
            instead != null
                ? words[0] + " is not here: " + instead
                : "unknown command "
                    + words[0]
                    + Names.didYouMean(words[0], DotCommands.NAMES)
                    + "; .help lists those there are");
    }
  }

  private interface Switch {
    void set(boolean on);
  }

  private void onOff(String name, String argument, Switch target) {
    switch (argument.toLowerCase(Locale.ROOT)) {
      case "on":
      case "1":
      case "yes":
        target.set(true);
        break;
      case "off":
      case "0":
      case "no":
        target.set(false);
        break;
      default:
        fail(name + " takes on or off, got '" + argument + "'");
    }
  }

  private void mode(String argument) {
    String mode = BLANKS.split(argument.toLowerCase(Locale.ROOT))[0];
    switch (mode) {
      case "":
        out.println("mode is " + options.getOutputFormat());
        return;
      case "box":
      case "column":
      case "markdown":
        mode = "table";
        break;
      case "line":
        mode = "vertical";
        break;
      case "tabs":
        mode = "tsv";
        break;
      default:
        break;
    }
    if (!ResultPrinter.FORMATS.contains(mode)) {
      fail("unknown mode '" + argument + "'" + Names.among(argument, ResultPrinter.FORMATS));
      return;
    }
    options.set("outputformat", mode);
  }

  private static String unquote(String text) {
    boolean quoted =
        text.length() > 1
            && (text.charAt(0) == '"' || text.charAt(0) == '\'')
            && text.charAt(text.length() - 1) == text.charAt(0);
    return quoted ? text.substring(1, text.length() - 1) : text;
  }

  static FaissException notFound(String what) {
    return new FaissException("42S02", what);
  }
}
