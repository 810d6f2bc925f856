/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.calcite.sql.parser.SqlParserImplFactory;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImpl;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the parser does with statements of every kind, and with what is left of them after random
 * changes.
 */
final class ParserFuzzTest {
  private static final Pattern TOKEN =
      Pattern.compile(
          "'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*\n|/\\*.*?\\*/|\\w+|\\s+|.", Pattern.DOTALL);

  private static final String[] PIECES = {
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ":",
    "?",
    "=",
    "'",
    "\"",
    "`",
    "/*",
    "*/",
    "--",
    "\n",
    "\t",
    "::",
    " from ",
    " select ",
    " is ",
    " is not ",
    " join ",
    " lateral ",
    " table(",
    " on ",
    " where ",
    " json_each(",
    ":id",
    "?1",
    "==",
    " a ",
    "x'0g'",
    "'x'",
    "1",
    "*",
    ";",
    " as ",
    " with ",
    "\0",
    "\ud83d\ude00",
    " pattern(",
    " json_object(",
    " values ",
    " unnest(",
    " over (",
    "{",
    "}",
    "$"
  };

  static List<String> standard() throws IOException {
    return statements("/parser/standard.sql");
  }

  static List<String> dialect() throws IOException {
    return statements("/parser/dialect.sql");
  }

  private static List<String> statements(String name) throws IOException {
    try (InputStream in = ParserFuzzTest.class.getResourceAsStream(name)) {
      assertNotNull(in, name);
      return List.of(new String(in.readAllBytes(), StandardCharsets.UTF_8).split(";\n"));
    }
  }

  private static SqlNode parse(String sql, SqlParserImplFactory factory) throws SqlParseException {
    return SqlParser.create(sql, FaissParser.CONFIG.withParserFactory(factory)).parseStmt();
  }

  @ParameterizedTest
  @MethodSource({"standard", "dialect"})
  void statementIsParsedAndItsTreeReadsBack(String sql) throws SqlParseException {
    String tree = parse(sql, FaissParser.FACTORY).toString();
    assertEquals(tree, parse(tree, FaissParser.FACTORY).toString());
  }

  @ParameterizedTest
  @MethodSource("standard")
  void standardStatementHasBabelsTreeButForTableFunctions(String sql) throws SqlParseException {
    String babel = parse(sql, SqlBabelParserImpl.FACTORY).toString();
    String ours = parse(sql, FaissParser.FACTORY).toString();
    if (babel.contains("TABLE(")) {
      babel = withoutAliases(babel);
      ours = withoutAliases(ours);
    }
    assertEquals(babel, ours);
  }

  /** Takes away what the dialect adds to a call: LATERAL and the function's name as alias. */
  private static String withoutAliases(String sql) {
    return sql.replace("LATERAL TABLE", "TABLE").replaceAll("(TABLE\\(.*\\)) AS `\\w+`", "$1");
  }

  @Test
  void changedStatementsAreParsedOrRefused() throws IOException {
    fuzz(Integer.getInteger("fuzz.iterations", 500));
  }

  @Tag("slow")
  @Test
  void manyChangedStatementsAreParsedOrRefused() throws IOException {
    fuzz(50_000);
  }

  private static void fuzz(int iterations) throws IOException {
    long seed = Long.getLong("seed", System.nanoTime());
    Random random = new Random(seed);
    List<String> corpus = new ArrayList<>(standard());
    corpus.addAll(dialect());
    int parsed = 0;
    for (int i = 0; i < iterations; i++) {
      String sql = change(corpus, random);
      String context = "seed " + seed + ", iteration " + i + ":\n" + sql;
      SqlNode tree;
      try {
        tree = parse(sql, FaissParser.FACTORY);
      } catch (SqlParseException e) {
        assertForThePerson(sql, e, context);
        continue;
      } catch (RuntimeException | Error e) {
        throw new AssertionError(context, e);
      }
      parsed++;
      String text = print(tree);
      if (text != null && !text.equals(printed(text, FaissParser.FACTORY))) {
        // Some trees Calcite doesn't print as what its own parser reads.
        assertNotEquals(text, printed(text, SqlBabelParserImpl.FACTORY), context);
      }
    }
    assertTrue(parsed > iterations / 100, "seed " + seed + ": only " + parsed + " were parsed");
  }

  /**
   * One or two changes to a statement. Most make it an error, which the grammar is slow to tell.
   */
  private static String change(List<String> corpus, Random random) {
    List<String> tokens = tokens(corpus.get(random.nextInt(corpus.size())));
    for (int changes = 1 + random.nextInt(2); changes > 0 && !tokens.isEmpty(); changes--) {
      int at = random.nextInt(tokens.size());
      int other = random.nextInt(tokens.size());
      switch (random.nextInt(7)) {
        case 0 -> tokens.remove(at);
        case 1 -> tokens.add(at, tokens.get(other));
        case 2 -> tokens.set(at, tokens.set(other, tokens.get(at)));
        case 3 -> tokens.add(at, PIECES[random.nextInt(PIECES.length)]);
        case 4 -> tokens.set(at, PIECES[random.nextInt(PIECES.length)]);
        case 5 -> {
          List<String> donor = tokens(corpus.get(random.nextInt(corpus.size())));
          int from = random.nextInt(donor.size());
          int to = from + random.nextInt(donor.size() - from) + 1;
          tokens.addAll(at, donor.subList(from, to));
        }
        default -> {
          tokens.add(Math.max(at, other), ")");
          tokens.add(Math.min(at, other), "(");
        }
      }
    }
    return String.join("", tokens);
  }

  private static List<String> tokens(String sql) {
    List<String> tokens = new ArrayList<>();
    for (Matcher matcher = TOKEN.matcher(sql); matcher.find(); ) {
      tokens.add(matcher.group());
    }
    return tokens;
  }

  /** The message is one of the grammar's or the validator's, and points into the text. */
  private static void assertForThePerson(String sql, SqlParseException e, String context) {
    assertNotNull(e.getMessage(), context);
    Throwable cause = e.getCause();
    if (cause instanceof RuntimeException) {
      for (StackTraceElement frame : cause.getStackTrace()) {
        if (frame.getClassName().equals(SqlBabelParserImpl.class.getName())) {
          break;
        }
        if (frame.getClassName().startsWith(FaissParser.class.getPackageName())) {
          throw new AssertionError(context, e);
        }
      }
    }
    SqlParserPos position = e.getPos();
    if (position != null) {
      String[] lines = (sql + " ").split("\r\n|\r|\n", -1);
      assertTrue(position.getEndLineNum() <= lines.length, () -> position + " " + context);
      assertTrue(
          position.getColumnNum() <= lines[position.getLineNum() - 1].length() + 1,
          () -> position + " " + context);
    }
  }

  private static String printed(String sql, SqlParserImplFactory factory) {
    try {
      return print(parse(sql, factory));
    } catch (SqlParseException e) {
      return null;
    }
  }

  /** SQL of a tree; null if Calcite can't print it. */
  private static String print(SqlNode tree) {
    try {
      return tree.toString();
    } catch (RuntimeException | AssertionError e) {
      return null;
    }
  }
}
