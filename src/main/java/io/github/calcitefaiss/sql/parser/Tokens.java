/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import org.apache.calcite.sql.parser.babel.Token;

/** Tokens that weren't written, in the place of some that were. */
final class Tokens {
  private Tokens() {}

  /** A token in the place of another. */
  static Token of(int kind, String image, Token at) {
    return of(kind, image, at, at);
  }

  /** A token in the place of those from one to another. */
  static Token of(int kind, String image, Token from, Token to) {
    Token token = new Token();
    token.kind = kind;
    token.image = image;
    token.beginLine = from.beginLine;
    token.beginColumn = from.beginColumn;
    token.endLine = to.endLine;
    token.endColumn = to.endColumn;
    return token;
  }
}
