/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.index.VectorCodec;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.schema.Function;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * Functions that measure, convert and combine vectors, under the names that pgvector ({@code
 * vector_dims}, {@code vector_norm}, {@code l2_normalize}, {@code subvector}) and sqlite-vec
 * ({@code vec_…}) have for them.
 *
 * <p>NULL in any argument gives NULL. A vector's elements are float32; a result's are computed in
 * double and rounded once.
 */
public final class VectorFunctions {
  private VectorFunctions() {}

  /** The functions by name. */
  public static Map<String, Function> all() {
    Map<String, Function> all = new LinkedHashMap<>();
    Signature one = Signature.of("vector");
    Signature two = Signature.of("a", "b");
    Function dims = one.scalar(SqlTypeName.BIGINT, VectorFunctions.class, "dims");
    all.put("vector_dims", dims);
    all.put("vec_length", dims);
    all.put("vector_norm", one.scalar(SqlTypeName.DOUBLE, VectorFunctions.class, "norm"));
    Function normalize = one.scalar(SqlTypeName.VARBINARY, VectorFunctions.class, "normalize");
    all.put("l2_normalize", normalize);
    all.put("vec_normalize", normalize);
    Function encode = one.scalar(SqlTypeName.VARBINARY, VectorFunctions.class, "float32");
    all.put("vec_f32", encode);
    all.put("to_vector", encode);
    all.put("vec_type", one.scalar(SqlTypeName.VARCHAR, VectorFunctions.class, "type"));
    all.put("vec_to_json", one.scalar(SqlTypeName.VARCHAR, VectorFunctions.class, "toJson"));
    all.put("vec_add", two.scalar(SqlTypeName.VARBINARY, VectorFunctions.class, "add"));
    all.put("vec_sub", two.scalar(SqlTypeName.VARBINARY, VectorFunctions.class, "sub"));
    all.put(
        "vec_slice",
        Signature.of("vector", "start", "end")
            .scalar(SqlTypeName.VARBINARY, VectorFunctions.class, "slice"));
    all.put(
        "subvector",
        Signature.of("vector", "start", "count")
            .scalar(SqlTypeName.VARBINARY, VectorFunctions.class, "subvector"));
    return all;
  }

  /** {@code vector_dims(vector)}: how many elements it has. */
  public static Long dims(DataContext root, Object vector) {
    return vector == null
        ? null
        : Long.valueOf(Arguments.vector("vector_dims", "vector", vector).length);
  }

  /** {@code vector_norm(vector)}: its L2 norm. */
  public static Double norm(DataContext root, Object vector) {
    return vector == null ? null : norm(Arguments.vector("vector_norm", "vector", vector));
  }

  private static double norm(float[] vector) {
    double sum = 0;
    for (float element : vector) {
      sum += (double) element * element;
    }
    return Math.sqrt(sum);
  }

  /**
   * {@code l2_normalize(vector)}: the vector of norm 1 in its direction; NULL for a zero vector.
   */
  public static ByteString normalize(DataContext root, Object vector) {
    if (vector == null) {
      return null;
    }
    float[] elements = Arguments.vector("l2_normalize", "vector", vector);
    double norm = norm(elements);
    if (norm == 0) {
      return null;
    }
    for (int i = 0; i < elements.length; i++) {
      elements[i] = (float) (elements[i] / norm);
    }
    return blob(elements);
  }

  /** {@code vec_f32(vector)}: a JSON array as a blob; a blob as it is. */
  public static ByteString float32(DataContext root, Object vector) {
    return vector == null ? null : blob(Arguments.vector("vec_f32", "vector", vector));
  }

  /** {@code vec_type(vector)}: {@code float32}, the only type of elements there is. */
  public static String type(DataContext root, Object vector) {
    if (vector == null) {
      return null;
    }
    Arguments.vector("vec_type", "vector", vector);
    return "float32";
  }

  /** {@code vec_to_json(vector)}: a JSON array of its elements. */
  public static String toJson(DataContext root, Object vector) {
    return vector == null
        ? null
        : JsonText.ofVector(Arguments.vector("vec_to_json", "vector", vector));
  }

  /** {@code vec_add(a, b)}: the sum, element by element. */
  public static ByteString add(DataContext root, Object a, Object b) {
    return combine("vec_add", a, b, 1);
  }

  /** {@code vec_sub(a, b)}: the difference, element by element. */
  public static ByteString sub(DataContext root, Object a, Object b) {
    return combine("vec_sub", a, b, -1);
  }

  private static ByteString combine(String function, Object a, Object b, int sign) {
    if (a == null || b == null) {
      return null;
    }
    float[] x = Arguments.vector(function, "first vector", a);
    float[] y = Arguments.vector(function, "second vector", b);
    if (x.length != y.length) {
      throw Errors.dimensionsDiffer(function, x.length, y.length).raise();
    }
    for (int i = 0; i < x.length; i++) {
      double exact = (double) x[i] + sign * (double) y[i];
      x[i] = (float) exact;
      if (!Float.isFinite(x[i])) {
        throw Errors.overflow(function, i, exact).raise();
      }
    }
    return blob(x);
  }

  /** {@code vec_slice(vector, start, end)}: elements start to end, from 0, end exclusive. */
  public static ByteString slice(DataContext root, Object vector, Object start, Object end) {
    if (vector == null || start == null || end == null) {
      return null;
    }
    float[] elements = Arguments.vector("vec_slice", "vector", vector);
    int from = Arguments.count("vec_slice", "start", start);
    int to = Arguments.count("vec_slice", "end", end);
    if (from > to || to > elements.length) {
      throw Errors.sliceRange(from, to, elements.length).raise();
    }
    return blob(Arrays.copyOfRange(elements, from, to));
  }

  /** {@code subvector(vector, start, count)}: that many elements from start, counted from 1. */
  public static ByteString subvector(DataContext root, Object vector, Object start, Object count) {
    if (vector == null || start == null || count == null) {
      return null;
    }
    float[] elements = Arguments.vector("subvector", "vector", vector);
    int from = Arguments.count("subvector", "start", start);
    int n = Arguments.count("subvector", "count", count);
    if (from < 1 || n > elements.length || from - 1 > elements.length - n) {
      throw Errors.subvectorRange(from, n, elements.length).raise();
    }
    return blob(Arrays.copyOfRange(elements, from - 1, from - 1 + n));
  }

  private static ByteString blob(float[] vector) {
    return new ByteString(VectorCodec.encode(vector));
  }
}
