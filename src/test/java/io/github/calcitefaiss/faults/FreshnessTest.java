/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.commit;
import static io.github.calcitefaiss.faults.VersionedDatabase.create;
import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.faiss;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static io.github.calcitefaiss.faults.VersionedDatabase.write;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.faults.VersionedDatabase.Way;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is committed is seen, at once and whole; whatever happens to the file. */
class FreshnessTest {
  @TempDir Path folder;

  private Path file;

  private Path database(String mode, int version) throws SQLException {
    file = folder.resolve("v.db");
    create(file, mode, version);
    return file;
  }

  /** Every way in, on new and on prepared statements. */
  private static final class Readers implements AutoCloseable {
    private final Connection connection;
    private final Map<Way, PreparedStatement> prepared = new EnumMap<>(Way.class);

    Readers(Path file, String... properties) throws SQLException {
      connection = faiss(file, properties);
      for (Way way : Way.values()) {
        prepared.put(way, way.prepare(connection));
      }
    }

    void see(int version) throws SQLException {
      for (Way way : Way.values()) {
        assertEquals(version, way.ask(prepared.get(way)), way + ", prepared");
        assertEquals(version, way.ask(connection), way + ", new");
      }
    }

    void fail(Path file, String... expected) {
      for (Way way : Way.values()) {
        for (int kind = 0; kind < 2; kind++) {
          boolean again = kind == 0;
          SQLException e =
              assertThrows(
                  SQLException.class,
                  () -> {
                    if (again) {
                      way.ask(prepared.get(way));
                    } else {
                      way.ask(connection);
                    }
                  },
                  way + ": expected " + String.join(" or ", expected));
          assertTrue(e.getMessage().contains(file.toString()), way + " names no file: " + e);
          boolean said = false;
          for (String text : expected) {
            said |= e.getMessage().contains(text);
          }
          assertTrue(said, way + ": " + e);
          assertEquals("08006", e.getSQLState(), way + ": " + e);
        }
      }
    }

    @Override
    public void close() throws SQLException {
      connection.close();
      assertEquals(0, SqliteDatabase.lent());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"DELETE", "WAL", "TRUNCATE", "PERSIST"})
  void commitsAreSeenAtOnceAndNothingElse(String mode) throws SQLException {
    try (Readers readers = new Readers(database(mode, 1));
        Connection writer = sqlite(file)) {
      readers.see(1);
      for (int version = 2; version < 5; version++) {
        commit(writer, version);
        readers.see(version);
      }
      execute(writer, "BEGIN IMMEDIATE");
      write(writer, 99);
      readers.see(4);
      execute(writer, "ROLLBACK");
      readers.see(4);
    }
  }

  @Test
  void aResultThatIsOpenKeepsItsVersionAndReleasesItWhenClosed() throws SQLException {
    try (Connection connection = faiss(database("WAL", 1));
        Connection writer = sqlite(file);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT id, v FROM docs")) {
      rows.next();
      commit(writer, 2);
      int n = 1;
      while (rows.next()) {
        assertEquals(1, rows.getInt(2));
        n++;
      }
      assertEquals(VersionedDatabase.rows(1), n);
      assertEquals(0, SqliteDatabase.lent());
    }
  }

  /** In rollback mode a reader's snapshot keeps writers out: it must not outlive the result. */
  @Test
  void writersGetInAsSoonAsAResultIsReadOrClosed() throws SQLException {
    try (Connection connection = faiss(database("DELETE", 1));
        Connection writer = sqlite(file);
        Statement statement = connection.createStatement()) {
      execute(writer, "PRAGMA busy_timeout = 0");
      for (int version = 2; version < 12; version++) {
        ResultSet rows = statement.executeQuery("SELECT id, v FROM docs");
        rows.next();
        if (version % 2 == 0) {
          while (rows.next()) {
            // Read to the end.
          }
        } else {
          rows.close();
        }
        commit(writer, version);
      }
      assertEquals(11, Way.SEARCH.ask(connection));
      commit(writer, 12);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"DELETE", "WAL"})
  void anotherFileInThePlaceIsRead(String mode) throws Exception {
    try (Readers readers = new Readers(database(mode, 1))) {
      readers.see(1);
      for (int version = 2; version < 5; version++) {
        Path other = folder.resolve("other.db");
        create(other, "DELETE", version);
        Files.deleteIfExists(folder.resolve("v.db-wal"));
        Files.deleteIfExists(folder.resolve("v.db-shm"));
        Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
        readers.see(version);
      }
    }
  }

