/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Vectors as blobs: float32 elements, little-endian, one after the other. */
public final class VectorCodec {
  private VectorCodec() {}

  /**
   * Reads a blob as a vector of finite elements.
   *
   * @throws VectorException if the length is not a multiple of 4 or an element is not finite
   */
  public static float[] decode(byte[] blob) {
    if (blob.length % 4 != 0) {
      throw new VectorException(
          "a float32 vector's length in bytes must be a multiple of 4, got " + blob.length);
    }
    float[] vector = new float[blob.length / 4];
    ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(vector);
    for (int i = 0; i < vector.length; i++) {
      if (!Float.isFinite(vector[i])) {
        throw new VectorException(
            "element " + i + " is " + vector[i] + ", expected a finite number");
      }
    }
    return vector;
  }

  /** Writes a vector as a blob of four bytes an element. */
  public static byte[] encode(float[] vector) {
    ByteBuffer blob = ByteBuffer.allocate(vector.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    blob.asFloatBuffer().put(vector);
    return blob.array();
  }
}
