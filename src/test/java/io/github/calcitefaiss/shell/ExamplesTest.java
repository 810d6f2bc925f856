/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The scripts of the folder examples print what the files beside them say, run as a user would. */
class ExamplesTest {
  private static final Path EXAMPLES = Path.of("examples");

  static Stream<Path> scripts() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files.filter(file -> file.toString().endsWith(".sql")).sorted().toList().stream();
    }
  }

  /** A script's first line is the command that runs it. */
  @ParameterizedTest
  @MethodSource("scripts")
  void scriptPrintsWhatTheFileBesideItSays(Path script) throws IOException {
    String command = Files.readAllLines(script, UTF_8).get(0);
    String start = "-- ./sqlline ";
    assertTrue(command.startsWith(start), command);
    Terminal terminal = Terminal.run(command.substring(start.length()).split(" "));
    Path expected = Path.of(script.toString().replaceFirst("\\.sql$", ".out"));
    assertEquals(
        Files.readString(expected, UTF_8), terminal.out().replace("\r\n", "\n"), terminal.err());
    assertEquals(0, terminal.exitCode(), terminal.err());
  }

  @Test
  void modelOfTheProjectOpens() throws IOException {
    Terminal terminal =
        Terminal.run(
            "model.json", "--outputformat=csv", "-e", "select count(*) as n from packages");
    assertEquals("n\n3576\n", terminal.out().replace("\r\n", "\n"), terminal.err());
    String info = Terminal.run("info", "model.json").out();
    assertTrue(info.contains("docs          view   3576         384  yes: id, embedding"), info);
  }

  /** What users of datasette-faiss type, on a database with the tables of its README. */
  @Test
  void statementsOfThePluginsReadmeRunOnTheBlog() throws IOException, SQLException {
    String statements;
    try (var in = ExamplesTest.class.getResourceAsStream("/conformance/readme.sql")) {
      statements = new String(in.readAllBytes(), UTF_8);
    }
    Pattern rows = Pattern.compile("-- rows:(\\d+)");
    int run = 0;
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:examples/blog.db")) {
      for (String statement : List.of(statements.split("\n;\n"))) {
        Matcher expected = rows.matcher(statement);
        assertTrue(expected.find(), statement);
        // Without the comments that say what to expect, as it is typed.
        String sql = statement.replaceAll("(?m)^--.*\n", "");
        try (PreparedStatement prepared = connection.prepareStatement(sql)) {
          if (sql.contains(":id")) {
            prepared.setLong(1, 3);
          }
          try (ResultSet result = prepared.executeQuery()) {
            int count = 0;
            while (result.next()) {
              count++;
            }
            assertEquals(Integer.parseInt(expected.group(1)), count, sql);
          }
        }
        run++;
      }
    }
    assertEquals(8, run);
  }
}
