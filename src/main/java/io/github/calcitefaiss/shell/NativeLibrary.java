/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.sqlite.util.LibraryLoaderUtil;

/**
 * Unpacks SQLite's native library for the launcher, once for a build.
 *
 * <p>The driver would unpack it into the temporary folder at each start, and compare the copy byte
 * by byte, a tenth of the time to a first answer. With the system property {@code
 * org.sqlite.lib.path} it takes it from this folder.
 */
final class NativeLibrary {
  private NativeLibrary() {}

  /** Unpacks this platform's library into the folder that is the only argument. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    String name = LibraryLoaderUtil.getNativeLibName();
    String resource = LibraryLoaderUtil.getNativeLibResourcePath() + "/" + name;
    try (InputStream in = LibraryLoaderUtil.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("SQLite's driver has no " + resource);
      }
      Files.createDirectories(folder);
      // Under its name only when it is whole.
      Path part = Files.createTempFile(folder, name, ".part");
      Files.write(part, in.readAllBytes());
      if (Files.getFileStore(part).supportsFileAttributeView("posix")) {
        // A file made to be moved is its owner's alone, and others start from here, too.
        Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
      Files.move(part, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
