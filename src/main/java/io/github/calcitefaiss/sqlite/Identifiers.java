/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

/** Names in SQL text. */
public final class Identifiers {
  private Identifiers() {}

  /** A name in double quotes, as SQL writes one that may hold anything. */
  public static String quote(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }
}
