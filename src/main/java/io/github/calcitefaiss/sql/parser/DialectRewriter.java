/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import io.github.calcitefaiss.sql.function.DistanceFunctions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.calcite.sql.SqlBasicCall;
import org.apache.calcite.sql.SqlBasicTypeNameSpec;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlShuttle;

/**
 * Turns a parse tree into one that Calcite's validator takes: parameters numbered, {@code ifnull}
 * and {@code count()} by their standard forms, FROM clauses by {@link FromRewriter}.
 *
 * <p>Inner queries come before the ones around them. A node put in has the position of the one that
 * it is put in for. A tree is not deeper than {@link #MAX_DEPTH}.
 */
final class DialectRewriter extends SqlShuttle {
  /**
   * Levels of calls in a tree. Calcite's validator, planner and code generator call themselves for
   * each: a sum of 500 terms overflows the JVM's usual stack of 1 MB, one of 400 doesn't.
   */
  static final int MAX_DEPTH = 300;

  /** Terms of AND or OR from which on a chain becomes a balanced tree. */
  private static final int LONG_CHAIN = 32;

  /** Functions that take arguments of any type. */
  private static final Set<String> ANY_ARGUMENTS = new HashSet<>();

  static {
    ANY_ARGUMENTS.addAll(DistanceFunctions.all().keySet());
    ANY_ARGUMENTS.add("embed");
    ANY_ARGUMENTS.add("faiss_encode");
    ANY_ARGUMENTS.add("l2_normalize");
    ANY_ARGUMENTS.add("vec_normalize");
    ANY_ARGUMENTS.add("json_each");
  }

  private final ParameterNames parameters;
  private int depth;

  DialectRewriter(ParameterNames parameters) {
    this.parameters = parameters;
  }

  @Override
  public SqlNode visit(SqlDynamicParam param) {
    return parameters.renumber(param);
  }

  /** SQLite's names of types in a cast; its REAL is a double. */
  @Override
  public SqlNode visit(SqlDataTypeSpec type) {
    SqlTypeName name;
    switch (type.getTypeName().toString().toUpperCase(Locale.ROOT)) {
      case "TEXT":
        name = SqlTypeName.VARCHAR;
        break;
      case "BLOB":
        name = SqlTypeName.VARBINARY;
        break;
      case "REAL":
        name = SqlTypeName.DOUBLE;
        break;
      default:
        return type;
    }
    SqlParserPos pos = type.getParserPosition();
    return new SqlDataTypeSpec(new SqlBasicTypeNameSpec(name, pos), pos);
  }

  @Override
  public SqlNode visit(SqlCall call) {
    if (++depth > MAX_DEPTH) {
      throw new TooDeep(call.getParserPosition());
    }
    SqlNode node = isChain(call, call.getKind()) ? visitChain(call) : super.visit(call);
    depth--;
    if (node instanceof SqlSelect select) {
      FromRewriter.rewrite(select);
    }
    if (node instanceof SqlBasicCall basic && basic.getOperator() instanceof SqlFunction) {
      return rewriteFunction(basic);
    }
    return node;
  }

  private static boolean isChain(SqlNode node, SqlKind kind) {
    return (kind == SqlKind.AND || kind == SqlKind.OR) && node.getKind() == kind;
  }

  /** A chain of AND or OR, which the grammar makes as deep as it is long. */
  private SqlNode visitChain(SqlCall call) {
    List<SqlNode> terms = new ArrayList<>();
    SqlNode left = call;
    while (isChain(left, call.getKind())) {
      terms.add(((SqlCall) left).operand(1));
      left = ((SqlCall) left).operand(0);
    }
    if (terms.size() < LONG_CHAIN) {
      return super.visit(call);
    }
    terms.add(left);
    Collections.reverse(terms);
    terms.replaceAll(term -> term.accept(this));
    return balanced(call.getOperator(), terms);
  }

  private static SqlNode balanced(SqlOperator operator, List<SqlNode> terms) {
    int size = terms.size();
    return size == 1
        ? terms.get(0)
        : operator.createCall(
            SqlParserPos.sum(terms),
            balanced(operator, terms.subList(0, size / 2)),
            balanced(operator, terms.subList(size / 2, size)));
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
    if (ANY_ARGUMENTS.contains(call.getOperator().getName().toLowerCase(Locale.ROOT))) {
      for (int i = 0; i < arguments; i++) {
        if (call.operand(i) instanceof SqlDynamicParam param) {
          call.setOperand(i, typed(param));
        }
      }
    }
    return call;
  }

  /**
   * The validator gives a parameter its type from the function, but not in ORDER BY, nor where
   * several functions have one name.
   */
  private static SqlNode typed(SqlDynamicParam param) {
    SqlParserPos position = param.getParserPosition();
    return SqlStdOperatorTable.CAST.createCall(
        position,
        param,
        new SqlDataTypeSpec(new SqlBasicTypeNameSpec(SqlTypeName.ANY, position), position));
  }

  /** Refuses a tree deeper than {@link #MAX_DEPTH}. */
  static final class TooDeep extends RuntimeException {
    final transient SqlParserPos position;

    private TooDeep(SqlParserPos position) {
      super(null, null, false, false);
      this.position = position;
    }
  }
}
