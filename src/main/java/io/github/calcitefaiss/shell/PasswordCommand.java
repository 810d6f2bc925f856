/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.server.UserFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code password}: the line of a user for the server's file. */
@Command(
    name = "password",
    mixinStandardHelpOptions = true,
    description = {
      "Prints a user's line for the file of 'serve --users'. The password is asked for, or read"
          + " from standard input."
    },
    footer = {"", "Example: password alice >> users.txt"})
final class PasswordCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "NAME", description = "The user's name.")
  private String name;

  @Option(
      names = "--digest",
      description =
          "For Digest authentication; without it, for Basic, with a slow and salted hash.")
  private boolean digest;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException, Main.CommandException {
    String password;
    if (Tty.present()) {
      char[] typed = System.console().readPassword("Password for %s: ", name);
      password = typed == null ? null : new String(typed);
    } else {
      password =
          new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())).readLine();
    }
    if (password == null || password.isEmpty()) {
      throw new Main.CommandException("no password was given");
    }
    try {
      spec.commandLine().getOut().println(UserFile.line(name, password, digest));
    } catch (IllegalArgumentException e) {
      throw new Main.CommandException(e.getMessage(), e);
    }
    return Main.OK;
  }
}
