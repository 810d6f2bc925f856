/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What some values of a column probably are, told by how they begin, by their lengths, and by
 * whether numbers read off them are such as models make.
 *
 * @param what in words, the dimension included
 * @param use whether an index takes them as they are
 * @param advice what to do to have them indexed, or null
 */
record BlobKind(String what, boolean use, String advice) {
  /** Of numbers that models make, nearly all lie between these, or are 0. */
  private static final double LEAST = 1e-6;

  private static final double MOST = 1e3;

  private static final double SURE = 0.95;

  private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/_-]{16,}={0,2}");
  private static final Pattern HEX = Pattern.compile("(?:0x)?((?:[0-9a-fA-F]{2}){8,})");
  private static final Pattern SHAPE = Pattern.compile("'shape': \\((\\d+)");
  private static final Pattern DESCR = Pattern.compile("'descr': '([^']*)'");

  private static final String NUMPY = "numpy.frombuffer(value, '%s').astype('<f4').tobytes()";

  /** Looks at some values, each a byte[], a String or a number, none null; null for none. */
  static BlobKind of(List<?> values) {
    if (values.isEmpty()) {
      return null;
    }
    List<byte[]> blobs = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    for (Object value : values) {
      if (value instanceof byte[] blob) {
        blobs.add(blob);
      } else if (value instanceof String text) {
        texts.add(text);
      }
    }
    if (blobs.size() == values.size()) {
      return ofBlobs(blobs);
    } else if (texts.size() == values.size()) {
      return ofTexts(texts, "");
    }
    return new BlobKind(
        blobs.isEmpty() && texts.isEmpty() ? "numbers" : "values of several types", false, null);
  }

  private static BlobKind ofBlobs(List<byte[]> blobs) {
    byte[] first = blobs.get(0);
    String file = file(first);
    if (file != null) {
      return new BlobKind(file, false, null);
    } else if (starts(first, 0x93, 'N', 'U', 'M', 'P', 'Y')) {
      return numpy(first);
    } else if (first.length > 3
        && starts(first, 0x80)
        && first[1] >= 2
        && first[1] <= 5
        && first[first.length - 1] == '.') {
      return new BlobKind(
          "Python objects (pickle)",
          false,
          "numpy.asarray(pickle.loads(value), '<f4').tobytes(), if the file is to be trusted");
    }
    BlobKind numbers = numbers(blobs);
    if (numbers != null) {
      return numbers;
    }
    List<String> texts = new ArrayList<>();
    for (byte[] blob : blobs) {
      String text = text(blob);
      if (text == null) {
        return new BlobKind("no vectors that are known (" + lengths(blobs) + ")", false, null);
      }
      texts.add(text);
    }
    return ofTexts(texts, " in a BLOB");
  }

  private static BlobKind numbers(List<byte[]> blobs) {
    double float32 = likely(blobs, 4, b -> i -> b.getFloat(4 * i), ByteOrder.LITTLE_ENDIAN);
    double float16 = likely(blobs, 2, b -> i -> half(b.getShort(2 * i)), ByteOrder.LITTLE_ENDIAN);
    double largest = largest(blobs);
    if (float32 >= SURE && !(float16 >= SURE && largest < 0.01)) {
      return new BlobKind("float32 vectors of " + dims(blobs, 4), true, null);
    } else if (likely(blobs, 8, b -> i -> b.getDouble(8 * i), ByteOrder.LITTLE_ENDIAN) >= SURE) {
      return other("float64", blobs, 8, "<f8");
    } else if (likely(blobs, 4, b -> i -> b.getFloat(4 * i), ByteOrder.BIG_ENDIAN) >= SURE) {
      return other("big-endian float32", blobs, 4, ">f4");
    } else if (likely(blobs, 8, b -> i -> b.getDouble(8 * i), ByteOrder.BIG_ENDIAN) >= SURE) {
      return other("big-endian float64", blobs, 8, ">f8");
    } else if (float16 >= SURE) {
      return other("float16", blobs, 2, "<f2");
    } else if (likely(blobs, 2, b -> i -> half(b.getShort(2 * i)), ByteOrder.BIG_ENDIAN) >= SURE) {
      return other("big-endian float16", blobs, 2, ">f2");
    }
    return null;
  }

  private static BlobKind other(String name, List<byte[]> blobs, int width, String numpy) {
    return new BlobKind(
        name + " vectors of " + dims(blobs, width),
        false,
        String.format(Locale.ROOT, NUMPY, numpy));
  }

  private interface Reading {
    IntToDoubleFunction of(ByteBuffer blob);
  }

  /** Which part of the elements, read in some way, are numbers that models make. */
  private static double likely(List<byte[]> blobs, int width, Reading reading, ByteOrder order) {
    long likely = 0;
    long all = 0;
    for (byte[] blob : blobs) {
      if (blob.length == 0 || blob.length % width != 0) {
        return 0;
      }
      IntToDoubleFunction element = reading.of(ByteBuffer.wrap(blob).order(order));
      for (int i = 0; i < blob.length / width; i++) {
        double size = Math.abs(element.applyAsDouble(i));
        likely += size == 0 || size >= LEAST && size <= MOST ? 1 : 0;
        all++;
      }
    }
    return (double) likely / all;
  }

  private static double largest(List<byte[]> blobs) {
    double largest = 0;
    for (byte[] blob : blobs) {
      ByteBuffer buffer = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
      while (buffer.remaining() >= 4) {
        largest = Math.max(largest, Math.abs(buffer.getFloat()));
      }
    }
    return largest;
  }

  private static double half(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    double size =
        exponent == 0
            ? fraction * 0x1p-24
            : exponent == 31 ? Double.NaN : (1024 + fraction) * Math.pow(2, exponent - 25);
    return bits < 0 ? -size : size;
  }

  private static String dims(List<byte[]> blobs, int width) {
    Map<Integer, Integer> counts = new LinkedHashMap<>();
    blobs.forEach(blob -> counts.merge(blob.length / width, 1, Integer::sum));
    return String.join(" or ", counts.keySet().stream().map(String::valueOf).toList())
        + " dimensions";
  }

  private static String lengths(List<byte[]> blobs) {
    int least = blobs.stream().mapToInt(blob -> blob.length).min().orElse(0);
    int most = blobs.stream().mapToInt(blob -> blob.length).max().orElse(0);
    return least == most ? least + " bytes" : least + " to " + most + " bytes";
  }

  private static BlobKind numpy(byte[] blob) {
    String head = new String(blob, 0, Math.min(200, blob.length), StandardCharsets.ISO_8859_1);
    Matcher descr = DESCR.matcher(head);
    Matcher shape = SHAPE.matcher(head);
    return new BlobKind(
        "numpy arrays (.npy"
            + (descr.find() ? ", " + descr.group(1) : "")
            + (shape.find() ? ", " + shape.group(1) + " dimensions" : "")
            + ")",
        false,
        "numpy.load(io.BytesIO(value)).astype('<f4').tobytes()");
  }

  private static BlobKind ofTexts(List<String> texts, String where) {
    String first = texts.get(0).strip();
    if (first.startsWith("[")) {
      try {
        int dims = VectorJson.parse(first).length;
        return new BlobKind(
            "JSON arrays of " + dims + " numbers" + where,
            where.isEmpty(),
            where.isEmpty() ? null : "CAST(value AS TEXT)");
      } catch (VectorException e) {
        return new BlobKind("JSON" + where + ", no vectors", false, null);
      }
    } else if (first.startsWith("{")) {
      return new BlobKind("JSON objects" + where + ", no vectors", false, null);
    }
    Matcher hex = HEX.matcher(first);
    if (hex.matches()) {
      BlobKind inside = numbers(List.of(HexFormat.of().parseHex(hex.group(1))));
      if (inside != null) {
        return encoded(inside, "hexadecimal digits", where, "unhex(value) in SQLite");
      }
    }
    if (BASE64.matcher(first).matches()) {
      try {
        byte[] blob = Base64.getDecoder().decode(first.replace('-', '+').replace('_', '/'));
        BlobKind inside = numbers(List.of(blob));
        if (inside != null) {
          return encoded(inside, "base64", where, "base64.b64decode(value)");
        }
      } catch (IllegalArgumentException e) {
        // Only looks like it.
      }
    }
    return new BlobKind("text" + where, false, null);
  }

  private static BlobKind encoded(BlobKind inside, String how, String where, String decode) {
    return new BlobKind(
        inside.what + " written in " + how + where,
        false,
        decode + (inside.advice == null ? "" : ", then " + inside.advice));
  }

  private static String file(byte[] blob) {
    if (starts(blob, 0x89, 'P', 'N', 'G')
        || starts(blob, 0xff, 0xd8, 0xff)
        || starts(blob, 'G', 'I', 'F', '8')) {
      return "images";
    } else if (starts(blob, '%', 'P', 'D', 'F')) {
      return "PDF files";
    } else if (starts(blob, 'P', 'K', 3, 4)) {
      return "ZIP archives";
    } else if (starts(blob, 0x1f, 0x8b)) {
      return "values compressed with gzip";
    }
    return null;
  }

  private static boolean starts(byte[] blob, int... with) {
    for (int i = 0; i < with.length; i++) {
      if (i >= blob.length || (blob[i] & 0xff) != with[i]) {
        return false;
      }
    }
    return true;
  }

  private static String text(byte[] blob) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(blob)).toString();
      return text.isEmpty()
              || text.chars().anyMatch(c -> c < 32 && c != '\n' && c != '\r' && c != '\t')
          ? null
          : text;
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
