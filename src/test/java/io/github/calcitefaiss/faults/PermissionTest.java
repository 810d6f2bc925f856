/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.commit;
import static io.github.calcitefaiss.faults.VersionedDatabase.create;
import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.faiss;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.calcitefaiss.faults.VersionedDatabase.Way;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Files and folders that may not be read or written: new data or an error that says why, and
 * recovery without reconnecting once the permission is back.
 *
 * <p>Permissions mean nothing to root, so as root each scenario runs in a process without the
 * capability to override them.
 */
class PermissionTest {
  private static final String COMMIT = "commit";

  @FunctionalInterface
  private interface Steps {
    void run(Path folder) throws Exception;
  }

  /** What is tried. */
  enum Scenario {
    FILE_UNREADABLE(PermissionTest::fileUnreadable),
    FOLDER_UNREADABLE(PermissionTest::folderUnreadable),
    FOLDER_READ_ONLY(PermissionTest::folderReadOnly),
    WAL_AT_REST(PermissionTest::walAtRest),
    WAL_WITH_LOG(PermissionTest::walWithLog),
    WAL_WITH_LOG_AND_INDEX(PermissionTest::walWithLogAndIndex),
    WAL_LOG_UNREADABLE(PermissionTest::walLogUnreadable),
    HOT_JOURNAL(PermissionTest::hotJournal),
    HOT_JOURNAL_UNREADABLE(PermissionTest::hotJournalUnreadable),
    READ_ONLY_MEDIUM(PermissionTest::readOnlyMedium),
    READ_ONLY_MOUNT(PermissionTest::readOnlyMount),
    WHOLE_SECONDS(PermissionTest::wholeSeconds);

    private final Steps steps;

