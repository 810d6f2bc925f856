/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.github.calcitefaiss.faults.VersionedDatabase.Way;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A writer in Python does what it likes with the file while a hundred threads read through a pool,
 * some of them cancelled or timed out: each answer is of one version that was committed, and of
 * none older than what was committed before the question.
 *
 * <p>{@code -Dfaults.seconds=60} says how long.
 */
@Tag("slow")
class OtherLanguageTest {
  private static final Logger LOGGER = LoggerFactory.getLogger(OtherLanguageTest.class);
  private static final int SECONDS = Integer.getInteger("faults.seconds", 20);
  private static final int THREADS = 100;

  @TempDir Path folder;

  private final AtomicInteger begun = new AtomicInteger(1);
  private final AtomicInteger committed = new AtomicInteger(1);
  private final AtomicInteger answers = new AtomicInteger();
  private final Map<String, Integer> errors = new TreeMap<>();
  private final Map<String, Integer> done = new ConcurrentSkipListMap<>();
  private final List<String> log = new CopyOnWriteArrayList<>();

  @Test
  void everyAnswerIsOfOneCommittedVersion() throws Exception {
    assumeTrue(hasPython(), "there is no python3");
    long seed = Long.getLong("seed", 1);
    Path file = folder.resolve("v.db");
    VersionedDatabase.create(file, "DELETE", 1);
    Path script = Path.of(OtherLanguageTest.class.getResource("/faults/writer.py").toURI());
    Process writer =
        new ProcessBuilder("python3", script.toString(), file.toString(), Long.toString(seed))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Thread listener = new Thread(() -> listen(writer), "writer's listener");
    listener.setDaemon(true);
    listener.start();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    AtomicBoolean over = new AtomicBoolean();
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl("jdbc:faiss:" + file + ";busyTimeout=20000");
    config.setMaximumPoolSize(THREADS);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(60_000);
    config.setInitializationFailTimeout(-1);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      List<Future<?>> reading = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Random random = new Random(seed * THREADS + i);
        reading.add(
            threads.submit(
                () -> {
                  while (!over.get()) {
                    read(pool, random, over);
                  }
                  return null;
                }));
      }
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
      Threads.await(
          "the time is over",
          SECONDS,
          () -> System.nanoTime() > end || reading.stream().anyMatch(Future::isDone));
      over.set(true);
      for (Future<?> each : reading) {
        each.get();
      }
      writer.getOutputStream().close();
      writer.waitFor();
      listener.join();
      try (Connection connection = pool.getConnection()) {
        for (Way way : Way.values()) {
          check(committed.get(), way.ask(connection));
        }
      }
    } finally {
      over.set(true);
      threads.shutdown();
      writer.destroyForcibly();
    }
    LOGGER.warn(
        "{} versions by {}; {} answers right, 0 wrong; errors {}",
        committed,
        done,
        answers,
        errors);
    assertTrue(answers.get() > THREADS, answers + " answers");
    assertEquals(
        List.of(),
        errors.keySet().stream()
            .filter(error -> !error.matches("(08006|08001|08003|HY008|HYT00|40001|42704|42S02) .*"))
            .toList());
    Threads.awaitNothingLent();
  }

  private static boolean hasPython() throws InterruptedException {
    try {
      return new ProcessBuilder("python3", "-c", "import sqlite3").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private void listen(Process writer) {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(writer.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String rest = line.substring(1);
        switch (line.charAt(0)) {
          case 'B':
            begun.accumulateAndGet(Integer.parseInt(rest), Math::max);
            break;
          case 'C':
            committed.accumulateAndGet(Integer.parseInt(rest), Math::max);
            break;
          case 'D':
            done.merge(rest, 1, Integer::sum);
            log.add(committed + " " + rest);
            if (log.size() > 8) {
              log.remove(0);
            }
            break;
          default:
            break;
        }
      }
    } catch (IOException e) {
      // The end of its words.
    }
  }

  private void read(HikariDataSource pool, Random random, AtomicBoolean over) {
    try (Connection connection = pool.getConnection()) {
      Way way = Way.values()[random.nextInt(Way.values().length)];
      try (PreparedStatement prepared = way.prepare(connection)) {
        // A pool gives a connection up after an error of the class 08.
        for (int i = 0; i < 20 && !over.get() && !connection.isClosed(); i++) {
          ask(way, prepared, random);
        }
      }
    } catch (SQLException e) {
      note(e);
    }
  }

  private void ask(Way way, PreparedStatement prepared, Random random) throws SQLException {
    Thread canceller = null;
    prepared.setQueryTimeout(random.nextInt(10) == 0 ? 1 : 0);
    if (random.nextInt(10) == 0) {
      long delay = random.nextInt(20_000_000);
      canceller =
          new Thread(
              () -> {
                java.util.concurrent.locks.LockSupport.parkNanos(delay);
                try {
                  prepared.cancel();
                } catch (SQLException e) {
                  // Closed by now.
                }
              });
      canceller.start();
    }
    int atLeast = committed.get();
    try {
      check(atLeast, way.ask(prepared));
      answers.incrementAndGet();
    } catch (VersionedDatabase.TornAnswer e) {
      throw new AssertionError(way + " after " + atLeast + ", last done " + List.copyOf(log), e);
    } catch (SQLException e) {
      note(e);
    } finally {
      join(canceller);
    }
  }

  private static void join(Thread thread) {
    try {
      if (thread != null) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void note(SQLException e) {
    String message = String.valueOf(e.getMessage()).replace(folder.toString(), "…");
    synchronized (errors) {
      errors.merge(e.getSQLState() + " " + message.replaceAll("[0-9]+", "#"), 1, Integer::sum);
    }
  }

  private void check(int atLeast, int version) {
    if (version < atLeast) {
      throw new AssertionError("version " + version + ", committed before " + atLeast);
    }
    Threads.await("version " + version + " was begun", () -> begun.get() >= version);
  }
}
