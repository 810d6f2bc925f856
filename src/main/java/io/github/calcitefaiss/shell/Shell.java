/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.run.Release;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jline.reader.EndOfFileException;
import org.jline.reader.History;
import org.jline.reader.LineReader;
import org.jline.terminal.Terminal;
import sqlline.SqlLine;

/**
 * sqlline, with statements run and printed by {@link Session} and lines read by {@link Prompt}.
 *
 * <p>sqlline connects, and runs its own commands, those that begin with {@code !}.
 */
final class Shell extends SqlLine {
  private final Work work;
  private final PrintStream out;
  private final Session session;
  private boolean failed;
  private boolean begun;
  private boolean wrongOption;

  /** Tables that the greeting names. */
  private static final int MOST_GREETED = 12;

  /**
   * What there is to do.
   *
   * @param statements to run first, each as given with -e; if there are any, or scripts, that is
   *     all
   * @param scripts to run then
   * @param input statements to read, or null for a person at the terminal
   */
  record Work(List<String> statements, List<Path> scripts, InputStream input) {
    boolean given() {
      return !statements.isEmpty() || !scripts.isEmpty();
    }

    boolean interactive() {
      return !given() && input == null;
    }
  }

  Shell(Work work, PrintStream out, PrintStream err) {
    this.work = work;
    this.out = out;
    setOutputStream(out);
    setErrorStream(err);
    session = new Session(this::connection, out, err, getOpts(), work.interactive());
  }

