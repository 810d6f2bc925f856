/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.JsonEOFException;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Shown;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.regex.Pattern;

/** Reads a JSON array of numbers as a vector of float32 elements. */
public final class VectorJson {
  /** Where in the reader's settings a limit comes from. */
  private static final Pattern LIMIT_FROM = Pattern.compile(", from `[^`]*`");

  /** No limit of its own on text: what a statement may hold is bounded where it is read. */
  public static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private VectorJson() {}

  /**
   * Reads whole numbers.
   *
   * @throws VectorException if the text is no array of them
   */
  public static long[] wholeNumbers(String json) {
    long[] numbers = new long[Math.min(1024, json.length() / 2 + 1)];
    int n = 0;
    try (JsonParser parser = JSON.createParser(json)) {
      parser.nextToken();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        if (n == numbers.length) {
          numbers = Arrays.copyOf(numbers, n * 2);
        }
        numbers[n++] = parser.getLongValue();
      }
      return Arrays.copyOf(numbers, n);
    } catch (IOException e) {
      throw new VectorException("expected a JSON array of whole numbers");
    }
  }

  /**
   * Reads a vector, each number rounded to double and then to float32 as Python's {@code struct}
   * does; one that is too small becomes zero.
   *
   * @throws VectorException if the text is no array of finite float32 numbers; the message says
   *     which element, what it is, and where it stands, counted from 1
   */
  public static float[] parse(String json) {
    float[] vector = new float[Math.min(1024, json.length() / 2 + 1)];
    int n = 0;
    try (JsonParser parser = JSON.createParser(json)) {
      JsonToken first = parser.nextToken();
      if (first != JsonToken.START_ARRAY) {
        throw new VectorException(
            "expected a JSON array of numbers, got "
                + (first == null ? "no text" : name(first) + position(parser)));
      }
      for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
        if (t == null) {
          throw new VectorException("the JSON array is not closed: expected ]");
        }
        if (!t.isNumeric()) {
          throw new VectorException(
              "element " + n + " is " + name(t) + position(parser) + ", expected a number");
        }
        String text = parser.getText();
        float element = (float) Double.parseDouble(text);
        if (Float.isInfinite(element)) {
          throw new VectorException(
              "element "
                  + n
                  + " is "
                  + Shown.shortened(text)
                  + position(parser)
                  + ", beyond float32 (±3.4028235e38)");
        }
        if (n == vector.length) {
          vector = Arrays.copyOf(vector, n * 2);
        }
        vector[n++] = element;
      }
      JsonToken more = parser.nextToken();
      if (more != null) {
        throw new VectorException(
            "expected nothing after the array, got " + name(more) + position(parser));
      }
      return Arrays.copyOf(vector, n);
    } catch (JsonProcessingException e) {
      throw new VectorException(
          "malformed JSON at element " + n + ", " + describe(e) + "; expected an array of numbers");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where and what of a syntax error, without the words for programmers. */
  public static String describe(JsonProcessingException e) {
    String what = LIMIT_FROM.matcher(e.getOriginalMessage()).replaceAll("");
    int colon = what.indexOf("): ");
    if (what.startsWith("Unexpected character") && colon > 0) {
      // As "Unexpected character (']' (code 93)".
      int code = what.indexOf(" (code");
      int shown = what.indexOf('(') + 1;
      what =
          "unexpected "
              + (code > shown ? what.substring(shown, code) : what.substring(shown, colon));
    }
    if (e instanceof JsonEOFException) {
      what = "the text ends too early";
    }
    int more = what.indexOf(": was expecting");
    if (more > 0) {
      what = what.substring(0, more);
    }
    long at = e.getLocation() == null ? -1 : e.getLocation().getCharOffset();
    boolean onIt = what.startsWith("unexpected");
    return (at < 0 ? "" : "character " + (onIt ? at + 1 : Math.max(1, at)) + ": ") + what;
  }

  private static String position(JsonParser parser) {
    return " at character " + (parser.currentTokenLocation().getCharOffset() + 1);
  }

  private static String name(JsonToken token) {
    switch (token) {
      case START_ARRAY:
        return "an array";
      case START_OBJECT:
        return "an object";
      case VALUE_STRING:
        return "a string";
      case VALUE_TRUE:
        return "true";
      case VALUE_FALSE:
        return "false";
      case VALUE_NULL:
        return "null";
      default:
        return token.isNumeric() ? "a number" : token.asString();
    }
  }
}
