/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Folders of models for tests, filled from what Maven has fetched, without a network. */
public final class InstalledModels {
  /** Nobody listens there. */
  public static final String NOWHERE = "http://127.0.0.1:1";

  private static ModelFolder shared;

  private InstalledModels() {}

  /** A folder with all-MiniLM-L6-v2, made once for all tests of a JVM; not to be changed. */
  public static synchronized ModelFolder shared() throws Exception {
    if (shared == null) {
      ModelFolder folder = new ModelFolder(Path.of("target", "test-models").toAbsolutePath());
      installer(folder).install(Catalog.DEFAULT);
      shared = folder;
    }
    return shared;
  }

  /** An installer that has only Maven's own repository on this machine. */
  public static ModelInstaller installer(ModelFolder folder) {
    return new ModelInstaller(folder, localRepository(), NOWHERE, line -> {});
  }

  /** Maven's repository on this machine, told by where the class path's jars are. */
  public static Path localRepository() {
    String jar = Catalog.OURS.models().get(Catalog.DEFAULT).jar().path();
    String path =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> entry.replace(File.separatorChar, '/').endsWith(jar))
            .findFirst()
            .orElseThrow(() -> new AssertionError("the pom has another version than " + jar));
    return Path.of(path.substring(0, path.length() - jar.length()));
  }

  /** A folder of links to the shared one's files, to be damaged. */
  static ModelFolder copy(Path into) throws Exception {
    Path from = shared().path();
    try (var files = Files.walk(from)) {
      files.forEach(
          file -> {
            try {
              Path target = into.resolve(from.relativize(file).toString());
              if (Files.isDirectory(file)) {
                Files.createDirectories(target);
              } else {
                link(file, target);
              }
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
    return new ModelFolder(into);
  }

  private static void link(Path file, Path target) throws IOException {
    try {
      Files.createLink(target, file);
    } catch (IOException e) {
      Files.copy(file, target);
    }
  }
}
