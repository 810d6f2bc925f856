/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A way to write the elements of a vector one after the other, as bytes. */
enum NumberForm {
  FLOAT32("float32", "<f4", 4, 8, 0),
  FLOAT64("float64", "<f8", 8, 11, 3),
  FLOAT16("float16", "<f2", 2, 5, 5),
  BFLOAT16("bfloat16", null, 2, 8, 8),
  BIG_FLOAT32("big-endian float32", ">f4", 4, 8, 6),
  BIG_FLOAT64("big-endian float64", ">f8", 8, 11, 8),
  BIG_FLOAT16("big-endian float16", ">f2", 2, 5, 12),
  INT8("int8", "i1", 1, 0, 12),
  UINT8("uint8", "u1", 1, 0, 13),
  INT32("int32", "<i4", 4, 0, 12),
  INT64("int64", "<i8", 8, 0, 12);

  private final String label;
  private final String numpy;
  private final int width;
  private final int exponentBits;
  private final int rare;

  NumberForm(String label, String numpy, int width, int exponentBits, int rare) {
    this.label = label;
    this.numpy = numpy;
    this.width = width;
    this.exponentBits = exponentBits;
    this.rare = rare;
  }

  /** Whether a number is of a size that elements of vectors in this form have. */
  boolean usual(double value) {
    double size = Math.abs(value);
    if (!isFloat()) {
      return size < 1 << 24;
    }
    // A half's few exponents are all usual otherwise; pixels are the largest that are kept so.
    return size == 0 || size >= 1e-10 && size <= (exponentBits == 5 ? 300 : 1e10);
  }

  /** Its name. */
  String label() {
    return label;
  }

  /** The bytes of an element. */
  int width() {
    return width;
  }

  /** The bits of the exponent; 0 for whole numbers. */
  int exponentBits() {
    return exponentBits;
  }

  /** The bits of the fraction. */
  int fractionBits() {
    return 8 * width - 1 - exponentBits;
  }

  /** How much rarer than float32 it is in databases, as a power of two. */
  int rare() {
    return rare;
  }

  boolean isFloat() {
    return exponentBits > 0;
  }

  /** In Python, what makes float32 of a value that {@code from} gives. */
  String toFloat32(String from) {
    if (this == BFLOAT16) {
      return "(numpy.frombuffer(" + from + ", '<u2').astype('<u4') << 16).tobytes()";
    }
    return "numpy.frombuffer(" + from + ", '" + numpy + "').astype('<f4').tobytes()";
  }

  /** A blob to read elements from. */
  ByteBuffer buffer(byte[] blob) {
    boolean big = this == BIG_FLOAT16 || this == BIG_FLOAT32 || this == BIG_FLOAT64;
    return ByteBuffer.wrap(blob).order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
  }

  /** The bits of an element; those of whole numbers with their sign. */
  long bits(ByteBuffer blob, int element) {
    return switch (width) {
      case 8 -> blob.getLong(8 * element);
      case 4 -> isFloat() ? blob.getInt(4 * element) & 0xffffffffL : blob.getInt(4 * element);
      case 2 -> blob.getShort(2 * element) & 0xffffL;
      default -> this == INT8 ? blob.get(element) : (blob.get(element) & 0xff) - 128;
    };
  }

  /** The number that bits stand for; of uint8, less 128. */
  double value(long bits) {
    if (!isFloat()) {
      return bits;
    } else if (width == 8) {
      return Double.longBitsToDouble(bits);
    } else if (exponentBits == 8) {
      return Float.intBitsToFloat((int) (width == 2 ? bits << 16 : bits));
    }
    int exponent = (int) (bits >> 10) & 0x1f;
    int fraction = (int) bits & 0x3ff;
    double size =
        exponent == 0
            ? fraction * 0x1p-24
            : exponent == 31 ? Double.NaN : (1024 + fraction) * Math.pow(2, exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
  }

  /** The elements of a blob; null where its length is none of whole elements. */
  double[] elements(byte[] blob) {
    if (blob.length == 0 || blob.length % width != 0) {
      return null;
    }
    double[] elements = new double[blob.length / width];
    ByteBuffer buffer = buffer(blob);
    for (int i = 0; i < elements.length; i++) {
      elements[i] = value(bits(buffer, i)) + (this == UINT8 ? 128 : 0);
    }
    return elements;
  }
}
