/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.util.List;

/** A table of values as a page shows it. */
record Grid(List<Head> heads, List<List<Cell>> rows) {
  /**
   * A column's head.
   *
   * @param sort where the rows sorted by it are, or null
   * @param sorted "ascending", "descending" or "none"
   * @param number whether its values are numbers
   */
  record Head(String name, String sort, String sorted, boolean number) {}
}
