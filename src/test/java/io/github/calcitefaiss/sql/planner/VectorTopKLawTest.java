/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.VectorCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The law: with the rules a statement gives the rows that it gives without, and those that a
 * computation by definition gives.
 *
 * <p>Where a statement leaves a choice among rows that tie, the sort keys must be the same, and
 * every row one that the statement would give without a limit.
 */
class VectorTopKLawTest {
  private static final Map<String, Metric> METRICS =
      Map.of(
          "l2_distance", Metric.L2,
          "vec_distance_l2", Metric.L2,
          "l2_squared_distance", Metric.L2_SQUARED,
          "l1_distance", Metric.L1,
          "cosine_distance", Metric.COSINE_DISTANCE,
          "cosine_similarity", Metric.COSINE_SIMILARITY,
          "inner_product", Metric.INNER_PRODUCT);

  @TempDir Path directory;

  /** A row of docs. */
  private record Doc(Long id, String title, String section, Long n, float[] embedding) {}

  /** A statement: its text, the part that orders and limits, and its parameters. */
  private record Question(
      String sql, String limit, List<Object> parameters, boolean total, List<String> expected) {}

  private record Condition(String sql, Predicate<Doc> test) {}

  private Random random;
  private int dims;
  private String schema;
  private List<Doc> docs;
  private List<String> indexed;

  @AfterEach
  void rulesOn() {
    System.clearProperty(VectorTopKRules.PROPERTY);
  }

  @Test
  void someStatements() throws SQLException {
    run(Integer.getInteger("law.databases", 8), 14);
  }

  @Test
  @Tag("slow")
  void thousandsOfStatements() throws SQLException {
    run(150, 20);
  }

  private void run(int databases, int statements) throws SQLException {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("VectorTopKLawTest -Dseed=" + seed);
    random = new Random(seed);
    int used = 0;
    int explained = 0;
    for (int d = 0; d < databases; d++) {
      Path file = directory.resolve("law" + d + ".db");
      schema = "law" + d;
      createTables(file);
      String url = "jdbc:faiss:" + file + ";native=off";
      String memory = d % 2 == 1 ? ";memory=codes" : "";
      try (Connection on = DriverManager.getConnection(url + memory);
          Connection off = DriverManager.getConnection(url)) {
        for (int s = 0; s < statements; s++) {
          Question question = question();
          check(on, off, question, "seed " + seed + ", database " + d + ": ");
          if (s % 4 == 0) {
            explained++;
            used += usesIndex(on, question) ? 1 : 0;
          }
        }
      }
    }
    assertTrue(used > explained / 2, "the index was used " + used + " times of " + explained);
  }

  private static void check(Connection on, Connection off, Question question, String where)
      throws SQLException {
    String sql = question.sql + question.limit;
    String what = where + sql + " " + question.parameters;
    System.setProperty(VectorTopKRules.PROPERTY, "off");
    List<List<Object>> without = rows(off, sql, question.parameters, what);
    System.clearProperty(VectorTopKRules.PROPERTY);
    List<List<Object>> with = rows(on, sql, question.parameters, what);
    if (question.total) {
      assertEquals(text(without), text(with), what);
    } else {
      assertEquals(keys(without), keys(with), what);
      System.setProperty(VectorTopKRules.PROPERTY, "off");
      Set<String> all =
          new HashSet<>(
              text(
                  rows(
                      off,
                      question.sql,
                      question.parameters.subList(0, count(question.sql, '?')),
                      what)));
      System.clearProperty(VectorTopKRules.PROPERTY);
      assertTrue(all.containsAll(text(with)), () -> what + ": " + text(with) + " of " + all);
    }
    if (question.expected != null) {
      assertEquals(question.expected, keys(with), what + ", by definition");
    }
  }

  private static boolean usesIndex(Connection on, Question question) throws SQLException {
    String sql = "EXPLAIN PLAN FOR " + question.sql + question.limit;
    return rows(on, sql, question.parameters, sql).get(0).get(0).toString().contains("VectorTopK");
  }

  private static List<String> text(List<List<Object>> rows) {
    return rows.stream().map(String::valueOf).toList();
  }

  /** The last column, which is what a statement sorts by first. */
  private static List<String> keys(List<List<Object>> rows) {
    return rows.stream().map(row -> String.valueOf(row.get(row.size() - 1))).toList();
  }

  private static int count(String text, char c) {
    return (int) text.chars().filter(x -> x == c).count();
  }

