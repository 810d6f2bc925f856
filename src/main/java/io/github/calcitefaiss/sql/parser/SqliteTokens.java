/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImplConstants;
import org.apache.calcite.sql.parser.babel.Token;

/**
 * What SQLite's grammar has and Calcite's lacks, in tokens that Calcite's has: {@code ->}, {@code
 * ->>}, GLOB, {@code & | << >> ~}, COLLATE, ISNULL, NOTNULL, NOT NULL, {@code IN ()}, {@code 0x1F},
 * {@code LIMIT -1}, and the schema {@code main}.
 *
 * <p>An operator becomes a call of the function that has its name, with question marks for its
 * operands, which reach as far as SQLite's operators bind. Where Calcite's bind otherwise ({@code 2
 * * 3 || 4}, {@code a = b < c}), parentheses say what SQLite means.
 */
final class SqliteTokens implements SqlBabelParserImplConstants {
  /** How tightly operators bind in SQLite; more is tighter. */
  private static final int EQUAL = 1;

  private static final int COMPARE = 2;
  private static final int BITS = 3;
  private static final int SUM = 4;
  private static final int PRODUCT = 5;
  private static final int JOINED = 6;
  private static final int SIGN = 7;

  private static final Map<Integer, Integer> BINDING =
      Map.ofEntries(
          Map.entry(EQ, EQUAL),
          Map.entry(NE, EQUAL),
          Map.entry(NE2, EQUAL),
          Map.entry(IS, EQUAL),
          Map.entry(LIKE, EQUAL),
          Map.entry(BETWEEN, EQUAL),
          Map.entry(IN, EQUAL),
          Map.entry(LT, COMPARE),
          Map.entry(GT, COMPARE),
          Map.entry(LE, COMPARE),
          Map.entry(GE, COMPARE),
          Map.entry(AMPERSAND, BITS),
          Map.entry(VERTICAL_BAR, BITS),
          Map.entry(LEFTSHIFT, BITS),
          Map.entry(PLUS, SUM),
          Map.entry(MINUS, SUM),
          Map.entry(STAR, PRODUCT),
          Map.entry(SLASH, PRODUCT),
          Map.entry(PERCENT_REMAINDER, PRODUCT),
          Map.entry(CONCAT, JOINED),
          Map.entry(LAMBDA, JOINED));

  /** Words after which an operand begins, though they can be names, too. */
  private static final Set<Integer> NO_FUNCTION =
      Set.of(
          ALL, AND, AS, BETWEEN, BY, CASE, DISTINCT, ELSE, EXISTS, FROM, HAVING, IN, IS, LIKE,
          LIMIT, NOT, OFFSET, ON, OR, SELECT, THEN, UNION, VALUES, WHEN, WHERE);

  private static final Set<Integer> CONSTANTS = Set.of(NULL, TRUE, FALSE, END);

  /** Operators that LIKE, IN and BETWEEN bind no tighter than, as they do in Calcite. */
  private static final Set<Integer> COMPARISONS =
      Set.of(EQ, NE, NE2, IS, LT, LE, GT, GE, LIKE, IN, BETWEEN);

  private static final Set<Integer> AFTER_LIMIT = Set.of(EOF, RPAREN, OFFSET, SEMICOLON);

  private final List<Token> in;
  private final List<Token> out;
  private int at;

  private SqliteTokens(List<Token> in) {
    this.in = in;
    this.out = new ArrayList<>(in.size());
  }

  /** Tokens, the last of which is EOF, with what Calcite's grammar lacks rewritten. */
  static List<Token> rewrite(List<Token> in) {
    SqliteTokens tokens = new SqliteTokens(SqliteNames.rewrite(in));
    while (tokens.at < in.size()) {
      tokens.rewrite(tokens.in.get(tokens.at));
    }
    return tokens.out;
  }

