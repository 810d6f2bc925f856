/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table of types in docs/clients.md is what tools are told. */
class TypesDocumentTest {
  private static final Pattern ROW = Pattern.compile("(?m)^\\| (`[^|]*`) \\| ([A-Z]+) \\|");

  @TempDir private Path folder;

  @Test
  void declaredTypesAreAnnouncedAsTheTableSays() throws Exception {
    String document = Files.readString(Path.of("docs/clients.md"));
    int types = document.indexOf("## Types");
    Matcher rows = ROW.matcher(document.substring(types, document.indexOf("\n## ", types)));
    Map<String, String> expected = new LinkedHashMap<>();
    while (rows.find()) {
      for (String declared : rows.group(1).split("`,? ?`?")) {
        if (!declared.isEmpty()) {
          expected.put(declared, rows.group(2));
        }
      }
    }
    assertTrue(expected.size() > 15, expected.toString());
    List<String> columns = new ArrayList<>();
    for (String declared : expected.keySet()) {
      columns.add("c" + columns.size() + " " + declared);
    }
    Path file =
        TestDatabase.write(
            folder.resolve("types.db"), "CREATE TABLE t (" + String.join(", ", columns) + ")");
    Map<String, String> announced = new LinkedHashMap<>();
    try (Connection connection = TestDatabase.connect(file);
        ResultSet found = connection.getMetaData().getColumns(null, null, "t", null)) {
      while (found.next()) {
        announced.put(
            found.getString("REMARKS").replace("Declared ", ""), found.getString("TYPE_NAME"));
      }
    }
    assertEquals(expected, announced);
  }
}
