/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code info} says of vectors in every form, of numbers of every kind. */
class InfoFormsTest {
  private static final long SEED = Long.getLong("seed", 20_261_127);

  @TempDir Path folder;

  /** A way to write a vector, and what it is called. */
  private record Form(String called, boolean usable, Function<double[], Object> write) {}

  private static final List<Form> FORMS =
      List.of(
          new Form("probably float32 vectors of %d dimensions", true, x -> floats(x, false)),
          new Form("probably float64 vectors of %d dimensions", false, x -> doubles(x, false)),
          new Form("probably float16 vectors of %d dimensions", false, InfoFormsTest::halves),
          new Form("probably bfloat16 vectors of %d dimensions", false, InfoFormsTest::bfloats),
          new Form(
              "probably big-endian float32 vectors of %d dimensions", false, x -> floats(x, true)),
          new Form(
              "probably big-endian float64 vectors of %d dimensions", false, x -> doubles(x, true)),
          new Form(
              "probably float32 vectors of %d dimensions, written in base64",
              false, x -> Base64.getEncoder().encodeToString(floats(x, false))),
          new Form(
              "probably float64 vectors of %d dimensions, written in base64 in a BLOB",
              false, x -> Base64.getEncoder().encode(doubles(x, false))),
          new Form(
              "probably float32 vectors of %d dimensions, written in hexadecimal digits",
              false, x -> HexFormat.of().formatHex(floats(x, false))),
          new Form(
              "probably float32 vectors of %d dimensions, compressed with zlib",
              false, x -> zlib(floats(x, false))),
          new Form("JSON arrays of %d numbers", true, Arrays::toString),
          new Form(
              "JSON arrays of %d numbers in a BLOB",
              false, x -> Arrays.toString(x).getBytes(StandardCharsets.UTF_8)),
          new Form(
              "numbers separated by commas, of %d dimensions",
              false, x -> Arrays.toString(x).replaceAll("[\\[\\] ]", "")),
          new Form(
              "numbers separated by blanks, of %d dimensions",
              false, x -> Arrays.toString(x).replaceAll("[\\[\\],]", "")),
          new Form(
              "numpy arrays as print shows them, of %d dimensions",
              false, x -> Arrays.toString(x).replace(",", "")),
          new Form(
              "numbers in braces, as PostgreSQL writes arrays, of %d dimensions",
              false, x -> Arrays.toString(x).replace('[', '{').replace(']', '}')));

  private static byte[] floats(double[] x, boolean big) {
    ByteBuffer blob = ByteBuffer.allocate(4 * x.length).order(order(big));
    Arrays.stream(x).forEach(e -> blob.putFloat((float) e));
    return blob.array();
  }

  private static byte[] doubles(double[] x, boolean big) {
    ByteBuffer blob = ByteBuffer.allocate(8 * x.length).order(order(big));
    Arrays.stream(x).forEach(blob::putDouble);
    return blob.array();
  }

  private static ByteOrder order(boolean big) {
    return big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
  }

  /** Of a half: sign, 5 bits of exponent, 10 of fraction; the smallest become 0. */
  private static byte[] halves(double[] x) {
    ByteBuffer blob = ByteBuffer.allocate(2 * x.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double e : x) {
      int bits = Float.floatToIntBits((float) e);
      int exponent = (bits >> 23 & 0xff) - 112;
      int size = exponent <= 0 ? 0 : exponent << 10 | bits >> 13 & 0x3ff;
      blob.putShort((short) (bits >> 16 & 0x8000 | size));
    }
    return blob.array();
  }

