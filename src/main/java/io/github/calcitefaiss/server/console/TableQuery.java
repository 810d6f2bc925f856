/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The statement that a table's address stands for: filters, sort, columns, and the page after a
 * key.
 *
 * <p>A page begins after the key of the last row of the page before, so that the thousandth costs
 * what the first does; in a view, which has no key, after a number of rows.
 */
final class TableQuery {
  /** Rows of a page where nothing else is asked for. */
  static final int PAGE = 100;

  static final int MOST = 1000;
  private static final Duration COUNTING = Duration.ofSeconds(1);

  /** A condition that the address has. */
  record Condition(String column, Filter filter, String value) {}

  /** A value of a column, how many rows have it, and whether the address asks for it. */
  record FacetValue(Object value, long count, boolean selected) {}

  /** The most frequent values of a column. */
  record Facet(String column, List<FacetValue> values, boolean truncated) {}

  private final Catalog.Table table;
  private final Arguments arguments;
  private final List<Condition> conditions = new ArrayList<>();
  private final List<String> where = new ArrayList<>();
  private final List<Object> filterValues = new ArrayList<>();
  private final String sort;
  private final boolean descending;
  private final int size;
  private final String select;

  /** Reads an address; Refusal for what it can't mean. */
  TableQuery(Catalog.Table table, Arguments arguments) throws Refusal {
    this.table = table;
    this.arguments = arguments;
    for (Arguments.Argument argument : arguments.list()) {
      filter(argument);
    }
    String up = arguments.get("_sort");
    String down = arguments.get("_sort_desc");
    if (up != null && down != null) {
      throw Refusal.bad("Cannot use _sort and _sort_desc at the same time");
    }
    sort = up != null ? up : down;
    descending = down != null;
    if (sort != null) {
      known(sort);
    }
    select = columns();
    size = wantedSize();
  }

  private void filter(Arguments.Argument argument) throws Refusal {
    String name = argument.name();
    if (name.startsWith("_")) {
      return;
    }
    int mark = name.lastIndexOf("__");
    Filter filter = mark > 0 ? Filter.named(name.substring(mark + 2)) : null;
    String column = filter == null ? name : name.substring(0, mark);
    if (filter == null) {
      filter = Filter.EXACT;
    }
    known(column);
    conditions.add(new Condition(column, filter, argument.value()));
    where.add(filter.condition(Identifiers.quote(column), argument.value(), filterValues));
  }

  private void known(String column) throws Refusal {
    if (table.column(column) == null && !(table.rowid() && column.equals("rowid"))) {
      throw Refusal.bad(
          "no such column: "
              + column
              + "; "
              + table.name()
              + " has "
              + table.columns().stream()
                  .map(Catalog.Column::name)
                  .collect(Collectors.joining(", ")));
    }
  }

  private String columns() throws Refusal {
    List<String> wanted = arguments.all("_col");
    List<String> unwanted = arguments.all("_nocol");
    for (String column : wanted) {
      known(column);
    }
    List<String> chosen = new ArrayList<>();
    if (!wanted.isEmpty()) {
      for (String key : table.keys()) {
        if (!wanted.contains(key)) {
          chosen.add(key);
        }
      }
      chosen.addAll(wanted);
    } else {
      if (table.rowid()) {
        chosen.add("rowid");
      }
      table.columns().forEach(column -> chosen.add(column.name()));
    }
    for (String column : unwanted) {
      known(column);
      if (!table.keys().contains(column)) {
        chosen.remove(column);
      }
    }
    if (sort != null && !chosen.contains(sort)) {
      // The address of the next page needs its value.
      chosen.add(sort);
    }
    return chosen.stream().map(this::reference).collect(Collectors.joining(", "));
  }

  private String reference(String column) {
    return table.rowid() && column.equals("rowid") ? "rowid" : Identifiers.quote(column);
  }

  private int wantedSize() throws Refusal {
    String text = arguments.get("_size", "");
    if (text.isEmpty()) {
      return PAGE;
    } else if (text.equals("max")) {
      return MOST;
    } else if (!text.matches("[0-9]{1,9}")) {
      throw Refusal.bad("_size must be a positive integer");
    } else if (Integer.parseInt(text) > MOST) {
      throw Refusal.bad("_size must be <= " + MOST);
    }
    return Integer.parseInt(text);
  }

  List<Condition> conditions() {
    return conditions;
  }

  String sort() {
    return sort;
  }

  boolean descending() {
    return descending;
  }

  int size() {
    return size;
  }

