/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.util.ArrayList;
import java.util.List;

/**
 * What was typed, taken apart into statements and commands.
 *
 * <p>A statement ends with a semicolon that is in no quotes and no comment, or with the input; a
 * command is a line that begins with {@code !} or {@code .} where a statement could begin. Comments
 * are blanked out, so that places in a statement, counted from its first word, stay what they were.
 *
 * @param pieces in order
 * @param open what the input ends in the middle of, in words, or null; what was left is no piece
 */
record Script(List<Piece> pieces, String open) {
  /**
   * A statement, without its semicolon, or a command.
   *
   * @param ended whether its end was written
   */
  record Piece(String text, boolean command, boolean ended) {}

  static Script of(String input) {
    return new Reader(input).read();
  }

  private static final class Reader {
    private final String input;
    private final StringBuilder statement = new StringBuilder();
    private final List<Piece> pieces = new ArrayList<>();
    private boolean begun;
    private int at;

    private Reader(String input) {
      this.input = input;
    }

    private Script read() {
      while (at < input.length()) {
        char c = input.charAt(at);
        if (!begun && isCommand(c)) {
          int end = lineEnd();
          pieces.add(new Piece(input.substring(at, end).strip(), true, true));
          statement.setLength(0);
          at = end;
        } else if (c == ';') {
          add(true);
          at++;
        } else if (input.startsWith("--", at)) {
          blank(lineEnd());
        } else if (input.startsWith("/*", at) && !input.startsWith("/*+", at)) {
          int end = input.indexOf("*/", at + 2);
          if (end < 0) {
            return new Script(pieces, "the comment that begins " + place(at) + " has no end");
          }
          blank(end + 2);
        } else if (c == '\'' || c == '"' || c == '`') {
          // A doubled quote is an end and a beginning.
          int end = input.indexOf(c, at + 1);
          if (end < 0) {
            // An apostrophe in a text leaves an odd one out.
            boolean apostrophe = c == '\'' && statement.indexOf("'") >= 0;
            return new Script(
                pieces,
                "the "
                    + c
                    + " "
                    + place(at)
                    + " has no partner"
                    + (apostrophe ? "; within a text it is written twice, 'it\'\'s'" : ""));
          }
          statement.append(input, at, end + 1);
          begun = true;
          at = end + 1;
        } else {
          statement.append(c);
          begun |= !Character.isWhitespace(c);
          at++;
        }
      }
      add(false);
      return new Script(pieces, null);
    }

    private boolean isCommand(char c) {
      return c == '!' || c == '.' && at + 1 < input.length() && !digit(input.charAt(at + 1));
    }

    private static boolean digit(char c) {
      return c >= '0' && c <= '9';
    }

    private int lineEnd() {
      int end = input.indexOf('\n', at);
      return end < 0 ? input.length() : end;
    }

    private void blank(int end) {
      for (; at < end; at++) {
        statement.append(input.charAt(at) == '\n' ? '\n' : ' ');
      }
    }

    private void add(boolean ended) {
      if (begun) {
        pieces.add(new Piece(statement.toString().strip(), false, ended));
      }
      statement.setLength(0);
      begun = false;
    }

    private String place(int position) {
      int line = 1;
      int column = 1;
      for (int i = 0; i < position; i++) {
        column++;
        if (input.charAt(i) == '\n') {
          line++;
          column = 1;
        }
      }
      return "at line " + line + ", column " + column;
    }
  }
}
