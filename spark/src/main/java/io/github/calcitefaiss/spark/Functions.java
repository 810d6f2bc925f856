/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sql.function.JsonText;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * What the functions do, called by code that Spark generates. A vector argument comes with the name
 * of the {@link Vectors} that it is.
 */
public final class Functions {
  /** The metric of each function of two vectors. */
  static final Map<String, Metric> METRICS = new LinkedHashMap<>();

  static {
    METRICS.put("l2_distance", Metric.L2);
    METRICS.put("euclidean_distance", Metric.L2);
    METRICS.put("vec_distance_l2", Metric.L2);
    METRICS.put("array_distance", Metric.L2);
    METRICS.put("l2_squared_distance", Metric.L2_SQUARED);
    METRICS.put("l1_distance", Metric.L1);
    METRICS.put("vec_distance_l1", Metric.L1);
    METRICS.put("cosine_distance", Metric.COSINE_DISTANCE);
    METRICS.put("vec_distance_cosine", Metric.COSINE_DISTANCE);
    METRICS.put("cosine_similarity", Metric.COSINE_SIMILARITY);
    METRICS.put("inner_product", Metric.INNER_PRODUCT);
    METRICS.put("dot_product", Metric.INNER_PRODUCT);
  }

  private Functions() {}

  /** The elements of an argument; an error names function and argument. */
  static float[] vector(String function, String argument, Vectors kind, Object value) {
    try {
      return kind.elements(value);
    } catch (VectorException e) {
      throw bad(function, argument, e.getMessage());
    }
  }

  static VectorException bad(String function, String argument, String problem) {
    return new VectorException(function + ": " + argument + ": " + problem);
  }

  static VectorException dimensionsDiffer(String function, int a, int b) {
    return new VectorException(function + ": the vectors' dimensions differ: " + a + " and " + b);
  }

  /** The value of a function of two vectors; NULL for a zero vector under cosine. */
  static Double distance(String function, float[] a, float[] b) {
    if (a.length != b.length) {
      throw dimensionsDiffer(function, a.length, b.length);
    }
    double value = METRICS.get(function).value(a, b);
    return Double.isNaN(value) ? null : value + 0.0;
  }

  private static float[] vector(UTF8String function, UTF8String kind, Object value) {
    return vector(function.toString(), "vector", Vectors.valueOf(kind.toString()), value);
  }

  /** {@code vector_dims}. */
  public static long dims(Object value, UTF8String function, UTF8String kind) {
    return vector(function, kind, value).length;
  }

  /** {@code vector_norm}, under our name {@code vec_norm} too, since Spark has a vector_norm. */
  public static double norm(Object value, UTF8String function, UTF8String kind) {
    return norm(vector(function, kind, value));
  }

  private static double norm(float[] vector) {
    double sum = 0;
    for (float element : vector) {
      sum += (double) element * element;
    }
    return Math.sqrt(sum);
  }

  /** {@code l2_normalize}: NULL for a zero vector. */
  public static byte[] normalize(Object value, UTF8String function, UTF8String kind) {
    float[] elements = vector(function, kind, value);
    double norm = norm(elements);
    if (norm == 0) {
      return null;
    }
    for (int i = 0; i < elements.length; i++) {
      elements[i] = (float) (elements[i] / norm);
    }
    return VectorCodec.encode(elements);
  }

  /** {@code vec_to_json} and {@code faiss_decode}. */
  public static UTF8String toJson(Object value, UTF8String function, UTF8String kind) {
    return UTF8String.fromString(JsonText.ofVector(vector(function, kind, value)));
  }

  /** {@code faiss_decode(blob)}. */
  public static UTF8String decode(byte[] blob) {
    float[] elements = vector("faiss_decode", "blob", Vectors.BLOB, blob);
    return UTF8String.fromString(JsonText.ofVector(elements));
  }

  /** {@code faiss_encode(json)}. */
  public static byte[] encode(UTF8String json) {
    try {
      return VectorCodec.encode(VectorJson.parse(json.toString()));
    } catch (VectorException e) {
      throw bad("faiss_encode", "json", e.getMessage());
    }
  }

  /** {@code faiss_encode(array)}. */
  public static byte[] encodeArray(Object value, UTF8String function, UTF8String kind) {
    return VectorCodec.encode(vector(function, kind, value));
  }

  /** {@code vec_add} and {@code vec_sub}. */
  public static byte[] combine(
      Object a, Object b, UTF8String function, UTF8String kindA, UTF8String kindB) {
    String name = function.toString();
    int sign = name.equals("vec_sub") ? -1 : 1;
    float[] x = vector(name, "first vector", Vectors.valueOf(kindA.toString()), a);
    float[] y = vector(name, "second vector", Vectors.valueOf(kindB.toString()), b);
    if (x.length != y.length) {
      throw dimensionsDiffer(name, x.length, y.length);
    }
    for (int i = 0; i < x.length; i++) {
      double exact = (double) x[i] + sign * (double) y[i];
      x[i] = (float) exact;
      if (!Float.isFinite(x[i])) {
        throw new VectorException(
            name + ": element " + i + " of the result is " + exact + ", beyond float32");
      }
    }
    return VectorCodec.encode(x);
  }

  /** {@code vec_slice(vector, start, end)}: from 0, end exclusive. */
  public static byte[] slice(
      Object value, long start, long end, UTF8String function, UTF8String kind) {
    float[] elements = vector(function, kind, value);
    if (start < 0 || start > end || end > elements.length) {
      throw new VectorException(
          "vec_slice: elements "
              + start
              + " to "
              + end
              + " are not all in a vector of "
              + elements.length
              + " dimensions; expected 0 <= start <= end <= "
              + elements.length);
    }
    return VectorCodec.encode(Arrays.copyOfRange(elements, (int) start, (int) end));
  }

  /** {@code subvector(vector, start, count)}: from 1. */
  public static byte[] subvector(
      Object value, long start, long count, UTF8String function, UTF8String kind) {
    float[] elements = vector(function, kind, value);
    if (start < 1 || count < 0 || count > elements.length || start - 1 > elements.length - count) {
      throw new VectorException(
          "subvector: "
              + count
              + " elements from number "
              + start
              + " are not all in a vector of "
              + elements.length
              + " dimensions; elements count from 1");
    }
    int from = (int) start - 1;
    return VectorCodec.encode(Arrays.copyOfRange(elements, from, from + (int) count));
  }
}