  private void rewrite(Token token) {
    boolean after = endsOperand(last());
    boolean done = false;
    switch (token.kind) {
      case IDENTIFIER:
        String word = token.image.toUpperCase(java.util.Locale.ROOT);
        if (word.matches("0X[0-9A-F]{1,16}")) {
          number(token, Long.parseUnsignedLong(word.substring(2), 16));
          done = true;
        } else if (after && (word.equals("ISNULL") || word.equals("NOTNULL"))) {
          isNull(token, word.equals("NOTNULL"));
          done = true;
        } else if (after && word.equals("GLOB")) {
          done = binary("? GLOB ?", EQUAL, 1, false);
        } else if (word.equals("MAIN") && next(1).kind == DOT && isSchema()) {
          at += 2;
          done = true;
        }
        break;
      case NOT:
        if (after && next(1).kind == NULL && last().kind != IS) {
          isNull(token, true);
          at++;
          done = true;
        } else if (after
            && (next(1).kind == LIKE || next(1).kind == IN || next(1).kind == BETWEEN)) {
          compared();
        } else if (after && next(1).image.equalsIgnoreCase("GLOB")) {
          at++;
          done = binary("? GLOB ?", EQUAL, 1, true);
          at -= done ? 0 : 1;
        }
        break;
      case IN:
        if (next(1).kind == LPAREN && next(2).kind == RPAREN) {
          empty(token);
          done = true;
        } else if (after) {
          compared();
        }
        break;
      case LIMIT:
        if (next(1).kind == MINUS
            && next(2).kind == UNSIGNED_INTEGER_LITERAL
            && AFTER_LIMIT.contains(next(3).kind)) {
          at += 3;
          done = true;
        }
        break;
      case LAMBDA:
        boolean asText = next(1).kind == GT && adjoins(token, next(1));
        done = after && binary(asText ? "? ->> ?" : "? -> ?", JOINED, asText ? 2 : 1, false);
        break;
      case AMPERSAND:
        done = after && binary("? & ?", BITS, 1, false);
        break;
      case VERTICAL_BAR:
        done = after && binary("? | ?", BITS, 1, false);
        break;
      case LEFTSHIFT:
        done = after && binary("? << ?", BITS, 1, false);
        break;
      case GT:
        if (next(1).kind == GT && adjoins(token, next(1))) {
          done = after && binary("? >> ?", BITS, 2, false);
        } else {
          done = after && wrapped(COMPARE, 1);
        }
        break;
      case TILDE:
        done = !after && inverted();
        break;
      case COLLATE:
        done = after && collated();
        break;
      case CONCAT:
        done = after && wrapped(JOINED, 1);
        break;
      case LT:
      case LE:
      case GE:
        done = after && wrapped(COMPARE, 1);
        break;
      case IS:
        done = after && constantOperand(next(1).kind == NOT ? 2 : 1);
        break;
      case LIKE:
      case BETWEEN:
        if (after) {
          compared();
        }
        break;
      case WHERE:
        if (!isAfterFrom(true) && !out.isEmpty() && last().kind != LPAREN) {
          oneRow(token);
        }
        break;
      default:
        break;
    }
    if (!done) {
      out.add(token);
      at++;
    }
  }

  private static boolean endsOperand(Token token) {
    return FaissTokenManager.endsOperand(token) || token != null && CONSTANTS.contains(token.kind);
  }

  private Token last() {
    return out.isEmpty() ? null : out.get(out.size() - 1);
  }

  private Token next(int ahead) {
    return in.get(Math.min(in.size() - 1, at + ahead));
  }

  private void number(Token token, long value) {
    // The smallest has no literal of its own.
    String image = value == Long.MIN_VALUE ? "9223372036854775807" : Long.toString(Math.abs(value));
    if (value < 0) {
      put(LPAREN, "(", token);
      put(MINUS, "-", token);
    }
    put(UNSIGNED_INTEGER_LITERAL, image, token);
    if (value == Long.MIN_VALUE) {
      put(MINUS, "-", token);
      put(UNSIGNED_INTEGER_LITERAL, "1", token);
    }
    if (value < 0) {
      put(RPAREN, ")", token);
    }
    at++;
  }

  private void isNull(Token token, boolean not) {
    put(IS, "IS", token);
    if (not) {
      put(NOT, "NOT", token);
    }
    put(NULL, "NULL", token);
    at++;
  }

