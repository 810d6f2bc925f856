/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
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

  private static final Pattern TYPED =
      Pattern.compile("(?m)^\\| (`[^|]*`) \\| [A-Z]+ \\|[^|]*\\| (?:([A-Z]+),[^|]*)?\\|$");

  @Test
  void declaredTypesAreAnnouncedAsTheTableSays() throws Exception {
    String document = Files.readString(Path.of("docs/clients.md"));
    int types = document.indexOf("## Types");
    String table = document.substring(types, document.indexOf("\n## ", types));
    Map<String, String> expected = new LinkedHashMap<>();
    Map<String, String> typed = new LinkedHashMap<>();
    Matcher more = TYPED.matcher(table);
    while (more.find()) {
      for (String declared : more.group(1).split("`,? ?`?")) {
        if (!declared.isEmpty() && more.group(2) != null) {
          typed.put(declared, more.group(2));
        }
      }
    }
    assertEquals(6, typed.size(), typed.toString());
    Matcher rows = ROW.matcher(table);
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
    TestDatabase.write(
        folder.resolve("types.db"), "CREATE TABLE t (" + String.join(", ", columns) + ")");
    assertEquals(expected, announced(""));
    expected.putAll(typed);
    assertEquals(expected, announced(";types=declared"));
  }

  private Map<String, String> announced(String property) throws Exception {
    Map<String, String> announced = new LinkedHashMap<>();
    try (Connection connection =
            DriverManager.getConnection("jdbc:faiss:" + folder.resolve("types.db") + property);
        ResultSet found = connection.getMetaData().getColumns(null, null, "t", null)) {
      while (found.next()) {
        announced.put(
            found.getString("REMARKS").replace("Declared ", ""), found.getString("TYPE_NAME"));
      }
    }
    return announced;
  }
}
