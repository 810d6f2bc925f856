/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static io.github.calcitefaiss.faults.VersionedDatabase.create;
import static io.github.calcitefaiss.faults.VersionedDatabase.execute;
import static io.github.calcitefaiss.faults.VersionedDatabase.faiss;
import static io.github.calcitefaiss.faults.VersionedDatabase.sqlite;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.faults.VersionedDatabase.Way;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What SECURITY.md promises, tried as one who means harm would try it. */
class AttackTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void database() throws SQLException {
    file = folder.resolve("v.db");
    create(file, "DELETE", 1);
  }

  private static SQLException refused(String url, Properties properties) {
    SQLException e =
        assertThrows(
            SQLException.class, () -> DriverManager.getConnection(url, properties).close(), url);
    assertNotNull(e.getMessage());
    assertFalse(e.getMessage().isBlank(), url);
    return e;
  }

  @Test
  void aDatabaseIsAFileAndNothingElse() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      String web = "http://127.0.0.1:" + server.getLocalPort() + "/x.db";
      List<String> names =
          List.of(
              ":resource:" + web,
              ":RESOURCE:" + web,
              ":resource:jar:" + web + "!/x",
              ":memory:",
              "::memory:",
              web,
              "jdbc:sqlite:" + file,
              "jdbc:sqlite::resource:" + web,
              "file:" + file,
              "FILE:" + file + "?mode=rwc",
              "file://" + file,
              file + "?mode=rwc",
              file + "?immutable=1&load_extension=1",
              folder.resolve("none.db").toString(),
              folder.toString(),
              "/dev/zero",
              "/dev/stdin",
              "/proc/self/mem",
              "",
              " ",
              file + "\0.txt");
      for (String name : names) {
        refused("jdbc:faiss:" + name, new Properties());
        Properties given = new Properties();
        given.setProperty("database", name);
        refused("jdbc:faiss:", given);
        String json = name.replace("\\", "\\\\").replace("\0", "\\u0000");
        String model =
            "{\"version\": \"1.0\", \"schemas\": [{\"name\": \"s\", \"type\": \"custom\","
                + " \"factory\": \"io.github.calcitefaiss.FaissSchemaFactory\", \"operand\":"
                + " {\"database\": \""
                + json
                + "\"}}]}";
        Path modelFile = Files.writeString(folder.resolve("model.json"), model);
        refused("jdbc:faiss:" + modelFile, new Properties());
        assertThrows(
            Exception.class,
            () -> DriverManager.getConnection("jdbc:calcite:model=" + modelFile).close(),
            name);
      }
      // A connection would be waiting to be accepted.
      server.setSoTimeout(1);
      assertThrows(SocketTimeoutException.class, server::accept);
      try (Stream<Path> left = Files.list(folder)) {
        assertEquals(
            List.of("model.json", "v.db"),
            left.map(path -> path.getFileName().toString()).sorted().toList());
      }
    }
  }

  @Test
  void sqlCannotWriteAttachOrLoad() throws Exception {
    byte[] before = Files.readAllBytes(file);
    Path other = folder.resolve("other.db");
    try (Connection connection = faiss(file)) {
      for (String sql :
          new String[] {
            "ATTACH DATABASE '" + other + "' AS o",
            "/* */ ATTACH '" + other + "' AS o",
            "(ATTACH '" + other + "' AS o)",
            "DETACH DATABASE main",
            "PRAGMA query_only = 0",
            "PRAGMA writable_schema = 1",
            "SELECT load_extension('x')",
            "SELECT writefile('" + other + "', 'x')",
            "SELECT readfile('/etc/hostname')",
            "SELECT edit('x')",
            "VACUUM INTO '" + other + "'",
            "INSERT INTO docs VALUES (1, 1, NULL, '')",
            "INSERT INTO docs SELECT * FROM docs",
            "UPDATE docs SET v = 7",
            "DELETE FROM docs",
            "DROP TABLE docs",
            "CREATE TABLE x (a INT)",
            "CREATE VIEW x AS SELECT 1 AS a",
            "CREATE FUNCTION f AS 'java.lang.System.exit'",
            "ALTER SESSION SET a = 1",
            "REPLACE INTO docs VALUES (1, 1, NULL, '')",
            "WITH x AS (SELECT 1) DELETE FROM docs",
            "EXPLAIN PLAN FOR DELETE FROM docs",
            "SELECT 1; DELETE FROM docs",
            "BEGIN EXCLUSIVE",
            "CALL x()"
          }) {
        try (Statement statement = connection.createStatement()) {
          SQLException e =
              assertThrows(
                  SQLException.class,
                  () -> {
                    try (ResultSet rows = statement.executeQuery(sql)) {
                      rows.next();
                    }
                  },
                  sql);
          assertFalse(String.valueOf(e.getMessage()).contains("Internal error"), sql + ": " + e);
          assertThrows(SQLException.class, () -> statement.execute(sql), sql);
          assertThrows(SQLException.class, () -> statement.executeUpdate(sql), sql);
          assertThrows(SQLException.class, () -> connection.prepareStatement(sql).executeQuery());
        }
      }
      assertEquals(1, Way.SCAN.ask(connection));
    }
    assertArrayEquals(before, Files.readAllBytes(file));
    assertFalse(Files.exists(other));
  }

  @Test
  void namesAreNamesWhateverTheyHold() throws Exception {
    List<String> names =
        List.of(
            "a\"; DROP TABLE docs; --",
            "it's",
            "x' OR '1'='1",
            "[br]acket",
            "back`tick",
            "snow\u2603man",
            "sqlite-like",
            "select");
    try (Connection writer = sqlite(file)) {
      for (String name : names) {
        String quoted = '"' + name.replace("\"", "\"\"") + '"';
        execute(
            writer,
            "CREATE TABLE " + quoted + " (id INTEGER PRIMARY KEY, embedding BLOB)",
            "INSERT INTO " + quoted + " VALUES (5, X'0000803F')");
      }
    }
    try (Connection connection = faiss(file);
        PreparedStatement search =
            connection.prepareStatement("SELECT faiss_search('v', ?, X'0000803F', 1)")) {
      for (String name : names) {
        search.setString(1, name);
        try (ResultSet row = search.executeQuery()) {
          row.next();
          assertEquals("[5]", row.getString(1), name);
        }
        try (Statement statement = connection.createStatement();
            ResultSet row =
                statement.executeQuery(
                    "SELECT id FROM \"" + name.replace("\"", "\"\"") + "\" WHERE id = 5")) {
          assertTrue(row.next(), name);
        }
      }
      for (String name : List.of("docs\0", "\0", "main.docs", "sqlite_schema", "docs\" --")) {
        search.setString(1, name);
        SQLException e = assertThrows(SQLException.class, () -> search.executeQuery().next(), name);
        assertEquals("42704", e.getSQLState(), name + ": " + e);
      }
      assertEquals(1, Way.SEARCH.ask(connection));
    }
  }

  @Test
  void awkwardPathsAreOpenedAsTheyAre() throws Exception {
    for (String name : List.of("a?b.db", "100%.db", "a#b.db", "a b.db", "%41.db", "\u00e9.db")) {
      Path odd = Files.copy(file, folder.resolve(name));
      Properties given = new Properties();
      given.setProperty("database", odd.toString());
      try (Connection connection = DriverManager.getConnection("jdbc:faiss:", given)) {
        assertEquals(1, Way.SCAN.ask(connection), name);
      }
    }
    assertFalse(Files.exists(folder.resolve("A.db")));
  }
}