  private static byte[] bfloats(double[] x) {
    ByteBuffer blob = ByteBuffer.allocate(2 * x.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(x).forEach(e -> blob.putShort((short) (Float.floatToIntBits((float) e) >> 16)));
    return blob.array();
  }

  private static byte[] zlib(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (DeflaterOutputStream zlib = new DeflaterOutputStream(out)) {
      zlib.write(bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private enum Numbers {
    UNIT,
    UNIFORM,
    DIGITS,
    PIXELS,
    SPARSE,
    HUNDREDTHS,
    WIDENED;

    double[] make(Random random, int dimensions) {
      double[] x = random.doubles(dimensions).toArray();
      double[] g = new double[dimensions];
      Arrays.setAll(g, i -> random.nextGaussian());
      double length = Math.sqrt(Arrays.stream(g).map(e -> e * e).sum());
      switch (this) {
        case UNIT:
          return Arrays.stream(g).map(e -> e / length).toArray();
        case UNIFORM:
          return x;
        case DIGITS:
          return Arrays.stream(x).map(e -> Math.floor(10 * e)).toArray();
        case PIXELS:
          return Arrays.stream(x).map(e -> Math.floor(256 * e)).toArray();
        case SPARSE:
          Arrays.setAll(g, i -> x[i] < 0.1 ? g[i] : 0);
          return g;
        case HUNDREDTHS:
          return Arrays.stream(g).map(e -> Math.rint(100 * e) / 100).toArray();
        default:
          return Arrays.stream(g).map(e -> (float) (e / length)).toArray();
      }
    }
  }

  private Connection connect() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("forms.db"));
  }

  private void table(Connection connection, String name, String column, List<?> values)
      throws SQLException {
    connection
        .createStatement()
        .execute("CREATE TABLE " + name + " (id INTEGER PRIMARY KEY, " + column + ")");
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO " + name + " VALUES (NULL, ?)")) {
      for (Object value : values) {
        insert.setObject(1, value);
        insert.execute();
      }
    }
  }

  private String info() throws IOException {
    Terminal terminal = Terminal.run("info", folder.resolve("forms.db").toString());
    assertEquals(0, terminal.exitCode(), terminal.err());
    return terminal.out().replace("\r\n", "\n");
  }

  @Test
  void everyFormIsToldWhateverTheNumbers() throws Exception {
    Random random = new Random(SEED);
    List<String> expected = new ArrayList<>();
    try (Connection connection = connect()) {
      connection.setAutoCommit(false);
      for (Form form : FORMS) {
        for (Numbers numbers : Numbers.values()) {
          // Of few numbers that are mostly 0, too little is seen of short forms.
          for (int dimensions : new int[] {numbers == Numbers.SPARSE ? 32 : 8, 48, 384}) {
            String name = "t" + expected.size();
            List<Object> values = new ArrayList<>();
            for (int row = 0; row < 30; row++) {
              values.add(form.write.apply(numbers.make(random, dimensions)));
            }
            table(connection, name, "v", values);
            expected.add(
                "  "
                    + name
                    + ".v: "
                    + String.format(Locale.ROOT, form.called, dimensions)
                    + " "
                    + numbers);
          }
        }
      }
      connection.commit();
    }
    String out = info();
    List<String> wrong = new ArrayList<>();
    for (String line : expected) {
      String said = line.substring(0, line.lastIndexOf(' '));
      if (!out.contains(said + "\n") && !out.contains(said + ", each of length 1\n")) {
        String start = line.substring(0, line.indexOf(':') + 1);
        wrong.add(line + ", but" + out.lines().filter(l -> l.startsWith(start)).toList());
      }
    }
    assertEquals(List.of(), wrong, "seed " + SEED);
  }

  /** However few the values, no wrong form is said to be probable, nor that all is well. */
  @Test
  void nothingIsSaidThatTooFewValuesCanNotTell() throws Exception {
    Random random = new Random(SEED);
    List<Form> forms = FORMS.subList(0, 6);
    List<String> names = new ArrayList<>();
    try (Connection connection = connect()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < forms.size(); i++) {
        for (int dimensions = 1; dimensions <= 4; dimensions++) {
          for (Numbers numbers : List.of(Numbers.UNIT, Numbers.UNIFORM, Numbers.DIGITS)) {
            Object value = forms.get(i).write.apply(numbers.make(random, dimensions));
            String name = "f" + i + "_" + names.size();
            table(connection, name, "v", List.of(value));
            names.add(name);
          }
        }
      }
      connection.commit();
    }
    String out = info();
    for (String name : names) {
      String right = forms.get(name.charAt(1) - '0').called;
      right = right.substring(0, right.indexOf(" vectors"));
      for (String line : out.lines().filter(l -> l.startsWith("  " + name + ".v: prob")).toList()) {
        assertTrue(line.contains(right), "seed " + SEED + ": " + line);
      }
    }
  }

