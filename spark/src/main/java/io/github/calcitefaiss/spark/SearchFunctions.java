/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import java.util.HexFormat;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.ScalarSubquery;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.SparkSqlParser;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;
import scala.Option;

/**
 * {@code faiss_search(database, table, vector, k)} and its kin, each as the subquery that it means:
 * ORDER BY distance LIMIT k over a table's columns id and embedding. The database is one of Spark's
 * or a format such as {@code parquet}, and the table then a path.
 */
final class SearchFunctions {
  private static final List<String> NAMES = List.of("database", "table", "vector", "k");

  /** What is asked; null in the place of a NULL argument. */
  private record Ask(String from, String vector, long k) {
    private static Ask of(String function, List<Expression> arguments) {
      if (arguments.size() != NAMES.size()) {
        throw new IllegalArgumentException(
            function
                + ": expected 4 arguments (database, table, vector, k), got "
                + arguments.size());
      }
      Object[] values = new Object[arguments.size()];
      for (int i = 0; i < values.length; i++) {
        Expression argument = arguments.get(i);
        if (!argument.foldable()) {
          throw new IllegalArgumentException(
              function
                  + ": "
                  + NAMES.get(i)
                  + ": expected a constant, got "
                  + argument.sql()
                  + "; for vectors of rows, JOIN … EXACT NEAREST k BY DISTANCE l2_distance(…)");
        }
        values[i] = argument.eval(null);
        if (values[i] == null) {
          return null;
        }
      }
      for (int i = 0; i < 2; i++) {
        if (!(values[i] instanceof UTF8String)) {
          throw wrong(function, i, "a name", values[i]);
        }
      }
      if (!(values[3] instanceof Number k) || k.doubleValue() < 0 || k.doubleValue() % 1 != 0) {
        throw wrong(function, 3, "a whole number, not negative", values[3]);
      }
      return new Ask(
          quoted(values[0]) + "." + quoted(values[1]),
          vector(function, arguments.get(2), values[2]),
          Math.min(k.longValue(), Integer.MAX_VALUE - 1L));
    }

    private static RuntimeException wrong(String function, int i, String expected, Object got) {
      return new IllegalArgumentException(
          function + ": " + NAMES.get(i) + ": expected " + expected + ", got " + got);
    }

    private static String quoted(Object name) {
      return "`" + name.toString().replace("`", "``") + "`";
    }

    private static String vector(String function, Expression argument, Object value) {
      Vectors kind = Vectors.of(argument.dataType());
      if (kind == null) {
        throw wrong(function, 2, "a vector", argument.dataType().sql());
      }
      try {
        return "X'" + HexFormat.of().formatHex(VectorCodec.encode(kind.elements(value))) + "'";
      } catch (VectorException e) {
        throw Functions.bad(function, "vector", e.getMessage());
      }
    }

    /** The rows that are nearest, with their distance. */
    private String nearest() {
      return "SELECT id, embedding, l2_distance(embedding, "
          + vector
          + ") AS distance FROM "
          + from
          + " ORDER BY distance NULLS LAST, id LIMIT "
          + k;
    }
  }

  private SearchFunctions() {}

  /** Rows of id, distance and rank from 1. */
  static LogicalPlan neighbors(List<Expression> arguments) {
    Ask ask = Ask.of("faiss_neighbors", arguments);
    if (ask == null) {
      return parse(
          "SELECT CAST(NULL AS BIGINT) AS id, 0D AS distance, 0L AS rank FROM range(1) WHERE false");
    }
    return parse(
        "SELECT id, distance, CAST(row_number() OVER (ORDER BY distance, id) AS BIGINT) AS rank"
            + " FROM ("
            + ask.nearest()
            + ") WHERE distance IS NOT NULL");
  }

  /** A JSON array of ids, or of pairs of id and squared distance. */
  static Expression search(String function, boolean scores, List<Expression> arguments) {
    Ask ask = Ask.of(function, arguments);
    if (ask == null) {
      return new Literal(null, DataTypes.StringType);
    }
    LogicalPlan plan =
        parse(
            "SELECT coalesce("
                + (scores ? "faiss_agg_with_scores" : "faiss_agg")
                + "(id, embedding, "
                + ask.vector
                + ", "
                + ask.k
                + "), '[]') FROM ("
                + ask.nearest()
                + ")");
    return new ScalarSubquery(
        plan,
        Scala.seq(List.of()),
        NamedExpression.newExprId(),
        Scala.seq(List.of()),
        Option.empty(),
        Option.empty(),
        Option.empty());
  }

  private static LogicalPlan parse(String sql) {
    return new SparkSqlParser().parsePlan(sql);
  }
}
