/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Spark in this JVM, with the extension. */
final class LocalSpark {
  private static SparkSession session;

  private LocalSpark() {}

  static synchronized SparkSession session() {
    if (session == null) {
      session =
          SparkSession.builder()
              .master("local[2]")
              .appName("test")
              .config("spark.sql.extensions", FaissExtensions.class.getName())
              .config("spark.ui.enabled", "false")
              .config("spark.sql.shuffle.partitions", "3")
              .config("spark.sql.warehouse.dir", "target/warehouse")
              .getOrCreate();
    }
    return session;
  }

  static List<Row> rows(String sql) {
    return session().sql(sql).collectAsList();
  }

  /** The one value of the one row. */
  static Object value(String sql) {
    return rows(sql).get(0).get(0);
  }

  static String text(String sql) {
    List<String> lines = new ArrayList<>();
    for (Row row : rows(sql)) {
      List<String> cells = new ArrayList<>();
      for (int i = 0; i < row.size(); i++) {
        cells.add(
            row.get(i) instanceof byte[] blob
                ? java.util.HexFormat.of().formatHex(blob)
                : String.valueOf(row.get(i)));
      }
      lines.add("[" + String.join(",", cells) + "]");
    }
    return String.join("\n", lines);
  }

  static String plan(String sql) {
    return rows("explain " + sql).get(0).getString(0);
  }

  /** What is wrong with a statement, in its first line. */
  static String error(String sql) {
    try {
      return "no error but " + text(sql);
    } catch (RuntimeException e) {
      return message(e);
    } catch (Exception e) {
      return message(e);
    }
  }

  /** What is said, of all that was the cause of it. */
  static String message(Throwable e) {
    StringBuilder all = new StringBuilder();
    for (Throwable t = e; t != null; t = t.getCause()) {
      all.append(t).append('\n');
    }
    return all.toString();
  }
}
