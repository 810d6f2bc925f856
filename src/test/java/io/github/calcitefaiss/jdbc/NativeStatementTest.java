/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What SQLite can run alone gives SQLite's rows, types, labels and texts. */
class NativeStatementTest {
  private static final String[] SETUP = {
    "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, cat TEXT COLLATE NOCASE, user TEXT,"
        + " date TEXT, ts INTEGER, meta JSON, flag BOOLEAN, price REAL, views, embedding BLOB)",
    "INSERT INTO items VALUES"
        + " (1, 'Nginx', 'web', 'ann', '2024-01-02', 1700000000, '{\"lang\":\"de\"}', 1, 9.5, 7,"
        + " x'0000803f0000000000000000'),"
        + " (2, 'apache', 'Web', 'ben', '2024-02-03', 1700000001, '{\"lang\":\"en\"}', 0, 2, 'x',"
        + " x'000000000000803f00000000'),"
        + " (3, 'redis', 'db', 'ann', '2023-12-31', 1700000002, NULL, 'true', NULL, NULL,"
        + " x'00000000000000000000803f'),"
        + " (4, 'é', 'db', NULL, NULL, NULL, '{}', NULL, 1e20, 2.5, NULL)",
    "CREATE VIEW v AS SELECT id, upper(name) AS u, price * 1.5 AS p FROM items",
    "CREATE TABLE seq(n INTEGER)",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 60)"
        + " INSERT INTO seq SELECT n FROM c",
    "CREATE VIRTUAL TABLE fts USING fts5(name, content='items', content_rowid='id')",
    "INSERT INTO fts(fts) VALUES ('rebuild')",
  };

  @TempDir private static Path folder;
  private static Path file;
  private static Connection sqlite;
  private static Connection ours;

  @BeforeAll
  static void connect() throws SQLException {
    file = TestDatabase.write(folder.resolve("shop.db"), SETUP);
    sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
    ours = TestDatabase.connect(file);
  }

  @AfterAll
  static void close() throws SQLException {
    ours.close();
    sqlite.close();
  }

  static Stream<String> everyday() {
    return Stream.of(
        "select id from items where user = 'ann'",
        "select user, count(*) from items group by user order by user",
        "select id from items where cat = 'WEB'",
        "select id from items where cat = 'WEB' or length(name) > 99",
        "select 1700000000*1000, 9223372036854775807 + 1, -9223372036854775808",
        "select id from items where ts > 1700000000*1000 + 2",
        "select sum(x) from (select 2000000000 as x union all select 2000000000)",
        "with recursive c(n) as (select 1 union all select n*10 from c where n < 100000000000)"
            + " select max(n) from c",
        "with t(n,s) as (select 1,'a' union all select n+1, s||'b' from t where n<4)"
            + " select * from t",
        "select round(json_extract('{\"x\":1.7}','$.x')), abs(p) from v",
        "select id from items where flag = 'true'",
        "select log(100), substr('abc',0,3), json_type(meta), json_set('{}','$.n',1),"
            + " json_array(1,null), concat('a',null) from items",
        "select cast('1.5' as numeric), cast(x'6162' as text), 5.5 % 2, upper('é'), sqrt(-1),"
            + " cast('12abc' as integer), 7 / 2, 7 / 0, 1.0 / 3, '5' + 1",
        "select ifnull(views,'none'), case when id > 2 then 'x' else 0 end from items",
        "select id from items where json_extract(meta,'$.lang') like 'D%'",
        "select group_concat(value), typeof(value) from json_each('[1,\"a\",2.5]')",
        "select percent_rank() over (order by n), group_concat(n) over (order by n"
            + " rows 1 preceding), nth_value(n, 2) over () from seq limit 5",
        "select substr(date,1,7) as m, count(*) from items group by m order by m",
        "select n from seq order by n limit -1 offset 55",
        "select n from seq order by n limit 2*3",
        "select date('2024-01-31','+1 month'), strftime('%Y', date), printf('%05.1f', price),"
            + " iif(flag, 'y', 'n') from items",
        "select name from items where name glob 'N*' or name like 'REDIS'",
        "select meta->>'$.lang', meta->'lang' from items",
        "select max(1, 2), min('a', 'b'), sum(id > 2), total(price), count(*) from items",
        "select id from items where 1",
        "select id from items where id in ()",
        "select id from items where price isnull",
        "select name from items order by name collate nocase desc",
        "select main.items.id from main.items where rowid = 2",
        "select name, type from sqlite_master order by name",
        "select name, type from pragma_table_info('items')",
        "select 0x10, 1e3, .5, 'it''s', x'00ff', null, true",
        "select rowid, name, rank from fts where fts match 'nginx OR redis' order by rank",
        "select highlight(fts, 0, '[', ']') from fts where fts match 'apa*'",
        "select * from items order by id",
        "select name, max(price) from items",
        "values (1, 'a'), (2, 'b')",
        "select count(*), count(distinct cat) from items",
        "select a.id, b.id from items a left join items b on b.id = a.id + 1 order by a.id",
        "select (1, 2) < (1, 3), 1 is not distinct from 1, 'a' || 1 || 2.0",
        "select id from items where (id, name) in (values (1, 'Nginx'))",
        "select distinct - + 85 col1 from seq",
        "select [name], `id`, \"cat\" from items limit 1",
        "select 1 where 'a' = 'A' collate nocase",
        "pragma table_info(items)",
        "explain query plan select * from items where id = 1");
  }

  @ParameterizedTest
  @MethodSource("everyday")
  void asSqlite(String sql) throws SQLException {
    assertEquals(read(sqlite, sql), read(ours, sql));
  }

  /** Labels, then rows: values with their types, and as texts. */
  private static List<String> read(Connection connection, String sql) throws SQLException {
    List<String> lines = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      ResultSetMetaData metadata = rows.getMetaData();
      int n = metadata.getColumnCount();
      StringBuilder labels = new StringBuilder();
      for (int i = 1; i <= n; i++) {
        labels.append(metadata.getColumnLabel(i)).append(" | ");
      }
      lines.add(labels.toString());
      while (rows.next()) {
        StringBuilder row = new StringBuilder();
        for (int i = 1; i <= n; i++) {
          Object value = rows.getObject(i);
          row.append(shown(value));
          if (!(value instanceof byte[]) && !(value instanceof Boolean)) {
            row.append(' ').append(value == null ? null : rows.getString(i));
          }
          row.append(" | ");
        }
        // sqlite-jdbc gives texts for booleans' columns, too.
        lines.add(row.toString());
      }
    }
    return lines;
  }

  private static String shown(Object value) {
    if (value instanceof byte[] bytes) {
      return "blob " + HexFormat.of().formatHex(bytes);
    } else if (value instanceof Boolean flag) {
      return "integer " + (flag ? 1 : 0) + (flag ? " 1" : " 0");
    } else if (value instanceof Integer || value instanceof Long) {
      return "integer " + value;
    }
    return value == null ? "null" : value.getClass().getSimpleName() + " " + value;
  }

  private static List<Object> column(PreparedStatement statement) throws SQLException {
    List<Object> values = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        values.add(rows.getObject(1));
      }
    }
    return values;
  }

  private static List<Object> ask(String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = ours.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      return column(statement);
    }
  }

  @Test
  void parametersAreSqlites() throws SQLException {
    assertEquals(List.of(2L), ask("select id from items where id = :id", "2"));
    assertEquals(List.of(), ask("select id from items where id = :id", ""));
    assertEquals(List.of(), ask("select id from items where id = :id", "abc"));
    assertEquals(List.of(2L), ask("select id from items where id = ?", 2.0));
    assertEquals(
        List.of("apache"), ask("select name from items where name like '%' || :t || '%'", "PACH"));
    assertEquals(List.of("a"), ask("select :a", "a"));
    assertEquals(List.of(1_700_000_000_000L), ask("select ? * 1000", 1_700_000_000));
    assertEquals(List.of("ABC"), ask("select upper(:a)", "abc"));
    assertEquals(List.of("gi"), ask("select substr(name, ?, 2) from items where id = 1", 2));
    assertEquals(List.of("baab"), ask("select ?2 || ?1 || ?1 || ?2", "a", "b"));
    assertEquals(List.of("xyx"), ask("select @a || $b || @a", "x", "y"));
    assertEquals(List.of(1L), ask("select ?", true));
    assertEquals(List.of(1.5), ask("select ?", new BigDecimal("1.5")));
    assertEquals(List.of(3L), ask("select ?", new BigDecimal("3.00")));
    assertEquals("blob", ask("select typeof(?)", new float[] {1, 2}).get(0));
    assertEquals(List.of(1L), ask("select id from items order by id limit ? offset ?", 1, 0));
    assertEquals(null, ask("select ?", new Object[] {null}).get(0));
  }

  @Test
  void aParameterWithoutValueIsNamed() throws SQLException {
    try (PreparedStatement statement = ours.prepareStatement("select ? + ?")) {
      statement.setInt(1, 1);
      SQLException e = assertThrows(SQLException.class, statement::executeQuery);
      assertEquals("Parameter 2 of 2 has no value; set each of them", e.getMessage());
      ParameterMetaData metadata = statement.getParameterMetaData();
      assertEquals(2, metadata.getParameterCount());
    }
  }

  @Test
  void whatIsNoVectorIsRefusedWhenItIsSet() throws SQLException {
    for (Connection connection : List.of(ours, TestDatabase.connectPlanned(file))) {
      try (PreparedStatement statement =
          connection.prepareStatement("select faiss_search('shop', 'items', ?, 1)")) {
        for (Object[] wrong :
            new Object[][] {
              {Arrays.asList(1f, null), "element 1 is null, expected a number"},
              {new Float[] {1f, null, 2f}, "element 1 is null, expected a number"},
              {new double[] {1e300}, "element 0 is 1.0E300, beyond float32"},
              {List.of(1, 1e300), "element 1 is 1.0E300, beyond float32"},
              {List.of(1, "x"), "element 1 is the text 'x', expected a number"},
            }) {
          SQLException e = assertThrows(SQLException.class, () -> statement.setObject(1, wrong[0]));
          assertEquals("Parameter 1 must be a vector: " + wrong[1], e.getMessage());
          assertEquals("22000", e.getSQLState());
        }
        SQLException e =
            assertThrows(
                SQLException.class,
                () -> statement.setCharacterStream(1, new StringReader("[1]"), 10));
        assertEquals("Parameter 1: the reader ended after 3 of 10", e.getMessage());
        assertEquals("07001", e.getSQLState());
      }
    }
  }

  @Test
  void aWordForABooleanIsTheSameWhenReadAndWhenSet() throws SQLException {
    try (Connection connection = TestDatabase.connectPlanned(file);
        PreparedStatement statement = connection.prepareStatement("select cast(? as boolean)")) {
      for (String word : List.of("yes", "t", "TRUE", "1")) {
        statement.setString(1, word);
        assertEquals(List.of(true), column(statement), word);
        try (PreparedStatement read = ours.prepareStatement("select ?")) {
          read.setString(1, word);
          try (ResultSet rows = read.executeQuery()) {
            assertTrue(rows.next());
            assertTrue(rows.getBoolean(1), word);
          }
        }
      }
    }
  }

  @Test
  void columnsAreKnownBeforeTheRun() throws SQLException {
    try (PreparedStatement statement =
        ours.prepareStatement(
            "select id, name, price, embedding, flag, count(*), upper(name), price * 2, views"
                + " from items where id = ? and name = ? group by id, name, price, embedding,"
                + " flag, views")) {
      ResultSetMetaData metadata = statement.getMetaData();
      int[] types = {
        Types.BIGINT,
        Types.VARCHAR,
        Types.DOUBLE,
        Types.VARBINARY,
        Types.BOOLEAN,
        Types.BIGINT,
        Types.VARCHAR,
        Types.DOUBLE,
        Types.VARCHAR
      };
      for (int i = 0; i < types.length; i++) {
        assertEquals(types[i], metadata.getColumnType(i + 1), metadata.getColumnLabel(i + 1));
      }
      assertEquals("items", metadata.getTableName(1));
      assertEquals("count(*)", metadata.getColumnLabel(6));
    }
  }

  @Test
  void functionsAreOursWithTheirTextsAndErrors() throws SQLException {
    assertEquals(
        List.of("[1, 2]"), ask("select faiss_search('shop', 'items', '[1,0.1,0]', 2) as ids"));
    assertEquals(
        List.of(0.0),
        ask("select l2_distance(embedding, ?) from items where id = 1", new float[] {1, 0, 0}));
    assertEquals(
        List.of("[[3, 0.0], [1, 2.0]]"),
        ask(
            "select faiss_agg_with_scores(id, embedding, :q, 2) from items where name glob '*i*'",
            "[0,0,1]"));
    assertNull(ask("select faiss_agg(id, embedding, '[1,2,3]', 2) from items where 0").get(0));
    for (String sql :
        List.of(
            "select faiss_search('shop', 'items', ?, 2)",
            "select l2_distance(embedding, ?) from items where name glob 'N*'",
            "select faiss_agg(id, embedding, ?, 2) from items")) {
      SQLException e = assertThrows(SQLException.class, () -> ask(sql, "[1,2"));
      assertEquals("22000", e.getSQLState(), sql);
      assertTrue(e.getMessage().contains("malformed JSON"), e.getMessage());
    }
    SQLException e =
        assertThrows(SQLException.class, () -> ask("select faiss_search('shop', 'items', x'', 2)"));
    assertTrue(e.getMessage().startsWith("faiss_search: vector: the vector is empty"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select id from items where name glob ? order by l2_distance(embedding, '[1,0,0]') limit 2",
        "select id, rank from fts join items on items.id = fts.rowid where fts match ?"
            + " order by l2_distance(embedding, '[1,0,0]') limit 2"
      })
  void filtersThatOnlySqliteKnowsComeFirst(String sql) throws SQLException {
    assertEquals(List.of(2L), ask(sql, sql.contains("match") ? "apa*" : "a*"));
  }

  @Test
  void statementsOverSeveralFilesOfAModel() throws Exception {
    Path other =
        TestDatabase.write(
            folder.resolve("other.db"),
            "CREATE TABLE note(item INTEGER, text TEXT)",
            "INSERT INTO note VALUES (1, 'fast'), (3, 'quick')");
    Path model = folder.resolve("two.json");
    String schema =
        "{\"name\": \"%s\", \"type\": \"custom\", \"factory\":"
            + " \"io.github.calcitefaiss.FaissSchemaFactory\", \"operand\": {\"database\": \"%s\"}}";
    Files.writeString(
        model,
        "{\"version\": \"1.0\", \"defaultSchema\": \"shop\", \"schemas\": ["
            + String.format(Locale.ROOT, schema, "shop", file.getFileName())
            + ", "
            + String.format(Locale.ROOT, schema, "notes", other.getFileName())
            + "]}");
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + model);
        PreparedStatement statement =
            connection.prepareStatement(
                "select i.name || ': ' || n.text as line from items i join notes.note n"
                    + " on n.item = i.id where i.name glob '*x' and shop.v.id = 1"
                        .replace(" and shop.v.id = 1", "")
                    + " order by 1")) {
      assertEquals(List.of("Nginx: fast"), column(statement));
      TestDatabase.write(other, "UPDATE note SET text = 'light'");
      assertEquals(List.of("Nginx: light"), column(statement));
    }
  }

  private static String plan(String sql) throws SQLException {
    return (String) ask("explain plan for " + sql).get(0);
  }

  @Test
  void explainSaysWhichWay() throws SQLException {
    assertTrue(plan("select name as query from items").startsWith("SqliteStatement(way=[native]"));
    assertTrue(plan("select id from items where name glob 'x'").contains("SCAN items"));
    assertTrue(
        plan("select id as query from items order by l2_distance(embedding, '[1,0,0]') limit 2")
            .contains("VectorTopK"));
    SQLException e = assertThrows(SQLException.class, () -> plan("\n select nme from items"));
    assertTrue(e.getMessage().contains("(line 2, column 9)"), e.getMessage());
  }

  @Test
  void aStatementThatGoesTheOtherWayHoldsNothing() throws SQLException {
    // The index is there, so that the statement below, which is new, needn't load it.
    ask("select faiss_search('shop', 'items', '[1,0,0]', 1)");
    try (Statement statement = ours.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select id from faiss_neighbors('shop', 'items', '[1,0,0]', 3) n")) {
      // The row that is shown comes from the index: nothing of the file is being read.
      assertTrue(rows.next());
      assertEquals(0, SqliteDatabase.lent());
    }
  }

  @Test
  void aTableAsItsSchemaNamesIt() throws SQLException {
    assertEquals(List.of(4L), ask("select count(*) from shop.items where name glob '*'"));
  }

  @Test
  void newRowsAreSeen() throws SQLException {
    Path fresh = TestDatabase.write(folder.resolve("fresh.db"), "CREATE TABLE t(a)");
    try (Connection connection = TestDatabase.connect(fresh);
        PreparedStatement statement = connection.prepareStatement("select count(*) from t")) {
      for (long n = 0; n < 3; n++) {
        assertEquals(List.of(n), column(statement));
        TestDatabase.write(fresh, "INSERT INTO t VALUES (1)");
      }
    }
  }

  @Test
  void aStatementThatNeverEndsIsEnded() throws SQLException {
    try (Statement statement = ours.createStatement()) {
      statement.setQueryTimeout(1);
      String endless =
          "with recursive c(n) as (select 1 union all select n + 1 from c) select %s from c";
      for (String what : List.of("count(*)", "max(n)", "n")) {
        SQLException e =
            assertThrows(
                SQLException.class,
                () -> {
                  try (ResultSet rows =
                      statement.executeQuery(String.format(Locale.ROOT, endless, what))) {
                    while (rows.next()) {
                      assertFalse(rows.isClosed());
                    }
                  }
                });
        assertEquals("HYT00", e.getSQLState(), e.getMessage());
      }
      try (ResultSet rows = statement.executeQuery("select 1")) {
        assertTrue(rows.next());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "with x as (select 1) delete from items",
        "with x as (select 1) insert into items(name) select 'a' from x",
        "pragma writable_schema = 1",
        "pragma journal_mode(delete)",
        "attach 'other.db' as o"
      })
  void nothingIsWritten(String sql) throws SQLException {
    try (Statement statement = ours.createStatement()) {
      SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(sql));
      assertTrue(List.of("25006", "42000").contains(e.getSQLState()), e.getSQLState() + e);
    }
    assertEquals(List.of(4L), ask("select count(*) from items"));
  }

  @Test
  void aMistakeIsSaidWithItsPlace() {
    for (String[] wrong :
        new String[][] {
          {"select nme from items", "Column 'nme' not found in any table (line 1, column 8)"},
          {"select * from itms", "Object 'itms' not found (line 1, column 15)"},
          {
            "select nme from items where name glob 'x'",
            "Column 'nme' not found in any table (line 1, column 8)"
          },
          {"select id from items wher name = 'x'", "Syntax error"},
        }) {
      SQLException e = assertThrows(SQLException.class, () -> ask(wrong[0]));
      assertTrue(e.getMessage().startsWith(wrong[1]), e.getMessage());
      assertTrue(e.getSQLState().startsWith("42"), e.getSQLState());
    }
  }
}
