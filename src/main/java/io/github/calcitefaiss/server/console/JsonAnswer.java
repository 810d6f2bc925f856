/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.calcitefaiss.sql.function.JsonText;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Results and errors as Datasette's JSON: of 0.65, and at {@code /-/query.json} of 1.0. */
final class JsonAnswer {
  static final String TYPE = "application/json; charset=utf-8";

  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private static final JsonFactory JSON = MAPPER.getFactory();

  /** Which of Datasette's generations a client expects. */
  enum Generation {
    STABLE,
    ONE
  }

  /**
   * What surrounds the rows.
   *
   * @param before keys before rows; a value is a map, a list, a text, a number, a boolean or null
   * @param after keys after the rows
   * @param keys the primary key's columns for {@code _shape=object}; null if it is no table
   */
  record Frame(Map<String, Object> before, Map<String, Object> after, List<String> keys) {}

  private JsonAnswer() {}

  /** Writes a result in the shape that was asked for. */
  static void rows(
      Exchange exchange,
      Arguments arguments,
      Generation generation,
      Work.Result result,
      Frame frame)
      throws IOException, Refusal {
    String shape = arguments.get("_shape", generation == Generation.ONE ? "objects" : "arrays");
    boolean lines = shape.equals("array") && !arguments.get("_nl", "").isEmpty();
    if (!List.of("objects", "arrays", "array", "arrayfirst", "object").contains(shape)) {
      throw Refusal.bad("Invalid _shape: " + shape);
    }
    if (shape.equals("object") && frame.keys() == null) {
      throw Refusal.bad("_shape=object is only available on tables");
    } else if (shape.equals("object") && frame.keys().isEmpty()) {
      throw Refusal.bad("_shape=object not available for tables with no primary keys");
    }
    Cells cells = new Cells(arguments, result.columns());
    exchange.status(200);
    exchange.header("Content-Type", lines ? "text/plain; charset=utf-8" : TYPE);
    try (JsonGenerator out = generator(exchange.body())) {
      switch (shape) {
        case "array" -> {
          if (lines) {
            out.setRootValueSeparator(new com.fasterxml.jackson.core.io.SerializedString("\n"));
          } else {
            out.writeStartArray();
          }
          for (Object[] row : result.rows()) {
            cells.object(out, row);
          }
          if (!lines) {
            out.writeEndArray();
          }
        }
        case "arrayfirst" -> {
          out.writeStartArray();
          for (Object[] row : result.rows()) {
            cells.write(out, 0, row[0]);
          }
          out.writeEndArray();
        }
        case "object" -> {
          out.writeStartObject();
          for (Object[] row : result.rows()) {
            out.writeFieldName(key(result, frame.keys(), row));
            cells.object(out, row);
          }
          out.writeEndObject();
        }
        default -> {
          out.writeStartObject();
          fields(out, frame.before());
          out.writeArrayFieldStart("rows");
          for (Object[] row : result.rows()) {
            if (shape.equals("objects")) {
              cells.object(out, row);
            } else {
              cells.array(out, row);
            }
          }
          out.writeEndArray();
          fields(out, frame.after());
          out.writeEndObject();
        }
      }
    }
  }

  /** The key of a row as it stands in an address. */
  static String key(Work.Result result, List<String> keys, Object[] row) {
    StringBuilder out = new StringBuilder();
    for (String key : keys) {
      out.append(out.isEmpty() ? "" : ",");
      out.append(Address.encode(text(row[result.column(key)])));
    }
    return out.toString();
  }

  /** A value as Python's {@code str} writes it; "None" for NULL. */
  static String text(Object value) {
    if (value == null) {
      return "None";
    } else if (value instanceof Double || value instanceof Float) {
      StringBuilder out = new StringBuilder();
      JsonText.appendDouble(out, ((Number) value).doubleValue());
      return out.toString();
    } else if (value instanceof byte[] blob) {
      return new String(blob, StandardCharsets.UTF_8);
    }
    return value.toString();
  }

