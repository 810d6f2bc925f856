/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The law between the ways: whatever both SQLite and Calcite can answer, they answer alike, row for
 * row and type for type. What Calcite's way can't mean as SQLite does, it refuses.
 */
class BothWaysTest {
  private static final long SEED = Long.getLong("seed", 4711);

  @TempDir static Path folder;
  private static Connection sqlite;
  private static Connection calcite;

  @BeforeAll
  static void connect() throws SQLException {
    Path file =
        TestDatabase.write(
            folder.resolve("ways.db"),
            "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, user TEXT, date TEXT,"
                + " ts INTEGER, meta TEXT, price REAL, n INTEGER)",
            "INSERT INTO items VALUES (1, 'Apple Pie', 'ann', '2024-01-05', 1700000000,"
                + " '{\"lang\":\"de\",\"n\":1.7}', 1.5, 7), (2, 'banana', 'sa', '2024-02-05',"
                + " 1700000000001, '{\"lang\":\"en\"}', 2.5, -7), (3, 'Cherry', 'ann',"
                + " '2024-02-15', 1700000000003, NULL, NULL, 0), (4, 'über 100%', 'bob',"
                + " '2025-01-01', 0, '{\"lang\":\"da\"}', -10.0, NULL), (5, '', NULL, NULL, NULL,"
                + " '[1,2]', 0.0, 2147483648)");
    sqlite = TestDatabase.connect(file);
    calcite = TestDatabase.connectPlanned(file);
  }

  @AfterAll
  static void close() throws SQLException {
    sqlite.close();
    calcite.close();
  }

