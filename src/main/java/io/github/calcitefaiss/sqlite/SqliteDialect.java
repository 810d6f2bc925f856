/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import org.apache.calcite.config.NullCollation;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.sql.SqlBasicTypeNameSpec;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlDialect;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.SqlWriter;
import org.apache.calcite.sql.dialect.SqliteSqlDialect;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlShuttle;
import org.apache.calcite.sql.util.SqlString;

/** The SQL that SQLite 3.39 or newer understands, as text. */
final class SqliteDialect extends SqliteSqlDialect {
  static final SqliteDialect INSTANCE =
      new SqliteDialect(
          EMPTY_CONTEXT
              .withDatabaseProduct(DatabaseProduct.UNKNOWN)
              .withDatabaseProductName("SQLite")
              // Right and full joins since 3.39; the driver brings its own, newer, SQLite.
              .withDatabaseMajorVersion(3)
              .withDatabaseMinorVersion(39)
              .withIdentifierQuoteString("\"")
              .withLiteralQuoteString("'")
              .withLiteralEscapedQuoteString("''")
              .withNullCollation(NullCollation.LOW));

  private SqliteDialect(SqlDialect.Context context) {
    super(context);
  }

  /** A statement's text. A constant that rows are grouped by is none of its columns' numbers. */
  static SqlString text(SqlNode statement) {
    return statement
        .accept(
            new SqlShuttle() {
              @Override
              public SqlNode visit(SqlCall call) {
                SqlNode node = super.visit(call);
                if (node instanceof SqlSelect select && select.getGroup() != null) {
                  select.setGroupBy(
                      new SqlNodeList(
                          select.getGroup().stream().map(SqliteDialect::noNumber).toList(),
                          select.getGroup().getParserPosition()));
                }
                return node;
              }
            })
        .toSqlString(INSTANCE);
  }

  private static SqlNode noNumber(SqlNode key) {
    boolean constant =
        key instanceof SqlLiteral
            || key.getKind() == SqlKind.MINUS_PREFIX
            || key.getKind() == SqlKind.PLUS_PREFIX;
    return constant
        ? SqlStdOperatorTable.COALESCE.createCall(
            SqlParserPos.ZERO, key, SqlLiteral.createNull(SqlParserPos.ZERO))
        : key;
  }

  /** SQLite has no OFFSET without LIMIT; -1 is none. */
  @Override
  public void unparseOffsetFetch(SqlWriter writer, SqlNode offset, SqlNode fetch) {
    boolean skipsOnly = offset != null && fetch == null;
    unparseFetchUsingLimit(
        writer, offset, skipsOnly ? SqlLiteral.createExactNumeric("-1", SqlParserPos.ZERO) : fetch);
  }

  @Override
  public boolean supportsCharSet() {
    return false;
  }

  @Override
  public boolean supportsWindowFunctions() {
    // Calcite's own: pushed, its frames and LogicalWindow don't arrive as SQLite expects them.
    return false;
  }

  @Override
  public boolean supportsNestedAggregations() {
    return false;
  }

  @Override
  public void quoteStringLiteral(StringBuilder buf, String charsetName, String val) {
    // Never u&'…': SQLite reads the text of a statement as UTF-8.
    buf.append('\'').append(val.replace("'", "''")).append('\'');
  }

  @Override
  public SqlNode getCastSpec(RelDataType type) {
    SqlTypeName name;
    switch (type.getSqlTypeName()) {
      case TINYINT:
      case SMALLINT:
      case INTEGER:
      case BIGINT:
        name = SqlTypeName.INTEGER;
        break;
      case REAL:
      case FLOAT:
      case DOUBLE:
        name = SqlTypeName.REAL;
        break;
      case CHAR:
      case VARCHAR:
        name = SqlTypeName.VARCHAR;
        break;
      case ANY:
      case NULL:
        // A bare NULL serves.
        return null;
      default:
        return super.getCastSpec(type);
    }
    return new SqlDataTypeSpec(
        new SqlBasicTypeNameSpec(name, SqlParserPos.ZERO), SqlParserPos.ZERO);
  }
}
