/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.TopK;
import java.io.Serializable;

/**
 * A function of two vectors as it is called for one row after the other.
 *
 * @param function its name
 * @param first the kind of its first argument
 * @param second the kind of its second
 * @param constant the elements of the argument that is the same for all rows, or null
 * @param constantFirst whether that is the first one
 */
public record DistanceCall(
    String function, Vectors first, Vectors second, float[] constant, boolean constantFirst)
    implements Serializable {
  Metric metric() {
    return Functions.METRICS.get(function);
  }

  /** The kind of the argument that changes from row to row. */
  Vectors varying() {
    return constantFirst ? second : first;
  }

  /** What the messages call the argument that changes. */
  String varyingName() {
    return constantFirst ? "second vector" : "first vector";
  }

  /** The value for two vectors, neither of them null. */
  public static Double both(Object a, Object b, DistanceCall call) {
    return Functions.distance(
        call.function,
        Functions.vector(call.function, "first vector", call.first, a),
        Functions.vector(call.function, "second vector", call.second, b));
  }

  /** The value for a vector that is not null and the constant one. */
  public static Double one(Object value, DistanceCall call) {
    float[] constant = call.constant;
    if (value instanceof byte[] blob && blob.length == 4 * constant.length) {
      // The same bits without a copy, for the metric that most ask for.
      if (call.metric() == Metric.L2) {
        return Math.sqrt(TopK.l2Squared(constant, blob));
      } else if (call.metric() == Metric.L2_SQUARED) {
        return TopK.l2Squared(constant, blob) + 0.0;
      }
    }
    float[] vector = Functions.vector(call.function, call.varyingName(), call.varying(), value);
    return call.constantFirst
        ? Functions.distance(call.function, constant, vector)
        : Functions.distance(call.function, vector, constant);
  }

  /** The message for a row whose vector has another dimension. */
  RuntimeException dimensionsDiffer(int dims) {
    return constantFirst
        ? Functions.dimensionsDiffer(function, constant.length, dims)
        : Functions.dimensionsDiffer(function, dims, constant.length);
  }
}