  @Test
  void theLogOfAReplacedFileIsNotMixedIn() throws Exception {
    try (Readers readers = new Readers(database("WAL", 1));
        Connection writer = sqlite(file)) {
      commit(writer, 2);
      readers.see(2);
      Path other = folder.resolve("other.db");
      create(other, "DELETE", 3);
      Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
      readers.fail(file, "write-ahead log of its predecessor");
      Files.delete(folder.resolve("v.db-wal"));
      Files.delete(folder.resolve("v.db-shm"));
      readers.see(3);
    }
  }

  @Test
  void aFileOverwrittenInPlaceIsRead() throws Exception {
    try (Readers readers = new Readers(database("DELETE", 1))) {
      // Same pages, same counters: SQLite itself can't tell.
      Path twin = folder.resolve("twin.db");
      create(twin, "DELETE", 8);
      assertEquals(Files.size(file), Files.size(twin));
      readers.see(1);
      Files.write(file, Files.readAllBytes(twin));
      readers.see(8);
    }
  }

  @Test
  void aDeletedFileIsAnErrorUntilItIsBack() throws Exception {
    try (Readers readers = new Readers(database("DELETE", 1))) {
      readers.see(1);
      Files.delete(file);
      readers.fail(file, "does not exist any more");
      create(file, "DELETE", 2);
      readers.see(2);
      Files.delete(file);
      create(file, "DELETE", 3);
      readers.see(3);
    }
  }

