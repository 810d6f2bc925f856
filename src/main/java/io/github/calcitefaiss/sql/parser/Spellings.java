/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import io.github.calcitefaiss.sql.parser.SqliteText.Kind;
import io.github.calcitefaiss.sql.parser.SqliteText.Token;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What other products have for vectors, in this product's words: pgvector's operators and casts,
 * {@code vector_distance} of Oracle and SQL Server, {@code FETCH EXACT} of Oracle, sqlite-vec's
 * {@code vec_each}, Spark's {@code NEAREST BY}.
 *
 * <p>The text is edited token by token and stays otherwise as it was written; {@link
 * Result#restore} turns a place in the new text, as a message names it, into that of the old one.
 */
public final class Spellings {
  /** The largest k of NEAREST BY, as in Spark 4.2. */
  private static final int MOST_NEAREST = 100_000;

  private static final Map<String, String> OPERATORS =
      Map.of(
          "<->", "l2_distance(",
          "<=>", "cosine_distance(",
          "<#>", "-inner_product(",
          "<+>", "l1_distance(");

  private static final Map<String, String> METRICS =
      Map.ofEntries(
          Map.entry("cosine", "cosine_distance("),
          Map.entry("dot", "-inner_product("),
          Map.entry("euclidean", "l2_distance("),
          Map.entry("l2", "l2_distance("),
          Map.entry("euclidean_squared", "l2_squared_distance("),
          Map.entry("l2_squared", "l2_squared_distance("),
          Map.entry("manhattan", "l1_distance("),
          Map.entry("l1", "l1_distance("));

  private static final Set<String> NEGATIVE =
      Set.of(
          "array_negative_inner_product", "array_negative_dot_product", "negative_inner_product");

  private static final Set<String> VECTOR_TYPES = Set.of("vector", "halfvec");

  private static final Set<String> ENDS =
      Set.of(
          "where",
          "group",
          "having",
          "window",
          "order",
          "limit",
          "offset",
          "fetch",
          "union",
          "intersect",
          "except",
          "join",
          "inner",
          "left",
          "right",
          "full",
          "cross",
          "natural");

  private static final Set<String> TRIGGERS = triggers();

  private static final Pattern PLACE = Pattern.compile("\\(line (\\d+), column (\\d+)\\)");

  private final SqliteText text;
  private final List<Token> tokens;
  private final List<Edit> edits = new ArrayList<>();

  /** A piece of the text between two places, and what stands there instead. */
  private record Edit(int start, int end, String text, boolean closes) {}

  /**
   * A statement in this product's words.
   *
   * @param text the statement
   * @param original the statement as it was written
   * @param places for each character, where it or what it stands for was
   */
  public record Result(SqliteText text, String original, int[] places) {
    /** A message about the statement, with places as they were written. */
    public String restore(String message) {
      if (places == null || message == null) {
        return message;
      }
      Matcher place = PLACE.matcher(message);
      StringBuilder out = new StringBuilder();
      while (place.find()) {
        int at =
            offset(text.sql(), Integer.parseInt(place.group(1)), Integer.parseInt(place.group(2)));
        int was = at >= places.length ? original.length() : places[at];
        int line = (int) original.substring(0, was).chars().filter(c -> c == '\n').count() + 1;
        int column = was - original.lastIndexOf('\n', was - 1);
        place.appendReplacement(out, "(line " + line + ", column " + column + ")");
      }
      return place.appendTail(out).toString();
    }

    private static int offset(String sql, int line, int column) {
      int start = 0;
      for (int i = 1; i < line; i++) {
        start = sql.indexOf('\n', start) + 1;
      }
      return Math.min(sql.length(), start + column - 1);
    }
  }

  private Spellings(SqliteText text) {
    this.text = text;
    this.tokens = text.tokens();
  }

  private static Set<String> triggers() {
    Set<String> words = new java.util.TreeSet<>(OPERATORS.keySet());
    words.addAll(NEGATIVE);
    words.addAll(List.of("::", "vector_distance", "fetch", "vec_each", "nearest"));
    return words;
  }

  /**
   * Rewrites a statement.
   *
   * @param casts whether {@code x::type} of other types than vectors becomes a CAST, too
   * @throws NotNearest if NEAREST BY is written in a way that means nothing
   */
  public static Result rewrite(SqliteText text, boolean casts) {
    if (TRIGGERS.stream().noneMatch(text.words()::contains)) {
      return new Result(text, text.sql(), null);
    }
    Spellings spellings = new Spellings(text);
    spellings.operators(casts);
    spellings.functions();
    spellings.fetch();
    Result words = spellings.result();
    if (!text.words().contains("nearest")) {
      return words;
    }
    Result current = words;
    // Each in the text that the one before has left: an expression may be copied.
    for (int i = 0; i < text.tokens().size(); i++) {
      Spellings next = new Spellings(current.text());
      if (!next.nearest()) {
        break;
      }
      Result changed = next.result();
      int[] places = changed.places();
      if (places == null) {
        break;
      }
      for (int p = 0; p < places.length; p++) {
        int before = places[p];
        places[p] =
            current.places() == null
                ? before
                : before < current.places().length ? current.places()[before] : text.sql().length();
      }
      current = new Result(changed.text(), text.sql(), places);
    }
    return current;
  }

  /** NEAREST BY with a number of rows that isn't one. */
  public static final class NotNearest extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private NotNearest(String message) {
      super(message);
    }
  }

  private void operators(boolean casts) {
    for (int i = 1; i + 1 < tokens.size(); i++) {
      Token token = tokens.get(i);
      String function = token.kind() == Kind.OPERATOR ? OPERATORS.get(token.text()) : null;
      if (function != null) {
        int left = leftOperand(i - 1);
        int right = rightOperand(i + 1);
        if (left >= 0 && right > 0) {
          boolean negative = function.startsWith("-");
          opens(tokens.get(left).start(), negative ? "(" + function : function);
          replace(token.start(), token.end(), ",");
          closes(tokens.get(right - 1).end(), negative ? "))" : ")");
        }
      } else if (token.isOperator("::")) {
        int end = typeEnd(i + 1);
        int left = leftOperand(i - 1);
        if (end < 0 || left < 0) {
          continue;
        }
        String type = tokens.get(i + 1).text().toLowerCase(Locale.ROOT);
        boolean array =
            tokens.get(i - 1).text().startsWith("[")
                || end < tokens.size()
                    && (tokens.get(end).is("array") || tokens.get(end).text().startsWith("["));
        if (VECTOR_TYPES.contains(type)) {
          replace(token.start(), tokens.get(end - 1).end(), "");
        } else if (casts && !array) {
          opens(tokens.get(left).start(), "CAST(");
          replace(token.start(), token.end(), " AS ");
          closes(tokens.get(end - 1).end(), ")");
        }
      }
    }
  }

  /** The end of a type's name with its length, or -1. */
  private int typeEnd(int i) {
    if (i >= tokens.size() || tokens.get(i).kind() != Kind.WORD) {
      return -1;
    }
    return i + 3 < tokens.size()
            && tokens.get(i + 1).isOperator("(")
            && tokens.get(i + 2).kind() == Kind.NUMBER
            && tokens.get(i + 3).isOperator(")")
        ? i + 4
        : i + 1;
  }

  /** Where an operand begins that ends with a token, or -1. */
  private int leftOperand(int last) {
    int i = last;
    if (tokens.get(i).isOperator(")")) {
      int open = 0;
      while (i >= 0) {
        open += tokens.get(i).isOperator(")") ? 1 : tokens.get(i).isOperator("(") ? -1 : 0;
        if (open == 0) {
          break;
        }
        i--;
      }
      if (i < 0) {
        return -1;
      }
      if (i > 1 && tokens.get(i - 1).kind() == Kind.WORD && tokens.get(i - 2).isOperator("::")) {
        return leftOperand(i - 3);
      }
      return i > 0 && isFunction(i - 1) ? i - 1 : i;
    }
    if (!isOperand(i)) {
      return -1;
    }
    if (i > 1 && tokens.get(i - 1).isOperator("::")) {
      return leftOperand(i - 2);
    }
    while (i > 1 && tokens.get(i - 1).isOperator(".") && isOperand(i - 2)) {
      i -= 2;
    }
    return i;
  }

  /** Where an operand ends that begins with a token, exclusive, or -1. */
  private int rightOperand(int first) {
    int i = first;
    if (tokens.get(i).isOperator("(")) {
      i = closing(i);
    } else if (isOperand(i)) {
      while (i + 2 < tokens.size() && tokens.get(i + 1).isOperator(".") && isOperand(i + 2)) {
        i += 2;
      }
      if (i + 1 < tokens.size() && tokens.get(i + 1).isOperator("(") && isFunction(i)) {
        i = closing(i + 1);
      }
    } else {
      return -1;
    }
    if (i < 0) {
      return -1;
    }
    i++;
    while (i + 1 < tokens.size() && tokens.get(i).isOperator("::")) {
      i = typeEnd(i + 1);
      if (i < 0) {
        return -1;
      }
    }
    return i;
  }

  private boolean isOperand(int i) {
    return tokens.get(i).kind() != Kind.OPERATOR;
  }

  private boolean isFunction(int i) {
    Token token = tokens.get(i);
    return token.kind() == Kind.WORD
        && !ENDS.contains(token.text().toLowerCase(Locale.ROOT))
        && !Set.of("in", "and", "or", "not", "on", "by", "select", "when", "then", "else", "as")
            .contains(token.text().toLowerCase(Locale.ROOT));
  }

  private int closing(int open) {
    int depth = 0;
    for (int i = open; i < tokens.size(); i++) {
      depth += tokens.get(i).isOperator("(") ? 1 : tokens.get(i).isOperator(")") ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    return -1;
  }

  private void functions() {
    for (int i = 0; i + 2 < tokens.size(); i++) {
      if (tokens.get(i).kind() != Kind.WORD || !tokens.get(i + 1).isOperator("(")) {
        continue;
      }
      int close = closing(i + 1);
      if (close < 0) {
        return;
      }
      Token name = tokens.get(i);
      if (NEGATIVE.contains(name.text().toLowerCase(Locale.ROOT))) {
        replace(name.start(), name.end(), "(-inner_product");
        closes(tokens.get(close).end(), ")");
      } else if (name.is("vector_distance")) {
        distance(i, close);
      } else if (name.is("vec_each")) {
        replace(name.start(), tokens.get(i + 1).end(), "json_each(vec_to_json(");
        closes(tokens.get(close).end(), ")");
      }
    }
  }

  /** {@code vector_distance(a, b[, METRIC])} and {@code vector_distance('metric', a, b)}. */
  private void distance(int name, int close) {
    List<Integer> commas = new ArrayList<>();
    int depth = 0;
    for (int i = name + 1; i < close; i++) {
      depth += tokens.get(i).isOperator("(") ? 1 : tokens.get(i).isOperator(")") ? -1 : 0;
      if (depth == 1 && tokens.get(i).isOperator(",")) {
        commas.add(i);
      }
    }
    String metric = "cosine";
    Token last = tokens.get(close);
    if (commas.size() == 2) {
      Token first = tokens.get(name + 2);
      if (first.kind() == Kind.STRING && commas.get(0) == name + 3) {
        metric = first.text().substring(1, first.text().length() - 1);
        replace(first.start(), tokens.get(commas.get(0)).end(), "");
      } else if (commas.get(1) == close - 2) {
        metric = tokens.get(close - 1).name();
        replace(tokens.get(commas.get(1)).start(), last.start(), "");
      } else {
        return;
      }
    }
    String function = METRICS.get(metric.toLowerCase(Locale.ROOT));
    if (function == null || commas.isEmpty()) {
      return;
    }
    boolean negative = function.startsWith("-");
    replace(
        tokens.get(name).start(), tokens.get(name + 1).end(), negative ? "(" + function : function);
    if (negative) {
      closes(last.end(), ")");
    }
  }

  /** {@code [OFFSET n ROWS] FETCH [EXACT|APPROX] FIRST k ROWS ONLY} as LIMIT and OFFSET. */
  private void fetch() {
    for (int i = 0; i < tokens.size(); i++) {
      if (!tokens.get(i).is("fetch")) {
        continue;
      }
      int at = i + 1;
      if (is(at, "exact") || is(at, "approx") || is(at, "approximate")) {
        at++;
      }
      if (!is(at, "first") && !is(at, "next")) {
        continue;
      }
      at++;
      String count = "1";
      if (!is(at, "row") && !is(at, "rows")) {
        int end = rightOperand(at);
        if (end < 0) {
          continue;
        }
        count = text.sql().substring(tokens.get(at).start(), tokens.get(end - 1).end());
        at = end;
      }
      if (!is(at, "row") && !is(at, "rows") || !is(at + 1, "only")) {
        continue;
      }
      int end = at + 2;
      if (is(end, "with") && is(end + 1, "target")) {
        end += 2;
        end += is(end, "accuracy") ? 1 : 0;
        end = end < tokens.size() && tokens.get(end).isOperator("(") ? closing(end) + 1 : end + 1;
        end = Math.min(end, tokens.size());
      }
      int start = i;
      String offset = "";
      if (i > 2 && (is(i - 1, "rows") || is(i - 1, "row"))) {
        int left = leftOperand(i - 2);
        if (left > 0 && is(left - 1, "offset")) {
          offset =
              " OFFSET " + text.sql().substring(tokens.get(left).start(), tokens.get(i - 2).end());
          start = left - 1;
        }
      }
      replace(tokens.get(start).start(), tokens.get(end - 1).end(), "LIMIT " + count + offset);
    }
  }

  private boolean is(int i, String word) {
    return i < tokens.size() && tokens.get(i).is(word);
  }

  /** The first {@code JOIN r EXACT NEAREST k BY DISTANCE e} as a lateral join; whether there is. */
  private boolean nearest() {
    for (int i = 2; i + 3 < tokens.size(); i++) {
      if (!is(i, "nearest") || !is(i - 1, "exact") && !is(i - 1, "approx")) {
        continue;
      }
      int by = i + 1;
      String count = "1";
      if (!is(by, "by")) {
        count = tokens.get(by).text();
        by++;
        boolean whole = count.matches("\\d{1,6}");
        if (!whole || Integer.parseInt(count) < 1 || Integer.parseInt(count) > MOST_NEAREST) {
          throw new NotNearest(
              "NEAREST: expected a number of rows from 1 to " + MOST_NEAREST + ", got " + count);
        }
      }
      boolean similarity = is(by + 1, "similarity");
      if (!is(by, "by") || !similarity && !is(by + 1, "distance")) {
        throw new NotNearest("NEAREST: expected BY DISTANCE or BY SIMILARITY, then an expression");
      }
      int join = i - 2;
      int depth = 0;
      while (join >= 0 && !(depth == 0 && is(join, "join"))) {
        depth += tokens.get(join).isOperator(")") ? 1 : tokens.get(join).isOperator("(") ? -1 : 0;
        if (depth < 0) {
          return false;
        }
        join--;
      }
      int end = expressionEnd(by + 2);
      if (join < 0 || end == by + 2) {
        return false;
      }
      String source = text.sql().substring(tokens.get(join + 1).start(), tokens.get(i - 2).end());
      String expression =
          text.sql().substring(tokens.get(by + 2).start(), tokens.get(end - 1).end());
      String alias = text.sql().substring(tokens.get(i - 2).start(), tokens.get(i - 2).end());
      replace(
          tokens.get(join).end(),
          tokens.get(end - 1).end(),
          " LATERAL (SELECT * FROM "
              + source
              + " WHERE "
              + expression
              + " IS NOT NULL ORDER BY "
              + expression
              + (similarity ? " DESC" : "")
              + " LIMIT "
              + count
              + ") AS "
              + alias
              + " ON TRUE");
      return true;
    }
    return false;
  }

  private int expressionEnd(int start) {
    int depth = 0;
    for (int i = start; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      if (token.isOperator("(")) {
        depth++;
      } else if (token.isOperator(")")) {
        depth--;
      }
      boolean ends =
          token.isOperator(",")
              || token.isOperator(";")
              || token.kind() == Kind.WORD && ENDS.contains(token.text().toLowerCase(Locale.ROOT));
      if (depth < 0 || depth == 0 && ends) {
        return i;
      }
    }
    return tokens.size();
  }

  private void opens(int at, String put) {
    edits.add(new Edit(at, at, put, false));
  }

  private void closes(int at, String put) {
    edits.add(new Edit(at, at, put, true));
  }

  private void replace(int start, int end, String put) {
    edits.add(new Edit(start, end, put, false));
  }

  /** The text with all edits made. */
  private Result result() {
    if (edits.isEmpty()) {
      return new Result(text, text.sql(), null);
    }
    Map<Edit, Integer> number = new HashMap<>();
    for (int i = 0; i < edits.size(); i++) {
      number.put(edits.get(i), i);
    }
    List<Edit> sorted = new ArrayList<>(edits);
    sorted.sort(
        (a, b) -> {
          if (a.start() != b.start()) {
            return Integer.compare(a.start(), b.start());
          }
          if (a.closes() != b.closes()) {
            return a.closes() ? -1 : 1;
          }
          boolean insertions = a.start() == a.end() && b.start() == b.end();
          if (!insertions) {
            // What is put before a piece comes before what replaces it.
            return Integer.compare(a.end(), b.end());
          }
          // What encloses was found last; what is enclosed is closed first.
          return a.closes()
              ? Integer.compare(number.get(a), number.get(b))
              : Integer.compare(number.get(b), number.get(a));
        });
    StringBuilder out = new StringBuilder();
    List<Integer> places = new ArrayList<>();
    int at = 0;
    for (Edit edit : sorted) {
      for (; at < edit.start(); at++) {
        out.append(text.sql().charAt(at));
        places.add(at);
      }
      for (int i = 0; i < edit.text().length(); i++) {
        places.add(edit.start());
      }
      out.append(edit.text());
      at = Math.max(at, edit.end());
    }
    for (; at < text.sql().length(); at++) {
      out.append(text.sql().charAt(at));
      places.add(at);
    }
    return new Result(
        new SqliteText(out.toString()),
        text.sql(),
        places.stream().mapToInt(Integer::intValue).toArray());
  }
}
