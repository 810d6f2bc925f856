/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Ordinary SQL through us gives the rows that SQLite gives, statement by statement. */
class SqlMatrixTest {
  private static final String[] SETUP = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, i INT, big BIGINT, d DOUBLE, r REAL, f FLOAT,"
        + " n NUMERIC, dec DECIMAL(10,2), b BOOLEAN, s TEXT, v VARCHAR(20), c CHAR(5), bl BLOB,"
        + " dt DATE, ts TIMESTAMP, u, j JSON, nn TEXT NOT NULL)",
    "INSERT INTO t VALUES(1, 7, 5000000000, 1.5, 2.25, -0.5, 10, 1.25, 1, 'abc', 'Äpfel', 'x',"
        + " x'00ff', '2024-01-02', '2024-01-02 03:04:05', 42, '{\"a\":1}', 'n1')",
    "INSERT INTO t VALUES(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
        + " NULL, NULL, NULL, NULL, NULL, 'n2')",
    "INSERT INTO t VALUES(3, -7, -9223372036854775808, 1e300, 1e-300, 3, 3.5, 2, 0, 'ABC', '',"
        + " 'yy', x'', '1999-12-31', '1999-12-31', 'text', '[1,2]', 'n3')",
    "INSERT INTO t VALUES(4, 0, 9223372036854775807, 0.1, 0.5, 1.0, 9.75, 0.10, 1, 'a%c',"
        + " 'O''Neil', 'zzzzz', x'0102030405', NULL, NULL, 2.5, '\"x\"', 'n4')",
    "INSERT INTO t VALUES(5, 7, 1, -1.5, 2.25, 0, 7, 7.77, 0, 'éa', '日本', 'x', x'ff', NULL, NULL,"
        + " NULL, 'null', 'n5')",
    "CREATE TABLE child(cid INTEGER PRIMARY KEY, tid INTEGER REFERENCES t(id), w TEXT)",
    "INSERT INTO child VALUES(10, 1, 'one'), (11, 1, 'uno'), (12, 3, 'three'), (13, NULL, 'none'),"
        + " (14, 99, 'lost')",
    "CREATE TABLE empty(a INTEGER, e TEXT)",
    "CREATE VIEW vw AS SELECT id, s, i * 2 AS twice FROM t WHERE id < 4",
    "CREATE TABLE gen(a INTEGER, g INTEGER GENERATED ALWAYS AS (a * 10) STORED,"
        + " h INTEGER AS (a + 1))",
    "INSERT INTO gen(a) VALUES (1), (2)",
    "CREATE TABLE wr(k TEXT PRIMARY KEY, x INTEGER) WITHOUT ROWID",
    "INSERT INTO wr VALUES ('p', 1), ('q', 2)",
    "CREATE TABLE \"odd name\"(\"a b\" INTEGER, \"se\"\"lect\" TEXT, \"größe\" REAL, \"order\""
        + " TEXT)",
    "INSERT INTO \"odd name\" VALUES (1, 'x', 2.5, 'o')",
    "CREATE TABLE \"group\"(\"from\" INTEGER)",
    "INSERT INTO \"group\" VALUES (1), (2)",
    "CREATE TABLE \"Ünïcode\"(x INTEGER)",
    "INSERT INTO \"Ünïcode\" VALUES (9)",
  };

  /** Statements that read the same in both dialects. */
  private static final String[] STATEMENTS = {
    "SELECT * FROM t ORDER BY id",
    "SELECT id, i, big, d, r, f, n, dec, b FROM t ORDER BY id",
    "SELECT s, v, c, bl, dt, ts, u, j, nn FROM t ORDER BY id",
    "SELECT count(*), count(i), count(DISTINCT i), sum(i), min(i), max(i), avg(i) FROM t",
    "SELECT sum(d), avg(d), min(d), max(d) FROM t WHERE id <> 3",
    "SELECT min(s), max(s), min(v), max(v) FROM t",
    "SELECT count(*), sum(a), avg(a), min(e), max(e) FROM empty",
    "SELECT * FROM empty",
    "SELECT i, count(*) FROM t GROUP BY i ORDER BY i",
    "SELECT i, b, count(*), sum(d) FROM t WHERE id <> 3 GROUP BY i, b ORDER BY i, b",
    "SELECT i, count(*) AS n FROM t GROUP BY i HAVING count(*) > 1",
    "SELECT DISTINCT i FROM t ORDER BY i",
    "SELECT DISTINCT i, b FROM t ORDER BY i, b",
    "SELECT id FROM t WHERE i = 7 ORDER BY id",
    "SELECT id FROM t WHERE i <> 7 ORDER BY id",
    "SELECT id FROM t WHERE i != 7 ORDER BY id",
    "SELECT id FROM t WHERE i IS NULL",
    "SELECT id FROM t WHERE i IS NOT NULL ORDER BY id",
    "SELECT id FROM t WHERE i IN (7, 0) ORDER BY id",
    "SELECT id FROM t WHERE i NOT IN (7, 0) ORDER BY id",
    "SELECT id FROM t WHERE id BETWEEN 2 AND 4 ORDER BY id",
    "SELECT id FROM t WHERE id NOT BETWEEN 2 AND 4 ORDER BY id",
    "SELECT id FROM t WHERE big > 4000000000 ORDER BY id",
    "SELECT id FROM t WHERE big = 9223372036854775807",
    "SELECT id FROM t WHERE d > 0.05 AND d < 2 ORDER BY id",
    "SELECT id FROM t WHERE d = 0.1",
    "SELECT id FROM t WHERE b = TRUE ORDER BY id",
    "SELECT id FROM t WHERE b ORDER BY id",
    "SELECT id FROM t WHERE NOT b ORDER BY id",
    "SELECT id FROM t WHERE b IS NULL",
    "SELECT id FROM t WHERE s = 'abc'",
    "SELECT id FROM t WHERE s > 'abc' ORDER BY id",
    "SELECT id FROM t WHERE v = 'Äpfel'",
    "SELECT id FROM t WHERE v = 'O''Neil'",
    "SELECT id FROM t WHERE v = '日本'",
    "SELECT id FROM t WHERE v = ''",
    "SELECT id FROM t WHERE bl = x'00ff'",
    "SELECT id FROM t WHERE bl > x'01' ORDER BY id",
    "SELECT id FROM t WHERE u = 42",
    "SELECT id FROM t WHERE u IS NULL ORDER BY id",
    "SELECT id FROM t WHERE dt > '2000-01-01'",
    "SELECT id FROM t WHERE ts = '2024-01-02 03:04:05'",
    "SELECT id FROM t WHERE i = 7 OR s = 'ABC' ORDER BY id",
    "SELECT id FROM t WHERE (i = 7 AND b) OR id = 2 ORDER BY id",
    "SELECT id FROM t WHERE NOT (i = 7) ORDER BY id",
    "SELECT id, i + 1, i - 1, i * 2, -i FROM t ORDER BY id",
    "SELECT id, d + 1, d * 2, d - i FROM t WHERE id <> 3 ORDER BY id",
    "SELECT id, d / 2 FROM t WHERE id <> 3 ORDER BY id",
    "SELECT id, CASE WHEN i > 0 THEN 'pos' WHEN i < 0 THEN 'neg' ELSE 'other' END FROM t ORDER BY"
        + " id",
    "SELECT id, coalesce(i, -1) FROM t ORDER BY id",
    "SELECT id, coalesce(s, 'none') FROM t ORDER BY id",
    "SELECT id, nullif(i, 7) FROM t ORDER BY id",
    "SELECT id, CAST(i AS DOUBLE) FROM t ORDER BY id",
    "SELECT id, CAST(id AS VARCHAR) FROM t ORDER BY id",
    "SELECT id, length(s), length(bl), length(v) FROM t ORDER BY id",
    "SELECT id, hex(bl), hex(s) FROM t ORDER BY id",
    "SELECT id, upper(nn), lower(nn) FROM t ORDER BY id",
    "SELECT id, abs(i) FROM t ORDER BY id",
    "SELECT id, substr(nn, 2), substr(nn, 1, 1), substr(nn, -1) FROM t ORDER BY id",
    "SELECT id, instr(nn, '3'), replace(nn, 'n', 'm') FROM t ORDER BY id",
    "SELECT ltrim('  a '), rtrim(' a  '), trim(' a '), ifnull(NULL, 3)",
    "SELECT group_concat(nn, ',') FROM (SELECT nn FROM t ORDER BY id) x",
    "SELECT id, nn || '-' || nn FROM t ORDER BY id",
    "SELECT id FROM t ORDER BY i, id",
    "SELECT id FROM t ORDER BY i DESC, id",
    "SELECT id FROM t ORDER BY i NULLS LAST, id",
    "SELECT id FROM t ORDER BY i DESC NULLS FIRST, id",
    "SELECT id FROM t ORDER BY s, id",
    "SELECT id FROM t ORDER BY v DESC, id DESC",
    "SELECT id, d FROM t ORDER BY d, id",
    "SELECT id FROM t ORDER BY id LIMIT 2",
    "SELECT id FROM t ORDER BY id LIMIT 2 OFFSET 1",
    "SELECT id FROM t ORDER BY id LIMIT 1, 2",
    "SELECT id FROM t ORDER BY id LIMIT 0",
    "SELECT id FROM t ORDER BY id DESC LIMIT 100 OFFSET 3",
    "SELECT t.id, child.w FROM t JOIN child ON child.tid = t.id ORDER BY t.id, child.cid",
    "SELECT t.id, child.w FROM t LEFT JOIN child ON child.tid = t.id ORDER BY t.id, child.cid",
    "SELECT t.id, child.w FROM t RIGHT JOIN child ON child.tid = t.id ORDER BY child.cid",
    "SELECT t.id, child.w FROM t FULL JOIN child ON child.tid = t.id ORDER BY t.id, child.cid",
    "SELECT count(*) FROM t CROSS JOIN child",
    "SELECT t.id, child.w FROM t, child WHERE child.tid = t.id AND t.i = 7 ORDER BY child.cid",
    "SELECT a.id, b.id FROM t a JOIN t b ON a.i = b.i AND a.id < b.id",
    "SELECT t.id, child.w FROM t JOIN child ON child.tid = t.id AND child.w > 'p' ORDER BY"
        + " child.cid",
    "SELECT t.id, count(child.cid) FROM t LEFT JOIN child ON child.tid = t.id GROUP BY t.id"
        + " ORDER BY t.id",
    "SELECT id FROM t WHERE id IN (SELECT tid FROM child) ORDER BY id",
    "SELECT id FROM t WHERE id NOT IN (SELECT tid FROM child WHERE tid IS NOT NULL) ORDER BY id",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM child WHERE child.tid = t.id) ORDER BY id",
    "SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM child WHERE child.tid = t.id) ORDER BY id",
    "SELECT id, (SELECT count(*) FROM child WHERE child.tid = t.id) FROM t ORDER BY id",
    "SELECT id FROM t WHERE i = (SELECT max(i) FROM t) ORDER BY id",
    "SELECT id FROM t UNION ALL SELECT cid FROM child ORDER BY 1",
    "SELECT i FROM t UNION SELECT tid FROM child ORDER BY 1",
    "SELECT id FROM t INTERSECT SELECT tid FROM child ORDER BY 1",
    "SELECT id FROM t EXCEPT SELECT tid FROM child ORDER BY 1",
    "SELECT * FROM (SELECT id, i FROM t ORDER BY id DESC LIMIT 3) x ORDER BY id",
    "WITH w AS (SELECT id, i FROM t WHERE i IS NOT NULL) SELECT count(*), sum(i) FROM w",
    "SELECT id, row_number() OVER (ORDER BY id DESC) FROM t ORDER BY id",
    "SELECT id, sum(id) OVER (ORDER BY id) FROM t ORDER BY id",
    "SELECT id, rank() OVER (PARTITION BY b ORDER BY id) FROM t ORDER BY id",
    "SELECT * FROM vw ORDER BY id",
    "SELECT id FROM vw WHERE twice > 0",
    "SELECT sum(twice) FROM vw",
    "SELECT vw.id, child.w FROM vw JOIN child ON child.tid = vw.id ORDER BY child.cid",
    "SELECT * FROM gen ORDER BY a",
    "SELECT h, g FROM gen WHERE g > 10",
    "SELECT * FROM wr ORDER BY k",
    "SELECT x FROM wr WHERE k = 'q'",
    "SELECT * FROM \"odd name\"",
    "SELECT \"a b\", \"se\"\"lect\", \"größe\", \"order\" FROM \"odd name\" WHERE \"a b\" = 1",
    "SELECT \"from\" FROM \"group\" ORDER BY \"from\" DESC",
    "SELECT x FROM \"Ünïcode\"",
    "SELECT ID, I FROM T WHERE Id = 1",
    "SELECT 1",
    "SELECT 1 + 1, 'a', NULL",
    "SELECT count(*) FROM t WHERE 1 = 0",
    "SELECT max(id) FROM t WHERE FALSE",
    "SELECT count(*) FILTER (WHERE b) FROM t",
    "SELECT i, min(s) FROM t GROUP BY i ORDER BY 2, 1",
    "SELECT id % 2, count(*) FROM t GROUP BY id % 2 ORDER BY 1",
    "SELECT * FROM t WHERE id = 12345",
  };

  @TempDir static Path folder;
  private static Connection sqlite;
  private static Connection ours;
  private static Connection planned;

  @BeforeAll
  static void connect() throws SQLException {
    Path file = folder.resolve("matrix.db");
    sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
    try (Statement statement = sqlite.createStatement()) {
      for (String sql : SETUP) {
        statement.execute(sql);
      }
    }
    ours = TestDatabase.connect(file);
    planned = TestDatabase.connectPlanned(file);
  }

  @AfterAll
  static void close() throws SQLException {
    ours.close();
    planned.close();
    sqlite.close();
  }

  @TestFactory
  Stream<DynamicTest> statements() {
    return Stream.of(STATEMENTS)
        .map(
            sql ->
                DynamicTest.dynamicTest(
                    sql,
                    () -> {
                      List<String> expected = rows(sqlite, sql);
                      assertEquals(expected, rows(ours, sql));
                      assertEquals(expected, rows(planned, sql), "planned by Calcite");
                    }));
  }

  private static List<String> rows(Connection connection, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      int n = result.getMetaData().getColumnCount();
      while (result.next()) {
        StringBuilder row = new StringBuilder();
        for (int i = 1; i <= n; i++) {
          row.append(normal(result.getObject(i))).append(" | ");
        }
        rows.add(row.toString());
      }
    }
    if (!sql.toUpperCase(Locale.ROOT).contains("ORDER BY")) {
      Collections.sort(rows);
    }
    return rows;
  }

  /** One text for equal values: SQLite has one type of number and no booleans. */
  private static String normal(Object value) {
    if (value instanceof byte[] bytes) {
      return "x" + HexFormat.of().formatHex(bytes);
    } else if (value instanceof Boolean flag) {
      return flag ? "1" : "0";
    } else if (value instanceof Number number) {
      return new BigDecimal(number.toString()).stripTrailingZeros().toString();
    }
    return value == null ? "NULL" : "'" + value + "'";
  }
}
