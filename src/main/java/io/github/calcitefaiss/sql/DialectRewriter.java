/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql;

import org.apache.calcite.sql.SqlBasicCall;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.util.SqlShuttle;

/**
 * Turns a parse tree into one that Calcite's validator takes: parameters numbered, {@code ifnull}
 * and {@code count()} by their standard forms, FROM clauses by {@link FromRewriter}.
 *
 * <p>Inner queries come before the ones around them. A node put in has the position of the one that
 * it is put in for.
 */
final class DialectRewriter extends SqlShuttle {
  private final Parameters parameters;

  DialectRewriter(Parameters parameters) {
    this.parameters = parameters;
  }

  @Override
  public SqlNode visit(SqlDynamicParam param) {
    return parameters.renumber(param);
  }

  @Override
  public SqlNode visit(SqlCall call) {
    SqlNode node = super.visit(call);
    if (node instanceof SqlSelect select) {
      FromRewriter.rewrite(select);
    }
    if (node instanceof SqlBasicCall basic && basic.getOperator() instanceof SqlFunction) {
      return rewriteFunction(basic);
    }
    return node;
  }

  private static SqlNode rewriteFunction(SqlBasicCall call) {
    int arguments = call.operandCount();
    if (arguments == 0 && call.getOperator().isName("COUNT", false)) {
      return call.getOperator()
          .createCall(
              call.getFunctionQuantifier(),
              call.getParserPosition(),
              SqlIdentifier.star(call.getParserPosition()));
    }
    if (arguments == 2 && call.getOperator().isName("IFNULL", false)) {
      return SqlStdOperatorTable.COALESCE.createCall(
          call.getParserPosition(), call.getOperandList());
    }
    return call;
  }
}
