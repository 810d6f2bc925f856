/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteLimits;
import org.sqlite.SQLiteOpenMode;

/**
 * How SQLite's own driver is used: opening a file, and making sense of its errors.
 *
 * <p>A connection never waits for a lock by itself, since such a wait can't be cancelled.
 */
final class SqliteFile {
  /** Steps of SQLite's machine between two looks at the cancel flag: some tens of microseconds. */
  private static final int PROGRESS_STEPS = 10_000;

  private static final int LONGEST_MESSAGE = 300;

  /**
   * The longest text, blob or row in bytes: an eighth of the heap, since each is held by Java, too;
   * at least 16 MB and at most SQLite's own limit.
   */
  private static final int LONGEST_VALUE =
      (int) Math.max(16 << 20, Math.min(Runtime.getRuntime().maxMemory() / 8, 1_000_000_000));

  private static final String UNFINISHED =
      "holds the unfinished transaction of a writer that died; undoing it needs permission to write"
          + " the file and its folder: open it once with a program that has it, such as sqlite3";

  /** What a connection may do to the file. */
  enum Access {
    /** Nothing but read. */
    READ,
    /** Undo what a writer that died has begun, which SQLite asks of whoever comes next. */
    ROLL_BACK
  }

  static {
    LeftLibraries.removeSoon();
  }

  private SqliteFile() {}

