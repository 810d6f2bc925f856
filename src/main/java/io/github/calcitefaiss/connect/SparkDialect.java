/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import java.util.List;
import org.apache.calcite.avatica.util.Casing;
import org.apache.calcite.config.NullCollation;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlDialect;
import org.apache.calcite.sql.SqlFunctionCategory;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlUnresolvedFunction;
import org.apache.calcite.sql.SqlUserDefinedTypeNameSpec;
import org.apache.calcite.sql.dialect.SparkSqlDialect;
import org.apache.calcite.sql.fun.SqlCase;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;

/** The SQL that Spark 4.2 understands, as text. Calcite's own loses backslashes in texts. */
final class SparkDialect extends SparkSqlDialect {
  static final SparkDialect INSTANCE =
      new SparkDialect(
          EMPTY_CONTEXT
              .withDatabaseProduct(SqlDialect.DatabaseProduct.SPARK)
              .withLiteralQuoteString("'")
              .withLiteralEscapedQuoteString("\\'")
              .withIdentifierQuoteString("`")
              .withUnquotedCasing(Casing.UNCHANGED)
              .withQuotedCasing(Casing.UNCHANGED)
              .withCaseSensitive(false)
              .withNullCollation(NullCollation.LOW));

  /** What a scalar subquery that isn't one is told. */
  static final String MANY_ROWS = "a scalar subquery gave more than one row";

  private SparkDialect(SqlDialect.Context context) {
    super(context);
  }

  /** A name of several parts. */
  static String quoted(List<String> names) {
    return String.join(
        ".", names.stream().map(name -> "`" + name.replace("`", "``") + "`").toList());
  }

  @Override
  public boolean supportsCharSet() {
    return false;
  }

  @Override
  public boolean supportsWindowFunctions() {
    return false;
  }

  @Override
  public boolean supportsNestedAggregations() {
    return false;
  }

  @Override
  public boolean supportsAggregateFunction(SqlKind kind) {
    // Our own; the rule lets no others pass.
    return kind == SqlKind.OTHER_FUNCTION
        || kind == SqlKind.SINGLE_VALUE
        || super.supportsAggregateFunction(kind);
  }

  /** A value that there must be one of at most; Spark has no such aggregate. */
  @Override
  public SqlNode rewriteSingleValueExpr(SqlNode call, RelDataType type) {
    SqlParserPos at = SqlParserPos.ZERO;
    SqlNode value = ((SqlCall) call).operand(0);
    SqlNode rows = SqlStdOperatorTable.COUNT.createCall(at, SqlIdentifier.star(at));
    SqlNode many =
        SqlStdOperatorTable.GREATER_THAN.createCall(
            at, rows, SqlLiteral.createExactNumeric("1", at));
    SqlNode error =
        new SqlUnresolvedFunction(
                new SqlIdentifier("raise_error", at),
                null,
                null,
                null,
                null,
                SqlFunctionCategory.USER_DEFINED_FUNCTION)
            .createCall(at, SqlLiteral.createCharString(MANY_ROWS, at));
    return new SqlCase(
        at,
        null,
        SqlNodeList.of(many),
        SqlNodeList.of(error),
        SqlStdOperatorTable.MAX.createCall(at, value));
  }

  @Override
  public void quoteStringLiteral(StringBuilder out, String charset, String value) {
    out.append('\'');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '\\' || c == '\'') {
        out.append('\\');
      }
      out.append(c);
    }
    out.append('\'');
  }

  @Override
  public SqlNode getCastSpec(RelDataType type) {
    String name;
    switch (type.getSqlTypeName()) {
      case CHAR:
      case VARCHAR:
        name = "STRING";
        break;
      case BINARY:
      case VARBINARY:
        name = "BINARY";
        break;
      case DOUBLE:
      case FLOAT:
        name = "DOUBLE";
        break;
      case REAL:
        name = "FLOAT";
        break;
      case ANY:
      case NULL:
        return null;
      default:
        return super.getCastSpec(type);
    }
    return new SqlDataTypeSpec(
        new SqlUserDefinedTypeNameSpec(name, SqlParserPos.ZERO), SqlParserPos.ZERO);
  }
}
