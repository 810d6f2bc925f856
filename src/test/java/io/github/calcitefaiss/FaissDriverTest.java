/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.calcite.jdbc.CalciteConnection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ways to connect, what they set, and what a wrong one is told. */
class FaissDriverTest {
  @TempDir private static Path folder;

  private static Object one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertTrue(rows.next());
      Object value = rows.getObject(1);
      assertFalse(rows.next());
      return value;
    }
  }

  @Test
  void pathIsEnough() throws SQLException {
    try (Connection connection = TestDatabase.connect(blog())) {
      assertEquals("blog", connection.getSchema());
      assertEquals(4L, one(connection, "select count(*) from Post"));
      assertEquals(4L, one(connection, "select count(*) from \"BLOG\".POST"));
      assertEquals(
          "[3, 1]",
          one(
              connection,
              "select faiss_search('blog', 'embeddings'," + " faiss_encode('[3, 3]'), 2)"));
      assertInstanceOf(CalciteConnection.class, connection.unwrap(CalciteConnection.class));
      assertEquals("jdbc:faiss:" + blog(), connection.getMetaData().getURL());
    }
  }

  private static Path blog() throws SQLException {
    Path file = folder.resolve("blog.db");
    return Files.exists(file) ? file : TestDatabase.blog(folder);
  }

  @Test
  void identifiersAndNullsAsInSqlite() throws SQLException {
    try (Connection connection = TestDatabase.connect(blog());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select SCORE as sCore from post order by Score")) {
      assertEquals("sCore", rows.getMetaData().getColumnLabel(1));
      assertTrue(rows.next());
      assertNull(rows.getObject(1));
      assertTrue(connection.getMetaData().nullsAreSortedLow());
    }
  }

  @Test
  void propertiesInTheUrlAndBesideIt() throws SQLException {
    Properties info = new Properties();
    info.setProperty("user", "ann");
    info.setProperty("onBadRow", "skip");
    info.setProperty("defaultNullCollation", "HIGH");
    try (Connection connection =
        DriverManager.getConnection(
            "jdbc:faiss:" + blog() + ";tables=embeddings;BusyTimeout=100", info)) {
      assertTrue(connection.getMetaData().nullsAreSortedHigh());
      assertEquals(1L, one(connection, "select count(*) from \"metadata\".\"faiss_indexes\""));
    }
    info.setProperty("database", blog().toString());
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:", info)) {
      assertEquals("blog", connection.getSchema());
    }
    try (Connection connection =
        DriverManager.getConnection("jdbc:faiss:database=" + blog() + ";schema=METADATA")) {
      assertEquals("metadata", connection.getSchema());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"m.json", "m.yaml"})
  void modelFile(String name) throws Exception {
    Path model = folder.resolve(name);
    String json =
        "{\"version\": \"1.0\", \"defaultSchema\": \"b\", \"schemas\": [{\"name\": \"b\","
            + " \"type\": \"custom\", \"factory\": \"io.github.calcitefaiss.FaissSchemaFactory\","
            + " \"operand\": {\"database\": \"blog.db\"}}]}";
    blog();
    Files.writeString(model, json);
    for (String url : List.of("jdbc:faiss:" + model, "jdbc:faiss:model=" + model)) {
      try (Connection connection = DriverManager.getConnection(url)) {
        assertEquals("b", connection.getSchema());
        assertEquals(2L, one(connection, "select count(*) from author"));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "jdbc:faiss: | No database given; give jdbc:faiss:path/to/file.db",
        "jdbc:faiss::resource:x.db | must be the path of a file, got ':resource:x.db'",
        "jdbc:faiss::memory: | must be the path of a file, got ':memory:'",
        "jdbc:faiss:file:x.db | must be the path of a file, got 'file:x.db'",
        "jdbc:faiss:http://host/x.db | must be the path of a file, got 'http://host/x.db'",
        "jdbc:faiss:BLOG?mode=rwc&native=off | blog.db;mode=rwc;native=off",
        "jdbc:faiss:nowhere.db?native=off | must be the path of a file, got",
        "jdbc:faiss:database=:resource:http://host/x | must be the path of a file",
        "jdbc:faiss:model=http://host/m.json | must be the path of a file",
        "jdbc:faiss:nowhere/x.db | does not exist",
        "jdbc:faiss:nowhere/m.json | Model file 'nowhere/m.json' can't be read",
        "jdbc:faiss:BLOG;tabels=x | Unknown connection property 'tabels' (did you mean 'tables'?)",
        "jdbc:faiss:BLOG;tables=embedings | no table 'embedings' in",
        "jdbc:faiss:BLOG;model=m.json | a property names another database or model",
        "jdbc:faiss:database=BLOG;model=m.json | Both a database and a model are given",
        "jdbc:faiss:BLOG;schema=blgo | There is no schema 'blgo' (did you mean 'blog'?)",
        "jdbc:faiss:BLOG;caseSensitive=perhaps | 'caseSensitive' is 'perhaps', expected one of"
            + " true",
        "jdbc:faiss:BLOG;conformance=LENENT | expected one of DEFAULT, LENIENT",
        "jdbc:faiss:BLOG;schemaFactory=x.Y | Property 'schemaFactory' can't be used: name a model",
        "jdbc:faiss:model=inline:{} | The model can't be read: Missing required creator property",
      })
  void wrongUrl(String url, String message) throws SQLException {
    String real = url.replace("BLOG", blog().toString());
    SQLException e = assertThrows(SQLException.class, () -> DriverManager.getConnection(real));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertEquals("08001", e.getSQLState());
  }

  @Test
  void otherUrlsAreNotOurs() throws SQLException {
    FaissDriver driver = new FaissDriver();
    assertNull(driver.connect("jdbc:calcite:", new Properties()));
    assertFalse(driver.acceptsURL("jdbc:sqlite:x.db"));
    assertTrue(driver.acceptsURL("jdbc:faiss:x.db"));
    assertFalse(driver.jdbcCompliant());
  }

  @Test
  void toolsCanListTheProperties() {
    DriverPropertyInfo[] properties = new FaissDriver().getPropertyInfo("jdbc:faiss:x.db", null);
    Map<String, String> defaults = new TreeMap<>();
    for (DriverPropertyInfo property : properties) {
      defaults.put(property.name, String.valueOf(property.value));
      assertFalse(property.description.contains("Calcite's " + property.name), property.name);
      if (property.choices != null) {
        List<String> choices = Arrays.asList(property.choices);
        assertTrue(property.value == null || choices.contains(property.value), property.name);
      }
    }
    defaults
        .keySet()
        .retainAll(
            List.of(
                "database",
                "tables",
                "onBadRow",
                "busyTimeout",
                "refresh",
                "memoryLimit",
                "native",
                "schema",
                "model",
                "caseSensitive",
                "quoting",
                "timeZone"));
    assertEquals(
        "{busyTimeout=5000, caseSensitive=false, database=null, memoryLimit=null, model=null,"
            + " native=auto, onBadRow=error, quoting=DOUBLE_QUOTE, refresh=auto, schema=null,"
            + " tables=null, timeZone=Etc/UTC}",
        defaults.toString());
  }

  @Test
  void everyOperandsDefaultCanBeGiven() throws Exception {
    Path file = TestDatabase.blog(Files.createDirectories(folder.resolve("defaults")));
    assertEquals(
        List.of(
            "database",
            "tables",
            "onBadRow",
            "busyTimeout",
            "refresh",
            "memoryLimit",
            "memory",
            "snapshots",
            "columns",
            "embeddingModel",
            "onBadText"),
        List.copyOf(FaissConfig.OPERANDS.keySet()));
    Properties given = new Properties();
    FaissConfig.OPERANDS.forEach(
        (name, operand) -> {
          if (operand.byDefault() != null) {
            given.setProperty(name, operand.byDefault());
          }
        });
    given.setProperty("native", "auto");
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + file, given)) {
      assertEquals(3L, one(connection, "select count(*) from embeddings"));
    }
  }

  @Test
  void pathsWithOddCharacters() throws Exception {
    Path odd = Files.createDirectories(folder.resolve("a b,c=d's ü"));
    Path file = TestDatabase.write(odd.resolve("x y.db"), "CREATE TABLE t (a)");
    try (Connection connection = TestDatabase.connect(file)) {
      assertEquals("x y", connection.getSchema());
      assertEquals(0L, one(connection, "select count(*) from t"));
    }
  }
}
