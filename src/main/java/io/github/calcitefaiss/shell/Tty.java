/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.Console;

/** Whether a person looks on, which decides about prompts, progress and colours. */
final class Tty {
  private Tty() {}

  static boolean present() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      // From JDK 22 on there is a console without a terminal too, and this method to tell.
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }

  /** Whether to use colours: on a terminal, unless NO_COLOR says otherwise. */
  static boolean colours() {
    String no = System.getenv("NO_COLOR");
    return present() && (no == null || no.isEmpty()) && !"dumb".equals(System.getenv("TERM"));
  }
}
