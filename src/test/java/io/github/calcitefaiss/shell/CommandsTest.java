/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.VectorCodec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands beside the shell: what they print, and their exit codes. */
class CommandsTest {
  @TempDir Path folder;
  private Path database;

  @BeforeEach
  void makeDatabase() throws SQLException {
    database = folder.resolve("notes.db");
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute("create table notes (id integer primary key, title text, body text)");
      statement.execute("create table embeddings (id references notes, embedding blob)");
      statement.execute("create table pictures (id text, vec blob)");
      statement.execute("create view none as select 1 as one");
    }
    for (int i = 1; i <= 5; i++) {
      insert("insert into notes values (?, 'title ' || ?1, 'two' || char(10) || 'lines')", i);
      insert("insert into embeddings values (?, ?)", i, vector(i, 0));
    }
  }

  private static byte[] vector(float... elements) {
    return VectorCodec.encode(elements);
  }

  private Connection connect() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + database);
  }

  private void insert(String sql, Object... values) throws SQLException {
    try (Connection connection = connect();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      statement.execute();
    }
  }

  private static String ok(String... args) throws IOException {
    Terminal terminal = Terminal.run(args);
    assertEquals(0, terminal.exitCode(), terminal.err());
    return terminal.out().replace("\r\n", "\n");
  }

  private static String fails(int exitCode, String... args) throws IOException {
    Terminal terminal = Terminal.run(args);
    assertEquals(exitCode, terminal.exitCode(), terminal.out() + terminal.err());
    assertFalse(terminal.err().contains("\tat "), terminal.err());
    return terminal.err();
  }

  @Test
  void infoSaysWhatIsIndexedAndWhyNot() throws IOException {
    String out = ok("info", database.toString());
    assertTrue(out.startsWith("Schema notes: " + database + ", "), out);
    assertEquals(
        """
        table       kind   rows  dimensions  index
        embeddings  table     5           2  yes: id, embedding
        none        view      1              no: it has no column id and no embedding, and no other is named
        notes       table     5              no: it has no column embedding
        pictures    table     0              no: it has no column embedding
        Vectors:
          embeddings.embedding: float32, lengths from 1.000 to 5.000, 1 of length 1
          embeddings.embedding: its index takes about 225 bytes of memory, vectors and codes
        No problems found.
        """,
        out.substring(out.indexOf('\n') + 1));
  }

  @Test
  void infoSaysWhereAnIndexIs() throws Exception {
    String file = "jdbc:faiss:" + database;
    String codes = ok("info", file + ";memory=codes");
    assertTrue(
        codes.contains(
            "its index takes about 185 bytes of memory, codes; the vectors stay in the file\n"),
        codes);
    String limited = ok("info", file + ";memoryLimit=200B");
    assertTrue(
        limited.contains(
            "codes; the vectors stay in the file, since with them it needs 225 bytes and the limit"
                + " is 200 bytes\n"),
        limited);
    Path snapshots = folder.resolve("kept");
    String none = ok("info", file + ";snapshots=" + snapshots);
    assertTrue(none.contains("; there is no snapshot yet in " + snapshots + "\n"), none);
  }

  @Test
  void infoCountsEveryKindOfBadRow() throws Exception {
    insert("insert into embeddings values (6, 'text')");
    insert("insert into embeddings values (7, 'text')");
    insert("insert into embeddings values (8, 1.5)");
    insert("insert into embeddings values (9, null)");
    insert("insert into embeddings values (null, ?)", vector(1, 2));
    insert("insert into embeddings values ('x', ?)", vector(1, 2, 3));
    insert("insert into embeddings values (11, x'010203')");
    insert("insert into embeddings values (12, ?)", vector(0, Float.NaN));
    String out = ok("info", database.toString());
    assertEquals(
        """
        Problems:
          embeddings: 2 rows whose embedding is TEXT, expected a BLOB (first: id 6)
          embeddings: 1 row whose embedding is a number, expected a BLOB (first: id 8)
          embeddings: 1 row whose embedding is NULL, skipped (first: id 9)
          embeddings: 1 row whose id is NULL (first: id null)
          embeddings: 1 row whose embedding has 3 bytes, no whole number of float32 elements (first: id 11)
          embeddings: 1 row whose embedding has an element that is NaN or infinite (first: id 12)
          embeddings: 1 row of 3 dimensions, where most have 2 (first: id 'x')
          embeddings: correct them, or leave them out with the operand "onBadRow": "skip"
        """,
        out.substring(out.indexOf("Problems:")));
  }

  private static byte[] bytes(int width, boolean big, double... elements) {
    ByteBuffer blob =
        ByteBuffer.allocate(width * elements.length)
            .order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    for (double element : elements) {
      if (width == 8) {
        blob.putDouble(element);
      } else if (width == 4) {
        blob.putFloat((float) element);
      } else {
        // Of a half: sign, 5 bits of exponent, 10 of fraction.
        int bits = Float.floatToIntBits((float) element);
        blob.putShort(
            (short) (bits >> 16 & 0x8000 | ((bits >> 23 & 0xff) - 112) << 10 | bits >> 13 & 0x3ff));
      }
    }
    return blob.array();
  }

  /** 64 numbers such as models make. */
  private static double[] elements(int seed) {
    Random random = new Random(seed);
    return random.doubles(64).map(x -> (x - 0.5) / 4).toArray();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "f4       | probably float32 vectors of 64 dimensions |",
        "f8       | probably float64 vectors of 64 dimensions | '<f8'",
        "f2       | probably float16 vectors of 64 dimensions | '<f2'",
        "big4     | probably big-endian float32 vectors of 64 dimensions | '>f4'",
        "big8     | probably big-endian float64 vectors of 64 dimensions | '>f8'",
        "widened  | probably float64 vectors of 64 dimensions | '<f8'",
        "ones     | probably float32 vectors of 64 dimensions |",
        "npy      | numpy arrays (.npy, <f4, 64 dimensions) | numpy.load",
        "pickle   | Python objects (pickle) | pickle.loads",
        "json     | JSON arrays of 64 numbers |",
        "jsonblob | JSON arrays of 64 numbers in a BLOB | CAST(value AS TEXT)",
        "object   | JSON objects in a BLOB, no vectors |",
        "base64   | probably float32 vectors of 64 dimensions, written in base64 | base64.b64decode",
        "hex      | probably float32 vectors of 64 dimensions, written in hexadecimal digits | unhex",
        "image    | images (PNG) |",
        "noise    | can't tell: bytes without a pattern that is known (31 bytes); perhaps vectors of 31 int8 or 248 bits, or hashes |",
      })
  void infoTellsWhatAColumnHolds(String kind, String what, String advice) throws Exception {
    insert("create table held (key integer primary key, v)");
    for (int row = 0; row < 5; row++) {
      double[] x = elements(row);
      byte[] f4 = bytes(4, false, x);
      Object value;
      switch (kind) {
        case "f4":
          value = f4;
          break;
        case "f8":
          value = bytes(8, false, x);
          break;
        case "f2":
          value = bytes(2, false, x);
          break;
        case "big4":
          value = bytes(4, true, x);
          break;
        case "big8":
          value = bytes(8, true, x);
          break;
        case "widened":
          value = bytes(8, false, Arrays.stream(x).map(e -> (float) e).toArray());
          break;
        case "ones":
          value = bytes(4, false, Arrays.stream(x).map(Math::signum).toArray());
          break;
        case "npy":
          value =
              concat(
                  "\u0093NUMPY\u0001\u0000v\u0000{'descr': '<f4', 'fortran_order': False, 'shape': (64,), }\n",
                  f4);
          break;
        case "pickle":
          value = concat("\u0080\u0004\u0095x", ".".getBytes(StandardCharsets.ISO_8859_1));
          break;
        case "json":
          value = Arrays.toString(x);
          break;
        case "jsonblob":
          value = Arrays.toString(x).getBytes(StandardCharsets.UTF_8);
          break;
        case "object":
          value = "{\"a\": 1}".getBytes(StandardCharsets.UTF_8);
          break;
        case "base64":
          value = Base64.getEncoder().encodeToString(f4);
          break;
        case "hex":
          value = HexFormat.of().formatHex(f4);
          break;
        case "image":
          value = concat("\u0089PNG", f4);
          break;
        default:
          byte[] noise = new byte[31];
          new Random(row).nextBytes(noise);
          value = noise;
      }
      insert("insert into held values (" + row + ", ?)", value);
    }
    String out = ok("info", database.toString());
    assertTrue(out.contains("  held.v: " + what + "\n"), out);
    boolean use = kind.equals("f4") || kind.equals("ones") || kind.equals("json");
    assertEquals(use, out.contains(";tables=embeddings,held(key,v)"), out);
    assertEquals(advice != null, out.contains("to convert a value: "), out);
    if (advice != null) {
      assertTrue(out.contains(advice), out);
    }
    if (use) {
      String url = "jdbc:faiss:" + database + ";tables=embeddings,held(key,v)";
      assertTrue(ok("info", url).contains("held        table     5          64  yes: key, v"));
    }
  }

  private static byte[] concat(String head, byte[] tail) {
    byte[] first = head.getBytes(StandardCharsets.ISO_8859_1);
    byte[] all = Arrays.copyOf(first, first.length + tail.length);
    System.arraycopy(tail, 0, all, first.length, tail.length);
    return all;
  }

  @Test
  void infoTellsLengthsRepetitionsAndWhatCanNotBeRead() throws Exception {
    insert("create table unit (id integer, embedding blob)");
    for (int i = 0; i < 4; i++) {
      insert("insert into unit values (" + i / 2 + ", ?)", vector(0.6f, 0.8f));
    }
    insert("create view gone as select * from absent");
    String out = ok("info", database.toString());
    assertTrue(
        out.contains(
            """
              unit.embedding: float32, all of length 1, so that L2, cosine and inner product order alike
              unit.embedding: 3 vectors are the same as another
              unit.embedding: 2 rows have the id of another
            """),
        out);
    assertTrue(out.contains("SQLite can't read:\n  gone: no such table: main.absent\n"), out);
  }

  @Test
  void infoOfAModelKnowsItsTables() throws IOException {
    Path model = folder.resolve("model.json");
    Files.writeString(
        model,
        """
        {"version": "1.0", "defaultSchema": "n", "schemas": [
          {"name": "n", "type": "custom", "factory": "io.github.calcitefaiss.FaissSchemaFactory",
           "operand": {"database": "notes.db", "tables": [{"table": "pictures", "embedding": "vec"}]}}]}
        """);
    String out = ok("info", model.toString());
    assertTrue(out.contains("embeddings  table     5              no: not among"), out);
    assertTrue(out.contains("pictures    table     0              yes: id, vec"), out);
  }

  @Test
  void searchShowsTheRowsThatTheIdsReferTo() throws IOException {
    assertEquals(
        """
        rank  id  distance  title    body
           1   2    0.0000  title 2  two lines
           2   1    1.0000  title 1  two lines
           3   3    1.0000  title 3  two lines
        """,
        ok("search", database.toString(), "2", "-k", "3"));
    assertTrue(ok("search", database.toString(), "[4.9, 0]", "-k", "1").contains(" 5    0.1000"));
  }

  @Test
  void searchForATextSaysWhatIsMissing() throws IOException {
    String err = fails(1, "search", database.toString(), "some words");
    assertTrue(err.startsWith("search: no row of notes.embeddings has the id 'some words'"), err);
    assertTrue(err.contains("./sqlline install-model all-minilm-l6-v2-q"), err);
  }

  @Test
  void wrongArgumentsAreSaidAndLeadToTwo() throws IOException {
    assertTrue(fails(2, "info").contains("Missing required parameter: 'DATABASE'"));
    assertTrue(fails(2, "search", "x.db").contains("QUERY"));
    assertTrue(fails(2, "search", "x.db", "1", "-k", "many").contains("'-k'"));
    assertTrue(fails(2, "serve").contains("give one database or model"));
    assertTrue(fails(2, "serve", "x.db", "--port", "70000").contains("--port"));
    assertTrue(fails(2, "serve", "x.db", "--max-connections", "0").contains("--max-connections"));
    assertTrue(fails(2, "serve", "jdbc:calcite:x").contains("jdbc:faiss: only"));
    assertTrue(fails(1, "serve", "jdbc:sqlite:x.db").contains("SQLite's own driver"));
    assertTrue(fails(2, "--nonsense").contains("--nonsense"));
    assertTrue(ok("serve", "--help").contains("--max-body"));
  }

  @Test
  void failuresAreSaidAndLeadToOne() throws IOException {
    String db = database.toString();
    assertTrue(fails(1, "info", "missing.db").contains("info: no such file: missing.db (in "));
    assertTrue(fails(1, "search", db, "1", "--table", "emb").contains("notes.embeddings"));
    assertTrue(fails(1, "search", db, "1", "-k", "-1").contains("k: expected 0 or more, got -1"));
    assertTrue(fails(1, "serve", db, "--host", "0.0.0.0").contains("--users FILE"));
    assertTrue(fails(1, "serve", db, "--users", "no.txt").contains("no.txt"));
    Path wrong = Files.writeString(folder.resolve("wrong.db"), "this is no database, just text");
    assertTrue(fails(1, "info", wrong.toString()).contains("is not a SQLite database"));
  }
}
