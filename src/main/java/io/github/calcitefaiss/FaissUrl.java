/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.jdbc.ErrorTranslation;
import io.github.calcitefaiss.jdbc.FaissErrors;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Enumeration;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.calcite.avatica.ConnectStringParser;

/**
 * A connection URL taken apart: {@code jdbc:faiss:<database or model>;property=value;…}.
 *
 * <p>Exactly one of database and model is set. A property of the URL wins over one given beside it;
 * names match whatever their case.
 *
 * @param database path of an SQLite file, or null
 * @param model path of a model file, or inline model text, or null
 * @param properties all others, by the name they were given
 */
public record FaissUrl(String database, String model, Map<String, String> properties) {
  static final String PREFIX = "jdbc:faiss:";

  private static final Pattern PROPERTY = Pattern.compile("^\\s*\\w+\\s*=.*", Pattern.DOTALL);
  private static final Pattern SCHEME = Pattern.compile("^[A-Za-z][A-Za-z0-9+.-]+:.*");
  private static final String USAGE =
      "; give " + PREFIX + "path/to/file.db, or " + PREFIX + "model=path/to/model.json";

  static FaissUrl parse(String url, Properties info) throws SQLException {
    String rest = url.substring(PREFIX.length()).strip();
    String path = null;
    if (!rest.isEmpty() && !PROPERTY.matcher(rest).matches()) {
      int semicolon = pathEnd(rest);
      path = (semicolon < 0 ? rest : rest.substring(0, semicolon)).strip();
      rest = semicolon < 0 ? "" : rest.substring(semicolon + 1);
    }
    Map<String, String> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    if (info != null) {
      for (Enumeration<?> names = info.propertyNames(); names.hasMoreElements(); ) {
        Object name = names.nextElement();
        Object value = info.get(name) == null ? info.getProperty((String) name) : info.get(name);
        all.put(name.toString(), value.toString());
      }
    }
    Properties given;
    try {
      given = ConnectStringParser.parse(rest);
    } catch (SQLException e) {
      throw FaissErrors.connect(
          "The properties of the connection URL can't be read: " + ErrorTranslation.said(e), e);
    }
    given.stringPropertyNames().forEach(name -> all.put(name, given.getProperty(name)));
    String database = all.remove("database");
    String model = all.remove("model");
    if (path != null) {
      if (database != null || model != null) {
        throw FaissErrors.connect(
            "The URL names '" + path + "' and a property names another database or model" + USAGE);
      }
      if (isModel(path)) {
        model = path;
      } else {
        database = path;
      }
    }
    if (database == null && model == null) {
      throw FaissErrors.connect("No database given" + USAGE);
    }
    if (database != null && model != null) {
      throw FaissErrors.connect("Both a database and a model are given" + USAGE);
    }
    return new FaissUrl(
        database == null ? null : checkPath(database, "database"),
        model == null || model.startsWith("inline:") ? model : checkPath(model, "model"),
        all);
  }

  /** Where the path ends: at the first semicolon, unless there is a file with it in its name. */
  private static int pathEnd(String rest) {
    for (int end = rest.length(); end > 0; end = rest.lastIndexOf(';', end - 1)) {
      String properties = end == rest.length() ? "" : rest.substring(end + 1);
      if ((properties.isBlank() || PROPERTY.matcher(properties).matches())
          && isFile(rest.substring(0, end))) {
        return end == rest.length() ? -1 : end;
      }
    }
    return rest.indexOf(';');
  }

  private static boolean isFile(String path) {
    try {
      return Files.isRegularFile(Path.of(path.strip()));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** The name of the schema for a database path: the file's name without its last extension. */
  static String schemaName(String path) {
    String name = path.substring(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }

  private static boolean isModel(String path) {
    String lower = path.toLowerCase(Locale.ROOT);
    return lower.startsWith("inline:")
        || lower.endsWith(".json")
        || lower.endsWith(".yaml")
        || lower.endsWith(".yml");
  }

  private static String checkPath(String path, String what) throws SQLException {
    boolean refused =
        path.isBlank()
            || path.startsWith(":")
            || SCHEME.matcher(path).matches()
            || path.indexOf('?') >= 0 && !isFile(path)
            || path.indexOf('\0') >= 0;
    if (refused) {
      int question = path.indexOf('?');
      throw FaissErrors.connect(
          "The "
              + what
              + " must be the path of a file, got '"
              + path
              + "'"
              + (question > 0 && isFile(path.substring(0, question))
                  ? "; properties follow a semicolon: "
                      + PREFIX
                      + path.substring(0, question)
                      + ";"
                      + path.substring(question + 1).replace('&', ';')
                  : USAGE));
    }
    return path;
  }
}
