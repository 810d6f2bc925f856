/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program of the tests' class path, run by their JVM in a process of its own. */
public final class TestProcess {
  private TestProcess() {}

  /**
   * A process to be started, which writes its errors where it writes all else.
   *
   * @param options of the JVM
   */
  public static ProcessBuilder of(Class<?> program, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true);
  }
}