  @Test
  void brokenFilesAreErrorsUntilTheyAreMended() throws Exception {
    try (Readers readers = new Readers(database("DELETE", 1))) {
      readers.see(1);
      byte[] good = Files.readAllBytes(file);
      int n = good.length;
      for (int size : new int[] {0, 1, 50, 100, 4096, n / 2, n - 4096, n - 4000, n - 512, n - 1}) {
        try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
          cut.setLength(size);
        }
        readers.fail(file, "is empty", "is not a SQLite database", "is damaged");
        Files.write(file, good);
        readers.see(1);
      }
      byte[] garbage = new byte[good.length];
      Arrays.fill(garbage, (byte) 'x');
      Files.write(file, garbage);
      readers.fail(file, "is not a SQLite database");
      Files.delete(file);
      Files.createDirectory(file);
      readers.fail(file, "is a directory");
      Files.delete(file);
      create(file, "WAL", 5);
      readers.see(5);
    }
  }

  @Test
  void brokenFilesAreErrorsWhenConnecting() throws Exception {
    file = folder.resolve("v.db");
    for (byte[] content :
        new byte[][] {{}, {1}, "SQLite format 3\0".getBytes(UTF_8), new byte[5000]}) {
      Files.write(file, content);
      SQLException e = assertThrows(SQLException.class, () -> faiss(file).close());
      assertTrue(e.getMessage().contains(file.toString()), e.toString());
      assertTrue(e.getMessage().matches("(?s).*(is empty|is not a SQLite database).*"), e + "");
    }
    Files.delete(file);
    assertTrue(
        assertThrows(SQLException.class, () -> faiss(file).close())
            .getMessage()
            .contains("does not exist"));
    Files.createDirectory(file);
    assertTrue(
        assertThrows(SQLException.class, () -> faiss(file).close())
            .getMessage()
            .contains("is a directory"));
    assertTrue(
        assertThrows(SQLException.class, () -> faiss(Path.of("/dev/null")).close())
            .getMessage()
            .contains("is no ordinary file"));
  }

  @Test
  void aChangedSchemaIsPlannedAnew() throws Exception {
    try (Readers readers = new Readers(database("WAL", 1));
        Connection writer = sqlite(file)) {
      readers.see(1);
      execute(
          writer,
          "BEGIN",
          "ALTER TABLE docs RENAME TO old",
          "CREATE TABLE docs (embedding BLOB, v INTEGER, id INTEGER PRIMARY KEY)",
          "INSERT INTO docs SELECT embedding, v, id FROM old",
          "DROP TABLE old",
          "COMMIT");
      readers.see(1);
    }
  }

  @Test
  void staleIndexesMayAnswerWhereAskedTo() throws SQLException {
    try (Connection writer = sqlite(database("WAL", 1));
        Connection manual = faiss(file, "refresh=manual");
        Connection lagging = faiss(file, "refresh=60min")) {
      assertEquals(1, Way.SEARCH.ask(manual));
      commit(writer, 2);
      assertEquals(1, Way.SEARCH.ask(manual));
      assertEquals(1, Way.SEARCH.ask(lagging));
      assertEquals(2, Way.SCAN.ask(lagging));
      try (Statement statement = manual.createStatement();
          ResultSet row = statement.executeQuery("SELECT faiss_refresh('v', 'docs')")) {
        row.next();
        assertEquals(VersionedDatabase.rows(2), row.getInt(1));
      }
      assertEquals(2, Way.SEARCH.ask(manual));
      commit(writer, 3);
      assertEquals(2, Way.SEARCH.ask(manual));
      try (Connection fresh = faiss(file)) {
        assertEquals(3, Way.SEARCH.ask(fresh));
      }
    }
    SQLException e = assertThrows(SQLException.class, () -> faiss(file, "refresh=soon").close());
    assertTrue(e.getMessage().contains("operand 'refresh' is 'soon'"), e.toString());
  }

  /** What is unchanged is not built again, and what is changed is seen wherever it stands. */
  @Test
  void everyKindOfChangeIsSeen() throws SQLException {
    try (Connection writer = sqlite(database("DELETE", 1));
        Connection connection = faiss(file);
        PreparedStatement prepared =
            connection.prepareStatement(
                "SELECT faiss_search_with_scores('v', 'docs', X'0000000000000000', 1000)")) {
      for (String change :
          new String[] {
            "CREATE TABLE other (a)",
            "INSERT INTO other VALUES (1)",
            "UPDATE docs SET filler = 'x'",
            "INSERT INTO docs SELECT 1000, v, embedding, '' FROM docs WHERE id = 3",
            "DELETE FROM docs WHERE id = 1000",
            "DELETE FROM docs WHERE id = (SELECT max(id) FROM docs)",
            "DELETE FROM docs WHERE id = 1",
            "UPDATE docs SET id = 5000 WHERE id = 7",
            "UPDATE docs SET embedding = X'0000803F00000000' WHERE id = 20",
            "UPDATE docs SET embedding = X'0000803F00000080' WHERE id = 20",
            "UPDATE docs SET embedding = NULL WHERE id = 20",
            "UPDATE docs SET embedding = X'0000803F' || X'0000803F' WHERE id > 0",
            "UPDATE docs SET embedding = CAST(embedding AS BLOB)",
            "UPDATE docs SET id = id + 100000",
            "DELETE FROM docs"
          }) {
        execute(writer, change);
        StringBuilder expected = new StringBuilder();
        try (Statement statement = writer.createStatement();
            ResultSet rows =
                statement.executeQuery(
                    "SELECT id, embedding FROM docs WHERE typeof(embedding) = 'blob'")) {
          TreeMap<Double, TreeSet<Long>> sorted = new TreeMap<>();
          while (rows.next()) {
            FloatBuffer vector =
                ByteBuffer.wrap(rows.getBytes(2)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
            double square = vector.get(0) * vector.get(0) + vector.get(1) * vector.get(1);
            sorted.computeIfAbsent(square, key -> new TreeSet<>()).add(rows.getLong(1));
          }
          sorted.forEach(
              (square, ids) ->
                  ids.forEach(id -> expected.append(", [" + id + ", " + square + "]")));
        }
        if (change.contains("||")) {
          // Concatenating makes it TEXT.
          assertThrows(SQLException.class, () -> prepared.executeQuery().next(), change);
          continue;
        }
        try (ResultSet row = prepared.executeQuery()) {
          row.next();
          assertEquals(
              "[" + (expected.isEmpty() ? "" : expected.substring(2)) + "]",
              row.getString(1),
              change);
        }
      }
    }
  }

  /** Most rows decide which length is usual, also when the first ones are as they were. */
  @Test
  void theUsualLengthMayChangeWithTheTable() throws SQLException {
    try (Connection writer = sqlite(database("DELETE", 1));
        Connection connection = faiss(file, "onBadRow=skip")) {
      assertEquals(1, Way.SEARCH.ask(connection));
      execute(
          writer,
          "INSERT INTO docs SELECT id + 1000, v, zeroblob(12), '' FROM docs",
          "INSERT INTO docs SELECT id + 2000, v, zeroblob(12), '' FROM docs");
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "SELECT faiss_search('v', 'docs', zeroblob, 1) FROM"
                      + " (SELECT X'000000000000000000000000' AS zeroblob) AS q")) {
        row.next();
        assertEquals("[1001]", row.getString(1));
      }
    }
  }

  /** Two scans of one small table at once once mixed their rows. */
  @Test
  void aTableScannedTwiceAtOnceGivesEachRowOnce() throws SQLException {
    try (Connection connection = faiss(database("DELETE", 1));
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT count(*) FROM docs AS a, docs AS b WHERE l2_distance(a.embedding,"
                    + " b.embedding) + a.id + b.id < 1000000")) {
      row.next();
      assertEquals(VersionedDatabase.rows(1) * VersionedDatabase.rows(1), row.getInt(1));
    }
  }
}
