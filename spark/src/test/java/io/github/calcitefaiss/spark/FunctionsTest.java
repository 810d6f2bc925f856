/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static io.github.calcitefaiss.spark.LocalSpark.error;
import static io.github.calcitefaiss.spark.LocalSpark.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.Metric;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The functions in Spark SQL, over every type that holds a vector. */
class FunctionsTest {
  private static final String BLOB = "faiss_encode('[0.1, 2, -3.5]')";
  private static final List<String> FORMS =
      List.of(
          BLOB,
          "'[0.1, 2, -3.5]'",
          "array(0.1, 2, -3.5)",
          "array(0.1F, 2F, -3.5F)",
          "CAST(array(0.1F, 2F, -3.5F) AS ARRAY<DOUBLE>)");

  @Test
  void everyFormOfVectorGivesTheSameBits() {
    float[] a = {0.1f, 2f, -3.5f};
    float[] b = {0.7f, -1.25f, 11f};
    for (Map.Entry<String, Metric> entry : Functions.METRICS.entrySet()) {
      double expected = entry.getValue().value(a, b);
      for (String form : FORMS) {
        String other = "faiss_encode('[0.7, -1.25, 11]')";
        assertEquals(expected, value("select " + entry.getKey() + "(" + form + ", " + other + ")"));
        // Of rows, not of constants, so that generated code is used.
        assertEquals(
            expected,
            value(
                "select "
                    + entry.getKey()
                    + "(v, "
                    + other
                    + ") from (select "
                    + form
                    + " as v from range(2) where rand() >= 0)"));
        assertEquals(
            expected,
            value(
                "select "
                    + entry.getKey()
                    + "(v, w) from (select "
                    + form
                    + " as v, "
                    + other
                    + " as w from range(2) where rand() >= 0)"));
      }
    }
  }

