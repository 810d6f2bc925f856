/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.calcitefaiss.faults.VersionedDatabase.Way;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A writer is killed again and again while others read: every answer is of one version that was
 * committed, and of none older than what was committed before the question.
 *
 * <p>{@code -Dfaults.kills=500} says how often, in each journal mode, {@code -Dfaults.modes=WAL} in
 * which.
 */
class KillTest {
  private static final Logger LOGGER = LoggerFactory.getLogger(KillTest.class);
  private static final int KILLS = Integer.getInteger("faults.kills", 2);
  private static final int READERS = 2;

  @TempDir Path folder;

  private final AtomicInteger begun = new AtomicInteger(1);
  private final AtomicInteger committed = new AtomicInteger(1);
  private final AtomicInteger answers = new AtomicInteger();
  private final Map<String, Integer> errors = new TreeMap<>();

  @ParameterizedTest
  @ValueSource(strings = {"DELETE", "WAL"})
  void everyAnswerIsOfOneCommittedVersion(String mode) throws Exception {
    assumeTrue(System.getProperty("faults.modes", mode).contains(mode));
    Random random = new Random(Long.getLong("seed", 1));
    Path file = folder.resolve("v.db");
    VersionedDatabase.create(file, mode, 1);
    AtomicBoolean over = new AtomicBoolean();
    ExecutorService readers = Executors.newFixedThreadPool(READERS);
    int recovered = 0;
    int undone = 0;
    try {
      List<Future<?>> reading = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        int reader = i;
        reading.add(
            readers.submit(
                () -> {
                  read(file, over, reader);
                  return null;
                }));
      }
      for (int kill = 0; kill < KILLS; kill++) {
        try (Writer writer = new Writer(file, begun, committed, 1 + random.nextInt(6))) {
          writer.awaitWork();
          LockSupport.parkNanos(random.nextInt(20_000_000));
          writer.kill();
        }
        if (Files.exists(folder.resolve("v.db-journal"))) {
          undone++;
        }
        // Nobody has opened the file with a right to write since: the driver must cope alone.
        try (Connection connection = VersionedDatabase.faiss(file)) {
          int version = check(committed.get(), Way.SEARCH.ask(connection));
          committed.accumulateAndGet(version, Math::max);
          recovered++;
        }
        for (Future<?> each : reading) {
          if (each.isDone()) {
            each.get();
          }
        }
      }
      over.set(true);
      for (Future<?> each : reading) {
        each.get();
      }
    } finally {
      over.set(true);
      readers.shutdown();
    }
    LOGGER.warn(
        "{}: {} kills, {} left a journal, {} versions, {} answers right, 0 wrong, errors {}",
        mode,
        recovered,
        undone,
        committed,
        answers,
        errors);
    assertEquals(KILLS, recovered);
    assertTrue(answers.get() > KILLS, "only " + answers + " answers");
    assertEquals(Map.of(), errors);
    assertEquals(0, SqliteDatabase.lent());
  }

  private void read(Path file, AtomicBoolean over, int reader) throws SQLException {
    Random random = new Random(reader);
    while (!over.get()) {
      try (Connection connection = VersionedDatabase.faiss(file)) {
        Map<Way, PreparedStatement> prepared = new EnumMap<>(Way.class);
        for (Way way : Way.values()) {
          prepared.put(way, way.prepare(connection));
        }
        for (int i = 0; i < 200 && !over.get(); i++) {
          Way way = Way.values()[random.nextInt(Way.values().length)];
          int atLeast = committed.get();
          check(atLeast, way.ask(prepared.get(way)));
          answers.incrementAndGet();
          // Leaves some of the machine to the writer.
          LockSupport.parkNanos(3_000_000);
        }
      } catch (SQLException e) {
        synchronized (errors) {
          errors.merge(e.getSQLState() + " " + e.getMessage(), 1, Integer::sum);
        }
      }
    }
  }

  private int check(int atLeast, int version) {
    if (version < atLeast) {
      throw new AssertionError("version " + version + ", committed before " + atLeast);
    }
    // The writer tells of a version before it begins; its words may still be on the way.
    Threads.await("version " + version + " was begun", () -> begun.get() >= version);
    return version;
  }
}
