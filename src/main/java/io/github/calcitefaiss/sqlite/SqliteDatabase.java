/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.Daemons;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.Versioned;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.sqlite.SQLiteErrorCode;

/**
 * A SQLite file, opened read-only, shared by all connections of the process.
 *
 * <p>Which version is current, {@link VersionWatch} tells.
 *
 * <p>Connections are lent without a limit, so a scan inside a scan can never wait for itself; those
 * not in use are kept for a short while and never outlive the state of the file that they were
 * opened on.
 */
public final class SqliteDatabase implements Versioned<DatabaseVersion, SqliteDatabase.Lease> {
  private static final Map<Path, SqliteDatabase> OPEN = new ConcurrentHashMap<>();
  private static final AtomicInteger LENT = new AtomicInteger();
  private static final AtomicLong SNAPSHOTS = new AtomicLong();
  private static final int MAX_IDLE = 8;
  private static final int MAX_ATTEMPTS = 100;
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final ScheduledExecutorService SWEEPER =
      Executors.newSingleThreadScheduledExecutor(
          task -> Daemons.thread("calcite-faiss-idle", task));

  static {
    SWEEPER.scheduleWithFixedDelay(
        Daemons.again(() -> OPEN.values().forEach(each -> Daemons.again(each::sweep).run())),
        5,
        5,
        TimeUnit.SECONDS);
  }

  /** Columns that were found to hold values of another type than they declare. */
  private final Set<String> dynamic = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final VersionWatch watch;
  private final Deque<Lease> idle = new ArrayDeque<>();
  private final Set<Lease> lent = ConcurrentHashMap.newKeySet();
  private volatile int busyMillis = 5000;
  private volatile DatabaseVersion whole;

  private SqliteDatabase(Path path) {
    this.path = path;
    this.watch = new VersionWatch(path, this::isLent);
  }

  /**
   * The database of a path.
   *
   * @throws FaissException if there is no such file or it can't be read
   */
  public static SqliteDatabase of(Path path) throws FaissException {
    Path absolute = path.toAbsolutePath().normalize();
    try {
      VersionWatch.checkState(absolute, FileState.of(absolute), SqlState.CONNECTION);
    } catch (NoSuchFileException e) {
      throw new FaissException(
          SqlState.CONNECTION, "database file " + absolute + " does not exist", e);
    } catch (AccessDeniedException e) {
      throw new FaissException(
          SqlState.CONNECTION,
          "database file " + absolute + " may not be read (permission of its folder)",
          e);
    } catch (IOException e) {
      throw new FaissException(
          SqlState.CONNECTION, "database file " + absolute + " can't be read: " + e, e);
    }
    if (!Files.isReadable(absolute)) {
      throw new FaissException(
          SqlState.CONNECTION, "database file " + absolute + " may not be read (permission)");
    }
    // The path as given, not the link's target: a link that is pointed elsewhere is a new file.
    return OPEN.computeIfAbsent(absolute, SqliteDatabase::new);
  }

  /** How often any database was asked for its version since the process began. */
  public static long questions() {
    return VersionWatch.questions();
  }

  /** How often a version of any database was begun to be read since the process began. */
  public static long snapshots() {
    return SNAPSHOTS.get();
  }

  /** Connections lent now, of all databases: 0 when no statement runs. */
  public static int lent() {
    return LENT.get();
  }

  /** Whether a column was found to hold values of another type than it declares. */
  boolean isDynamic(String table, String column) {
    return dynamic.contains(table + '\0' + column);
  }

  /** Remembers that a column holds values of another type than it declares. */
  void setDynamic(String table, String column) {
    dynamic.add(table + '\0' + column);
  }

  /** The file's path. */
  public Path path() {
    return path;
  }

  /** Sets how long to wait for a writer that holds the file, in milliseconds. */
  public void setBusyTimeout(int millis) {
    busyMillis = millis;
  }

  /**
   * Which committed version of the file is current, after waiting for a writer that holds the file.
   *
   * @param checkpoint ends the wait
   * @throws SQLException if the file can't be read
   */
  @Override
  public DatabaseVersion version(Checkpoint checkpoint) throws SQLException {
    return patiently(checkpoint, watch::current);
  }

