/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sqlite.VectorJson;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.unsafe.types.UTF8String;

/** The types of column that hold a vector, and their values as float32 elements. */
enum Vectors {
  /** Float32 elements, little-endian. */
  BLOB,
  /** ARRAY&lt;FLOAT&gt;. */
  FLOATS,
  /** ARRAY&lt;DOUBLE&gt; whose elements float32 holds exactly. */
  DOUBLES,
  /** A JSON array of numbers, each rounded to float32. */
  JSON;

  /** The kind of vector that a type holds, or null if it holds none. */
  static Vectors of(DataType type) {
    if (type instanceof BinaryType) {
      return BLOB;
    } else if (type instanceof StringType || type instanceof NullType) {
      return JSON;
    } else if (type instanceof ArrayType array) {
      return array.elementType() instanceof FloatType
          ? FLOATS
          : array.elementType() instanceof DoubleType ? DOUBLES : null;
    }
    return null;
  }

  /**
   * The type that a type is to be cast to first: numbers written in SQL, as in {@code array(0.1,
   * 2)}, are decimals and integers, and become float32 as those of JSON text do.
   */
  static DataType cast(DataType type) {
    boolean numbers =
        type instanceof ArrayType array
            && array.elementType() instanceof NumericType
            && (array.elementType() instanceof DecimalType || of(type) == null);
    return numbers || isEmptyArray(type) ? DataTypes.createArrayType(DataTypes.FloatType) : null;
  }

  private static boolean isEmptyArray(DataType type) {
    return type instanceof ArrayType array && array.elementType() instanceof NullType;
  }

  /**
   * The elements of a value.
   *
   * @throws VectorException if it is no vector of finite float32 elements
   */
  float[] elements(Object value) {
    switch (this) {
      case BLOB:
        return VectorCodec.decode((byte[]) value);
      case FLOATS:
        ArrayData floats = (ArrayData) value;
        float[] vector = new float[floats.numElements()];
        for (int i = 0; i < vector.length; i++) {
          check(i, floats);
          vector[i] = floats.getFloat(i);
          finite(i, vector[i]);
        }
        return vector;
      case DOUBLES:
        ArrayData doubles = (ArrayData) value;
        float[] exact = new float[doubles.numElements()];
        for (int i = 0; i < exact.length; i++) {
          check(i, doubles);
          double element = doubles.getDouble(i);
          exact[i] = (float) element;
          finite(i, element);
          if (exact[i] != element) {
            throw new VectorException(
                "element "
                    + i
                    + " is "
                    + element
                    + ", which float32 doesn't hold exactly; CAST(… AS ARRAY<FLOAT>) rounds it");
          }
        }
        return exact;
      default:
        return VectorJson.parse(((UTF8String) value).toString());
    }
  }

  private static void check(int i, ArrayData array) {
    if (array.isNullAt(i)) {
      throw new VectorException("element " + i + " is NULL, expected a number");
    }
  }

  private static void finite(int i, double element) {
    if (!Double.isFinite(element)) {
      throw new VectorException("element " + i + " is " + element + ", expected a finite number");
    }
  }
}
