/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The statements of the plugin's README run as they are written there. */
class PluginReadmeTest {
  private static final Path SCRIPT = Path.of("src/test/resources/conformance/readme.sql");

  /** A statement with what its comment says of the answer; -1 and null where it says nothing. */
  private record Example(String sql, int rows, int columns, String value) {}

  @TestFactory
  Stream<DynamicTest> examples() throws IOException {
    List<Example> examples = new ArrayList<>();
    for (String part : Files.readString(SCRIPT).split("\n;\n", -1)) {
      int rows = -1;
      int columns = -1;
      String value = null;
      for (String line : part.lines().filter(l -> l.startsWith("-- rows:")).toList()) {
        for (String word : line.substring(3).split(" (?=rows:|columns:|value:|:id)", -1)) {
          if (word.startsWith("rows:")) {
            rows = Integer.parseInt(word.substring(5).trim());
          } else if (word.startsWith("columns:")) {
            columns = Integer.parseInt(word.substring(8).trim());
          } else if (word.startsWith("value:")) {
            value = word.substring(6);
          }
        }
      }
      if (rows >= 0) {
        examples.add(new Example(part, rows, columns, value));
      }
    }
    assertEquals(8, examples.size());
    return examples.stream()
        .map(example -> DynamicTest.dynamicTest(example.sql().strip(), () -> check(example)));
  }

  private static void check(Example example) throws Exception {
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:examples/blog.db");
        PreparedStatement statement = connection.prepareStatement(example.sql())) {
      if (statement.getParameterMetaData().getParameterCount() == 1) {
        statement.setLong(1, 3);
      }
      try (ResultSet rows = statement.executeQuery()) {
        int n = 0;
        String first = null;
        while (rows.next()) {
          n++;
          first = n == 1 ? rows.getString(1) : first;
        }
        assertEquals(example.rows(), n);
        if (example.columns() >= 0) {
          assertEquals(example.columns(), rows.getMetaData().getColumnCount());
        }
        if (example.value() != null) {
          assertEquals(example.value(), first);
        }
      }
    }
  }
}