  @Test
  void nullAndZeroVectorsGiveNull() {
    assertNull(value("select l2_distance(null, '[1]')"));
    assertNull(value("select l2_distance(v, '[1]') from (select cast(null as binary) as v)"));
    assertNull(value("select cosine_distance('[0, 0]', '[1, 2]')"));
    assertNull(
        value("select cosine_similarity(v, '[0]') from (select array(1F) v where rand()>=0)"));
    assertNull(value("select l2_normalize('[0, 0]')"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "l2_distance('[1,2]', '[1]') | l2_distance: the vectors' dimensions differ: 2 and 1",
        "l2_distance(X'00', '[1]')"
            + "| l2_distance: first vector: a float32 vector's length in bytes must be",
        "l2_distance('[1]', '[x]') | l2_distance: second vector: malformed JSON at element 0",
        "l2_distance('[1]', array(0.1D))"
            + "| l2_distance: second vector: element 0 is 0.1, which float32 doesn't hold exactly",
        "l2_distance('[1]', array(1F, null)) | second vector: element 1 is NULL",
        "l2_distance('[1]', array(cast('NaN' as float))) | second vector: element 0 is NaN",
        "l2_distance('[1]', 5) | l2_distance: b: expected a vector (BINARY",
        "l2_distance('[1]') | l2_distance: expected 2 arguments (a, b), got 1",
        "faiss_decode('x') | faiss_decode: blob: expected a BINARY, got STRING",
        "faiss_encode('[1, 1e39]') | faiss_encode: json: element 1 is 1e39",
        "vec_slice('[1, 2]', 1, 3) | vec_slice: elements 1 to 3 are not all in a vector of 2",
        "subvector('[1, 2]', 0, 1) | subvector: 1 elements from number 0",
        "vec_add('[3e38]', '[3e38]') | vec_add: element 0 of the result is 6.0",
      })
  void wrongArgumentsAreErrorsThatSayWhatIsWrong(String call, String message) {
    String got = error("select " + call);
    assertTrue(got.contains(message), got);
  }

  @Test
  void helpersGiveWhatTheyGiveElsewhere() {
    assertEquals(3L, value("select vector_dims('[1,2,3]')"));
    assertEquals(5.0, value("select vector_norm('[3,4]')"));
    assertEquals(
        "[0.6000000238418579, 0.800000011920929]",
        value("select vec_to_json(vec_normalize('[3,4]'))"));
    assertEquals("[4.0, 6.0]", value("select faiss_decode(vec_add('[1,2]', array(3, 4)))"));
    assertEquals("[-2.0, -2.0]", value("select faiss_decode(vec_sub('[1,2]', '[3,4]'))"));
    assertEquals("[2.0]", value("select faiss_decode(vec_slice('[1,2,3]', 1, 2))"));
    assertEquals("[2.0, 3.0]", value("select faiss_decode(subvector('[1,2,3]', 2, 2))"));
    assertEquals(
        "9A991940333383406666E63F",
        HexFormat.of()
            .withUpperCase()
            .formatHex((byte[]) value("select faiss_encode('[2.4, 4.1, 1.8]')")));
    // Spark's own of the same name.
    assertEquals(5f, value("select vector_norm(array(3F, 4F), 2F)"));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7})
  void aggregateIsTheSameHoweverRowsAreSpread(int partitions) {
    String rows =
        "(select /*+ REPARTITION("
            + partitions
            + ") */ id, faiss_encode(concat('[', id % 10, ', ', id % 3, ']')) as e, id % 2 as g"
            + " from range(1000))";
    assertEquals("[2, 32, 62]", value("select faiss_agg(id, e, '[2, 2]', 3) from " + rows));
    assertEquals(
        "[[2, 0.0], [32, 0.0]]",
        value("select faiss_agg_with_scores(id, e, '[2, 2]', 2) from " + rows));
    assertEquals(
        "[0,[2, 32]]\n[1,[11, 23]]",
        LocalSpark.text(
            "select g, faiss_agg(id, e, '[2, 2]', 2) from " + rows + " group by g order by g"));
    assertNull(value("select faiss_agg(id, e, '[2, 2]', 3) from " + rows + " where id < 0"));
    assertEquals(
        "[]", value("select faiss_agg(id, cast(null as binary), '[2, 2]', 3) from " + rows));
    assertEquals("[]", value("select faiss_agg(id, e, '[2, 2]', 0) from " + rows));
    assertEquals("[\"122\"]", value("select faiss_agg(string(id), e, '[2, 2]', 1) from " + rows));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "faiss_agg(id, '[1]', '[1,2]', 3)" + "| faiss_agg: embedding: expected 2 dimensions, got 1",
        "faiss_agg(id, '[1]', '[1]', -1) | faiss_agg: k: expected 0 or more, got -1",
        "faiss_agg(id, '[1]', '[1]', 1.5) | faiss_agg: k: expected a whole number, got 1.5",
        "faiss_agg(id, '[1]', concat('[', id, ']'), 1)"
            + "| faiss_agg: query changes within a group; it must be the same for all rows",
        "faiss_agg(id, '[1]', '[1]', id) | faiss_agg: k changes within a group",
      })
  void wrongAggregatesAreErrors(String call, String message) {
    String got = error("select " + call + " from range(4)");
    assertTrue(got.contains(message), got);
  }

  @Test
  void aTableIsSearchedByTheFunctionsOfTheReadme(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("f.db");
    Product.database(file, 300, 4, 5);
    Export.export(file, folder.resolve("lake"), Set.of(), 10_000);
    String vector = "'[1, 0, 0.5, -1]'";
    String table = "'parquet', '" + folder.resolve("lake/embeddings") + "'";
    try (Connection sqlite = Product.open(Product.driver(List.of()), file)) {
      for (String function : List.of("faiss_search", "faiss_search_with_scores")) {
        for (int k : List.of(0, 7, 1000)) {
          String call = "select " + function + "(%s, " + vector + ", " + k + ")";
          assertEquals(
              Product.text(sqlite, call.formatted("'f', 'embeddings'")).strip(),
              value(call.formatted(table)));
        }
      }
      String rows = "select id, distance, rank from faiss_neighbors(%s, " + vector + ", 7)";
      assertEquals(
          "["
              + Product.text(sqlite, rows.formatted("'f', 'embeddings'"))
                  .strip()
                  .replace("\n", "]\n[")
              + "]",
          LocalSpark.text(rows.formatted(table)));
      String plan = LocalSpark.plan(rows.formatted(table));
      assertTrue(plan.contains("VectorTopK") && !plan.contains("row-wise"), plan);
      assertNull(value("select faiss_search(" + table + ", null, 3)"));
      assertEquals("", LocalSpark.text(rows.formatted(table).replace(vector, "null")));
      String error = error(rows.formatted(table).replace(", 7)", ", -1)"));
      assertTrue(
          error.contains("faiss_neighbors: k: expected a whole number, not negative, got -1"),
          error);
      error =
          error(
              "select faiss_search(" + table + ", embedding, 3) from values (X'') as t(embedding)");
      assertTrue(error.contains("faiss_search: vector: expected a constant"), error);
    }
  }
}
