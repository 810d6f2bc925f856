/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.calcitefaiss.server.FaissServer;
import io.github.calcitefaiss.server.Limits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs and commands of docs/clients.md run, and print what stands below them. */
class ClientsDocumentTest {
  private static final Document DOCUMENT = new Document("clients.md");
  private static final String DATABASE = "examples/packages.db";

  @TempDir Path folder;

  @Test
  void commandsPrintWhatTheySay() throws IOException {
    int run = 0;
    for (Document.Block block : DOCUMENT.blocks("console")) {
      Terminal terminal = Terminal.run(block.code().strip().split(" "));
      assertEquals(0, terminal.exitCode(), terminal.err());
      String here = Path.of("").toAbsolutePath() + "/";
      DOCUMENT.check(block, terminal.out().replace(here, "/home/me/calcite-faiss/"));
      run++;
    }
    assertEquals(2, run);
  }

  @Test
  void javaProgramsPrintWhatTheySay() throws Exception {
    int run = 0;
    for (Document.Block block : DOCUMENT.blocks("java")) {
      Matcher name = Pattern.compile("public class (\\w+)").matcher(block.code());
      assertTrue(name.find());
      Path source = Files.writeString(folder.resolve(name.group(1) + ".java"), block.code());
      ByteArrayOutputStream errors = new ByteArrayOutputStream();
      int compiled =
          ToolProvider.getSystemJavaCompiler()
              .run(
                  null,
                  null,
                  errors,
                  "-cp",
                  System.getProperty("java.class.path"),
                  "-proc:none",
                  "-d",
                  folder.toString(),
                  source.toString());
      assertEquals(0, compiled, errors.toString(StandardCharsets.UTF_8));
      DOCUMENT.check(block, printed(name.group(1)));
      run++;
    }
    assertEquals(2, run);
  }

  private String printed(String className) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      loader
          .loadClass(className)
          .getMethod("main", String[].class)
          .invoke(null, (Object) new String[0]);
    } finally {
      System.setOut(before);
    }
    // Spring says so where Calcite's commons-logging is beside it, at its first use.
    return out.toString(StandardCharsets.UTF_8)
        .replaceAll("(?m)^Standard Commons Logging discovery.*\\R", "");
  }

  @Test
  void thePythonClientPrintsWhatItSays() throws Exception {
    Document.Block block = DOCUMENT.blocks("python").get(0);
    Path python = python();
    assumeTrue(python != null, "Python 3 is not installed, so its client is not tested");
    FaissServer.Options options =
        new FaissServer.Options(
            "jdbc:faiss:" + DATABASE,
            "127.0.0.1",
            0,
            null,
            false,
            null,
            null,
            Limits.DEFAULT,
            false);
    try (FaissServer server = new FaissServer(options, line -> {})) {
      String program = block.code().replace("http://localhost:8765", server.address());
      Path file = Files.writeString(folder.resolve("client.py"), program);
      Path out = folder.resolve("out.txt");
      Process process =
          new ProcessBuilder(python.toString(), file.toString())
              .redirectErrorStream(true)
              .redirectOutput(out.toFile())
              .start();
      int exitCode = process.waitFor();
      assertEquals(0, exitCode, Files.readString(out));
      DOCUMENT.check(block, Files.readString(out));
    }
  }

  private static Path python() {
    for (String place : System.getenv("PATH").split(":", -1)) {
      Path program = Path.of(place, "python3");
      if (Files.isExecutable(program)) {
        return program;
      }
    }
    return null;
  }
}
