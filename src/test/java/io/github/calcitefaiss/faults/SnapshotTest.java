/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static io.github.calcitefaiss.faults.VersionedDatabase.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestProcess;
import io.github.calcitefaiss.shell.Main;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file of an index is believed only where it is whole and of the version that is read. */
class SnapshotTest {
  private static final String READ = "from the snapshot";

  @TempDir Path folder;

  private Path file;
  private Path snapshots;

  @BeforeEach
  void create() throws SQLException {
    file = folder.resolve("s.db");
    snapshots = folder.resolve("kept");
    try (Connection writer = sqlite(file)) {
      execute(
          writer,
          "CREATE TABLE a (id INTEGER PRIMARY KEY, embedding BLOB, n INTEGER, t TEXT)",
          "CREATE TABLE b (id TEXT, embedding BLOB)");
      fill(writer, "a", 1);
      execute(writer, "UPDATE a SET n = nullif(id % 7, 2), t = 'text ' || id % 3");
      fill(writer, "b", 2);
    }
  }

  private static void fill(Connection writer, String table, int seed) throws SQLException {
    Random random = new Random(seed);
    execute(writer, "BEGIN");
    try (PreparedStatement insert =
        writer.prepareStatement("INSERT INTO " + table + "(id, embedding) VALUES (?, ?)")) {
      for (int i = 0; i < 3000; i++) {
        insert.setInt(1, i);
        float[] elements = new float[8];
        for (int d = 0; d < elements.length; d++) {
          elements[d] = (float) random.nextGaussian();
        }
        insert.setBytes(2, i % 500 == 7 ? null : vector(elements));
        insert.executeUpdate();
      }
    }
    execute(writer, "COMMIT");
  }

