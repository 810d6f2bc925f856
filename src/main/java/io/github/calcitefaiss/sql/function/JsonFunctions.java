/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.common.collect.Iterators;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.stream.IntStream;
import org.apache.calcite.DataContext;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Linq4j;

/**
 * SQLite's functions of JSON text that the plugin's SQL is written with.
 *
 * @see <a href="https://sqlite.org/json1.html">SQLite's documentation of them</a>
 */
public final class JsonFunctions {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder(VectorJson.JSON)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** From how many characters on a text takes a while to be read. */
  private static final int LONG = 1 << 16;

  private JsonFunctions() {}

  /** {@code json_extract(json, path)}: the value at a path; NULL where there is none. */
  public static Object jsonExtract(DataContext root, Object json, Object path) {
    if (json == null || path == null) {
      return null;
    }
    return value(find("json_extract", parse(root, "json_extract", json), path));
  }

  /**
   * {@code json_each(json)}: a row for each element of an array or object, or one for a scalar.
   *
   * @return rows of key, value, type and atom
   */
  public static Enumerable<Object[]> jsonEach(DataContext root, Object json) {
    return json == null ? Linq4j.emptyEnumerable() : rows(parse(root, "json_each", json));
  }

  /** {@code json_each(json, path)}: the same of what is at the path. */
  public static Enumerable<Object[]> jsonEachAt(DataContext root, Object json, Object path) {
    if (json == null || path == null) {
      return Linq4j.emptyEnumerable();
    }
    return rows(find("json_each", parse(root, "json_each", json), path));
  }

  /** The rows, each made when it is asked for. */
  private static Enumerable<Object[]> rows(JsonNode node) {
    if (node == null) {
      return Linq4j.emptyEnumerable();
    } else if (node.isObject()) {
      return each(
          () -> Iterators.transform(node.fields(), field -> row(field.getKey(), field.getValue())));
    } else if (node.isArray()) {
      return each(
          () ->
              IntStream.range(0, node.size()).mapToObj(i -> row((long) i, node.get(i))).iterator());
    }
    return Linq4j.singletonEnumerable(row(null, node));
  }

  private static Enumerable<Object[]> each(Iterable<Object[]> rows) {
    return Linq4j.asEnumerable(rows);
  }

  private static Object[] row(Object key, JsonNode node) {
    return new Object[] {key, value(node), type(node), node.isContainerNode() ? null : value(node)};
  }

  /** A JSON value as SQLite gives it: booleans as 1 and 0, arrays and objects as text. */
  private static Object value(JsonNode node) {
    if (node == null || node.isNull()) {
      return null;
    } else if (node.isTextual()) {
      return node.textValue();
    } else if (node.isBoolean()) {
      return node.booleanValue() ? 1L : 0L;
    } else if (node.isIntegralNumber() && node.canConvertToLong()) {
      return node.longValue();
    } else if (node.isNumber()) {
      return node.doubleValue();
    }
    return node.toString();
  }

  private static String type(JsonNode node) {
    if (node.isIntegralNumber()) {
      return "integer";
    } else if (node.isNumber()) {
      return "real";
    } else if (node.isTextual()) {
      return "text";
    } else if (node.isBoolean()) {
      return node.booleanValue() ? "true" : "false";
    } else if (node.isNull()) {
      return "null";
    }
    return node.isArray() ? "array" : "object";
  }

  private static JsonNode parse(DataContext root, String function, Object json) {
    if (!(json instanceof String text)) {
      if (json instanceof Number) {
        return parse(root, function, Values.text(json));
      }
      throw Errors.notText(function, "json", json).raise();
    }
    try {
      JsonNode node = read(root, text);
      if (node == null || node.isMissingNode()) {
        throw Errors.malformedJson(function, "no text").raise();
      }
      return node;
    } catch (JsonProcessingException e) {
      throw Errors.malformedJson(function, VectorJson.describe(e)).raise();
    }
  }

  /** Reads a text, looking at the run's cancel flag now and then if the text is long. */
  private static JsonNode read(DataContext root, String text) throws JsonProcessingException {
    if (text.length() < LONG || !(root instanceof Execution.Carrier run)) {
      return MAPPER.readTree(text);
    }
    Reader polling =
        new FilterReader(new StringReader(text)) {
          @Override
          public int read(char[] buffer, int offset, int length) throws IOException {
            run.execution().check();
            return super.read(buffer, offset, length);
          }
        };
    try {
      return MAPPER.readTree(polling);
    } catch (JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException(e); // Not from a text.
    }
  }

  /** What is at a path such as {@code $.a[0]."b c"[#-1]}, or null. */
  private static JsonNode find(String function, JsonNode json, Object pathValue) {
    String path = pathValue instanceof String text ? text : Values.text(pathValue);
    if (!path.startsWith("$")) {
      throw Errors.badPath(function, path, "does not begin with $").raise();
    }
    JsonNode node = json;
    int i = 1;
    while (i < path.length()) {
      char c = path.charAt(i);
      if (c == '[') {
        int end = path.indexOf(']', i);
        if (end < 0) {
          throw Errors.badPath(function, path, "has a [ without a ]").raise();
        }
        node = element(function, path, node, path.substring(i + 1, end));
        i = end + 1;
      } else if (c == '.') {
        String key;
        if (path.startsWith("\"", i + 1)) {
          int end = path.indexOf('"', i + 2);
          if (end < 0) {
            throw Errors.badPath(function, path, "has an open quote").raise();
          }
          key = path.substring(i + 2, end);
          i = end + 1;
        } else {
          int end = i + 1;
          while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
          }
          key = path.substring(i + 1, end);
          if (key.isEmpty()) {
            throw Errors.badPath(function, path, "has an empty key").raise();
          }
          i = end;
        }
        node = node == null ? null : node.get(key);
      } else {
        throw Errors.badPath(function, path, "has a '" + c + "' at character " + (i + 1)).raise();
      }
    }
    return node;
  }

  private static JsonNode element(String function, String path, JsonNode node, String index) {
    try {
      int size = node == null || !node.isArray() ? 0 : node.size();
      int position;
      if (index.startsWith("#-")) {
        position = size - Integer.parseInt(index.substring(2));
      } else if (index.equals("#")) {
        position = size;
      } else {
        position = Integer.parseInt(index);
      }
      return position >= 0 && position < size ? node.get(position) : null;
    } catch (NumberFormatException e) {
      throw Errors.badPath(function, path, "has the index '" + index + "'").raise();
    }
  }
}
