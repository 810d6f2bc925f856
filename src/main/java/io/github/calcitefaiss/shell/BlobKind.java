/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;

/**
 * What some values of a column probably are, told by how they begin, by their lengths, and by the
 * statistics of their bytes.
 *
 * @param what in words, the dimension included
 * @param use whether an index takes them as they are
 * @param advice what to do to have them indexed, or null
 * @param form of blobs of numbers that probably are nothing else; null otherwise
 */
record BlobKind(String what, boolean use, String advice, NumberForm form) {
  /** As sqlite-vec, pgvector and libSQL declare vectors. */
  private static final Pattern DECLARED =
      Pattern.compile(
          "(?i)\\s*(float|f32|vector|f32_blob|int8|i8|bit)\\s*[\\[(]\\s*(\\d{1,6})\\s*[\\])].*");

  private static final Pattern SHAPE = Pattern.compile("'shape': \\(([\\d, ]+)");
  private static final Pattern DESCR = Pattern.compile("'descr': '([^']*)'");

  /** What a form is told by in each of the blobs alone, if they have as many bytes. */
  private static final int BYTES_ALONE = 128;

  private static final int SHORTEST = 4;

  /** Of a longer value only so much is looked at. */
  static final int MOST_BYTES = 1 << 18;

  /** Bytes that tell a text from numbers beyond doubt, if they aren't the same again and again. */
  private static final int TEXT_BYTES = 12;

  private static final int FEW_LETTERS = 5;

  /** What begins so, is that; a dot stands for any byte. */
  private static final List<Map.Entry<String, String>> FILES =
      List.of(
          Map.entry("\u0089PNG", "images (PNG)"),
          Map.entry("\u00ff\u00d8\u00ff", "images (JPEG)"),
          Map.entry("GIF8", "images (GIF)"),
          Map.entry("RIFF....WEBP", "images (WebP)"),
          Map.entry("II*\0", "images (TIFF)"),
          Map.entry("%PDF", "PDF files"),
          Map.entry("PK\3\4", "ZIP archives, such as .npz, .docx and PyTorch's files"),
          Map.entry("(\u00b5/\u00fd", "values compressed with zstd"),
          Map.entry("BZh", "values compressed with bzip2"),
          Map.entry("\u00fd7zXZ", "values compressed with xz"),
          Map.entry("\4\"M\u0018", "values compressed with LZ4"),
          Map.entry("SQLite format 3\0", "SQLite databases"),
          Map.entry("IxF", "Faiss indexes"),
          Map.entry("IwFl", "Faiss indexes"),
          Map.entry("IHN", "Faiss indexes"),
          Map.entry("PAR1", "Parquet files"),
          Map.entry("ARROW1", "Arrow files"),
          Map.entry("\u0089HDF", "HDF5 files"),
          Map.entry("\u00ac\u00ed\0\5", "Java objects"));

  /** What no index is made of, and no advice helps. */
  static BlobKind nothing(String what) {
    return new BlobKind(what, false, null, null);
  }

