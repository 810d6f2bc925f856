/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong with constants is said when a statement is prepared, and where they stand. */
class PrepareErrorsTest {
  @TempDir static Path folder;
  private static Connection connection;

  @BeforeAll
  static void connect() throws SQLException {
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("c.db"));
        Statement s = sqlite.createStatement()) {
      for (String table : new String[] {"e", "unloaded"}) {
        s.execute("CREATE TABLE " + table + "(id INTEGER PRIMARY KEY, embedding BLOB)");
        s.execute("INSERT INTO " + table + " VALUES (1, x'0000803f00000040'), (2, NULL)");
      }
      s.execute("CREATE TABLE plain(x INTEGER, embedding BLOB)");
    }
    connection = DriverManager.getConnection("jdbc:faiss:" + folder.resolve("c.db"));
  }

  @AfterAll
  static void close() throws SQLException {
    connection.close();
  }

  private static SQLException error(String sql) {
    return assertThrows(SQLException.class, () -> connection.prepareStatement(sql).close(), sql);
  }

  private static String value(String sql) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql);
        ResultSet rows = statement.executeQuery()) {
      return rows.next() ? rows.getString(1) : "no row";
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "select faiss_search('cc', 'e', '[1,2]', 3)                                   | 21"
            + " | faiss_search: database: unknown database 'cc' (did you mean 'c'?); known: c",
        "select faiss_search('c', 'ee', '[1,2]', 3)                                   | 26"
            + " | faiss_search: table: unknown table 'ee' in database 'c'",
        "select faiss_search('c', 'plain', ?, 3)                                      | 26"
            + " | faiss_search: table: 'c.plain' has no index",
        "select faiss_search('c', 'e', '[1,x]', 3)                                    | 31"
            + " | faiss_search: vector: malformed JSON at element 1",
        "select faiss_search('c', 'e', x'', 3)                                        | 31"
            + " | faiss_search: vector: the vector is empty",
        "select faiss_search('c', 'e', x'000000', 3)                                  | 31"
            + " | faiss_search: vector: ",
        "select faiss_search('c', 'e', ?, -1)                                         | 34"
            + " | faiss_search: k: expected 0 or more, got -1",
        "select faiss_search_with_scores('c', 'e', ?, 1.5)                            | 46"
            + " | faiss_search_with_scores: k: expected a whole number, got the number 1.5",
        "select faiss_search('c', 'e', ?, '5')                                        | 34"
            + " | faiss_search: k: expected a whole number, got the text '5'",
        "select * from faiss_neighbors('c', 'e', ?, -1)                               | 44"
            + " | faiss_neighbors: k: expected 0 or more, got -1",
        "select * from faiss_neighbors('c', 'nosuch', ?, 1)                           | 36"
            + " | faiss_neighbors: table: unknown table 'nosuch'",
        "select * from e, lateral table(faiss_neighbors('d', 'e', e.embedding, 1)) n  | 48"
            + " | faiss_neighbors: database: unknown database 'd'",
        "select faiss_agg(id, embedding, '[1', 5) from e                              | 33"
            + " | faiss_agg: query: ",
        "select faiss_agg(id, embedding, ?, -5) from e                                | 36"
            + " | faiss_agg: k: expected 0 or more, got -5",
        "select faiss_encode('{}')                                                    | 8"
            + " | faiss_encode: json: expected a JSON array of numbers, got an object",
        "select faiss_encode('[1, null]') from e                                      | 8"
            + " | faiss_encode: json: element 1 is null",
        "select faiss_encode(7)                                                       | 8"
            + " | faiss_encode: json: expected JSON text, got the number 7",
        "select faiss_decode(x'0000')                                                 | 8"
            + " | faiss_decode: blob: ",
        "select id from e where l2_distance(embedding, 'abc') < 1                     | 47"
            + " | l2_distance: second vector: malformed JSON at element 0",
        "select id from e where cosine_distance(7, embedding) < 1                     | 40"
            + " | cosine_distance: first vector: expected a blob of float32 elements",
        "select l2_distance('[1,2]', '[1,2,3]')                                       | 8"
            + " | l2_distance: the vectors' dimensions differ: 2 and 3",
        "select inner_product(x'0000803f', faiss_encode('[1, 2]'))                    | 8"
            + " | inner_product: the vectors' dimensions differ: 1 and 2",
        "select l2_distance(ARRAY[1, 2], '[1]')                                       | 8"
            + " | l2_distance: the vectors' dimensions differ: 2 and 1",
        "select vec_slice('[1,2,3]', 2, 5)                                            | 8"
            + " | vec_slice: elements 2 to 5 are not all in a vector of 3 dimensions",
        "select subvector(embedding, -1, 2) from e                                    | 29"
            + " | subvector: start: expected 0 or more, got -1",
        "select vec_length('[')                                                       | 19"
            + " | vec_length: vector: ",
      })
  void isSaidAtPrepare(String sql, int column, String message) {
    SQLException e = error(sql.strip());
    assertTrue(e.getMessage().startsWith(message.strip()), e.getMessage());
    assertTrue(e.getMessage().contains("(line 1, column " + column + ")"), e.getMessage());
    assertTrue(e.getSQLState().equals("22000") || e.getSQLState().equals("42704"), sql);
  }

  @Test
  void thePlaceIsThatOfTheTextAsTyped() {
    String sql =
        "select id,\n  -- a comment with a [bracket\n  l2_distance(embedding,\n    'x')\nfrom e";
    assertTrue(error(sql).getMessage().endsWith("(line 4, column 5)"));
  }

  @Test
  void aDimensionIsKnownOnceTheIndexIsLoaded() throws SQLException {
    value("select faiss_search('c', 'e', '[1,2]', 1)");
    for (String sql :
        new String[] {
          "select faiss_search('c', 'e', '[1,2,3]', 1)",
          "select * from faiss_neighbors('c', 'e', x'0000803f0000803f0000803f', 1)",
          "select id from e order by l2_distance(embedding, '[1,2,3]') limit 1",
          "select x.id from e as x where l2_distance('[1,2,3]', x.embedding) < 1"
        }) {
      SQLException e = error(sql);
      assertTrue(e.getMessage().contains(": vector: expected 2 dimensions, got 3 (line"), sql + e);
    }
    String unloaded = "select faiss_search('c', 'unloaded', '[1,2,3]', 1)";
    connection.prepareStatement(unloaded).close();
    SQLException e = assertThrows(SQLException.class, () -> value(unloaded));
    assertEquals("faiss_search: vector: expected 2 dimensions, got 3", e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select case when vector_dims(embedding) = 1 then l2_distance(embedding, 'abc') end from e",
        "select coalesce('x', faiss_encode('abc')) from e",
        "select ifnull('x', faiss_decode(x'00')) from e",
        "select id from e where 1 = 0 or case when 1 = 0 then faiss_encode('') is null end",
      })
  void whatMayNeverBeEvaluatedIsLeftToTheRun(String sql) throws SQLException {
    value(sql);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select faiss_search(null, 'nosuch', 'abc', -1)",
        "select faiss_search('nosuch', 'e', '[1]', null)",
        "select l2_distance('abc', null)",
        "select vec_slice(null, -1, 7)",
      })
  void nullStaysNull(String sql) throws SQLException {
    assertNull(value(sql));
  }
}
