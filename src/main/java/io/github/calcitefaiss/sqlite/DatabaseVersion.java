/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

/**
 * Which committed state of a file is meant: two equal versions have the same rows.
 *
 * @param file which file the path leads to (device and inode where there are such), so that a file
 *     put in another's place is another version
 * @param watch which connection {@code dataVersion} was read on: such numbers can't be compared
 *     across connections
 * @param dataVersion SQLite's {@code PRAGMA data_version}
 */
public record DatabaseVersion(Object file, long watch, long dataVersion) {}