  private static List<List<Object>> rows(
      Connection connection, String sql, List<Object> parameters, String what) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.size(); i++) {
        statement.setObject(i + 1, parameters.get(i));
      }
      try (ResultSet results = statement.executeQuery()) {
        List<List<Object>> rows = new ArrayList<>();
        while (results.next()) {
          List<Object> row = new ArrayList<>();
          for (int i = 1; i <= results.getMetaData().getColumnCount(); i++) {
            row.add(results.getObject(i));
          }
          rows.add(row);
        }
        return rows;
      }
    } catch (SQLException e) {
      throw new SQLException(what, e);
    }
  }

  // ------------------------------------------------------------------ tables

  private void createTables(Path file) throws SQLException {
    dims = 1 + random.nextInt(5);
    docs = new ArrayList<>();
    int size = random.nextInt(10) == 0 ? random.nextInt(3) : 5 + random.nextInt(120);
    // From some hundred on, a filter may be one that keeps many.
    size = random.nextInt(6) == 0 ? 250 + random.nextInt(1000) : size;
    boolean unique = random.nextInt(4) > 0;
    for (int i = 0; i < size; i++) {
      long id = unique ? i * 3L + 1 : 1 + random.nextInt(size);
      docs.add(
          new Doc(
              id,
              "t" + random.nextInt(20),
              random.nextInt(8) == 0 ? null : "s" + random.nextInt(4),
              random.nextInt(8) == 0 ? null : (long) random.nextInt(10),
              random.nextInt(12) == 0 ? null : vector()));
    }
    indexed = new ArrayList<>(List.of("docs", "docs_view"));
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          "CREATE TABLE docs(id "
              + (unique ? "INTEGER PRIMARY KEY" : "INTEGER NOT NULL")
              + ", title TEXT, section TEXT, n INTEGER, embedding BLOB)");
      statement.execute("CREATE TABLE queries(id INTEGER PRIMARY KEY, g TEXT, embedding BLOB)");
      statement.execute("CREATE TABLE other(oid INTEGER PRIMARY KEY, doc INTEGER, w TEXT)");
      statement.execute(
          "CREATE VIEW docs_view AS SELECT id, title, section, n, embedding FROM docs");
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO docs VALUES (?, ?, ?, ?, ?)")) {
        for (Doc doc : docs) {
          insert.setObject(1, doc.id);
          insert.setObject(2, doc.title);
          insert.setObject(3, doc.section);
          insert.setObject(4, doc.n);
          insert.setBytes(5, doc.embedding == null ? null : VectorCodec.encode(doc.embedding));
          insert.execute();
        }
      }
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO queries VALUES (?, ?, ?)")) {
        for (int i = 0; i < 6; i++) {
          insert.setObject(1, i);
          insert.setObject(2, "s" + random.nextInt(5));
          insert.setBytes(3, random.nextInt(6) == 0 ? null : VectorCodec.encode(vector()));
          insert.execute();
        }
      }
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO other VALUES (?, ?, ?)")) {
        for (int i = 0; i < 12; i++) {
          insert.setObject(1, i);
          insert.setObject(2, random.nextInt(6) == 0 ? null : 1L + random.nextInt(3 * size + 1));
          insert.setObject(3, "w" + random.nextInt(3));
          insert.execute();
        }
      }
      connection.commit();
    }
  }

  /** Few different values, so that there are ties, copies and zero vectors. */
  private float[] vector() {
    float[] vector = new float[dims];
    for (int i = 0; i < dims; i++) {
      vector[i] = random.nextInt(3) == 0 ? random.nextFloat() : random.nextInt(3) - 1;
    }
    return vector;
  }

  // -------------------------------------------------------------- statements

  private Question question() {
    switch (random.nextInt(11)) {
      case 8:
      case 9:
        return written();
      case 10:
        return neighbors();
      case 0:
        return lateral();
      case 1:
        return grouped();
      case 2:
        return union();
      case 3:
        return joined();
      default:
        return nearest();
    }
  }

  private String metric() {
    List<String> names = METRICS.keySet().stream().sorted().toList();
    return names.get(random.nextInt(names.size()));
  }

  /** The vector of a question, as SQL; its parameter, if it has one, is added. */
  private String query(float[] vector, List<Object> parameters) {
    String json = Arrays.toString(vector);
    switch (random.nextInt(4)) {
      case 0:
        return "'" + json + "'";
      case 1:
        return "faiss_encode('" + json + "')";
      case 2:
        parameters.add(VectorCodec.encode(vector));
        return "?";
      default:
        parameters.add(json);
        return "?";
    }
  }

  private Condition condition() {
    switch (random.nextInt(11)) {
      case 0:
        return new Condition("section = 's1'", doc -> "s1".equals(doc.section));
      case 1:
        return new Condition("n < 5", doc -> doc.n != null && doc.n < 5);
      case 2:
        return new Condition("title LIKE 't1%'", doc -> doc.title.startsWith("t1"));
      case 3:
        return new Condition(
            "(section <> 's2' OR n IS NULL)",
            doc -> doc.n == null || doc.section != null && !doc.section.equals("s2"));
      case 4:
        return new Condition("embedding IS NOT NULL", doc -> doc.embedding != null);
      case 5:
        return new Condition(
            "upper(section) = 'S3' AND n > 2",
            doc -> "s3".equals(doc.section) && doc.n != null && doc.n > 2);
      case 6:
        return new Condition("n = 77", doc -> false);
      case 7:
        return new Condition("n IN (1, 2, 3)", doc -> doc.n != null && doc.n >= 1 && doc.n <= 3);
      default:
        return new Condition("1 = 1", doc -> true);
    }
  }

  private Question nearest() {
    String function = metric();
    Metric metric = METRICS.get(function);
    float[] vector = vector();
    List<Object> parameters = new ArrayList<>();
    String distance = function + "(embedding, " + query(vector, parameters) + ")";
    String key = distance;
    boolean descending = metric.descending();
    double sign = 1;
    double plus = 0;
    int shape = random.nextInt(6);
    if (shape == 0) {
      key = "1 - " + distance;
      sign = -1;
      plus = 1;
    } else if (shape == 1) {
      key = "-" + distance;
      sign = -1;
    }
    if (sign < 0) {
      descending = !descending;
    }
    Condition condition = condition();
    String where = " WHERE " + condition.sql;
    Predicate<Double> near = value -> true;
    if (sign > 0 && random.nextInt(4) == 0) {
      double radius = random.nextInt(5) / 2.0 - (metric.descending() ? 1 : 0);
      String operator = List.of("<", "<=", ">", ">=").get(random.nextInt(4));
      where += " AND d " + operator + " " + radius;
      near =
          value ->
              value != null
                  && switch (operator) {
                    case "<" -> value < radius;
                    case "<=" -> value <= radius;
                    case ">" -> value > radius;
                    default -> value >= radius;
                  };
    }
    String nulls = List.of("", "", " NULLS FIRST", " NULLS LAST").get(random.nextInt(4));
    boolean total = random.nextInt(3) > 0;
    String order =
        " ORDER BY d"
            + (descending ? " DESC" : "")
            + nulls
            + (total ? ", id, title, section, n" : "");
    int k = random.nextInt(6) == 0 ? 1000 : random.nextInt(12);
    int offset = random.nextInt(3) == 0 ? random.nextInt(5) : 0;
    String limit;
    if (random.nextBoolean()) {
      limit = " LIMIT " + k;
    } else {
      limit = " LIMIT ?";
      parameters.add(k);
    }
    limit += offset > 0 ? " OFFSET " + offset : "";
    String table = indexed.get(random.nextInt(indexed.size()));
    String sql =
        "SELECT id, title, section, n, d FROM (SELECT id, title, section, n, embedding, "
            + key
            + " AS d FROM "
            + table
            + ") AS x"
            + where
            + order;

    List<Double> values = new ArrayList<>();
    for (Doc doc : docs) {
      double value = doc.embedding == null ? Double.NaN : metric.value(doc.embedding, vector) + 0.0;
      // What the user computes of a distance is computed in double too.
      Double shown =
          Double.isNaN(value)
              ? null
              : shape == 0 ? (Double) (plus - value) : shape == 1 ? (Double) (-value) : value;
      if (condition.test.test(doc) && near.test(shown)) {
        values.add(shown);
      }
    }
    boolean nullsFirst = nulls.isEmpty() ? !descending : nulls.endsWith("FIRST");
    boolean down = descending;
    values.sort(
        (a, b) -> {
          if (a == null || b == null) {
            return a == b ? 0 : (a == null) == nullsFirst ? -1 : 1;
          }
          return down ? Double.compare(b, a) : Double.compare(a, b);
        });
    List<String> expected = new ArrayList<>();
    for (int i = offset; i < Math.min(values.size(), (long) offset + k); i++) {
      expected.add(String.valueOf(values.get(i)));
    }
    return new Question(sql, limit, parameters, total, expected);
  }

  private Question lateral() {
    String function = metric();
    boolean descending = METRICS.get(function).descending();
    String call = function + "(x.embedding, q.embedding)";
    String link =
        List.of("", " AND x.id <> q.id", " AND x.section = q.g", " AND x.n = q.id")
            .get(random.nextInt(4));
    String kind =
        random.nextBoolean()
            ? "CROSS JOIN LATERAL (%s) AS y"
            : "LEFT JOIN LATERAL (%s) AS y ON TRUE";
    String inner =
        "SELECT x.id, x.title, x.section, x.n, "
            + call
            + " AS d FROM docs x WHERE "
            + condition().sql.replace("(section", "(x.section")
            + link
            + " ORDER BY "
            + call
            + (descending ? " DESC" : "")
            + ", x.id, x.title, x.section, x.n LIMIT "
            + (1 + random.nextInt(4));
    String outer =
        random.nextBoolean()
            ? "queries"
            : "(SELECT id, section AS g, embedding FROM docs WHERE n < 4 AND id < 150)";
    String sql =
        "SELECT q.id AS a, y.id, y.title, y.section, y.n, y.d FROM "
            + outer
            + " AS q "
            + String.format(java.util.Locale.ROOT, kind, inner)
            + " ORDER BY 1, 6, 2, 3, 4, 5";
    return new Question(sql, "", List.of(), true, null);
  }

  /** The ways in which people write the same, and what they build on it. */
  private Question written() {
    String function = metric();
    boolean descending = METRICS.get(function).descending();
    List<Object> parameters = new ArrayList<>();
    String call = function + "(embedding, " + query(vector(), parameters) + ")";
    String down = descending ? " DESC" : "";
    String nulls = List.of("", " NULLS FIRST", " NULLS LAST").get(random.nextInt(3));
    String where = condition().sql;
    String all = "id, title, section, n";
    String near = descending ? " > -0.5" : " < " + (1 + random.nextInt(3));
    int k = random.nextInt(9);
    switch (random.nextInt(15)) {
      case 13:
        return new Question(
            "SELECT id, title, section, n, "
                + List.of("RANK()", "DENSE_RANK()", "COUNT(*)").get(random.nextInt(3))
                + " OVER (ORDER BY d"
                + down
                + nulls
                + ") AS r, d FROM (SELECT "
                + all
                + ", "
                + call
                + " AS d FROM docs WHERE "
                + where
                + ") AS x ORDER BY d"
                + down
                + nulls
                + ", id, title, section, n",
            " LIMIT " + k,
            parameters,
            true,
            null);
      case 14:
        return new Question(
            "SELECT a.id, a.title, a.section, a.n, b.id AS b, l2_distance(a.embedding, b.embedding)"
                + " AS d FROM docs a JOIN queries b ON l2_distance(a.embedding, b.embedding) < 1.5"
                + " AND a.id "
                + List.of("<", ">=", "+ b.id >").get(random.nextInt(3))
                + " b.id ORDER BY d, a.id, a.title, a.section, a.n, b.id",
            "",
            List.of(),
            true,
            null);
      case 0:
        return new Question(
            "SELECT "
                + all
                + ", "
                + call
                + " FROM docs WHERE "
                + where
                + " ORDER BY 5"
                + down
                + nulls
                + ", 1, 2, 3, 4",
            " FETCH FIRST " + k + " ROWS ONLY",
            parameters,
            true,
            null);
      case 1:
        return new Question(
            "SELECT x.id, x.title, x.section, x.n, d FROM (SELECT *, "
                + call
                + " AS d FROM docs) AS x WHERE "
                + where
                + " AND d"
                + near
                + " ORDER BY d, id, title, section, n",
            "",
            parameters,
            true,
            null);
      case 2:
        return new Question(
            "WITH ranked AS (SELECT "
                + all
                + ", "
                + call
                + " AS d FROM docs WHERE "
                + where
                + ") SELECT "
                + all
                + ", d FROM ranked WHERE d IS NOT NULL ORDER BY d"
                + down
                + ", id, title, section, n",
            " LIMIT " + k,
            parameters,
            true,
            null);
      case 3:
        return new Question(
            "SELECT "
                + all
                + ", d FROM (SELECT "
                + all
                + ", "
                + call
                + " AS d FROM docs WHERE "
                + where
                + ") AS x QUALIFY ROW_NUMBER() OVER (PARTITION BY section ORDER BY d"
                + down
                + nulls
                + ", id, title, n) <= "
                + k
                + " ORDER BY d, id, title, section, n",
            "",
            parameters,
            true,
            null);
      case 4:
        return new Question(
            "SELECT COUNT(*), SUM(id), MIN(d) FROM (SELECT "
                + all
                + ", "
                + call
                + " AS d FROM docs WHERE "
                + where
                + " ORDER BY d"
                + down
                + nulls
                + ", id, title, section, n LIMIT "
                + k
                + ") AS x",
            "",
            parameters,
            true,
            null);
      case 5:
        return new Question(
            "SELECT section, COUNT(*), MAX(d) FROM (SELECT "
                + all
                + ", "
                + call
                + " AS d FROM docs WHERE "
                + where
                + ") AS x WHERE d"
                + near
                + " GROUP BY section ORDER BY 1, 2, 3",
            "",
            parameters,
            true,
            null);
      case 6:
        return new Question(
            "SELECT id, title, section, n, "
                + call
                + " AS d FROM docs WHERE "
                + where
                + (random.nextBoolean() ? " AND EXISTS" : " AND NOT EXISTS")
                + " (SELECT 1 FROM other WHERE other.doc = docs.id AND w LIKE 'w%')"
                + " ORDER BY d"
                + down
                + nulls
                + ", id, title, section, n",
            " LIMIT " + k,
            parameters,
            true,
            null);
      case 7:
        return new Question(
            "SELECT id, title, section, n, d FROM (SELECT "
                + all
                + ", "
                + call
                + " AS d FROM docs WHERE "
                + where
                + ") AS x WHERE d BETWEEN 0.5 AND 2 ORDER BY d"
                + down
                + ", id, title, section, n",
            " LIMIT " + k + " OFFSET 1",
            parameters,
            true,
            null);
      case 8:
        return new Question(
            "SELECT DISTINCT title, d FROM (SELECT title, "
                + call
                + " AS d, id FROM docs WHERE "
                + where
                + " ORDER BY d"
                + down
                + nulls
                + ", id, title, section, n LIMIT 7) AS x"
                + " ORDER BY 2, 1",
            "",
            parameters,
            true,
            null);
      case 9:
        return new Question(
            "SELECT id, title, section, n, d FROM (SELECT "
                + all
                + ", RANK() OVER (ORDER BY d"
                + down
                + nulls
                + ") AS r, d FROM (SELECT "
                + all
                + ", "
                + call
                + " AS d FROM docs WHERE "
                + where
                + ") AS x) AS y WHERE r < "
                + k
                + " ORDER BY d, id, title, section, n",
            "",
            parameters,
            true,
            null);
      case 10:
        return new Question(
            "SELECT id, title, section, n, d FROM (SELECT "
                + all
                + ", "
                + call
                + " * 2 + 1 AS d"
                + " FROM docs_view WHERE "
                + where
                + ") AS x ORDER BY d"
                + down
                + nulls
                + ", id, title, section, n",
            " LIMIT " + k,
            parameters,
            true,
            null);
      case 11:
        return new Question(
            "SELECT docs.id, title, section, n, w, "
                + call
                + " AS d FROM docs LEFT JOIN other ON"
                + " other.doc = docs.id WHERE "
                + where
                + " ORDER BY d"
                + down
                + nulls
                + ", docs.id, title, section, n, w",
            " LIMIT " + k,
            parameters,
            true,
            null);
      default:
        return new Question(
            "SELECT id, title, section, n, "
                + call
                + " AS d FROM docs WHERE id > (SELECT MIN(doc)"
                + " FROM other) AND "
                + where
                + " ORDER BY d"
                + down
                + nulls
                + ", id, title, section, n",
            " LIMIT " + k,
            parameters,
            true,
            null);
    }
  }

  private Question neighbors() {
    String kind =
        List.of(
                "CROSS JOIN LATERAL TABLE(%s) f",
                "LEFT JOIN LATERAL TABLE(%s) f ON TRUE",
                "CROSS JOIN LATERAL (SELECT * FROM TABLE(%s) WHERE distance > 0.5) f",
                "LEFT JOIN LATERAL (SELECT * FROM TABLE(%s) WHERE distance > 0.5) f ON TRUE")
            .get(random.nextInt(4));
    String call =
        String.format(
            java.util.Locale.ROOT,
            "faiss_neighbors('%s', 'docs', q.embedding, %d)",
            schema,
            random.nextInt(4));
    return new Question(
        "SELECT q.id, q.g, f.id AS found, f.rank, f.distance FROM queries q "
            + String.format(java.util.Locale.ROOT, kind, call)
            + (random.nextBoolean() ? " WHERE q.id <> 2" : "")
            + " ORDER BY 1, 4",
        "",
        List.of(),
        true,
        null);
  }

  private Question grouped() {
    String function = metric();
    boolean descending = METRICS.get(function).descending();
    List<Object> parameters = new ArrayList<>();
    String call = function + "(embedding, " + query(vector(), parameters) + ")";
    String rank =
        random.nextBoolean()
            ? "ROW_NUMBER() OVER (PARTITION BY %s ORDER BY d%s, id, title, section, n)"
            : "RANK() OVER (PARTITION BY %s ORDER BY d%s)";
    String sql =
        "SELECT id, title, section, n, d FROM (SELECT id, title, section, n, d, "
            + String.format(
                java.util.Locale.ROOT,
                rank,
                random.nextBoolean() ? "section" : "n, section",
                descending ? " DESC" : "")
            + " AS r FROM (SELECT id, title, section, n, embedding, "
            + call
            + " AS d FROM docs WHERE "
            + condition().sql
            + ") AS x) AS y WHERE r <= "
            + (1 + random.nextInt(4))
            + " ORDER BY d, id, title, section, n";
    return new Question(sql, "", parameters, true, null);
  }

  private Question union() {
    String function = metric();
    boolean descending = METRICS.get(function).descending();
    List<Object> parameters = new ArrayList<>();
    float[] vector = vector();
    String sql =
        "SELECT id, s, d FROM (SELECT id, section AS s, "
            + function
            + "(embedding, "
            + query(vector, parameters)
            + ") AS d FROM docs WHERE "
            + condition().sql
            + " UNION ALL SELECT id, g, "
            + function
            + "(embedding, "
            + query(vector, parameters)
            + ") FROM queries) AS x ORDER BY d"
            + (descending ? " DESC" : "")
            + ", id, s";
    return new Question(sql, " LIMIT " + random.nextInt(8), parameters, true, null);
  }

  private Question joined() {
    String function = metric();
    boolean descending = METRICS.get(function).descending();
    List<Object> parameters = new ArrayList<>();
    String down = descending ? " DESC" : "";
    switch (random.nextInt(5)) {
      case 0:
        return new Question(
            "SELECT docs.id, title, section, n, w, "
                + function
                + "(embedding, "
                + query(vector(), parameters)
                + ") AS d FROM docs JOIN other ON other.doc = docs.id WHERE "
                + condition().sql
                + " ORDER BY d"
                + down
                + ", docs.id, title, section, n, w",
            " LIMIT 4",
            parameters,
            true,
            null);
      case 1:
        return new Question(
            "SELECT id, title, section, n, "
                + function
                + "(embedding, "
                + query(vector(), parameters)
                + ") AS d FROM docs WHERE id IN (SELECT doc FROM other WHERE w <> 'w1') ORDER BY d"
                + down
                + ", id, title, section, n",
            " LIMIT 3 OFFSET 1",
            parameters,
            true,
            null);
      case 2:
        return new Question(
            "SELECT id, title, section, n, "
                + function
                + "(embedding, (SELECT embedding FROM queries WHERE id = "
                + random.nextInt(8)
                + ")) AS d FROM docs WHERE "
                + condition().sql
                + " ORDER BY d"
                + down
                + ", id, title, section, n",
            " LIMIT 5",
            parameters,
            true,
            null);
      case 3:
        return new Question(
            "SELECT a.id, a.title, b.id AS b, "
                + function
                + "(a.embedding, b.embedding) AS d FROM docs a JOIN queries b ON a.section = b.g"
                + " ORDER BY d"
                + down
                + ", a.id, a.title, b.id",
            " LIMIT 6",
            parameters,
            true,
            null);
      default:
        return new Question(
            "SELECT a.id, a.title, b.id AS b, l1_distance(a.embedding, b.embedding) AS d"
                + " FROM docs a JOIN queries b ON l1_distance(a.embedding, b.embedding) < 1.5"
                + " AND a.id <> b.id ORDER BY d, a.id, a.title, b.id",
            "",
            parameters,
            true,
            null);
    }
  }
}
