/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.calcite.config.Lex;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.calcite.sql.parser.SqlParserImplFactory;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.parser.babel.SqlBabelParserImpl;
import org.apache.calcite.sql.validate.SqlConformanceEnum;
import org.apache.calcite.util.SourceStringReader;

/**
 * Parser of standard SQL that also takes what people type in SQLite and Datasette.
 *
 * <p>The grammar is that of calcite-babel. What it lacks is added on the tokens ({@link
 * FaissTokenManager}) and on the parse tree ({@link DialectRewriter}), never in the text, so every
 * position in a tree or an error is a position in what the user wrote.
 */
public final class FaissParser extends SqlBabelParserImpl {
  /** For the connection property {@code parserFactory}. */
  public static final SqlParserImplFactory FACTORY = reader -> new FaissParser(reader, false);

  /** The same, where the tree is to mean what SQLite would mean by the text. */
  public static final SqlParserImplFactory SQLITE = reader -> new FaissParser(reader, true);

  /**
   * The dialect: unquoted names keep their case, names match whatever their case, {@code "} quotes
   * a name, lenient conformance.
   */
  public static final SqlParser.Config CONFIG =
      SqlParser.config()
          .withLex(Lex.MYSQL_ANSI)
          .withCaseSensitive(false)
          .withConformance(SqlConformanceEnum.LENIENT)
          .withParserFactory(FACTORY);

  private FaissTokenManager tokens;
  private List<String> parameterNames = List.of();

  private final boolean asSqlite;

  private FaissParser(Reader reader, boolean asSqlite) {
    super(new StringReader(""));
    this.asSqlite = asSqlite;
    ReInit(reader);
  }

  /**
   * Names of a statement's parameters in the order of their JDBC indexes: {@code id} for {@code
   * :id}, null for {@code ?} and {@code ?2}.
   *
   * <p>As in SQLite, a name that comes twice is one parameter, {@code ?} takes the number after the
   * highest so far, and {@code ?2} is number 2.
   *
   * @throws SqlParseException if the statement has a syntax error
   */
  public static List<String> parameterNames(String sql) throws SqlParseException {
    FaissParser parser = new FaissParser(new SourceStringReader(sql), true);
    SqlParser.create(new StringReader(""), CONFIG.withParserFactory(reader -> parser)).parseStmt();
    return parser.parameterNames;
  }

  @Override
  public void ReInit(Reader reader) {
    String sql = Spellings.rewrite(new SqliteText(text(reader)), false).text().sql();
    setOriginalSql(sql);
    nDynamicParams = 0;
    FaissTokenManager earlier = tokens;
    tokens = new FaissTokenManager(sql, asSqlite);
    if (earlier != null) {
      tokens.SwitchTo(earlier.state());
    }
    ReInit(tokens);
  }

  @Override
  public void setTabSize(int tabSize) {
    tokens.setTabSize(tabSize);
  }

  @Override
  public SqlNode parseSqlStmtEof() throws Exception {
    return parse(super::parseSqlStmtEof);
  }

  @Override
  public SqlNode parseSqlExpressionEof() throws Exception {
    return parse(super::parseSqlExpressionEof);
  }

  @Override
  public SqlNodeList parseSqlStmtList() throws Exception {
    return (SqlNodeList) parse(super::parseSqlStmtList);
  }

  private SqlNode parse(Production production) throws Exception {
    try {
      SqlNode node = production.parse();
      ParameterNames parameters = new ParameterNames(tokens.parameters());
      parameterNames = parameters.names();
      SqlNode tree = node.accept(new DialectRewriter(parameters));
      return asSqlite ? SqliteMeaning.of(tree) : tree;
    } catch (SqliteMeaning.Misplaced e) {
      throw new SqlParseException(e.getMessage(), e.position, null, null, null);
    } catch (DialectRewriter.TooDeep e) {
      throw tooDeep(e.position);
    } catch (ExpressionLength.TooLong e) {
      throw new SqlParseException(
          "expression is too long: got more than "
              + ExpressionLength.MOST_OPERATORS
              + " operators; put values into IN (…), or into a table",
          e.position,
          null,
          null,
          null);
    } catch (StackOverflowError e) {
      // The grammar calls itself for each level. The parser is not used again after an error, so
      // nobody sees what is half done.
      throw tooDeep(
          new SqlParserPos(token.beginLine, token.beginColumn, token.endLine, token.endColumn));
    }
  }

  private static SqlParseException tooDeep(SqlParserPos position) {
    return new SqlParseException(
        "statement is nested too deeply: got more than "
            + DialectRewriter.MAX_DEPTH
            + " levels of parentheses, operators, functions or subqueries",
        position,
        null,
        null,
        null);
  }

  private static String text(Reader reader) {
    if (reader instanceof SourceStringReader source) {
      return source.getSourceString();
    }
    try {
      StringWriter text = new StringWriter();
      reader.transferTo(text);
      return text.toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One way into the grammar. */
  private interface Production {
    SqlNode parse() throws Exception;
  }
}