  @Test
  void aTableWithAnIndexIsNoGoodWhereItsVectorsAreNoFloat32() throws Exception {
    Random random = new Random(SEED);
    for (Numbers numbers : Numbers.values()) {
      for (Form form : FORMS) {
        try (Connection connection = connect()) {
          connection.createStatement().execute("DROP TABLE IF EXISTS t");
          List<Object> values = new ArrayList<>();
          for (int row = 0; row < 20; row++) {
            values.add(form.write.apply(numbers.make(random, 64)));
          }
          table(connection, "t", "embedding", values);
        }
        String out = info();
        assertEquals(form.usable, out.endsWith("No problems found.\n"), numbers + ": " + out);
        String called = form.called.substring(0, form.called.indexOf(" %"));
        assertEquals(
            !form.usable,
            out.contains("t.embedding: no float32 vectors, but " + called)
                && out.contains("; to convert a value: "),
            numbers + ": " + out);
      }
    }
  }

  @Test
  void vectorsOfTwoFormsInOneColumnAreTold() throws Exception {
    Random random = new Random(SEED);
    List<Object> values = new ArrayList<>();
    for (int row = 0; row < 20; row++) {
      double[] x = Numbers.UNIT.make(random, 96);
      // As many bytes of each.
      values.add(row % 4 == 0 ? doubles(Arrays.copyOf(x, 48), false) : floats(x, false));
    }
    try (Connection connection = connect()) {
      table(connection, "t", "embedding", values);
    }
    String out = info();
    assertTrue(
        out.contains(
            "vectors of several forms, of 20 seen probably: 15 float32 of 96 dimensions, 5 float64"
                + " of 48 dimensions"),
        out);
    assertTrue(out.contains(" whose embedding is hardly float32: elements are"), out);
    assertFalse(out.contains("No problems found"), out);
  }

  /** Zeros are the same in every form. */
  @Test
  void zerosTellNothing() throws Exception {
    try (Connection connection = connect()) {
      table(connection, "t", "embedding", List.of(new byte[32], new byte[32]));
    }
    String out = info();
    assertTrue(
        out.contains(
            "  t.embedding: only zero bytes, so that nothing can tell what they are (as float32,"
                + " vectors of 8 dimensions)\n"),
        out);
    assertTrue(out.endsWith("No problems found, but what some hold can't be told for sure.\n"));
  }

  /** A search of vectors of float64 says so, and nobody is told to correct or to skip rows. */
  @Test
  void searchesSayThatVectorsAreFloat64() throws Exception {
    Random random = new Random(SEED);
    try (Connection connection = connect()) {
      List<byte[]> values = new ArrayList<>();
      for (int row = 0; row < 20; row++) {
        values.add(doubles(Numbers.DIGITS.make(random, 8), false));
      }
      table(connection, "plain", "embedding", values);
      double notANumberAsFloat = Double.longBitsToDouble(0x3FF000007FC00001L);
      values.add(doubles(DoubleStream.generate(() -> notANumberAsFloat).limit(8).toArray(), false));
      table(connection, "lucky", "embedding", values);
    }
    String out = info();
    assertTrue(out.contains("lucky.embedding: no float32 vectors, but probably float64"), out);
    assertFalse(out.contains("correct them"), out);
    String query = "', '[1, 2, 3, 4, 5, 6, 7, 8]', 3)";
    String file = folder.resolve("forms.db").toString();
    String plain = Terminal.run(file, "select faiss_search('forms', 'plain" + query).err();
    assertTrue(
        plain.contains(
            "expected 16 dimensions, got 8; if the column holds float64, the command info says"
                + " how to convert it"),
        plain);
    String lucky = Terminal.run(file, "select faiss_search('forms', 'lucky" + query).err();
    assertTrue(
        lucky.contains(
            "its bytes look like float64, and the command info says how to convert the column"),
        lucky);
  }

