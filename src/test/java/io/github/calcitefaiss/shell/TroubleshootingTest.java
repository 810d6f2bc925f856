/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What people see when something is wrong is what docs/troubleshooting.md tells them to look for.
 */
class TroubleshootingTest {
  private static final Document DOCUMENT = new Document("troubleshooting.md");
  private static final String URL = "jdbc:faiss:examples/packages.db";

  @TempDir Path folder;

  /** A message has a row of its own if the words of that row, between the dots, are in it. */
  private static void hasARow(String message) throws IOException {
    Matcher row =
        Pattern.compile("(?m)^\\| (`[^|]+`[^|]*?)(?: \\(\\w+\\))? \\|").matcher(DOCUMENT.text());
    while (row.find()) {
      for (String words : row.group(1).split("`(, `)?")) {
        if (words.isBlank()) {
          continue;
        }
        int at = 0;
        for (String part : words.split("…")) {
          at = at < 0 ? at : message.indexOf(part, at);
        }
        if (at >= 0) {
          return;
        }
      }
    }
    throw new AssertionError("no row for: " + message);
  }

  private void connecting(String url) throws IOException {
    hasARow(
        assertThrows(SQLException.class, () -> DriverManager.getConnection(url).close(), url)
            .getMessage());
  }

  @Test
  void onTheWayToAConnection() throws IOException {
    connecting("jdbc:faisss:x.db");
    connecting("jdbc:faiss:missing.db");
    connecting("jdbc:faiss:" + Files.writeString(folder.resolve("text.db"), "no database at all"));
    connecting(URL + ";tabels=x");
    connecting(URL + ";tables=embedings");
    Path model = folder.resolve("model.json");
    String packages = Path.of("examples/packages.db").toAbsolutePath().toString();
    Files.writeString(
        model,
        """
        {"version": "1.0", "schemas": [{"name": "p", "type": "custom",
          "factory": "io.github.calcitefaiss.FaissSchemaFactory",
          "operand": {"database": "%s", "tabels": []}}]}
        """
            .replace("%s", packages));
    connecting("jdbc:faiss:" + model);
  }

  private static void querying(Connection connection, String sql) throws IOException {
    SQLException e =
        assertThrows(
            SQLException.class,
            () -> {
              try (Statement statement = connection.createStatement();
                  ResultSet rows = statement.executeQuery(sql)) {
                while (rows.next()) {
                  rows.getObject(1);
                }
              }
            },
            sql);
    hasARow(e.getMessage());
  }

  @Test
  void inAQuery() throws Exception {
    try (Connection connection = DriverManager.getConnection(URL)) {
      querying(connection, "select faiss_search('packages', 'embedings', '[1]', 1)");
      querying(connection, "select faiss_search('packages', 'packages', '[1]', 1)");
      querying(connection, "select faiss_search('packages', 'embeddings', '[1, 2]', 1)");
      querying(connection, "select faiss_search('packages', 'embeddings', x'0102', 1)");
      querying(connection, "select nme from packages");
      querying(connection, "select * from package");
      querying(connection, "select * fro packages");
      querying(connection, "delete from packages");
      try (PreparedStatement unset =
          connection.prepareStatement("select * from packages where id = ?")) {
        hasARow(assertThrows(SQLException.class, unset::executeQuery).getMessage());
      }
      try (Statement statement = connection.createStatement()) {
        statement.setQueryTimeout(1);
        hasARow(
            assertThrows(
                    SQLException.class,
                    () ->
                        statement
                            .executeQuery(
                                "select sum(a.id * b.id + c.id) from packages a, packages b,"
                                    + " packages c")
                            .next())
                .getMessage());
      }
    }
    Path odd = folder.resolve("odd.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + odd);
        Statement statement = connection.createStatement()) {
      statement.execute("create table embeddings (id integer primary key, embedding blob)");
      statement.execute("insert into embeddings values (1, 'text')");
    }
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + odd)) {
      querying(connection, "select faiss_search('odd', 'embeddings', '[1]', 1)");
    }
  }

  @Test
  void atTheTerminal() throws IOException {
    hasARow(Terminal.run("missing.db").err());
    hasARow(Terminal.run("search", "examples/packages.db", "some text").err());
    hasARow(Terminal.run("search", "examples/blog.db", "1").err());
    hasARow(Terminal.run("serve", "examples/packages.db", "--host", "0.0.0.0").err());
  }

  /** Those of the server are provoked in its own tests, in these words. */
  @Test
  void atTheServer() throws IOException {
    for (String message :
        List.of(
            "Connection property 'model' can't be set by a client of this server; allowed: …",
            "Failed to execute HTTP Request, got HTTP/401",
            "The server has 2 connections open, its limit (--max-connections); close one",
            "Connection not found: its id is wrong, or it was closed",
            "The result has more than 250 rows, the server's limit (--max-rows); ask for fewer",
            "The request has more than 2000 bytes, the server's limit (--max-body).")) {
      hasARow(message);
    }
    assertTrue(DOCUMENT.text().contains("--idle-timeout"));
  }
}
