/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.IOException;
import java.io.Writer;
import java.util.List;

/** CSV as Python's csv module writes it: {@code \r\n}, quotes only where they are needed. */
final class Csv {
  private final Writer out;

  Csv(Writer out) {
    this.out = out;
  }

  void row(List<?> values) throws IOException {
    for (int i = 0; i < values.size(); i++) {
      if (i > 0) {
        out.write(',');
      }
      Object value = values.get(i);
      String text = value == null ? "" : JsonAnswer.text(value);
      boolean quoted = text.isEmpty() && values.size() == 1;
      for (int c = 0; c < text.length() && !quoted; c++) {
        quoted = ",\"\r\n".indexOf(text.charAt(c)) >= 0;
      }
      if (quoted) {
        out.write('"');
        out.write(text.replace("\"", "\"\""));
        out.write('"');
      } else {
        out.write(text);
      }
    }
    out.write("\r\n");
  }
}