  /** {@code IN ()} is false, whatever stands before it. */
  private void empty(Token token) {
    put(IN, "IN", token);
    put(LPAREN, "(", token);
    put(SELECT, "SELECT", token);
    put(NULL, "NULL", token);
    put(FROM, "FROM", token);
    put(LPAREN, "(", token);
    put(VALUES, "VALUES", token);
    put(LPAREN, "(", token);
    put(UNSIGNED_INTEGER_LITERAL, "0", token);
    put(RPAREN, ")", token);
    put(RPAREN, ")", token);
    put(WHERE, "WHERE", token);
    put(FALSE, "FALSE", token);
    put(RPAREN, ")", token);
    at += 3;
  }

  /** Whether {@code main.} qualifies a table, or a column with its table. */
  private boolean isSchema() {
    Token before = last();
    boolean table =
        before != null && (before.kind == FROM || before.kind == JOIN)
            || before != null && before.kind == COMMA && next(3).kind != DOT && isAfterFrom(false);
    return table || (before == null || before.kind != DOT) && next(3).kind == DOT;
  }

  /**
   * Whether FROM has come since SELECT, outside of parentheses.
   *
   * @param otherwise what is said where there is neither
   */
  private boolean isAfterFrom(boolean otherwise) {
    int depth = 0;
    for (int i = out.size() - 1; i >= 0; i--) {
      int kind = out.get(i).kind;
      depth += kind == RPAREN ? 1 : kind == LPAREN ? -1 : 0;
      if (depth < 0) {
        return otherwise;
      } else if (depth == 0 && (kind == SELECT || kind == WHERE || kind == BY)) {
        return kind == BY && otherwise;
      } else if (depth == 0 && kind == FROM) {
        return true;
      }
    }
    return otherwise;
  }

  /** A SELECT that has WHERE and no FROM has one row. */
  private void oneRow(Token token) {
    put(FROM, "FROM", token);
    put(LPAREN, "(", token);
    put(VALUES, "VALUES", token);
    put(LPAREN, "(", token);
    put(UNSIGNED_INTEGER_LITERAL, "0", token);
    put(RPAREN, ")", token);
    put(RPAREN, ")", token);
  }

  /** A call instead of the operator that begins at the current token; whether that can be. */
  private boolean binary(String function, int binding, int width, boolean not) {
    int left = leftExtent(binding);
    int start = at + width;
    int end = rightExtent(start, binding);
    if (left < 0 || end < 0) {
      return false;
    }
    Token operator = in.get(at);
    Token first = out.get(left);
    List<Token> before = new ArrayList<>(out.subList(left, out.size()));
    out.subList(left, out.size()).clear();
    if (not) {
      put(LPAREN, "(", first);
      put(NOT, "NOT", first);
    }
    put(IDENTIFIER, function, first);
    put(LPAREN, "(", first);
    out.addAll(before);
    put(COMMA, ",", operator);
    addRewritten(start, end);
    put(RPAREN, ")", in.get(end - 1));
    if (not) {
      put(RPAREN, ")", in.get(end - 1));
    }
    at = end;
    return true;
  }

  /** Parentheses around an operation, where another beside it binds otherwise in Calcite. */
  private boolean wrapped(int binding, int width) {
    int left = leftExtent(binding);
    int start = at + width;
    int end = rightExtent(start, binding);
    if (left < 0 || end < 0) {
      return false;
    }
    int before = left == 0 ? 0 : binds(out, left - 1);
    int after = bindsAt(end);
    boolean otherwise =
        binding == JOINED
            ? before == SUM || before == PRODUCT || after == SUM || after == PRODUCT
            : before == EQUAL && out.get(left - 1).kind != IN;
    if (!otherwise) {
      return false;
    }
    out.add(left, Tokens.of(LPAREN, "(", out.get(left)));
    for (int i = 0; i < width; i++) {
      out.add(in.get(at++));
    }
    addRewritten(start, end);
    put(RPAREN, ")", in.get(end - 1));
    at = end;
    return true;
  }

