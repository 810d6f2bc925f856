/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.Daemons;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.Versioned;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
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
 * <p>Which version is current is told by two witnesses, and a version is new when either says so:
 * {@code PRAGMA data_version} on one long-lived connection sees every commit made through SQLite,
 * and {@link FileState} sees another file in the place, or bytes overwritten behind SQLite's back.
 *
 * <p>Connections are lent without a limit, so a scan inside a scan can never wait for itself; those
 * not in use are kept for a short while and never outlive the state of the file that they were
 * opened on.
 */
public final class SqliteDatabase implements Versioned<DatabaseVersion, SqliteDatabase.Lease> {
  private static final Map<Path, SqliteDatabase> OPEN = new ConcurrentHashMap<>();
  private static final AtomicInteger LENT = new AtomicInteger();
  private static final AtomicLong QUESTIONS = new AtomicLong();
  private static final AtomicLong SNAPSHOTS = new AtomicLong();
  private static final int MAX_IDLE = 8;
  private static final int SMALLEST_DATABASE = 512;
  private static final int MAX_ATTEMPTS = 100;
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long SETTLED_MILLIS = 1000;
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final ScheduledExecutorService SWEEPER =
      Executors.newSingleThreadScheduledExecutor(
          task -> Daemons.thread("calcite-faiss-idle", task));

  static {
    SWEEPER.scheduleWithFixedDelay(
        () -> OPEN.values().forEach(SqliteDatabase::sweep), 5, 5, TimeUnit.SECONDS);
  }

  /** Columns that were found to hold values of another type than they declare. */
  private final Set<String> dynamic = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final Path walPath;
  private final Deque<Lease> idle = new ArrayDeque<>();
  private final Set<Lease> lent = ConcurrentHashMap.newKeySet();
  private volatile int busyMillis = 5000;
  private Watch watch;
  private long askedAt;
  private DatabaseVersion last;
  private long lastData;
  private FileState lastWal;
  private LeftWal leftWal;
  private boolean rested;
  private volatile DatabaseVersion whole;

  /** The log that belonged to a file which was replaced, and the file that it doesn't belong to. */
  private record LeftWal(Object newFile, Object wal, ByteBuffer salts) {}

  private SqliteDatabase(Path path) {
    this.path = path;
    walPath = path.resolveSibling(path.getFileName() + "-wal");
  }

