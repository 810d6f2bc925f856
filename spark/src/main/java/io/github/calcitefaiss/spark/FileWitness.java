/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.fs.Path;

/**
 * What tells a file from another one in its place.
 *
 * <p>That is the time of its last change and, of a file on a local disk, its inode and the time
 * that the system keeps of any change to it, which programs can't set. A file that was changed so
 * shortly before that it might be changed again without another time to show for it has a witness
 * that no other file has, not even itself.
 */
final class FileWitness {
  /** Ticks of a clock that files are stamped by: of an object store or HDFS, and of a system. */
  private static final long STORE_TICK_MILLIS = 2000;

  private static final long SYSTEM_TICK_MILLIS = 100;

  private static final AtomicLong NEVER_AGAIN = new AtomicLong();

  private static final boolean INODES =
      FileSystems.getDefault().supportedFileAttributeViews().contains("unix");

  private FileWitness() {}

  private record Local(Object inode, FileTime changed) {}

  /** The witness of a file on a local disk, or nothing; of a file that is gone, nothing too. */
  static String of(Path path) {
    Local local = local(path);
    return local == null ? "" : text(local);
  }

  /**
   * The witness of a file that was listed.
   *
   * @param modified the time of its last change, in milliseconds
   * @param now the time before it was listed
   */
  static String of(Path path, long modified, long now) {
    Local local = local(path);
    boolean recent =
        local == null
            ? modified > now - STORE_TICK_MILLIS
            : local.changed.toMillis() > now - SYSTEM_TICK_MILLIS;
    return modified
        + (local == null ? "" : " " + text(local))
        + (recent ? " listing " + NEVER_AGAIN.incrementAndGet() : "");
  }

  private static String text(Local local) {
    return local.inode + "@" + local.changed.to(TimeUnit.NANOSECONDS);
  }

  private static Local local(Path path) {
    if (!INODES || !"file".equals(path.toUri().getScheme())) {
      return null;
    }
    try {
      Map<String, Object> found =
          Files.readAttributes(java.nio.file.Path.of(path.toUri().getPath()), "unix:ino,ctime");
      return new Local(found.get("ino"), (FileTime) found.get("ctime"));
    } catch (IOException e) {
      return null;
    }
  }
}
