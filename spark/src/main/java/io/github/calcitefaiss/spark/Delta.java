/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import org.apache.spark.sql.execution.datasources.HadoopFsRelation;

/**
 * What is known of a Delta table without its library: a snapshot's files, which are written once
 * under names of their own.
 *
 * <p>Only tables whose protocol asks nothing of a reader are taken: the rows of their files are
 * their rows. Deletion vectors and mapped columns ask for more.
 */
final class Delta {
  private static final String PACKAGE = "org.apache.spark.sql.delta.";

  private Delta() {}

  /** Whether a relation is a snapshot of a Delta table whose files are read as they are. */
  static boolean is(HadoopFsRelation relation) {
    if (!relation.location().getClass().getName().equals(PACKAGE + "stats.PreparedDeltaFileIndex")
        || !relation.fileFormat().getClass().getName().equals(PACKAGE + "DeltaParquetFileFormat")) {
      return false;
    }
    return get(relation.fileFormat(), "protocol", "minReaderVersion") instanceof Integer least
        && least == 1;
  }

  /** The snapshot's version, for people. */
  static Object version(HadoopFsRelation relation) {
    return get(relation.location(), "preparedScan", "version");
  }

  /** A property of a property; null where this version of Delta has none. */
  private static Object get(Object of, String property, String inner) {
    try {
      Object found = of.getClass().getMethod(property).invoke(of);
      return found.getClass().getMethod(inner).invoke(found);
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }
}
