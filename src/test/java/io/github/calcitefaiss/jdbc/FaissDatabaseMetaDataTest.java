/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What tools ask a connection. */
class FaissDatabaseMetaDataTest {
  @TempDir private Path folder;
  private Connection connection;
  private DatabaseMetaData meta;

  @BeforeEach
  void connect() throws SQLException {
    connection = TestDatabase.connect(TestDatabase.blog(folder));
    meta = connection.getMetaData();
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  /** The rows, each as the named columns joined by spaces. */
  private static List<String> rows(ResultSet result, String... columns) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (result) {
      while (result.next()) {
        List<String> values = new ArrayList<>();
        for (String column : columns) {
          values.add(result.getString(column));
        }
        rows.add(String.join(" ", values.stream().map(String::valueOf).toList()));
      }
    }
    return rows;
  }

  @Test
  void schemasAndCatalogs() throws SQLException {
    assertEquals(List.of("blog", "metadata"), rows(meta.getSchemas(), "TABLE_SCHEM"));
    assertEquals(List.of("blog"), rows(meta.getSchemas(null, "B_OG"), "TABLE_SCHEM"));
    assertEquals(List.of(), rows(meta.getCatalogs(), "TABLE_CAT"));
    assertEquals(List.of(), rows(meta.getTables("other", null, null, null), "TABLE_NAME"));
  }

  @Test
  void tablesByPattern() throws SQLException {
    assertEquals(
        List.of("TABLE author", "TABLE embeddings", "TABLE pair", "TABLE post", "VIEW titles"),
        rows(meta.getTables(null, "blog", "%", null), "TABLE_TYPE", "TABLE_NAME"));
    assertEquals(
        List.of("titles"),
        rows(meta.getTables(null, null, null, new String[] {"VIEW"}), "TABLE_NAME"));
    assertEquals(
        List.of("pair", "post"), rows(meta.getTables("", "BLOG", "P%", null), "TABLE_NAME"));
    assertEquals(List.of(), rows(meta.getTables(null, "blog", "p\\%", null), "TABLE_NAME"));
    assertEquals(
        List.of("Indexed for vector search: id \"id\", vector \"embedding\""),
        rows(meta.getTables(null, null, "embeddings", null), "REMARKS"));
    assertEquals(
        List.of("SYSTEM TABLE", "TABLE", "VIEW"), rows(meta.getTableTypes(), "TABLE_TYPE"));
  }

  @Test
  void namesArePatterns() {
    for (String like :
        new String[] {
          null, "%", "%%", "ü€😀", "Ü€_", "__\ud83d\ude00", "%😀", "ü%", "%€%", "_%_", "ü€😀%"
        }) {
      assertTrue(new NamePattern(like).matches("ü€😀"), like);
    }
    for (String like : new String[] {"", "ü€", "ü€__", "€%", "ü€\\_", "%x", "\\%"}) {
      assertFalse(new NamePattern(like).matches("ü€😀"), like);
    }
    assertTrue(new NamePattern("a\\_b\\%").matches("A_b%"));
    assertFalse(new NamePattern("a\\_b").matches("axb"));
    // Regular expressions took longer than anybody waits.
    assertFalse(new NamePattern("%a".repeat(40) + "%b").matches("a".repeat(400)));
  }