    Scenario(Steps steps) {
      this.steps = steps;
    }
  }

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"READ_ONLY_MEDIUM", "READ_ONLY_MOUNT", "WHOLE_SECONDS"})
  void newDataOrAClearError(Scenario scenario) throws Exception {
    assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("posix"), "no permissions");
    if (overridesPermissions(folder)) {
      assumeTrue(
          Files.isExecutable(Path.of("/usr/bin/setpriv")), "runs as root, and there is no setpriv");
      inOtherProcess(scenario);
    } else {
      scenario.steps.run(folder);
    }
  }

  private static boolean overridesPermissions(Path folder) throws IOException {
    Path probe = Files.writeString(folder.resolve("probe"), "x");
    allow(probe, "---------");
    boolean readable = Files.isReadable(probe);
    Files.delete(probe);
    return readable;
  }

  private void inOtherProcess(Scenario scenario) throws Exception {
    Path said = Files.createTempFile("permission", ".txt");
    runJava(
        said,
        "/usr/bin/setpriv",
        "--bounding-set=-dac_override,-dac_read_search",
        scenario.name(),
        folder.toString());
  }

  @Test
  void aReadOnlyMediumIsReadIfNothingIsUnfinished() throws Exception {
    assumeTrue(
        overridesPermissions(folder) && Files.isExecutable(Path.of("/usr/bin/unshare")),
        "only root can mount");
    copyOfWritten(folder, "WAL", "", "-wal");
    Path medium = Files.move(folder.resolve("inner"), folder.resolve("medium"));
    for (String suffix : new String[] {"", "-wal"}) {
      Files.move(medium.resolve("v.db" + suffix), medium.resolve("log.db" + suffix));
    }
    Files.delete(folder.resolve("original.db"));
    copyOfWritten(folder, "DELETE", "", "-journal");
    for (String suffix : new String[] {"", "-journal"}) {
      Files.move(folder.resolve("inner/v.db" + suffix), medium.resolve("hot.db" + suffix));
    }
    for (String mode : new String[] {"WAL", "DELETE"}) {
      create(medium.resolve(mode + ".db"), mode, 1);
    }
    runJava(
        Files.createTempFile("permission", ".txt"),
        "/usr/bin/unshare",
        "-m",
        "/bin/sh",
        "-c",
        "mount -t tmpfs none \"$0/mounted\" && cp \"$0\"/*.db* \"$0/mounted\""
            + " && mount -o remount,ro \"$0/mounted\" && exec \"$@\"",
        medium.toString(),
        Scenario.READ_ONLY_MEDIUM.name(),
        Files.createDirectory(medium.resolve("mounted")).toString());
  }

  /** As a container sees a volume that is given to it with {@code :ro}: others go on writing. */
  @Test
  void whatIsCommittedElsewhereIsSeenThroughAReadOnlyMount() throws Exception {
    assumeTrue(
        overridesPermissions(folder) && Files.isExecutable(Path.of("/usr/bin/unshare")),
        "only root can mount");
    for (String name : new String[] {"written", "mounted"}) {
      Files.createDirectory(folder.resolve(name));
    }
    for (String mode : new String[] {"WAL", "DELETE"}) {
      create(folder.resolve("written").resolve(mode + ".db"), mode, 1);
    }
    runJava(
        Files.createTempFile("permission", ".txt"),
        "/usr/bin/unshare",
        "-m",
        "/bin/sh",
        "-c",
        "mount --bind \"$0/written\" \"$0/mounted\""
            + " && mount -o remount,ro,bind \"$0/mounted\" && exec \"$@\"",
        folder.toString(),
        Scenario.READ_ONLY_MOUNT.name(),
        folder.resolve("mounted").toString());
  }

  private static void readOnlyMount(Path mounted) throws SQLException {
    for (String mode : new String[] {"DELETE", "WAL"}) {
      try (Connection writer = sqlite(mounted.resolveSibling("written").resolve(mode + ".db"))) {
        // In WAL mode the writer's index of the log is what a reader needs.
        commit(writer, 2);
        try (Reader reader = new Reader(mounted.resolve(mode + ".db"))) {
          reader.sees(2);
          for (int version = 3; version < 8; version++) {
            commit(writer, version);
            reader.sees(version);
          }
        }
      }
    }
  }

  /** On a file system whose times have no fractions, another file's bytes may leave no mark. */
  @Test
  void bytesOverwrittenWithinASecondAreSeen() throws Exception {
    assumeTrue(
        overridesPermissions(folder)
            && Files.isExecutable(Path.of("/usr/bin/unshare"))
            && Files.isExecutable(Path.of("/sbin/mkfs.ext4")),
        "only root can mount, and there is no mkfs.ext4");
    Files.createDirectory(folder.resolve("mounted"));
    runJava(
        Files.createTempFile("permission", ".txt"),
        "/usr/bin/unshare",
        "-m",
        "/bin/sh",
        "-c",
        "truncate -s 16M \"$0/image\" && /sbin/mkfs.ext4 -q -I 128 \"$0/image\" >\"$0/said\" 2>&1"
            + " && mount -o loop \"$0/image\" \"$0/mounted\" && exec \"$@\"",
        folder.toString(),
        Scenario.WHOLE_SECONDS.name(),
        folder.resolve("mounted").toString());
  }

  private static void wholeSeconds(Path mounted) throws Exception {
    Path file = mounted.resolve("v.db");
    byte[][] versions = new byte[4][];
    for (int i = 0; i < versions.length; i++) {
      Path made = mounted.resolve("made" + i);
      create(made, "DELETE", i + 1);
      versions[i] = Files.readAllBytes(made);
    }
    Files.write(file, versions[0]);
    assertEquals(0, Files.getLastModifiedTime(file).toInstant().getNano(), "no such file system");
    try (Reader reader = new Reader(file)) {
      reader.sees(1);
      for (int i = 0; i < 60; i++) {
        int next = i % versions.length;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.write(ByteBuffer.wrap(versions[next]));
        }
        assertEquals(next + 1, Way.SEARCH.ask(reader.connection));
      }
    }
  }

  private static void readOnlyMedium(Path medium) throws SQLException {
    for (String mode : new String[] {"WAL", "DELETE"}) {
      try (Reader reader = new Reader(medium.resolve(mode + ".db"))) {
        reader.sees(1);
      }
    }
    Path log = medium.resolve("log.db");
    SQLException e = assertThrows(SQLException.class, () -> faiss(log).close());
    assertTrue(e.getMessage().contains("needs to write log.db-shm"), e.toString());
    Path hot = medium.resolve("hot.db");
    e = assertThrows(SQLException.class, () -> faiss(hot).close());
    assertTrue(e.getMessage().contains("unfinished transaction of a writer that died"), e + "");
  }

  /** Runs this class's main, perhaps through other programs, which come first. */
  private static void runJava(Path said, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(arguments));
    command.addAll(
        arguments.length - 2,
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            PermissionTest.class.getName()));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    int status = process.waitFor();
    String output = Files.readString(said, StandardCharsets.UTF_8);
    Files.delete(said);
    assertEquals(0, status, output);
  }

  /** The process without the capability, or one that writes. */
  public static void main(String[] args) throws Exception {
    Path path = Path.of(args[1]);
    if (args[0].equals(COMMIT)) {
      try (Connection writer = sqlite(path)) {
        commit(writer, 3);
      }
    } else if (Scenario.valueOf(args[0]) != Scenario.WHOLE_SECONDS
        && Files.isWritable(path)
        && overridesPermissions(path)) {
      throw new AssertionError("permissions mean nothing here either");
    } else {
      Scenario.valueOf(args[0]).steps.run(path);
    }
  }

  private static void allow(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  /** A connection and statements prepared on it, which go through it all. */
  private static final class Reader implements AutoCloseable {
    private final Path file;
    private final Connection connection;
    private final Map<Way, PreparedStatement> prepared = new EnumMap<>(Way.class);

    private Reader(Path file) throws SQLException {
      this.file = file;
      connection = faiss(file, "busyTimeout=100");
      for (Way way : Way.values()) {
        prepared.put(way, way.prepare(connection));
      }
    }

    private void sees(int version) throws SQLException {
      for (Way way : Way.values()) {
        assertEquals(version, way.ask(prepared.get(way)), way + "");
        assertEquals(version, way.ask(connection), way + "");
      }
      try (Connection other = faiss(file)) {
        assertEquals(version, Way.SEARCH.ask(other));
      }
    }

    private void fails(String why) {
      List<SQLException> errors = new ArrayList<>();
      for (Way way : Way.values()) {
        errors.add(assertThrows(SQLException.class, () -> way.ask(prepared.get(way)), way + ""));
        errors.add(assertThrows(SQLException.class, () -> way.ask(connection), way + ""));
      }
      errors.add(assertThrows(SQLException.class, () -> faiss(file).close()));
      for (SQLException e : errors) {
        assertTrue(e.getSQLState().startsWith("08"), e.getSQLState() + " " + e);
        assertTrue(e.getMessage().contains(file.toString()), e.toString());
        assertTrue(e.getMessage().contains(why), e.toString());
      }
    }

    @Override
    public void close() throws SQLException {
      connection.close();
    }
  }

  private static void fileUnreadable(Path folder) throws Exception {
    Path file = folder.resolve("v.db");
    create(file, "DELETE", 1);
    try (Connection writer = sqlite(file);
        Reader reader = new Reader(file)) {
      reader.sees(1);
      allow(file, "---------");
      reader.fails("permission");
      commit(writer, 2);
      reader.fails("permission");
      allow(file, "r--r--r--");
      reader.sees(2);
      allow(file, "-w-------");
      reader.fails("permission");
      allow(file, "rw-r--r--");
      commit(writer, 3);
      reader.sees(3);
    }
  }

  private static void folderUnreadable(Path folder) throws Exception {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path file = inner.resolve("v.db");
    create(file, "DELETE", 1);
    try (Reader reader = new Reader(file)) {
      reader.sees(1);
      for (String closed : new String[] {"---------", "rw-rw-rw-"}) {
        allow(inner, closed);
        reader.fails("permission");
      }
      // A name that is known needs no list.
      allow(inner, "--x--x--x");
      reader.sees(1);
      allow(inner, "rwx------");
      try (Connection writer = sqlite(file)) {
        commit(writer, 2);
      }
      reader.sees(2);
    }
  }

  private static void folderReadOnly(Path folder) throws Exception {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path file = inner.resolve("v.db");
    create(file, "DELETE", 1);
    allow(file, "r--r--r--");
    allow(inner, "r-xr-xr-x");
    try (Reader reader = new Reader(file)) {
      reader.sees(1);
      allow(inner, "rwx------");
      allow(file, "rw-------");
      try (Connection writer = sqlite(file)) {
        commit(writer, 2);
        allow(inner, "r-xr-xr-x");
        reader.sees(2);
        allow(inner, "rwx------");
      }
    }
  }

  private static void walAtRest(Path folder) throws Exception {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path file = inner.resolve("v.db");
    create(file, "WAL", 1);
    assertTrue(Files.notExists(inner.resolve("v.db-wal")));
    allow(inner, "r-xr-xr-x");
    SQLException e = assertThrows(SQLException.class, () -> faiss(file).close());
    assertTrue(e.getMessage().contains("needs to write v.db-shm"), e.toString());
    allow(inner, "rwxr-xr-x");
    try (Reader reader = new Reader(file)) {
      reader.sees(1);
    }
  }

  /** Copies a database that is written: with what its writer has beside it. */
  private static Path copyOfWritten(Path folder, String mode, String... suffixes)
      throws SQLException, IOException {
    Path original = folder.resolve("original.db");
    Path inner = Files.createDirectory(folder.resolve("inner"));
    create(original, mode, 1);
    try (Connection writer = sqlite(original)) {
      if (mode.equals("WAL")) {
        commit(writer, 2);
      } else {
        execute(writer, "PRAGMA cache_size = 3", "PRAGMA cache_spill = 1", "BEGIN IMMEDIATE");
        VersionedDatabase.write(writer, 2);
      }
      for (String suffix : suffixes) {
        Files.copy(folder.resolve("original.db" + suffix), inner.resolve("v.db" + suffix));
      }
    }
    return inner.resolve("v.db");
  }

  private static void walWithLog(Path folder) throws Exception {
    Path file = copyOfWritten(folder, "WAL", "", "-wal");
    allow(file.getParent(), "r-xr-xr-x");
    SQLException e = assertThrows(SQLException.class, () -> faiss(file).close());
    assertTrue(e.getMessage().contains("needs to write v.db-shm"), e.toString());
    allow(file.getParent(), "rwxr-xr-x");
    try (Reader reader = new Reader(file)) {
      reader.sees(2);
    }
  }

  private static void walWithLogAndIndex(Path folder) throws Exception {
    Path file = copyOfWritten(folder, "WAL", "", "-wal", "-shm");
    for (String suffix : new String[] {"", "-wal", "-shm"}) {
      allow(file.resolveSibling("v.db" + suffix), "r--r--r--");
    }
    allow(file.getParent(), "r-xr-xr-x");
    try (Reader reader = new Reader(file)) {
      reader.sees(2);
      for (String suffix : new String[] {"", "-wal", "-shm"}) {
        allow(file.resolveSibling("v.db" + suffix), "rw-r--r--");
      }
      allow(file.getParent(), "rwxr-xr-x");
      // In this process SQLite shares what it knows, and so the writer would be as poor.
      runJava(file.resolveSibling("said"), COMMIT, file.toString());
      reader.sees(3);
    }
  }

  private static void walLogUnreadable(Path folder) throws Exception {
    Path file = copyOfWritten(folder, "WAL", "", "-wal", "-shm");
    for (String suffix : new String[] {"-wal", "-shm"}) {
      Path beside = file.resolveSibling("v.db" + suffix);
      allow(beside, "---------");
      SQLException e = assertThrows(SQLException.class, () -> faiss(file).close());
      assertTrue(e.getMessage().contains(file.toString()), e.toString());
      assertTrue(e.getMessage().contains(beside.getFileName() + " may not be read"), e.toString());
      allow(beside, "rw-r--r--");
    }
    try (Reader reader = new Reader(file)) {
      reader.sees(2);
    }
  }

  private static void hotJournal(Path folder) throws Exception {
    Path file = copyOfWritten(folder, "DELETE", "", "-journal");
    allow(file, "r--r--r--");
    SQLException e = assertThrows(SQLException.class, () -> faiss(file).close());
    assertTrue(e.getMessage().contains("unfinished transaction of a writer that died"), e + "");
    // The file may be written, but the journal not be removed.
    allow(file, "rw-r--r--");
    allow(file.getParent(), "r-xr-xr-x");
    e = assertThrows(SQLException.class, () -> faiss(file).close());
    assertTrue(e.getMessage().contains(file.toString()), e.toString());
    assertTrue(e.getMessage().contains("unfinished transaction of a writer that died"), e + "");
    allow(file.getParent(), "rwxr-xr-x");
    try (Reader reader = new Reader(file)) {
      reader.sees(1);
    }
  }

  private static void hotJournalUnreadable(Path folder) throws Exception {
    Path file = copyOfWritten(folder, "DELETE", "", "-journal");
    Path journal = file.resolveSibling("v.db-journal");
    allow(journal, "---------");
    SQLException e = assertThrows(SQLException.class, () -> faiss(file).close());
    assertTrue(e.getMessage().contains(file.toString()), e.toString());
    assertTrue(e.getMessage().contains("v.db-journal may not be read"), e.toString());
    allow(journal, "rw-r--r--");
    try (Reader reader = new Reader(file)) {
      reader.sees(1);
    }
  }
}
