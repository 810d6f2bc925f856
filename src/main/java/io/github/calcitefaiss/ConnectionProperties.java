/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.sql.SQLException;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.calcite.avatica.util.Casing;
import org.apache.calcite.avatica.util.Quoting;
import org.apache.calcite.config.CalciteConnectionProperty;
import org.apache.calcite.config.NullCollation;
import org.apache.calcite.sql.validate.SqlConformanceEnum;

/**
 * The properties of a connection, sorted into Calcite's and the schema's operands.
 *
 * <p>Every name is known, else connecting fails with the nearest known one; a property given by the
 * person wins over the defaults set here.
 *
 * @param calcite for Calcite, defaults included
 * @param operands for the schema factory
 * @param schema the default schema, or null
 */
record ConnectionProperties(Properties calcite, Map<String, Object> operands, String schema) {
  /** All names accepted, with a description. */
  static final Map<String, String> NAMES = names();

  /** Names of Calcite's that make no sense here: the driver itself says what to open. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "schemafactory", "name a model file instead",
          "schematype", "name a model file instead",
          "spark", "Spark is not supported");

  private static final String PARSER = "io.github.calcitefaiss.sql.FaissParser";
  private static final String TYPE_SYSTEM = "io.github.calcitefaiss.sql.FaissTypeSystem";

  static ConnectionProperties of(Map<String, String> given) throws SQLException {
    Properties calcite = defaults();
    Map<String, Object> operands = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    String schema = null;
    for (Map.Entry<String, String> entry : given.entrySet()) {
      String name = entry.getKey();
      if (!NAMES.containsKey(name)) {
        throw unknown(name);
      }
      String refusal = REFUSED.get(name.toLowerCase(Locale.ROOT));
      if (refusal != null) {
        throw FaissErrors.connect("Property '" + name + "' can't be used: " + refusal);
      }
      CalciteConnectionProperty property = calciteProperty(name);
      if (name.equalsIgnoreCase("schema")) {
        schema = entry.getValue();
      } else if (property != null) {
        calcite.setProperty(property.camelName(), entry.getValue());
      } else if (!name.equalsIgnoreCase("user") && !name.equalsIgnoreCase("password")) {
        operands.put(name, entry.getValue());
      }
    }
    return new ConnectionProperties(calcite, operands, schema);
  }

  private static Properties defaults() {
    Properties p = new Properties();
    set(p, CalciteConnectionProperty.UNQUOTED_CASING, Casing.UNCHANGED.name());
    set(p, CalciteConnectionProperty.QUOTED_CASING, Casing.UNCHANGED.name());
    set(p, CalciteConnectionProperty.QUOTING, Quoting.DOUBLE_QUOTE.name());
    set(p, CalciteConnectionProperty.CASE_SENSITIVE, "false");
    set(p, CalciteConnectionProperty.DEFAULT_NULL_COLLATION, NullCollation.LOW.name());
    set(p, CalciteConnectionProperty.CONFORMANCE, SqlConformanceEnum.LENIENT.name());
    if (present(PARSER)) {
      set(p, CalciteConnectionProperty.PARSER_FACTORY, PARSER + "#FACTORY");
    }
    if (present(TYPE_SYSTEM)) {
      set(p, CalciteConnectionProperty.TYPE_SYSTEM, TYPE_SYSTEM);
    }
    return p;
  }

  private static void set(Properties p, CalciteConnectionProperty property, String value) {
    p.setProperty(property.camelName(), value);
  }

  private static boolean present(String className) {
    try {
      Class.forName(className, false, ConnectionProperties.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private static CalciteConnectionProperty calciteProperty(String name) {
    for (CalciteConnectionProperty property : CalciteConnectionProperty.values()) {
      if (property.camelName().equalsIgnoreCase(name)) {
        return property;
      }
    }
    return null;
  }

  private static Map<String, String> names() {
    Map<String, String> names = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (CalciteConnectionProperty property : CalciteConnectionProperty.values()) {
      names.put(property.camelName(), "Calcite's " + property.camelName());
    }
    names.put("database", "path of the SQLite file");
    names.put("model", "path of a Calcite model file");
    names.put("schema", "default schema");
    names.put("user", "accepted and not used");
    names.put("password", "accepted and not used");
    names.put("tables", "tables that get an index, separated by commas");
    names.put("onBadRow", "fail, or skip rows whose vector can't be used");
    names.put("refresh", "auto, manual, or how stale an index may be");
    names.put("memoryLimit", "bytes that all indexes may take");
    names.put("busyTimeout", "milliseconds to wait for a writer");
    return names;
  }

  private static SQLException unknown(String name) {
    String nearest = null;
    int best = Integer.MAX_VALUE;
    for (String known : NAMES.keySet()) {
      int distance = distance(name.toLowerCase(Locale.ROOT), known.toLowerCase(Locale.ROOT));
      if (distance < best) {
        best = distance;
        nearest = known;
      }
    }
    boolean near = best <= Math.max(2, name.length() / 3);
    return FaissErrors.connect(
        "Unknown connection property '"
            + name
            + "'"
            + (near ? "; did you mean '" + nearest + "'?" : "; known ones: " + NAMES.keySet()));
  }

  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
