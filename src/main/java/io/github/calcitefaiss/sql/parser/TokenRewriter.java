/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImplConstants;
import org.apache.calcite.sql.parser.babel.Token;

/**
 * Turns what the grammar lacks into tokens that it has: {@code :id} and {@code ?1} into {@code ?},
 * {@code ==} into {@code =}, {@code a IS b} into {@code a IS NOT DISTINCT FROM b}, and a function
 * called in FROM, {@code f(…)}, into {@code TABLE(f(…))}.
 *
 * <p>A token put in stands at the position of the one that it is put in for.
 */
final class TokenRewriter implements SqlBabelParserImplConstants {
  /** What IS takes besides an operand; A is among them only before SET. */
  private static final Set<Integer> AFTER_IS =
      Set.of(NULL, TRUE, FALSE, UNKNOWN, DISTINCT, EMPTY, NOT, JSON);

  /** Words that no name is, but with which an operand begins. */
  private static final Set<Integer> OPERAND_WORDS =
      Set.of(CASE, DATE, INTERVAL, ROW, TIME, TIMESTAMP);

  /** Words after which a comma no longer separates tables. */
  private static final Set<Integer> AFTER_FROM =
      Set.of(
          WHERE, GROUP, HAVING, WINDOW, QUALIFY, ORDER, LIMIT, OFFSET, FETCH, UNION, INTERSECT,
          EXCEPT, SET_MINUS, SET, WHEN, BY);

  /** Words that stand where a table can, and are no function's name. */
  private static final Set<Integer> NO_FUNCTION = Set.of(TABLE, UNNEST, VALUES, VALUE, WITH);

  /** Words that begin a type; one after the first name in parentheses makes an EXTEND list. */
  private static final Set<Integer> TYPES =
      Set.of(
          ANY, BIGINT, BINARY, BOOLEAN, CHAR, CHARACTER, DATE, DEC, DECIMAL, DOUBLE, FLOAT,
          GEOMETRY, INT, INTEGER, INTERVAL, MAP, NATIONAL, NCHAR, NUMERIC, REAL, ROW, SMALLINT,
          TIME, TIMESTAMP, TINYINT, UNSIGNED, UUID, VARBINARY, VARCHAR, VARIANT);

  private final List<Token> in;
  private final List<Token> out;
  private final List<Token> parameters = new ArrayList<>();
  private final Deque<Parentheses> open = new ArrayDeque<>();
  private int at;

  /** Rewrites tokens, the last of which is EOF. */
  TokenRewriter(List<Token> in) {
    this.in = in;
    this.out = new ArrayList<>(in.size());
    open.push(new Parentheses());
    while (at < in.size()) {
      rewrite(in.get(at++));
    }
  }

  List<Token> tokens() {
    return out;
  }

  /** The markers of parameters among {@link #tokens()}, with the text that the user wrote. */
  List<Token> parameters() {
    return parameters;
  }

  private void rewrite(Token token) {
    Parentheses inside = open.peek();
    boolean atTable = inside.tableExpected;
    inside.tableExpected = false;
    switch (token.kind) {
      case EQ:
        out.add(follows(token, EQ) ? Tokens.of(EQ, "==", token, in.get(at++)) : token);
        return;
      case HOOK:
        if (inside.isPattern) {
          break;
        }
        addParameter(follows(token, UNSIGNED_INTEGER_LITERAL) ? join(token) : token);
        return;
      case COLON:
        boolean separates =
            inside.isJsonObject && FaissTokenManager.endsOperand(last()) && last().kind != VALUE;
        if (separates || !nameFollows(token)) {
          break;
        }
        addParameter(join(token));
        return;
      case IS:
        rewriteIs(token);
        return;
      case LPAREN:
        open(token, atTable, false);
        return;
      case RPAREN:
        out.add(token);
        if (open.size() > 1 && open.pop().isTableFunction) {
          out.add(Tokens.of(RPAREN, ")", token, token));
        }
        return;
      case SEMICOLON:
        open.clear();
        open.push(new Parentheses());
        break;
      case SELECT:
        inside.fromExpected = true;
        inside.isFrom = false;
        break;
      case FROM:
        if (inside.fromExpected && !isDistinctFrom()) {
          inside.fromExpected = false;
          inside.isFrom = true;
          inside.tableExpected = true;
        }
        break;
      case COMMA:
      case JOIN:
        inside.tableExpected = inside.isFrom;
        break;
      case APPLY:
        inside.tableExpected =
            inside.isFrom && last() != null && (last().kind == CROSS || last().kind == OUTER);
        break;
      case LATERAL:
        inside.tableExpected = atTable;
        break;
      case DATE:
      case TIME:
      case TIMESTAMP:
      case USER:
        if (isColumn(token)) {
          out.add(Tokens.of(IDENTIFIER, token.image, token, token));
          return;
        }
        break;
      default:
        if (atTable && isFunctionCall(token)) {
          rewriteFunctionCall(token);
          return;
        }
        if (AFTER_FROM.contains(token.kind)) {
          inside.isFrom = false;
        }
    }
    out.add(token);
  }

  /** Whether a word that begins a literal or is a type stands for a column or a function. */
  private boolean isColumn(Token token) {
    int next = in.get(at).kind;
    boolean type =
        last() != null
            && (last().kind == AS
                || FaissTokenManager.endsOperand(last())
                || last().kind == INFIX_CAST
                || last().kind == LBRACE_D
                || last().kind == LBRACE_T
                || last().kind == LBRACE_TS);
    boolean literal =
        next == QUOTED_STRING || next == PREFIXED_STRING_LITERAL || next == WITHOUT || next == WITH;
    return token.kind == USER ? next == DOT : !type && !literal;
  }

