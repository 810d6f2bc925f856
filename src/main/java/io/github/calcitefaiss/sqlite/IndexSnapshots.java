/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.Daemons;
import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.IndexFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of one table's index, in the folder that the operand {@code snapshots} names.
 *
 * <p>Its label has the state of the database's file, and of its write-ahead log if there is one:
 * device and inode, size, and both times to the nanosecond, of which the system alone sets the
 * second whenever anything is written. A snapshot is made only of a state that was found unchanged
 * for longer than such a time is coarse, so that any write since makes another label, and it is
 * only believed where the label is that of the version that is read.
 */
final class IndexSnapshots {
  private static final Logger LOGGER = LoggerFactory.getLogger(IndexSnapshots.class);
  private static final long SETTLED_NANOS = TimeUnit.MILLISECONDS.toNanos(2100);
  private static final String ENDING = ".faissindex";

  /** How long the end of a process waits for one that is being written. */
  private static final long LONGEST_MILLIS = TimeUnit.MINUTES.toMillis(1);

  private static final Set<Thread> WRITERS = ConcurrentHashMap.newKeySet();
  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private final Path folder;
  private final IndexedTable table;
  private final SqliteDatabase database;
  private final DatabaseVersion version;
  private final String name;
  private final String label;
  private final long seenAt = System.nanoTime();

  private IndexSnapshots(
      Path folder,
      IndexedTable table,
      ColumnsToKeep columns,
      SqliteDatabase database,
      DatabaseVersion version,
      String state) {
    this.folder = folder;
    this.table = table;
    this.database = database;
    this.version = version;
    String which = which(table, columns, database);
    this.label = which + "\n" + state;
    this.name = name(database, which);
  }

  private static String which(IndexedTable table, ColumnsToKeep columns, SqliteDatabase database) {
    return database.path() + "\n" + table + "\n" + columns;
  }

  private static String name(SqliteDatabase database, String which) {
    return database.path().getFileName() + "-" + hash(which);
  }

  /** The file of a table's index, whether there is one or not. */
  static Path file(
      Path folder, IndexedTable table, ColumnsToKeep columns, SqliteDatabase database) {
    return folder.resolve(name(database, which(table, columns, database)) + ENDING);
  }

  /**
   * Prepares for one version of a table.
   *
   * @return null if that isn't the current one any more, or nothing proves which one a file is of
   */
  static IndexSnapshots of(
      Path folder,
      IndexedTable table,
      ColumnsToKeep columns,
      SqliteDatabase database,
      DatabaseVersion version) {
    String state = database.provenState(version);
    return state == null
        ? null
        : new IndexSnapshots(folder, table, columns, database, version, state);
  }

  private static String hash(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private Path file() {
    return folder.resolve(name + ENDING);
  }

  /** The index in the file; null if there is none that can be believed. */
  IndexFile.Content read(IndexCache.Memory memory, Checkpoint checkpoint) {
    try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.READ)) {
      IndexFile.Content content = IndexFile.read(channel, label, memory::charge, checkpoint);
      if (content == null) {
        LOGGER.info("{} is of another version of {} and is left aside", file(), database);
      } else {
        LOGGER.debug("{} is read from the snapshot {}", table.table(), file());
      }
      return content;
    } catch (NoSuchFileException e) {
      return null;
    } catch (IOException e) {
      LOGGER.warn("{} is left aside: {}", file(), e.toString());
      return null;
    }
  }

  /** Writes an index to the file, on a thread of its own, when the database has been at rest. */
  void write(FlatIndex index, long skipped) {
    Thread writer =
        Daemons.thread(
            "calcite-faiss-snapshot",
            () -> {
              try {
                writeWhenSettled(index, skipped);
              } finally {
                WRITERS.remove(Thread.currentThread());
              }
            });
    WRITERS.add(writer);
    writer.start();
  }

  /** Waits for what is being written, as a process does that is about to end. */
  static void finish() throws InterruptedException {
    for (Thread writer : WRITERS) {
      writer.join(LONGEST_MILLIS);
    }
  }

  private void writeWhenSettled(FlatIndex index, long skipped) {
    for (long left = left(); left > 0; left = left()) {
      LockSupport.parkNanos(left);
    }
    if (!isCurrent()) {
      return;
    }
    try {
      Files.createDirectories(folder);
      Path lock = folder.resolve(name + ".lock");
      try (FileChannel locked = open(lock, StandardOpenOption.CREATE);
          FileLock held = locked.tryLock()) {
        if (held != null) {
          writeAlone(index, skipped);
        }
      }
    } catch (OverlappingFileLockException e) {
      // Another thread of this process writes it.
    } catch (IOException | IllegalStateException e) {
      LOGGER.warn("{} can't be written: {}", file(), e.toString());
    }
  }

  private long left() {
    return SETTLED_NANOS - (System.nanoTime() - seenAt);
  }

  private boolean isCurrent() {
    String state = database.provenState(version);
    return state != null && label.endsWith("\n" + state);
  }

  private void writeAlone(FlatIndex index, long skipped) throws IOException {
    // What writers left that died.
    try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, name + ".*.part")) {
      for (Path path : left) {
        Files.delete(path);
      }
    }
    Path part = folder.resolve(name + "." + ProcessHandle.current().pid() + ".part");
    try {
      try (FileChannel channel = open(part, StandardOpenOption.CREATE_NEW)) {
        IndexFile.write(channel, label, index, skipped, () -> {});
        channel.force(true);
      }
      // Not of a version that is gone by now: the one before may still be somebody's.
      if (isCurrent()) {
        Files.move(part, file(), StandardCopyOption.ATOMIC_MOVE);
        LOGGER.debug("{} holds the index of {}", file(), table.table());
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private static FileChannel open(Path path, OpenOption how) throws IOException {
    // A copy of data: for its owner only.
    FileAttribute<?>[] owner =
        POSIX
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
            }
            : new FileAttribute<?>[0];
    return FileChannel.open(path, Set.of(StandardOpenOption.WRITE, how), owner);
  }
}