  /** Another process: says each table's answer, and whether its index came out of a snapshot. */
  private List<String> ask(String... options) throws Exception {
    List<String> arguments = new ArrayList<>(List.of(file.toString(), snapshots.toString()));
    arguments.addAll(List.of(options));
    Process process =
        TestProcess.of(
                SnapshotTest.class,
                List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                arguments.toArray(String[]::new))
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), out);
    return out.lines().filter(line -> !line.startsWith("WARNING")).toList();
  }

  /** That process; it waits until files are there if it is told to. */
  public static void main(String[] args) throws Exception {
    System.setProperty("org.slf4j.simpleLogger.logFile", "System.out");
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
    System.setProperty(
        "org.slf4j.simpleLogger.log.io.github.calcitefaiss.sqlite.IndexSnapshots", "debug");
    try (Connection connection =
        VersionedDatabase.faiss(Path.of(args[0]), "snapshots=" + args[1])) {
      for (String table : List.of("a", "b")) {
        say(table + " " + search(connection, table));
      }
      say(filtered(connection));
      say(places(connection));
      if (args.length > 2) {
        Path kept = Path.of(args[1]);
        Threads.await("two snapshots are there", () -> files(kept).size() == 2);
      }
    }
  }

  private static String search(Connection connection, String table) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT faiss_search_with_scores('s', ?, ?, 5)")) {
      statement.setString(1, table);
      statement.setBytes(2, vector(1, 0, 0, 1, 0, -1, 0, 0));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  private static String filtered(Connection connection) throws SQLException {
    return all(
        connection,
        "SELECT id FROM a WHERE n = 3 AND t <> 'text 1' OR n IS NULL AND t = 'text 0'"
            + " ORDER BY l2_distance(embedding, '[1,0,0,1,0,-1,0,0]'), id LIMIT 8");
  }

  private static String places(Connection connection) throws SQLException {
    return all(
        connection,
        "SELECT table_name || ' ' || memory || ' with ' || kept_columns"
            + " FROM \"metadata\".faiss_indexes ORDER BY 1");
  }

  private static String all(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (row.next()) {
        rows.add(row.getString(1));
      }
      return "all " + rows;
    }
  }

  private static List<Path> files(Path folder) {
    try (Stream<Path> all = Files.exists(folder) ? Files.list(folder) : Stream.empty()) {
      return all.filter(path -> path.toString().endsWith(".faissindex")).sorted().toList();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void say(String line) {
    new java.io.PrintStream(
            new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8)
        .println(line);
  }

  private String expected(String table) throws SQLException {
    try (Connection plain = VersionedDatabase.faiss(file)) {
      return table + " " + search(plain, table);
    }
  }

  private long readFromSnapshots(List<String> lines) {
    return lines.stream().filter(line -> line.contains(READ)).count();
  }

  private void answers(List<String> lines, String what) throws SQLException {
    assertTrue(lines.contains(expected("a")), what + ": " + lines);
    assertTrue(lines.contains(expected("b")), what + ": " + lines);
    try (Connection plain = VersionedDatabase.faiss(file, "columns=none")) {
      assertTrue(lines.contains(filtered(plain)), what + ": " + lines);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"DELETE", "WAL"})
  void theNextStartOpensItUntilSomethingIsCommitted(String mode) throws Exception {
    try (Connection writer = sqlite(file)) {
      execute(writer, "PRAGMA journal_mode = " + mode);
      List<String> first = ask("wait");
      answers(first, "built");
      assertEquals(0, readFromSnapshots(first), first.toString());
      assertTrue(first.contains("all [a codes with n, t, b codes with ]"), first.toString());
      List<String> second = ask();
      answers(second, "opened");
      assertEquals(2, readFromSnapshots(second), second.toString());
      assertTrue(
          second.contains("all [a snapshot with n, t, b snapshot with ]"), second.toString());
      execute(writer, "DELETE FROM a WHERE id % 2 = 0", "DELETE FROM b WHERE id LIKE '1%'");
      List<String> third = ask();
      answers(third, "changed");
      assertEquals(0, readFromSnapshots(third), third.toString());
      assertTrue(
          third.stream().anyMatch(line -> line.contains("is of another version")),
          third.toString());
    }
  }

  @Test
  void whatIsDamagedOrForeignIsLeftAside() throws Exception {
    ask("wait");
    List<Path> files = files(snapshots);
    Random random = new Random(Long.getLong("seed", 5));
    byte[] a = Files.readAllBytes(files.get(0));
    byte[] b = Files.readAllBytes(files.get(1));
    // Each table gets a file of another kind at each start: cut, flipped, longer, swapped, empty.
    byte[] flipped = b.clone();
    flipped[random.nextInt(b.length)] ^= (byte) (1 << random.nextInt(8));
    byte[] longer = java.util.Arrays.copyOf(b, b.length + 1);
    byte[][][] pairs = {
      {java.util.Arrays.copyOf(a, random.nextInt(a.length)), flipped},
      {new byte[0], longer},
      {b, a},
      {java.util.Arrays.copyOf(a, a.length - 1), "a text".getBytes(StandardCharsets.UTF_8)},
    };
    for (byte[][] pair : pairs) {
      Files.write(files.get(0), pair[0]);
      Files.write(files.get(1), pair[1]);
      List<String> lines = ask();
      answers(lines, "damaged");
      assertEquals(0, readFromSnapshots(lines), lines.toString());
      assertEquals(
          2, lines.stream().filter(line -> line.contains("left aside")).count(), lines.toString());
    }
    Files.write(files.get(0), a);
    Files.write(files.get(1), b);
    assertEquals(2, readFromSnapshots(ask()));
  }

  /** The terminal waits for it when it ends, though one statement takes less than the file. */
  @Test
  void aProcessForOneStatementLeavesOne() throws Exception {
    Process process =
        TestProcess.of(
                Main.class,
                List.of(),
                file + ";snapshots=" + snapshots,
                "-e",
                "select faiss_search('s', 'a', (select embedding from a where id = 3), 2)")
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), out);
    assertTrue(out.contains("[3, "), out);
    assertEquals(1, files(snapshots).size(), out);
  }

  @Test
  void anotherFileInThePlaceIsNotTheOneThatWasIndexed() throws Exception {
    ask("wait");
    Path copy = folder.resolve("copy.db");
    Files.copy(file, copy, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
    Files.move(copy, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    List<String> lines = ask();
    answers(lines, "copied");
    assertEquals(0, readFromSnapshots(lines), lines.toString());
  }

  @Test
  void aWriterThatIsKilledLeavesNothingThatIsBelieved() throws Exception {
    for (int round = 0; round < 2; round++) {
      Process process =
          TestProcess.of(
                  SnapshotTest.class, List.of(), file.toString(), snapshots.toString(), "wait")
              .start();
      // As soon as anything of a snapshot is seen, at any stage of its writing.
      Threads.await("a snapshot is begun", () -> begun() || !process.isAlive());
      process.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
      List<String> lines = ask();
      answers(lines, "killed");
      for (Path path : files(snapshots)) {
        Files.delete(path);
      }
    }
    ask("wait");
    try (Stream<Path> left = Files.list(snapshots)) {
      assertFalse(left.anyMatch(path -> path.toString().endsWith(".part")), "left behind");
    }
    assertEquals(2, readFromSnapshots(ask()));
  }

  private boolean begun() {
    try (Stream<Path> all = Files.exists(snapshots) ? Files.list(snapshots) : Stream.empty()) {
      return all.anyMatch(path -> !path.toString().endsWith(".lock"));
    } catch (java.io.IOException | java.io.UncheckedIOException e) {
      return false;
    }
  }

  @Test
  void whatIsNotAFolderIsRefused() throws Exception {
    SQLException e =
        assertThrows(
            SQLException.class, () -> VersionedDatabase.faiss(file, "snapshots=" + file).close());
    assertTrue(e.getMessage().contains("which is no folder"), e.toString());
    SQLException stale =
        assertThrows(
            SQLException.class,
            () -> VersionedDatabase.faiss(file, "snapshots=" + snapshots, "refresh=5s").close());
    assertTrue(stale.getMessage().contains("'snapshots' is given and 'refresh'"), stale.toString());
    try (Connection plain = VersionedDatabase.faiss(file);
        Statement statement = plain.createStatement()) {
      statement.execute("SELECT 1");
      assertFalse(Files.exists(snapshots), "off unless it is asked for");
    }
  }
}
