/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Daemons;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Removes the copies of SQLite's library, 1.1 MB each, that processes which were killed left in the
 * temporary folder: SQLite's driver unpacks one for each process and deletes it when that ends.
 *
 * <p>A copy that was made in the last ten minutes stays, since its process may not have loaded it
 * yet; so does one that a process has loaded, as far as the system tells. One that isn't known to
 * be loaded but is stays in memory when it is deleted, except on Windows, where nothing is removed.
 */
final class LeftLibraries {
  private static final Duration YOUNG = Duration.ofMinutes(10);

  private static final Pattern NAME =
      Pattern.compile("sqlite-[\\d.]+-[0-9a-f-]{36}-(?:lib)?sqlitejdbc\\.(?:so|dylib|jnilib)");

  private LeftLibraries() {}

  /** Begins to remove them, on another thread. */
  static void removeSoon() {
    if (File.separatorChar == '/') {
      String folder = System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir"));
      Daemons.thread(
              "calcite-faiss-left-libraries",
              () -> {
                try {
                  remove(Path.of(folder), Instant.now().minus(YOUNG));
                } catch (IOException | RuntimeException e) {
                  // Another start may do it.
                }
              })
          .start();
    }
  }

  /** Removes copies that were made before a time and that no process has loaded. */
  static void remove(Path folder, Instant before) throws IOException {
    List<Path> old = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(
            folder, file -> NAME.matcher(file.getFileName().toString()).matches())) {
      for (Path file : files) {
        if (Files.isRegularFile(file)
            && Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
          old.add(file);
        }
      }
    }
    Set<String> loaded = old.isEmpty() ? Set.of() : loaded();
    for (Path file : old) {
      if (!loaded.contains(file.getFileName().toString())) {
        Files.deleteIfExists(file);
        Files.deleteIfExists(folder.resolve(file.getFileName() + ".lck"));
      }
    }
  }

  /** The names of the copies that processes have loaded, as far as Linux lets this one see. */
  private static Set<String> loaded() throws IOException {
    Set<String> names = new HashSet<>();
    Path processes = Path.of("/proc");
    if (!Files.isDirectory(processes)) {
      return names;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(processes, "[0-9]*")) {
      for (Path process : all) {
        try (var lines = Files.lines(process.resolve("maps"))) {
          lines
              .filter(line -> line.contains("sqlitejdbc"))
              .forEach(line -> names.add(line.substring(line.lastIndexOf('/') + 1)));
        } catch (IOException | UncheckedIOException e) {
          // It ended, or is another user's, whose files this one can't delete either.
        }
      }
    }
    return names;
  }
}