  private boolean isKeyed() {
    return !table.keys().isEmpty();
  }

  private String from(List<String> conditions) {
    return from("", conditions);
  }

  private String from(String joined, List<String> conditions) {
    return " from "
        + Identifiers.quote(table.name())
        + joined
        + (conditions.isEmpty() ? "" : " where " + String.join(" and ", conditions));
  }

  private String order() {
    List<String> order = new ArrayList<>();
    if (sort != null) {
      order.add(reference(sort) + (descending ? " desc" : ""));
    }
    for (String key : table.keys()) {
      if (!key.equals(sort)) {
        order.add(reference(key));
      }
    }
    return order.isEmpty() ? "" : " order by " + String.join(", ", order);
  }

  /** A statement and its values. */
  record Text(String sql, List<Object> parameters) {}

  /** All rows, without pages. */
  Text all() {
    return new Text("select " + select + from(where) + order(), filterValues);
  }

  /** The rows of one page, and one more that tells whether there is another. */
  Text page() throws Refusal {
    List<String> conditions = new ArrayList<>(where);
    List<Object> parameters = new ArrayList<>(filterValues);
    String next = arguments.get("_next");
    String offset = "";
    if (next != null && !next.isEmpty()) {
      if (isKeyed()) {
        conditions.add(after(next, parameters));
      } else if (next.matches("[0-9]{1,18}")) {
        offset = " offset " + next;
      } else {
        throw wrongNext(next);
      }
    }
    String sql = "select " + select + from(conditions) + order() + " limit " + (size + 1) + offset;
    return new Text(sql, parameters);
  }

  /**
   * The rows with the smallest distance, of those that the filters leave.
   *
   * @param searched the table that has the vectors
   * @param to what is compared with them
   */
  Text nearest(Catalog.Table searched, String to, int most) {
    Catalog.Index index = searched.index();
    String vector = Identifiers.quote(index.embedding());
    String joined = "";
    if (searched != table) {
      joined =
          " join (select "
              + Identifiers.quote(index.id())
              + " as faiss_id, "
              + vector
              + " as faiss_vector from "
              + Identifiers.quote(searched.name())
              + ") on faiss_id = "
              + Identifiers.quote(table.keys().get(0));
      vector = "faiss_vector";
    }
    return new Text(
        "select "
            + select
            + ", l2_distance("
            + vector
            + ", "
            + to
            + ") as distance"
            + from(joined, where)
            + " order by distance limit "
            + most,
        filterValues);
  }

  private static Refusal wrongNext(String next) {
    return Refusal.bad("_next must be what a page gave as \"next\", got '" + next + "'");
  }

  private String after(String next, List<Object> parameters) throws Refusal {
    List<String> parts = Arrays.asList(next.split(",", -1));
    String value = null;
    if (sort != null && !(table.keys().size() == 1 && table.keys().get(0).equals(sort))) {
      value = parts.get(0);
      parts = parts.subList(1, parts.size());
    }
    if (parts.size() != table.keys().size()) {
      throw wrongNext(next);
    }
    List<Object> keys = parts.stream().<Object>map(Address::decode).toList();
    boolean down = value == null && descending;
    if (value == null) {
      return afterKeys(keys, down, parameters);
    }
    String column = reference(sort);
    if (value.equals("$null")) {
      String later = afterKeys(keys, false, parameters);
      return descending
          ? "(" + column + " is null and " + later + ")"
          : "(" + column + " is not null or " + later + ")";
    }
    String decoded = Address.decode(value);
    Object bound =
        decoded.matches("-?[0-9]{1,18}")
            ? (Object) Long.parseLong(decoded)
            : isNumber(decoded) ? (Object) Double.parseDouble(decoded) : decoded;
    if (table.column(sort) != null && !table.column(sort).isNumber()) {
      bound = decoded;
    }
    parameters.add(bound);
    parameters.add(bound);
    String later = afterKeys(keys, false, parameters);
    return "("
        + column
        + (descending ? " < ? or " + column + " is null" : " > ?")
        + " or ("
        + column
        + " = ? and "
        + later
        + "))";
  }

  private static boolean isNumber(String text) {
    return text.matches("-?[0-9]+(\\.[0-9]+)?(e[+-]?[0-9]+)?");
  }

