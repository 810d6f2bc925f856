/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a plan compares, sorts and groups itself is in SQLite's order of values. */
class ValueOrderTest {
  private static final String[] PARTS = {"", "a", "Z", "é", "ﬁ", "！", "\uD7FF", "😀", "𝔘", "b"};

  @TempDir static Path folder;
  private static Connection sqlite;
  private static Connection planned;

  @BeforeAll
  static void create() throws SQLException {
    Path file = folder.resolve("order.db");
    sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
    try (Statement statement = sqlite.createStatement()) {
      statement.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, x, n INTEGER)");
    }
    Random random = new Random(20261127);
    try (PreparedStatement insert = sqlite.prepareStatement("INSERT INTO t VALUES (?, ?, ?, ?)")) {
      for (int i = 1; i <= 60; i++) {
        insert.setInt(1, i);
        insert.setString(2, random.nextInt(9) == 0 ? null : text(random));
        insert.setObject(3, any(random));
        insert.setInt(4, random.nextInt(8));
        insert.execute();
      }
    }
    planned = DriverManager.getConnection("jdbc:faiss:" + file + ";native=off");
  }

  private static String text(Random random) {
    return PARTS[random.nextInt(PARTS.length)] + PARTS[random.nextInt(PARTS.length)];
  }

  private static Object any(Random random) {
    switch (random.nextInt(5)) {
      case 0:
        return text(random);
      case 1:
        return random.nextInt(6) / 2.0 + 0.25;
      case 2:
        return random.nextBoolean() ? null : text(random).getBytes(StandardCharsets.UTF_8);
      default:
        return random.nextInt(6);
    }
  }

  @AfterAll
  static void close() throws SQLException {
    sqlite.close();
    planned.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select s from t union select s from t order by 1",
        "select s from t union select s from t order by 1 desc limit 7",
        "select x from t union select x from t where abs(id) > 5 order by 1",
        "select x from t intersect select s from t where abs(id) > 0 order by 1",
        "select x from t except select s from t where abs(id) > 0 order by 1",
        "select id from t where s > '！' order by id",
        "select id from t where upper(s) > '！' order by id",
        "select id from t where s between '！' and '😀' order by id",
        "select id from t where s not between '！' and '😀' order by id",
        "select id from t where s > '！' and s <= '😀b' order by id",
        "select id from t where s in ('！', '😀') and s > '！'",
        "select count(*) from t where s < '😀' and s >= '！'",
        "select case when s >= '！' then 1 else 0 end from t order by id",
        "select '！' < '😀', '😀' <= 'ﬁ'",
        "select a.id, b.id from t a join t b on upper(a.s) < upper(b.s) order by 1, 2",
        "select id from t where s < (select max(upper(s)) from t where abs(id) < 6) order by id",
        "select max(upper(s)), min(upper(s)), count(upper(s)) from t where abs(id) > 2",
        "select max(s), min(s), sum(n), n from t where abs(id) > 2 group by n order by n",
        "select n from t group by n having max(upper(s)) > '！' order by 1",
        "select id from t order by upper(s), id",
        "select id from t order by upper(s) desc, id limit 3 offset 2",
        "select id from t where abs(id) > 0 order by x, id",
        "select id from t where abs(id) > 0 order by x desc, id limit 9",
        "select id, rank() over (order by s) from t order by id",
        "select id, rank() over (order by x desc) from t order by id",
        "select id, max(s) over (order by id), min(x) over (order by id) from t order by id",
        "select id, max(x) over (order by x, id rows 3 preceding) from t order by id",
        "select id, lag(s) over (order by upper(s), id) from t order by id",
        "select id, lead(x, 2) over (partition by n order by x, id) from t order by id",
        "select id, sum(n) over (partition by x order by id) from t order by id",
        "select count(*), min(s), max(x), sum(n) from t where abs(id) > 0 group by x order by x",
        "select count(distinct x), count(distinct s) from t where abs(id) > 0",
        "select typeof(x) from t where abs(id) > 0 group by x order by x",
        "select a.id, b.id from t a join t b on a.x = b.x and abs(a.id) > 0 order by 1, 2",
        "select a.id, b.id from t a left join t b on a.x = b.x and abs(b.id) > 30 order by 1, 2",
        "select id from t a where exists (select 1 from t b where b.x = a.x and abs(b.id) < 9)"
            + " order by id",
        "select id from (select id, s from t order by s desc, id) limit 3",
        "select id from (select id from t where abs(id) > 0 order by x desc, id) limit 5",
        "with q as (select id, n from t order by n desc, id) select id from q limit 4",
        "select group_concat(s, '|') from (select s from t where abs(id) > 0 order by s)",
        "select n, group_concat(id) from (select n, id from t order by id desc) group by n"
            + " order by n",
        "select id from t a where exists (select 1 from t b where b.n = a.id order by b.s)"
            + " order by id",
        "select id, (select count(*) from (select n from t b where b.id <= a.id order by s))"
            + " from t a order by id",
        "select count(*) from t a join t b",
        "select count(*), x, s, n, x as x1, s as s1, n as n1, x as x2 from t where abs(id) > 0"
            + " group by x, s, n, x1, s1, n1, x2 order by 2, 3, 4",
        "select a.id, b.id from t a join t b on a.x = b.x and a.s = b.s and a.n = b.n and a.id = b.id"
            + " and upper(a.s) = upper(b.s) and a.x = b.x and a.n + 1 = b.n + 1 and a.id + 1 = b.id + 1"
            + " and abs(a.id) = abs(b.id) order by 1",
        "select id from t where abs(id) in (3, 14.5, 20) order by id",
        "select id from t where null in (null, 1.0)",
        "select v - 1, v + -1, v + 1, v * 2, v - 0.5 from (select cast('-9223372036854775808' as"
            + " numeric) as v)",
        "select json_array(json_array(json('[1]'), 2), json_extract('{\"a\":[3]}',"
            + " '$.a'), json_object('k', json_array(4)))",
        "select count(*) from t where 1 in (1.0, 'x')",
        "select id from t where n * 2.5 in (5, 7.5, 'x') order by id"
      })
  void isSqlites(String sql) throws SQLException {
    assertEquals(String.join("\n", rows(sqlite, sql)), String.join("\n", rows(planned, sql)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"<", "<=", ">", ">="})
  void andOfParameters(String sign) throws SQLException {
    String sql = "select id from t where upper(s) " + sign + " ? order by id";
    for (String value : new String[] {"！", "😀", "\uD7FF", "Zz"}) {
      List<String> expected = new ArrayList<>();
      List<String> found = new ArrayList<>();
      for (Connection connection : List.of(sqlite, planned)) {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
          statement.setString(1, value);
          try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
              (connection == sqlite ? expected : found).add(rows.getString(1));
            }
          }
        }
      }
      assertEquals(expected, found, value);
    }
  }

  private static List<String> rows(Connection connection, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      int columns = found.getMetaData().getColumnCount();
      while (found.next()) {
        StringBuilder row = new StringBuilder();
        for (int i = 1; i <= columns; i++) {
          Object value = found.getObject(i);
          row.append('|')
              .append(
                  value instanceof byte[] bytes
                      ? "x" + HexFormat.of().formatHex(bytes)
                      : value instanceof Number number
                          ? String.valueOf(number.doubleValue())
                          : value instanceof Boolean flag ? (flag ? "1.0" : "0.0") : value);
        }
        rows.add(row.toString());
      }
    }
    return rows;
  }
}
