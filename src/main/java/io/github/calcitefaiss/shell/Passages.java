/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a text into passages of at most so many characters, each of which begins with the end of the
 * one before.
 *
 * <p>A cut is made, in the second half of what fits, after the last empty line; else after a line,
 * a sentence or a word; else where it must be. A character beyond 16 bits is never cut in half.
 *
 * @param size of a passage, in UTF-16 units
 * @param overlap how many of them the next passage repeats, at most
 */
record Passages(int size, int overlap) {
  private static final List<String> ENDS = List.of("\n\n", "\n", ". ", "? ", "! ", " ");

  List<String> of(String text) {
    List<String> passages = new ArrayList<>();
    int from = 0;
    while (from < text.length()) {
      int end = text.length() - from <= size ? text.length() : end(text, from);
      String passage = text.substring(from, end).strip();
      if (!passage.isEmpty()) {
        passages.add(passage);
      }
      if (end == text.length()) {
        break;
      }
      from = begin(text, from, end);
    }
    return passages;
  }

  private int end(String text, int from) {
    int least = from + size / 2;
    int most = from + size;
    for (String mark : ENDS) {
      int at = text.lastIndexOf(mark, most - mark.length());
      if (at >= least) {
        return at + mark.length();
      }
    }
    return whole(text, most);
  }

  /** Where the next passage begins: at a word, where there is one. */
  private int begin(String text, int from, int end) {
    int begin = Math.max(from + 1, end - overlap);
    for (int i = begin; i < end; i++) {
      if (Character.isWhitespace(text.charAt(i - 1)) && !Character.isWhitespace(text.charAt(i))) {
        return i;
      }
    }
    // A repeated part of a word says nothing.
    return end;
  }

  private static int whole(String text, int at) {
    return Character.isHighSurrogate(text.charAt(at - 1)) ? at + 1 : at;
  }
}
