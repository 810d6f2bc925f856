/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import io.github.calcitefaiss.run.Detached;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.sql.parser.SqlAbstractParserImpl.Metadata;
import org.apache.calcite.sql.parser.babel.SimpleCharStream;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImpl;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImplTokenManager;
import org.apache.calcite.sql.parser.babel.Token;
import org.apache.calcite.sql.parser.babel.TokenMgrError;

/**
 * Splits a statement into tokens, and hands them to the grammar as {@link TokenRewriter} leaves
 * them.
 *
 * <p>The whole statement is split at the first call, with the quoting that the parser has by then
 * been told. Where {@code "} quotes a name, {@code `name`} and {@code [name]} do too, as in SQLite;
 * {@code [} after an operand or {@code ARRAY} remains a subscript or a constructor.
 */
final class FaissTokenManager extends SqlBabelParserImplTokenManager {
  /** Knows which words are reserved. */
  private static final Metadata WORDS = new SqlBabelParserImpl(new StringReader("")).getMetadata();

  /** Words that Babel lets be names, but after which an operand begins. */
  private static final Set<String> BEFORE_OPERAND =
      Set.of(
          "ALL",
          "AND",
          "AS",
          "ASYMMETRIC",
          "BETWEEN",
          "ELSE",
          "ESCAPE",
          "ILIKE",
          "IS",
          "LIKE",
          "NOT",
          "OR",
          "RLIKE",
          "SYMMETRIC",
          "TO");

  private static final Set<String> CONSTRUCTORS = Set.of("ARRAY", "MAP", "MULTISET", "LIST");

  private final Stream stream;
  private boolean asSqlite;
  private int state;
  private Token last;
  private TokenRewriter rewritten;
  private TokenMgrError error;
  private int next;

  /**
   * @param asSqlite whether what only SQLite's grammar has is understood, too
   */
  FaissTokenManager(String sql, boolean asSqlite) {
    this(new Stream(sql));
    this.asSqlite = asSqlite;
  }

  private FaissTokenManager(Stream stream) {
    super(stream);
    this.stream = stream;
    stream.tokens = this;
  }

  void setTabSize(int tabSize) {
    stream.setTabSize(tabSize);
  }

  int state() {
    return state;
  }

  /** The markers of the parameters, once the statement is parsed. */
  List<Token> parameters() {
    return rewritten.parameters();
  }

  @Override
  public void SwitchTo(int lexState) {
    state = lexState;
    super.SwitchTo(lexState);
  }

  @Override
  public Token getNextToken() {
    Detached.check();
    if (rewritten == null) {
      List<Token> tokens = split();
      rewritten =
          new TokenRewriter(asSqlite ? SqliteTokens.rewrite(JsonTokens.rewrite(tokens)) : tokens);
      ExpressionLength.check(rewritten.tokens());
    }
    List<Token> tokens = rewritten.tokens();
    if (next < tokens.size() - 1) {
      return tokens.get(next++);
    }
    if (error != null) {
      // Only now, so that a syntax error before the illegal character is reported first.
      throw error;
    }
    return tokens.get(next);
  }

  /**
   * All tokens but semicolons at the end, the last of which is EOF: the end, or the place where
   * {@link #error} arose.
   */
  private List<Token> split() {
    List<Token> tokens = new ArrayList<>();
    do {
      Detached.check();
      try {
        last = super.getNextToken();
      } catch (TokenMgrError e) {
        error = e;
        last = new Token();
        last.kind = EOF;
        last.image = "";
      }
      // A quoted name may have been read in another state; see beginToken.
      super.SwitchTo(state);
      if (state == DQID && last.kind == BRACKET_QUOTED_IDENTIFIER) {
        endAtFirstBracket(last);
      }
      tokens.add(last);
    } while (last.kind != EOF);
    while (tokens.size() > 1 && tokens.get(tokens.size() - 2).kind == SEMICOLON) {
      tokens.remove(tokens.size() - 2);
    }
    return tokens;
  }

  /** Chooses the state that reads the token which begins with a character. */
  private void beginToken(char c) {
    if (state == DQID) {
      if (c == '`') {
        super.SwitchTo(BTID);
      } else if (c == '[' && !endsOperand(last) && !beforeBracket(last)) {
        super.SwitchTo(DEFAULT);
      }
    }
  }

  /** Gives back what follows the first ]: in SQLite, unlike in that state, no name contains ]]. */
  private void endAtFirstBracket(Token name) {
    int length = name.image.indexOf(']') + 1;
    stream.backup(name.image.length() - length);
    name.image = name.image.substring(0, length);
    name.endColumn = name.beginColumn + length - 1;
  }

  private static boolean beforeBracket(Token token) {
    return token != null
        && (token.kind == COLON || CONSTRUCTORS.contains(token.image.toUpperCase(Locale.ROOT)));
  }

  /** Whether a token can be the last of an operand: a name, a literal, a closing bracket. */
  static boolean endsOperand(Token token) {
    if (token == null) {
      return false;
    }
    switch (token.kind) {
      case RPAREN:
      case RBRACKET:
      case RBRACE:
      case HOOK:
      case IDENTIFIER:
      case QUOTED_IDENTIFIER:
      case BACK_QUOTED_IDENTIFIER:
      case BRACKET_QUOTED_IDENTIFIER:
      case UNICODE_QUOTED_IDENTIFIER:
      case UNSIGNED_INTEGER_LITERAL:
      case DECIMAL_NUMERIC_LITERAL:
      case APPROX_NUMERIC_LITERAL:
      case QUOTED_STRING:
      case BINARY_STRING_LITERAL:
      case PREFIXED_STRING_LITERAL:
      case UNICODE_STRING_LITERAL:
      case C_STYLE_ESCAPED_STRING_LITERAL:
        return true;
      default:
        return isNonReserved(token)
            && !BEFORE_OPERAND.contains(token.image.toUpperCase(Locale.ROOT));
    }
  }

  /** Whether a token is a keyword that can be a name. */
  static boolean isNonReserved(Token token) {
    return WORDS.isNonReservedKeyword(token.image.toUpperCase(Locale.ROOT));
  }

  /** Characters of a statement; tells the token manager which one begins a token. */
  private static final class Stream extends SimpleCharStream {
    private FaissTokenManager tokens;

    Stream(String sql) {
      // A buffer for the whole text: the stream grows by 2 KB at a time, copying all of it.
      super(new StringReader(sql), 1, 1, sql.length() + 1);
    }

    @Override
    public void setTabSize(int tabSize) {
      super.setTabSize(tabSize);
    }

    @Override
    public char BeginToken() throws IOException {
      char c;
      do {
        // The token manager would skip the space too, but only after it has looked at its state.
        c = super.BeginToken();
      } while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f');
      tokens.beginToken(c);
      return c;
    }
  }
}
