/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * SQLite orders texts by UTF-8, Java by UTF-16, and values of several types each in its own way: no
 * answer depends on it.
 */
class TextOrderTest {
  private static final String[] FIRST = {"a", "Z", "é", "ﬁ", "！", "\uD7FF", "😀", "𝔘", ""};
  private static final int ROWS = 5000;

  @TempDir Path folder;

  @BeforeEach
  void create() throws SQLException {
    for (String name : new String[] {"x", "y"}) {
      Random random = new Random(name.hashCode());
      try (Connection sqlite = sqlite(name);
          Statement statement = sqlite.createStatement()) {
        statement.execute("CREATE TABLE t (name TEXT, whatever, n INTEGER)");
        statement.execute("BEGIN");
        try (PreparedStatement insert = sqlite.prepareStatement("INSERT INTO t VALUES (?, ?, ?)")) {
          for (int i = 0; i < ROWS; i++) {
            String text = FIRST[random.nextInt(FIRST.length)] + random.nextInt(ROWS);
            insert.setString(1, random.nextInt(50) == 0 ? null : text);
            insert.setObject(2, random.nextBoolean() ? text : (Object) random.nextInt(ROWS));
            insert.setInt(3, random.nextInt(ROWS));
            insert.execute();
          }
        }
        statement.execute("COMMIT");
      }
    }
  }

  private Connection sqlite(String name) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + folder.resolve(name + ".db"));
  }

  private String schema(String name) {
    return String.format(
        Locale.ROOT,
        "{\"name\": \"%s\", \"type\": \"custom\", \"factory\":"
            + " \"io.github.calcitefaiss.FaissSchemaFactory\", \"operand\": {\"database\": \"%s\"}}",
        name,
        folder.resolve(name + ".db").toString().replace("\\", "/"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT count(*) FROM x.t AS a JOIN y.t AS b ON a.name = b.name",
        "SELECT count(*) FROM x.t AS a JOIN y.t AS b ON a.whatever = b.whatever",
        "SELECT count(*) FROM x.t AS a LEFT JOIN y.t AS b ON a.name = b.name AND a.n = b.n",
        "SELECT count(*) FROM x.t AS a JOIN y.t AS b ON a.n = b.n",
        "SELECT count(*) FROM x.t AS a JOIN x.t AS b ON a.name = b.name AND abs(a.n - b.n) < 9",
        "SELECT count(*) FROM x.t WHERE name IN (SELECT name FROM y.t)",
        "SELECT count(*) FROM x.t WHERE name NOT IN (SELECT name FROM y.t WHERE name IS NOT NULL)",
        "SELECT count(*) FROM (SELECT name FROM x.t INTERSECT SELECT name FROM y.t) AS i",
        "SELECT count(*) FROM (SELECT name FROM x.t UNION SELECT name FROM y.t) AS u",
        "SELECT count(*) FROM (SELECT name FROM x.t GROUP BY name ORDER BY name) AS g",
        "SELECT name FROM (SELECT * FROM x.t UNION ALL SELECT * FROM y.t) AS u WHERE name IS NOT"
            + " NULL AND name < 'b' ORDER BY name LIMIT 1 OFFSET 200"
      })
  void answersAreThoseOfSqliteItself(String sql) throws SQLException {
    String url =
        "jdbc:faiss:model='inline:{\"version\": \"1.0\", \"defaultSchema\": \"x\", \"schemas\": ["
            + schema("x")
            + ", "
            + schema("y")
            + "]}'";
    try (Connection faiss = DriverManager.getConnection(url);
        Connection sqlite = DriverManager.getConnection("jdbc:sqlite::memory:")) {
      try (Statement attach = sqlite.createStatement()) {
        for (String name : new String[] {"x", "y"}) {
          attach.execute("ATTACH '" + folder.resolve(name + ".db") + "' AS " + name);
        }
      }
      assertEquals(one(sqlite, sql), one(faiss, sql));
    }
  }

  private static String one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
