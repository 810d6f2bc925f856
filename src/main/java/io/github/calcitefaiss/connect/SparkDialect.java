/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import java.util.List;
import org.apache.calcite.avatica.util.Casing;
import org.apache.calcite.config.NullCollation;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlDialect;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlUserDefinedTypeNameSpec;
import org.apache.calcite.sql.dialect.SparkSqlDialect;
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
    return kind == SqlKind.OTHER_FUNCTION || super.supportsAggregateFunction(kind);
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
