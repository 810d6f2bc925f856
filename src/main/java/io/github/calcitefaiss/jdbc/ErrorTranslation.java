/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.StatementRun;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLSyntaxErrorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.runtime.CalciteContextException;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParserPos;

/**
 * Turns whatever is thrown below the driver into the exception for the person who typed the query:
 * with an SQLSTATE, the place in the statement, and no class name.
 */
public final class ErrorTranslation {
  private static final String OUR_PACKAGE = "io.github.calcitefaiss.";
  private static final Pattern CLASS_CAST =
      Pattern.compile("class ([\\w.$\\[;]+) cannot be cast to class ([\\w.$\\[;]+)");
  private static final int LONGEST_EXPECTED_LIST = 8;
  private static final int LONGEST_MESSAGE = 2000;

  private ErrorTranslation() {}

  /** The exception to show for one thrown during an execution: that it was stopped, or its own. */
  static SQLException of(Throwable thrown, StatementRun run) {
    SQLException stopped = run.stopped(thrown);
    return stopped == null ? of(thrown) : stopped;
  }

  /**
   * Returns the exception to show for one caught anywhere below the JDBC layer. Errors that leave
   * the virtual machine unusable are thrown again.
   */
  public static SQLException of(Throwable thrown) {
    if (thrown instanceof SQLException said && said.getSQLState() != null) {
      // Calcite and Avatica never set one: it comes from us or from another database, as meant.
      return said;
    }
    Throwable root = thrown;
    CalciteContextException context = null;
    SqlParseException parse = null;
    SQLException foreign = null;
    List<Throwable> chain = new ArrayList<>();
    for (Throwable t = thrown; t != null && !chain.contains(t); t = t.getCause()) {
      chain.add(t);
      root = t;
      if (t instanceof SQLException) {
        if (t.getClass().getName().startsWith(OUR_PACKAGE)) {
          return (SQLException) t;
        }
        foreign = (SQLException) t;
      }
      if (t instanceof CalciteContextException) {
        context = (CalciteContextException) t;
      }
      if (t instanceof SqlParseException) {
        parse = (SqlParseException) t;
      }
    }
    if (root instanceof VirtualMachineError
        && !(root instanceof OutOfMemoryError)
        && !(root instanceof StackOverflowError)) {
      throw (VirtualMachineError) root;
    }
    if (parse != null) {
      return new SQLSyntaxErrorException(parseMessage(parse), SqlState.SYNTAX, thrown);
    }
    if (context != null) {
      String message = said(root == context ? context : context.getCause());
      return new SQLSyntaxErrorException(
          message + place(context.getPosLine(), context.getPosColumn()),
          validationState(message),
          thrown);
    }
    if (foreign == root && foreign != null) {
      SQLException memory = SqliteDatabase.outOfMemory(foreign);
      if (memory != null) {
        return memory;
      }
      String state = foreign.getSQLState() == null ? SqlState.GENERAL : foreign.getSQLState();
      return new SQLException(said(foreign), state, foreign.getErrorCode(), thrown);
    }
    return ofRuntime(root, thrown);
  }

