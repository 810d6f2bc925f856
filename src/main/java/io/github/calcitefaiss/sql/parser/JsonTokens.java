/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImplConstants;
import org.apache.calcite.sql.parser.babel.Token;

/**
 * What SQLite's functions do with JSON that other functions of it give, and its aggregates that
 * Calcite lacks.
 *
 * <p>{@code string_agg} is GROUP_CONCAT; {@code json_group_array} and {@code json_group_object} are
 * made of it, their elements joined as JSON, in brackets. DISTINCT, ORDER BY and FILTER stay where
 * they are.
 *
 * <p>SQLite knows JSON from text by where it comes from. Functions are computed call by call here,
 * so {@code json_array(json(x), y)} becomes a call of the function {@code json_array(json(?),?)}.
 */
final class JsonTokens implements SqlBabelParserImplConstants {
  private static final Set<String> JSON =
      Set.of(
          "JSON",
          "JSON_ARRAY",
          "JSON_INSERT",
          "JSON_OBJECT",
          "JSON_PATCH",
          "JSON_QUOTE",
          "JSON_REMOVE",
          "JSON_REPLACE",
          "JSON_SET");

  /** Functions that take JSON for what it is. */
  private static final Set<String> TAKERS =
      Set.of("JSON_ARRAY", "JSON_INSERT", "JSON_OBJECT", "JSON_QUOTE", "JSON_REPLACE", "JSON_SET");

  private final List<Token> in;
  private final List<Token> out;

  /** For each parenthesis that opens the index of that which closes it, or -1. */
  private final int[] partners;

  private JsonTokens(List<Token> in) {
    this.in = in;
    this.out = new ArrayList<>(in.size());
    this.partners = new int[in.size()];
    Deque<Integer> open = new ArrayDeque<>();
    for (int i = 0; i < in.size(); i++) {
      partners[i] = -1;
      if (in.get(i).kind == LPAREN) {
        open.push(i);
      } else if (in.get(i).kind == RPAREN && !open.isEmpty()) {
        partners[open.pop()] = i;
      }
    }
  }

  /** The next token that isn't within parentheses which a token opens. */
  private int next(int at) {
    return Math.max(at, partners[at]) + 1;
  }

  /** Tokens with these aggregates in terms of GROUP_CONCAT. */
  static List<Token> rewrite(List<Token> in) {
    JsonTokens tokens = new JsonTokens(in);
    tokens.rewrite(0, in.size());
    return tokens.out;
  }

  private void rewrite(int from, int to) {
    int at = from;
    while (at < to) {
      Token token = in.get(at);
      boolean call =
          at + 1 < to && in.get(at + 1).kind == LPAREN && (at == 0 || in.get(at - 1).kind != DOT);
      String name = call ? token.image.toUpperCase(Locale.ROOT) : "";
      int end = -1;
      if (name.equals("STRING_AGG")) {
        put(GROUP_CONCAT, "GROUP_CONCAT", token);
        end = at + 1;
      } else if (name.equals("JSON_GROUP_ARRAY") || name.equals("JSON_GROUP_OBJECT")) {
        end = group(at, to, name.equals("JSON_GROUP_OBJECT"));
      }
      if (end < 0 && TAKERS.contains(name)) {
        end = taker(at, to);
      }
      if (end < 0) {
        out.add(token);
        end = at + 1;
      }
      at = end;
    }
  }

  /** Rewrites a call; where it ends, exclusive, or -1 if it can't be rewritten. */
  private int group(int at, int to, boolean object) {
    int open = at + 1;
    int close = closing(open, to);
    if (close < 0) {
      return -1;
    }
    int first = open + 1;
    boolean quantified = in.get(first).kind == DISTINCT || in.get(first).kind == ALL;
    first += quantified ? 1 : 0;
    int last = first;
    int comma = -1;
    while (last < close && in.get(last).kind != ORDER) {
      if (in.get(last).kind == COMMA) {
        if (comma >= 0) {
          return -1;
        }
        comma = last;
      }
      last = next(last);
    }
    boolean complete = object ? comma > first && comma + 1 < last : comma < 0 && last > first;
    int value = object ? comma + 1 : first;
    if (!complete || mayBeJson(value, last)) {
      return -1;
    }
    int end = afterwards(close, to);
    if (end < to && in.get(end).kind == OVER) {
      return -1;
    }
    Token token = in.get(at);
    put(IDENTIFIER, "coalesce", token);
    put(LPAREN, "(", token);
    put(QUOTED_STRING, object ? "'{'" : "'['", token);
    put(CONCAT, "||", token);
    put(GROUP_CONCAT, "GROUP_CONCAT", token);
    put(LPAREN, "(", token);
    if (quantified) {
      out.add(in.get(open + 1));
    }
    if (object) {
      // A key that is NULL has no place in an object.
      put(IDENTIFIER, "nullif", token);
      put(LPAREN, "(", token);
      put(IDENTIFIER, "json_quote", token);
      put(LPAREN, "(", token);
      put(IDENTIFIER, "cast(? as text)", token);
      put(LPAREN, "(", token);
      rewrite(first, comma);
      put(RPAREN, ")", token);
      put(RPAREN, ")", token);
      put(COMMA, ",", token);
      put(QUOTED_STRING, "'null'", token);
      put(RPAREN, ")", token);
      put(CONCAT, "||", token);
      put(QUOTED_STRING, "':'", token);
      put(CONCAT, "||", token);
    }
    element(value, last, token);
    rewrite(last, close);
    out.add(in.get(close));
    rewrite(close + 1, end);
    put(CONCAT, "||", token);
    put(QUOTED_STRING, object ? "'}'" : "']'", token);
    put(COMMA, ",", token);
    put(QUOTED_STRING, object ? "'{}'" : "'[]'", token);
    put(RPAREN, ")", token);
    return end;
  }

