/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.VectorCodec;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The law: a filter that columns beside the index answer keeps the rows that it keeps without them,
 * which are those that SQLite itself keeps.
 */
class KeptColumnsLawTest {
  private static final List<String> COLUMNS =
      List.of(
          "i INTEGER",
          "r REAL",
          "t TEXT",
          "b BOOLEAN",
          "d DATE",
          "n NUMERIC",
          "j INT",
          "m",
          "v TEXT");

  @TempDir Path directory;

  private Random random;
  private Path file;
  private final Map<Long, float[]> vectors = new TreeMap<>();
  private int size;
  private int answeredBeside;
  private int asked;

  /** A condition and its parameters. */
  private record Condition(String sql, List<Object> parameters) {}

  @Test
  void someStatements() throws SQLException {
    run(3, 40);
  }

  @Test
  @Tag("slow")
  void thousandsOfStatements() throws SQLException {
    run(30, 120);
  }

  private void run(int databases, int statements) throws SQLException {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("KeptColumnsLawTest -Dseed=" + seed);
    random = new Random(seed);
    for (int d = 0; d < databases; d++) {
      file = directory.resolve("kept" + d + ".db");
      boolean odd = d % 3 == 2;
      create(odd, d % 2 == 1);
      String url = "jdbc:faiss:" + file + ";native=off;columns=";
      try (Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
          Connection auto = DriverManager.getConnection(url + "auto");
          Connection named = DriverManager.getConnection(url + "i,r,t,b,d,n,j,m,v;memory=codes");
          Connection none = DriverManager.getConnection(url + "none")) {
        for (int s = 0; s < statements; s++) {
          String where = "seed " + seed + ", database " + d + ": ";
          filtered(where, condition(2, odd), sqlite, auto, named, none);
          if (s % 4 == 0) {
            grouped(where, auto, named, none);
          }
        }
      }
    }
    assertTrue(
        answeredBeside > asked / 2, answeredBeside + " of " + asked + " were answered beside");
  }

  private void filtered(
      String where,
      Condition condition,
      Connection sqlite,
      Connection auto,
      Connection named,
      Connection none)
      throws SQLException {
    float[] query = vector();
    int limit = 1 + random.nextInt(60);
    String sql =
        "SELECT id, l2_distance(embedding, ?) AS dist FROM docs WHERE embedding IS NOT NULL AND ("
            + condition.sql
            + ") ORDER BY dist, id LIMIT "
            + limit;
    String what = where + sql + " " + condition.parameters;
    List<Object> parameters = new ArrayList<>(List.of(VectorCodec.encode(query)));
    parameters.addAll(condition.parameters);
    List<String> without = rows(none, sql, parameters, what);
    assertEquals(without, rows(auto, sql, parameters, what), what);
    assertEquals(without, rows(named, sql, parameters, what), what);
    if (!without.isEmpty() && without.get(0).startsWith("refused")) {
      return;
    }
    assertEquals(bruteForce(sqlite, condition, query, limit), without, what + ", by SQLite");
    asked++;
    String order = " ORDER BY l2_distance(embedding, ?), id LIMIT " + limit;
    String columns = "SELECT " + String.join(", ", chosen()) + " FROM docs";
    String some = columns + sql.substring(sql.indexOf(" WHERE"), sql.indexOf(" ORDER")) + order;
    String all = columns + order;
    List<Object> last = new ArrayList<>(condition.parameters);
    last.add(VectorCodec.encode(query));
    same(where + some, some, last, auto, named, none);
    same(where + all, all, List.of(VectorCodec.encode(query)), auto, named, none);
    String plan = rows(named, "EXPLAIN PLAN FOR " + sql, parameters, what).toString();
    answeredBeside += plan.contains("filterIn=[index]") ? 1 : 0;
  }

  private List<String> bruteForce(Connection sqlite, Condition condition, float[] query, int limit)
      throws SQLException {
    String sql = "SELECT id FROM docs WHERE embedding IS NOT NULL AND (" + condition.sql + ")";
    List<Long> ids = new ArrayList<>();
    try (PreparedStatement statement = sqlite.prepareStatement(sql)) {
      for (int i = 0; i < condition.parameters.size(); i++) {
        Object parameter = condition.parameters.get(i);
        statement.setObject(
            i + 1,
            parameter instanceof BigDecimal number ? (Object) number.doubleValue() : parameter);
      }
      try (ResultSet found = statement.executeQuery()) {
        while (found.next()) {
          ids.add(found.getLong(1));
        }
      }
    }
    return ids.stream()
        .sorted(
            Comparator.<Long, Double>comparing(id -> Metric.L2.value(vectors.get(id), query))
                .thenComparing(id -> id))
        .limit(limit)
        .map(id -> shown(id) + shown(Metric.L2.value(vectors.get(id), query)))
        .toList();
  }