  /** The lines of Python in docs/troubleshooting.md make vectors that an index takes. */
  @Test
  void theDocumentConvertsThem() throws Exception {
    Random random = new Random(SEED);
    try (Connection connection =
        DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("notes.db"))) {
      List<byte[]> values = new ArrayList<>();
      for (int row = 0; row < 10; row++) {
        values.add(doubles(Numbers.DIGITS.make(random, 8), false));
      }
      table(connection, "notes", "embedding", values);
    }
    String before = Terminal.run("info", folder.resolve("notes.db").toString()).out();
    assertTrue(before.contains("no float32 vectors, but probably float64 vectors of 8"), before);
    String script = new Document("troubleshooting.md").blocks("python").get(0).code();
    Process python;
    try {
      python =
          new ProcessBuilder("python3", "-c", script)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      Assumptions.abort("no python3");
      return;
    }
    String said = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, python.waitFor(), said);
    String after = Terminal.run("info", folder.resolve("notes.db").toString()).out();
    assertTrue(after.contains("notes  table    10           8  yes: id, embedding"), after);
    assertTrue(after.replace("\r\n", "\n").endsWith("No problems found.\n"), after);
  }

  /** Two values are too few to tell a form, but here the table says it. */
  @Test
  void whatIsDeclaredIsTaken() throws Exception {
    try (Connection connection = connect()) {
      table(connection, "f", "v float[2]", List.of(floats(new double[] {1, 2}, false)));
      table(connection, "p", "v vector(2)", List.of(floats(new double[] {1, 2}, false)));
      table(connection, "i", "v int8[3]", List.of(new byte[] {1, -2, 3}));
      table(connection, "b", "v bit[16]", List.of(new byte[] {1, 2}));
      table(connection, "other", "v float[2]", List.of(doubles(new double[] {1, 2}, false)));
    }
    String out = info();
    for (String line :
        List.of(
            "f.v: float32 vectors of 2 dimensions, as declared",
            "p.v: float32 vectors of 2 dimensions, as declared",
            "i.v: int8 vectors of 3 dimensions, as declared",
            "b.v: binary vectors of 16 dimensions, as declared")) {
      assertTrue(out.contains("  " + line + "\n"), line + "\n" + out);
    }
    assertTrue(out.contains("other.v: probably float64 vectors of 2 dimensions\n"), out);
  }

  /** A column of NULLs, repetitions and vectors of two models is told, though it has no index. */
  @Test
  void aColumnWithoutAnIndexIsReadToo() throws Exception {
    Random random = new Random(SEED);
    List<Object> values = new ArrayList<>();
    for (int row = 0; row < 20; row++) {
      values.add(floats(Numbers.UNIT.make(random, row < 15 ? 16 : 24), false));
    }
    values.add(values.get(3));
    values.add(null);
    try (Connection connection = connect()) {
      table(connection, "t", "v", values);
    }
    String out = info();
    for (String line :
        List.of(
            "probably float32 vectors of 16 (16), 24 (5) dimensions",
            "float32, all of length 1, so that L2, cosine and inner product order alike",
            "1 vector is the same as another",
            "1 row whose v is NULL, skipped (first: id 22)",
            "5 rows of 24 dimensions, where most have 16 (first: id 16)")) {
      assertTrue(out.contains("  t.v: " + line + "\n"), line + "\n" + out);
    }
    assertTrue(out.contains(";tables=t(id,v)\n"), out);
  }

  @Test
  void otherThingsAreNoVectors() throws Exception {
    Random random = new Random(SEED);
    List<List<String>> expected = new ArrayList<>();
    try (Connection connection = connect()) {
      for (String head :
          List.of(
              "\u0089PNG|images (PNG)",
              "RIFFxxxxWEBP|images (WebP)",
              "PK\3\4|ZIP archives",
              "(\u00b5/\u00fd|values compressed with zstd",
              "SQLite format 3\0|SQLite databases",
              "IxFI|Faiss indexes",
              "|can't tell: bytes without a pattern that is known (40 bytes)")) {
        List<byte[]> values = new ArrayList<>();
        byte[] begin = head.split("\\|")[0].getBytes(StandardCharsets.ISO_8859_1);
        for (int row = 0; row < 10; row++) {
          byte[] value = new byte[40];
          random.nextBytes(value);
          System.arraycopy(begin, 0, value, 0, begin.length);
          values.add(value);
        }
        String name = "o" + expected.size();
        table(connection, name, "v", values);
        expected.add(List.of(name, head.split("\\|")[1]));
      }
      List<byte[]> uuids = new ArrayList<>();
      for (int row = 0; row < 10; row++) {
        UUID uuid = UUID.nameUUIDFromBytes(new byte[] {(byte) row});
        uuids.add(
            ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array());
      }
      table(connection, "uuids", "v", uuids);
      expected.add(List.of("uuids", "UUIDs"));
      table(connection, "empty", "v", List.of(new byte[0], new byte[0]));
      expected.add(List.of("empty", "empty values"));
      table(connection, "objects", "v", List.of("{\"model\": \"m\", \"vector\": [1, 2]}"));
      expected.add(List.of("objects", "JSON objects with a vector in 'vector'"));
    }
    String out = info();
    for (List<String> pair : expected) {
      assertTrue(out.contains("  " + pair.get(0) + ".v: " + pair.get(1)), pair + "\n" + out);
    }
  }
}
