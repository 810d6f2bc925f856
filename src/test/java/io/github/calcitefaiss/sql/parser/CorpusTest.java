/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every input that fuzzing kept, and random changes of them, run through their target again.
 *
 * <p>{@code mvn -Pfuzz test} lets Jazzer look for more; {@code -Dfaults.inputs=100000} says how
 * many random ones to try here.
 */
class CorpusTest {
  private static final int INPUTS = Integer.getInteger("faults.inputs", 100);

  private interface Target {
    void run(byte[] input) throws Exception;
  }

  private static Target target(String name) {
    switch (name) {
      case "codec":
        return FuzzTargets::codec;
      case "vectorJson":
        return FuzzTargets::vectorJson;
      case "json":
        return FuzzTargets::json;
      case "parser":
        return FuzzTargets::parser;
      default:
        return FuzzTargets::arguments;
    }
  }

  private static List<Path> corpus(String target) throws IOException {
    var folder = CorpusTest.class.getResource("JazzerTestInputs/" + target);
    assertNotNull(folder, target);
    try (Stream<Path> files = Files.list(Path.of(URI.create(folder.toString())))) {
      return files.sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"codec", "vectorJson", "json", "parser", "arguments"})
  void keptInputsAndChangesOfThem(String name) throws Exception {
    Target target = target(name);
    List<Path> corpus = corpus(name);
    assertTrue(corpus.size() > 2, name);
    for (Path file : corpus) {
      run(target, Files.readAllBytes(file), file.toString());
    }
    Random random = new Random(Long.getLong("seed", 1));
    byte[][] contents = new byte[corpus.size()][];
    for (int i = 0; i < contents.length; i++) {
      contents[i] = Files.readAllBytes(corpus.get(i));
    }
    for (int i = 0; i < INPUTS; i++) {
      byte[] input = contents[random.nextInt(contents.length)].clone();
      for (int change = random.nextInt(4); change >= 0 && input.length > 0; change--) {
        int at = random.nextInt(input.length);
        switch (random.nextInt(4)) {
          case 0:
            input[at] = (byte) random.nextInt(256);
            break;
          case 1:
            input = java.util.Arrays.copyOf(input, at);
            break;
          case 2:
            input[at] = input[random.nextInt(input.length)];
            break;
          default:
            byte[] other = contents[random.nextInt(contents.length)];
            byte[] joined = java.util.Arrays.copyOf(input, at + other.length);
            System.arraycopy(other, 0, joined, at, other.length);
            input = joined.length > 4000 ? input : joined;
        }
      }
      run(target, input, "input " + i);
    }
  }

  private static void run(Target target, byte[] input, String which) {
    try {
      target.run(input);
    } catch (Throwable e) {
      throw new AssertionError(
          which + ": " + java.util.HexFormat.of().formatHex(input) + ": " + e, e);
    }
  }
}
