/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLSyntaxErrorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.plan.RelOptPlanner;
import org.apache.calcite.runtime.CalciteContextException;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParserPos;

/**
 * What the JDBC layer says when something goes wrong: its own messages, and the translation of
 * whatever Calcite or the Java runtime threw.
 *
 * <p>Every exception that leaves the layer is an {@link SQLException} whose message begins with
 * what the person needs to know, with an SQLSTATE, and with the original as its cause.
 */
final class FaissErrors {
  /** Standard SQLSTATEs, from the lists of SQL:2016 and ODBC. */
  static final String CANCELLED = "HY008";

  static final String TIMED_OUT = "HYT00";
  static final String SYNTAX = "42000";
  static final String NO_TABLE = "42S02";
  static final String NO_COLUMN = "42S22";
  static final String DATA = "22000";
  static final String OUT_OF_RANGE = "22003";
  static final String DIVISION_BY_ZERO = "22012";
  static final String BAD_CAST = "22018";
  static final String PARAMETERS = "07001";
  static final String CONNECTION = "08001";
  static final String CLOSED = "08003";
  static final String READ_ONLY = "25006";
  static final String OUT_OF_MEMORY = "53200";
  static final String TOO_COMPLEX = "54001";
  static final String GENERAL = "HY000";

  private static final String OUR_PACKAGE = FaissErrors.class.getPackageName();
  private static final Pattern CLASS_CAST =
      Pattern.compile("class ([\\w.$\\[;]+) cannot be cast to class ([\\w.$\\[;]+)");
  private static final int LONGEST_EXPECTED_LIST = 8;
  private static final int LONGEST_MESSAGE = 2000;

  private FaissErrors() {}

  static SQLException closed(String what) {
    return new SQLNonTransientConnectionException("This " + what + " is closed", CLOSED);
  }

  static SQLException unsupported(String what) {
    return new SQLFeatureNotSupportedException(
        what + " is not supported: this driver reads forward only and never writes", "0A000");
  }

  static SQLException readOnly(String verb) {
    return new SQLException(
        verb + " is refused: databases are opened read-only; only queries run here", READ_ONLY);
  }

  static SQLException connect(String message, Throwable cause) {
    return new SQLNonTransientConnectionException(message, CONNECTION, cause);
  }

  static SQLException connect(String message) {
    return connect(message, null);
  }

  static SQLException badArgument(String message) {
    return new SQLException(message, "HY024");
  }

  static SQLException data(String message, String state) {
    return new SQLDataException(message, state);
  }

  static SQLException parameter(String message) {
    return new SQLException(message, PARAMETERS);
  }

  /**
   * Returns the exception to show for one caught anywhere below the JDBC layer. Errors that leave
   * the virtual machine unusable are thrown again.
   */
  static SQLException translate(Throwable thrown) {
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
      return new SQLSyntaxErrorException(parseMessage(parse), SYNTAX, thrown);
    }
    if (context != null) {
      String message = said(root == context ? context : context.getCause());
      return new SQLSyntaxErrorException(
          message + place(context.getPosLine(), context.getPosColumn()),
          validationState(message),
          thrown);
    }
    if (foreign == root && foreign != null) {
      String state = foreign.getSQLState() == null ? GENERAL : foreign.getSQLState();
      return new SQLException(said(foreign), state, foreign.getErrorCode(), thrown);
    }
    return ofRuntime(root, thrown);
  }

  /** The same error with more advice at the end of its message. */
  static SQLException advised(SQLException e, String advice) {
    if (advice.isEmpty()) {
      return e;
    }
    SQLException advised =
        new SQLSyntaxErrorException(e.getMessage() + advice, e.getSQLState(), e.getCause());
    advised.setStackTrace(e.getStackTrace());
    return advised;
  }

  private static SQLException ofRuntime(Throwable root, Throwable thrown) {
    if (root instanceof StackOverflowError) {
      return new SQLException(
          "The statement is nested too deeply; split it, or give the thread a larger stack (-Xss)",
          TOO_COMPLEX,
          thrown);
    }
    if (said(root).contains("grows beyond 64 KB")) {
      return new SQLException(
          "The statement is too long: the code made of it is larger than Java allows; split it, or"
              + " put long lists of values into a table",
          TOO_COMPLEX,
          thrown);
    }
    if (root instanceof OutOfMemoryError) {
      return new SQLException(
          "Out of memory while running the statement ("
              + said(root)
              + "); ask for fewer rows, or raise the heap with -Xmx",
          OUT_OF_MEMORY,
          thrown);
    }
    if (root instanceof RelOptPlanner.CannotPlanException) {
      return new SQLException(
          "No plan found for this statement: it combines features that can't run together",
          "0A000",
          thrown);
    }
    if (root instanceof ArithmeticException) {
      boolean byZero = said(root).toLowerCase(Locale.ROOT).contains("zero");
      return new SQLDataException(
          byZero ? "Division by zero" : "Arithmetic: " + said(root),
          byZero ? DIVISION_BY_ZERO : OUT_OF_RANGE,
          thrown);
    }
    if (root instanceof NumberFormatException) {
      return new SQLDataException(
          "A text is not a number: " + said(root).replace("For input string: ", ""),
          BAD_CAST,
          thrown);
    }
    if (root instanceof ClassNotFoundException || root instanceof NoClassDefFoundError) {
      return new SQLException(
          "Class " + said(root).replace('/', '.') + " is not on the class path", GENERAL, thrown);
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
      return new SQLDataException(message, BAD_CAST, thrown);
    }
    boolean fault =
        root instanceof NullPointerException
            || root instanceof IndexOutOfBoundsException
            || root instanceof Error;
    if (fault) {
      return new SQLException(
          "Internal error ("
              + root.getClass().getSimpleName()
              + (root.getMessage() == null ? "" : ": " + said(root))
              + "); please report the statement",
          GENERAL,
          thrown);
    }
    boolean calcite = root.getClass().getName().startsWith("org.apache.calcite.");
    return new SQLException(said(root), calcite ? validationState(said(root)) : GENERAL, thrown);
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
      String tokens = m.group(1).strip();
      String before = tokens.replaceFirst("\\s*<EOF>$", "");
      head =
          "Syntax error"
              + (before.equals(tokens) ? " at" : before.isEmpty() ? "" : " after")
              + (before.isEmpty() ? "" : " '" + before + "'")
              + (before.equals(tokens) ? "" : ": unexpected end");
    } else {
      head = "Syntax error: " + head;
    }
    String expected = expected(e);
    return head + (pos == null ? "" : place(pos.getLineNum(), pos.getColumnNum())) + expected;
  }

  private static String expected(SqlParseException e) {
    List<String> names = new ArrayList<>();
    for (String name : e.getExpectedTokenNames()) {
      names.add(name.replace("\"", ""));
    }
    if (names.isEmpty() || names.size() > LONGEST_EXPECTED_LIST) {
      return "";
    }
    return "; expected " + (names.size() == 1 ? "" : "one of ") + String.join(", ", names);
  }

  private static String place(int line, int column) {
    return line <= 0 ? "" : " (line " + line + ", column " + column + ")";
  }

  private static String validationState(String message) {
    if (message.startsWith("Object '") || message.startsWith("Table '")) {
      return NO_TABLE;
    }
    return message.startsWith("Column '") && message.contains("not found") ? NO_COLUMN : SYNTAX;
  }

  /** The throwable's own message, never null, of bounded length, without class names before it. */
  static String said(Throwable t) {
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
