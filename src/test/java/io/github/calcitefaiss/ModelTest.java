/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models, through our driver and through Calcite's own. */
class ModelTest {
  private static final String VECTOR = "X'0000803F'";

  @TempDir static Path folder;

  @BeforeAll
  static void makeDatabases() throws SQLException {
    for (String name : new String[] {"blog", "wiki"}) {
      try (Connection sqlite =
              DriverManager.getConnection("jdbc:sqlite:" + folder.resolve(name + ".db"));
          Statement statement = sqlite.createStatement()) {
        int first = name.equals("blog") ? 1 : 100;
        statement.execute("CREATE TABLE embeddings(id INTEGER PRIMARY KEY, embedding BLOB)");
        statement.execute("CREATE TABLE notes(note_id INTEGER PRIMARY KEY, vec BLOB)");
        statement.execute("CREATE TABLE plain(x INTEGER)");
        for (int i = 0; i < 3; i++) {
          statement.execute("INSERT INTO embeddings VALUES(" + (first + i) + ", " + VECTOR + ")");
          statement.execute("INSERT INTO notes VALUES(" + (first + i + 10) + ", " + VECTOR + ")");
        }
      }
    }
  }

  private static String schema(String name, String operands) {
    return "{\"name\": \""
        + name
        + "\", \"type\": \"custom\", \"factory\":"
        + " \"io.github.calcitefaiss.FaissSchemaFactory\", \"operand\": {"
        + operands
        + "}}";
  }

  private static Path model(String... schemas) throws Exception {
    Path file = Files.createTempFile(folder, "model", ".json");
    Files.writeString(
        file,
        "{\"version\": \"1.0\", \"defaultSchema\": \"blog\", \"schemas\": ["
            + String.join(",", schemas)
            + "]}");
    return file;
  }