  /** An element of an aggregate, as JSON. */
  private void element(int from, int to, Token at) {
    boolean json = isJson(from, to);
    if (json) {
      put(IDENTIFIER, "coalesce", at);
      put(LPAREN, "(", at);
      rewrite(from, to);
      put(COMMA, ",", at);
      put(QUOTED_STRING, "'null'", at);
      put(RPAREN, ")", at);
      return;
    }
    put(IDENTIFIER, isExtract(from, to) ? "json_quote(" + shape(from, to) + ")" : "json_quote", at);
    put(LPAREN, "(", at);
    argument(from, to);
    put(RPAREN, ")", at);
  }

  /** Rewrites a call that takes JSON from another; where it ends, or -1 if it takes none. */
  private int taker(int at, int to) {
    int close = closing(at + 1, to);
    if (close < 0 || close == at + 2) {
      return -1;
    }
    List<Integer> starts = new ArrayList<>(List.of(at + 2));
    boolean takes = false;
    for (int i = at + 2; i < close; i = next(i)) {
      if (in.get(i).kind == COMMA) {
        starts.add(i + 1);
      }
    }
    StringBuilder name = new StringBuilder(in.get(at).image.toLowerCase(Locale.ROOT));
    for (int i = 0; i < starts.size(); i++) {
      int end = i + 1 < starts.size() ? starts.get(i + 1) - 1 : close;
      String shape = shape(starts.get(i), end);
      takes |= !shape.equals("?");
      name.append(i == 0 ? '(' : ',').append(shape);
    }
    if (!takes) {
      return -1;
    }
    put(IDENTIFIER, name.append(')').toString(), in.get(at));
    out.add(in.get(at + 1));
    for (int i = 0; i < starts.size(); i++) {
      int end = i + 1 < starts.size() ? starts.get(i + 1) - 1 : close;
      if (i > 0) {
        out.add(in.get(starts.get(i) - 1));
      }
      argument(starts.get(i), end);
    }
    out.add(in.get(close));
    return close + 1;
  }

  /** What stands for an argument in the name of a function. */
  private String shape(int from, int to) {
    if (isExtract(from, to)) {
      int commas = 0;
      for (int i = from + 2; i < to - 1; i = next(i)) {
        commas += in.get(i).kind == COMMA ? 1 : 0;
      }
      return "json_extract(?" + ",?".repeat(commas) + ")";
    }
    return isJson(from, to) ? "json(?)" : "?";
  }

  /** The arguments that stand for an argument: its own, if it is an extract. */
  private void argument(int from, int to) {
    boolean extract = isExtract(from, to);
    rewrite(extract ? from + 2 : from, extract ? to - 1 : to);
  }

  private boolean isExtract(int from, int to) {
    return isCall(from, to) && in.get(from).image.equalsIgnoreCase("json_extract");
  }

  private boolean isJson(int from, int to) {
    String name = in.get(from).image.toUpperCase(Locale.ROOT);
    boolean aggregate = name.startsWith("JSON_GROUP_");
    return (aggregate || JSON.contains(name)) && isCall(from, to);
  }

  /** Whether only the value tells whether an expression gives JSON, or it can't be seen here. */
  private boolean mayBeJson(int from, int to) {
    int depth = 0;
    for (int i = from; i < to; i++) {
      int kind = in.get(i).kind;
      depth += kind == LPAREN ? 1 : kind == RPAREN ? -1 : 0;
      boolean arrow = depth == 0 && kind == LAMBDA && in.get(i + 1).kind != GT;
      if (arrow || kind == CASE || kind == SELECT) {
        return true;
      }
    }
    String name = in.get(from).image.toUpperCase(Locale.ROOT);
    return in.get(from).kind == LPAREN
        || isCall(from, to) && Set.of("COALESCE", "IFNULL", "IIF").contains(name);
  }

  private boolean isCall(int from, int to) {
    return to - from > 2 && in.get(from + 1).kind == LPAREN && closing(from + 1, to) == to - 1;
  }

  /** Where FILTER ends that may follow a call, exclusive. */
  private int afterwards(int close, int to) {
    int end = close + 1;
    if (end + 1 < to && in.get(end).kind == FILTER && in.get(end + 1).kind == LPAREN) {
      int closed = closing(end + 1, to);
      end = closed < 0 ? end : closed + 1;
    }
    return end;
  }

  /** The index of the parenthesis that closes one, or -1. */
  private int closing(int open, int to) {
    return partners[open] < to ? partners[open] : -1;
  }

  private void put(int kind, String image, Token at) {
    out.add(Tokens.of(kind, image, at));
  }
}
