/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Whether a file is on a medium that nobody can write to: a CD, an image, a disk that is mounted
 * read-only.
 *
 * <p>A mount that is read-only says nothing of that. The same file system may be mounted elsewhere
 * for writing, as the volumes of containers are, and a server's may be written by others. So the
 * whole file system must be read-only, which Linux tells apart, and be of a kind that is of this
 * machine alone.
 *
 * @see <a href="https://www.kernel.org/doc/html/latest/filesystems/proc.html">/proc/PID/mountinfo:
 *     "mount options" and "super options"</a>
 */
final class ReadOnlyMedium {
  private static final Path MOUNTS = Path.of("/proc/self/mountinfo");

  /** Kinds that can't be written at all. */
  private static final Set<String> NEVER_WRITTEN =
      Set.of("cd9660", "cramfs", "erofs", "iso9660", "romfs", "squashfs");

  /** Kinds that only this machine writes. */
  private static final Set<String> OF_THIS_MACHINE =
      Set.of(
          "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "msdos", "ntfs3", "tmpfs", "udf",
          "ufs", "vfat", "xfs", "zfs");

  private ReadOnlyMedium() {}

  /** Whether a file is on such a medium; false where that isn't known. */
  static boolean has(Path file) {
    try {
      if (!Files.getFileStore(file).isReadOnly()) {
        return false;
      }
      Path real = file.toRealPath();
      return Files.isReadable(MOUNTS)
          ? isSo(real.toString(), Files.readAllLines(MOUNTS, StandardCharsets.ISO_8859_1))
          : NEVER_WRITTEN.contains(Files.getFileStore(real).type());
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Whether the mount that a path is below is of such a medium.
   *
   * @param mounts lines such as {@code 36 35 98:0 / /mnt ro,noatime shared:1 - ext3 /dev/sda ro}
   */
  static boolean isSo(String path, List<String> mounts) {
    int longest = -1;
    boolean so = false;
    for (String line : mounts) {
      String[] sides = line.split(" - ", 2);
      String[] mount = sides[0].split(" ");
      String[] medium = sides.length < 2 ? new String[0] : sides[1].split(" ");
      if (mount.length < 6 || medium.length < 3) {
        continue;
      }
      String point = unescaped(mount[4]);
      boolean below = point.equals("/") || path.equals(point) || path.startsWith(point + "/");
      // Of two mounts at one place the later one is seen.
      if (below && point.length() >= longest) {
        longest = point.length();
        boolean readOnly = List.of(medium[2].split(",")).contains("ro");
        so = NEVER_WRITTEN.contains(medium[0]) || readOnly && OF_THIS_MACHINE.contains(medium[0]);
      }
    }
    return so;
  }

  /** A space, a tab, a newline and a backslash are written in octal; other bytes as they are. */
  private static String unescaped(String point) {
    String text = point;
    if (point.indexOf('\\') >= 0) {
      text =
          point
              .replace("\\040", " ")
              .replace("\\011", "\t")
              .replace("\\012", "\n")
              .replace("\\134", "\\");
    }
    return new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }
}
