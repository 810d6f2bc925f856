/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.parser.SqliteText;
import io.github.calcitefaiss.sql.search.FaissFunctions;
import java.sql.Types;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.calcite.avatica.AvaticaParameter;

/**
 * What a parameter is announced as where planning gives it no type: by the argument of this
 * product's function that it is, or by what stands before it.
 *
 * <p>What is announced is advice for tools and remote clients; what is set may be of any type.
 */
final class ParameterTypes {
  private static final Set<String> COUNTS = Set.of("k", "count", "skip", "start", "end");
  private static final Set<String> TEXTS =
      Set.of("database", "table", "json", "path", "model", "text");
  private static final Set<String> DISTANCES = Set.of("<->", "<=>", "<#>", "<+>");
  private static final Map<Integer, String> CLASSES =
      Map.of(
          Types.BIGINT, Long.class.getName(),
          Types.VARCHAR, String.class.getName(),
          Types.VARBINARY, byte[].class.getName());

  private ParameterTypes() {}

  private static final class Call {
    private final String function;
    private int argument;

    private Call(String function) {
      this.function = function;
    }
  }

  /** The parameters of a statement, those without a type with what its text says of them. */
  static List<AvaticaParameter> known(List<AvaticaParameter> parameters, SqliteText text) {
    if (parameters.stream().noneMatch(p -> isAny(p.parameterType))) {
      return parameters;
    }
    List<AvaticaParameter> known = new ArrayList<>(parameters);
    Deque<Call> calls = new ArrayDeque<>();
    SqliteText.Token before = new SqliteText.Token(SqliteText.Kind.OPERATOR, 0, 0, "");
    int index = 0;
    for (SqliteText.Token token : text.tokens()) {
      if (token.isOperator("(")) {
        calls.push(
            new Call(
                before.kind() == SqliteText.Kind.WORD
                    ? before.text().toLowerCase(Locale.ROOT)
                    : ""));
      } else if (token.isOperator(")")) {
        calls.poll();
      } else if (token.isOperator(",") && !calls.isEmpty()) {
        calls.peek().argument++;
      } else if (token.kind() == SqliteText.Kind.PARAMETER) {
        if (!token.text().equals("?") || index == known.size()) {
          // Numbered and named ones may stand anywhere, and several times.
          return parameters;
        }
        AvaticaParameter parameter = known.get(index);
        int type = type(before, calls.peek());
        if (isAny(parameter.parameterType) && type != Types.OTHER) {
          known.set(index, of(parameter, type));
        }
        index++;
      }
      before = token;
    }
    return known;
  }

  /** A parameter announced as of a type. */
  private static AvaticaParameter of(AvaticaParameter parameter, int type) {
    return new AvaticaParameter(
        true, 0, 0, type, JdbcType.of(type).name(), CLASSES.get(type), parameter.name);
  }

  private static boolean isAny(int type) {
    return type == Types.OTHER || type == Types.JAVA_OBJECT || type == Types.NULL;
  }

  private static int type(SqliteText.Token before, Call call) {
    if (before.is("limit") || before.is("offset")) {
      return Types.BIGINT;
    }
    if (DISTANCES.contains(before.text())) {
      return Types.VARBINARY;
    }
    boolean whole = before.isOperator("(") || before.isOperator(",");
    String name =
        whole && call != null ? FaissFunctions.parameter(call.function, call.argument) : null;
    if (name == null) {
      return Types.OTHER;
    }
    return COUNTS.contains(name)
        ? Types.BIGINT
        : TEXTS.contains(name)
            ? Types.VARCHAR
            : name.equals("id") || name.equals("value") ? Types.OTHER : Types.VARBINARY;
  }
}
