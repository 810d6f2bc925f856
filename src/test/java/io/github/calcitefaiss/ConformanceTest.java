/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.calcitefaiss.index.VectorCodec;
import java.io.File;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every answer that the real datasette-faiss gave over the real FAISS is ours too.
 *
 * <p>Ids must be the same in the same order, with one exception that is proved each time: FAISS
 * sums in float32, so it can swap rows whose distances differ by less than its rounding error.
 * There the exact order, computed here with BigDecimal, must be ours, and the ids the same. Of the
 * cases, two are of this kind (57 and 58: rows 1068 and 477 differ by 1.4e-7 of their distance).
 */
class ConformanceTest {
  /** The cases in which FAISS's rounding changed the order. */
  private static final Set<Integer> ROUNDED_BY_FAISS = Set.of(57, 58);

  private static final double ROUNDING = 1e-6;
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static Connection connection;

  @BeforeAll
  static void connect() throws Exception {
    connection = DriverManager.getConnection("jdbc:faiss:src/test/resources/conformance/corpus.db");
  }

  @AfterAll
  static void close() throws Exception {
    connection.close();
  }

  @TestFactory
  Stream<DynamicTest> cases() throws IOException {
    JsonNode root = MAPPER.readTree(new File("src/test/resources/conformance/cases.json"));
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode each : root.get("cases")) {
      int number = tests.size() + 1;
      String sql = each.get("sql").asText();
      tests.add(
          DynamicTest.dynamicTest(
              number + ": " + (sql.length() > 80 ? sql.substring(0, 80) + "…" : sql),
              () -> check(number, sql, each)));
    }
    assertEquals(219, tests.size());
    return tests.stream();
  }

  private static void check(int number, String sql, JsonNode expected) throws Exception {
    String got;
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertTrue(rows.next());
      if (expected.has("expected_hex")) {
        assertEquals(
            expected.get("expected_hex").asText(),
            HexFormat.of().withUpperCase().formatHex(rows.getBytes(1)));
        return;
      }
      got = rows.getString(1);
    }
    String want = expected.get("expected").asText();
    if (ROUNDED_BY_FAISS.contains(number)) {
      checkExactOrder(sql, MAPPER.readTree(want), MAPPER.readTree(got));
    } else if (sql.contains("_with_scores")) {
      JsonNode wanted = MAPPER.readTree(want);
      JsonNode pairs = MAPPER.readTree(got);
      assertEquals(wanted.size(), pairs.size());
      for (int i = 0; i < wanted.size(); i++) {
        assertEquals(wanted.get(i).get(0), pairs.get(i).get(0));
        double score = wanted.get(i).get(1).asDouble();
        assertEquals(score, pairs.get(i).get(1).asDouble(), 1e-5 * Math.abs(score) + 1e-9);
      }
    } else {
      assertEquals(want, got);
    }
  }

  /** The same ids, in the order of their exact distances, apart from FAISS's by its rounding. */
  private static void checkExactOrder(String sql, JsonNode want, JsonNode got) throws Exception {
    Matcher literal = Pattern.compile("X'([0-9A-F]+)'").matcher(sql);
    assertTrue(literal.find());
    float[] query = VectorCodec.decode(HexFormat.of().parseHex(literal.group(1)));
    assertEquals(want.size(), got.size());
    List<Long> wanted = new ArrayList<>();
    List<Long> ids = new ArrayList<>();
    for (int i = 0; i < want.size(); i++) {
      wanted.add(id(want.get(i)));
      ids.add(id(got.get(i)));
    }
    assertEquals(new TreeSet<>(wanted), new TreeSet<>(ids));
    assertNotEquals(wanted, ids);
    Map<Long, BigDecimal> exact = new HashMap<>();
    for (long id : ids) {
      exact.put(id, exactDistance(query, id));
    }
    for (int i = 1; i < ids.size(); i++) {
      assertTrue(exact.get(ids.get(i - 1)).compareTo(exact.get(ids.get(i))) <= 0);
      double ours = exact.get(ids.get(i)).doubleValue();
      assertEquals(exact.get(wanted.get(i)).doubleValue(), ours, ROUNDING * ours);
    }
  }

  private static long id(JsonNode entry) {
    return (entry.isArray() ? entry.get(0) : entry).asLong();
  }

  private static BigDecimal exactDistance(float[] query, long id) throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("select embedding from embeddings where id = " + id)) {
      assertTrue(rows.next());
      float[] row = VectorCodec.decode(rows.getBytes(1));
      BigDecimal sum = BigDecimal.ZERO;
      for (int i = 0; i < row.length; i++) {
        BigDecimal difference = new BigDecimal(row[i]).subtract(new BigDecimal(query[i]));
        sum = sum.add(difference.multiply(difference));
      }
      return sum;
    }
  }
}