  @Override
  public LineReader getConsoleReader(InputStream inputStream, History fileHistory)
      throws IOException {
    // The history of whatever sqlline this machine has may be none that this one can read.
    getOpts()
        .setHistoryFile(Path.of(System.getProperty("java.io.tmpdir"), "none", "none").toString());
    LineReader theirs =
        super.getConsoleReader(
            work.interactive() ? null : InputStream.nullInputStream(), fileHistory);
    Lines lines = work.interactive() ? new Typed(theirs.getTerminal()) : new Given();
    return (LineReader)
        Proxy.newProxyInstance(
            Shell.class.getClassLoader(),
            new Class<?>[] {LineReader.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("readLine")) {
                return next(lines);
              }
              try {
                return method.invoke(theirs, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Where statements and commands come from. */
  private interface Lines {
    /** The next, or null at the end. */
    Script.Piece next() throws IOException;
  }

  /** Runs what comes, until something is for sqlline to run. */
  private String next(Lines lines) throws IOException {
    begun = true;
    if (wrongOption && !work.interactive()) {
      throw new EndOfFileException();
    }
    while (!session.ended() && !(failed && !work.interactive())) {
      Script.Piece piece = lines.next();
      if (piece == null) {
        break;
      }
      String command = session.run(piece);
      if (command != null) {
        return command;
      }
    }
    throw new EndOfFileException();
  }

  /** What a person types. */
  private final class Typed implements Lines {
    private final Terminal terminal;
    private final Deque<Script.Piece> waiting = new ArrayDeque<>();
    private Prompt prompt;

    private Typed(Terminal terminal) {
      this.terminal = terminal;
    }

    @Override
    public Script.Piece next() {
      if (prompt == null) {
        greet();
        Path home = Path.of(System.getProperty("user.home"));
        prompt =
            new Prompt(terminal, Shell.this::connection, home.resolve(".calcite-faiss/history"));
        terminal.handle(Terminal.Signal.INT, signal -> session.cancel());
      }
      while (waiting.isEmpty()) {
        waiting.addAll(Script.of(prompt.read()).pieces());
      }
      return waiting.poll();
    }
  }

  /** What is in the arguments, in scripts or on standard input. */
  private final class Given implements Lines {
    private final Deque<Script.Piece> waiting = new ArrayDeque<>();
    private BufferedReader reader;
    private int begun;
    private int before;
    private boolean script;
    private String open;

    @Override
    public Script.Piece next() throws IOException {
      if (work.given()) {
        return nextGiven();
      }
      if (reader == null) {
        reader = new BufferedReader(new InputStreamReader(work.input(), Charset.defaultCharset()));
      }
      // As it comes: a program may wait for an answer before it sends the next statement.
      StringBuilder text = new StringBuilder();
      while (waiting.isEmpty()) {
        String line = reader.readLine();
        if (line == null) {
          Script rest = Script.of(text.toString());
          if (rest.open() != null) {
            session.fail("the last statement has no end: " + rest.open());
          }
          waiting.addAll(rest.pieces());
          break;
        }
        text.append(line).append('\n');
        if (Prompt.isWhole(text.toString())) {
          waiting.addAll(Script.of(text.toString()).pieces());
          text.setLength(0);
        }
      }
      return waiting.poll();
    }

    /** A script ends at its first failure, unless the setting force says otherwise. */
    private Script.Piece nextGiven() {
      while (true) {
        boolean stopped = script && session.failures() > before && !getOpts().getForce();
        if (stopped || waiting.isEmpty() && open != null) {
          if (!stopped) {
            session.fail("the last statement has no end: " + open);
          }
          waiting.clear();
          open = null;
        }
        if (!waiting.isEmpty()) {
          return waiting.poll();
        }
        int statements = work.statements().size();
        if (begun == statements + work.scripts().size()) {
          return null;
        }
        script = begun >= statements;
        before = session.failures();
        String text =
            script
                ? session.textOf(work.scripts().get(begun - statements))
                : work.statements().get(begun);
        begun++;
        if (text != null) {
          Script parsed = Script.of(text);
          waiting.addAll(parsed.pieces());
          open = parsed.open();
        }
      }
    }
  }

  /** What there is, and what to try. */
  private void greet() {
    out.println(Release.NAME + " " + Release.VERSION);
    try {
      for (SqliteSchema schema : DotCommands.schemas(connection())) {
        out.println(schema.database() + ", as " + schema.name());
      }
      List<String> tables = DotCommands.tables(connection(), "");
      tables.stream().limit(MOST_GREETED).forEach(out::println);
      if (tables.size() > MOST_GREETED) {
        out.println("… and " + (tables.size() - MOST_GREETED) + " more: .tables");
      }
      out.println(
          "Try: "
              + DotCommands.example(connection())
              + "   .help lists commands, Tab completes, .quit leaves");
    } catch (SQLException e) {
      session.fail(e.getMessage());
    }
  }

  /** sqlline tells nobody which connection is the current one. */
  private Connection connection() throws SQLException {
    try {
      Method current = SqlLine.class.getDeclaredMethod("getDatabaseConnection");
      current.setAccessible(true);
      if (current.invoke(this) == null) {
        return null;
      }
      Method connection = SqlLine.class.getDeclaredMethod("getConnection");
      connection.setAccessible(true);
      return (Connection) connection.invoke(this);
    } catch (ReflectiveOperationException e) {
      throw new SQLException("this sqlline keeps its connection elsewhere: " + e, e);
    }
  }

  @Override
  public void handleException(Throwable thrown) {
    Throwable e = thrown;
    while (e instanceof InvocationTargetException && e.getCause() != null) {
      e = e.getCause();
    }
    if (e instanceof SQLException && !(e instanceof SQLWarning)) {
      failed = true;
      if (!getOpts().getVerbose()) {
        error("Error: " + e.getMessage());
        return;
      }
    }
    super.handleException(e);
  }

  /** sqlline would say its name and version, and that it closes the connection. */
  @Override
  public void info(String message) {
    if (work.interactive() && !isExit() && !message.startsWith("sqlline version")) {
      super.info(message);
    }
  }

  /** What sqlline's own commands complain of counts, too. */
  @Override
  public boolean error(String message) {
    session.failed(work.interactive());
    wrongOption |= !begun && !failed;
    return super.error(message);
  }

  /** Whether an option had no such value; then nothing was run. */
  boolean hasWrongOption() {
    return wrongOption && !work.interactive();
  }

  /** Whether any statement, or the connection, failed. */
  boolean anyFailed() {
    return failed || session.failed();
  }
}
