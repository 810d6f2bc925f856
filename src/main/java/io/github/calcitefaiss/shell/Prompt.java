/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;

/**
 * The prompt: reads a statement, over several lines until its semicolon, or a command.
 *
 * <p>Its history is a file of its own, of which only what it can read is taken.
 */
final class Prompt {
  private static final Pattern HISTORY_LINE = Pattern.compile("\\d+:.*", Pattern.DOTALL);

  private final LineReader reader;

  Prompt(Terminal terminal, Session.ConnectionOf connections, Path history) {
    LineReaderBuilder builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("calcite-faiss")
            .completer(new NameCompleter(connections))
            .parser(new WholeStatement())
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
            .option(LineReader.Option.CASE_INSENSITIVE, true)
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, "   ...> ");
    if (isUsable(history)) {
      builder.variable(LineReader.HISTORY_FILE, history);
    }
    reader = builder.build();
  }

  /** Reads on; throws what JLine throws at Ctrl-C and at the end. */
  String read() {
    return reader.readLine("faiss> ");
  }

  /** Makes a history file that can be read: JLine refuses one with a line that isn't its own. */
  static boolean isUsable(Path history) {
    try {
      Files.createDirectories(history.getParent());
      if (Files.exists(history)) {
        List<String> lines = Files.readAllLines(history, StandardCharsets.UTF_8);
        List<String> good =
            lines.stream().filter(line -> HISTORY_LINE.matcher(line).matches()).toList();
        if (good.size() < lines.size()) {
          Files.write(history, good, StandardCharsets.UTF_8);
        }
      }
      return true;
    } catch (IOException e) {
      // No home folder, or one that can't be written to: then without.
      return false;
    }
  }

  /** Whether enough was typed: a command, a known word, or a statement to its semicolon. */
  static boolean isWhole(String text) {
    Script script = Script.of(text);
    if (script.open() != null) {
      return false;
    } else if (script.pieces().isEmpty()) {
      return true;
    }
    Script.Piece last = script.pieces().get(script.pieces().size() - 1);
    return last.ended() || Session.known(last.text()) != null;
  }

  private static final class WholeStatement implements Parser {
    private final DefaultParser words =
        new DefaultParser().quoteChars(new char[0]).escapeChars(null);

    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
      if (context == ParseContext.ACCEPT_LINE && !isWhole(line)) {
        throw new EOFError(-1, -1, "the statement goes on");
      }
      if (context == ParseContext.COMPLETE) {
        return new Word(line, cursor);
      }
      words.setEofOnUnclosedQuote(false);
      return words.parse(line, cursor, context);
    }
  }

  /**
   * The word that is to be completed: a name, one that begins with a quote, or a command.
   *
   * @param line all that was typed
   * @param cursor where the word ends
   */
  record Word(String line, int cursor) implements CompletingParsedLine {
    private static final Pattern LAST = Pattern.compile("(?s)\"[^\"]*$|^\\s*[.!]\\w*$|[\\w$]*$");

    @Override
    public String word() {
      String before = line.substring(0, cursor);
      Matcher quote = Pattern.compile("\"").matcher(before);
      // After an even number of quotes, none is open.
      boolean open = quote.results().count() % 2 == 1;
      Matcher last = LAST.matcher(before);
      int from = 0;
      while (last.find(from) && last.group().startsWith("\"") && !open) {
        from = last.start() + 1;
      }
      return last.group().stripLeading();
    }

    @Override
    public int wordCursor() {
      return word().length();
    }

    @Override
    public int wordIndex() {
      return 0;
    }

    @Override
    public List<String> words() {
      return List.of(word());
    }

    @Override
    public CharSequence escape(CharSequence candidate, boolean complete) {
      return candidate;
    }

    @Override
    public int rawWordCursor() {
      return wordCursor();
    }

    @Override
    public int rawWordLength() {
      return wordCursor();
    }
  }
}