  /** Adds an opening parenthesis. */
  private void open(Token token, boolean atTable, boolean isTableFunction) {
    Parentheses parentheses = new Parentheses();
    parentheses.tableExpected = atTable;
    parentheses.isFrom = atTable;
    parentheses.isTableFunction = isTableFunction;
    parentheses.isPattern = open.peek().isPattern || last() != null && last().kind == PATTERN;
    parentheses.isJsonObject =
        last() != null && (last().kind == JSON_OBJECT || last().kind == JSON_OBJECTAGG);
    open.push(parentheses);
    out.add(token);
  }

  /** Whether FROM belongs to IS [NOT] DISTINCT FROM. */
  private boolean isDistinctFrom() {
    int n = out.size();
    return n > 1
        && out.get(n - 1).kind == DISTINCT
        && (out.get(n - 2).kind == IS || out.get(n - 2).kind == NOT);
  }

  private void rewriteIs(Token is) {
    boolean not = in.get(at).kind == NOT;
    Token operand = in.get(not ? at + 1 : at);
    boolean aSet = operand.kind == A && in.get(not ? at + 2 : at + 1).kind == SET;
    boolean compares =
        FaissTokenManager.endsOperand(last())
            && beginsOperand(operand)
            && !AFTER_IS.contains(operand.kind)
            && !aSet;
    out.add(is);
    if (compares) {
      Token end = not ? in.get(at++) : is;
      if (!not) {
        out.add(Tokens.of(NOT, "IS", is, is));
      }
      out.add(Tokens.of(DISTINCT, "IS", is, end));
      out.add(Tokens.of(FROM, "IS", is, end));
    }
  }

  private static boolean beginsOperand(Token token) {
    switch (token.kind) {
      case RPAREN:
      case RBRACKET:
      case RBRACE:
        return false;
      case LPAREN:
      case COLON:
      case PLUS:
      case MINUS:
        return true;
      default:
        return FaissTokenManager.endsOperand(token) || OPERAND_WORDS.contains(token.kind);
    }
  }

  /** Whether a function's name, then its arguments, begin at a token. */
  private boolean isFunctionCall(Token token) {
    int i = at;
    if (!isName(token) || NO_FUNCTION.contains(token.kind)) {
      return false;
    }
    while (in.get(i).kind == DOT && isName(in.get(i + 1))) {
      i += 2;
    }
    return in.get(i).kind == LPAREN && !isExtendList(i + 1);
  }

  /** Whether columns to add to a table, {@code (a INT, b VARCHAR)}, begin at an index. */
  private boolean isExtendList(int i) {
    if (!isName(in.get(i))) {
      return false;
    }
    i++;
    while (in.get(i).kind == DOT && isName(in.get(i + 1))) {
      i += 2;
    }
    int kind = in.get(i).kind;
    return TYPES.contains(kind) || kind == IDENTIFIER || kind == QUOTED_IDENTIFIER;
  }

  private void rewriteFunctionCall(Token name) {
    out.add(Tokens.of(TABLE, name.image, name, name));
    out.add(Tokens.of(LPAREN, "(", name, name));
    out.add(name);
    while (in.get(at).kind != LPAREN) {
      out.add(in.get(at++));
    }
    open(in.get(at++), false, true);
  }

  private Token last() {
    return out.isEmpty() ? null : out.get(out.size() - 1);
  }

  /** Whether the next token is of a kind, and nothing stands between. */
  private boolean follows(Token token, int kind) {
    return in.get(at).kind == kind && adjoins(token, in.get(at));
  }

  private boolean nameFollows(Token token) {
    String image = in.get(at).image;
    return adjoins(token, in.get(at))
        && !image.isEmpty()
        && image.codePoints().allMatch(c -> c == '$' || Character.isUnicodeIdentifierPart(c));
  }

  private static boolean adjoins(Token left, Token right) {
    return left.endLine == right.beginLine && left.endColumn + 1 == right.beginColumn;
  }

  private static boolean isName(Token token) {
    switch (token.kind) {
      case IDENTIFIER:
      case QUOTED_IDENTIFIER:
      case BACK_QUOTED_IDENTIFIER:
      case BRACKET_QUOTED_IDENTIFIER:
      case UNICODE_QUOTED_IDENTIFIER:
        return true;
      default:
        return FaissTokenManager.isNonReserved(token);
    }
  }

  /** Makes one token of a parameter's marker and the name or number after it. */
  private Token join(Token marker) {
    Token name = in.get(at++);
    return Tokens.of(HOOK, marker.image + name.image, marker, name);
  }

  private void addParameter(Token marker) {
    parameters.add(marker);
    out.add(marker);
  }

  /** What is known of the tokens so far between a pair of parentheses, or outside all. */
  private static final class Parentheses {
    /** SELECT has come, and not yet its FROM. */
    private boolean fromExpected;

    /** The tokens are those of a FROM clause. */
    private boolean isFrom;

    /** The next token begins a table, a function call, or what else FROM lists. */
    private boolean tableExpected;

    /** They are the arguments of a call that TABLE( has been put before. */
    private boolean isTableFunction;

    /** They are the row pattern of MATCH_RECOGNIZE, where {@code ?} means "or none". */
    private boolean isPattern;

    /** They are the arguments of JSON_OBJECT, where a colon separates key and value. */
    private boolean isJsonObject;
  }
}
