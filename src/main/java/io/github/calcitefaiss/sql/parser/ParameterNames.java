/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlWriter;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.parser.babel.Token;

/**
 * Numbers the parameters of a statement as SQLite does: one number for all that share a name.
 *
 * <p>A number is the parameter's JDBC index less one; there are no gaps.
 */
public final class ParameterNames {
  /** The highest number that SQLite takes. */
  private static final int MAX = 32766;

  /** By the place among the statement's markers, the number. */
  private final List<Integer> numbers = new ArrayList<>();

  private final List<Token> markers;
  private final Map<String, Integer> numbersByName = new HashMap<>();
  private final List<String> names = new ArrayList<>();

  /**
   * Numbers the parameters of a statement.
   *
   * @param markers {@code ?}, {@code ?1}, {@code :id}, in the order of the text
   * @throws SqlParseException for {@code ?0}, and for {@code ?3} in a statement without {@code ?2}
   */
  ParameterNames(List<Token> markers) throws SqlParseException {
    this.markers = markers;
    BitSet used = new BitSet();
    Token highest = null;
    for (Token marker : markers) {
      int number = number(marker);
      if (used.length() <= number) {
        highest = marker;
      }
      used.set(number);
      numbers.add(number);
    }
    int missing = used.nextClearBit(0);
    if (missing < used.length()) {
      throw refused(highest, "there is no ?" + (missing + 1) + ", and numbers have no gaps");
    }
  }

  /** Names by number; null for a parameter without one. */
  List<String> names() {
    return Collections.unmodifiableList(names);
  }

  /** The parameter that a marker stands for, given one numbered by its place. */
  SqlDynamicParam renumber(SqlDynamicParam param) {
    int place = param.getIndex();
    if (param instanceof Parameter || place >= numbers.size()) {
      return param;
    }
    int number = numbers.get(place);
    String marker = markers.get(place).image;
    return marker.equals("?") && number == place
        ? param
        : new Parameter(
            number, marker.equals("?") ? "?" + (number + 1) : marker, param.getParserPosition());
  }

  private int number(Token marker) throws SqlParseException {
    if (marker.image.startsWith(":")) {
      return numbersByName.computeIfAbsent(marker.image, image -> add(image.substring(1)));
    }
    if (marker.image.equals("?")) {
      return add(null);
    }
    String digits = marker.image.substring(1);
    int number = digits.length() > 5 ? 0 : Integer.parseInt(digits);
    if (number < 1 || number > MAX) {
      throw refused(marker, "a number is from 1 to " + MAX);
    }
    while (names.size() < number) {
      add(null);
    }
    return number - 1;
  }

  private int add(String name) {
    names.add(name);
    return names.size() - 1;
  }

  private static SqlParseException refused(Token marker, String reason) {
    SqlParserPos position =
        new SqlParserPos(marker.beginLine, marker.beginColumn, marker.endLine, marker.endColumn);
    return new SqlParseException(
        "parameter " + marker.image + ": " + reason, position, null, null, null);
  }

  /**
   * A parameter whose number is not its place in the text.
   *
   * <p>Equal to all others of its number: the validator counts parameters that differ, yet types
   * each node on its own.
   */
  private static final class Parameter extends SqlDynamicParam {
    private final String marker;

    Parameter(int number, String marker, SqlParserPos position) {
      super(number, position);
      this.marker = marker;
    }

    @Override
    public SqlNode clone(SqlParserPos position) {
      return new Parameter(getIndex(), marker, position);
    }

    @Override
    public void unparse(SqlWriter writer, int leftPrec, int rightPrec) {
      writer.print(marker);
      writer.setNeedWhitespace(true);
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof Parameter that && that.getIndex() == getIndex();
    }

    @Override
    public int hashCode() {
      return getIndex();
    }
  }
}