  static Connection open(Path path, Access access) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    boolean read = access == Access.READ;
    config.resetOpenMode(SQLiteOpenMode.CREATE);
    if (read) {
      config.setReadOnly(true);
      config.setOpenMode(SQLiteOpenMode.READONLY);
    }
    config.setBusyTimeout(0);
    config.enableLoadExtension(false);
    // A file: URI, percent-encoded, so that no character of a path is taken for an option.
    return bounded(
        config.createConnection(
            "jdbc:sqlite:" + uri(path) + (read && isOnReadOnlyMedium(path) ? "?immutable=1" : "")));
  }

  /** A connection that refuses longer texts, blobs and rows than the heap has room for. */
  static Connection bounded(Connection connection) throws SQLException {
    ((SQLiteConnection) connection).setLimit(SQLiteLimits.SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
    return connection;
  }

  /** The longest text or blob of a statement, in bytes. */
  static int longestValue() {
    return LONGEST_VALUE;
  }

  /** What to say of a text or blob that is too long. */
  static String tooLong() {
    return String.format(
        Locale.ROOT,
        "a text, blob or row is longer than %,d bytes, the most that this heap allows (an eighth of"
            + " it, and 1,000,000,000); ask for a part of it, or raise the heap with -Xmx",
        LONGEST_VALUE);
  }

  /**
   * Whether nobody can write there, so that no lock is needed, and a database in WAL mode needs no
   * log. SQLite would ignore a log or journal that is there.
   */
  private static boolean isOnReadOnlyMedium(Path path) {
    try {
      return ReadOnlyMedium.has(path)
          && FileState.ifPresent(beside(path, "-wal")) == null
          && FileState.ifPresent(beside(path, "-journal")) == null;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * A file that SQLite has beside a database: where the file itself is, not where a link to it is.
   */
  static Path beside(Path path, String suffix) {
    Path file = path;
    try {
      // Links of folders are followed by the system; a file's own link is what leads elsewhere.
      file = Files.isSymbolicLink(path) ? path.toRealPath() : path;
    } catch (IOException e) {
      // It leads nowhere, which whoever opens it will say.
    }
    return file.resolveSibling(file.getFileName() + suffix);
  }

  private static String uri(Path path) {
    StringBuilder uri = new StringBuilder("file:");
    String text = path.toString().replace(File.separatorChar, '/');
    if (!text.startsWith("/")) {
      uri.append('/');
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '?' || c == '#' || c == '%') {
        uri.append('%').append(Integer.toHexString(c).toUpperCase(Locale.ROOT));
      } else {
        uri.append(c);
      }
    }
    return uri.toString();
  }

  /** The file as ATTACH names it, read only. */
  static String readOnlyUri(Path path) {
    return uri(path) + (isOnReadOnlyMedium(path) ? "?mode=ro&immutable=1" : "?mode=ro");
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The number that a query gives. */
  static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** Ends whatever runs on a connection soon after the condition becomes true. */
  static void interruptWhen(Connection connection, BooleanSupplier condition) throws SQLException {
    ProgressHandler.setHandler(
        connection,
        PROGRESS_STEPS,
        new ProgressHandler() {
          @Override
          protected int progress() {
            return condition.getAsBoolean() ? 1 : 0;
          }
        });
  }

  static void clearInterrupt(Connection connection) throws SQLException {
    ProgressHandler.clearHandler(connection);
  }

  /**
   * Lets SQLite undo the transaction of a writer that died, as it does for every program that may
   * write and opens the file. No other write to the file is ever made.
   *
   * @return null if it was done or there was nothing to do, else the problem
   */
  static SQLException rollBack(Path path, SQLException problem) {
    if (!Files.isWritable(path)) {
      return problem;
    }
    try (Connection connection = open(path, Access.ROLL_BACK)) {
      execute(connection, "PRAGMA query_only = 1");
      execute(connection, "SELECT 1 FROM sqlite_schema LIMIT 1");
      return null;
    } catch (SQLException e) {
      return e;
    }
  }

  /** What SQLite itself said, without what its driver puts around it. */
  static String said(SQLException e) {
    String message = String.valueOf(e.getMessage());
    if (!(e instanceof SQLiteException) || !message.endsWith(")")) {
      return message;
    }
    String frame = code(e).message + " (";
    int open = message.indexOf(frame);
    String own =
        open < 0 ? message : message.substring(open + frame.length(), message.length() - 1);
    return own.length() > LONGEST_MESSAGE ? own.substring(0, LONGEST_MESSAGE) + "…" : own;
  }

  /** SQLite's extended result code, or SQLITE_OK if the error isn't SQLite's. */
  static SQLiteErrorCode code(SQLException e) {
    return e instanceof SQLiteException s ? s.getResultCode() : SQLiteErrorCode.SQLITE_OK;
  }

  /** SQLite's result code without its extension. */
  static SQLiteErrorCode primaryCode(SQLException e) {
    return SQLiteErrorCode.getErrorCode(code(e).code & 0xff);
  }

  /** Whether SQLite, or its driver beside it, could get no more memory of the system. */
  static boolean isOutOfMemory(SQLException e) {
    return primaryCode(e) == SQLiteErrorCode.SQLITE_NOMEM
        // The driver's own, which has no code.
        || "Out of memory".equalsIgnoreCase(String.valueOf(e.getMessage()));
  }

  /**
   * What to say where SQLite is out of memory.
   *
   * @param when in words, with a blank before them; or nothing
   */
  static FaissException outOfMemory(String when, SQLException e) {
    return new FaissException(
        SqlState.MEMORY,
        "SQLite is out of memory"
            + when
            + ": the system has no more for this process; ask for fewer or shorter values",
        e);
  }

  /** Says of an error of SQLite's which file it is about and what to do. */
  static SQLException explain(Path path, int busyMillis, SQLException e) {
    String what;
    if (isOutOfMemory(e)) {
      return outOfMemory(" while it reads database " + path, e);
    }
    switch (primaryCode(e)) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
      case SQLITE_PROTOCOL:
        what =
            "is locked by a writer for more than "
                + busyMillis
                + " ms (operand busyTimeout); try again";
        break;
      case SQLITE_NOTADB:
        what = "is not a SQLite database";
        break;
      case SQLITE_CORRUPT:
        what = "is damaged: " + e.getMessage();
        break;
      case SQLITE_READONLY:
        what =
            code(e) == SQLiteErrorCode.SQLITE_READONLY_ROLLBACK ? UNFINISHED : openProblem(path, e);
        break;
      case SQLITE_PERM:
      case SQLITE_CANTOPEN:
        what = openProblem(path, e);
        break;
      case SQLITE_IOERR:
        what =
            code(e) == SQLiteErrorCode.SQLITE_IOERR_DELETE
                ? UNFINISHED + "; here the folder can't be written: " + e.getMessage()
                : "can't be read: " + e.getMessage();
        break;
      case SQLITE_TOOBIG:
        return new FaissException(SqlState.DATA, tooLong(), e);
      default:
        String message = String.valueOf(e.getMessage());
        if (message.contains("unsupported file format")) {
          what = "has a file format that this SQLite doesn't know";
          break;
        }
        return message.contains("no such table") || message.contains("no such column")
            ? new FaissException(
                SqlState.CHANGED,
                "database "
                    + path
                    + " changed after the statement was planned: "
                    + message
                    + "; run it again",
                e)
            : e instanceof SQLiteException
                ? new FaissException(SqlState.GENERAL, "SQLite: " + said(e) + hint(said(e)), e)
                : e;
    }
    return new FaissException(SqlState.UNREADABLE, "database " + path + " " + what, e);
  }

  /** What may help beside what SQLite said; else empty. */
  static String hint(String said) {
    if (said.startsWith("unable to use function MATCH")) {
      return "; MATCH searches full-text tables, nearest rows come by ORDER BY l2_distance(embedding,"
          + " '[…]') LIMIT k";
    } else if (said.equals("not authorized")) {
      return "; functions that load, write or read files are refused";
    }
    if (said.startsWith("no such collation sequence")) {
      return "; the program that wrote the file brings that order, and without it no column declared"
          + " with it can be compared, sorted or joined";
    }
    return said.equals("no query solution")
        ? "; a table WITHOUT ROWID can't be read where its key is in an order that only the program"
            + " that wrote the file has"
        : "";
  }

  private static String openProblem(Path path, SQLException e) {
    for (String suffix : new String[] {"", "-wal", "-shm", "-journal"}) {
      Path file = suffix.isEmpty() ? path : beside(path, suffix);
      if (Files.exists(file) && !Files.isReadable(file)) {
        return "can't be read: " + file.getFileName() + " may not be read (permission)";
      }
    }
    Path folder = path.getParent();
    return "can't be read: "
        + e.getMessage()
        + (folder != null && !Files.isWritable(folder)
            ? "; if it is in WAL mode, SQLite needs to write "
                + path.getFileName()
                + "-shm beside it, and the folder can't be written: change the folder's permission,"
                + " or PRAGMA journal_mode = DELETE in the database"
            : "");
  }
}
