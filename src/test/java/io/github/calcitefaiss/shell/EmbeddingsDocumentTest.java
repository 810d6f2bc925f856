/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.embed.EmbeddingServer;
import io.github.calcitefaiss.embed.InstalledModels;
import io.github.calcitefaiss.embed.ModelFolder;
import io.github.calcitefaiss.embed.TestModels;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of docs/embeddings.md run, with a real model, and print what stands below them. */
class EmbeddingsDocumentTest {
  private static final Document DOCUMENT = new Document("embeddings.md");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  @TempDir Path folder;

  @Test
  void theCommandsGiveWhatStandsBelowThem() throws Exception {
    String database = folder.resolve("notes.db").toString();
    ModelFolder models = new ModelFolder(folder.resolve("models"));
    try (EmbeddingServer server = new EmbeddingServer();
        TestModels set = new TestModels(models.path())) {
      InstalledModels.installer(set.folder()).install("all-minilm-l6-v2-q");
      server.install(set.folder(), "other", 3);
      List<Document.Block> commands = DOCUMENT.blocks("sh");
      for (Document.Block block : commands) {
        Terminal terminal = Terminal.run(arguments(block.code(), database));
        assertEquals(0, terminal.exitCode(), terminal.err());
        DOCUMENT.check(block, terminal.out());
      }
      assertEquals(4, commands.size());
      for (Document.Block block : DOCUMENT.blocks("sql")) {
        try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + database);
            Statement statement = connection.createStatement()) {
          SQLException e =
              assertThrows(SQLException.class, () -> statement.executeQuery(block.code()));
          DOCUMENT.check(block, e.getMessage());
        }
      }
    }
  }

  private static String[] arguments(String command, String database) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(command);
    while (word.find()) {
      words.add(word.group(1) != null ? word.group(1) : word.group(2));
    }
    assertEquals("./sqlline", words.remove(0));
    words.replaceAll(each -> each.equals("notes.db") ? database : each);
    return words.toArray(String[]::new);
  }

  /** Every option that the page names is one of a command's. */
  @Test
  void theOptionsAreThere() throws Exception {
    String help =
        Terminal.run("install-model", "--help").out()
            + Terminal.run("build-embeddings", "--help").out()
            + Terminal.run("import", "--help").out();
    Matcher option = Pattern.compile("--[a-z][a-z-]+").matcher(DOCUMENT.text());
    int options = 0;
    while (option.find()) {
      assertTrue(help.contains(option.group()), option.group());
      options++;
    }
    assertTrue(options > 10, "options: " + options);
  }
}
