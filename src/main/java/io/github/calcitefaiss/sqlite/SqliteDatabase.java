/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteOpenMode;

/**
 * A SQLite file, opened read-only, shared by all connections of the process.
 *
 * <p>Connections are lent without a limit, so a scan inside a scan can never wait for itself; those
 * not in use are kept for a short while and never outlive the file that they were opened on.
 */
public final class SqliteDatabase {
  private static final Map<Path, SqliteDatabase> OPEN = new ConcurrentHashMap<>();
  private static final int MAX_IDLE = 8;

  /** Steps of SQLite's machine between two looks at the cancel flag: some tens of microseconds. */
  private static final int PROGRESS_STEPS = 10_000;

  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final ScheduledExecutorService SWEEPER =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "calcite-faiss-idle");
            thread.setDaemon(true);
            return thread;
          });

  static {
    SWEEPER.scheduleWithFixedDelay(
        () -> OPEN.values().forEach(SqliteDatabase::sweep), 5, 5, TimeUnit.SECONDS);
  }

  private final Path path;
  private volatile int busyMillis = 5000;
  private final Deque<Lease> idle = new ArrayDeque<>();
  private Watch watch;
  private long watches;

  private SqliteDatabase(Path path) {
    this.path = path;
  }

  /**
   * The database of a path.
   *
   * @throws FaissException if there is no such file or it can't be read
   */
  public static SqliteDatabase of(Path path) throws FaissException {
    Path real;
    try {
      real = path.toRealPath();
    } catch (NoSuchFileException e) {
      throw new FaissException(
          FaissException.CONFIGURATION,
          "database file " + path.toAbsolutePath().normalize() + " does not exist",
          e);
    } catch (IOException e) {
      throw new FaissException(
          FaissException.CONFIGURATION, "database file " + path + " can't be read: " + e, e);
    }
    if (Files.isDirectory(real)) {
      throw new FaissException(
          FaissException.CONFIGURATION,
          "database " + real + " is a directory, expected a SQLite file");
    }
    if (!Files.isReadable(real)) {
      throw new FaissException(
          FaissException.CONFIGURATION, "database file " + real + " may not be read (permission)");
    }
    // The path as given, not the link's target: a link that is pointed elsewhere is a new file.
    return OPEN.computeIfAbsent(path.toAbsolutePath().normalize(), SqliteDatabase::new);
  }

  /** The file's path. */
  public Path path() {
    return path;
  }

  /** Sets how long to wait for a writer that holds the file, in milliseconds. */
  public void setBusyTimeout(int millis) {
    busyMillis = millis;
  }

  /** A read-only connection of the caller's own, who closes it. */
  public Connection open() throws SQLException {
    return connect();
  }

  /** Which committed version of the file is current. */
  public synchronized DatabaseVersion version() throws SQLException {
    Object file = fileKey();
    if (watch != null && !watch.file.equals(file)) {
      closeQuietly(watch.connection);
      watch = null;
    }
    if (watch == null) {
      watch = new Watch(file, ++watches, connect());
    }
    try {
      return new DatabaseVersion(file, watch.number, watch.read());
    } catch (SQLException e) {
      closeQuietly(watch.connection);
      watch = null;
      throw unreadable(e);
    }
  }

  /**
   * Begins to read one committed version, which the lease keeps until it is closed.
   *
   * @throws SQLException if the file can't be read or a writer holds it for too long
   */
  public Lease snapshot() throws SQLException {
    for (int attempt = 0; ; attempt++) {
      DatabaseVersion before = version();
      Lease lease = borrow(before.file());
      try {
        lease.begin();
        DatabaseVersion after = version();
        if (before.equals(after)) {
          lease.version = after;
          return lease;
        }
      } catch (SQLException e) {
        lease.discard();
        throw unreadable(e);
      }
      lease.close();
      if (attempt == 100) {
        throw new FaissException(
            FaissException.CHANGED,
            "database " + path + " is written so often that no version could be read; try again");
      }
    }
  }

  private Lease borrow(Object file) throws SQLException {
    synchronized (idle) {
      while (!idle.isEmpty()) {
        Lease lease = idle.pop();
        if (lease.file.equals(file)) {
          return lease;
        }
        closeQuietly(lease.connection);
      }
    }
    return new Lease(file, connect());
  }

  private Connection connect() throws SQLException {
    if (!Files.exists(path)) {
      throw new FaissException(
          FaissException.UNREADABLE, "database file " + path + " does not exist any more");
    }
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(true);
    config.setOpenMode(SQLiteOpenMode.READONLY);
    config.resetOpenMode(SQLiteOpenMode.CREATE);
    config.setBusyTimeout(busyMillis);
    config.enableLoadExtension(false);
    try {
      // A file: URI, percent-encoded, so that no character of a path is taken for an option.
      return config.createConnection("jdbc:sqlite:" + fileUri(path));
    } catch (SQLException e) {
      throw unreadable(e);
    }
  }

  private static String fileUri(Path path) {
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

  private Object fileKey() throws FaissException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      // No key on some file systems: then only the watch's own number tells versions apart.
      return attributes.fileKey() == null ? path : attributes.fileKey();
    } catch (IOException e) {
      throw new FaissException(
          FaissException.UNREADABLE, "database file " + path + " can't be read: " + e, e);
    }
  }

  /** Says of an error of SQLite's which file it is about and what to do. */
  SQLException unreadable(SQLException e) {
    if (!(e instanceof SQLiteException s)) {
      return e;
    }
    SQLiteErrorCode code = s.getResultCode();
    String what;
    switch (SQLiteErrorCode.getErrorCode(code.code & 0xff)) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        what =
            "is locked by a writer for more than "
                + busyMillis
                + " ms (operand busyTimeout);"
                + " try again";
        break;
      case SQLITE_NOTADB:
        what = "is not a SQLite database";
        break;
      case SQLITE_CORRUPT:
        what = "is damaged: " + e.getMessage();
        break;
      case SQLITE_CANTOPEN:
      case SQLITE_PERM:
      case SQLITE_IOERR:
      case SQLITE_READONLY:
        what = "can't be read: " + e.getMessage();
        break;
      default:
        return e;
    }
    return new FaissException(FaissException.UNREADABLE, "database " + path + " " + what, e);
  }

  private void sweep() {
    long now = System.nanoTime();
    synchronized (idle) {
      idle.removeIf(
          lease -> {
            boolean old = now - lease.idleSince > IDLE_NANOS;
            if (old) {
              closeQuietly(lease.connection);
            }
            return old;
          });
    }
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // The connection is given up either way, and nothing was written on it.
    }
  }

  /** The path's text, for messages. */
  @Override
  public String toString() {
    return path.toString();
  }

  /** The connection on which {@code data_version} is read; used under the database's lock. */
  private static final class Watch {
    private final Object file;
    private final long number;
    private final Connection connection;
    private final PreparedStatement dataVersion;

    private Watch(Object file, long number, Connection connection) throws SQLException {
      this.file = file;
      this.number = number;
      this.connection = connection;
      this.dataVersion = connection.prepareStatement("PRAGMA data_version");
    }

    private long read() throws SQLException {
      try (ResultSet rows = dataVersion.executeQuery()) {
        rows.next();
        return rows.getLong(1);
      }
    }
  }

  /** A connection lent by the database, inside a read transaction on one version. */
  public final class Lease implements AutoCloseable {
    private final Object file;
    private final Connection connection;
    private DatabaseVersion version;
    private long idleSince;
    private boolean begun;
    private boolean watched;

    private Lease(Object file, Connection connection) {
      this.file = file;
      this.connection = connection;
    }

    /** The connection; the caller closes what it opens on it, not the connection itself. */
    public Connection connection() {
      return connection;
    }

    /** The version that is read. */
    public DatabaseVersion version() {
      return version;
    }

    /** The database it belongs to. */
    public SqliteDatabase database() {
      return SqliteDatabase.this;
    }

    private void begin() throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute("BEGIN");
        begun = true;
        // The snapshot is taken by the first read, not by BEGIN.
        statement.executeQuery("SELECT 1 FROM sqlite_schema LIMIT 1").close();
      }
    }

    /** Ends the transaction and gives the connection back. */
    @Override
    public void close() {
      try {
        if (watched) {
          watched = false;
          ProgressHandler.clearHandler(connection);
        }
        if (begun) {
          begun = false;
          try (Statement statement = connection.createStatement()) {
            statement.execute("ROLLBACK");
          }
        }
      } catch (SQLException e) {
        discard();
        return;
      }
      version = null;
      idleSince = System.nanoTime();
      synchronized (idle) {
        if (idle.size() < MAX_IDLE) {
          idle.push(this);
          return;
        }
      }
      closeQuietly(connection);
    }

    private void discard() {
      closeQuietly(connection);
    }

    /** Ends whatever runs on the connection soon after the condition becomes true. */
    void interruptWhen(BooleanSupplier condition) throws SQLException {
      ProgressHandler.setHandler(
          connection,
          PROGRESS_STEPS,
          new ProgressHandler() {
            @Override
            protected int progress() {
              return condition.getAsBoolean() ? 1 : 0;
            }
          });
      watched = true;
    }
  }
}
