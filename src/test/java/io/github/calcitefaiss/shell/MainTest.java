/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.util.LibraryLoaderUtil;

/** What the command line says, and its exit codes: 0 done, 1 failed, 2 wrong arguments. */
class MainTest {
  private static final String PACKAGES = "examples/packages.db";

  @Test
  void answersAndLeaves() throws IOException {
    Terminal terminal = Terminal.run(PACKAGES, "--outputformat=csv", "-e", "select 1 + 1 as two");
    assertEquals("two\n2\n", terminal.out().replace("\r\n", "\n"));
    assertEquals(0, terminal.exitCode());
  }

  @Test
  void wideCellsArePrintedWithoutATerminal() throws IOException {
    String sql = "select description from packages where name = 'nginx'";
    assertTrue(
        Terminal.run(PACKAGES, "-e", sql).out().contains("reduce the load on back-end HTTP"));
  }

  @Test
  void failedStatementIsOneLineAndAnExitCode() throws IOException {
    Terminal terminal =
        Terminal.run(PACKAGES, "-e", "select nme from packages", "-e", "select 1 as one");
    assertEquals(1, terminal.exitCode());
    assertTrue(terminal.err().contains("Error: "), terminal.err());
    assertTrue(terminal.err().contains("nme"), terminal.err());
    assertFalse(terminal.err().contains("\tat "), terminal.err());
    assertTrue(terminal.out().contains("one"), terminal.out());
  }

  @Test
  void missingFileIsNamedWithTheFolderItWasLookedForIn() throws IOException {
    Terminal terminal = Terminal.run("examples/package.db", "-e", "select 1");
    assertEquals(1, terminal.exitCode());
    assertTrue(terminal.err().contains("no such file: examples/package.db (in "), terminal.err());
  }

  @Test
  void propertiesMayStandBehindTheFile() throws IOException {
    Terminal terminal =
        Terminal.run(
            PACKAGES + ";tables=embeddings;native=off",
            "--outputformat=csv",
            "select count(*) from metadata.faiss_indexes");
    assertEquals("1", terminal.out().lines().skip(1).findFirst().orElse(""), terminal.err());
    assertEquals(0, terminal.exitCode());
  }

  @Test
  void withoutArgumentsItSaysHowToUseIt() throws IOException {
    Terminal terminal = Terminal.run();
    assertEquals(2, terminal.exitCode());
    assertTrue(terminal.err().startsWith("Usage: calcite-faiss DATABASE"), terminal.err());
    assertEquals(2, Terminal.run("-e", "select 1").exitCode());
    Terminal help = Terminal.run("--help");
    assertEquals(0, help.exitCode());
    assertTrue(help.out().contains("build-embeddings"), help.out());
    assertFalse(help.out().contains("\u001b"), help.out());
  }

  @Test
  void theCommandsAreThoseThatAreLookedFor() {
    assertEquals(Main.COMMANDS, Main.commands(System.out, System.err).getSubcommands().keySet());
  }

  @Test
  void unpacksTheNativeLibrary(@TempDir Path folder) throws IOException {
    String[] target = {folder.resolve("native").toString()};
    NativeLibrary.main(target);
    NativeLibrary.main(target);
    try (Stream<Path> files = Files.list(folder.resolve("native"))) {
      assertEquals(
          List.of(LibraryLoaderUtil.getNativeLibName()),
          files.map(file -> file.getFileName().toString()).toList());
    }
  }

  @Test
  void unknownOptionIsRefused() throws IOException {
    assertEquals(2, Terminal.run(PACKAGES, "--nosuchoption=1").exitCode());
  }
}
