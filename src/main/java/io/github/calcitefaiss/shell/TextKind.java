/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What some texts probably are, as far as vectors may be in them. */
final class TextKind {
  private static final Pattern HEX = Pattern.compile("(?:0x|\\\\x)?((?:[0-9a-fA-F]{2}){4,})");
  private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/_-]{6,}={0,2}");
  private static final String NUMBER = "[-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?";
  private static final Pattern COMMAS = Pattern.compile(NUMBER + "(?:\\s*,\\s*" + NUMBER + ")*+,?");
  private static final Pattern BLANKS = Pattern.compile(NUMBER + "(?:\\s+" + NUMBER + ")*+");

  private TextKind() {}

  /** Looks at some texts, which may be those of blobs. */
  static BlobKind of(List<String> values, boolean inBlobs) {
    String where = inBlobs ? " in a BLOB" : "";
    String value = inBlobs ? "CAST(value AS TEXT)" : "value";
    List<String> texts =
        values.stream().map(String::strip).filter(text -> !text.isEmpty()).toList();
    if (texts.isEmpty()) {
      return BlobKind.nothing("empty texts" + where);
    }
    BlobKind kind = brackets(texts, where, inBlobs);
    if (kind != null) {
      return kind;
    } else if (all(texts, text -> text.startsWith("{") && object(text) != null)) {
      String vector = object(texts.get(0));
      return vector.isEmpty()
          ? BlobKind.nothing("JSON objects" + where + ", no vectors")
          : new BlobKind(
              "JSON objects" + where + " with a vector in '" + vector + "'",
              false,
              "json_extract(" + value + ", '$." + vector + "') in SQLite",
              null);
    }
    boolean hex = all(texts, text -> HEX.matcher(text).matches());
    kind = lists(texts, where, value);
    if (kind == null && hex) {
      String unhex = "bytes.fromhex(value" + (inBlobs ? ".decode()" : "") + ")";
      String sql = texts.get(0).matches("[0-9a-fA-F]*") ? "unhex(" + value + ") in SQLite" : unhex;
      kind = encoded(texts, TextKind::hex, "in hexadecimal digits" + where, unhex, sql);
    }
    if (kind == null && !hex && all(texts, text -> BASE64.matcher(text).matches())) {
      String decode = "base64.b64decode(value)";
      kind = encoded(texts, TextKind::base64, "in base64" + where, decode, decode);
    }
    return kind != null ? kind : BlobKind.nothing("text" + where);
  }

  private static boolean all(List<String> texts, java.util.function.Predicate<String> is) {
    return texts.stream().allMatch(is);
  }

  /** JSON arrays, and numpy's arrays as print shows them. */
  private static BlobKind brackets(List<String> texts, String where, boolean inBlobs) {
    if (!all(texts, text -> text.startsWith("["))) {
      return null;
    }
    Map<Integer, Integer> dims = new TreeMap<>();
    for (String text : texts) {
      try {
        dims.merge(VectorJson.parse(text).length, 1, Integer::sum);
      } catch (VectorException e) {
        // Counted by what is missing.
      }
    }
    int arrays = dims.values().stream().mapToInt(count -> count).sum();
    if (arrays > 0) {
      String what =
          "JSON arrays of "
              + BlobKind.dims(dims).replace("dimension", "number")
              + where
              + (arrays < texts.size()
                  ? ", but " + (texts.size() - arrays) + " of " + texts.size() + " seen are none"
                  : "");
      return inBlobs
          ? new BlobKind(what, false, "CAST(value AS TEXT) in SQLite", null)
          : new BlobKind(what, arrays == texts.size(), null, null);
    } else if (all(texts, text -> text.contains("..."))) {
      return BlobKind.nothing(
          "numpy arrays as print shows them" + where + ", cut at '...': their elements are lost");
    } else if (all(texts, text -> BLANKS.matcher(inside(text)).matches())) {
      return new BlobKind(
          "numpy arrays as print shows them" + where + ", of " + counts(texts, "\\s+"),
          false,
          "numpy.array(value.strip('[]').split(), '<f4').tobytes(); digits may have been lost",
          null);
    }
    return BlobKind.nothing("JSON" + where + ", no vectors");
  }

  private static BlobKind lists(List<String> texts, String where, String value) {
    if (all(texts, text -> text.startsWith("{") && COMMAS.matcher(inside(text)).matches())) {
      return new BlobKind(
          "numbers in braces, as PostgreSQL writes arrays" + where + ", of " + counts(texts, ","),
          false,
          "'[' || trim(" + value + ", '{}') || ']' in SQLite",
          null);
    } else if (all(texts, text -> text.contains(",") && COMMAS.matcher(text).matches())) {
      return new BlobKind(
          "numbers separated by commas" + where + ", of " + counts(texts, ","),
          false,
          "'[' || trim(" + value + ", ', ') || ']' in SQLite",
          null);
    } else if (all(texts, text -> text.contains(" ") && BLANKS.matcher(text).matches())) {
      return new BlobKind(
          "numbers separated by blanks" + where + ", of " + counts(texts, "\\s+"),
          false,
          "'[' || replace(trim(" + value + "), ' ', ',') || ']' in SQLite",
          null);
    }
    return null;
  }

  private static String inside(String text) {
    return text.substring(1, Math.max(1, text.length() - 1)).strip();
  }

  private static String counts(List<String> texts, String separator) {
    Map<Integer, Integer> dims = new TreeMap<>();
    for (String text : texts) {
      String numbers = text.replaceAll("[\\[\\]{}]", "").strip();
      dims.merge(numbers.split(separator).length, 1, Integer::sum);
    }
    return BlobKind.dims(dims);
  }

  private static BlobKind encoded(
      List<String> texts,
      Function<String, byte[]> decoding,
      String how,
      String decode,
      String decodeFloat32) {
    List<byte[]> blobs = new ArrayList<>();
    for (String text : texts) {
      byte[] blob = decoding.apply(text);
      if (blob == null) {
        return null;
      }
      blobs.add(blob);
    }
    BlobKind kind = BlobKind.encoded(blobs, "written " + how, decode, decodeFloat32);
    // Words, hashes and the like can be decoded, too.
    return kind.advice() == null ? null : kind;
  }

  private static byte[] hex(String text) {
    Matcher hex = HEX.matcher(text);
    return hex.matches() ? HexFormat.of().parseHex(hex.group(1)) : null;
  }

  private static byte[] base64(String text) {
    try {
      return Base64.getDecoder().decode(text.replace('-', '+').replace('_', '/'));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** The first member that is an array of numbers, empty for none; null if it is no JSON object. */
  private static String object(String text) {
    String vector = "";
    try (JsonParser json = VectorJson.JSON.createParser(text)) {
      json.nextToken();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        if (value == JsonToken.START_ARRAY && vector.isEmpty()) {
          int numbers = 0;
          int others = 0;
          for (JsonToken t = json.nextToken(); t != JsonToken.END_ARRAY; t = json.nextToken()) {
            numbers += t.isNumeric() ? 1 : 0;
            others += t.isNumeric() ? 0 : 1;
            json.skipChildren();
          }
          vector = numbers > 1 && others == 0 && name.matches("\\w+") ? name : "";
        } else {
          json.skipChildren();
        }
      }
      return json.currentToken() == JsonToken.END_OBJECT ? vector : null;
    } catch (IOException e) {
      return null;
    }
  }
}
