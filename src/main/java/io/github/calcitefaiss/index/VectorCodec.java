/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Vectors as blobs: float32 elements, little-endian, one after the other. */
public final class VectorCodec {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private VectorCodec() {}

  /** Whether a blob has the bits of the vector that is in an array from some place on. */
  static boolean equals(byte[] blob, float[] in, int at) {
    for (int i = 0; 4 * i < blob.length; i++) {
      if ((int) INTS.get(blob, 4 * i) != Float.floatToRawIntBits(in[at + i])) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads a blob as a vector of finite elements.
   *
   * @throws VectorException if the length is not a multiple of 4 or an element is not finite
   */
  public static float[] decode(byte[] blob) {
    float[] vector = new float[elements(blob)];
    decode(blob, vector, 0);
    return vector;
  }

  /**
   * Reads a blob whose length is a multiple of 4 into an array, as {@link #decode(byte[])} does.
   */
  public static void decode(byte[] blob, float[] to, int at) {
    int n = blob.length / 4;
    ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(to, at, n);
    for (int i = 0; i < n; i++) {
      if (!Float.isFinite(to[at + i])) {
        throw new VectorException(
            "element " + i + " is " + to[at + i] + ", expected a finite number");
      }
    }
  }

  /**
   * The dimension of a vector that is to be indexed.
   *
   * @throws VectorException if the blob is empty, too long or its length not a multiple of 4
   */
  static int dims(byte[] blob) {
    int dims = elements(blob);
    if (dims == 0) {
      throw new VectorException("the vector is empty (0 bytes)");
    }
    if (dims > Layout.MAX_DIMS) {
      throw new VectorException("expected at most " + Layout.MAX_DIMS + " dimensions, got " + dims);
    }
    return dims;
  }

  /** The number of elements of a blob. */
  static int elements(byte[] blob) {
    if (blob.length % 4 != 0) {
      throw new VectorException(
          "a float32 vector's length in bytes must be a multiple of 4, got " + blob.length);
    }
    return blob.length / 4;
  }

  /** Writes a vector as a blob of four bytes an element. */
  public static byte[] encode(float[] vector) {
    ByteBuffer blob = ByteBuffer.allocate(vector.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    blob.asFloatBuffer().put(vector);
    return blob.array();
  }
}
