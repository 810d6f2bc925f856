/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
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
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * Watches which version of a SQLite file is current.
 *
 * <p>Two witnesses tell, and a version is new when either says so: {@code PRAGMA data_version} on
 * one long-lived connection sees every commit made through SQLite, and {@link FileState} sees
 * another file in the place, or bytes overwritten behind SQLite's back.
 */
final class VersionWatch {
  private static final AtomicLong QUESTIONS = new AtomicLong();
  private static final int SMALLEST_DATABASE = 512;
  private static final long SETTLED_MILLIS = 1000;

  private final Path path;
  private final Predicate<DatabaseVersion> lent;
  private Witness watch;
  private long askedAt;
  private DatabaseVersion last;
  private long lastData;
  private FileState lastWal;
  private LeftWal leftWal;
  private boolean rested;

  /** Whether the file could have been written since its state was seen, and look the same. */
  private boolean mayHide;

  /** The log that belonged to a file which was replaced, and the file that it doesn't belong to. */
  private record LeftWal(Object newFile, Object wal, ByteBuffer salts) {}

  /**
   * Watches a file.
   *
   * @param lent whether a version is being read
   */
  VersionWatch(Path path, Predicate<DatabaseVersion> lent) {
    this.path = path;
    this.lent = lent;
  }

  /** How often any file was asked for its version since the process began. */
  static long questions() {
    return QUESTIONS.get();
  }

  /**
   * Which version is current, without waiting.
   *
   * @throws SQLException if a writer holds the file, or it can't be read
   */
  DatabaseVersion current() throws SQLException {
    return current(true);
  }

  /**
   * The same, in the middle of what is done with a version. Where the system's times are too coarse
   * to tell, nothing is taken for written in between.
   */
  DatabaseVersion stillCurrent() throws SQLException {
    return current(false);
  }

  private synchronized DatabaseVersion current(boolean suspicious) throws SQLException {
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
      watch = new Witness(file.key(), connect(file.key()));
    }
    long data;
    try {
      data = watch.read();
    } catch (SQLException e) {
      if (!isBusy(e)) {
        closeWatch();
      } else if (wal == null && known(file) && lent.test(last)) {
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
    boolean hidden = mayHide && suspicious;
    mayHide = file.mayHide(System.currentTimeMillis()) || mayHide && !suspicious;
    boolean known = known(file) && !hidden;
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

  /** Whether nothing was written to a log. SQLite, run by root, changes its owner when it opens. */
  private static boolean isSame(FileState a, FileState b) {
    return a == null || b == null
        ? a == b
        : a.key().equals(b.key()) && a.size() == b.size() && a.modified().equals(b.modified());
  }

  /** Another file has come in the place. Its predecessor's log may be left, and isn't its own. */
  private void notice(FileState file, FileState wal) throws SQLException {
    try {
      if (wal != null && lastWal != null && wal.key().equals(lastWal.key())) {
        ByteBuffer salts = FileState.walSalts(walPath());
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
          && left.salts.equals(FileState.walSalts(walPath()))) {
        throw new FaissException(
            SqlState.UNREADABLE,
            "database "
                + path
                + " was replaced, but the write-ahead log of its predecessor, "
                + walPath()
                + ", was left behind, and SQLite would mix the two; delete that file and "
                + path
                + "-shm");
      }
    } catch (IOException e) {
      throw gone(e);
    }
  }

  /**
   * A connection to a file, which is the one that is in the place.
   *
   * @param file its key
   */
  Connection connect(Object file) throws SQLException {
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

  /** SQLite's log, looked for anew: a link may lead elsewhere by now. */
  private Path walPath() {
    return SqliteFile.beside(path, "-wal");
  }

  private FileState walState() throws FaissException {
    try {
      FileState wal = FileState.ifPresent(walPath());
      return wal == null || wal.size() == 0 ? null : wal;
    } catch (IOException e) {
      throw gone(e);
    }
  }

  /** Refuses what is no file of SQLite's. */
  static void checkState(Path path, FileState state, String code) throws FaissException {
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

  /** Whether an error says that a writer holds the file. */
  static boolean isBusy(SQLException e) {
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

  /**
   * Closes the watching connection of a database that nobody asks about, which would keep a writer
   * from removing its log, and a medium from being unmounted.
   *
   * <p>If neither file changed when it is asked about again, nothing was committed meanwhile: any
   * write would have left a time after those seen here, which are well past.
   *
   * @param idleNanos for how long nobody must have asked
   */
  synchronized void rest(long now, long idleNanos) {
    if (watch == null || now - askedAt < idleNanos) {
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

  /** Closes what nothing was written on. */
  static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // The connection is given up either way, and nothing was written on it.
    }
  }

  /** The connection on which {@code data_version} is read; used under the watch's lock. */
  private static final class Witness {
    private final Object file;
    private final Connection connection;
    private PreparedStatement dataVersion;

    private Witness(Object file, Connection connection) {
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
}
