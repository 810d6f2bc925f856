/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.jdbc.FaissErrors;
import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sql.parser.FaissParser;
import io.github.calcitefaiss.sql.planner.FaissTypeSystem;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
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
 * @param nativeWay whether SQLite may run whole statements
 * @param declaredTypes whether dates and decimals are announced as they are declared
 */
public record ConnectionProperties(
    Properties calcite,
    Map<String, Object> operands,
    String schema,
    boolean nativeWay,
    boolean declaredTypes) {
  private static final String NATIVE = "native";
  private static final String TYPES = "types";

  /**
   * What is said of a property to those who ask what there is.
   *
   * @param description what it does
   * @param byDefault its value where none is given, or null
   * @param choices the values it may have, or null for any
   */
  record Known(String description, String byDefault, List<String> choices) {}

  /** Those of Calcite's that somebody may want, in words. */
  private static final Map<String, String> OF_CALCITE =
      Map.of(
          "caseSensitive", "whether names of tables and columns tell case apart",
          "conformance", "how strict the grammar is, where Calcite plans a statement",
          "defaultNullCollation", "whether NULL is first (LOW) or last (HIGH) when sorted",
          "fun", "sets of functions beside the standard's, where Calcite plans a statement",
          "lex", "how names are quoted and compared, as a named set of the four settings for that",
          "quotedCasing", "what happens to the case of a name in quotes",
          "quoting", "the character that names are quoted with",
          "timeZone", "the zone of timestamps, such as Europe/Berlin",
          "unquotedCasing", "what happens to the case of a name without quotes");

  /** Names of Calcite's that make no sense here: the driver itself says what to open. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "schemafactory", "name a model file instead",
          "schematype", "name a model file instead",
          "spark", "Spark is not supported");

  /** All names accepted. */
  static final Map<String, Known> NAMES = names();

  static ConnectionProperties of(Map<String, String> given) throws SQLException {
    Properties calcite = defaults();
    Map<String, Object> operands = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    String schema = null;
    boolean nativeWay = true;
    boolean declaredTypes = false;
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
      } else if (name.equalsIgnoreCase(NATIVE)) {
        nativeWay = chosen(NATIVE, entry.getValue(), "off", "auto");
      } else if (name.equalsIgnoreCase(TYPES)) {
        declaredTypes = chosen(TYPES, entry.getValue(), "sqlite", "declared");
      } else if (property != null) {
        calcite.setProperty(property.camelName(), checked(property, entry.getValue()));
      } else if (!name.equalsIgnoreCase("user") && !name.equalsIgnoreCase("password")) {
        operands.put(operand(name), entry.getValue());
      }
    }
    return new ConnectionProperties(calcite, operands, schema, nativeWay, declaredTypes);
  }

  private static boolean chosen(String name, String value, String no, String yes)
      throws SQLException {
    String given = value.strip();
    if (!given.equalsIgnoreCase(no) && !given.equalsIgnoreCase(yes)) {
      throw FaissErrors.connect(
          "Property '" + name + "' is '" + value + "', expected " + yes + " or " + no);
    }
    return given.equalsIgnoreCase(yes);
  }

  private static Properties defaults() {
    Properties p = new Properties();
    set(p, CalciteConnectionProperty.UNQUOTED_CASING, Casing.UNCHANGED.name());
    set(p, CalciteConnectionProperty.QUOTED_CASING, Casing.UNCHANGED.name());
    set(p, CalciteConnectionProperty.QUOTING, Quoting.DOUBLE_QUOTE.name());
    set(p, CalciteConnectionProperty.CASE_SENSITIVE, "false");
    set(p, CalciteConnectionProperty.DEFAULT_NULL_COLLATION, NullCollation.LOW.name());
    set(p, CalciteConnectionProperty.CONFORMANCE, SqlConformanceEnum.LENIENT.name());
    set(p, CalciteConnectionProperty.PARSER_FACTORY, FaissParser.class.getName() + "#SQLITE");
    // What SQLite has and the standard has not: substr, instr, ltrim, ifnull, group_concat.
    set(p, CalciteConnectionProperty.FUN, "standard,oracle,mysql");
    set(p, CalciteConnectionProperty.TYPE_SYSTEM, FaissTypeSystem.class.getName());
    return p;
  }

  private static void set(Properties p, CalciteConnectionProperty property, String value) {
    p.setProperty(property.camelName(), value);
  }

  private static CalciteConnectionProperty calciteProperty(String name) {
    for (CalciteConnectionProperty property : CalciteConnectionProperty.values()) {
      if (property.camelName().equalsIgnoreCase(name)) {
        return property;
      }
    }
    return null;
  }

  /** Refuses here what Calcite would take for false, or find out about in mid-statement. */
  private static String checked(CalciteConnectionProperty property, String value)
      throws SQLException {
    List<String> allowed = choices(property);
    if (allowed == null) {
      return value;
    }
    for (String known : allowed) {
      if (known.equalsIgnoreCase(value)) {
        return known;
      }
    }
    throw FaissErrors.connect(
        "Property '"
            + property.camelName()
            + "' is '"
            + value
            + "', expected one of "
            + String.join(", ", allowed)
            + Names.didYouMean(value, allowed));
  }

  private static String operand(String name) {
    return FaissConfig.OPERANDS.keySet().stream()
        .filter(name::equalsIgnoreCase)
        .findFirst()
        .orElse(name);
  }

  private static Map<String, Known> names() {
    Map<String, Known> names = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    Properties defaults = defaults();
    for (CalciteConnectionProperty property : CalciteConnectionProperty.values()) {
      String name = property.camelName();
      names.put(
          name,
          new Known(
              OF_CALCITE.getOrDefault(
                  name, "a setting of the planner, Apache Calcite; leave it as it is"),
              defaults.getProperty(
                  name,
                  property.defaultValue() == null ? null : property.defaultValue().toString()),
              choices(property)));
    }
    FaissConfig.OPERANDS.forEach(
        (operand, known) ->
            names.put(operand, new Known(known.description(), known.byDefault(), known.choices())));
    names.put("model", new Known("path of a model file, which names several sources", null, null));
    names.put("schema", new Known("the schema that names without one belong to", null, null));
    names.put(
        NATIVE,
        new Known(
            "auto: SQLite runs statements that it can run alone; off: all are planned by Calcite",
            "auto",
            List.of("auto", "off")));
    names.put(
        TYPES,
        new Known(
            "declared: columns declared as DATE, TIME, TIMESTAMP or DECIMAL are announced as such;"
                + " sqlite: as the texts and numbers that SQLite keeps",
            "sqlite",
            List.of("sqlite", "declared")));
    names.put("user", new Known("accepted and not used: a file has no users", null, null));
    names.put("password", new Known("accepted and not used", null, null));
    return names;
  }

  private static List<String> choices(CalciteConnectionProperty property) {
    switch (property.type()) {
      case BOOLEAN:
        return List.of("true", "false");
      case ENUM:
        return Arrays.stream(property.valueClass().getEnumConstants())
            .map(constant -> ((Enum<?>) constant).name())
            .toList();
      default:
        return null;
    }
  }

  private static SQLException unknown(String name) {
    return FaissErrors.connect(
        "Unknown connection property '" + name + "'" + Names.among(name, NAMES.keySet()));
  }
}
