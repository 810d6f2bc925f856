/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A condition on a column that an address can carry, as {@code column__name=value}. */
enum Filter {
  EXACT("=", "%s = ?"),
  NOT("≠", "%s != ?"),
  CONTAINS("contains", "%s like ?", "%", "%"),
  NOTCONTAINS("does not contain", "%s not like ?", "%", "%"),
  ENDSWITH("ends with", "%s like ?", "%", ""),
  STARTSWITH("starts with", "%s like ?", "", "%"),
  GT(">", "%s > ?"),
  GTE("≥", "%s >= ?"),
  LT("<", "%s < ?"),
  LTE("≤", "%s <= ?"),
  LIKE("like", "%s like ?"),
  NOTLIKE("not like", "%s not like ?"),
  GLOB("glob", "%s glob ?"),
  IN("in", "%s in (%s)"),
  NOTIN("not in", "%s not in (%s)"),
  ARRAYCONTAINS("array contains", "? in (select value from json_each(%s))"),
  ARRAYNOTCONTAINS("array does not contain", "? not in (select value from json_each(%s))"),
  DATE("date", "date(%s) = ?"),
  ISNULL("is null", "%s is null"),
  NOTNULL("is not null", "%s is not null"),
  ISBLANK("is blank", "(%1$s is null or %1$s = '')"),
  NOTBLANK("is not blank", "(%1$s is not null and %1$s != '')");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String words;
  private final String sql;
  private final String before;
  private final String after;

  Filter(String words, String sql) {
    this(words, sql, "", "");
  }

  Filter(String words, String sql, String before, String after) {
    this.words = words;
    this.sql = sql;
    this.before = before;
    this.after = after;
  }

  /** The filter of a name in an address, or null. */
  static Filter named(String name) {
    for (Filter filter : values()) {
      if (filter.key().equals(name)) {
        return filter;
      }
    }
    return null;
  }

  /** The name in an address. */
  String key() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /** What it asks, for a person. */
  String words() {
    return words;
  }

  boolean takesValue() {
    return sql.contains("?") || sql.contains("(%s)") && !sql.contains("json_each");
  }

  /**
   * The condition's text; its values are added to the parameters.
   *
   * @param column quoted
   * @throws Refusal if a list can't be read
   */
  String condition(String column, String value, List<Object> parameters) throws Refusal {
    switch (this) {
      case IN:
      case NOTIN:
        List<Object> values = list(value);
        parameters.addAll(values);
        String marks = String.join(", ", java.util.Collections.nCopies(values.size(), "?"));
        return String.format(java.util.Locale.ROOT, sql, column, marks);
      case GT:
      case GTE:
      case LT:
      case LTE:
        parameters.add(value.matches("[0-9]{1,18}") ? (Object) Long.parseLong(value) : value);
        break;
      default:
        if (takesValue()) {
          parameters.add(before + value + after);
        }
    }
    return String.format(java.util.Locale.ROOT, sql, column);
  }

  private static List<Object> list(String value) throws Refusal {
    if (!value.startsWith("[")) {
      return new ArrayList<>(Arrays.stream(value.split(",")).map(String::strip).toList());
    }
    try {
      Object[] values = JSON.readValue(value, Object[].class);
      for (Object one : values) {
        if (!(one instanceof String) && !(one instanceof Number)) {
          throw Refusal.bad("in takes a list of texts and numbers, got " + value);
        }
      }
      return List.of(values);
    } catch (JsonProcessingException e) {
      throw Refusal.bad("in takes a JSON array or values with commas, got " + value);
    }
  }
}