  /** (a > ?) or (a = ? and b > ?) …, since a key's columns have types of their own. */
  private String afterKeys(List<Object> keys, boolean down, List<Object> parameters) {
    List<String> ways = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      List<String> all = new ArrayList<>();
      for (int j = 0; j < i; j++) {
        all.add(reference(table.keys().get(j)) + " = ?");
        parameters.add(keys.get(j));
      }
      all.add(reference(table.keys().get(i)) + (down ? " < ?" : " > ?"));
      parameters.add(keys.get(i));
      ways.add(String.join(" and ", all));
    }
    return "((" + String.join(") or (", ways) + "))";
  }

  /** What {@code _next} is for the page after this one; null if this is the last. */
  String next(Work.Result page) {
    if (!page.truncated() || size == 0) {
      return null;
    }
    Object[] last = page.rows().get(page.rows().size() - 1);
    if (!isKeyed()) {
      long before =
          Long.parseLong(arguments.get("_next", "0").isEmpty() ? "0" : arguments.get("_next", "0"));
      return Long.toString(before + size);
    }
    String key = JsonAnswer.key(page, table.keys(), last);
    if (sort == null || table.keys().size() == 1 && table.keys().get(0).equals(sort)) {
      return key;
    }
    int place = page.column(sort);
    Object value = place < 0 ? null : last[place];
    return (value == null ? "$null" : Address.encode(JsonAnswer.text(value))) + "," + key;
  }

  /** How many rows the filters leave; null if counting takes longer than a second. */
  Long count(Work work) throws SQLException, IOException {
    try {
      Work.Result result = work.run("select count(*)" + from(where), filterValues, 1, COUNTING);
      return ((Number) result.rows().get(0)[0]).longValue();
    } catch (SQLException e) {
      if (Failures.isTimeOut(e)) {
        return null;
      }
      throw e;
    }
  }

  /** The columns that {@code _facet} names. */
  List<Facet> facets(Work work) throws SQLException, IOException, Refusal {
    List<Facet> facets = new ArrayList<>();
    int most = (int) Math.min(MOST, Math.max(1, arguments.number("_facet_size", 30)));
    for (String column : arguments.all("_facet")) {
      known(column);
      String name = reference(column);
      List<String> conditions = new ArrayList<>(where);
      conditions.add(name + " is not null");
      String sql =
          "select "
              + name
              + " as value, count(*) as n"
              + from(conditions)
              + " group by "
              + name
              + " order by n desc, value limit "
              + (most + 1);
      Work.Result result;
      try {
        result = work.run(sql, filterValues, most, COUNTING);
      } catch (SQLException e) {
        if (Failures.isTimeOut(e)) {
          continue;
        }
        throw e;
      }
      List<String> selected = conditionsOn(column).stream().map(Condition::value).toList();
      List<FacetValue> values = new ArrayList<>();
      for (Object[] row : result.rows()) {
        values.add(
            new FacetValue(
                row[0], ((Number) row[1]).longValue(), selected.contains(JsonAnswer.text(row[0]))));
      }
      facets.add(new Facet(column, values, result.truncated()));
    }
    return facets;
  }

  private List<Condition> conditionsOn(String column) {
    return conditions.stream()
        .filter(c -> c.column().equals(column) && c.filter() == Filter.EXACT)
        .toList();
  }

  /** The filters and the sort, for a person: {@code where section = "web" sorted by name}. */
  String description() {
    List<String> all = new ArrayList<>();
    for (Condition condition : conditions) {
      String value =
          condition.value().matches("[0-9]+") ? condition.value() : '"' + condition.value() + '"';
      all.add(
          condition.column()
              + " "
              + condition.filter().words()
              + (condition.filter().takesValue() ? " " + value : ""));
    }
    String filters = "";
    if (all.size() == 1) {
      filters = "where " + all.get(0);
    } else if (!all.isEmpty()) {
      filters =
          "where "
              + String.join(", ", all.subList(0, all.size() - 1))
              + " and "
              + all.get(all.size() - 1);
    }
    String sorted = sort == null ? "" : "sorted by " + sort + (descending ? " descending" : "");
    return (filters + " " + sorted).strip();
  }

  /** The parameters by the names that Datasette gives them: p0, p1, … */
  static Map<String, Object> named(List<Object> parameters) {
    Map<String, Object> named = new LinkedHashMap<>();
    for (int i = 0; i < parameters.size(); i++) {
      named.put("p" + i, parameters.get(i));
    }
    return named;
  }

  /** The statement with its parameters named so. */
  static String withNames(String sql) {
    StringBuilder out = new StringBuilder();
    int n = 0;
    boolean inName = false;
    for (char c : sql.toCharArray()) {
      inName ^= c == '"';
      if (c == '?' && !inName) {
        out.append(":p").append(n++);
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
