/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What docs/first-mistakes.md says comes, comes: typed in the shell on the example. */
class FirstMistakesTest {
  private static final Path PAGE = Path.of("docs/first-mistakes.md");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `(.+?)` \\| (.+?) \\|$");

  record Mistake(String typed, String sentence) {
    @Override
    public String toString() {
      return typed;
    }
  }

  static List<Mistake> mistakes() throws IOException {
    List<Mistake> mistakes = new ArrayList<>();
    Matcher row = ROW.matcher(Files.readString(PAGE));
    while (row.find()) {
      mistakes.add(new Mistake(row.group(1), row.group(2)));
    }
    return mistakes;
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void oneSentenceComes(Mistake mistake) throws IOException {
    Terminal terminal;
    if (mistake.typed.startsWith("java -jar")) {
      String[] words = mistake.typed.split(" ", 4);
      terminal = Terminal.run(words.length < 4 ? new String[0] : arguments(words[3]));
      assertEquals("calcite-faiss: " + mistake.sentence, terminal.err().strip());
    } else {
      terminal = Terminal.run("examples/packages.db", "--silent=true", mistake.typed);
      String said = terminal.err().strip();
      assertEquals(mistake.sentence, said.replaceFirst("^Error: ", ""), terminal.out());
    }
    assertTrue(terminal.exitCode() > 0);
  }

  /** As a shell splits them: at blanks that are in no quotes. */
  private static String[] arguments(String line) {
    List<String> arguments = new ArrayList<>();
    Matcher argument = Pattern.compile("\"([^\"]*)\"|(\\S+)").matcher(line);
    while (argument.find()) {
      arguments.add(argument.group(1) == null ? argument.group(2) : argument.group(1));
    }
    return arguments.toArray(String[]::new);
  }

  @Test
  void thePageHasThem() throws IOException {
    assertTrue(mistakes().size() > 40, "mistakes: " + mistakes().size());
  }
}