  private void grouped(String where, Connection auto, Connection named, Connection none)
      throws SQLException {
    String by = List.of("i", "t", "b", "d", "n", "m", "i, t").get(random.nextInt(7));
    String sql =
        "SELECT id, "
            + by
            + ", dist FROM (SELECT id, "
            + by
            + ", l2_distance(embedding, ?) AS dist, ROW_NUMBER() OVER"
            + " (PARTITION BY "
            + by
            + " ORDER BY l2_distance(embedding, ?), id) AS place FROM docs WHERE embedding IS NOT NULL"
            + (random.nextBoolean() ? "" : " AND i < 3")
            + ") AS x WHERE place <= 2 ORDER BY dist, id";
    byte[] query = VectorCodec.encode(vector());
    same(where + sql, sql, List.of(query, query), auto, named, none);
  }

  private static void same(
      String what,
      String sql,
      List<Object> parameters,
      Connection auto,
      Connection named,
      Connection none)
      throws SQLException {
    List<String> without = rows(none, sql, parameters, what);
    assertEquals(without, rows(auto, sql, parameters, what), what);
    assertEquals(without, rows(named, sql, parameters, what), what);
  }

  /** Some columns, most of them of those that may be kept. */
  private List<String> chosen() {
    List<String> all = new ArrayList<>(List.of("id"));
    COLUMNS.forEach(column -> all.add(column.split(" ")[0]));
    Collections.shuffle(all, random);
    return all.subList(0, 1 + random.nextInt(3));
  }

  private static String shown(Object value) {
    return value == null
        ? "null "
        : value instanceof byte[] blob
            ? HexFormat.of().formatHex(blob) + " "
            : value + ":" + value.getClass().getSimpleName() + " ";
  }

