/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.util.ArrayList;
import java.util.List;

/** Rows of a CSV text as RFC 4180 has them: commas, quotes doubled inside quotes, any line end. */
final class CsvRows {
  private final String text;
  private int at;

  private CsvRows(String text) {
    this.text = text;
  }

  /** All rows, the header among them; empty lines are none. */
  static List<List<String>> of(String text) {
    CsvRows rows = new CsvRows(text);
    List<List<String>> all = new ArrayList<>();
    while (rows.at < text.length()) {
      List<String> row = rows.row();
      if (row.size() > 1 || !row.get(0).isEmpty()) {
        all.add(row);
      }
    }
    return all;
  }

  private List<String> row() {
    List<String> cells = new ArrayList<>();
    while (true) {
      cells.add(at < text.length() && text.charAt(at) == '"' ? quoted() : plain());
      if (at == text.length()) {
        return cells;
      }
      char end = text.charAt(at++);
      if (end != ',') {
        if (end == '\r' && at < text.length() && text.charAt(at) == '\n') {
          at++;
        }
        return cells;
      }
    }
  }

  private String plain() {
    int from = at;
    while (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return text.substring(from, at);
  }

  private String quoted() {
    StringBuilder cell = new StringBuilder();
    at++;
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c != '"') {
        cell.append(c);
      } else if (at < text.length() && text.charAt(at) == '"') {
        cell.append('"');
        at++;
      } else {
        break;
      }
    }
    // What stands between the quote and the comma belongs to the cell, as most programs read it.
    return cell.append(plain()).toString();
  }
}
