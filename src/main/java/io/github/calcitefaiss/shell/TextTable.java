/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows of text in columns that line up; a column of numbers is aligned to the right. */
final class TextTable {
  private final List<String> header;
  private final int widest;
  private final List<List<String>> rows = new ArrayList<>();

  /** A table whose cells are cut to a width. */
  TextTable(List<String> header, int widest) {
    this.header = header;
    this.widest = widest;
  }

  void add(List<?> cells) {
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(cell == null ? "" : cut(cell.toString()));
    }
    rows.add(row);
  }

  /** One line, however long the text; a code point is never cut in half. */
  private String cut(String text) {
    String line = text.strip().replaceAll("[\\p{Cntrl}\\s]+", " ");
    if (line.codePointCount(0, line.length()) <= widest) {
      return line;
    }
    return line.substring(0, line.offsetByCodePoints(0, widest - 1)) + "…";
  }

  void print(PrintWriter out, boolean colours) {
    int[] widths = new int[header.size()];
    boolean[] right = new boolean[header.size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = width(header.get(i));
      right[i] = !rows.isEmpty();
      for (List<String> row : rows) {
        widths[i] = Math.max(widths[i], width(row.get(i)));
        right[i] &= row.get(i).matches("-?[0-9.]+|");
      }
    }
    String names = line(header, widths, right);
    out.println(colours ? "\u001b[1m" + names + "\u001b[0m" : names);
    for (List<String> row : rows) {
      out.println(line(row, widths, right));
    }
  }

  private static String line(List<String> cells, int[] widths, boolean[] right) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = cells.get(i);
      String blanks = " ".repeat(widths[i] - width(cell));
      line.append(i > 0 ? "  " : "").append(right[i] ? blanks + cell : cell + blanks);
    }
    return line.toString().stripTrailing();
  }

  private static int width(String text) {
    return text.codePointCount(0, text.length());
  }
}
