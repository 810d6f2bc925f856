/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every answer that the real datasette-faiss gave over the real FAISS is ours too. */
class ConformanceTest {
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
      String sql = each.get("sql").asText();
      tests.add(
          DynamicTest.dynamicTest(
              tests.size() + ": " + (sql.length() > 80 ? sql.substring(0, 80) + "…" : sql),
              () -> check(sql, each)));
    }
    assertEquals(219, tests.size());
    return tests.stream();
  }

  private static void check(String sql, JsonNode expected) throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertTrue(rows.next());
      if (expected.has("expected_hex")) {
        assertEquals(
            expected.get("expected_hex").asText(),
            HexFormat.of().withUpperCase().formatHex(rows.getBytes(1)));
      } else if (sql.contains("_with_scores")) {
        JsonNode want = MAPPER.readTree(expected.get("expected").asText());
        JsonNode got = MAPPER.readTree(rows.getString(1));
        assertEquals(want.size(), got.size());
        for (int i = 0; i < want.size(); i++) {
          assertEquals(want.get(i).get(0), got.get(i).get(0));
          double score = want.get(i).get(1).asDouble();
          assertEquals(score, got.get(i).get(1).asDouble(), 1e-5 * Math.abs(score) + 1e-9);
        }
      } else {
        assertEquals(expected.get("expected").asText(), rows.getString(1));
      }
    }
  }
}
