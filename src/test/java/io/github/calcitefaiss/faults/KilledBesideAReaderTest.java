/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.faults.VersionedDatabase.Way;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A writer in another process is killed in the middle of a transaction while a result is open here:
 * the result goes on as it began, and what is asked next is answered, or told what to close.
 */
class KilledBesideAReaderTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"DELETE, OFF", "DELETE, FULL", "WAL, OFF", "WAL, FULL"})
  void theOpenResultGoesOnAndTheNextIsRight(String mode, String synchronous) throws Exception {
    Path file = folder.resolve("v.db");
    VersionedDatabase.create(file, mode, 1);
    AtomicInteger begun = new AtomicInteger(1);
    AtomicInteger committed = new AtomicInteger(1);
    try (Connection connection = VersionedDatabase.faiss(file, "busyTimeout=2000");
        Statement reader = connection.createStatement()) {
      assertEquals(1, Way.SEARCH.ask(connection));
      ResultSet open = reader.executeQuery("SELECT v, filler FROM docs");
      assertTrue(open.next());
      // Beside a result of a rollback journal it begins and can't commit; in WAL it commits often.
      try (Writer writer =
          new Writer(file, begun, committed, mode.equals("WAL") ? 8 : 1, synchronous)) {
        writer.awaitWork();
        writer.kill();
      }
      int answered = 0;
      for (Way way : Way.values()) {
        try {
          int version = way.ask(connection);
          assertTrue(version >= committed.get() && version <= begun.get(), way + " " + version);
          answered++;
        } catch (SQLException e) {
          assertEquals("08006", e.getSQLState(), e.toString());
          assertTrue(e.getMessage().contains("if its writer died"), e.toString());
        }
      }
      assertTrue(answered == Way.values().length || mode.equals("DELETE"), answered + " answers");
      int rows = 1;
      while (open.next()) {
        assertEquals(1, open.getInt(1));
        assertTrue(open.getString(2).startsWith("version 1 "));
        rows++;
      }
      assertEquals(VersionedDatabase.rows(1), rows);
      open.close();
      for (Way way : Way.values()) {
        int version = way.ask(connection);
        assertTrue(version >= committed.get() && version <= begun.get(), way + " " + version);
      }
    }
    try (Connection sqlite = VersionedDatabase.sqlite(file);
        Statement statement = sqlite.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA integrity_check")) {
      assertTrue(row.next());
      assertEquals("ok", row.getString(1));
    }
    Threads.awaitNothingLent();
  }
}
