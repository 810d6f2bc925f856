/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.index.Metric;
import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.calcite.adapter.enumerable.CallImplementor;
import org.apache.calcite.adapter.enumerable.NullPolicy;
import org.apache.calcite.adapter.enumerable.RexImpTable;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.linq4j.tree.Types;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.Function;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.ImplementableFunction;
import org.apache.calcite.schema.ScalarFunction;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/**
 * Functions of two vectors that give a {@link Metric}'s value, under their own names and those that
 * pgvector, sqlite-vec and DuckDB have for them.
 *
 * <p>{@code l2_distance} and its aliases are the root; {@code l2_squared_distance} is what the
 * plugin calls a score. NULL in any argument, and a zero vector under cosine, gives NULL.
 */
public final class DistanceFunctions {
  private static final Map<String, Metric> METRICS = new LinkedHashMap<>();

  static {
    METRICS.put("l2_distance", Metric.L2);
    METRICS.put("euclidean_distance", Metric.L2);
    METRICS.put("vec_distance_l2", Metric.L2);
    METRICS.put("array_distance", Metric.L2);
    METRICS.put("vec_distance_euclidean", Metric.L2);
    METRICS.put("vector_l2_distance", Metric.L2);
    METRICS.put("vector_distance_l2", Metric.L2);
    METRICS.put("l2_squared_distance", Metric.L2_SQUARED);
    METRICS.put("l1_distance", Metric.L1);
    METRICS.put("vec_distance_l1", Metric.L1);
    METRICS.put("vector_l1_distance", Metric.L1);
    METRICS.put("cosine_distance", Metric.COSINE_DISTANCE);
    METRICS.put("vec_distance_cosine", Metric.COSINE_DISTANCE);
    METRICS.put("vector_distance_cos", Metric.COSINE_DISTANCE);
    METRICS.put("array_cosine_distance", Metric.COSINE_DISTANCE);
    METRICS.put("cosine_similarity", Metric.COSINE_SIMILARITY);
    METRICS.put("llm_embed_cosine", Metric.COSINE_SIMILARITY);
    METRICS.put("vector_cosine_similarity", Metric.COSINE_SIMILARITY);
    METRICS.put("array_cosine_similarity", Metric.COSINE_SIMILARITY);
    METRICS.put("inner_product", Metric.INNER_PRODUCT);
    METRICS.put("dot_product", Metric.INNER_PRODUCT);
    METRICS.put("vector_inner_product", Metric.INNER_PRODUCT);
    METRICS.put("array_inner_product", Metric.INNER_PRODUCT);
    METRICS.put("array_dot_product", Metric.INNER_PRODUCT);
  }

  private static final Method VALUE =
      Types.lookupMethod(
          DistanceFunctions.class, "value", String.class, Object.class, Object.class);

  private DistanceFunctions() {}

  /** The functions by name. */
  public static Map<String, Function> all() {
    Map<String, Function> all = new LinkedHashMap<>();
    METRICS.forEach((name, metric) -> all.put(name, new Distance(name, metric)));
    return all;
  }

  /** The metric that an operator computes of its two operands, or null if it is none of these. */
  public static Metric metric(SqlOperator operator) {
    return operator instanceof SqlUserDefinedFunction udf
            && udf.getFunction() instanceof Distance distance
        ? distance.metric
        : null;
  }

  /** The metric of a function's name, in lower case, or null if it is none of these. */
  public static Metric metric(String name) {
    return METRICS.get(name);
  }

  /** Evaluates a function; called by generated code. */
  public static Double value(String function, Object a, Object b) {
    if (a == null || b == null) {
      return null;
    }
    float[] x = Arguments.vector(function, "first vector", a);
    float[] y = Arguments.vector(function, "second vector", b);
    if (x.length != y.length) {
      throw Errors.dimensionsDiffer(function, x.length, y.length).raise();
    }
    double value = METRICS.get(function).value(x, y);
    return Double.isNaN(value) ? null : value + 0.0;
  }

  private record Distance(String name, Metric metric)
      implements ScalarFunction, ImplementableFunction, Signature.Own {
    @Override
    public List<FunctionParameter> getParameters() {
      return Signature.of("a", "b").parameters();
    }

    @Override
    public RelDataType getReturnType(RelDataTypeFactory typeFactory) {
      return Signature.nullable(typeFactory, SqlTypeName.DOUBLE);
    }

    @Override
    public CallImplementor getImplementor() {
      return RexImpTable.createImplementor(
          (translator, call, operands) ->
              Expressions.call(
                  VALUE,
                  Expressions.constant(name),
                  object(operands.get(0)),
                  object(operands.get(1))),
          NullPolicy.NONE,
          false);
    }

    private static Expression object(Expression operand) {
      return Expressions.convert_(Expressions.box(operand), Object.class);
    }
  }
}
