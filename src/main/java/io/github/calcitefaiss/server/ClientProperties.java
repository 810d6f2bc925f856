/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import java.sql.SQLException;
import java.sql.SQLInvalidAuthorizationSpecException;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.apache.calcite.avatica.BuiltInConnectionProperty;

/**
 * Which connection properties a client may set.
 *
 * <p>A list of what is allowed, not of what is not: a property that Calcite gains tomorrow, and
 * that names a class, a file or a model, is refused without anybody thinking of it.
 */
final class ClientProperties {
  /** They change how SQL text is read, rows are sorted and columns are announced, nothing else. */
  private static final Set<String> ALLOWED =
      Set.of(
          "schema",
          "timezone",
          "types",
          "casesensitive",
          "quoting",
          "quotedcasing",
          "unquotedcasing",
          "lex",
          "conformance",
          "defaultnullcollation");

  /** What clients send along though it is about the way to the server, or changes nothing here. */
  private static final Set<String> DROPPED = dropped();

  private ClientProperties() {}

  /**
   * The properties to connect with.
   *
   * @param sent what the client sent; may be null
   * @throws SQLException naming the property that is refused
   */
  static Properties accepted(Map<String, String> sent) throws SQLException {
    Properties accepted = new Properties();
    if (sent == null) {
      return accepted;
    }
    for (Map.Entry<String, String> property : sent.entrySet()) {
      String name = property.getKey().toLowerCase(Locale.ROOT);
      if (property.getValue() == null) {
        throw new SQLException(
            "Connection property '"
                + property.getKey()
                + "' is null: expected a text, or no such"
                + " property",
            "HY024");
      } else if (ALLOWED.contains(name)) {
        accepted.setProperty(property.getKey(), property.getValue());
      } else if (!DROPPED.contains(name)) {
        throw new SQLInvalidAuthorizationSpecException(
            "Connection property '"
                + property.getKey()
                + "' can't be set by a client of this server; allowed: "
                + String.join(", ", new TreeSet<>(ALLOWED)),
            "42501");
      }
    }
    return accepted;
  }

  private static Set<String> dropped() {
    // The driver for Go always sends AutoCommit and Consistency; nothing is written here anyway.
    Set<String> names =
        new TreeSet<>(
            Set.of(
                "user",
                "password",
                "autocommit",
                "consistency",
                "readonly",
                "transactionisolation"));
    for (BuiltInConnectionProperty property : BuiltInConnectionProperty.values()) {
      names.add(property.camelName().toLowerCase(Locale.ROOT));
    }
    names.remove(BuiltInConnectionProperty.FACTORY.camelName());
    return names;
  }
}
