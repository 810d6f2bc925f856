/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeftLibrariesTest {
  @TempDir Path folder;

  private Path copy(String name, Instant made) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, "x");
    Files.setLastModifiedTime(file, FileTime.from(made));
    return file;
  }

  @Test
  void onlyOldCopiesOfTheLibraryAreRemoved() throws IOException {
    Instant now = Instant.now();
    Instant old = now.minus(Duration.ofHours(1));
    String left = "sqlite-3.54.1.0-" + UUID.randomUUID() + "-libsqlitejdbc.so";
    Path library = copy(left, old);
    Path lock = copy(left + ".lck", old);
    Path young = copy("sqlite-3.54.1.0-" + UUID.randomUUID() + "-libsqlitejdbc.so", now);
    Path other = copy("sqlite-3.54.1.0-notes.txt", old);
    Path database = copy("sqlite.db", old);
    LeftLibraries.remove(folder, now.minus(Duration.ofMinutes(10)));
    assertFalse(Files.exists(library));
    assertFalse(Files.exists(lock));
    assertTrue(Files.exists(young));
    assertTrue(Files.exists(other));
    assertTrue(Files.exists(database));
  }
}