  private static List<String> rows(
      Connection connection, String sql, List<Object> parameters, String what) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.size(); i++) {
        statement.setObject(i + 1, parameters.get(i));
      }
      try (ResultSet results = statement.executeQuery()) {
        List<String> rows = new ArrayList<>();
        while (results.next()) {
          StringBuilder row = new StringBuilder();
          for (int i = 1; i <= results.getMetaData().getColumnCount(); i++) {
            row.append(shown(results.getObject(i)));
          }
          rows.add(row.toString());
        }
        return rows;
      }
    } catch (SQLException e) {
      if (e.getSQLState() == null) {
        throw new SQLException(what, e);
      }
      return List.of("refused: " + e.getSQLState() + " " + e.getMessage());
    }
  }

  // ------------------------------------------------------------------ the table

  /**
   * Makes a table.
   *
   * @param odd whether columns hold values of other types than they declare
   * @param mixed whether the rows are in another order than their ids, which have gaps
   */
  private void create(boolean odd, boolean mixed) throws SQLException {
    vectors.clear();
    size = 20 + random.nextInt(random.nextInt(3) == 0 ? 900 : 200);
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          "CREATE TABLE docs(id "
              + (mixed ? "INT" : "INTEGER")
              + " PRIMARY KEY, "
              + String.join(", ", COLUMNS)
              + ", embedding BLOB)");
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO docs VALUES (?,?,?,?,?,?,?,?,?,?,?)")) {
        for (int row = 1; row <= size; row++) {
          // 7,919 is a prime, so no id comes twice.
          long id = mixed ? row * 7919L % 10_007 - 5000 : row;
          insert.setLong(1, id);
          for (int c = 0; c < COLUMNS.size(); c++) {
            Object value =
                random.nextInt(9) == 0
                    ? null
                    : odd && random.nextInt(6) == 0 ? any() : of(COLUMNS.get(c).charAt(0));
            insert.setObject(2 + c, value);
          }
          float[] vector = random.nextInt(15) == 0 ? null : vector();
          insert.setBytes(11, vector == null ? null : VectorCodec.encode(vector));
          insert.execute();
          if (vector != null) {
            vectors.put(id, vector);
          }
        }
      }
      connection.commit();
    }
  }

  private float[] vector() {
    float[] vector = new float[3];
    for (int i = 0; i < 3; i++) {
      vector[i] = random.nextInt(3) == 0 ? random.nextFloat() : random.nextInt(3) - 1;
    }
    return vector;
  }

  /** A value that a column may well hold. */
  private Object of(char column) {
    switch (column) {
      case 'i':
        return (long) random.nextInt(6) - 1;
      case 'j':
        return big();
      case 'r':
        return real();
      case 'b':
        return random.nextInt(2);
      case 'd':
        return "2024-0" + (1 + random.nextInt(3)) + "-1" + random.nextInt(3);
      case 'n':
        return random.nextBoolean() ? (Object) (long) random.nextInt(4) : (Object) real();
      case 't':
      case 'v':
        return text();
      default:
        return any();
    }
  }

  private Object any() {
    switch (random.nextInt(6)) {
      case 0:
        return real();
      case 1:
        return text();
      case 2:
        return new byte[] {(byte) random.nextInt(3)};
      case 3:
        return big();
      default:
        return (long) random.nextInt(6) - 1;
    }
  }

  private long big() {
    long[] some = {
      0, 5, (1L << 53) - 1, 1L << 53, (1L << 53) + 1, Long.MAX_VALUE, Long.MIN_VALUE, -7
    };
    return some[random.nextInt(some.length)];
  }

  private double real() {
    double[] some = {0.0, -0.0, 0.5, 1, 2, 2.5, -1.25, 9007199254740992.0, 1e300, -1e-5, 0.1};
    return some[random.nextInt(some.length)];
  }

  private String text() {
    String[] some = {
      "",
      "a",
      "A",
      "b",
      "1",
      "01",
      "1.0",
      " 1",
      "2",
      "10",
      "5x",
      "é",
      "\uE000",
      "\uD83D\uDE00",
      "1e1"
    };
    return some[random.nextInt(some.length)];
  }

  /** What an id may be compared with. */
  private Object id() {
    List<Long> ids = List.copyOf(vectors.keySet());
    long id = ids.get(random.nextInt(ids.size()));
    switch (random.nextInt(8)) {
      case 0:
        return id + 0.5;
      case 1:
        return String.valueOf(id);
      case 2:
        return any();
      case 3:
        return (double) id;
      default:
        return id;
    }
  }

  // ------------------------------------------------------------------ conditions

  private Condition condition(int depth, boolean odd) {
    if (depth > 0 && random.nextInt(2) == 0) {
      Condition a = condition(depth - 1, odd);
      if (random.nextInt(4) == 0) {
        return new Condition("NOT (" + a.sql + ")", a.parameters);
      }
      Condition b = condition(depth - 1, odd);
      List<Object> both = new ArrayList<>(a.parameters);
      both.addAll(b.parameters);
      return new Condition(
          "(" + a.sql + ") " + (random.nextBoolean() ? "AND" : "OR") + " (" + b.sql + ")", both);
    }
    String column =
        random.nextInt(6) == 0 ? "id" : COLUMNS.get(random.nextInt(COLUMNS.size())).substring(0, 1);
    List<Object> parameters = new ArrayList<>();
    String[] signs = {"=", "<>", "<", "<=", ">", ">=", "IS NOT", "IS"};
    switch (column.equals("b") ? random.nextInt(2) * 3 : random.nextInt(8)) {
      case 0:
        return new Condition(
            column + (random.nextBoolean() ? " IS NULL" : " IS NOT NULL"), parameters);
      case 1:
        return new Condition(
            column + " BETWEEN " + value(column, parameters) + " AND " + value(column, parameters),
            parameters);
      case 2:
        return new Condition(
            column
                + (random.nextInt(3) == 0 ? " NOT IN (" : " IN (")
                + value(column, parameters)
                + ", "
                + value(column, parameters)
                + ", "
                + value(column, parameters)
                + ")",
            parameters);
      case 3:
        String[] truths = {"b", "NOT b", "b IS TRUE", "b IS NOT FALSE", "b = TRUE", "b <> TRUE"};
        return odd
            ? new Condition("i = 1", parameters)
            : new Condition(truths[random.nextInt(truths.length)], parameters);
      default:
        String sign = signs[random.nextInt(column.equals("b") ? 2 : 6)];
        String value = value(column, parameters);
        return random.nextInt(4) == 0
            ? new Condition(value + " " + sign + " " + column, parameters)
            : new Condition(column + " " + sign + " " + value, parameters);
    }
  }

  /** A constant that a column is compared with, as text or as a parameter. */
  private String value(String column, List<Object> parameters) {
    Object value = column.equals("id") ? id() : of(column.charAt(0));
    if (column.equals("b")) {
      return random.nextBoolean() ? "TRUE" : "FALSE";
    }
    if (value instanceof byte[] blob) {
      return "x'0" + blob[0] + "'";
    }
    // Calcite takes a range that ends with a literal beyond the basic plane for an empty one, with
    // columns or without.
    boolean literal =
        !(value instanceof String text) || text.equals("") || text.charAt(0) < '\uD800';
    if (!literal || random.nextInt(3) == 0) {
      parameters.add(value);
      return "?";
    }
    return value instanceof String text ? "'" + text + "'" : String.valueOf(value);
  }
}
