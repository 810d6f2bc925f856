/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Databases in the shapes that other programs write. */
class RealFilesTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void place() {
    file = folder.resolve("f.db");
  }

  private void sqlite(String... statements) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** A blob literal. */
  private static String x(float... elements) {
    return "x'" + HexFormat.of().formatHex(VectorCodec.encode(elements)) + "'";
  }

  private List<String> rows(String properties, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + file + properties);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (row.next()) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
          text.append(i > 1 ? "|" : "").append(row.getString(i));
        }
        rows.add(text.toString());
      }
      return rows;
    }
  }

  private List<String> rows(String sql) throws SQLException {
    return rows("", sql);
  }

  private String error(String sql) {
    return assertThrows(SQLException.class, () -> rows(sql)).getMessage();
  }

  /** As llm writes it: two collections, each made by a model of its own, with the same ids. */
  private void llm() throws SQLException {
    sqlite(
        "create table embeddings (collection_id integer, id text, embedding blob, content text,"
            + " primary key (collection_id, id))",
        "insert into embeddings values (1, 'k0', "
            + x(1, 0)
            + ", 'a'), (1, 'k1', "
            + x(0, 1)
            + ", 'b'), (1, 'k2', "
            + x(.9f, .1f)
            + ", 'c'), (2, 'k0', "
            + x(1, 0, 0)
            + ", 'd'), (2, 'k3', "
            + x(0, 0, 1)
            + ", 'e'), (2, 'k4', null, 'f')");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select id from embeddings where collection_id = 1 order by l2_distance(embedding, '[1,0]') limit 2",
        "select id from embeddings where content < 'd' order by l2_distance(embedding, '[1,0]') limit 2",
        "select id from embeddings where collection_id = 1 and l2_distance(embedding, '[1,0]') < 1"
            + " order by l2_distance(embedding, '[1,0]')",
      })
  void aConditionLeavesOneDimension(String sql) throws SQLException {
    llm();
    assertEquals(List.of("k0", "k2"), rows(sql));
  }

  @Test
  void eachDimensionIsSearchedByItself() throws SQLException {
    llm();
    assertEquals(
        List.of("[[\"k0\", 0.0], [\"k2\", 0.020000005066395377]]|[\"k3\"]"),
        rows(
            "select faiss_search_with_scores('f', 'embeddings', '[1,0]', 2),"
                + " faiss_search('f', 'embeddings', '[0,0,1]', 1)"));
    assertEquals(
        List.of("k3", "k0", "k4"),
        rows(
            "select id from embeddings where collection_id = 2"
                + " order by l2_distance(embedding, '[0,0,1]') nulls last limit 3"));
    assertEquals(
        List.of("3|2", "2|3"),
        rows("select row_count, dims from \"metadata\".\"faiss_indexes\" where dims is not null"));
    // A query for each collection, in one statement.
    assertEquals(
        List.of("1|k2", "2|k0"),
        rows(
            "select q.collection_id, n.id from embeddings q join lateral (select * from embeddings e"
                + " where e.collection_id = q.collection_id and e.id <> q.id"
                + " and e.embedding is not null order by l2_distance(e.embedding, q.embedding) limit 1) n on true"
                + " where q.id in ('k0', 'k3') and not (q.collection_id = 2 and q.id = 'k0')"));
  }

  @Test
  void withoutAConditionTheDimensionsAreNamed() throws SQLException {
    llm();
    assertEquals(
        "l2_distance: table f.embeddings holds vectors of several dimensions (3 of 2 dimensions,"
            + " 2 of 3 dimensions), told apart by its column collection_id: a condition must leave"
            + " those of one, as in WHERE collection_id = 1",
        error("select id from embeddings order by l2_distance(embedding, '[1,0]') limit 2"));
    assertEquals(
        "faiss_search: vector: expected 2 or 3 dimensions, got 4",
        error("select faiss_search('f', 'embeddings', '[1,0,0,0]', 2)"));
  }

  /** Where ids repeat within a dimension, too, nothing but the vectors tells rows apart. */
  @Test
  void repeatedIdsOfSeveralDimensions() throws SQLException {
    llm();
    sqlite("insert into embeddings values (3, 'k0', " + x(0, 2) + ", 'a')");
    assertEquals(
        List.of("3|k0", "1|k1"),
        rows(
            "select collection_id, id from embeddings where collection_id in (1, 3)"
                + " order by l2_distance(embedding, '[0,2]') limit 2"));
    assertTrue(
        error("select id from embeddings order by l2_distance(embedding, '[0,2]') limit 2")
            .contains("told apart by its column collection_id"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"text", "json", "", "blob", "varchar(2000)"})
  void vectorsAsJsonText(String type) throws SQLException {
    sqlite(
        "create table jv (id integer primary key, embedding " + type + ")",
        "insert into jv values (1, '[1,0,0]'), (2, ' [ 0.0, 1e0, 0 ]'), (3, '[3, 0, 0]'), (4, null)");
    assertEquals(
        List.of("1", "3"),
        rows(
            "select id from jv where embedding is not null"
                + " order by l2_distance(embedding, '[1.9,0,0]') limit 2"));
    assertEquals(
        List.of("4", "1"),
        rows("select id from jv order by l2_distance(embedding, '[1.9,0,0]') limit 2"));
    assertEquals(
        List.of("[[1, 1.0], [3, 1.0]]"),
        rows("select faiss_search_with_scores('f', 'jv', '[2,0,0]', 2)"));
    sqlite("insert into jv values (5, '[1,0,x]')");
    assertEquals(
        "table f.jv, the row with id 5: its embedding is refused: malformed JSON at element 2,"
            + " character 6: Unrecognized token 'x'; expected an array of numbers;"
            + " correct the row, or leave such rows out with the operand \"onBadRow\": \"skip\"",
        error("select faiss_search('f', 'jv', '[2,0,0]', 2)"));
    assertEquals(
        List.of("[1, 3]"), rows(";onBadRow=skip", "select faiss_search('f', 'jv', '[2,0,0]', 2)"));
  }

  /**
   * A file that sqlite-vec 0.1.9 wrote: tables of vec0 with a rowid, with keys, a partition key,
   * metadata and auxiliary columns in chunks of 8, and a view on one.
   */
  private void vec0() throws IOException {
    Files.copy(Path.of("src/test/resources/vec0.db"), file);
  }

  @Test
  void tablesOfSqliteVecAreReadWithoutIt() throws SQLException, IOException {
    vec0();
    assertEquals(List.of("docs", "items", "plain", "small", "v"), tables());
    assertEquals(
        List.of("1|[1.0, 0.0, 0.0]", "2|[0.0, 1.0, 0.0]", "7|[3.0, 4.0, 0.0]"),
        rows("select rowid, vec_to_json(embedding) from items order by rowid"));
    assertEquals(
        List.of(
            "d0|a|2000|0.0|0|a very much longer note number 0|contents 0",
            "d19|b|2019|9.5|1|note 19|contents 19"),
        rows(
            "select id, genre, \"year\", score, ok, note, contents from docs"
                + " where id in ('d0', 'd19') order by id"));
    assertEquals(List.of("5|01020304"), rows("select item_id, hex(v) from small"));
  }

  private List<String> tables() throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + file);
        ResultSet row = connection.getMetaData().getTables(null, "f", "%", null)) {
      List<String> names = new ArrayList<>();
      while (row.next()) {
        names.add(row.getString("TABLE_NAME"));
      }
      names.sort(null);
      return names;
    }
  }

  @Test
  void tablesOfSqliteVecAreIndexed() throws SQLException, IOException {
    vec0();
    assertEquals(
        List.of("[7, 1]|[\"d19\", \"d18\"]"),
        rows(
            "select faiss_search('f', 'items', '[3,3,0]', 2),"
                + " faiss_search('f', 'docs', '[21,1,0]', 2)"));
    assertEquals(
        List.of("d17|contents 17", "d15|contents 15"),
        rows(
            "select id, contents from docs where genre = 'b' and \"year\" < 2019"
                + " order by l2_distance(contents_embedding, '[21,1,0]') limit 2"));
    assertEquals(
        List.of("5"), rows("select item_id from small order by l2_distance(w, '[1,2]') limit 1"));
    // A view on one, found by its columns.
    assertEquals(
        List.of("7"), rows("select id from v order by l2_distance(embedding, '[3,3,0]') limit 1"));
  }

  /** What was made after a connection was opened is there, too. */
  @Test
  void tablesOfSqliteVecComeAndGo() throws SQLException, IOException {
    vec0();
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + file);
        Statement statement = connection.createStatement()) {
      statement.executeQuery("select count(*) from items").close();
      sqlite(
          "update items_rowids set chunk_offset = 0 where rowid = 7",
          "create view w as select rowid as id, embedding from items where rowid > 1");
      try (ResultSet row =
          statement.executeQuery("select vec_to_json(embedding) from w where id = 7")) {
        assertTrue(row.next());
        assertEquals("[1.0, 0.0, 0.0]", row.getString(1));
      }
    }
  }

  @Test
  void whatCanNotBeReadIsNamedWithTheReason() throws SQLException, IOException {
    vec0();
    sqlite("create view broken as select * from gone", "create table gone (x)", "drop table gone");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute("pragma writable_schema = on");
      statement.execute(
          "insert into sqlite_schema values ('table', 'geo', 'geo', 0,"
              + " 'create virtual table geo using no_such(x)')");
    }
    assertTrue(
        error("select * from geo").contains("no such module: no_such"), error("select * from geo"));
    assertTrue(error("select * from broken").contains("no such table: main.gone"));
  }

  private void langchain() throws SQLException {
    sqlite(
        "create table langchain (rowid integer primary key autoincrement, text text,"
            + " metadata blob, text_embedding blob)",
        "insert into langchain (text, metadata, text_embedding) values ('a', '{\"p\": 1}', "
            + x(1, 0)
            + "), ('b', '{\"p\": 2}', "
            + x(0, 1)
            + "), ('c', x'00', "
            + x(1, 1)
            + ")");
  }

  @Test
  void columnsOfOtherNamesAreNamedInTheUrl() throws SQLException {
    langchain();
    String tables = ";tables=langchain(rowid, text_embedding)";
    assertEquals(
        List.of("3|c", "2|b"),
        rows(
            tables,
            "select rowid, text from langchain order by l2_distance(text_embedding, '[1,2]')"
                + " limit 2"));
    assertEquals(
        List.of("[3, 2]"), rows(tables, "select faiss_search('f', 'langchain', '[1,2]', 2)"));
    sqlite(
        "create table \"a (b)\" (\"the id\" text, v blob)",
        "insert into \"a (b)\" values ('x', " + x(1, 2) + ")");
    assertEquals(
        List.of("[\"x\"]|[1]"),
        rows(
            ";tables='\"a (b)\"(\"the id\",v),langchain(ROWID,text_embedding)'",
            "select faiss_search('f', 'a (b)', '[1,2]', 2), faiss_search('f', 'langchain', '[1,0]', 1)"));
    assertTrue(
        assertThrows(SQLException.class, () -> rows(";tables=langchain(rowid", "select 1"))
            .getMessage()
            .contains("as in notes(rowid, vec)"));
  }

  /** Only what a statement asks for is read, so that what it doesn't can't fail. */
  @ParameterizedTest
  @ValueSource(strings = {"", ";native=off", ";tables=langchain(rowid,text_embedding)"})
  void onlyTheColumnsThatAreNeededAreRead(String properties) throws SQLException {
    langchain();
    assertEquals(
        List.of("c", "b"),
        rows(
            properties,
            "select text from langchain order by l2_distance(text_embedding, '[1,2]') limit 2"));
    assertEquals(
        List.of("A", "B", "C"),
        rows(properties, "select upper(text) from langchain order by rowid"));
    assertEquals(
        List.of("2"),
        rows(properties, "select rowid from langchain where upper(text) = 'B' and rowid < 3"));
  }

  /** SQLite gives any value in any column, and so do its tables here. */
  @Test
  void valuesOfOtherTypesThanDeclared() throws SQLException {
    langchain();
    sqlite(
        "create table chroma (id integer primary key, seq_id blob, sfld integer, embedding blob)",
        "insert into chroma values (1, 5, 'word', "
            + x(1, 0)
            + "), (2, 'x', '', "
            + x(0, 1)
            + "),"
            + " (3, x'01', 7, "
            + x(2, 2)
            + ")");
    assertEquals(List.of("5|word", "x|", "01|7"), rows("select seq_id, sfld from chroma"));
    assertEquals(
        List.of("x|", "5|word"),
        rows("select seq_id, sfld from chroma order by l2_distance(embedding, '[0,1]') limit 2"));
    assertEquals(
        List.of("{\"p\": 2}"),
        rows(
            ";tables=langchain(rowid,text_embedding)",
            "select metadata from langchain order by l2_distance(text_embedding, '[0,1]') limit 1"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"float[2]", "vector(2)", "text", "numeric", "integer", "F32_BLOB(2)", ""})
  void vectorsOfAnyDeclaredType(String type) throws SQLException {
    sqlite(
        "create table t (id integer primary key, embedding " + type + ", n text)",
        "insert into t values (1, " + x(1, 0) + ", 'one'), (2, " + x(0, 1) + ", 'two')");
    assertEquals(
        List.of("one", "two"),
        rows(
            "select n from t order by l2_distance(embedding, (select embedding from t where id = 1))"
                + " limit 2"));
    assertEquals(
        List.of("[1, 2]"),
        rows("select faiss_search('f', 't', (select embedding from t where id = 1), 2)"));
    assertEquals(
        List.of("2|0000000000000080"),
        rows(";native=off", "select id, hex(embedding) from t where id = 2").stream()
            .map(row -> row.replace("0000803F", "00000080"))
            .toList());
  }

  @Test
  void aFormatOfTheFutureIsSaidOfTheFile() throws Exception {
    sqlite("CREATE TABLE t (id INTEGER)");
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(44);
      bytes.writeInt(9);
    }
    String message = error("SELECT * FROM t");
    assertTrue(message.contains(file + " has a file format that this SQLite doesn't"), message);
  }

  /** As Anki writes them: columns in an order that only Anki has. */
  @Test
  void anOrderThatOnlyTheWriterHasIsNamed() throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      org.sqlite.Collation.create(
          connection,
          "unicase",
          new org.sqlite.Collation() {
            @Override
            protected int xCompare(String a, String b) {
              return a.compareToIgnoreCase(b);
            }
          });
      statement.execute("create table decks (id integer primary key, name text collate unicase)");
      statement.execute("create unique index idx_decks_name on decks (name)");
      statement.execute("insert into decks values (1, 'Default'), (2, 'Über')");
    }
    assertEquals(List.of("1|Default", "2|Über"), rows("select * from decks"));
    for (String properties : List.of("", ";native=off")) {
      String message =
          assertThrows(
                  SQLException.class,
                  () -> rows(properties, "select id from decks where name = 'default'"))
              .getMessage();
      assertTrue(
          message.startsWith("SQLite: no such collation sequence: unicase; the program that wrote"),
          message);
    }
  }

  @Test
  void anIdThatIsABlobIsNamedAsOne() throws SQLException {
    sqlite(
        "CREATE TABLE b (id BLOB PRIMARY KEY, embedding BLOB)",
        "INSERT INTO b VALUES (x'0102', x'0000803f'), (x'03ff', x'00')");
    String message = error("SELECT id FROM b ORDER BY l2_distance(embedding, '[1]') LIMIT 1");
    assertTrue(message.contains("the row with id x'03ff': its embedding is refused"), message);
  }

  @Test
  void theRowidIsAnId() throws SQLException {
    sqlite(
        "create table nokey (name text, embedding blob)",
        "create table two (a text, b text, embedding blob, primary key (a, b))",
        "create table none (a text primary key, embedding blob) without rowid",
        "insert into nokey values ('x', " + x(1, 0) + "), ('y', " + x(0, 1) + ")",
        "insert into two values ('x', 'y', " + x(1, 0) + "), ('x', 'z', " + x(0, 1) + ")");
    String tables = ";tables=nokey(rowid,embedding),two(_rowid_,embedding)";
    assertEquals(
        List.of("[2, 1]|[2, 1]"),
        rows(
            tables,
            "select faiss_search('f', 'nokey', '[0,1]', 2), faiss_search('f', 'two', '[0,1]', 2)"));
    assertEquals(
        List.of("2|y", "1|x"),
        rows(
            tables,
            "select rowid, name from nokey order by l2_distance(embedding, '[0,1]') limit 2"));
    assertEquals(
        List.of("z"),
        rows(tables, "select b from two order by l2_distance(embedding, '[0,1]') limit 1"));
    assertTrue(
        assertThrows(SQLException.class, () -> rows(";tables=none(rowid,embedding)", "select 1"))
            .getMessage()
            .contains("no column 'rowid'"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a?b.db", "a;b.db", "100%.db", "a;b=c.db", "a b#c.db", "metadata.db"})
  void filesOfAnyName(String name) throws SQLException {
    file = folder.resolve(name);
    if (file.toString().indexOf('?') >= 0) {
      // SQLite's own driver takes what follows for options.
      file = folder.resolve("plain.db");
    }
    sqlite(
        "create table t (id integer primary key, embedding blob)",
        "insert into t values (1, " + x(1, 0) + ")");
    if (name.indexOf('?') >= 0) {
      assertTrue(file.toFile().renameTo(folder.resolve(name).toFile()));
      file = folder.resolve(name);
    }
    assertEquals(List.of("1"), rows("select count(*) from t"));
    assertEquals(List.of("1"), rows(";onBadRow=skip", "select count(*) from t"));
    String metadata = name.equals("metadata.db") ? "faiss_metadata" : "metadata";
    assertEquals(
        List.of("t"), rows("select table_name from \"" + metadata + "\".\"faiss_indexes\""));
  }
}
