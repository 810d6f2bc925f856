/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;

/** What a run of the command line printed, and its exit code. */
record Terminal(String out, String err, int exitCode) {
  static Terminal run(String... args) throws IOException {
    return read("", args);
  }

  /** With something on standard input. */
  static Terminal read(String input, String... args) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exitCode =
        Main.run(
            args,
            new ByteArrayInputStream(input.getBytes(Charset.defaultCharset())),
            new PrintStream(out, true, UTF_8),
            new PrintStream(err, true, UTF_8));
    return new Terminal(out.toString(UTF_8), err.toString(UTF_8), exitCode);
  }
}
