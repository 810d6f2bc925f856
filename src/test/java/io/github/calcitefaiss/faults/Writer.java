/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A process that commits one version after the other until it is killed.
 *
 * <p>It tells of each version before the transaction begins and after it is committed. A cache of
 * few pages makes SQLite write into the file long before the commit, so that a kill leaves a
 * journal to undo.
 */
final class Writer implements AutoCloseable {
  private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);

  private final Process process;
  private final AtomicInteger begun;
  private final AtomicInteger committed;
  private final Thread listener;
  private final CountDownLatch atWork;

  /**
   * Starts one; the counters are raised as it tells of its versions.
   *
   * @param steps of how many begins and commits it shall have told before {@link #awaitWork} ends
   */
  Writer(Path file, AtomicInteger begun, AtomicInteger committed, int steps) throws IOException {
    this(file, begun, committed, steps, "FULL");
  }

  /**
   * Starts one.
   *
   * @param synchronous whether it waits for the disk: OFF, NORMAL or FULL
   */
  Writer(Path file, AtomicInteger begun, AtomicInteger committed, int steps, String synchronous)
      throws IOException {
    atWork = new CountDownLatch(steps);
    this.begun = begun;
    this.committed = committed;
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx64m",
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.sqlite.tmpdir=" + file.getParent(),
            "-cp",
            // Not all of the class path: this starts a thousand times.
            place(Writer.class)
                + File.pathSeparator
                + place(org.sqlite.JDBC.class)
                + File.pathSeparator
                + place(org.slf4j.Logger.class),
            Writer.class.getName(),
            file.toString(),
            synchronous);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    process = builder.start();
    listener = new Thread(this::listen, "writer's listener");
    listener.setDaemon(true);
    listener.start();
  }

  private static String place(Class<?> of) {
    return Path.of(URI.create(of.getProtectionDomain().getCodeSource().getLocation().toString()))
        .toString();
  }

  private void listen() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        int version = Integer.parseInt(line.substring(1));
        (line.charAt(0) == 'B' ? begun : committed).accumulateAndGet(version, Math::max);
        atWork.countDown();
      }
    } catch (IOException | NumberFormatException e) {
      // The end of a killed process's words.
    } finally {
      while (atWork.getCount() > 0) {
        atWork.countDown();
      }
    }
  }

  /** Waits until it has told of so many steps. */
  void awaitWork() throws InterruptedException {
    if (!atWork.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the writer doesn't begin");
    }
  }

  /** Kills it as kill -9 does, and waits until all it said was heard. */
  void kill() throws InterruptedException {
    // By its handle: Process.destroyForcibly would also close the pipe, and lose its last words.
    process.toHandle().destroyForcibly();
    process.waitFor();
    listener.join();
  }

  @Override
  public void close() {
    process.toHandle().destroyForcibly();
  }

  /** The process. */
  public static void main(String[] args) throws SQLException {
    Random random = new Random();
    try (Connection connection = VersionedDatabase.sqlite(Path.of(args[0]))) {
      VersionedDatabase.execute(
          connection,
          "PRAGMA synchronous = " + args[1],
          "PRAGMA cache_size = 3",
          "PRAGMA cache_spill = 1");
      for (int version = VersionedDatabase.version(connection) + 1; ; version++) {
        VersionedDatabase.execute(connection, "BEGIN IMMEDIATE");
        say('B', version);
        VersionedDatabase.write(connection, version);
        if (random.nextInt(8) == 0) {
          VersionedDatabase.execute(connection, "ROLLBACK");
          version--;
          continue;
        }
        VersionedDatabase.execute(connection, "COMMIT");
        say('C', version);
      }
    }
  }

  private static void say(char what, int version) {
    try {
      OUT.write((what + "" + version + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
