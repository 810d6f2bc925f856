/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

/**
 * Which committed state of a database is meant: two equal versions have the same rows.
 *
 * @param number counts the states that this process saw of the database, from 1; a later state has
 *     a higher number
 * @param file the file as it was then
 */
public record DatabaseVersion(long number, FileState file) implements Comparable<DatabaseVersion> {
  @Override
  public int compareTo(DatabaseVersion other) {
    return Long.compare(number, other.number);
  }

  @Override
  public String toString() {
    return Long.toString(number);
  }
}
