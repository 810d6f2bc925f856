/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What pages ask about a database's vectors: their state, their neighbours, and their names. */
final class Vectors {
  private static final Duration LOOKING = Duration.ofMillis(400);
  private static final List<String> NAMES = List.of("title", "name", "label");

  private Vectors() {}

  /**
   * What an indexed column holds.
   *
   * @param rows of the table; null if it took too long to count them
   * @param dims such as "384"; null where unknown
   * @param state of the index, in words
   * @param problems rows that can't be searched, in words
   */
  record State(Long rows, String dims, String state, List<String> problems) {}

  /** Looks at a table; for one without an index, counts it. */
  static State state(Work work, String table, Catalog.Index index) throws IOException {
    String name = Identifiers.quote(table);
    try {
      if (index == null) {
        Work.Result count = work.quietly("select count(*) from " + name, List.of(), LOOKING);
        return new State(number(count.rows().get(0)[0]), null, null, List.of());
      }
      String vector = Identifiers.quote(index.embedding());
      Work.Result seen =
          work.quietly(
              String.format(
                  Locale.ROOT,
                  "select count(*), count(%1$s), min(length(%1$s)), max(length(%1$s)),"
                      + " sum(typeof(%1$s) = 'blob' and length(%1$s) %% 4 <> 0),"
                      + " sum(typeof(%1$s) not in ('blob', 'text', 'null')),"
                      + " sum(typeof(%1$s) = 'text'), sum(%2$s is null) from %3$s",
                  vector,
                  Identifiers.quote(index.id()),
                  name),
              List.of(),
              LOOKING);
      Object[] row = seen.rows().get(0);
      return state(index, row);
    } catch (SQLException e) {
      List<String> problems =
          Failures.isTimeOut(e) ? List.of() : List.of(String.valueOf(e.getMessage()));
      return new State(index == null ? null : index.rows(), dims(index), words(index), problems);
    }
  }

  private static State state(Catalog.Index index, Object[] row) {
    long rows = number(row[0]);
    long texts = number(row[6]);
    String dims = dims(index);
    if (dims == null && row[2] != null && texts == 0) {
      long least = number(row[2]) / 4;
      long most = number(row[3]) / 4;
      dims = least == most ? Long.toString(least) : least + " to " + most;
    }
    List<String> problems = new ArrayList<>();
    problem(problems, rows - number(row[1]), "without a vector");
    problem(problems, number(row[4]), "whose vector's length is no multiple of 4 bytes");
    problem(problems, number(row[5]), "whose vector is a number");
    problem(problems, number(row[7]), "without an id");
    if (index.skipped() != null) {
      problem(problems, index.skipped(), "left out of the index");
    }
    return new State(rows, dims, words(index), problems);
  }

  private static void problem(List<String> problems, long rows, String what) {
    if (rows > 0) {
      problems.add(String.format(Locale.ROOT, "%,d %s %s", rows, rows == 1 ? "row" : "rows", what));
    }
  }

  private static long number(Object value) {
    return value == null ? 0 : ((Number) value).longValue();
  }

  private static String dims(Catalog.Index index) {
    if (index == null || index.dims().isEmpty()) {
      return null;
    }
    List<Long> dims = index.dims();
    return dims.size() == 1
        ? dims.get(0).toString()
        : String.join(", ", dims.stream().map(String::valueOf).toList());
  }

  private static String words(Catalog.Index index) {
    if (index == null) {
      return null;
    }
    return index.isLoaded()
        ? String.format(
            Locale.ROOT,
            "in memory: %,d vectors, %s, %,d %s",
            index.rows(),
            size(index.bytes()),
            index.searches(),
            index.searches() == 1 ? "search" : "searches")
        : "loaded by the first search";
  }

  private static String size(Long bytes) {
    return bytes == null
        ? "?"
        : bytes < 1 << 20
            ? String.format(Locale.ROOT, "%.1f KB", bytes / 1024.0)
            : String.format(Locale.ROOT, "%.1f MB", bytes / 1048576.0);
  }

  /**
   * Where names for the rows of an indexed table are: itself, or the table whose keys its ids are.
   *
   * @param table the table's name
   * @param key its column that equals the ids
   * @param label the column that names a row
   */
  record Names(String table, String key, String label) {}

  /** Where the names of an indexed table's rows are; null if nothing is found that has them. */
  static Names names(Work work, Catalog catalog, Catalog.Table table)
      throws SQLException, IOException, Refusal {
    String own = label(table, table.index().embedding());
    if (own != null) {
      return new Names(table.name(), table.index().id(), own);
    }
    for (String name : candidates(work, catalog, table)) {
      Catalog.Table other = catalog.table(table.database(), name);
      String label = label(other, null);
      boolean keyed = other.keys().equals(List.of(table.index().id()));
      if (label != null && keyed) {
        return new Names(other.name(), other.keys().get(0), label);
      }
    }
    return null;
  }

  private static List<String> candidates(Work work, Catalog catalog, Catalog.Table table)
      throws SQLException {
    List<String> candidates = new ArrayList<>();
    try (ResultSet keys =
        work.connection().getMetaData().getImportedKeys(null, table.database(), table.name())) {
      while (keys.next()) {
        if (keys.getString("FKCOLUMN_NAME").equalsIgnoreCase(table.index().id())) {
          candidates.add(keys.getString("PKTABLE_NAME"));
        }
      }
    }
    List<String> all = new ArrayList<>();
    catalog.names(table.database()).stream()
        .filter(name -> !name.view() && !name.name().equals(table.name()))
        .forEach(name -> all.add(name.name()));
    String stem = table.name().replaceFirst("(?i)_?embeddings$", "");
    for (String name : all) {
      if (!stem.isEmpty() && name.equalsIgnoreCase(stem)) {
        candidates.add(name);
      }
    }
    if (stem.isEmpty()) {
      candidates.addAll(all.subList(0, Math.min(8, all.size())));
    }
    return candidates;
  }

  private static String label(Catalog.Table table, String vector) {
    for (String name : NAMES) {
      for (Catalog.Column column : table.columns()) {
        if (column.name().equalsIgnoreCase(name)) {
          return column.name();
        }
      }
    }
    for (Catalog.Column column : table.columns()) {
      boolean text = !column.isBlob() && !column.isNumber() && !column.name().equals(vector);
      if (text && !table.keys().contains(column.name())) {
        return column.name();
      }
    }
    return null;
  }

  /**
   * The statement that finds the rows nearest to a row, by its id: {@code :id}, with their names.
   */
  static String nearest(String table, Catalog.Index index, Names names, int k) {
    String id = Identifiers.quote(index.id());
    String vector = Identifiers.quote(index.embedding());
    String own = Identifiers.quote(table);
    String distance =
        "l2_distance("
            + vector
            + ", (select "
            + vector
            + " from "
            + own
            + " where "
            + id
            + " = :id limit 1)) as distance";
    if (names == null || names.table().equals(table)) {
      String label = names == null ? "" : Identifiers.quote(names.label()) + ", ";
      return "select "
          + id
          + ", "
          + label
          + distance
          + "\nfrom "
          + own
          + "\norder by distance\nlimit "
          + k;
    }
    return "select e."
        + id
        + ", t."
        + Identifiers.quote(names.label())
        + ", e.distance\nfrom (\n  select "
        + id
        + ", "
        + distance
        + "\n  from "
        + own
        + "\n  order by distance\n  limit "
        + k
        + "\n) e\nleft join "
        + Identifiers.quote(names.table())
        + " t on t."
        + Identifiers.quote(names.key())
        + " = e."
        + id
        + "\norder by e.distance";
  }
}
