/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.embed.InstalledModels;
import io.github.calcitefaiss.embed.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every SQL block of the README runs, with the answer that stands below it if one does. */
class ReadmeTest {
  private static final Path README = Path.of("README.md");
  private static final Pattern BLOCK =
      Pattern.compile("```sql\n(.*?)```\n(?:```\n(.*?)\n```\n)?", Pattern.DOTALL);
  private static final Pattern LINK = Pattern.compile("\\]\\(([^):#]+)\\)");

  private static String before;

  @BeforeAll
  static void installAModel() throws Exception {
    before = System.getProperty(ModelFolder.PROPERTY);
    System.setProperty(ModelFolder.PROPERTY, InstalledModels.shared().path().toString());
  }

  @AfterAll
  static void restore() {
    System.setProperty(ModelFolder.PROPERTY, before);
  }

  @TestFactory
  Stream<DynamicTest> sqlBlocks() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    Matcher block = BLOCK.matcher(Files.readString(README));
    while (block.find()) {
      String sql = block.group(1);
      String answer = block.group(2);
      tests.add(DynamicTest.dynamicTest(sql, () -> check(sql, answer)));
    }
    assertFalse(tests.isEmpty());
    return tests.stream();
  }

  private static void check(String sql, String answer) throws Exception {
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:examples/packages.db");
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertTrue(rows.next());
      if (answer != null) {
        assertEquals(answer, rows.getString(1));
        assertFalse(rows.next());
      }
    }
  }

  /** The output shown for the main command is the file that CI compares its output with. */
  @Test
  void mainCommandsOutputIsTheExamples() throws IOException {
    assertTrue(
        Files.readString(README)
            .contains(Files.readString(Path.of("examples/similar.out")).strip()));
  }

  @Test
  void linksLeadToFiles() throws IOException {
    Matcher link = LINK.matcher(Files.readString(README));
    while (link.find()) {
      assertTrue(Files.exists(Path.of(link.group(1))), link.group(1));
    }
  }
}
