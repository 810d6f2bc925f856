/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder of texts becomes a table of passages, and follows what becomes of the files. */
class ImportTest {
  @TempDir Path temp;
  private Path folder;
  private String database;

  @BeforeEach
  void write() throws IOException {
    folder = Files.createDirectories(temp.resolve("notes"));
    database = temp.resolve("notes.db").toString();
    Files.createDirectories(folder.resolve("deep/.hidden"));
    Files.writeString(folder.resolve("rice.md"), "# Cooking *rice*\n\nWash it.\n");
    Files.writeString(folder.resolve("deep/plain.txt"), "\ufeffOne line.\r\n");
    Files.writeString(folder.resolve("deep/.hidden/no.txt"), "hidden");
    Files.writeString(folder.resolve("picture.png"), "none");
    Files.writeString(
        folder.resolve("list.CSV"),
        "name,what\r\n\"a, \"\"b\"\"\",\"two\nlines\"\r\nc,\r\n\r\n,alone,more");
  }

  private List<String> rows(String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      while (result.next()) {
        rows.add(result.getString(1));
      }
    }
    return rows;
  }

  private String run(String... options) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("import", database, folder.toString()));
    arguments.addAll(List.of(options));
    Terminal terminal = Terminal.run(arguments.toArray(String[]::new));
    return terminal.exitCode() == 0 ? terminal.out().strip() : terminal.err().strip();
  }

  @Test
  void filesBecomeRows() throws Exception {
    assertEquals("docs: 5 passages of 3 files, 0 files unchanged, 0 gone", run());
    assertEquals(
        List.of(
            "deep/plain.txt|1|plain|One line.",
            "list.CSV|1|a, \"b\"|name: a, \"b\"\nwhat: two\nlines",
            "list.CSV|2|c|name: c",
            "list.CSV|3|alone|what: alone\ncolumn 3: more",
            "rice.md|1|Cooking *rice*|# Cooking *rice*\n\nWash it."),
        rows(
            "select path || '|' || part || '|' || title || '|' || body from docs"
                + " order by path, part"));
  }

  @Test
  void onlyChangedFilesAreReadAgain() throws Exception {
    run();
    String before = rows("select id from docs where path = 'rice.md'").get(0);
    Files.writeString(folder.resolve("deep/plain.txt"), "Another line.");
    Files.delete(folder.resolve("list.CSV"));
    assertEquals("docs: 1 passages of 1 files, 1 files unchanged, 1 gone", run());
    assertEquals(List.of(before), rows("select id from docs where path = 'rice.md'"));
    assertEquals(List.of("Another line."), rows("select body from docs where path like 'deep%'"));
    assertEquals(List.of("2"), rows("select count(*) from docs"));
    assertEquals("docs: 2 passages of 2 files, 0 files unchanged, 0 gone", run("--size", "500"));
  }

  @Test
  void wrongArgumentsAreSaid() throws Exception {
    assertTrue(run("--size", "5").contains("--size is 5, expected 100"));
    assertTrue(run("--overlap", "600").contains("expected 0 to half of --size, 500"));
    Files.write(folder.resolve("latin.txt"), "für".getBytes(StandardCharsets.ISO_8859_1));
    assertTrue(run().contains("latin.txt is no text in UTF-8"));
    assertTrue(Terminal.run("import", database, "nowhere").err().contains("no such folder"));
  }

  @Test
  void cutsAreAtParagraphsSentencesAndWords() {
    Passages passages = new Passages(30, 10);
    assertEquals(
        List.of("First paragraph here.", "Second one is here."),
        new Passages(30, 0).of("First paragraph here.\n\nSecond one is here."));
    assertEquals(
        List.of("One sentence. Another one.", "one. A third one. And more."),
        passages.of("One sentence. Another one. A third one. And more."));
    assertEquals(List.of("a".repeat(30), "a".repeat(5)), passages.of("a".repeat(35)));
    assertEquals(List.of(), passages.of(" \n "));
  }

  @Test
  void everyWordIsInAPassageThatIsNotTooLong() {
    long seed = Long.getLong("seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      StringBuilder text = new StringBuilder();
      List<String> words = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String word = "w" + i + "x".repeat(random.nextInt(9)) + (i % 7 == 0 ? "😀" : "");
        words.add(word);
        text.append(word).append(List.of(" ", "\n", ". ", "\n\n", "? ").get(random.nextInt(5)));
      }
      int size = 40 + random.nextInt(300);
      List<String> passages = new Passages(size, random.nextInt(size / 2)).of(text.toString());
      String all = String.join("|", passages);
      for (String word : words) {
        assertTrue(all.contains(word), () -> word + " is lost, -Dseed=" + seed);
      }
      for (String passage : passages) {
        assertTrue(passage.length() <= size + 1, () -> "too long, -Dseed=" + seed);
        assertFalse(Character.isLowSurrogate(passage.charAt(0)), () -> "-Dseed=" + seed);
      }
    }
  }
}