  /**
   * Begins to read one committed version, which the lease keeps until it is closed.
   *
   * @param checkpoint ends a wait for a writer
   * @param expected the version that was current a moment ago, or null if that isn't known
   * @throws SQLException if the file can't be read or a writer holds it for too long
   */
  @Override
  public Lease snapshot(Checkpoint checkpoint, DatabaseVersion expected) throws SQLException {
    SNAPSHOTS.incrementAndGet();
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      DatabaseVersion before = attempt == 0 && expected != null ? expected : version(checkpoint);
      Lease lease = patiently(checkpoint, () -> begin(before));
      LENT.incrementAndGet();
      try {
        // No waiting here: the writer may be waiting for this very lease to end.
        if (before.equals(watch.stillCurrent())) {
          checkWhole(lease);
          lent.add(lease);
          return lease;
        }
      } catch (SQLException e) {
        if (!VersionWatch.isBusy(e)) {
          lease.discard();
          throw unreadable(e);
        }
      }
      // Something was committed in between. The connection may even be to another file.
      lease.discard();
    }
    throw new FaissException(
        SqlState.CHANGED,
        "database " + path + " is written so often that no version could be read; try again");
  }

  /** SQLite takes a last page of which a part is missing for one that ends with zeros. */
  private void checkWhole(Lease lease) throws SQLException {
    DatabaseVersion version = lease.version();
    if (version.equals(whole)) {
      return;
    }
    long pageSize = SqliteFile.number(lease.connection(), "PRAGMA page_size");
    if (version.file().size() % pageSize != 0) {
      throw new FaissException(
          SqlState.UNREADABLE,
          "database file "
              + path
              + " is damaged: its "
              + version.file().size()
              + " bytes are no whole number of pages of "
              + pageSize
              + " bytes");
    }
    whole = version;
  }

  private Lease begin(DatabaseVersion version) throws SQLException {
    Lease lease = borrow(version);
    try {
      lease.begin();
      return lease;
    } catch (SQLException e) {
      VersionWatch.closeQuietly(lease.connection);
      throw e;
    }
  }

  private Lease borrow(DatabaseVersion version) throws SQLException {
    synchronized (idle) {
      while (!idle.isEmpty()) {
        Lease lease = idle.pop();
        boolean same =
            version.file().isCoarse()
                ? lease.version.equals(version)
                : lease.version.file().equals(version.file());
        if (same) {
          lease.version = version;
          return lease;
        }
        VersionWatch.closeQuietly(lease.connection);
      }
    }
    return new Lease(version, watch.connect(version.file().key()));
  }

  private boolean isLent(DatabaseVersion version) {
    for (Lease lease : lent) {
      if (lease.version.equals(version)) {
        return true;
      }
    }
    return false;
  }

  /**
   * What tells the files of a version from those of any other, as far as the system tells when a
   * file was last changed.
   *
   * @return null if the version isn't the current one any more, or the system doesn't tell
   */
  String provenState(DatabaseVersion version) {
    return watch.provenState(version);
  }

  /** What SQLite itself said in an error, without what its driver puts around it. */
  public static String said(SQLException e) {
    return SqliteFile.said(e);
  }

  /** What to say of an error by which SQLite is out of memory; null for another. */
  public static SQLException outOfMemory(SQLException e) {
    return SqliteFile.isOutOfMemory(e) ? SqliteFile.outOfMemory("", e) : null;
  }

  /** Whether a writer has begun a transaction in rollback mode, and may have died in it. */
  private boolean hasJournal() {
    return Files.exists(SqliteFile.beside(path, "-journal"));
  }

  /** Says of an error of SQLite's which file it is about and what to do. */
  SQLException unreadable(SQLException e) {
    SQLException explained = SqliteFile.explain(path, busyMillis, e);
    return VersionWatch.isBusy(e) && !lent.isEmpty()
        ? new FaissException(
            SqlState.UNREADABLE,
            explained.getMessage()
                + "; this process itself still reads it: if the writer waits for an open result,"
                + " close that first"
                + (hasJournal()
                    ? "; a journal is beside it: if its writer died, what that began can only be"
                        + " undone once the result is closed"
                    : ""),
            explained)
        : explained;
  }

  @FunctionalInterface
  private interface Attempt<T> {
    T run() throws SQLException;
  }

  /** Tries again while a writer holds the file, so that the wait can be cancelled. */
  private <T> T patiently(Checkpoint checkpoint, Attempt<T> attempt) throws SQLException {
    long start = System.nanoTime();
    long pause = TimeUnit.MILLISECONDS.toNanos(1);
    int replaced = 0;
    while (true) {
      checkpoint.check();
      SQLException problem;
      try {
        return attempt.run();
      } catch (SQLException e) {
        problem = e;
      }
      if (SqlState.CHANGED.equals(problem.getSQLState()) && ++replaced < MAX_ATTEMPTS) {
        continue;
      }
      if (SqliteFile.code(problem) == SQLiteErrorCode.SQLITE_READONLY_ROLLBACK) {
        problem = SqliteFile.rollBack(path, problem);
        if (problem == null) {
          continue;
        }
      }
      long waited = System.nanoTime() - start;
      if (!VersionWatch.isBusy(problem) || waited >= TimeUnit.MILLISECONDS.toNanos(busyMillis)) {
        throw unreadable(problem);
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
    }
  }

  private void sweep() {
    long now = System.nanoTime();
    synchronized (idle) {
      idle.removeIf(
          lease -> {
            boolean old = now - lease.idleSince > IDLE_NANOS;
            if (old) {
              VersionWatch.closeQuietly(lease.connection);
            }
            return old;
          });
    }
    watch.rest(now, IDLE_NANOS);
  }

  /** The path's text, for messages. */
  @Override
  public String toString() {
    return path.toString();
  }

  /** A connection lent by the database, inside a read transaction on one version. */
  public final class Lease implements Versioned.Lease<DatabaseVersion> {
    private final Connection connection;
    private DatabaseVersion version;
    private long idleSince;
    private boolean watched;
    private boolean ended;
    private final Map<Class<?>, Object> attachments = new ConcurrentHashMap<>();
    private final List<String> attached = new ArrayList<>();

    private Lease(DatabaseVersion version, Connection connection) {
      this.version = version;
      this.connection = connection;
    }

    @Override
    public Connection connection() {
      return connection;
    }

    @Override
    public DatabaseVersion version() {
      return version;
    }

    /** The database it belongs to. */
    public SqliteDatabase database() {
      return SqliteDatabase.this;
    }

    /**
     * What belongs to the connection as long as it is open, made when it is first asked for.
     *
     * @param kind its class
     */
    public <T> T attachment(Class<T> kind, Supplier<T> make) {
      return kind.cast(attachments.computeIfAbsent(kind, k -> make.get()));
    }

    /**
     * Lets the connection read another file too, in the version that a run reads of it.
     *
     * @param name what it is called in statements
     */
    void attach(String name, SqliteDatabase other, Execution execution) throws SQLException {
      DatabaseVersion before = execution.version(other);
      String quoted = Identifiers.quote(name);
      attached.add(quoted);
      SqliteFile.execute(
          connection,
          "ATTACH '" + SqliteFile.readOnlyUri(other.path).replace("'", "''") + "' AS " + quoted);
      SqliteFile.execute(connection, "SELECT 1 FROM " + quoted + ".sqlite_schema LIMIT 1");
      if (!other.version(execution).equals(before)) {
        throw new FaissException(
            SqlState.CHANGED,
            "database " + other + " changed while the statement began; run it again");
      }
      execution.use(other);
    }

    private void begin() throws SQLException {
      ended = false;
      beginToRead();
      Vec0Views views = attachment(Vec0Views.class, Vec0Views::new);
      while (!views.areCurrent(connection)) {
        SqliteFile.execute(connection, "ROLLBACK");
        views.make(connection);
        beginToRead();
      }
    }

    private void beginToRead() throws SQLException {
      SqliteFile.execute(connection, "BEGIN");
      // The snapshot is taken by the first read, not by BEGIN.
      SqliteFile.execute(connection, "SELECT 1 FROM sqlite_schema LIMIT 1");
    }

    @Override
    public void close() {
      synchronized (this) {
        if (ended) {
          return;
        }
        ended = true;
      }
      lent.remove(this);
      LENT.decrementAndGet();
      try {
        if (watched) {
          watched = false;
          SqliteFile.clearInterrupt(connection);
        }
        SqliteFile.execute(connection, "ROLLBACK");
        for (String name : attached) {
          SqliteFile.execute(connection, "DETACH " + name);
        }
        attached.clear();
      } catch (SQLException e) {
        VersionWatch.closeQuietly(connection);
        return;
      }
      idleSince = System.nanoTime();
      synchronized (idle) {
        if (idle.size() < MAX_IDLE) {
          idle.push(this);
          return;
        }
      }
      VersionWatch.closeQuietly(connection);
    }

    @Override
    public void discard() {
      synchronized (this) {
        if (ended) {
          return;
        }
        ended = true;
      }
      lent.remove(this);
      LENT.decrementAndGet();
      VersionWatch.closeQuietly(connection);
    }

    @Override
    public void interruptWhen(BooleanSupplier condition) throws SQLException {
      SqliteFile.interruptWhen(connection, condition);
      watched = true;
    }
  }
}