  private static BlobKind converted(String what, String advice) {
    return new BlobKind(what, false, advice, null);
  }

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
      return TextKind.of(texts, false);
    } else if (blobs.isEmpty() && texts.isEmpty()) {
      return nothing("numbers");
    }
    int numbers = values.size() - blobs.size() - texts.size();
    List<String> counts = new ArrayList<>();
    if (!blobs.isEmpty()) {
      counts.add(blobs.size() + " BLOB (" + ofBlobs(blobs).what + ")");
    }
    if (!texts.isEmpty()) {
      counts.add(texts.size() + " TEXT (" + TextKind.of(texts, false).what + ")");
    }
    if (numbers > 0) {
      counts.add(numbers + (numbers == 1 ? " number" : " numbers"));
    }
    return nothing(
        "values of several types, of " + values.size() + " seen: " + String.join(", ", counts));
  }

  /**
   * What a column is declared to hold, as float[384], where its values have that length; or null.
   */
  static BlobKind declared(String type, List<?> values) {
    Matcher vector = DECLARED.matcher(type);
    if (!vector.matches() || values.isEmpty()) {
      return null;
    }
    int dimensions = Integer.parseInt(vector.group(2));
    String element = vector.group(1).toLowerCase(Locale.ROOT);
    boolean bits = element.equals("bit");
    boolean bytes = element.endsWith("8");
    int length = bits ? dimensions / 8 : bytes ? dimensions : 4 * dimensions;
    for (Object value : values) {
      if (!(value instanceof byte[] blob) || blob.length != length) {
        return null;
      }
    }
    String as = " vectors of " + dimensions + " dimensions, as declared";
    return bits
        ? nothing("binary" + as)
        : bytes
            ? new BlobKind("int8" + as, false, NumberForm.INT8.toFloat32("value"), NumberForm.INT8)
            : new BlobKind("float32" + as, true, null, NumberForm.FLOAT32);
  }

  private static BlobKind ofBlobs(List<byte[]> all) {
    List<byte[]> blobs = all.stream().filter(blob -> blob.length > 0).toList();
    if (blobs.isEmpty()) {
      return nothing("empty values");
    }
    BlobKind known = known(blobs);
    if (known != null) {
      return known;
    }
    List<String> texts = new ArrayList<>();
    int bytes = 0;
    for (byte[] blob : blobs) {
      String text = text(blob);
      if (text != null) {
        texts.add(text);
        bytes += blob.length;
      }
    }
    boolean json = texts.stream().allMatch(text -> text.matches("(?s)\\s*[\\[{].*[\\]}]\\s*"));
    long letters = texts.stream().flatMapToInt(String::chars).distinct().limit(FEW_LETTERS).count();
    if (texts.size() == blobs.size() && (json || bytes >= TEXT_BYTES && letters == FEW_LETTERS)) {
      return TextKind.of(texts, true);
    }
    BlobKind several = several(blobs);
    return several != null ? several : numbers(blobs);
  }

  /** What blobs of numbers are, or what can be said of bytes that are none. */
  private static BlobKind numbers(List<byte[]> blobs) {
    if (blobs.stream().allMatch(blob -> blob.length < SHORTEST)) {
      return nothing("values of " + lengths(blobs) + ", too short for vectors");
    }
    NumberGuess guess = NumberGuess.of(blobs);
    if (guess.zeros()) {
      return new BlobKind(
          "only zero bytes, so that nothing can tell what they are ("
              + (guess.form() == null ? lengths(blobs) : "as float32, vectors of " + dims(blobs, 4))
              + ")",
          guess.form() != null,
          null,
          null);
    } else if (guess.form() == null) {
      return nothing(unknown(blobs));
    }
    NumberForm form = guess.form();
    String vectors = form.label() + " vectors of " + dims(blobs, form.width());
    boolean use = form == NumberForm.FLOAT32;
    if (guess.sure()) {
      return new BlobKind("probably " + vectors, use, use ? null : form.toFloat32("value"), form);
    } else if (form == guess.other()) {
      return new BlobKind(
          "perhaps " + vectors + ": too few bytes to tell (" + lengths(blobs) + ")",
          use,
          null,
          null);
    }
    NumberForm other = guess.other();
    return new BlobKind(
        "perhaps "
            + vectors
            + ", or "
            + other.label()
            + " of "
            + dims(blobs, other.width())
            + ": too few values, or too much alike, to tell",
        use,
        use ? null : form.toFloat32("value"),
        null);
  }

  private static String unknown(List<byte[]> blobs) {
    int length = blobs.get(0).length;
    boolean same = blobs.stream().allMatch(blob -> blob.length == length);
    if (same && length == 16 && blobs.size() > 3 && blobs.stream().allMatch(BlobKind::uuid)) {
      return "UUIDs";
    }
    return "can't tell: bytes without a pattern that is known ("
        + lengths(blobs)
        + ")"
        + (same && length >= 8
            ? "; perhaps vectors of " + length + " int8 or " + 8 * length + " bits, or hashes"
            : "");
  }

  /** Where blobs of one column, each long enough to be told alone, have several forms. */
  private static BlobKind several(List<byte[]> blobs) {
    NumberForm most = NumberGuess.of(blobs).form();
    Map<NumberForm, List<byte[]>> forms = new EnumMap<>(NumberForm.class);
    for (byte[] blob : blobs) {
      if (blob.length >= BYTES_ALONE) {
        List<byte[]> alone = List.of(blob);
        NumberGuess guess = NumberGuess.of(alone);
        // One blob may look like something else, as long as it can be what the others are.
        boolean fits = most != null && CodeLength.of(most, alone) < Double.POSITIVE_INFINITY;
        if (fits || guess.sure() && guess.form().isFloat()) {
          NumberForm form = fits ? most : guess.form();
          forms.computeIfAbsent(form, key -> new ArrayList<>()).add(blob);
        }
      }
    }
    forms.values().removeIf(each -> each.size() < Math.max(2, blobs.size() / 20));
    if (forms.size() < 2) {
      return null;
    }
    String counts =
        forms.entrySet().stream()
            .map(
                each ->
                    each.getValue().size()
                        + " "
                        + each.getKey().label()
                        + " of "
                        + dims(each.getValue(), each.getKey().width()))
            .collect(Collectors.joining(", "));
    NumberForm odd =
        forms.keySet().stream().filter(form -> form != NumberForm.FLOAT32).findFirst().get();
    return converted(
        "vectors of several forms, of " + blobs.size() + " seen probably: " + counts,
        "for those of " + odd.label() + ": " + odd.toFloat32("value"));
  }

  private static BlobKind known(List<byte[]> blobs) {
    byte[] first = blobs.get(0);
    for (Map.Entry<String, String> file : FILES) {
      if (all(blobs, blob -> starts(blob, file.getKey()))) {
        return nothing(file.getValue());
      }
    }
    if (all(blobs, blob -> starts(blob, "\u0093NUMPY"))) {
      return numpy(first);
    } else if (all(blobs, BlobKind::pickle)) {
      String loads = "numpy.asarray(pickle.loads(value), '<f4').tobytes()";
      return converted("Python objects (pickle)", loads + ", if the file is to be trusted");
    } else if (all(blobs, BlobKind::messagePack)) {
      return converted(
          "MessagePack arrays", "numpy.asarray(msgpack.unpackb(value), '<f4').tobytes()");
    } else if (all(blobs, blob -> starts(blob, "\u001f\u008b\b"))) {
      return unpacked(blobs, "gzip", "gzip.decompress(value)", GZIPInputStream::new);
    } else if (all(blobs, BlobKind::zlib)) {
      return unpacked(blobs, "zlib", "zlib.decompress(value)", InflaterInputStream::new);
    }
    return null;
  }

  private static boolean all(List<byte[]> blobs, Predicate<byte[]> is) {
    return blobs.stream().allMatch(is);
  }

  private interface Unpacking {
    InputStream of(InputStream packed) throws IOException;
  }

  private static BlobKind unpacked(
      List<byte[]> blobs, String how, String decode, Unpacking unpacking) {
    List<byte[]> inside = new ArrayList<>();
    try {
      for (byte[] blob : blobs) {
        try (InputStream in = unpacking.of(new ByteArrayInputStream(blob))) {
          inside.add(in.readNBytes(MOST_BYTES));
        }
      }
    } catch (IOException e) {
      // Cut by us, or it only looks like it.
      return how.equals("gzip") ? nothing("values compressed with gzip") : null;
    }
    if (all(inside, blob -> blob.length == 0)) {
      return null;
    }
    return encoded(inside, "compressed with " + how, decode, decode);
  }

  /** What blobs are that were wrapped in something that must be undone first. */
  static BlobKind encoded(List<byte[]> inside, String how, String decode, String decodeFloat32) {
    BlobKind kind = ofBlobs(inside);
    NumberForm form = kind.form;
    if (form == null) {
      return nothing(kind.what + ", " + how);
    }
    return converted(
        kind.what + ", " + how + (NumberGuess.units(form, inside) > 0 ? ", each of length 1" : ""),
        form == NumberForm.FLOAT32 ? decodeFloat32 : form.toFloat32(decode));
  }

  private static BlobKind numpy(byte[] blob) {
    String head = new String(blob, 0, Math.min(200, blob.length), StandardCharsets.ISO_8859_1);
    Matcher descr = DESCR.matcher(head);
    Matcher shape = SHAPE.matcher(head);
    return converted(
        "numpy arrays (.npy"
            + (descr.find() ? ", " + descr.group(1) : "")
            + (shape.find() ? ", " + shape.group(1).replaceAll("[, ]+$", "") + " dimensions" : "")
            + ")",
        "numpy.load(io.BytesIO(value)).astype('<f4').tobytes()");
  }

  private static boolean pickle(byte[] blob) {
    boolean end = blob.length >= MOST_BYTES || blob[blob.length - 1] == '.';
    return blob.length > 3 && starts(blob, "\u0080") && blob[1] >= 2 && blob[1] <= 5 && end;
  }

  /** An array of doubles or floats. */
  private static boolean messagePack(byte[] blob) {
    int head = blob[0] & 0xff;
    int first = head >= 0x91 && head <= 0x9f ? 1 : head == 0xdc ? 3 : head == 0xdd ? 5 : -1;
    if (first < 0 || blob.length <= first + 4) {
      return false;
    }
    int type = blob[first] & 0xff;
    int count = head == 0xdc ? (blob[1] & 0xff) << 8 | blob[2] & 0xff : head & 0xf;
    int width = type == 0xcb ? 9 : type == 0xca ? 5 : 0;
    return width > 0 && (head == 0xdd || blob.length == first + count * width);
  }

  private static boolean zlib(byte[] blob) {
    return blob.length > 7 && blob[0] == 0x78 && ((blob[0] & 0xff) << 8 | blob[1] & 0xff) % 31 == 0;
  }

  private static boolean uuid(byte[] blob) {
    int version = blob[6] >> 4 & 0xf;
    return version >= 1 && version <= 8 && (blob[8] & 0xc0) == 0x80;
  }

  private static boolean starts(byte[] blob, String with) {
    for (int i = 0; i < with.length(); i++) {
      if (i >= blob.length || with.charAt(i) != '.' && (blob[i] & 0xff) != with.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** Dimensions, with their counts where there are several. */
  private static String dims(List<byte[]> blobs, int width) {
    Map<Integer, Integer> counts = new TreeMap<>();
    blobs.forEach(blob -> counts.merge(blob.length / width, 1, Integer::sum));
    return dims(counts);
  }

  /** Dimensions, with their counts where there are several, the most frequent first. */
  static String dims(Map<Integer, Integer> counts) {
    if (counts.size() == 1) {
      int only = counts.keySet().iterator().next();
      return only + (only == 1 ? " dimension" : " dimensions");
    }
    List<String> words =
        counts.entrySet().stream()
            .sorted((a, b) -> b.getValue() - a.getValue())
            .limit(5)
            .map(each -> each.getKey() + " (" + each.getValue() + ")")
            .toList();
    return String.join(", ", words) + (counts.size() > words.size() ? ", …" : "") + " dimensions";
  }

  private static String lengths(List<byte[]> blobs) {
    int least = blobs.stream().mapToInt(blob -> blob.length).min().orElse(0);
    int most = blobs.stream().mapToInt(blob -> blob.length).max().orElse(0);
    return least == most
        ? least + (least == 1 ? " byte" : " bytes")
        : least + " to " + most + " bytes";
  }

  private static String text(byte[] blob) {
    boolean wide = blob.length > 3 && blob.length % 2 == 0;
    for (int i = 1; i < blob.length; i += 2) {
      wide &= blob[i] == 0 && blob[i - 1] >= ' ';
    }
    try {
      Charset charset = wide ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_8;
      String text = charset.newDecoder().decode(ByteBuffer.wrap(blob)).toString();
      return text.chars().anyMatch(c -> c < 32 && c != '\n' && c != '\r' && c != '\t')
          ? null
          : text;
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
