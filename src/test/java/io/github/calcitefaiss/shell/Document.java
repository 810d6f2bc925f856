/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of the documentation, as blocks of code, each with the block of output right below it if
 * there is one.
 *
 * <p>With {@code -Ddocs.update=true} an output that differs is written into the file instead of
 * failing the test, to be looked at and committed.
 */
final class Document {
  private static final Pattern BLOCK =
      Pattern.compile("(?m)^```(\\w+)\\n(.*?)^```\\n(?:```\\n(.*?)^```\\n)?", Pattern.DOTALL);

  private final Path path;

  Document(String name) {
    this.path = Path.of("docs", name);
  }

  /**
   * A block.
   *
   * @param language as the fence names it
   * @param code what it holds
   * @param output what the block right below it holds, or null if there is none
   */
  record Block(String language, String code, String output) {}

  String text() throws IOException {
    return Files.readString(path);
  }

  List<Block> blocks() throws IOException {
    List<Block> blocks = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(text());
    while (matcher.find()) {
      blocks.add(new Block(matcher.group(1), matcher.group(2), matcher.group(3)));
    }
    return blocks;
  }

  List<Block> blocks(String language) throws IOException {
    return blocks().stream().filter(block -> block.language().equals(language)).toList();
  }

  /** Compares an output with the one that the file shows. */
  void check(Block block, String output) throws IOException {
    check(block, output, text -> text);
  }

  /** Compares plans by their operators and tables: how a field is numbered is nobody's business. */
  void checkPlan(Block block, String plan) throws IOException {
    check(
        block,
        plan,
        text ->
            text.replaceAll("(?m)^( *\\w+)(?:\\((?:.*(table=\\[\\[.*?\\]\\]).*|.*))?$", "$1 $2"));
  }

  private void check(Block block, String output, UnaryOperator<String> essence) throws IOException {
    String shown = output.replace("\r\n", "\n").replaceAll("(?m) +$", "").strip() + "\n";
    if (!shown.equals(block.output()) && Boolean.getBoolean("docs.update")) {
      String head = "```" + block.language() + "\n" + block.code() + "```\n```\n";
      Files.writeString(
          path, text().replace(head + block.output() + "```\n", head + shown + "```\n"));
      return;
    }
    assertEquals(essence.apply(block.output()), essence.apply(shown));
  }
}
