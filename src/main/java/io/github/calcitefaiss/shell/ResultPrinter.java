/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.io.PrintStream;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jline.utils.WCWidth;

/**
 * Prints a result in one of the formats table, vertical, csv, tsv and json.
 *
 * <p>A table that is too wide for its place is printed as vertical. In these two NULL is the word;
 * in csv and tsv it is an empty field, where an empty text is {@code ""}; another text can be set
 * for all of these. CSV is RFC 4180's, with the line ends of the machine.
 *
 * @param out where to
 * @param format its name
 * @param header whether the columns' names come first
 * @param nullText what stands for NULL, or null for what the format has
 * @param columnWidth the most characters of a cell of a table; what is cut ends with …
 * @param tableWidth the most characters of a line of a table
 */
record ResultPrinter(
    PrintStream out,
    String format,
    boolean header,
    String nullText,
    int columnWidth,
    int tableWidth) {
  static final List<String> FORMATS = List.of("table", "vertical", "csv", "tsv", "json");

  /** Rows that a table is laid out by; those after them are cut to its columns. */
  private static final int LAID_OUT = 1000;

  private static final int NARROWEST = 8;

  /** Prints all rows; returns how many. */
  long print(ResultSet rows) throws SQLException {
    switch (format) {
      case "csv":
        return separated(rows, ',');
      case "tsv":
        return separated(rows, '\t');
      case "json":
        return json(rows);
      case "vertical":
        return vertical(rows);
      default:
        return table(rows);
    }
  }

  private static List<String> labels(ResultSet rows) throws SQLException {
    ResultSetMetaData meta = rows.getMetaData();
    List<String> labels = new ArrayList<>();
    for (int i = 1; i <= meta.getColumnCount(); i++) {
      labels.add(meta.getColumnLabel(i));
    }
    return labels;
  }

  private String word() {
    return nullText == null ? "NULL" : nullText;
  }

  private long separated(ResultSet rows, char separator) throws SQLException {
    List<String> labels = labels(rows);
    if (header) {
      out.println(
          String.join(
              String.valueOf(separator), labels.stream().map(l -> field(l, separator)).toList()));
    }
    long count = 0;
    for (; rows.next(); count++) {
      StringBuilder line = new StringBuilder();
      for (int i = 1; i <= labels.size(); i++) {
        String value = rows.getString(i);
        line.append(i > 1 ? String.valueOf(separator) : "");
        line.append(value == null ? nullText == null ? "" : nullText : field(value, separator));
      }
      out.println(line);
    }
    return count;
  }

  private String field(String value, char separator) {
    boolean plain = !value.isEmpty() && !value.equals(nullText);
    for (int i = 0; plain && i < value.length(); i++) {
      char c = value.charAt(i);
      plain = c != separator && c != '"' && c != '\n' && c != '\r';
    }
    return plain ? value : '"' + value.replace("\"", "\"\"") + '"';
  }

  private long json(ResultSet rows) throws SQLException {
    List<String> labels = labels(rows);
    out.print("[");
    long count = 0;
    for (; rows.next(); count++) {
      StringBuilder line = new StringBuilder(count > 0 ? ",\n{" : "\n{");
      for (int i = 1; i <= labels.size(); i++) {
        Object value = rows.getObject(i);
        line.append(i > 1 ? "," : "").append(quote(labels.get(i - 1))).append(':');
        if (value == null || value instanceof Boolean) {
          line.append(value);
        } else if (value instanceof Number n && Double.isFinite(n.doubleValue())) {
          line.append(rows.getString(i));
        } else {
          line.append(quote(rows.getString(i)));
        }
      }
      out.print(line.append('}'));
    }
    out.println("\n]");
    return count;
  }

  private static String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 32) {
        json.append(
            c == '\n' ? "\\n" : c == '\t' ? "\\t" : String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }

  private long vertical(ResultSet rows) throws SQLException {
    List<String> labels = labels(rows);
    return vertical(labels, List.of(), rows);
  }

  /** Prints some rows that were read before, then the others. */
  private long vertical(List<String> labels, List<List<String>> first, ResultSet rows)
      throws SQLException {
    int widest = labels.stream().mapToInt(ResultPrinter::width).max().orElse(0);
    first.forEach(row -> vertical(labels, row, widest));
    long count = first.size();
    for (; rows.next(); count++) {
      vertical(labels, cells(rows, labels.size()), widest);
    }
    out.println();
    return count;
  }

  private void vertical(List<String> labels, List<String> row, int widest) {
    String indent = " ".repeat(widest + 2);
    out.println();
    for (int i = 0; i < row.size(); i++) {
      String blanks = " ".repeat(widest - width(labels.get(i)) + 2);
      out.println(labels.get(i) + blanks + row.get(i).replace("\n", "\n" + indent));
    }
  }

  private long table(ResultSet rows) throws SQLException {
    List<String> labels = labels(rows);
    List<List<String>> first = new ArrayList<>();
    while (first.size() < LAID_OUT && rows.next()) {
      first.add(cells(rows, labels.size()));
    }
    int[] widths = widths(labels, first);
    if (widths == null) {
      return vertical(labels, first, rows);
    }
    StringBuilder ruler = new StringBuilder("+");
    for (int width : widths) {
      ruler.append("-".repeat(width + 2)).append('+');
    }
    out.println(ruler);
    if (header) {
      StringBuilder line = new StringBuilder("|");
      for (int i = 0; i < widths.length; i++) {
        String label = cut(labels.get(i), widths[i]);
        int blanks = widths[i] - width(label);
        line.append(' ').append(" ".repeat(blanks / 2)).append(label);
        line.append(" ".repeat(blanks - blanks / 2)).append(" |");
      }
      out.println(line);
      out.println(ruler);
    }
    long count = 0;
    for (List<String> row : first) {
      row(row, widths);
      count++;
    }
    while (rows.next()) {
      row(cells(rows, widths.length), widths);
      count++;
    }
    out.println(ruler);
    return count;
  }

  private List<String> cells(ResultSet rows, int columns) throws SQLException {
    List<String> cells = new ArrayList<>();
    for (int i = 1; i <= columns; i++) {
      cells.add(Cell.text(rows, i, word()));
    }
    return cells;
  }

  /**
   * As wide as the cells are; where that is too much together, the widest columns give way; null
   * where they can't.
   */
  private int[] widths(List<String> labels, List<List<String>> rows) {
    int[] widths = new int[labels.size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = header ? width(labels.get(i)) : 1;
      for (List<String> row : rows) {
        for (String line : row.get(i).split("\n", -1)) {
          widths[i] = Math.max(widths[i], width(line));
        }
      }
      widths[i] = Math.min(widths[i], columnWidth);
    }
    int most = tableWidth - 1 - 3 * widths.length;
    while (true) {
      int widest = 0;
      int total = 0;
      for (int i = 0; i < widths.length; i++) {
        widest = widths[i] > widths[widest] ? i : widest;
        total += widths[i];
      }
      if (total <= most) {
        return widths;
      } else if (widths[widest] <= NARROWEST) {
        return null;
      }
      widths[widest]--;
    }
  }

  private void row(List<String> cells, int[] widths) {
    List<String[]> lines = new ArrayList<>();
    int height = 1;
    for (String cell : cells) {
      lines.add(cell.split("\n", -1));
      height = Math.max(height, lines.get(lines.size() - 1).length);
    }
    for (int at = 0; at < height; at++) {
      StringBuilder line = new StringBuilder("|");
      for (int i = 0; i < widths.length; i++) {
        String text = at < lines.get(i).length ? cut(lines.get(i)[at], widths[i]) : "";
        line.append(' ').append(text).append(" ".repeat(widths[i] - width(text))).append(" |");
      }
      out.println(line);
    }
  }

  /** At most so wide, with a mark where something is missing. */
  private static String cut(String text, int width) {
    if (width(text) <= width) {
      return text;
    }
    int taken = 0;
    int end = 0;
    while (end < text.length()) {
      int c = text.codePointAt(end);
      if (taken + width(c) > width - 1) {
        break;
      }
      taken += width(c);
      end += Character.charCount(c);
    }
    return text.substring(0, end) + "…";
  }

  private static int width(String text) {
    return text.codePoints().map(ResultPrinter::width).sum();
  }

  private static int width(int codePoint) {
    return codePoint < 0x300 ? 1 : Math.max(0, WCWidth.wcwidth(codePoint));
  }
}