  private static List<String> rows(Connection way, String sql) throws SQLException {
    List<String> all = new ArrayList<>();
    try (Statement statement = way.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      int columns = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        StringBuilder row = new StringBuilder();
        for (int i = 1; i <= columns; i++) {
          Object value = rows.getObject(i);
          // Numbers that aren't whole have one type in SQLite.
          row.append(value instanceof java.math.BigDecimal d ? (Object) d.doubleValue() : value)
              .append(value == null ? "" : ":" + value.getClass().getSimpleName())
              .append(" | ");
        }
        all.add(row.toString().replace(":BigDecimal", ":Double"));
      }
    }
    return all;
  }

  /** Each is a fault of its kind that Calcite's way once had. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "select id from items where user = 'ann'",
        "select user, count(*) from items group by user order by 1",
        "select 1700000000 * 1000",
        "select id from items where ts > 1700000000 * 1000 + 2",
        "select sum(x) from (select 2000000000 as x union all select 2000000000)",
        "with recursive c(n) as (select 1 union all select n * 10 from c where n < 100000000000)"
            + " select max(n) from c",
        "with recursive t(n, s) as (select 1, 'a' union all select n + 1, s || 'b' from t"
            + " where n < 4) select * from t",
        "select round(json_extract('{\"x\":1.7}', '$.x'))",
        "select abs(price), abs(n) from items",
        "select log(100), substr('abc', 0, 3), json_type('[1]'), json_set('{}', '$.n', 1),"
            + " json_array(1, null), concat('a', null), sqrt(-1)",
        "select upper('é'), lower('ÀB'), 5.5 % 2, 7 % -3",
        "select ifnull(price, 'none') from items",
        "select case when id = 1 then 'x' else 0 end from items",
        "select id from items where json_extract(meta, '$.lang') like 'd%'",
        "select value from json_each('[\"ab\", \"bc\"]') where value like 'A%'",
        "select substr(date, 1, 7) as m, count(*) from items group by m order by m",
        "select strftime('%Y', date) as y, count(*) from items where date is not null group by y"
            + " order by y",
        "select date('2024-01-31', '+1 month'), printf('%05d', 42), typeof(1.0), unicode('a')",
        "select name from items where name like 'A%' or length(name) > 100",
        "select trim('  a '), ltrim('xxa', 'x'), rtrim('axx', 'x'), replace('aba', 'a', 'c')",
        "select id, n / 2, n / n, price / n, n % 2 from items",
        "select cast(2147483648 as integer), cast('12' as integer)",
        "select instr(name, 'a'), hex(name), length(name) from items",
        "select DISTINCT - + 85 from items",
        "select 2 * 3 || 4, 'a' || -n, 6 & 3 + 1, 7 & 3 | 8, 1 + 2 << 3, 1 = 2 < 3, ~n & 3"
            + " from items",
        "select id from items where id + 0 = '1' or name || '' = 1",
        "select id from items where name > 5",
        "select id from items where id > 'a' or price = '2.5'",
        "select 1 = 1, id > 2, name is null, n between 0 and 9, user in ('ann') from items",
        "select sum(id > 2), avg(id > 2), true + 1 from items",
        "select id from items a join items b using (id) where id = 3",
        "select a.name, id from items a join items b using (id, name) where upper(name) like 'C%'",
        "select id from items where n",
        "select id from items where not n or 0",
        "select price > 1, count(*) from items group by price > 1 order by 1",
        "select id from items where name collate nocase in ('APPLE PIE', 'BANANA')",
        "select name from items order by name collate nocase desc",
        "select id from main.items where main.items.id > 3",
        "select id from items where id in ()",
        "select id from items order by id limit -1",
        "select 1 where 0",
        "select cast('1.5' as numeric), cast('12abc' as integer), cast(x'6162' as text)",
        "select total(price), max(1, 2.5), min('b', 'a') from items",
        "select id from items where (n <= 7 or price in (select price from items where id > 5 and"
            + " id < 3) and ts < 78) or ts > 43",
        "select id from items where n = 7 or not exists (select 1 from items where 1 = 2)",
        "select id from items where id = 1 or id not in (select n from items where n > 5 and n < 3)",
        "select string_agg(name, '; '), string_agg(name, '|' order by id desc) from items",
        "select json_group_array(price), json_group_array(name order by id desc) from items",
        "select json_group_array(id) filter (where id > 2), json_group_object(id, price) filter"
            + " (where id < 3) from items",
        "select json_group_array(id), json_group_object(name, id) from items where id < 0",
        "select n > 5, json_group_array(json_array(id, name)) from items group by n > 5 order by 1",
        "select json_group_object(nullif(name, 'apple pie'), json_object('id', id)) from items",
        "select id, (select json_group_array(b.name) from items b where b.id < a.id) from items a",
        "select json_array(json('[1, 2]'), '[1]'), json_object('a', json_array(id), 'b',"
            + " json_extract('{\"x\": [1]}', '$.x')) from items",
        "select json_array(json_group_array(id), json_array(json_array(1))) from items",
        "select json_set('{}', '$.a', json_object('k', id)), json_quote(json('[1]')) from items",
        "select nullif(user, user) as k, sum((id / price)) from items group by 1",
        "select n or -n is null + -n, name * 3 / 7, name = 2 / 7 + 'a' from items",
        "select 0 like 7 like -7, -31 < 7 like name, id is -2.5 >= '5' like n from items",
        "select 0x10, 0xFFFFFFFFFFFFFFFF, -0x10",
        "select 1.5 + x from (select round(price) as x from items where price > 2)",
        "select max(n), min(name), sum(n), avg(n), count(user) from items",
        "select id from items where date >= '2024-02-01' and date < '2025-01-01'",
      })
  void faultsThatWere(String sql) throws SQLException {
    assertEquals(rows(sqlite, sql), rows(calcite, sql), sql);
  }

  /** SQLite has none of them, and Java's and XML's engines look at no clock. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "select name similar to '(a+)+c' from items",
        "select name not similar to '(a+)+c' from items",
        "select name rlike '(a+)+c' from items",
        "select name ~ '(a+)+c' from items",
        "select name !~* '(a+)+c' from items",
        "select regexp_replace(name, '(a+)+c', '') from items",
        "select regexp_like(name, '(a+)+c') from items",
        "select xmltransform('<a/>', name) from items",
        "select extractvalue(name, '/a') from items",
      })
  void whatNoTimeOutCouldEndIsNotOffered(String sql) {
    for (Connection way : List.of(calcite, sqlite)) {
      SQLException e = assertThrows(SQLException.class, () -> rows(way, sql));
      assertEquals("42000", e.getSQLState(), e.toString());
      assertTrue(e.getMessage().contains("is not offered: no time-out could end it"), e + "");
      assertTrue(e.getMessage().contains("(line 1, column "), e.toString());
    }
  }

  /** What nobody wrote is in no label and no message. */
  @Test
  void labelsAndMessagesHoldWhatWasWritten() throws SQLException {
    for (Connection way : List.of(calcite, sqlite)) {
      try (Statement statement = way.createStatement();
          ResultSet rows = statement.executeQuery("select soundex(name), n + 1, id from items")) {
        assertEquals("soundex(name)", rows.getMetaData().getColumnLabel(1));
        assertEquals("n + 1", rows.getMetaData().getColumnLabel(2));
        assertEquals("id", rows.getMetaData().getColumnLabel(3));
      }
    }
    String deep = "[".repeat(1500) + "]".repeat(1500);
    SQLException e =
        assertThrows(
            SQLException.class, () -> rows(calcite, "select json_extract('" + deep + "', '$')"));
    assertTrue(e.getMessage().contains("exceeds the maximum allowed (1000)"), e.toString());
  }

  /** Calcite's functions of texts that SQLite hasn't. */
  @Test
  void lengthsMayBeColumns() throws SQLException {
    assertEquals(
        List.of("Ap:String | Pie:String | *Apple Pie:String | Apple PieApple Pie:String | "),
        rows(
            sqlite,
            "select left(name, id + 1), right(name, id + 2), lpad(name, n + 3, '*'),"
                + " repeat(name, id + 1) from items where id = 1"));
  }

  private final Random random = new Random(SEED);

  private String one(String... of) {
    return of[random.nextInt(of.length)];
  }

  private String number(int depth) {
    if (depth == 0) {
      return one("n", "id", "ts", "price", "1", "0", "-3", "2.5", "1700000000", "null");
    }
    switch (random.nextInt(8)) {
      case 0:
        return "(" + number(depth - 1) + one(" + ", " - ", " * ") + number(depth - 1) + ")";
      case 1:
        return "(" + number(depth - 1) + one(" / ", " % ") + one("2", "3", "n", "price") + ")";
      case 2:
        return "abs(" + number(depth - 1) + ")";
      case 3:
        return "length(" + text(depth - 1) + ")";
      case 4:
        return "round(" + number(depth - 1) + ", " + one("0", "1", "2") + ")";
      case 5:
        return "instr(" + text(depth - 1) + ", " + one("'a'", "'e'", "name") + ")";
      case 6:
        return "coalesce(" + one("n", "id", "ts") + ", " + one("n", "7") + ")";
      default:
        return number(0);
    }
  }

  private String text(int depth) {
    if (depth == 0) {
      return one("name", "user", "date", "'a'", "'Ann'", "''", "'2024-03-31'", "meta");
    }
    switch (random.nextInt(8)) {
      case 0:
        return one("upper", "lower", "trim") + "(" + text(depth - 1) + ")";
      case 1:
        return "substr("
            + text(depth - 1)
            + ", "
            + one("0", "1", "-2", "id")
            + ", "
            + one("1", "3", "-1")
            + ")";
      case 2:
        return "(" + text(depth - 1) + " || " + text(depth - 1) + ")";
      case 3:
        return "replace(" + text(depth - 1) + ", 'a', " + one("'b'", "''", "user") + ")";
      case 4:
        return "date(" + text(depth - 1) + ", " + one("'+1 month'", "'start of year'") + ")";
      case 5:
        return "nullif(" + text(depth - 1) + ", " + text(0) + ")";
      case 6:
        return "case when "
            + condition(depth - 1)
            + " then "
            + text(depth - 1)
            + " else "
            + text(depth - 1)
            + " end";
      default:
        return text(0);
    }
  }

  private String condition(int depth) {
    if (depth > 0 && random.nextInt(3) == 0) {
      return "(" + condition(depth - 1) + one(" and ", " or ") + condition(depth - 1) + ")";
    }
    switch (random.nextInt(10)) {
      case 6:
        return text(depth) + one(" glob ", " not glob ") + one("'a*'", "'*[eE]*'", "'B?n*'");
      case 7:
        return text(depth)
            + one(" < ", " = ", " > ")
            + text(0)
            + " collate "
            + one("nocase", "binary", "rtrim");
      case 8:
        return one("price", "n", "name", "id", "user", "n + 1", "name || ''")
            + one(" < ", " = ", " >= ", " <> ")
            + one("'a'", "'2'", "5", "'-7'", "2.5");
      case 9:
        return number(depth) + one(" isnull", " notnull", " not null");
      case 0:
        return number(depth) + one(" < ", " > ", " = ", " <> ", " <= ") + number(depth);
      case 1:
        return text(depth) + one(" < ", " > ", " = ", " <> ", " >= ") + text(depth);
      case 2:
        return text(depth)
            + one(" like ", " not like ")
            + one("'a%'", "'%E%'", "'_n%'", "'%100\\%' escape '\\'");
      case 3:
        return one(number(depth), text(depth)) + one(" is null", " is not null");
      case 4:
        return number(depth) + one(" between ", " not between ") + "0 and " + number(0);
      default:
        return text(depth) + one(" in ", " not in ") + "('ann', 'banana', '2024-02-05')";
    }
  }

  /** Operators without parentheses, each of which binds as SQLite says. */
  private String loose() {
    StringBuilder out = new StringBuilder(one("", "", "-", "~", "not "));
    int operands = 2 + random.nextInt(4);
    for (int i = 0; i < operands; i++) {
      out.append(
          i == 0
              ? ""
              : one(
                  " + ",
                  " - ",
                  " * ",
                  " / ",
                  " % ",
                  " || ",
                  " & ",
                  " | ",
                  " << ",
                  " >> ",
                  " < ",
                  " <= ",
                  " > ",
                  " >= ",
                  " = ",
                  " <> ",
                  " is ",
                  " is not ",
                  " and ",
                  " or ",
                  " like ",
                  " glob "));
      out.append(one("", "", "", "", i == 0 ? "" : "-"));
      out.append(one("id", "n", "3", "7", "2", "'a'", "'5'", "2.5", "name", "null", "0x1F"));
    }
    return out.toString();
  }

  private String statement() {
    switch (random.nextInt(6)) {
      case 4:
        return "select " + loose() + " from items order by id";
      case 5:
        return "select id, "
            + condition(1)
            + ", meta ->> "
            + one("'lang'", "'$.n'", "0")
            + ", iif("
            + condition(1)
            + ", 1, 'no'), max(id, "
            + number(1)
            + ") from items where "
            + one(number(1), condition(2))
            + " order by id";
      case 0:
        return "select " + number(3) + ", " + text(3) + " from items order by id";
      case 1:
        return "select id, " + text(2) + " from items where " + condition(3) + " order by id";
      case 2:
        return "select "
            + text(1)
            + " as k, count(*), max(n), sum("
            + number(1)
            + ") from items group by 1 order by 1";
      default:
        return "select a.id, b.id from items a join items b on a.n > b.id where "
            + condition(2).replaceAll("\\b(n|id|ts|price|name|user|date|meta)\\b", "a.$1")
            + " order by 1, 2";
    }
  }

  @Test
  void whateverBothAnswerTheyAnswerAlike() throws SQLException {
    int alike = 0;
    Map<String, Integer> refused = new HashMap<>();
    int statements = Integer.getInteger("ways.statements", 150);
    for (int i = 0; i < statements; i++) {
      String sql = statement();
      List<String> expected;
      try {
        expected = rows(sqlite, sql);
      } catch (SQLException e) {
        continue;
      }
      List<String> got;
      try {
        got = rows(calcite, sql);
      } catch (SQLException e) {
        refused.merge(String.valueOf(e.getMessage()).replaceAll("\\(line.*", ""), 1, Integer::sum);
        continue;
      }
      alike++;
      assertEquals(expected, got, () -> sql + "; seed " + SEED);
    }
    int answered = alike;
    assertTrue(alike > statements * 3 / 4, () -> answered + " of " + statements + ": " + refused);
  }

  /** A parameter may stand wherever a value may. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "select id from items where name like '%' || ? || '%' ; pp ; 1",
        "select id from items where name like concat('%', ?, '%') ; an ; 2",
        "select id from items where name like ? ; b% ; 2",
        "select id from items where lower(name) = lower(?) ; BANANA ; 2",
        "select coalesce(?, user) from items where id = 1 ; x ; x",
        "select coalesce(?, user) from items where id = 1 ; ; ann",
        "select ? ; x ; x",
        "values (?, 2) ; x ; x 2",
        "select id from items order by case when name = ? then 0 else 1 end, id limit 2"
            + " ; banana ; 2, 1",
        "select id from items where ? in (name, user) ; sa ; 2",
        "select count(*) from items where ? is null or user = 'ann' ; ; 5",
        "select length(?) || '!' ; abc ; 3!",
        "select v from (select ? as v) ; a ; a",
        "select ? union all select 'b' order by 1 ; a ; a, b",
      })
  void parametersStandAnywhere(String sql, String value, String expected) throws SQLException {
    for (Connection way : List.of(sqlite, calcite)) {
      try (PreparedStatement statement = way.prepareStatement(sql)) {
        statement.setString(1, value);
        List<String> all = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            all.add(
                rows.getMetaData().getColumnCount() == 1
                    ? rows.getString(1)
                    : rows.getString(1) + " " + rows.getString(2));
          }
        }
        assertEquals(expected, String.join(", ", all), sql);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"offset 3", "offset ?", "offset 3 rows", "limit -1 offset 3"})
  void rowsAreSkippedWithoutALimit(String offset) throws SQLException {
    for (Connection way : List.of(sqlite, calcite)) {
      try (PreparedStatement statement =
          way.prepareStatement("select id from items order by id " + offset)) {
        if (offset.contains("?")) {
          statement.setInt(1, 3);
        }
        try (ResultSet rows = statement.executeQuery()) {
          assertTrue(rows.next());
          assertEquals(4, rows.getInt(1));
          assertTrue(rows.next());
          assertFalse(rows.next());
        }
      }
    }
  }

  /** The orders of so many joins can't be tried; a time-out ends the test where they are. */
  @ParameterizedTest
  @CsvSource({"16, join", "24, join", "24, left join", "24, comma"})
  void aLongChainOfJoinsIsPlanned(int tables, String kind) throws SQLException {
    StringBuilder from = new StringBuilder("items t0");
    List<String> conditions = new ArrayList<>();
    for (int i = 1; i < tables; i++) {
      String condition = "t" + i + ".id = t" + (i - 1) + ".id";
      conditions.add(condition);
      from.append(kind.equals("comma") ? ", items t" + i : " " + kind + " items t" + i)
          .append(kind.equals("comma") ? "" : " on " + condition);
    }
    String where = kind.equals("comma") ? " where " + String.join(" and ", conditions) : "";
    String sql = "select t0.id, t" + (tables - 1) + ".name from " + from + where + " order by 1";
    for (Connection way : List.of(sqlite, calcite)) {
      try (Statement statement = way.createStatement()) {
        statement.setQueryTimeout(60);
        try (ResultSet rows = statement.executeQuery(sql)) {
          assertTrue(rows.next());
          assertEquals("Apple Pie", rows.getString(2));
        }
      }
    }
  }

  /** SQLite's three forms of one moment, whatever its column declares. */
  @ParameterizedTest
  @ValueSource(strings = {"text", "seconds", "days", "fraction"})
  void datesAreReadInEachForm(String column) throws SQLException {
    Path file = folder.resolve(column + ".db");
    TestDatabase.write(
        file,
        "CREATE TABLE t (text TIMESTAMP, seconds TIMESTAMP, days DATETIME, fraction TIMESTAMP)",
        "INSERT INTO t VALUES ('2024-03-01 12:00:00', 1709294400, 2460371.0, 1709294400.0)");
    for (Connection way : List.of(TestDatabase.connect(file), TestDatabase.connectPlanned(file))) {
      try (way;
          Statement statement = way.createStatement();
          ResultSet row = statement.executeQuery("select " + column + " from t")) {
        assertTrue(row.next());
        assertEquals("2024-03-01 12:00:00.0", row.getTimestamp(1).toString());
        assertEquals("2024-03-01", row.getDate(1).toString());
        assertEquals(LocalDateTime.of(2024, 3, 1, 12, 0), row.getObject(1, LocalDateTime.class));
      }
    }
  }
}