  /**
   * The database of a path.
   *
   * @throws FaissException if there is no such file or it can't be read
   */
  public static SqliteDatabase of(Path path) throws FaissException {
    Path absolute = path.toAbsolutePath().normalize();
    try {
      checkState(absolute, FileState.of(absolute), SqlState.CONNECTION);
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
    return QUESTIONS.get();
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
    return patiently(checkpoint, this::current);
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
        if (before.equals(current())) {
          checkWhole(lease);
          lent.add(lease);
          return lease;
        }
      } catch (SQLException e) {
        if (!isBusy(e)) {
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
      closeQuietly(lease.connection);
      throw e;
    }
  }

  private Lease borrow(DatabaseVersion version) throws SQLException {
    synchronized (idle) {
      while (!idle.isEmpty()) {
        Lease lease = idle.pop();
        if (lease.version.file().equals(version.file())) {
          lease.version = version;
          return lease;
        }
        closeQuietly(lease.connection);
      }
    }
    return new Lease(version, connect(version.file().key()));
  }

  private synchronized DatabaseVersion current() throws SQLException {
    QUESTIONS.incrementAndGet();
    askedAt = System.nanoTime();
    FileState file = state();
    FileState wal = walState();
    boolean sameFile = last != null && last.file().key().equals(file.key());
    if (watch != null && !watch.file.equals(file.key())) {
      closeWatch();
    }
    if (last != null && !sameFile) {
      notice(file, wal);
    }
    boolean opened = watch == null;
    if (opened) {
      watch = new Watch(file.key(), connect(file.key()));
    }
    long data;
    try {
      data = watch.read();
    } catch (SQLException e) {
      if (!isBusy(e)) {
        closeWatch();
      } else if (wal == null && known(file) && isLent(last)) {
        // A writer waits for our readers to end, so nothing was committed since they began.
        return last;
      }
      throw e;
    }
    if (opened || data != lastData) {
      // What was committed up to that answer has left its mark in the files by now.
      file = state();
      wal = walState();
    }
    boolean known = known(file);
    if (opened ? !(known && rested && isSame(wal, lastWal)) : !known || data != lastData) {
      last = new DatabaseVersion(last == null ? 1 : last.number() + 1, file);
    }
    lastData = data;
    rested = false;
    lastWal = wal;
    return last;
  }

  /**
   * What tells the files of a version from those of any other, as far as the system tells when a
   * file was last changed.
   *
   * @return null if the version isn't the current one any more, or the system doesn't tell
   */
  synchronized String provenState(DatabaseVersion version) {
    try {
      boolean proven =
          current().equals(version)
              && version.file().changed() != null
              && (lastWal == null || lastWal.changed() != null);
      return proven ? version.file() + " " + lastWal : null;
    } catch (SQLException e) {
      // A writer is about to commit, or what is wrong will be told to whoever reads.
      return null;
    }
  }

  private boolean known(FileState file) {
    return last != null && file.equals(last.file());
  }

  private boolean isLent(DatabaseVersion version) {
    for (Lease lease : lent) {
      if (lease.version.equals(version)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isSame(FileState a, FileState b) {
    return a == null ? b == null : a.equals(b);
  }

  /** Another file has come in the place. Its predecessor's log may be left, and isn't its own. */
  private void notice(FileState file, FileState wal) throws SQLException {
    try {
      if (wal != null && lastWal != null && wal.key().equals(lastWal.key())) {
        ByteBuffer salts = FileState.walSalts(walPath);
        leftWal = salts == null ? null : new LeftWal(file.key(), wal.key(), salts);
      }
    } catch (IOException e) {
      throw gone(e);
    }
  }

  private void checkWal(Object file) throws SQLException {
    LeftWal left = leftWal;
    if (left == null || !left.newFile.equals(file)) {
      return;
    }
    try {
      FileState wal = walState();
      if (wal != null
          && wal.key().equals(left.wal)
          && left.salts.equals(FileState.walSalts(walPath))) {
        throw new FaissException(
            SqlState.UNREADABLE,
            "database "
                + path
                + " was replaced, but the write-ahead log of its predecessor, "
                + walPath
                + ", was left behind, and SQLite would mix the two; delete that file and "
                + path
                + "-shm");
      }
    } catch (IOException e) {
      throw gone(e);
    }
  }

  private Connection connect(Object file) throws SQLException {
    checkWal(file);
    Connection connection = SqliteFile.open(path, SqliteFile.Access.READ);
    if (!state().key().equals(file)) {
      closeQuietly(connection);
      throw new FaissException(
          SqlState.CHANGED, "database " + path + " was replaced while it was opened; try again");
    }
    return connection;
  }

  private FileState state() throws FaissException {
    try {
      FileState state = FileState.of(path);
      checkState(path, state, SqlState.UNREADABLE);
      return state;
    } catch (IOException e) {
      throw gone(e);
    }
  }

  private FileState walState() throws FaissException {
    try {
      FileState wal = FileState.ifPresent(walPath);
      return wal == null || wal.size() == 0 ? null : wal;
    } catch (IOException e) {
      throw gone(e);
    }
  }

  private static void checkState(Path path, FileState state, String code) throws FaissException {
    if (!state.regular()) {
      // Opening a pipe would wait for whoever writes into it.
      throw new FaissException(
          code,
          "database "
              + path
              + " is "
              + (Files.isDirectory(path) ? "a directory" : "no ordinary file")
              + ", expected a SQLite file");
    }
    if (state.size() < SMALLEST_DATABASE) {
      // SQLite would take it for a database without tables.
      throw new FaissException(
          code,
          "database file "
              + path
              + (state.size() == 0
                  ? " is empty (0 bytes)"
                  : " is not a SQLite database (" + state.size() + " bytes)"));
    }
  }

  private FaissException gone(IOException e) {
    return new FaissException(
        SqlState.UNREADABLE,
        "database file "
            + path
            + (e instanceof NoSuchFileException
                ? " does not exist any more"
                : e instanceof AccessDeniedException
                    ? " may not be read (permission of its folder)"
                    : " can't be read: " + e),
        e);
  }

  /** Says of an error of SQLite's which file it is about and what to do. */
  SQLException unreadable(SQLException e) {
    SQLException explained = SqliteFile.explain(path, busyMillis, e);
    return isBusy(e) && !lent.isEmpty()
        ? new FaissException(
            SqlState.UNREADABLE,
            explained.getMessage()
                + "; this process itself still reads it: if the writer waits for an open result,"
                + " close that first",
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
      if (!isBusy(problem) || waited >= TimeUnit.MILLISECONDS.toNanos(busyMillis)) {
        throw unreadable(problem);
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
    }
  }

  private static boolean isBusy(SQLException e) {
    switch (SqliteFile.primaryCode(e)) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
      case SQLITE_PROTOCOL:
        return true;
      default:
        return false;
    }
  }

  private void closeWatch() {
    if (watch != null) {
      closeQuietly(watch.connection);
      watch = null;
    }
    rested = false;
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
    rest(now);
  }

  /**
   * Closes the watching connection of a database that nobody asks about, which would keep a writer
   * from removing its log, and a medium from being unmounted.
   *
   * <p>If neither file changed when it is asked about again, nothing was committed meanwhile: any
   * write would have left a time after those seen here, which are well past.
   */
  private synchronized void rest(long now) {
    if (watch == null || now - askedAt < IDLE_NANOS) {
      return;
    }
    boolean settled = false;
    try {
      FileState file = FileState.of(path);
      FileState wal = walState();
      long limit = System.currentTimeMillis() - SETTLED_MILLIS;
      settled =
          file.equals(last.file())
              && file.modified().toMillis() < limit
              && (wal == null || wal.modified().toMillis() < limit)
              && watch.read() == lastData;
      lastWal = wal;
    } catch (IOException | SQLException e) {
      // Whatever is wrong will be told to whoever asks next.
    }
    closeWatch();
    rested = settled;
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
    private final Connection connection;
    private PreparedStatement dataVersion;

    private Watch(Object file, Connection connection) {
      this.file = file;
      this.connection = connection;
    }

    private long read() throws SQLException {
      if (dataVersion == null) {
        dataVersion = connection.prepareStatement("PRAGMA data_version");
      }
      try (ResultSet rows = dataVersion.executeQuery()) {
        rows.next();
        return rows.getLong(1);
      }
    }
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
        closeQuietly(connection);
        return;
      }
      idleSince = System.nanoTime();
      synchronized (idle) {
        if (idle.size() < MAX_IDLE) {
          idle.push(this);
          return;
        }
      }
      closeQuietly(connection);
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
      closeQuietly(connection);
    }

    @Override
    public void interruptWhen(BooleanSupplier condition) throws SQLException {
      SqliteFile.interruptWhen(connection, condition);
      watched = true;
    }
  }
}