  private static SQLException ofRuntime(Throwable root, Throwable thrown) {
    if (root instanceof StackOverflowError) {
      return new SQLException(
          "The statement is nested too deeply; split it, or give the thread a larger stack (-Xss)",
          SqlState.TOO_COMPLEX,
          thrown);
    }
    if (said(root).contains("grows beyond 64 KB")) {
      return new SQLException(
          "The statement is too long: the code made of it is larger than Java allows; split it, or"
              + " put long lists of values into a table",
          SqlState.TOO_COMPLEX,
          thrown);
    }
    if (root instanceof OutOfMemoryError) {
      return new SQLException(
          "Out of memory while running the statement ("
              + said(root)
              + "); ask for fewer rows, or raise the heap with -Xmx",
          SqlState.MEMORY,
          thrown);
    }
    boolean unfinished =
        root instanceof UnsupportedOperationException && said(root).startsWith("class ")
            // The code made of the plan doesn't compile.
            || root.getClass().getName().startsWith("org.codehaus.");
    if (root instanceof RelOptPlanner.CannotPlanException || unfinished) {
      return new SQLException(
          "No plan found for this statement: it combines features that can't run together",
          SqlState.UNSUPPORTED,
          thrown);
    }
    if (root instanceof ArithmeticException) {
      boolean byZero = said(root).toLowerCase(Locale.ROOT).contains("zero");
      return new SQLDataException(
          byZero ? "Division by zero" : "Arithmetic: " + said(root),
          byZero ? SqlState.DIVISION_BY_ZERO : SqlState.OUT_OF_RANGE,
          thrown);
    }
    if (root instanceof NumberFormatException) {
      return new SQLDataException(
          "A text is not a number: " + said(root).replace("For input string: ", ""),
          SqlState.BAD_CAST,
          thrown);
    }
    if (root instanceof ClassNotFoundException || root instanceof NoClassDefFoundError) {
      return new SQLException(
          "Class " + said(root).replace('/', '.') + " is not on the class path",
          SqlState.GENERAL,
          thrown);
    }
    if (root instanceof ClassCastException) {
      Matcher m = CLASS_CAST.matcher(said(root));
      String message =
          m.find()
              ? "A value has another type than its expression: got "
                  + simpleName(m.group(1))
                  + ", expected "
                  + simpleName(m.group(2))
              : "A value has another type than its expression: " + said(root);
      return new SQLDataException(message, SqlState.BAD_CAST, thrown);
    }
    boolean fault =
        root instanceof NullPointerException
            || root instanceof IndexOutOfBoundsException
            || root instanceof Error;
    if (fault) {
      // What it was is the cause, for whoever reads the report.
      return new SQLException(
          "Internal error; please report the statement", SqlState.GENERAL, thrown);
    }
    boolean calcite = root.getClass().getName().startsWith("org.apache.calcite.");
    return new SQLException(
        said(root), calcite ? validationState(said(root)) : SqlState.GENERAL, thrown);
  }

  private static String parseMessage(SqlParseException e) {
    SqlParserPos pos = e.getPos();
    String message = said(e);
    int expecting = message.indexOf("Was expecting");
    String head = (expecting < 0 ? message : message.substring(0, expecting)).strip();
    head = head.replaceAll("\\s+", " ");
    Matcher m =
        Pattern.compile("^Encountered \"(.*)\" at line \\d+, column \\d+\\.?$").matcher(head);
    if (m.matches()) {
      String tokens = m.group(1).strip().replace("\\'", "'").replace("\\\"", "\"");
      String before = tokens.replaceFirst("\\s*<EOF>$", "");
      head =
          "Syntax error"
              + (before.equals(tokens) ? " at" : before.isEmpty() ? "" : " after")
              + (before.isEmpty()
                  ? ""
                  : before.startsWith("'") ? " " + before : " '" + before + "'")
              + (before.equals(tokens) ? "" : ": unexpected end");
    } else if (head.startsWith("Incorrect syntax near the keyword '")) {
      head = "Syntax error at " + head.replaceAll("^.*keyword ('[^']*').*$", "$1");
    } else if (head.startsWith("Non-query expression")) {
      head = "Syntax error: a query, SELECT …, should stand here";
    } else {
      head = "Syntax error: " + head;
    }
    String expected = expected(e);
    return head + (pos == null ? "" : place(pos.getLineNum(), pos.getColumnNum())) + expected;
  }

  private static String expected(SqlParseException e) {
    List<String> names = new ArrayList<>();
    for (String name : e.getExpectedTokenNames()) {
      String word = name.replace("\"", "");
      names.add(
          word.endsWith("IDENTIFIER>") ? "a name" : word.endsWith("LITERAL>") ? "a number" : word);
    }
    if (names.isEmpty() || names.size() > LONGEST_EXPECTED_LIST) {
      return "";
    }
    names = new ArrayList<>(new TreeSet<>(names));
    return "; expected " + (names.size() == 1 ? "" : "one of ") + String.join(", ", names);
  }

  private static String place(int line, int column) {
    return line <= 0 ? "" : " (line " + line + ", column " + column + ")";
  }

  private static String validationState(String message) {
    if (message.startsWith("Object '") || message.startsWith("Table '")) {
      return SqlState.NO_TABLE;
    }
    return message.startsWith("Column '") && message.contains("not found")
        ? SqlState.NO_COLUMN
        : SqlState.SYNTAX;
  }

  /** The throwable's own message, never null, of bounded length, without class names before it. */
  public static String said(Throwable t) {
    String message = t.getMessage();
    if (message == null || message.isBlank()) {
      return t.getClass().getSimpleName();
    }
    String prefix = t.getClass().getName() + ": ";
    if (message.startsWith(prefix)) {
      message = message.substring(prefix.length());
    }
    return message.length() <= LONGEST_MESSAGE
        ? message
        : message.substring(0, LONGEST_MESSAGE) + "…";
  }

  private static String simpleName(String className) {
    return className.substring(className.lastIndexOf('.') + 1);
  }
}
