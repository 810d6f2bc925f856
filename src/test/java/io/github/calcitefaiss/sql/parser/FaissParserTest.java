/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.sql.ToyDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The dialect, through Calcite's own driver. */
final class FaissParserTest {
  private static ToyDatabase database;

  @BeforeAll
  static void open() throws SQLException {
    database = new ToyDatabase();
  }

  @AfterAll
  static void close() throws SQLException {
    database.close();
  }

  private static void assertRows(String sql, String... rows) throws SQLException {
    assertEquals(Arrays.asList(rows), database.query(sql), sql);
  }

  @TestFactory
  List<DynamicTest> statementsOfThePluginsReadmeRunAsWritten() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    String[] expected = {null, null};
    StringBuilder sql = new StringBuilder();
    for (String line : resource("/conformance/readme.sql").split("\n")) {
      if (line.startsWith("-- rows:")) {
        expected[0] = line.substring("-- rows:".length()).split(" ")[0];
      } else if (line.equals(";")) {
        String statement = sql.toString();
        int rows = Integer.parseInt(expected[0]);
        Object[] parameters = statement.contains(":id") ? new Object[] {3} : new Object[0];
        tests.add(
            DynamicTest.dynamicTest(
                statement.lines().findFirst().orElseThrow(),
                () -> assertEquals(rows, database.query(statement, parameters).size())));
        sql.setLength(0);
      } else if (!line.startsWith("--")) {
        sql.append(line).append('\n');
      }
    }
    assertEquals(8, tests.size());
    return tests;
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = FaissParserTest.class.getResourceAsStream(name)) {
      assertNotNull(in, name);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void functionIsCalledInFromWithOrWithoutAlias() throws SQLException {
    assertRows("select value from json_each('[\"a\",\"b\"]')", "a", "b");
    assertRows("select json_each.value from JSON_EACH('[\"a\"]')", "a");
    assertRows("select j.value from json_each('[\"a\"]') j", "a");
    assertRows("select j.value from json_each('[\"a\"]') as j", "a");
    assertRows("select j.v from json_each('[\"a\"]') as j(k, v, t, a)", "a");
    assertRows("select value from TABLE(json_each('[\"a\"]'))", "a");
    assertRows("select value from LATERAL json_each('[\"a\"]')", "a");
    assertRows("select value from (json_each('[\"a\"]') cross join docs) where n = 1", "a");
    assertRows("select count(*) from json_each(faiss_search('b', 'e', x'07000000', 5))", "5");
  }

  @Test
  void functionRefersToTablesOnEitherSide() throws SQLException {
    String[] rows = {"a|x", "a|y", "b|y"};
    assertRows("select id, value from docs, json_each(docs.tags)", rows);
    assertRows("select id, value from docs, json_each(tags)", rows);
    assertRows("select id, value from json_each(docs.tags), docs", rows);
    assertRows("select id, value from json_each(tags), docs", rows);
    assertRows("select id, value from docs join json_each(docs.tags) on true", rows);
    assertRows("select id, value from json_each(d.tags) j join docs d on d.n < 9", rows);
    assertRows("select id, value from docs cross join json_each(tags)", rows);
    assertRows(
        "select d.id, e.id, value from json_each(d.tags) j join docs d on j.value = 'x'"
            + " join embeddings e on e.id = d.n",
        "a|1|x");
    assertRows(
        "select id, value from docs left join json_each(docs.tags) on true",
        "a|x",
        "a|y",
        "b|y",
        "c|null");
    assertRows("select id, (select count(*) from json_each(tags)) from docs", "a|2", "b|1", "c|0");
    assertRows(
        "select id from docs where exists (select 1 from json_each(docs.tags) where value = 'x')",
        "a");
    assertRows("select id from docs where 'y' in (select value from json_each(tags))", "a", "b");
  }

  @Test
  void starKeepsTheOrderOfTheText() throws SQLException {
    String function = "key,value,type,atom";
    String table = "id,tags,n";
    assertEquals(
        table + "," + function, database.columns("select * from docs, json_each(docs.tags)"));
    assertEquals(
        function + "," + table, database.columns("select * from json_each(docs.tags), docs"));
    assertEquals(
        function + ",one," + table,
        database.columns(
            "select * from json_each(docs.tags) join (select 1 as one) x on value = 'x', docs"));
    assertEquals(
        function, database.columns("select * from json_each((select tags from docs limit 1))"));
  }

  @Test
  void subqueriesAreArgumentsOfTableFunctions() throws SQLException {
    assertRows(
        "select value from json_each(faiss_search('b','e',"
            + "(select embedding from embeddings where id = 3), 2))",
        "3",
        "4");
    assertRows("select value from TABLE(json_each((select tags from docs where n = 2)))", "y");
    assertRows(
        "select t.value from LATERAL TABLE(json_each((select tags from docs where n = 2))) t", "y");
    assertRows(
        "select json_each.value"
            + " from json_each(coalesce((select tags from docs where n = 9), '[7]'))",
        "7");
    assertRows("select value from json_each((select tags from docs where n = 9))");
    assertRows(
        "select docs.id, value from docs, json_each(faiss_search('b','e',"
            + "(select embedding from embeddings e where e.id = docs.n), 1))",
        "a|1",
        "b|2",
        "c|3");
    assertRows(
        "select docs.id, value from json_each(faiss_search('b','e',"
            + "(select embedding from embeddings e where e.id = docs.n), 1)), docs",
        "a|1",
        "b|2",
        "c|3");
    assertRows("select value from json_each((select value from json_each('[\"[8]\"]')))", "8");
    assertRows(
        "select value from json_each((with t as (select tags from docs where n = 2)"
            + " select tags from t))",
        "y");
  }

  @Test
  void subqueryWithMoreThanOneRowIsRefusedAsAnArgument() {
    assertThrows(
        SQLException.class,
        () -> database.query("select * from json_each((select tags from docs))"));
  }

  @Test
  void twoCallsOfOneFunctionStandInOneFrom() throws SQLException {
    assertRows(
        "select a.value, b.value from json_each('[1,2]') a, json_each('[3,4]') b"
            + " where a.key = b.key",
        "1|3",
        "2|4");
    assertRows("select count(*) from json_each('[1,2]'), json_each('[3,4]')", "4");
    assertThrows(
        SQLException.class,
        () -> database.query("select json_each.value from json_each('[1]'), json_each('[2]')"));
  }

  @Test
  void whatStandsBesideCallsInFromStaysStandard() throws SQLException, SqlParseException {
    assertRows("select x from unnest(array[1, 2]) as t(x)", "1", "2");
    assertRows("select x from (values (1), (2)) as t(x)", "1", "2");
    assertRows("select n from (select n from docs where id = 'a')", "1");
    assertRows("select count(*) from docs, lateral (select docs.n as m) as l", "3");
    assertRows("select count(*) from (docs cross join embeddings)", "60");
    assertRows("select extract(day from date '2020-01-05')", "5");
    assertRows("select substring('abc' from 2), trim(both 'x' from 'xax')", "bc|a");
    assertRows(
        "select n from docs where n is distinct from 2 and not n is not distinct from 3", "1");
    assertEquals(
        "SELECT *\\nFROM `t` EXTEND (`a` INTEGER, `b` `VARCHAR`(3))",
        parse("select * from t (a int, b varchar(3))")
            .toString()
            .replace("VARCHAR(3)", "`VARCHAR`(3)")
            .replace("\n", "\\n"));
  }

  @Test
  void namedParameterIsOneParameterHoweverOftenItComes() throws SQLException {
    String sql = "select id from docs where n = :n or n + 1 = :n or id = :id order by id";
    assertEquals(List.of("a", "b", "c"), database.query(sql, 2, "c"));
    try (PreparedStatement statement = database.connection().prepareStatement(sql)) {
      assertEquals(2, statement.getParameterMetaData().getParameterCount());
    }
  }

  @Test
  void parameterNamesComeInTheOrderOfTheirIndexes() throws SqlParseException {
    assertEquals(
        Arrays.asList("b", null, "a"),
        FaissParser.parameterNames("select :b, ?, :a, :b from t where x = (:a)"));
    assertEquals(
        Arrays.asList(null, null), FaissParser.parameterNames("select ?2, ?1 from t where ?2 = 1"));
    assertEquals(List.of(), FaissParser.parameterNames("select ':a', \":b\" /* :c */ -- :d\n"));
    assertEquals(
        List.of("v"), FaissParser.parameterNames("select json_object('a':b, 'c': :v) from t"));
    assertEquals(
        List.of("x", "y"),
        FaissParser.parameterNames("select case when a then:x else:y end, b::int from t limit :x"));
    assertEquals(
        Arrays.asList("p", null),
        FaissParser.parameterNames(
            "select * from t match_recognize (order by a measures a.x as y pattern (a? b+? (c)?)"
                + " define a as a.x > :p) where y = ?"));
  }

  @ParameterizedTest
  @CsvSource({"?3,1:8-1:9", "?0,1:8-1:9", "?99999,1:8-1:13", "?1234567,1:8-1:15"})
  void parameterNumbersHaveNoGaps(String marker, String position) {
    SqlParseException e = assertThrows(SqlParseException.class, () -> parse("select " + marker));
    assertTrue(e.getMessage().startsWith("parameter " + marker + ": "), e.getMessage());
    assertEquals(position, range(e.getPos()));
  }

  private static SqlNode parse(String sql) throws SqlParseException {
    return SqlParser.create(sql, FaissParser.CONFIG).parseStmt();
  }

  private static String range(SqlParserPos position) {
    return position.getLineNum()
        + ":"
        + position.getColumnNum()
        + "-"
        + position.getEndLineNum()
        + ":"
        + position.getEndColumnNum();
  }

  @Test
  void sqlitesSpellingsAreTaken() throws SQLException {
    assertRows("select [id] from [docs] as [my docs] where [my docs].[n] == 1", "a");
    assertRows("select `my docs`.`id` from `docs` as `my docs` where n = 1", "a");
    assertRows("select 1 as [a \"b' -- c]", "1");
    assertRows("select array[1, 2][2], map['a', 1]['a']", "2|1");
    assertRows("select id from docs limit 1, 1", "b");
    assertRows("select count() from docs where n != 1", "2");
    assertRows("select ifnull(null, id) || 'z' from docs where n <> 1 limit 1", "bz");
    assertRows("select hex(x'ab01')", "AB01");
    assertRows("select id from docs where n is 1 or (n is not 1 and id is 'b')", "a", "b");
    assertRows("select count(*) from docs where n is null or n is not null", "3");
    assertRows("select key, value, rank from (select 1 as key, 2 as value, 3 as rank)", "1|2|3");
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 12_000, 100_000})
  void longLiteralsAreTaken(int length) throws SqlParseException {
    String digits = "0a".repeat(length / 2);
    assertNotNull(parse("select * from json_each(faiss_search('b', 'e', X'" + digits + "', 5))"));
    String text = "json_each((:id ".repeat(length / 15) + "''";
    assertEquals(List.of(), FaissParser.parameterNames("select '" + text + "' /* " + text + "*/"));
  }

  @Test
  void deepNestingIsAnErrorForThePerson() {
    for (String sql :
        List.of(
            "select " + "(".repeat(10_000) + "1" + ")".repeat(10_000),
            "select " + "f(".repeat(10_000) + "1" + ")".repeat(10_000),
            "select * from " + "f(".repeat(10_000) + "1" + ")".repeat(10_000),
            "select * from " + "(select * from ".repeat(10_000) + "t" + ")".repeat(10_000),
            "select " + "case when ".repeat(10_000),
            "(".repeat(100_000))) {
      SqlParseException e = assertThrows(SqlParseException.class, () -> parse(sql));
      assertTrue(e.getMessage().contains("nested too deeply"), e.getMessage());
      assertNotNull(e.getPos());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {500, 2_000})
  void deepTreesAreRefusedBeforeCalciteOverflowsTheStack(int depth) {
    for (String sql :
        List.of(
            "select n" + " + n".repeat(depth) + " from docs",
            "select id" + " || id".repeat(depth) + " from docs",
            "select " + "- ".repeat(depth) + "n from docs")) {
      SqlParseException e = assertThrows(SqlParseException.class, () -> parse(sql));
      assertTrue(e.getMessage().contains("nested too deeply"), e.getMessage());
      assertEquals(1, e.getPos().getLineNum());
    }
  }

  @Test
  void chainsOfAndAndOrAreAsLongAsTheyLike() throws SQLException {
    assertRows(
        "select id from docs where n = 2" + " or n = 7 and id is not null".repeat(1_000), "b");
    assertRows("select id from docs where n = 3" + " and n <> 7".repeat(1_000), "c");
  }

  @Test
  void semicolonsAtTheEndAreTaken() throws SQLException {
    assertRows("select n from docs where id = 'a'; ; -- done", "1");
    assertThrows(SQLException.class, () -> database.query("select 1; select 2"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "select * from json_each(f(x) y z)|1:30-1:30",
        "select * from docs where n == == 1|1:28-1:29",
        "select 1 as [a b], `c d`, :long_name )|1:38-1:38",
        "select * from a, json_each((select 1), from b|1:38-1:38",
      })
  void syntaxErrorsPointIntoTheText(String sql, String position) {
    SqlParseException e = assertThrows(SqlParseException.class, () -> parse(sql));
    assertEquals(position, range(e.getPos()), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "select nosuch from json_each('[1]')|line 1, column 8 to line 1, column 13",
        "select * from json_each((select nosuch from docs))|line 1, column 33 to line 1, column 38",
        "select * from json_each(docs.nosuch), docs|line 1, column 30 to line 1, column 35",
        "select * from nosuch(1), docs|line 1, column 15 to line 1, column 23",
        "select :a_long_name == n, nosuch from docs|line 1, column 27 to line 1, column 32",
      })
  void validationErrorsPointIntoTheText(String sql, String position) {
    SQLException e = assertThrows(SQLException.class, () -> database.query(sql));
    assertTrue(e.getCause().getMessage().contains("From " + position), e.getCause().getMessage());
  }
}