  /** {@code x IS NULL + 1}, which asks for no NULL: its operand in parentheses. */
  private boolean constantOperand(int width) {
    int start = at + width;
    if (start + 1 >= in.size()
        || !CONSTANTS.contains(in.get(start).kind)
        || bindsAt(start + 1) <= EQUAL) {
      return false;
    }
    int end = rightExtent(start, EQUAL);
    if (end < 0) {
      return false;
    }
    for (int i = 0; i < width; i++) {
      out.add(in.get(at++));
    }
    put(LPAREN, "(", in.get(start));
    addRewritten(start, end);
    put(RPAREN, ")", in.get(end - 1));
    at = end;
    return true;
  }

  /** What stands before LIKE, IN or BETWEEN, if it is a comparison, in parentheses. */
  private void compared() {
    int left = leftExtent(EQUAL);
    boolean comparison = false;
    int depth = 0;
    for (int i = Math.max(0, left); i < out.size(); i++) {
      int kind = out.get(i).kind;
      depth += kind == LPAREN ? 1 : kind == RPAREN ? -1 : 0;
      comparison |= depth == 0 && COMPARISONS.contains(kind);
    }
    if (left >= 0 && comparison) {
      out.add(left, Tokens.of(LPAREN, "(", out.get(left)));
      put(RPAREN, ")", last());
    }
  }

  private void addRewritten(int start, int end) {
    out.addAll(rewrite(ended(in.subList(start, end))));
    out.remove(out.size() - 1);
  }

  /** Where the operand before an operator begins in {@link #out}, or -1. */
  private int leftExtent(int binding) {
    int left = leftOperand(out.size() - 1);
    while (left > 0) {
      int before = binds(out, left - 1);
      if (before == SIGN) {
        left--;
      } else if (before >= binding && left > 1) {
        int operator = isNegated(left - 1) ? left - 2 : left - 1;
        if (operator < 1 || !endsOperand(out.get(operator - 1))) {
          return -1;
        }
        int next = leftOperand(operator - 1);
        if (next < 0) {
          return -1;
        }
        left = next;
      } else {
        break;
      }
    }
    return left;
  }

  /** Whether the operator of two words that ends at an index is IS NOT, NOT LIKE or its kind. */
  private boolean isNegated(int i) {
    int kind = out.get(i).kind;
    int before = i == 0 ? EOF : out.get(i - 1).kind;
    return kind == NOT && before == IS
        || (kind == LIKE || kind == IN || kind == BETWEEN) && before == NOT;
  }

  /** Where the operand after an operator ends in {@link #in}, exclusive, or -1. */
  private int rightExtent(int first, int binding) {
    int i = first;
    while (i < in.size()
        && (in.get(i).kind == MINUS || in.get(i).kind == PLUS || in.get(i).kind == TILDE)) {
      i++;
    }
    int end = rightOperand(i);
    if (end < 0) {
      return -1;
    }
    while (in.get(end).kind == COLLATE) {
      end += 2;
    }
    int following = bindsAt(end);
    if (following == SIGN) {
      return -1;
    } else if (following <= binding) {
      return end;
    }
    boolean two = in.get(end).kind != GT && in.get(end).kind != LAMBDA;
    int width = two || in.get(end + 1).kind != GT || !adjoins(in.get(end), in.get(end + 1)) ? 1 : 2;
    return rightExtent(end + width, binding);
  }

  private boolean inverted() {
    int end = rightExtent(at + 1, SIGN);
    if (end < 0) {
      return false;
    }
    Token operator = in.get(at);
    put(IDENTIFIER, "~ ?", operator);
    put(LPAREN, "(", operator);
    addRewritten(at + 1, end);
    put(RPAREN, ")", in.get(end - 1));
    at = end;
    return true;
  }

  private boolean collated() {
    int left = leftOperand(out.size() - 1);
    String name = next(1).image.toUpperCase(java.util.Locale.ROOT).replace("\"", "");
    if (left < 0 || !Set.of("BINARY", "NOCASE", "RTRIM").contains(name)) {
      return false;
    }
    Token first = out.get(left);
    out.add(left, Tokens.of(LPAREN, "(", first));
    out.add(left, Tokens.of(IDENTIFIER, "? COLLATE " + name, first));
    put(RPAREN, ")", next(1));
    at += 2;
    return true;
  }

  private static List<Token> ended(List<Token> tokens) {
    List<Token> ended = new ArrayList<>(tokens);
    Token last = tokens.get(tokens.size() - 1);
    ended.add(Tokens.of(EOF, "", last));
    return ended;
  }

