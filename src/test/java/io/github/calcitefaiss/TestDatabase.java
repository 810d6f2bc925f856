/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** A SQLite file for a test, written by SQLite's own driver. */
public final class TestDatabase {
  private TestDatabase() {}

  /** Runs statements that write; the file is made if it isn't there. */
  public static Path write(Path file, String... statements) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
    return file;
  }

  /** Three documents with vectors of two elements: (1, 0), (0, 1), (3, 4). */
  public static Path blog(Path folder) throws SQLException {
    return write(
        folder.resolve("blog.db"),
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT, author INTEGER NOT NULL"
            + " REFERENCES author ON DELETE CASCADE, score REAL, body BLOB)",
        "CREATE INDEX post_by_score ON post (score DESC, title)",
        "CREATE TABLE embeddings (id INTEGER PRIMARY KEY REFERENCES post(id), embedding BLOB)",
        "CREATE TABLE pair (a INTEGER, b TEXT, note, PRIMARY KEY (b, a))",
        "CREATE VIEW titles AS SELECT id, title FROM post",
        "INSERT INTO author VALUES (1, 'Ann'), (2, 'Ben')",
        "INSERT INTO post VALUES (1, 'cat', 1, 0.5, x'01'), (2, 'dog', 1, 1.5, NULL),"
            + " (3, 'owl', 2, NULL, x''), (5000000000, 'far', 2, 2.5, x'ff')",
        "INSERT INTO embeddings VALUES (1, x'0000803f00000000'), (2, x'000000000000803f'),"
            + " (3, x'0000404000008040')");
  }

  public static Connection connect(Path file) throws SQLException {
    return DriverManager.getConnection("jdbc:faiss:" + file);
  }

  /** A connection on which Calcite plans every statement. */
  public static Connection connectPlanned(Path file) throws SQLException {
    return DriverManager.getConnection("jdbc:faiss:" + file + ";native=off");
  }

  /**
   * A model of a file beside a folder {@code csv} with one file, as the schemas {@code s} and
   * {@code csv}.
   *
   * @param file the name of a SQLite file in a folder
   * @param table the name of the file of CSV, without its end
   */
  public static Path besideCsv(Path folder, String file, String table, String csv)
      throws IOException {
    Files.writeString(Files.createDirectory(folder.resolve("csv")).resolve(table + ".csv"), csv);
    return Files.writeString(
        folder.resolve("model.json"),
        """
        {"version": "1.0", "defaultSchema": "s", "schemas": [
          {"name": "s", "type": "custom", "factory": "io.github.calcitefaiss.FaissSchemaFactory",
           "operand": {"database": "%s"}},
          {"name": "csv", "type": "custom",
           "factory": "org.apache.calcite.adapter.file.FileSchemaFactory",
           "operand": {"directory": "csv"}}]}
        """
            .replace("%s", file));
  }
}
