/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.sql.parser.FaissParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The statements that an index answers: the plan beside the rows, through both drivers. */
class VectorTopKTest {
  @TempDir static Path directory;

  private static Connection faiss;
  private static Connection calcite;

  @BeforeAll
  static void connect() throws Exception {
    Path file = directory.resolve("shop.db");
    try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = sqlite.createStatement()) {
      statement.execute(
          "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, section TEXT, embedding BLOB)");
      statement.execute("CREATE TABLE texts(id TEXT PRIMARY KEY, embedding BLOB)");
      statement.execute("CREATE TABLE loose(id INTEGER, section TEXT, embedding BLOB)");
      statement.execute("CREATE TABLE orders(item INTEGER, customer TEXT)");
      statement.execute("CREATE TABLE plain(x INTEGER, v BLOB)");
      statement.execute("CREATE TABLE faulty(id INTEGER PRIMARY KEY, embedding BLOB)");
      statement.execute(
          "CREATE VIEW fruit AS SELECT id, name, embedding FROM items WHERE section = 'fruit'");
      float[][] vectors = {
        {1, 0}, {2, 0}, {3, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 0}, null,
      };
      String[] names = {"apple", "pear", "plum", "nail", "screw", "bolt", "void", "gap"};
      for (int i = 0; i < vectors.length; i++) {
        byte[] blob = vectors[i] == null ? null : VectorCodec.encode(vectors[i]);
        String section = i < 3 ? "fruit" : i < 6 ? "iron" : null;
        insert(sqlite, "INSERT INTO items VALUES (?, ?, ?, ?)", i + 1, names[i], section, blob);
        insert(sqlite, "INSERT INTO texts VALUES (?, ?)", names[i], blob);
        insert(sqlite, "INSERT INTO loose VALUES (?, ?, ?)", i / 2, section, blob);
      }
      statement.execute("INSERT INTO orders VALUES (2, 'ann'), (5, 'bob'), (5, 'ann'), (99, 'cy')");
      statement.execute("INSERT INTO faulty VALUES (1, x'0000803f'), (2, x'01'), (3, 'text')");
    }
    faiss =
        DriverManager.getConnection(
            "jdbc:faiss:" + file + ";native=off;tables=items,texts,loose,fruit");
    Path model = directory.resolve("model.json");
    Files.writeString(
        model,
        "{\"version\": \"1.0\", \"defaultSchema\": \"shop\", \"schemas\": [{\"name\": \"shop\","
            + " \"type\": \"custom\", \"factory\": \"io.github.calcitefaiss.FaissSchemaFactory\","
            + " \"operand\": {\"database\": \"shop.db\","
            + " \"tables\": [\"items\", \"texts\", \"loose\", \"fruit\"]}}]}");
    Properties properties = new Properties();
    properties.setProperty("model", model.toString());
    properties.setProperty("lex", "MYSQL_ANSI");
    properties.setProperty("caseSensitive", "false");
    properties.setProperty("conformance", "LENIENT");
    properties.setProperty("defaultNullCollation", "LOW");
    properties.setProperty("parserFactory", FaissParser.class.getName() + "#FACTORY");
    properties.setProperty("typeSystem", FaissTypeSystem.class.getName());
    calcite = DriverManager.getConnection("jdbc:calcite:", properties);
  }

  private static void insert(Connection sqlite, String sql, Object... values) throws SQLException {
    try (PreparedStatement insert = sqlite.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        insert.setObject(i + 1, values[i]);
      }
      insert.execute();
    }
  }

  @AfterAll
  static void disconnect() throws SQLException {
    faiss.close();
    calcite.close();
  }

  /** A statement to be tried through both drivers. */
  private record Sql(String sql, Object... parameters) {
    /** Checks that the plan has all the parts. */
    Sql explains(String... parts) throws SQLException {
      for (Connection connection : List.of(faiss, calcite)) {
        String plan = plan(connection);
        for (String part : parts) {
          assertTrue(plan.contains(part), () -> sql + "\n" + plan + "lacks " + part);
        }
      }
      return this;
    }

    /** Checks that the plan reads no embedding that it needn't and has an index. */
    Sql isIndexed() throws SQLException {
      return explains("VectorTopK(", "mode=[exact]");
    }

    Sql isNotIndexed() throws SQLException {
      for (Connection connection : List.of(faiss, calcite)) {
        String plan = plan(connection);
        assertFalse(plan.contains("VectorTopK"), () -> sql + "\n" + plan);
      }
      return this;
    }

    private String plan(Connection connection) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement("EXPLAIN PLAN FOR " + sql)) {
        for (int i = 0; i < parameters.length; i++) {
          statement.setObject(i + 1, parameters[i]);
        }
        try (ResultSet plan = statement.executeQuery()) {
          plan.next();
          return plan.getString(1);
        }
      }
    }

    Sql returns(String... expected) throws SQLException {
      for (Connection connection : List.of(faiss, calcite)) {
        assertEquals(List.of(expected), rows(connection), sql);
      }
      return this;
    }

    List<String> rows(Connection connection) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        for (int i = 0; i < parameters.length; i++) {
          statement.setObject(i + 1, parameters[i]);
        }
        try (ResultSet results = statement.executeQuery()) {
          List<String> rows = new ArrayList<>();
          while (results.next()) {
            List<String> row = new ArrayList<>();
            for (int i = 1; i <= results.getMetaData().getColumnCount(); i++) {
              row.add(results.getString(i));
            }
            rows.add(String.join("|", row.stream().map(String::valueOf).toList()));
          }
          return rows;
        }
      }
    }
  }

  private static Sql sql(String sql, Object... parameters) {
    return new Sql(sql, parameters);
  }

  /** What every statement of this class with no other filter leaves out. */
  private static final String HAVE = " WHERE embedding IS NOT NULL";

  @Test
  void nearestFirst() throws SQLException {
    sql("SELECT name FROM items" + HAVE + " ORDER BY l2_distance(embedding, '[1, 0]') LIMIT 3")
        .explains(
            "VectorTopK(table=[[shop, items]], metric=[L2], query=['[1, 0]'], k=[3],"
                + " filter=[IS NOT NULL(embedding)], filterIn=[index], mode=[exact])")
        .returns("apple", "pear", "void");
    sql("SELECT name, l2_distance(embedding, '[1, 0]') AS d FROM items"
            + HAVE
            + " ORDER BY d LIMIT 2 OFFSET 1")
        .explains("k=[2], offset=[1]")
        .returns("pear|1.0", "void|1.0");
    sql("SELECT name, l2_squared_distance(embedding, '[1, 0]') FROM items"
            + HAVE
            + " ORDER BY 2, 1 LIMIT 4")
        .isIndexed()
        .returns("apple|0.0", "pear|1.0", "void|1.0", "nail|2.0");
    sql("SELECT name FROM items"
            + HAVE
            + " ORDER BY l1_distance(embedding, '[0, 2]'), name DESC"
            + " LIMIT 4")
        .isIndexed()
        .returns("screw", "nail", "bolt", "void");
  }

  @Test
  void everyMetricAndWhatIsMadeOfIt() throws SQLException {
    sql("SELECT name FROM items WHERE section IS NOT NULL"
            + " ORDER BY cosine_similarity(embedding, '[1, 0]') DESC, id LIMIT 2")
        .explains("metric=[COSINE_SIMILARITY]")
        .returns("apple", "pear");
    sql("SELECT name FROM items WHERE section IS NOT NULL"
            + " ORDER BY 1 - cosine_similarity(embedding, '[0, 1]'), id LIMIT 2")
        .isIndexed()
        .returns("nail", "screw");
    sql("SELECT name, 1 - cosine_distance(embedding, '[0, 1]') AS s FROM items"
            + " WHERE section IS NOT NULL ORDER BY s DESC, id LIMIT 1")
        .isIndexed()
        .returns("nail|1.0");
    sql("SELECT name FROM items"
            + HAVE
            + " ORDER BY inner_product(embedding, '[1, 0]') DESC LIMIT 2")
        .isIndexed()
        .returns("plum", "pear");
    sql("SELECT name FROM items" + HAVE + " ORDER BY -inner_product(embedding, '[1, 0]') LIMIT 2")
        .isIndexed()
        .returns("plum", "pear");
    sql("SELECT name FROM items" + HAVE + " ORDER BY 0 - dot_product('[1, 0]', embedding) LIMIT 2")
        .isIndexed()
        .returns("plum", "pear");
  }

  @Test
  void theVectorInEveryForm() throws SQLException {
    sql("SELECT name FROM items ORDER BY l2_distance(embedding, ?) NULLS LAST LIMIT ?", "[0, 3]", 2)
        .isIndexed()
        .returns("bolt", "screw");
    byte[] blob = VectorCodec.encode(new float[] {0, 3});
    sql(
            "SELECT name FROM items ORDER BY l2_distance(embedding, ?) NULLS LAST LIMIT 1",
            (Object) blob)
        .isIndexed()
        .returns("bolt");
    sql(
            "SELECT name FROM items ORDER BY l2_distance(embedding, faiss_encode(?)) NULLS LAST"
                + " LIMIT 1",
            "[0, 3]")
        .explains("query=[faiss_encode(")
        .returns("bolt");
    sql("SELECT name FROM items ORDER BY l2_distance(embedding,"
            + " (SELECT embedding FROM items WHERE name = 'plum')) NULLS LAST LIMIT 2")
        .isIndexed()
        .returns("plum", "pear");
    sql("WITH q AS (SELECT embedding AS e FROM items WHERE id = 3)"
            + " SELECT name FROM items, q ORDER BY l2_distance(embedding, e) NULLS LAST LIMIT 2")
        .isIndexed()
        .returns("plum", "pear");
  }

  @Test
  void filtersComeFirst() throws SQLException {
    sql("SELECT id, name, section FROM items WHERE section = 'iron'"
            + " ORDER BY l2_distance(embedding, '[9, 0]') LIMIT 2")
        .explains("filter=[=(section, 'iron')], filterIn=[index")
        .returns("4|nail|iron", "5|screw|iron");
    sql("SELECT name FROM items WHERE name LIKE 'p%' ORDER BY l2_distance(embedding, '[0, 0]')"
            + " LIMIT 5")
        .explains("filterIn=[input]")
        .returns("pear", "plum");
    sql("SELECT name FROM items WHERE name LIKE 'p%' AND id > 2"
            + " ORDER BY l2_distance(embedding, '[0, 0]') LIMIT 5")
        .isIndexed()
        .returns("plum");
    sql("SELECT name FROM items WHERE section = 'none' ORDER BY l2_distance(embedding, '[1, 0]')"
            + " LIMIT 5")
        .isIndexed()
        .returns();
  }

  @Test
  void rowsWithoutADistanceStayWhereTheSortPutsThem() throws SQLException {
    sql("SELECT name, cosine_distance(embedding, '[1, 0]') AS d FROM items ORDER BY d, id LIMIT 3")
        .isIndexed()
        .returns("void|null", "gap|null", "apple|0.0");
    sql("SELECT name, cosine_distance(embedding, '[1, 0]') AS d FROM items"
            + " ORDER BY d NULLS LAST, id LIMIT 3 OFFSET 5")
        .isIndexed()
        .returns("bolt|1.0", "void|null", "gap|null");
    sql("SELECT name FROM items ORDER BY l2_distance(embedding, NULL), id LIMIT 2")
        .isIndexed()
        .returns("apple", "pear");
  }

  @Test
  void withinARadius() throws SQLException {
    sql("SELECT name FROM items WHERE l2_distance(embedding, '[1, 0]') <= 1 ORDER BY name")
        .explains("within=[1.0E0:DOUBLE]")
        .returns("apple", "pear", "void");
    sql("SELECT name FROM items WHERE 1 > l2_distance(embedding, '[1, 0]')")
        .isIndexed()
        .returns("apple");
    sql("SELECT name FROM items WHERE l2_distance(embedding, '[1, 0]') BETWEEN 1 AND 1.9"
            + " AND section = 'iron'")
        .explains("filter=[=(section, 'iron')], filterIn=[index")
        .returns("nail");
    sql("SELECT name FROM items WHERE l2_distance(embedding, '[1, 0]') > 0"
            + " ORDER BY l2_distance(embedding, '[1, 0]'), id LIMIT 2")
        .explains("beyond=[0.0E0:DOUBLE]")
        .returns("pear", "void");
    sql("SELECT name FROM items WHERE inner_product(embedding, '[1, 1]') >= ? ORDER BY name", 3)
        .isIndexed()
        .returns("bolt", "plum");
  }

  @Test
  void throughJoins() throws SQLException {
    sql("SELECT name FROM items WHERE id IN (SELECT item FROM orders WHERE customer = 'ann')"
            + " ORDER BY l2_distance(embedding, '[0, 0]') LIMIT 9")
        .isIndexed()
        .returns("pear", "screw");
    sql("SELECT name, customer FROM items JOIN orders ON item = id"
            + " ORDER BY l2_distance(embedding, '[0, 2]'), customer LIMIT 2")
        .isIndexed()
        .returns("screw|ann", "screw|bob");
    sql("SELECT name, note FROM items JOIN (VALUES (3, 'x'), (6, 'y'), (77, 'z')) AS t (item, note)"
            + " ON item = id ORDER BY l2_distance(embedding, '[0, 2]') LIMIT 1")
        .isIndexed()
        .returns("bolt|y");
    sql("SELECT name FROM items WHERE EXISTS (SELECT 1 FROM orders WHERE item = id)"
            + " ORDER BY l2_distance(embedding, '[0, 9]') LIMIT 1")
        .isIndexed()
        .returns("screw");
    sql("SELECT a.name, b.name FROM items a JOIN items b"
            + " ON l2_distance(a.embedding, b.embedding) < 1.2 AND a.id < b.id ORDER BY 1, 2")
        .returns("apple|pear", "apple|void", "nail|screw", "nail|void", "pear|plum", "screw|bolt");
    sql("SELECT a.name, b.name FROM items a JOIN items b ON a.id < b.id"
            + " AND (a.section = b.section OR b.section IS NULL)"
            + " AND l2_distance(a.embedding, b.embedding) < 1.2 ORDER BY 1, 2")
        .isIndexed()
        .returns("apple|pear", "apple|void", "nail|screw", "nail|void", "pear|plum", "screw|bolt");
  }

  @Test
  void lateral() throws SQLException {
    String nearest =
        " (SELECT d.name FROM items d WHERE d.embedding IS NOT NULL AND d.id <> q.id"
            + " ORDER BY l2_distance(d.embedding, q.embedding), d.id LIMIT 1) n";
    sql("SELECT q.name, n.name FROM items q CROSS JOIN LATERAL"
            + nearest
            + " WHERE q.id IN (1, 6) ORDER BY q.id")
        .isIndexed()
        .returns("apple|pear", "bolt|screw");
    sql("SELECT q.name, n.name FROM items q LEFT JOIN LATERAL (SELECT d.name FROM items d"
            + " WHERE d.section = q.section ORDER BY l2_distance(d.embedding, q.embedding), d.id"
            + " LIMIT 1 OFFSET 1) n ON TRUE WHERE q.id > 4 ORDER BY q.id")
        .isIndexed()
        .returns("screw|nail", "bolt|screw", "void|null", "gap|null");
    sql("SELECT q.name, (SELECT d.name FROM texts t JOIN items d ON d.name = t.id"
            + " WHERE t.embedding IS NOT NULL"
            + " ORDER BY l2_distance(t.embedding, q.embedding) DESC, d.id LIMIT 1)"
            + " FROM items q WHERE q.id = 3")
        .isNotIndexed()
        .returns("plum|bolt");
    sql("SELECT q.name, f.id, f.rank FROM items q,"
            + " faiss_neighbors('shop', 'items', q.embedding, 2) f WHERE q.id IN (3, 8)"
            + " ORDER BY q.id, f.rank")
        .isIndexed()
        .returns("plum|3|1", "plum|2|2");
  }

  @Test
  void neighborsUnderAnOuterJoin() throws SQLException {
    sql("SELECT q.name, f.id, f.rank FROM items q LEFT JOIN LATERAL"
            + " TABLE(faiss_neighbors('shop', 'items', q.embedding, 2)) f ON TRUE"
            + " WHERE q.id IN (3, 8) ORDER BY q.id, f.rank")
        .explains("VectorTopK(table=[[shop, items]], metric=[L2], query=[embedding], k=[2]")
        .returns("plum|3|1", "plum|2|2", "gap|null|null");
    sql("SELECT q.name, f.id FROM items q LEFT JOIN LATERAL (SELECT * FROM"
            + " TABLE(faiss_neighbors('shop', 'items', q.embedding, 3)) n WHERE n.distance > 0) f"
            + " ON TRUE WHERE q.id IN (1, 3, 8) ORDER BY q.id, f.rank")
        .isIndexed()
        .returns("apple|2", "apple|7", "plum|2", "plum|1", "gap|null");
    sql("SELECT q.name, f.id FROM items q LEFT JOIN LATERAL"
            + " TABLE(faiss_neighbors('shop', 'items', q.embedding, 0)) f ON TRUE WHERE q.id = 1")
        .returns("apple|null");
  }

  @Test
  void ofAFilterWhatSqliteCanTestGoesThere() throws SQLException {
    sql("SELECT name FROM items WHERE name LIKE 'p%' AND section = 'fruit' AND id > 2"
            + " ORDER BY l2_distance(embedding, '[0, 0]') LIMIT 5")
        .explains("filterIn=[input]", "JdbcFilter(condition=[AND(=(")
        .returns("plum");
  }

  @Test
  void nearestOfEachGroup() throws SQLException {
    sql("SELECT section, name FROM (SELECT section, name, ROW_NUMBER() OVER (PARTITION BY section"
            + " ORDER BY l2_distance(embedding, '[0, 0]')) AS r FROM items"
            + " WHERE section IS NOT NULL) WHERE r <= 2 ORDER BY 1, 2")
        .isIndexed()
        .returns("fruit|apple", "fruit|pear", "iron|nail", "iron|screw");
    sql("SELECT name FROM (SELECT name, RANK() OVER (ORDER BY l2_distance(embedding, '[1, 0]'))"
            + " AS r FROM items"
            + HAVE
            + ") WHERE r <= 2 ORDER BY name")
        .isIndexed()
        .returns("apple", "pear", "void");
    sql("SELECT section, name FROM items WHERE section IS NOT NULL QUALIFY ROW_NUMBER() OVER"
            + " (PARTITION BY section ORDER BY l2_distance(embedding, '[0, 0]')) <= 2 ORDER BY 1, 2")
        .isIndexed()
        .returns("fruit|apple", "fruit|pear", "iron|nail", "iron|screw");
    sql("SELECT name, RANK() OVER (ORDER BY l2_distance(embedding, '[1, 0]')) AS r FROM items"
            + HAVE
            + " ORDER BY l2_distance(embedding, '[1, 0]'), name LIMIT 3")
        .isIndexed()
        .returns("apple|1", "pear|2", "void|2");
    sql("SELECT name, COUNT(*) OVER (ORDER BY l2_distance(embedding, '[1, 0]')) AS c FROM items"
            + HAVE
            + " ORDER BY l2_distance(embedding, '[1, 0]'), name LIMIT 2")
        .isNotIndexed()
        .returns("apple|1", "pear|3");
    // Other windows see all rows, so all rows must be there.
    sql("SELECT name, c FROM (SELECT name, COUNT(*) OVER () AS c, ROW_NUMBER() OVER"
            + " (ORDER BY l2_distance(embedding, '[1, 0]')) AS r FROM items"
            + HAVE
            + ") WHERE r <= 1")
        .isNotIndexed()
        .returns("apple|7");
  }

  @Test
  void viewsAndUnions() throws SQLException {
    sql("SELECT name FROM fruit ORDER BY l2_distance(embedding, '[3, 0]') LIMIT 2")
        .explains("table=[[shop, fruit]]")
        .returns("plum", "pear");
    sql("SELECT name FROM (SELECT * FROM items WHERE id < 5) AS early"
            + HAVE
            + " ORDER BY l2_distance(embedding, '[0, 5]') LIMIT 1")
        .isIndexed()
        .returns("nail");
    sql("SELECT what, d FROM (SELECT name AS what, l2_distance(embedding, '[0, 3]') AS d"
            + " FROM items UNION ALL SELECT id, l2_distance(embedding, '[0, 3]') FROM texts)"
            + " WHERE d IS NOT NULL ORDER BY d, what LIMIT 3")
        .isIndexed()
        .returns("bolt|0.0", "bolt|0.0", "screw|1.0");
    assertEquals(
        2,
        sql("SELECT d FROM (SELECT l2_distance(embedding, '[0, 3]') AS d FROM items UNION ALL"
                    + " SELECT l2_distance(embedding, '[0, 3]') FROM texts) ORDER BY d LIMIT 3")
                .plan(faiss)
                .split("VectorTopK\\(")
                .length
            - 1);
  }

  @Test
  void idsOfEveryKind() throws SQLException {
    sql("SELECT id FROM texts" + HAVE + " ORDER BY l2_distance(embedding, '[0, 3]') LIMIT 2")
        .isIndexed()
        .returns("bolt", "screw");
    sql("SELECT id FROM texts WHERE upper(id) = 'NAIL' OR id LIKE 'b%'"
            + " ORDER BY l2_distance(embedding, '[0, 1]') LIMIT 2")
        .isIndexed()
        .returns("nail", "bolt");
    // Two rows have each id here, and only one of them is of iron.
    sql("SELECT id, section FROM loose WHERE section = 'iron'"
            + " ORDER BY l2_distance(embedding, '[3, 0]') LIMIT 5")
        .isIndexed()
        .returns("1|iron", "2|iron", "2|iron");
    sql("SELECT id FROM loose WHERE upper(section) = 'IRON'"
            + " ORDER BY l2_distance(embedding, '[3, 0]') LIMIT 1")
        .isNotIndexed()
        .returns("1");
  }

  @Test
  void whatNoIndexAnswersIsAnsweredAllTheSame() throws SQLException {
    sql("SELECT name FROM items" + HAVE + " ORDER BY l2_distance(embedding, '[1, 0]') DESC LIMIT 1")
        .isNotIndexed()
        .returns("bolt");
    sql("SELECT name FROM items"
            + HAVE
            + " ORDER BY l2_distance(vec_add(embedding, '[1, 0]'), '[1, 0]') LIMIT 1")
        .isNotIndexed()
        .returns("void");
    sql("SELECT name FROM items WHERE l2_distance(embedding, '[1, 0]') < 1 OR id = 5 ORDER BY name")
        .isNotIndexed()
        .returns("apple", "screw");
    sql("SELECT x FROM plain ORDER BY l2_distance(v, '[1, 0]') LIMIT 1").isNotIndexed().returns();
  }

  @Test
  void aPreparedStatementRunsAgainWithOtherParameters() throws SQLException {
    try (PreparedStatement statement =
        faiss.prepareStatement(
            "SELECT name FROM items WHERE section = ? ORDER BY l2_distance(embedding, ?) LIMIT ?")) {
      Object[][] runs = {
        {"fruit", "[3, 0]", 1, "plum"},
        {"iron", "[3, 0]", 1, "nail"},
        {"iron", "[0, 3]", 2, "bolt"},
      };
      for (Object[] run : runs) {
        for (int i = 0; i < 3; i++) {
          statement.setObject(i + 1, run[i]);
        }
        try (ResultSet rows = statement.executeQuery()) {
          rows.next();
          assertEquals(run[3], rows.getString(1));
        }
      }
    }
  }

  @Test
  void aVectorOfAnotherDimensionIsAnError() {
    SQLException e =
        assertThrows(
            SQLException.class,
            () ->
                sql("SELECT id FROM items ORDER BY l2_distance(embedding, '[1, 2, 3]') LIMIT 1")
                    .rows(faiss));
    assertTrue(
        e.getMessage().startsWith("l2_distance: vector: expected 2 dimensions, got 3"),
        e.getMessage());
  }
}