  private static String value(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertTrue(rows.next());
      return rows.getString(1);
    }
  }

  private static Connection calcite(Path model) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("model", model.toString());
    properties.setProperty("lex", "MYSQL_ANSI");
    properties.setProperty("caseSensitive", "false");
    properties.setProperty("unquotedCasing", "UNCHANGED");
    properties.setProperty("conformance", "LENIENT");
    properties.setProperty("defaultNullCollation", "LOW");
    properties.setProperty(
        "parserFactory", "io.github.calcitefaiss.sql.parser.FaissParser#FACTORY");
    properties.setProperty("typeSystem", "io.github.calcitefaiss.sql.planner.FaissTypeSystem");
    return DriverManager.getConnection("jdbc:calcite:", properties);
  }

  /** Calcite's own URL with nothing but the model folds unquoted names to upper case. */
  @Test
  void twoPropertiesAreEnoughForNamesInCalcitesOwnUrl() throws Exception {
    Path model = model(schema("blog", "\"database\": \"blog.db\""));
    try (Connection c = DriverManager.getConnection("jdbc:calcite:model=" + model)) {
      assertEquals("[1.0]", value(c, "select \"faiss_decode\"(\"faiss_encode\"('[1]'))"));
      assertEquals("1", value(c, "select min(\"id\") from \"embeddings\""));
      SQLException table =
          assertThrows(SQLException.class, () -> value(c, "select id from embeddings"));
      assertTrue(
          table.getMessage().contains("Object 'EMBEDDINGS' not found within 'blog'; did you mean"),
          table.getMessage());
      SQLException function =
          assertThrows(SQLException.class, () -> value(c, "select faiss_encode('[1]')"));
      assertTrue(
          function.getMessage().contains("No match found for function signature FAISS_ENCODE"),
          function.getMessage());
    }
    try (Connection c =
        DriverManager.getConnection(
            "jdbc:calcite:model=" + model + ";lex=MYSQL_ANSI;caseSensitive=false")) {
      assertEquals("1", value(c, "select ID from Embeddings limit 1"));
      assertEquals("[1.0]", value(c, "select Faiss_Decode(FAISS_ENCODE('[1]'))"));
      assertEquals("[1, 2]", value(c, "select faiss_search('blog', 'embeddings', '[1]', 2)"));
    }
  }

  @Test
  void severalDatabasesAreSearchedFromAnyDefaultSchema() throws Exception {
    Path model =
        model(
            schema("blog", "\"database\": \"blog.db\""),
            schema("wiki", "\"database\": \"wiki.db\", \"tables\": [\"embeddings\"]"));
    for (Connection c :
        new Connection[] {DriverManager.getConnection("jdbc:faiss:" + model), calcite(model)}) {
      try (c) {
        assertEquals("[1, 2]", value(c, "select faiss_search('blog', 'embeddings', '[1]', 2)"));
        assertEquals("[100, 101]", value(c, "select faiss_search('wiki', 'embeddings', '[1]', 2)"));
        c.setSchema("wiki");
        assertEquals("[1, 2]", value(c, "select faiss_search('blog', 'embeddings', '[1]', 2)"));
        assertEquals("100", value(c, "select min(id) from embeddings"));
        assertEquals("1", value(c, "select min(id) from blog.embeddings"));
        assertEquals(
            "[1, 2, 3, 100]",
            value(
                c,
                "select faiss_agg(id, embedding, '[1]', 4) from (select * from blog.embeddings"
                    + " union all select * from wiki.embeddings)"));
      }
    }
  }

  @Test
  void tablesAreNamedInEveryForm() throws Exception {
    Path model =
        model(
            schema(
                "blog",
                "\"database\": \"blog.db\", \"tables\": [[\"blog\", \"embeddings\"],"
                    + " {\"table\": \"notes\", \"id\": \"note_id\", \"embedding\": \"vec\"}]"));
    try (Connection c = DriverManager.getConnection("jdbc:faiss:" + model)) {
      assertEquals("[1]", value(c, "select faiss_search('blog', 'embeddings', '[1]', 1)"));
      assertEquals("[11]", value(c, "select faiss_search('blog', 'notes', '[1]', 1)"));
      assertEquals("11", value(c, "select id from faiss_neighbors('blog', 'notes', '[1]', 1)"));
      assertEquals("2", value(c, "select count(*) from \"metadata\".\"faiss_indexes\""));
    }
  }

  @Test
  void yamlSaysTheSame() throws Exception {
    Path model = folder.resolve("model.yaml");
    Files.writeString(
        model,
        "version: 1.0\ndefaultSchema: blog\nschemas:\n- name: blog\n  type: custom\n"
            + "  factory: io.github.calcitefaiss.FaissSchemaFactory\n  operand:\n"
            + "    database: blog.db\n    tables:\n    - embeddings\n"
            + "    - {table: notes, id: note_id, embedding: vec}\n");
    for (Connection c :
        new Connection[] {DriverManager.getConnection("jdbc:faiss:" + model), calcite(model)}) {
      try (c) {
        assertEquals("[11]", value(c, "select faiss_search('blog', 'notes', '[1]', 1)"));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"database\": \"blog.db\", \"table\": []|unknown operand 'table' (did you mean 'tables'?)",
        "\"tables\": []|operand 'database' must be the path of a SQLite file, got none",
        "\"database\": \"nowhere.db\"|does not exist",
        "\"database\": \".\"|is a directory",
        "\"database\": \":memory:\"|not a URL",
        "\"database\": \":resource:http://127.0.0.1/x.db\"|not a URL",
        "\"database\": \"jdbc:sqlite:blog.db\"|not a URL",
        "\"database\": \"file:blog.db?mode=rw\"|not a URL",
        "\"database\": \"blog.db?mode=memory\"|does not exist",
        "\"database\": \"blog.db\", \"tables\": [\"embedings\"]|no table 'embedings'",
        "\"database\": \"blog.db\", \"tables\": [\"plain\"]|table 'plain' has no column 'id'",
        "\"database\": \"blog.db\", \"tables\": [{\"table\": \"notes\", \"id\": \"nid\"}]|no column"
            + " 'nid'",
        "\"database\": \"blog.db\", \"tables\": [{\"tabel\": \"notes\"}]|did you mean 'table'?",
        "\"database\": \"blog.db\", \"tables\": [[\"wiki\", \"embeddings\"]]|expected 'blog'",
        "\"database\": \"blog.db\", \"tables\": [\"embeddings\", \"Embeddings\"]|twice",
        "\"database\": \"blog.db\", \"tables\": 5|must be a list",
        "\"database\": \"blog.db\", \"tables\": [5]|expected a table's name",
        "\"database\": \"blog.db\", \"onBadRow\": \"ignore\"|expected 'error' or 'skip'",
        "\"database\": \"blog.db\", \"busyTimeout\": \"soon\"|expected milliseconds",
      })
  void whatIsWrongIsSaidAtConnectTime(String operands, String message) throws Exception {
    Path model = model(schema("blog", operands));
    SQLException e =
        assertThrows(
            SQLException.class, () -> DriverManager.getConnection("jdbc:faiss:" + model).close());
    assertTrue(e.getMessage().contains(message), e.getMessage());
    // Calcite's own driver hides the reason in the cause.
    Throwable cause = assertThrows(Throwable.class, () -> calcite(model).close());
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String last = cause.toString();
    assertTrue(last.contains(message) || message.equals("does not exist"), last);
  }

  @Test
  void inlineModelsTakePathsFromTheWorkingDirectory() throws Exception {
    Properties properties = new Properties();
    properties.setProperty(
        "model",
        "inline:{\"version\": \"1.0\", \"defaultSchema\": \"blog\", \"schemas\": ["
            + schema("blog", "\"database\": \"examples/blog.db\"")
            + "]}");
    properties.setProperty("caseSensitive", "false");
    try (Connection c = DriverManager.getConnection("jdbc:calcite:", properties)) {
      assertTrue(Integer.parseInt(value(c, "select count(*) from \"embeddings\"")) > 0);
    }
  }

  @Test
  void aPreparedSearchIsNotFrozenAndOneStatementSearchesOnce() throws Exception {
    Path file = folder.resolve("fresh.db");
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement write = sqlite.createStatement()) {
      write.execute("CREATE TABLE embeddings(id INTEGER PRIMARY KEY, embedding BLOB)");
      write.execute("INSERT INTO embeddings VALUES (1, " + VECTOR + "), (2, " + VECTOR + ")");
      try (Connection c = DriverManager.getConnection("jdbc:faiss:" + file);
          PreparedStatement prepared =
              c.prepareStatement(
                  "select count(*) from embeddings where"
                      + " faiss_search('fresh', 'embeddings', '[1]', 9) = '[1, 2, 3]'");
          PreparedStatement each =
              c.prepareStatement(
                  "select faiss_search('fresh', 'embeddings', '[1]', 9) from embeddings")) {
        assertEquals("0", one(prepared));
        write.execute("INSERT INTO embeddings VALUES (3, " + VECTOR + ")");
        assertEquals("3", one(prepared));
        String searches = "select searches from \"metadata\".\"faiss_indexes\"";
        long before = Long.parseLong(value(c, searches));
        assertEquals("[1, 2, 3]", one(each));
        assertEquals(before + 1, Long.parseLong(value(c, searches)));
      }
    }
  }

  private static String one(PreparedStatement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery()) {
      String first = null;
      while (rows.next()) {
        first = rows.getString(1);
      }
      return first;
    }
  }
}
