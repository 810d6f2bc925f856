/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.connect.SparkSchema;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sqlite.IndexedTable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.calcite.schema.Schema;

/** What the operands of a schema on a Spark cluster say. */
final class ClusterConfig {
  static final String ENGINE = "engine";

  private static final String URL = "url";
  private static final List<String> OPERANDS = List.of(ENGINE, URL, FaissConfig.TABLES);
  private static final List<String> KEYS = List.of("table", "path", "format", "id", "embedding");
  private static final Set<String> FROM_CALCITE = Set.of("modelUri", "baseDirectory");

  private ClusterConfig() {}

  static Schema schema(String schema, Map<String, Object> operand) throws FaissException {
    for (String key : operand.keySet()) {
      if (!OPERANDS.contains(key) && !FROM_CALCITE.contains(key)) {
        throw FaissConfig.wrong(
            schema,
            "unknown operand '"
                + key
                + "'"
                + Names.didYouMean(key, OPERANDS)
                + "; known with an engine: "
                + String.join(", ", OPERANDS));
      }
    }
    if (!"spark".equals(operand.get(ENGINE))) {
      throw FaissConfig.wrong(
          schema, "operand 'engine' is '" + operand.get(ENGINE) + "', expected 'spark'");
    }
    if (!(operand.get(URL) instanceof String url)) {
      throw FaissConfig.wrong(
          schema, "operand 'url' must be a Spark Connect server, such as sc://host:15002");
    }
    if (!(operand.get(FaissConfig.TABLES) instanceof Collection<?> list) || list.isEmpty()) {
      throw FaissConfig.wrong(
          schema,
          "operand 'tables' must list the cluster's tables, as {\"table\": \"docs\", \"path\":"
              + " \"/data/docs\"}");
    }
    List<SparkSchema.Named> tables = new ArrayList<>();
    Set<String> seen = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    for (Object entry : list) {
      SparkSchema.Named table = table(schema, entry);
      if (!seen.add(table.name())) {
        throw FaissConfig.wrong(schema, "operand 'tables' names '" + table.name() + "' twice");
      }
      tables.add(table);
    }
    return new SparkSchema(schema, url, tables);
  }

  private static SparkSchema.Named table(String schema, Object entry) throws FaissException {
    if (entry instanceof String name && !name.isEmpty()) {
      return new SparkSchema.Named(
          name, List.of(name), IndexedTable.DEFAULT_ID, IndexedTable.DEFAULT_EMBEDDING);
    }
    if (!(entry instanceof Map<?, ?> map)) {
      throw FaissConfig.wrong(
          schema,
          "operand 'tables' has the entry '"
              + entry
              + "', expected a name of Spark's catalog, or {\"table\": …, \"path\": …}");
    }
    for (Map.Entry<?, ?> each : map.entrySet()) {
      String key = String.valueOf(each.getKey());
      if (!KEYS.contains(key)) {
        throw FaissConfig.wrong(
            schema,
            "operand 'tables' has an entry with the unknown key '"
                + key
                + "'"
                + Names.didYouMean(key, KEYS)
                + "; known: "
                + String.join(", ", KEYS));
      } else if (!(each.getValue() instanceof String text) || text.isEmpty()) {
        throw FaissConfig.wrong(
            schema, "operand 'tables': '" + key + "' must be text, got '" + each.getValue() + "'");
      }
    }
    String name = (String) map.get("table");
    String path = (String) map.get("path");
    if (name == null) {
      throw FaissConfig.wrong(schema, "operand 'tables' has an entry without 'table': " + map);
    }
    return new SparkSchema.Named(
        name,
        path == null ? List.of(name.split("\\.")) : List.of(text(map, "format", "parquet"), path),
        text(map, "id", IndexedTable.DEFAULT_ID),
        text(map, "embedding", IndexedTable.DEFAULT_EMBEDDING));
  }

  private static String text(Map<?, ?> map, String key, String otherwise) {
    return map.get(key) instanceof String text ? text : otherwise;
  }
}
