/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;

/**
 * What the file system says of the file that a path leads to.
 *
 * <p>SQLite tells of every commit made through SQLite. This tells of the rest: another file put in
 * the place, or the same one overwritten, cut or restored by a program that copies bytes.
 *
 * @param key which file: device and inode where there are such, else the path. While a connection
 *     is open on the file its key belongs to no other
 * @param size in bytes
 * @param modified when its content was last written
 * @param changed when it was last written, renamed or had its permissions changed, where that is
 *     known
 * @param regular whether it is an ordinary file
 */
record FileState(Object key, long size, FileTime modified, FileTime changed, boolean regular) {
  private static final boolean UNIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("unix");

  private static final int WAL_SALTS = 16;

  /** The grain of times where they have no fractions: two seconds on FAT, one on most others. */
  private static final long GRAIN_MILLIS = 2000;

  /**
   * Whether it may be written again and look the same: its times are of whole seconds, as some file
   * systems have them, and hardly over.
   *
   * @param now milliseconds since 1970
   */
  boolean mayHide(long now) {
    return isCoarse() && now - modified.toMillis() <= GRAIN_MILLIS;
  }

  /** Whether its times are of whole seconds. */
  boolean isCoarse() {
    return isCoarse(modified) && (changed == null || isCoarse(changed));
  }

  private static boolean isCoarse(FileTime time) {
    return time.toInstant().getNano() == 0;
  }

  /** The state of a path's file; of a link, that of its target. */
  static FileState of(Path path) throws IOException {
    if (UNIX) {
      Map<String, Object> unix =
          Files.readAttributes(path, "unix:fileKey,size,lastModifiedTime,ctime,isRegularFile");
      return new FileState(
          unix.get("fileKey"),
          (Long) unix.get("size"),
          (FileTime) unix.get("lastModifiedTime"),
          (FileTime) unix.get("ctime"),
          (Boolean) unix.get("isRegularFile"));
    }
    BasicFileAttributes basic = Files.readAttributes(path, BasicFileAttributes.class);
    return new FileState(
        basic.fileKey() == null ? path : basic.fileKey(),
        basic.size(),
        basic.lastModifiedTime(),
        null,
        basic.isRegularFile());
  }

  /** The state of a file that may not be there, which is null. */
  static FileState ifPresent(Path path) throws IOException {
    try {
      // Asking first is far cheaper than an exception.
      return path.toFile().exists() ? of(path) : null;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /**
   * What names a write-ahead log's content: its header's salts, new whenever it is begun anew; null
   * if it is empty.
   */
  static ByteBuffer walSalts(Path wal) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(WAL_SALTS + 8);
    try (FileChannel channel = FileChannel.open(wal)) {
      while (header.hasRemaining() && channel.read(header) > 0) {
        // Read on.
      }
    } catch (NoSuchFileException e) {
      return null;
    }
    return header.hasRemaining() ? null : header.flip().position(WAL_SALTS).slice();
  }
}