  /** Where an operand begins in {@link #out} that ends at an index, or -1. */
  private int leftOperand(int last) {
    int i = last;
    if (out.get(i).kind == RPAREN) {
      int open = 0;
      while (i >= 0) {
        open += out.get(i).kind == RPAREN ? 1 : out.get(i).kind == LPAREN ? -1 : 0;
        if (open == 0) {
          break;
        }
        i--;
      }
      if (i < 0) {
        return -1;
      }
      if (i == 0 || !isFunction(out.get(i - 1))) {
        return i;
      }
      i--;
    }
    while (i > 1 && out.get(i - 1).kind == DOT) {
      i -= 2;
    }
    return out.get(i).kind == RBRACKET || out.get(i).kind == RBRACE ? -1 : i;
  }

  /** Where an operand ends in {@link #in} that begins at an index, exclusive, or -1. */
  private int rightOperand(int first) {
    int i = first;
    if (i >= in.size() - 1) {
      return -1;
    }
    Token token = in.get(i);
    if (token.kind == LPAREN) {
      return closing(i);
    } else if (token.kind == COLON && i + 2 < in.size()) {
      return i + 2;
    } else if (token.kind == HOOK) {
      boolean numbered =
          in.get(i + 1).kind == UNSIGNED_INTEGER_LITERAL && adjoins(token, in.get(i + 1));
      return numbered ? i + 2 : i + 1;
    } else if (!endsOperand(token) || NO_FUNCTION.contains(token.kind)) {
      return -1;
    }
    while (in.get(i + 1).kind == DOT && i + 2 < in.size() - 1) {
      i += 2;
    }
    return in.get(i + 1).kind == LPAREN ? closing(i + 1) : i + 1;
  }

  private int closing(int open) {
    int depth = 0;
    for (int i = open; i < in.size(); i++) {
      int kind = in.get(i).kind;
      depth += kind == LPAREN ? 1 : kind == RPAREN ? -1 : 0;
      if (depth == 0) {
        return i + 1;
      }
    }
    return -1;
  }

  private static boolean isFunction(Token token) {
    return !NO_FUNCTION.contains(token.kind)
        && token.kind != LPAREN
        && (endsOperand(token) || token.image.matches("\\w+"));
  }

  /** How tightly the token before an operand binds it. */
  private static int binds(List<Token> tokens, int i) {
    Token token = tokens.get(i);
    boolean sign =
        (token.kind == PLUS || token.kind == MINUS) && (i == 0 || !endsOperand(tokens.get(i - 1)));
    if (sign || token.kind == TILDE || token.kind == DOT || token.kind == INFIX_CAST) {
      return SIGN;
    }
    if (token.kind == NOT && i > 0 && tokens.get(i - 1).kind == IS) {
      return EQUAL;
    }
    return token.kind == AND && isBetween(tokens, i) ? EQUAL : BINDING.getOrDefault(token.kind, 0);
  }

  private static boolean isBetween(List<Token> tokens, int and) {
    int depth = 0;
    for (int i = and - 1; i >= 0; i--) {
      int kind = tokens.get(i).kind;
      depth += kind == RPAREN ? 1 : kind == LPAREN ? -1 : 0;
      if (depth < 0 || depth == 0 && (kind == AND || kind == OR || kind == WHERE)) {
        return false;
      } else if (depth == 0 && kind == BETWEEN) {
        return true;
      }
    }
    return false;
  }

  /** How tightly the token after an operand binds it. */
  private int bindsAt(int i) {
    Token token = in.get(i);
    if (token.kind == COLLATE || token.kind == INFIX_CAST || token.kind == LBRACKET) {
      return SIGN;
    }
    boolean shift = token.kind == GT && in.get(i + 1).kind == GT && adjoins(token, in.get(i + 1));
    return shift ? BITS : BINDING.getOrDefault(token.kind, 0);
  }

  private static boolean adjoins(Token left, Token right) {
    return left.endLine == right.beginLine && left.endColumn + 1 == right.beginColumn;
  }

  private void put(int kind, String image, Token at) {
    out.add(Tokens.of(kind, image, at));
  }
}
