/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What stands after the question mark of an address, in its order; a name may come twice. */
final class Arguments {
  private static final Set<String> TRUE = Set.of("on", "true", "1");

  record Argument(String name, String value) {}

  private final List<Argument> list;

  private Arguments(List<Argument> list) {
    this.list = list;
  }

  /** Reads the text after the question mark; null for none. */
  static Arguments of(String query) {
    List<Argument> list = new ArrayList<>();
    if (query != null) {
      for (String pair : query.split("&")) {
        if (!pair.isEmpty()) {
          int equals = pair.indexOf('=');
          String name = equals < 0 ? pair : pair.substring(0, equals);
          String value = equals < 0 ? "" : pair.substring(equals + 1);
          list.add(new Argument(Address.unargument(name), Address.unargument(value)));
        }
      }
    }
    return new Arguments(list);
  }

  List<Argument> list() {
    return list;
  }

  /** The first value of a name, or null. */
  String get(String name) {
    for (Argument argument : list) {
      if (argument.name().equals(name)) {
        return argument.value();
      }
    }
    return null;
  }

  String get(String name, String otherwise) {
    String value = get(name);
    return value == null ? otherwise : value;
  }

  boolean has(String name) {
    return get(name) != null;
  }

  List<String> all(String name) {
    return list.stream().filter(a -> a.name().equals(name)).map(Argument::value).toList();
  }

  /** Whether it says on, true or 1. */
  boolean isOn(String name) {
    return TRUE.contains(get(name, ""));
  }

  /** A whole number, or the default where none is given. */
  long number(String name, long otherwise) throws Refusal {
    String text = get(name);
    if (text == null || text.isEmpty()) {
      return otherwise;
    }
    if (!text.matches("[0-9]{1,18}")) {
      throw Refusal.bad(name + " must be a whole number, got '" + text + "'");
    }
    return Long.parseLong(text);
  }

  /** These, without a name and with a value for it; a null value only takes it away. */
  Arguments with(String name, String value) {
    List<Argument> changed = new ArrayList<>(list);
    changed.removeIf(argument -> argument.name().equals(name));
    if (value != null) {
      changed.add(new Argument(name, value));
    }
    return new Arguments(changed);
  }

  /** These and one more. */
  Arguments and(String name, String value) {
    List<Argument> changed = new ArrayList<>(list);
    changed.add(new Argument(name, value));
    return new Arguments(changed);
  }

  /** These without one pair. */
  Arguments without(String name, String value) {
    List<Argument> changed = new ArrayList<>(list);
    changed.remove(new Argument(name, value));
    return new Arguments(changed);
  }

  /** As it stands in an address, with its question mark; "" for none. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    for (Argument argument : list) {
      out.append(out.isEmpty() ? '?' : '&');
      out.append(Address.argument(argument.name())).append('=');
      out.append(Address.argument(argument.value()));
    }
    return out.toString();
  }
}