  @Test
  void aDatabaseIsFoundByItsNameWhateverThatIs(@TempDir Path folder) throws SQLException {
    for (String name : new String[] {"ü€😀", "q?x#y%41", "it's", "50%_"}) {
      Path file = folder.resolve(name + ".db");
      try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
          Statement statement = sqlite.createStatement()) {
        statement.execute("CREATE TABLE \"t 😀\" (id INTEGER, \"c€😀\" TEXT)");
      }
      try (Connection faiss = DriverManager.getConnection("jdbc:faiss:" + file);
          ResultSet columns =
              faiss.getMetaData().getColumns(null, faiss.getSchema(), "t 😀", "c€😀")) {
        assertTrue(columns.next(), name);
        assertEquals(name, columns.getString("TABLE_SCHEM"));
      }
    }
  }

  @Test
  void columns() throws SQLException {
    assertEquals(
        List.of(
            "1 id BIGINT -5 NO Declared INTEGER",
            "2 title VARCHAR 12 YES Declared TEXT",
            "3 author BIGINT -5 NO Declared INTEGER",
            "4 score DOUBLE 8 YES Declared REAL",
            "5 body VARBINARY -3 YES Declared BLOB"),
        rows(
            meta.getColumns(null, null, "POST", null),
            "ORDINAL_POSITION",
            "COLUMN_NAME",
            "TYPE_NAME",
            "DATA_TYPE",
            "IS_NULLABLE",
            "REMARKS"));
    assertEquals(
        List.of("embeddings Vectors of float32, indexed for search"),
        rows(meta.getColumns(null, "%", "%", "emb%"), "TABLE_NAME", "REMARKS").stream()
            .filter(row -> row.startsWith("embeddings"))
            .toList());
  }

  @Test
  void keys() throws SQLException {
    assertEquals(
        List.of("a 2", "b 1"),
        rows(meta.getPrimaryKeys(null, "blog", "PAIR"), "COLUMN_NAME", "KEY_SEQ"));
    assertEquals(
        List.of("author id post author 1 0 3"),
        rows(
            meta.getImportedKeys(null, null, "post"),
            "PKTABLE_NAME",
            "PKCOLUMN_NAME",
            "FKTABLE_NAME",
            "FKCOLUMN_NAME",
            "KEY_SEQ",
            "DELETE_RULE",
            "UPDATE_RULE"));
    assertEquals(
        List.of("embeddings id"),
        rows(meta.getExportedKeys(null, null, "post"), "FKTABLE_NAME", "FKCOLUMN_NAME"));
    assertEquals(
        1,
        rows(meta.getCrossReference(null, null, "author", null, null, "post"), "FK_NAME").size());
    assertEquals(
        0, rows(meta.getCrossReference(null, null, "pair", null, null, "post"), "FK_NAME").size());
    assertEquals(
        List.of("id"), rows(meta.getBestRowIdentifier(null, null, "post", 2, true), "COLUMN_NAME"));
  }

  @Test
  void indexes() throws SQLException {
    assertEquals(
        List.of("post_by_score 1 score D true", "post_by_score 2 title A true"),
        rows(
            meta.getIndexInfo(null, null, "post", false, true),
            "INDEX_NAME",
            "ORDINAL_POSITION",
            "COLUMN_NAME",
            "ASC_OR_DESC",
            "NON_UNIQUE"));
    assertEquals(List.of(), rows(meta.getIndexInfo(null, null, "post", true, true), "INDEX_NAME"));
    assertEquals(
        List.of("name"), rows(meta.getIndexInfo(null, null, "author", true, true), "COLUMN_NAME"));
  }

  @Test
  void functionsWithTheirParameters() throws SQLException {
    List<String> names = rows(meta.getFunctions(null, null, "FAISS%"), "FUNCTION_NAME");
    assertTrue(
        names.containsAll(
            List.of(
                "faiss_agg",
                "faiss_agg_with_scores",
                "faiss_decode",
                "faiss_encode",
                "faiss_neighbors",
                "faiss_search",
                "faiss_search_with_scores")),
        names.toString());
    assertEquals(
        List.of("0  VARCHAR 4", "1 database VARCHAR 1", "2 table VARCHAR 1", "3 vector ANY 1"),
        rows(
                meta.getFunctionColumns(null, null, "faiss_search", "%"),
                "ORDINAL_POSITION",
                "COLUMN_NAME",
                "TYPE_NAME",
                "COLUMN_TYPE")
            .subList(0, 4));
    assertEquals(List.of(), rows(meta.getProcedures(null, null, null), "PROCEDURE_NAME"));
  }

  @Test
  void typesAreListedOnce() throws SQLException {
    List<String> types = rows(meta.getTypeInfo(), "TYPE_NAME");
    assertEquals(types.stream().distinct().toList(), types);
    assertTrue(types.containsAll(List.of("BIGINT", "DOUBLE", "VARCHAR", "VARBINARY")));
  }

  @Test
  void whoWeAre() throws SQLException {
    assertEquals("calcite-faiss", meta.getDatabaseProductName());
    assertEquals("calcite-faiss JDBC driver", meta.getDriverName());
    assertTrue(meta.getDriverVersion().matches("\\d+\\.\\d+.*"), meta.getDriverVersion());
    assertSame(connection, meta.getConnection());
    assertTrue(meta.isReadOnly());
    assertEquals("\"", meta.getIdentifierQuoteString());
    assertFalse(meta.supportsMixedCaseIdentifiers());
    assertTrue(meta.storesMixedCaseIdentifiers());
    assertFalse(meta.supportsTransactions());
    assertFalse(meta.supportsBatchUpdates());
  }

  /** Tools call them all, and one that throws ends their connection. */
  @Test
  void everyQuestionWithoutArgumentsHasAnAnswer() throws Exception {
    for (Method method : DatabaseMetaData.class.getMethods()) {
      if (method.getParameterCount() == 0) {
        assertNotNull(method.invoke(meta), method.getName());
      }
    }
  }

  private static final List<List<Object>> TEXTS =
      List.of(
          List.of("%", "%", "%", "%"),
          List.of("", "", "", ""),
          List.of("no", "such", "thing", "here"),
          List.of("\\", "_\\", "[(*", "'\"; --"),
          Arrays.asList(null, null, null, null),
          Arrays.asList(null, "blog", "post", null),
          Arrays.asList("", "%", "embeddings", "%"));

  /** An argument of a parameter's type, odder with every try. */
  private static Object odd(Class<?> type, Object text, int attempt) {
    if (type == String.class) {
      return text;
    } else if (type == boolean.class) {
      return attempt % 2 == 0;
    } else if (type == int.class) {
      return List.of(0, 1, -1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE, 2000).get(attempt);
    } else if (type == String[].class) {
      return attempt % 3 == 0
          ? new String[] {null}
          : attempt % 3 == 1 ? new String[0] : new String[] {"VIEW", null, "no such"};
    } else if (type == int[].class) {
      return attempt % 2 == 0 ? null : new int[] {-1};
    }
    return attempt % 2 == 0 ? DatabaseMetaData.class : Connection.class;
  }

  @Test
  void oddQuestionsHaveAnAnswerOrOneSentence() throws Exception {
    for (Method method : DatabaseMetaData.class.getMethods()) {
      for (int attempt = 0; attempt < TEXTS.size(); attempt++) {
        Object[] arguments = new Object[method.getParameterCount()];
        for (int i = 0; i < arguments.length; i++) {
          Object text = TEXTS.get(attempt).get(i % 4);
          arguments[i] = odd(method.getParameterTypes()[i], text, attempt);
        }
        String call = method.getName() + Arrays.deepToString(arguments);
        try {
          if (method.invoke(meta, arguments) instanceof ResultSet result) {
            assertTrue(result.getMetaData().getColumnCount() > 0, call);
            while (result.next()) {
              result.getString(1);
            }
            result.close();
          }
        } catch (InvocationTargetException e) {
          assertTrue(e.getCause() instanceof SQLException, call + ": " + e.getCause());
          String said = e.getCause().getMessage();
          assertFalse(said.isBlank() || said.contains("Exception"), call + ": " + said);
        }
      }
    }
  }

  @Test
  void whatIsSaidOfTheDriverAgreesWithItself() throws SQLException {
    assertEquals(
        meta.supportsConvert(), meta.supportsConvert(Types.VARCHAR, Types.INTEGER), "convert");
    assertFalse(meta.supportsStoredProcedures());
    assertFalse(meta.supportsStoredFunctionsUsingCallSyntax());
    assertThrows(SQLException.class, () -> connection.prepareCall("{? = call length('a')}"));
    for (int type :
        List.of(
            ResultSet.TYPE_FORWARD_ONLY,
            ResultSet.TYPE_SCROLL_INSENSITIVE,
            ResultSet.TYPE_SCROLL_SENSITIVE)) {
      assertEquals(type == ResultSet.TYPE_FORWARD_ONLY, meta.supportsResultSetType(type));
      assertFalse(meta.supportsResultSetConcurrency(type, ResultSet.CONCUR_UPDATABLE));
      assertFalse(meta.ownInsertsAreVisible(type) || meta.othersInsertsAreVisible(type));
      assertFalse(meta.ownUpdatesAreVisible(type) || meta.othersUpdatesAreVisible(type));
      assertFalse(meta.ownDeletesAreVisible(type) || meta.othersDeletesAreVisible(type));
      assertFalse(meta.insertsAreDetected(type) || meta.updatesAreDetected(type));
      assertFalse(meta.deletesAreDetected(type));
    }
    assertFalse(meta.supportsBatchUpdates());
    assertFalse(meta.supportsSavepoints());
    assertFalse(meta.supportsGetGeneratedKeys());
    assertFalse(meta.supportsSelectForUpdate());
    assertFalse(meta.supportsMultipleTransactions());
  }

  /** What tools such as Spark can't read otherwise. */
  @Test
  void columnsWithoutATypeAreAnnouncedAsTheirValuesAre() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("views.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price REAL, b BLOB, raw)",
            "INSERT INTO t VALUES (1, 'a', 1.5, x'01', 1), (2, 'b', 2, x'02', 'x')",
            "CREATE VIEW v AS SELECT id + 1 AS next, name || '!' AS loud, price * 2 AS twice,"
                + " substr(b, 1) AS bytes, CASE id WHEN 1 THEN 'a' ELSE 2 END AS mixed,"
                + " NULL AS unset, CASE id WHEN 1 THEN 1 ELSE 0.5 END AS number FROM t",
            "CREATE VIEW broken AS SELECT abs(-9223372036854775807 - id) AS x FROM t");
    String types =
        "next BIGINT, loud VARCHAR, twice DOUBLE, bytes VARBINARY, mixed VARCHAR, unset VARCHAR,"
            + " number DOUBLE";
    try (Connection views = TestDatabase.connect(file);
        Statement statement = views.createStatement()) {
      DatabaseMetaData about = views.getMetaData();
      assertEquals(
          types,
          String.join(
              ", ", rows(about.getColumns(null, null, "v", null), "COLUMN_NAME", "TYPE_NAME")));
      assertEquals(
          List.of("x VARCHAR"),
          rows(about.getColumns(null, null, "broken", null), "COLUMN_NAME", "TYPE_NAME"));
      assertEquals(
          List.of("raw VARCHAR"),
          rows(about.getColumns(null, null, "t", "raw"), "COLUMN_NAME", "TYPE_NAME"));
      // As Spark asks for the columns of a table.
      try (ResultSet none = statement.executeQuery("SELECT * FROM v WHERE 1=0")) {
        ResultSetMetaData columns = none.getMetaData();
        List<String> shown = new ArrayList<>();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
          shown.add(columns.getColumnName(i) + " " + columns.getColumnTypeName(i));
        }
        assertEquals(types, String.join(", ", shown));
      }
      try (ResultSet values = statement.executeQuery("select mixed from v order by next")) {
        assertTrue(values.next());
        assertEquals("a", values.getObject(1));
        assertTrue(values.next());
        assertEquals(2L, values.getObject(1));
      }
    }
  }
}
