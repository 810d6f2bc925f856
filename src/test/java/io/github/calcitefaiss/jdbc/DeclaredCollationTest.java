/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Columns that declare a collation, as SQLite compares them, whoever does. */
class DeclaredCollationTest {
  private static final long SEED = Long.getLong("seed", 4711);

  @TempDir static Path folder;
  private static Path file;
  private static Connection sqlite;
  private static Connection calcite;

  @BeforeAll
  static void connect() throws SQLException {
    file =
        TestDatabase.write(
            folder.resolve("collated.db"),
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT COLLATE NOCASE, r TEXT COLLATE RTRIM,"
                + " b TEXT)",
            "INSERT INTO t VALUES (1,'Web','x','a'), (2,'WEB','x ','b'), (3,'web','x','web'),"
                + " (4,'Alpha','y ','alpha'), (5,'ALPHA','y','e'), (6,NULL,'y','f'),"
                + " (7,'zed','Y','ZED')",
            "CREATE VIEW v AS SELECT n m, b || '' c FROM t",
            "CREATE VIEW g AS SELECT n, max(r) r FROM t GROUP BY 1");
    sqlite = TestDatabase.connect(file);
    calcite = TestDatabase.connectPlanned(file);
  }

  @AfterAll
  static void close() throws SQLException {
    sqlite.close();
    calcite.close();
  }

  static Stream<String> statements() {
    return """
        select n,count(*) from t group by n
        select n,r,count(*) from t group by n,r
        select distinct n from t
        select distinct n from t order by n desc
        select n from t union select n from t
        select min(n),max(n) from t
        select min(r),max(r) from t
        select n,count(*) from t group by n order by n desc
        select count(distinct n) from t
        select count(distinct r), count(distinct b) from t
        select b from t where n in ('web','ALPHA')
        select r,count(*) from t group by r
        select x.id,y.id from t x join t y on x.n=y.n order by 1,2
        select x.id,y.id from t x join t y on x.b=y.n order by 1,2
        select x.id,y.id from t x join t y on x.n=y.b order by 1,2
        select x.id,y.id from t x left join t y on x.r=y.r order by 1,2
        select n from t order by n, id desc
        select id from t order by r desc, id
        select n, (select count(*) from t y where y.n=t.n) from t
        select n, (select count(*) from t y where y.b=t.n) from t
        select b from t where 'web' = n
        select b from t where b||'' = n
        select b from t where upper(n)='WEB'
        select b from t where cast(n as text)='web'
        select b from t where n between 'a' and 'WEC'
        select b from t where n not between 'a' and 'WEC'
        select b from t where n < 'web' and n < 'WEB '
        select id from t where n > 'B'
        select id from t where n <> 'WEB'
        select id from t where n is 'web'
        select * from (select n m from t) where m='web'
        select * from (select n||'' m from t) where m='web'
        select * from (select b m from t union all select n from t) where m='WEB'
        select * from (select n m from t union all select b from t) where m='WEB'
        select n, row_number() over (partition by n order by id) from t order by id
        select id, rank() over (order by n) from t order by id
        select case n when 'web' then 1 else 0 end from t
        select b from t where (select n from t where id=1)='web'
        select id from t where n collate binary = 'web'
        select id from t where b collate nocase = 'WEB'
        select id from t order by n collate binary, id
        select id from t where 'web' in (n, b)
        select id from t where n in (select b from t)
        select id from t where b in (select n from t)
        select id from t where n not in ('web', 'x')
        select m, c from v where m = 'WEB'
        select n, r from g where n='alpha'
        select id from t where r = 'x   '
        select id from t where exists (select 1 from t y where y.n = t.n and y.id <> t.id)
        select a.n from t a join t c using (n) where c.id = 2 order by a.id
        select nullif(n, 'WEB') from t
        select n from t group by n having count(*) > 1 order by n
        select id from t where (n, r) = ('WEB', 'x ')
        select id from t where n like 'WE%'
        select id from t where (case when id > 3 then n else b end) = 'alpha'
        """
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty());
  }

  @ParameterizedTest
  @MethodSource("statements")
  void bothWaysGoByIt(String sql) throws SQLException {
    assertEquals(rows(sqlite, sql), rows(calcite, sql));
  }

  @Test
  void generatedComparisonsGoByIt() throws SQLException {
    Random random = new Random(SEED);
    String[] texts = {"n", "r", "b", "n || ''", "cast(n as text)", "'web'", "'WEB '", "'y'"};
    String[] signs = {"=", "<>", "<", "<=", ">", ">=", "is", "is not"};
    for (int i = 0; i < Integer.getInteger("collation.statements", 400); i++) {
      List<String> conditions = new ArrayList<>();
      for (int j = 0; j <= random.nextInt(2); j++) {
        String left = texts[random.nextInt(texts.length)];
        String right = texts[random.nextInt(texts.length)];
        String sign = signs[random.nextInt(signs.length)];
        boolean plain = sign.startsWith("is") || right.contains("|") || random.nextInt(4) > 0;
        String collate = plain ? "" : " collate " + collation(random);
        conditions.add(left + " " + sign + " " + right + collate);
      }
      String condition = String.join(random.nextBoolean() ? " and " : " or ", conditions);
      String key = texts[random.nextInt(3)] + (random.nextInt(3) > 0 ? "" : " desc");
      String sql = "select id from t where " + condition + " order by " + key + ", id";
      assertEquals(rows(sqlite, sql), rows(calcite, sql), "seed " + SEED + ": " + sql);
    }
  }

  private static String collation(Random random) {
    return List.of("binary", "nocase", "rtrim").get(random.nextInt(3));
  }

  @Test
  void aJoinWithAnotherSourceGoesByIt() throws Exception {
    Path model =
        TestDatabase.besideCsv(
            folder, "collated.db", "C", "name:string,n:int\nweb,1\nALPHA,2\nZed,3\n");
    try (Connection both = DriverManager.getConnection("jdbc:faiss:" + model)) {
      assertEquals(
          List.of("[1, 1]", "[2, 1]", "[3, 1]", "[4, 2]", "[5, 2]", "[7, 3]"),
          rows(both, "select t.id, c.n from t join csv.C c on t.n = c.name order by 1, 2"));
      // The column on the left says how.
      assertEquals(
          List.of("[3, 1]", "[5, 2]"),
          rows(both, "select t.id, c.n from csv.C c join t on c.name = t.n order by 1, 2"));
      assertEquals(
          List.of("[Alpha, 2]", "[Web, 3]", "[zed, 1]"),
          rows(
              both,
              "select t.n, count(*) from t, csv.C c where t.n = c.name group by t.n"
                  + " order by t.n"));
    }
  }

  @Test
  void whatOnlySqliteCanIsRefused() {
    for (String sql :
        List.of("select n, b from t intersect select b, n from t", "select max(n, b) from t")) {
      SQLException e = assertThrows(SQLException.class, () -> rows(calcite, sql));
      assertEquals("0A000", e.getSQLState());
      assertTrue(e.getMessage().contains("declares a collation"), e.getMessage());
    }
  }

  private static List<String> rows(Connection connection, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      int width = found.getMetaData().getColumnCount();
      while (found.next()) {
        Object[] row = new Object[width];
        for (int i = 0; i < width; i++) {
          row[i] = found.getObject(i + 1);
        }
        rows.add(Arrays.toString(row));
      }
    }
    if (!sql.contains("order by")) {
      Collections.sort(rows);
    }
    return rows;
  }
}
