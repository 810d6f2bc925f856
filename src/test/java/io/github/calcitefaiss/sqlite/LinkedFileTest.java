/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database behind a symbolic link, and on a medium that may be read-only. */
class LinkedFileTest {
  @TempDir Path folder;

  private static void execute(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private Path database(String name, int version) throws Exception {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
      execute(
          connection,
          "PRAGMA journal_mode = WAL",
          "CREATE TABLE t (v INTEGER)",
          "INSERT INTO t VALUES (" + version + ")");
    }
    return file;
  }

  /** The log lies beside the file, not beside the link; and a watch that rested looks at it. */
  @Test
  void aCommitIsSeenThroughALinkAfterARest() throws Exception {
    Path file = database("there/data.db", 1);
    Path link = Files.createSymbolicLink(folder.resolve("link.db"), file);
    VersionWatch watch = new VersionWatch(link, version -> false);
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file)) {
      execute(writer, "PRAGMA wal_autocheckpoint = 0", "UPDATE t SET v = 2");
      Path log = file.resolveSibling("data.db-wal");
      for (Path path : List.of(file, log)) {
        Files.setLastModifiedTime(path, FileTime.from(Instant.now().minusSeconds(60)));
      }
      DatabaseVersion before = watch.current();
      watch.rest(System.nanoTime() + 1, 0);
      assertEquals(before, watch.current());
      watch.rest(System.nanoTime() + 1, 0);
      execute(writer, "UPDATE t SET v = 3");
      assertNotEquals(before, watch.current());
    }
  }

  @Test
  void aLinkThatIsPointedElsewhereIsAnotherFile() throws Exception {
    Path link = folder.resolve("link.db");
    Files.createSymbolicLink(link, database("a/one.db", 1));
    database("b/two.db", 2);
    try (Connection ours = DriverManager.getConnection("jdbc:faiss:" + link)) {
      assertEquals(1, number(ours));
      Path next = Files.createSymbolicLink(folder.resolve("next"), folder.resolve("b/two.db"));
      Files.move(
          next,
          link,
          java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      assertEquals(2, number(ours));
      try (Connection writer =
          DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("b/two.db"))) {
        execute(writer, "UPDATE t SET v = 5");
        assertEquals(5, number(ours));
      }
    }
  }

  private static int number(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select v from t")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void aReadOnlyMountIsNoReadOnlyMedium() {
    List<String> mounts =
        List.of(
            "24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
            "30 24 254:0 /data /bound ro,relatime - ext4 /dev/vda rw,discard",
            "31 24 7:0 / /image ro,relatime - squashfs /dev/loop0 ro,errors=continue",
            "32 24 8:1 / /disk ro,relatime - ext4 /dev/sda1 ro",
            "33 24 0:50 / /server ro,relatime - nfs4 host:/export ro,vers=4.2",
            "34 24 0:51 / /with\\040space ro - iso9660 /dev/sr0 ro",
            "35 32 254:0 /x /disk/over ro - ext4 /dev/vda rw",
            "36 24 254:0 /x /image2 ro - squashfs /dev/loop1 ro",
            "37 24 254:0 /x /image2 ro - ext4 /dev/vda rw");
    for (String medium :
        List.of("/image/a.db", "/disk/d/a.db", "/with space/a.db", "/disk/overt")) {
      assertTrue(ReadOnlyMedium.isSo(medium, mounts), medium);
    }
    for (String other :
        List.of(
            "/a.db", "/bound/a.db", "/server/a.db", "/disk/over/a.db", "/image2/a.db", "/img")) {
      assertFalse(ReadOnlyMedium.isSo(other, mounts), other);
    }
    assertFalse(ReadOnlyMedium.isSo("/a.db", List.of("", "not a mount")));
  }
}