  /** Writes an error with the keys that the generation gives it, and more. */
  static void error(
      Exchange exchange, Generation generation, Refusal refusal, Map<String, Object> more)
      throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("ok", false);
    fields.put("error", refusal.getMessage());
    if (generation == Generation.ONE) {
      fields.put("errors", List.of(refusal.getMessage()));
      fields.put("status", refusal.status());
    } else {
      fields.put("status", refusal.status());
      fields.put("title", refusal.title());
    }
    fields.putAll(more);
    exchange.status(refusal.status());
    object(exchange, fields);
  }

  /** Writes an object, or whatever else a value may be. */
  static void object(Exchange exchange, Object value) throws IOException {
    exchange.header("Content-Type", TYPE);
    try (JsonGenerator out = generator(exchange.body())) {
      out.writePOJO(value);
    }
  }

  static String string(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  static JsonGenerator generator(OutputStream out) throws IOException {
    return JSON.createGenerator(out);
  }

  private static void fields(JsonGenerator out, Map<String, Object> fields) throws IOException {
    for (Map.Entry<String, Object> field : fields.entrySet()) {
      out.writePOJOField(field.getKey(), field.getValue());
    }
  }

  /** Writes the cells of a result. */
  private static final class Cells {
    private final List<String> columns;
    private final List<String> unpacked;
    private final boolean infinity;

    private Cells(Arguments arguments, List<String> columns) {
      this.columns = columns;
      unpacked = arguments.all("_json");
      infinity = arguments.isOn("_json_infinity");
    }

    private void object(JsonGenerator out, Object[] row) throws IOException {
      Map<String, Integer> places = new LinkedHashMap<>();
      for (int i = 0; i < row.length; i++) {
        // Of two columns of a name the last is left, at the place of the first.
        places.put(columns.get(i), i);
      }
      out.writeStartObject();
      for (Map.Entry<String, Integer> place : places.entrySet()) {
        out.writeFieldName(place.getKey());
        write(out, place.getValue(), row[place.getValue()]);
      }
      out.writeEndObject();
    }

    private void array(JsonGenerator out, Object[] row) throws IOException {
      out.writeStartArray();
      for (int i = 0; i < row.length; i++) {
        write(out, i, row[i]);
      }
      out.writeEndArray();
    }

    private void write(JsonGenerator out, int column, Object value) throws IOException {
      if (value instanceof Double || value instanceof Float) {
        double number = ((Number) value).doubleValue();
        if (Double.isFinite(number)) {
          out.writeNumber(text(number));
        } else if (infinity && Double.isInfinite(number)) {
          out.writeRawValue(number > 0 ? "Infinity" : "-Infinity");
        } else {
          out.writeNull();
        }
      } else if (value instanceof byte[] blob) {
        blob(out, blob);
      } else if (value instanceof String text && unpacked.contains(columns.get(column))) {
        JsonNode json = parsed(text);
        if (json == null) {
          out.writeString(text);
        } else {
          MAPPER.writeTree(out, json);
        }
      } else {
        out.writePOJO(value);
      }
    }

    private static JsonNode parsed(String text) {
      try {
        JsonNode node = MAPPER.readTree(text);
        return node == null || node.isMissingNode() ? null : node;
      } catch (JsonProcessingException e) {
        return null;
      }
    }

    /** Datasette's way: as text if it is one, else as base64. */
    private static void blob(JsonGenerator out, byte[] blob) throws IOException {
      String text = null;
      try {
        text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(blob)).toString();
      } catch (CharacterCodingException e) {
        // It is no text.
      }
      if (text != null) {
        out.writeString(text);
        return;
      }
      out.writeStartObject();
      out.writeBooleanField("$base64", true);
      out.writeStringField("encoded", Base64.getEncoder().encodeToString(blob));
      out.writeEndObject();
    }
  }
}
