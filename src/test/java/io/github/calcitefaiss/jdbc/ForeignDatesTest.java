/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.calcitefaiss.TestDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Another source's dates, times and conditions with SQLite's functions and columns. */
class ForeignDatesTest {
  @TempDir private static Path folder;

  private static Connection connection;

  @BeforeAll
  static void open() throws Exception {
    TestDatabase.write(
        folder.resolve("t.db"),
        "CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE, ts TIMESTAMP, s TEXT, n INTEGER,"
            + " ok BOOLEAN)",
        "INSERT INTO t VALUES (1, '2024-03-01', '2024-03-01 12:00:00', '1.0', 1, 1),"
            + " (2, 19000, NULL, '2023-12-31', 2, 0), (3, '2023-12-31', 5, 'x', 7, 'yes')");
    Path model =
        TestDatabase.besideCsv(
            folder,
            "t.db",
            "EV",
            """
        id:int,d:date,ts:timestamp,tm:time,b:boolean,n:int
        1,2024-03-01,2024-03-01 12:00:00,12:30:15,true,1
        2,2023-12-31,2023-12-31 23:59:59,00:00:00,false,2
        3,,,,,
        """);
    connection = DriverManager.getConnection("jdbc:faiss:" + model);
  }

  @AfterAll
  static void close() throws SQLException {
    connection.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '"',
      value = {
        "date(d)                            ; 2024-03-01 2023-12-31 null",
        "date(d, '+1 day')                  ; 2024-03-02 2024-01-01 null",
        "strftime('%Y-%m', ts)              ; 2024-03 2023-12 null",
        "datetime(ts)                       ; 2024-03-01 12:00:00 2023-12-31 23:59:59 null",
        "time(tm)                           ; 12:30:15 00:00:00 null",
        "julianday(d)                       ; 2460370.5 2460309.5 null",
        "unixepoch(ts)                      ; 1709294400 1704067199 null",
        "typeof(d)                          ; text text null",
        "substr(d, 1, 7)                    ; 2024-03 2023-12 null",
        "length(d)                          ; 10 10 null",
        "hex(tm)                            ; 31323A33303A3135 30303A30303A3030 ''",
        "d || 'x'                           ; 2024-03-01x 2023-12-31x null",
        "cast(ts as text)                   ; 2024-03-01 12:00:00 2023-12-31 23:59:59 null",
        "json_object('d', d)                ; {'d':'2024-03-01'} {'d':'2023-12-31'} {'d':null}",
        "coalesce(d, 'none')                ; 2024-03-01 2023-12-31 none",
        "iif(d > '2024', d, 'old')          ; 2024-03-01 old old",
        "case when id = 1 then d else 'x' end ; 2024-03-01 x x",
        "d > '2024-01'                      ; 1 0 null",
        "d = '2024-03-01'                   ; 1 0 null",
        "d between '2023' and '2023-13'     ; 0 1 null",
        "d in ('2024-03-01', '2023')        ; 1 0 null",
        "d > 5                              ; 1 1 null",
        "ts >= '2024-03-01'                 ; 1 0 null",
        "ts < '2024-03-01 12:00:01'         ; 1 1 null",
        "tm > '12'                          ; 1 0 null",
        "d > date('2024-01-15', '+1 day')   ; 1 0 null",
        "b + 1                              ; 2 1 null",
        "b = 1                              ; 1 0 null",
        "b = '0'                            ; 0 1 null",
        "b in (0)                           ; 0 1 null",
        "iif(b, 'yes', 'no')                ; yes no no",
      })
  void aDateIsItsTextAndAConditionIsOneOrZero(String expression, String expected)
      throws SQLException {
    assertEquals(expected, rows("select " + expression + " from csv.EV order by id"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '"',
      value = {
        "select e.id || '-' || t.id from csv.EV e join t on t.d = e.d order by 1   ; 1-1 2-3",
        "select e.id || '-' || t.id from csv.EV e join t on t.ts = e.ts            ; 1-1",
        "select e.id || '-' || t.id from csv.EV e join t on t.s = e.d              ; 2-2",
        "select e.id || '-' || t.id from csv.EV e join t on t.s = e.n              ; 1-1",
        "select e.id || '-' || t.id from csv.EV e join t on t.ok = e.b order by 1  ; 1-1 2-2",
        "select id from t where d in (select d from csv.EV) order by id            ; 1 3",
        "select id from csv.EV where d in (select d from t) order by id            ; 1 2",
        "select id from t where s in (select n from csv.EV)                        ; 1",
        "select sum(b) from csv.EV                                                 ; 1",
        "select d from csv.EV where d is not null union select d from t order by 1"
            + " ; 19000 2023-12-31 2024-03-01",
        "select min(d) from csv.EV                                                 ; 2023-12-31",
        "select max(b) from csv.EV                                                 ; true",
      })
  void itMeetsColumnsOfSqlite(String sql, String expected) throws SQLException {
    assertEquals(expected, rows(sql));
  }

  private static String rows(String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      while (found.next()) {
        String value = found.getString(1);
        rows.add(value == null ? "null" : value.isEmpty() ? "''" : value.replace('"', '\''));
      }
    }
    return String.join(" ", rows);
  }
}
