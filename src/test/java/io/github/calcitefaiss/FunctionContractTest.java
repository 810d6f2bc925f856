/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each function promises, input by input, through JDBC. */
class FunctionContractTest {
  @TempDir static Path folder;
  private static Path file;
  private static Connection connection;

  @BeforeAll
  static void connect() throws SQLException {
    file = folder.resolve("c.db");
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement s = sqlite.createStatement()) {
      s.execute("CREATE TABLE e(id INTEGER PRIMARY KEY, embedding BLOB)");
      s.execute(
          "INSERT INTO e VALUES (1,"
              + x(0, 0)
              + "),(2,"
              + x(1, 0)
              + "),(3,"
              + x(0, 2)
              + "),(4,"
              + x(3, 3)
              + "),(5,NULL)");
      s.execute("CREATE TABLE named(id TEXT PRIMARY KEY, embedding BLOB)");
      s.execute(
          "INSERT INTO named VALUES ('a\"q',"
              + x(0)
              + "),('é日',"
              + x(1)
              + "),('back\\s',"
              + x(2)
              + "),('tab\t',"
              + x(3)
              + ")");
      s.execute("CREATE TABLE big(id INTEGER PRIMARY KEY, embedding BLOB)");
      s.execute(
          "INSERT INTO big VALUES (9223372036854775807,"
              + x(1)
              + "),(-5,"
              + x(2)
              + "),(5000000000,"
              + x(3)
              + ")");
      s.execute("CREATE TABLE ties(id INTEGER, embedding BLOB)");
      s.execute(
          "INSERT INTO ties VALUES (9,"
              + x(1)
              + "),(3,"
              + x(1)
              + "),(7,"
              + x(-1)
              + "),(3,"
              + x(1)
              + "),(1,"
              + x(5)
              + ")");
      s.execute("CREATE TABLE huge(id INTEGER PRIMARY KEY, embedding BLOB)");
      s.execute(
          "INSERT INTO huge VALUES (1,"
              + x(3e38f)
              + "),(2,"
              + x(-3e38f)
              + "),(3,"
              + x(1e38f)
              + "),"
              + "(4,"
              + x(Float.MIN_VALUE)
              + "),(5,"
              + x(-0f)
              + ")");
      s.execute("CREATE TABLE hollow(id INTEGER PRIMARY KEY, embedding BLOB)");
      s.execute("CREATE TABLE mixed(id, embedding BLOB)");
      s.execute(
          "INSERT INTO mixed VALUES (1.5,"
              + x(1)
              + "),('x',"
              + x(1)
              + "),(2,"
              + x(1)
              + "),(x'0a',"
              + x(1)
              + ")");
      s.execute("CREATE TABLE plain(id INTEGER PRIMARY KEY, name TEXT)");
      bad(s, "short", "(1," + x(1, 2) + "),(2," + x(1) + "),(3," + x(1, 3) + ")");
      bad(s, "ragged", "(1," + x(1) + "),(2,x'010203')");
      bad(s, "nan", "(1," + x(1, 2) + "),(2," + x(1, Float.NaN) + ")");
      bad(s, "infinite", "(1," + x(Float.NEGATIVE_INFINITY, 2) + ")");
      bad(s, "text", "(1," + x(1) + "),(2,'[1]')");
      bad(s, "number", "(1," + x(1) + "),(2,5)");
      bad(s, "noid", "(1," + x(1) + "),(NULL," + x(1) + ")");
      bad(s, "empties", "(1," + x(1) + "),(2,x'')");
    }
    connection = DriverManager.getConnection("jdbc:faiss:" + file);
  }

  private static void bad(Statement s, String name, String rows) throws SQLException {
    s.execute("CREATE TABLE bad_" + name + "(id INTEGER, embedding BLOB)");
    s.execute("INSERT INTO bad_" + name + " VALUES " + rows);
  }

  @AfterAll
  static void close() throws SQLException {
    connection.close();
  }

  private static String x(float... elements) {
    ByteBuffer blob = ByteBuffer.allocate(elements.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    blob.asFloatBuffer().put(elements);
    return "X'" + HexFormat.of().formatHex(blob.array()) + "'";
  }

  private static String value(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertTrue(rows.next());
      String value = rows.getString(1);
      assertFalse(rows.next());
      return value;
    }
  }

  private static SQLException error(String sql) {
    return assertThrows(SQLException.class, () -> value(sql), sql);
  }

  private static void assertError(String expected, String sql) {
    String message = error(sql).getMessage();
    assertTrue(message.startsWith(expected), () -> "expected " + expected + ", got " + message);
  }

  private static String search(String table, String vector, Object k) throws SQLException {
    return value("select faiss_search('c', '" + table + "', " + vector + ", " + k + ")");
  }

  private static void assertSearchError(String expected, String table, String vector, Object k) {
    assertError(expected, "select faiss_search('c', '" + table + "', " + vector + ", " + k + ")");
  }

  @Test
  void searchFindsTheNearest() throws SQLException {
    assertEquals("[1, 2, 3]", search("e", x(0, 0), 3));
    assertEquals("[1, 2, 3]", search("e", "'[0, 0]'", 3));
    assertEquals("[1, 2, 3]", search("E", x(0, 0), 3));
    assertEquals(
        "[[1, 0.0], [2, 1.0], [3, 4.0], [4, 18.0]]",
        value("select faiss_search_with_scores('c', 'e', " + x(0, 0) + ", 4)"));
  }

  @Test
  void searchRefusesUnknownNames() {
    assertSearchError("faiss_search: table: unknown table 'ee'", "ee", x(0, 0), 1);
    assertTrue(error("select faiss_search('c', 'ee', X'', 1)").getMessage().contains("'e'"));
    assertError(
        "faiss_search: database: unknown database 'cc' (did you mean 'c'?); known: c",
        "select faiss_search('cc', 'e', " + x(0, 0) + ", 1)");
    assertSearchError("faiss_search: table: 'c.plain' has no index", "plain", x(0), 1);
    assertSearchError(
        "faiss_search: table: unknown table 'a\"; DROP TABLE x'", "a\"; DROP TABLE x", x(0), 1);
    assertError(
        "faiss_search: database: unknown database 'metadata'",
        "select faiss_search('metadata', 'e', " + x(0, 0) + ", 1)");
  }

  @Test
  void searchTakesAnyWholeCount() throws SQLException {
    assertEquals("[]", search("e", x(0, 0), 0));
    assertEquals("[1, 2, 3, 4]", search("e", x(0, 0), 100));
    assertEquals("[1, 2, 3, 4]", search("e", x(0, 0), "9223372036854775807"));
    assertEquals("[1, 2]", search("e", x(0, 0), "2.0"));
    assertSearchError("faiss_search: k: expected 0 or more, got -1", "e", x(0, 0), -1);
    assertSearchError("faiss_search: k: expected a whole number, got", "e", x(0, 0), "1.5");
    assertSearchError("faiss_search: k: expected a whole number, got", "e", x(0, 0), "1e-1");
    assertSearchError("faiss_search: k: expected a whole number, got", "e", x(0, 0), "'5'");
  }

  @Test
  void searchRefusesWrongVectors() {
    assertSearchError("faiss_search: vector: expected 2 dimensions, got 3", "e", x(1, 2, 3), 1);
    assertSearchError("faiss_search: vector: ", "e", "X'010203'", 1);
    assertTrue(error("select faiss_search('c', 'e', X'010203', 1)").getMessage().contains("3"));
    assertSearchError("faiss_search: vector: the vector is empty (0 bytes)", "e", "X''", 1);
    assertSearchError("faiss_search: vector: element 1 is NaN", "e", x(1, Float.NaN), 1);
    assertSearchError(
        "faiss_search: vector: element 0 is -Infinity", "e", x(Float.NEGATIVE_INFINITY, 1), 1);
    assertSearchError("faiss_search: vector: ", "e", "'hello'", 1);
    assertSearchError("faiss_search: vector: expected a blob", "e", "5", 1);
  }

  @Test
  void searchOfNullIsNull() throws SQLException {
    assertNull(value("select faiss_search(null, 'e', " + x(0, 0) + ", 1)"));
    assertNull(value("select faiss_search('c', null, " + x(0, 0) + ", 1)"));
    assertNull(value("select faiss_search('c', 'e', null, 1)"));
    assertNull(value("select faiss_search('c', 'e', " + x(0, 0) + ", null)"));
    assertNull(value("select faiss_search_with_scores('c', 'e', null, 1)"));
  }

  @Test
  void searchOrdersHugeAndTinyValuesRight() throws SQLException {
    assertEquals("[1, 3, 4, 5, 2]", search("huge", x(3e38f), 5));
    assertEquals("[5, 4, 3, 1, 2]", search("huge", x(0), 5));
    assertEquals("[4, 5, 3, 1, 2]", search("huge", x(Float.MIN_VALUE), 5));
  }

  @Test
  void searchOfAnEmptyTableIsEmpty() throws SQLException {
    assertEquals("[]", search("hollow", x(1, 2, 3), 5));
  }

  @Test
  void idsKeepTheirTypeAndText() throws SQLException {
    assertEquals(
        "[\"a\\\"q\", \"\\u00e9\\u65e5\", \"back\\\\s\", \"tab\\t\"]", search("named", x(0), 4));
    assertEquals("[9223372036854775807, -5, 5000000000]", search("big", x(1), 3));
    assertEquals("[1.5, 2, \"x\", \"0A\"]", search("mixed", x(1), 4));
  }

  @Test
  void tiesAreInTheOrderOfIdsAndRepeatedIdsAreKept() throws SQLException {
    assertEquals("[3, 3, 7, 9, 1]", search("ties", x(0), 5));
    assertEquals("[3, 3, 7]", search("ties", x(0), 3));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "short    | [1, 2] | the row with id 2 | [1, 3]",
        "ragged   | [1]    | the row with id 2 | [1]",
        "nan      | [1, 2] | the row with id 2 | [1]",
        "infinite | [1, 2] | the row with id 1 | []",
        "text     | [1]    | the row with id 2 | [1]",
        "number   | [1]    | the row with id 2 | [1]",
        "noid     | [1]    | row 2             | [1]",
        "empties  | [1]    | the row with id 2 | [1]"
      })
  void badRowsAreNamedOrSkipped(String table, String vector, String row, String skipping)
      throws SQLException {
    String sql = "select faiss_search('c', 'bad_" + table + "', '" + vector + "', 5)";
    assertError("table c.bad_" + table + ", " + row + ": its ", sql);
    try (Connection other =
            DriverManager.getConnection(
                "jdbc:faiss:" + file + ";onBadRow=skip;tables=bad_" + table);
        Statement statement = other.createStatement()) {
      try (ResultSet rows = statement.executeQuery(sql)) {
        assertTrue(rows.next());
        assertEquals(skipping, rows.getString(1));
      }
      try (ResultSet rows =
          statement.executeQuery("select skipped_rows from \"metadata\".\"faiss_indexes\"")) {
        assertTrue(rows.next());
        assertEquals(1, rows.getLong(1));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[1, 2, 3] | 0000803F0000004000004040",
        "[ 1 , 2.5e0,\t3E2 ] | 0000803F0000204000009643",
        "[1e-46] | 00000000",
        "[-0.0] | 00000080",
        "[16777217] | 0000804B",
        "[] | ''",
      })
  void encodeReadsJson(String json, String hex) throws SQLException {
    assertEquals(hex, value("select hex(faiss_encode('" + json + "'))"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "hello",
        "5",
        "{}",
        "[[1]]",
        "[null]",
        "[\"1\"]",
        "[1] x",
        "[1][2]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "[NaN]",
        "[Infinity]",
        "[1e39]",
        "[-1e39]",
        "[1e999]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[01]",
        "[0x1]",
        "[true]",
        "[1,2",
        "null",
        "[1;2]",
        "\"[1]\"",
        "[1]]",
      })
  void encodeRefusesWhatIsNoVector(String json) {
    assertError("faiss_encode: json: ", "select faiss_encode('" + json + "')");
  }

  @Test
  void encodeSaysWhichElementAndWhere() {
    assertError(
        "faiss_encode: json: element 2 is null at character 8, expected a number",
        "select faiss_encode('[1, 2, null]')");
    assertError(
        "faiss_encode: json: element 1 is 1e39 at character 5, beyond float32",
        "select faiss_encode('[1, 1e39]')");
    assertError("faiss_encode: json: expected JSON text, got a blob", "select faiss_encode(X'00')");
  }

  @Test
  void encodeBearsLongAndDeepText() throws SQLException {
    StringBuilder longText = new StringBuilder("[0.25");
    while (longText.length() < 10_000_000) {
      longText.append(", 0.25");
    }
    longText.append(']');
    try (PreparedStatement statement =
        connection.prepareStatement("select length(faiss_encode(?)), faiss_encode(?)")) {
      statement.setString(1, longText.toString());
      statement.setString(2, "[1]");
      try (ResultSet rows = statement.executeQuery()) {
        assertTrue(rows.next());
        assertTrue(rows.getLong(1) > 6_000_000);
      }
      statement.setString(2, "[".repeat(10_000));
      SQLException e =
          assertThrows(
              SQLException.class,
              () -> {
                try (ResultSet rows = statement.executeQuery()) {
                  rows.next();
                  rows.getBytes(2);
                }
              });
      assertTrue(e.getMessage().startsWith("faiss_encode: json: element 0 is an array"));
    }
  }

  /** A message says what was wrong, not a megabyte of it. */
  @Test
  void messagesCutLongArguments() throws SQLException {
    String many = "x".repeat(100_000);
    for (String call :
        List.of(
            "faiss_search('" + many + "', 'embeddings', X'00000000', 1)",
            "faiss_search('c', '" + many + "', X'00000000', 1)",
            "faiss_encode('" + many + "')",
            "faiss_encode('[1] " + many + "')",
            "json_extract('[1]', '" + many + "')")) {
      SQLException e = assertThrows(SQLException.class, () -> value("select " + call));
      assertTrue(e.getMessage().length() < 1000, e.getMessage());
    }
  }

  @Test
  void decodeWritesJsonAsPythonDoes() throws SQLException {
    assertEquals("[]", value("select faiss_decode(X'')"));
    assertEquals(
        "[1.0, 0.25, -0.0, 1.401298464324817e-45, 3.4028234663852886e+38, 1.0000000272564224e+16,"
            + " 123456792.0, 9.999999747378752e-05, 0.00019999999494757503]",
        value(
            "select faiss_decode("
                + x(
                    1,
                    0.25f,
                    -0f,
                    Float.MIN_VALUE,
                    Float.MAX_VALUE,
                    1e16f,
                    123456789,
                    9.9999997e-5f,
                    2e-4f)
                + ")"));
    assertNull(value("select faiss_decode(null)"));
    assertNull(value("select faiss_encode(null)"));
    assertError("faiss_decode: blob: ", "select faiss_decode(X'010203')");
    assertError(
        "faiss_decode: blob: element 1 is NaN", "select faiss_decode(" + x(1, Float.NaN) + ")");
    assertError(
        "faiss_decode: blob: element 0 is Infinity",
        "select faiss_decode(" + x(Float.POSITIVE_INFINITY) + ")");
    assertError("faiss_decode: blob: expected a blob", "select faiss_decode('[1]')");
  }

  @Test
  void aggregateGivesTheNearestOfItsRows() throws SQLException {
    String q = x(0, 0);
    assertEquals("[1, 2]", value("select faiss_agg(id, embedding, " + q + ", 2) from e"));
    assertEquals(
        "[[1, 0.0], [2, 1.0]]",
        value("select faiss_agg_with_scores(id, embedding, " + q + ", 2) from e"));
    assertEquals("[]", value("select faiss_agg(id, embedding, " + q + ", 0) from e"));
    assertEquals(
        "[1, 2, 3, 4]", value("select faiss_agg(id, embedding, " + q + ", 1000000000) from e"));
    assertEquals(
        "[3, 4]", value("select faiss_agg(id, embedding, " + q + ", 9) from e where id > 2"));
    assertEquals(
        "[3, 4]",
        value("select faiss_agg(id, embedding, " + q + ", 9) filter (where id > 2) from e"));
    assertEquals(
        "[1, 2, 3, 4]",
        value(
            "select faiss_agg(distinct id, embedding, "
                + q
                + ", 9) from"
                + " (select * from e union all select * from e)"));
    assertEquals("[\"a\\\"q\"]", value("select faiss_agg(id, embedding, '[0]', 1) from named"));
  }

  @Test
  void aggregateOfNothingIsNullAndOfNullsIsEmpty() throws SQLException {
    String q = x(0, 0);
    assertNull(value("select faiss_agg(id, embedding, " + q + ", 2) from e where id > 99"));
    assertEquals("[]", value("select faiss_agg(id, embedding, " + q + ", 2) from e where id = 5"));
    assertNull(value("select faiss_agg(id, embedding, null, 2) from e"));
    assertNull(value("select faiss_agg(id, embedding, " + q + ", null) from e"));
  }

  @Test
  void aggregateRefusesWhatChangesWithinAGroup() {
    assertError(
        "faiss_agg: query changes within a group",
        "select faiss_agg(id, embedding, embedding, 2) from e where id < 4");
    assertError(
        "faiss_agg: k changes within a group",
        "select faiss_agg(id, embedding, " + x(0, 0) + ", id) from e");
    assertError(
        "faiss_agg: embedding: expected 3 dimensions, got 2",
        "select faiss_agg(id, embedding, " + x(0, 0, 0) + ", 2) from e");
    assertError(
        "faiss_agg: k: expected 0 or more, got -1",
        "select faiss_agg(id, embedding, " + x(0, 0) + ", -1) from e");
    assertError(
        "faiss_agg: embedding: ",
        "select faiss_agg(id, embedding, '[1]', 2) from bad_nan where id = 2");
  }

  @Test
  void aggregateWorksByGroupAndInWindows() throws SQLException {
    assertEquals(
        "[3, 3]",
        value(
            "select faiss_agg(id, embedding, '[0]', 5) from ties group by id having count(*) > 1"));
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select id, faiss_agg(e.id, e.embedding, q.v, 2) over (order by e.id) from e cross"
                    + " join (select embedding v from e where id = 4) q order by id")) {
      StringBuilder all = new StringBuilder();
      while (rows.next()) {
        all.append(rows.getString(2));
      }
      assertEquals("[1][2, 1][3, 2][4, 3][4, 3]", all.toString());
    }
  }

  @Test
  void distancesAreTheRootAndCosineOfZeroIsNull() throws SQLException {
    assertEquals("5.0", value("select l2_distance('[1,2]', '[4,6]')"));
    assertEquals("25.0", value("select l2_squared_distance('[1,2]', '[4,6]')"));
    assertEquals("7.0", value("select l1_distance('[1,2]', '[4,6]')"));
    assertEquals("11.0", value("select inner_product('[1,2]', '[3,4]')"));
    assertEquals("1.0", value("select cosine_distance('[1,0]', '[0,1]')"));
    assertNull(value("select cosine_distance('[0,0]', '[0,1]')"));
    assertNull(value("select cosine_similarity('[1,0]', '[0,0]')"));
    assertNull(value("select l2_distance(null, '[1]')"));
    for (String alias :
        new String[] {"euclidean_distance", "vec_distance_l2", "array_distance", "L2_DISTANCE"}) {
      assertEquals("5.0", value("select " + alias + "('[1,2]', '[4,6]')"));
    }
    assertEquals("11.0", value("select dot_product('[1,2]', '[3,4]')"));
    assertEquals("7.0", value("select vec_distance_l1('[1,2]', '[4,6]')"));
    assertEquals("1.0", value("select vec_distance_cosine('[1,0]', '[0,1]')"));
    assertError(
        "l2_distance: the vectors' dimensions differ: 2 and 3",
        "select l2_distance('[1,2]', '[4,6,7]')");
  }

  @Test
  void helpersMeasureAndCombine() throws SQLException {
    assertEquals("3", value("select vector_dims('[1,2,3]')"));
    assertEquals("3", value("select vec_length('[1,2,3]')"));
    assertEquals("5.0", value("select vector_norm('[3,4]')"));
    assertEquals("[0.0, 1.0]", value("select vec_to_json(l2_normalize('[0,4]'))"));
    assertEquals("[0.0, 1.0]", value("select vec_to_json(vec_normalize('[0,4]'))"));
    assertNull(value("select l2_normalize('[0,0]')"));
    assertEquals("[4.0, 6.0]", value("select vec_to_json(vec_add('[1,2]', '[3,4]'))"));
    assertEquals("[-2.0, -2.0]", value("select vec_to_json(vec_sub('[1,2]', '[3,4]'))"));
    assertEquals("[2.0, 3.0]", value("select vec_to_json(vec_slice('[1,2,3]', 1, 3))"));
    assertEquals("[1.0, 2.0]", value("select vec_to_json(subvector('[1,2,3]', 1, 2))"));
    assertError("vec_slice: elements 2 to 4", "select vec_slice('[1,2,3]', 2, 4)");
    assertError("vec_slice: elements 2 to 1", "select vec_slice('[1,2,3]', 2, 1)");
    assertError("subvector: 3 elements from number 2", "select subvector('[1,2,3]', 2, 3)");
    assertError("subvector: 1 elements from number 0", "select subvector('[1,2,3]', 0, 1)");
    assertError("vec_add: element 0 of the result", "select vec_add('[3e38]', '[3e38]')");
    assertError("vec_sub: the vectors' dimensions differ", "select vec_sub('[1]', '[1,2]')");
  }

  @Test
  void neighborsAreRows() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select * from table(faiss_neighbors('c', 'e', " + x(0, 0) + ", 3))")) {
      assertEquals("id", rows.getMetaData().getColumnLabel(1));
      assertEquals("BIGINT", rows.getMetaData().getColumnTypeName(1));
      StringBuilder all = new StringBuilder();
      while (rows.next()) {
        all.append(rows.getLong(1) + " " + rows.getDouble(2) + " " + rows.getLong(3) + "; ");
      }
      assertEquals("1 0.0 1; 2 1.0 2; 3 2.0 3; ", all.toString());
    }
    assertError(
        "faiss_neighbors: table: unknown table 'x'",
        "select count(*) from table(faiss_neighbors('c', 'x', " + x(0, 0) + ", 3))");
    assertEquals("0", value("select count(*) from table(faiss_neighbors('c', 'e', null, 3))"));
  }

  @Test
  void jsonFunctionsAreSqlites() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select * from json_each('[1, 2.5, \"x\", null, true, false, [1, 2], {\"a\":"
                    + " 1}]')")) {
      StringBuilder all = new StringBuilder();
      while (rows.next()) {
        all.append(rows.getString(1) + " " + rows.getString(2) + " " + rows.getString(3) + "; ");
      }
      assertEquals(
          "0 1 integer; 1 2.5 real; 2 x text; 3 null null; 4 1 true; 5 0 false; 6 [1,2] array;"
              + " 7 {\"a\":1} object; ",
          all.toString());
    }
    assertEquals("0", value("select count(*) from json_each(null)"));
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select sum(value) from json_each(?) union all"
                + " select max(value) from json_each(?2, ?3)")) {
      statement.setString(1, "[1, 20]");
      statement.setString(2, "{\"a\": [3, 2]}");
      statement.setString(3, "$.a");
      try (ResultSet rows = statement.executeQuery()) {
        assertTrue(rows.next());
        assertEquals(21, rows.getLong(1));
        assertTrue(rows.next());
        assertEquals(3, rows.getLong(1));
      }
    }
    assertEquals("b", value("select \"key\" from json_each('{\"b\": 1}')"));
    assertEquals("2", value("select count(*) from json_each('{\"b\": [1, 2]}', '$.b')"));
    assertEquals("2", value("select json_extract('[1, [2, 3]]', '$[1][0]')"));
    assertEquals("3", value("select json_extract('{\"a b\": [1, 3]}', '$.\"a b\"[#-1]')"));
    assertNull(value("select json_extract('[1]', '$[5]')"));
    assertNull(value("select json_extract('[1]', null)"));
    assertError("malformed JSON", "select json_extract('[1', '$')");
    assertError("bad JSON path: 'x'", "select json_extract('[1]', 'x')");
    assertError("malformed JSON", "select count(*) from json_each('[1')");
  }

  @Test
  void parametersMayBeBlobsOrJsonText() throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select faiss_search(?, ?, ?, ?)")) {
      statement.setString(1, "c");
      statement.setString(2, "e");
      statement.setBytes(3, new byte[8]);
      statement.setInt(4, 2);
      try (ResultSet rows = statement.executeQuery()) {
        assertTrue(rows.next());
        assertEquals("[1, 2]", rows.getString(1));
      }
      statement.setString(3, "[3, 3]");
      statement.setLong(4, 1);
      try (ResultSet rows = statement.executeQuery()) {
        assertTrue(rows.next());
        assertEquals("[4]", rows.getString(1));
      }
    }
  }
}
