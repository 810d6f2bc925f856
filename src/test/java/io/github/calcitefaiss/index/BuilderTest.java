/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** A builder takes vectors as they are, or says what is wrong and stays as it was. */
class BuilderTest {
  private static String refused(FlatIndex.Builder builder, byte[] blob) {
    int size = builder.size();
    String message = assertThrows(VectorException.class, () -> builder.add(1L, blob)).getMessage();
    assertEquals(size, builder.size());
    return message;
  }

  @Test
  void badVectorsAreRefusedAndLeaveNoTrace() {
    FlatIndex.Builder builder = new FlatIndex.Builder();
    assertEquals("the vector is empty (0 bytes)", refused(builder, new byte[0]));
    assertEquals(
        "a float32 vector's length in bytes must be a multiple of 4, got 5",
        refused(builder, new byte[5]));
    assertEquals(
        "element 1 is NaN, expected a finite number",
        refused(builder, VectorCodec.encode(new float[] {1, Float.NaN, 2, 3})));
    builder.add(1L, VectorCodec.encode(new float[] {1, 2, 3}));
    assertEquals(
        "element 0 is -Infinity, expected a finite number",
        refused(builder, VectorCodec.encode(new float[] {Float.NEGATIVE_INFINITY, 0, 0})));
    assertEquals(
        "expected 3 dimensions, got 4",
        refused(builder, VectorCodec.encode(new float[] {1, 2, 3, 4})));
    assertEquals(
        "a float32 vector's length in bytes must be a multiple of 4, got 13",
        refused(builder, new byte[13]));
    builder.add(2L, VectorCodec.encode(new float[] {4, -0.0f, Float.MIN_VALUE}));
    FlatIndex index = builder.build();
    assertEquals(2, index.size());
    assertArrayEquals(new float[] {1, 2, 3}, index.vector(0));
    assertArrayEquals(new float[] {4, -0.0f, Float.MIN_VALUE}, index.vector(1));
  }

  @Test
  void rowsKeepTheirVectorsAcrossChunks() {
    int dims = 1000;
    int rows = 20_000;
    FlatIndex.Builder builder = new FlatIndex.Builder(rows / 3, bytes -> {});
    float[] vector = new float[dims];
    for (int i = 0; i < rows; i++) {
      vector[i % dims] = i;
      builder.addLong(-i, VectorCodec.encode(vector));
    }
    FlatIndex index = builder.build();
    for (int i : new int[] {0, 1, 8191, 8192, 8193, 16384, 19_999}) {
      assertEquals(i, index.vector(i)[i % dims]);
      assertEquals((long) -i, index.id(i));
    }
  }

  @Test
  void memoryIsChargedBeforeItIsTaken() {
    AtomicLong held = new AtomicLong();
    FlatIndex.Builder builder = new FlatIndex.Builder(0, held::addAndGet);
    byte[] blob = VectorCodec.encode(new float[100]);
    for (int i = 0; i < 5000; i++) {
      builder.addLong(i, blob);
    }
    FlatIndex index = builder.build();
    assertTrue(
        Math.abs(index.bytes() - held.get()) < index.bytes() / 20,
        index.bytes() + " held, " + held + " charged");
  }

  @Test
  void aRefusedChargeLeavesTheBuilderAsItWas() {
    long[] limit = {1 << 20};
    FlatIndex.Builder builder =
        new FlatIndex.Builder(
            0,
            bytes -> {
              if (bytes > limit[0]) {
                throw new IllegalStateException("limit");
              }
              limit[0] -= bytes;
            });
    byte[] blob = VectorCodec.encode(new float[100]);
    assertThrows(
        IllegalStateException.class,
        () -> {
          for (int i = 0; i < 10_000; i++) {
            builder.addLong(i, blob);
          }
        });
    int size = builder.size();
    assertTrue(size > 500, size + " rows");
    limit[0] = Long.MAX_VALUE;
    builder.addLong(5, blob);
    assertEquals(size + 1, builder.build().size());
  }

  /** Whatever is shown as a sample, the answers are those of an index built without one. */
  @Test
  void aSampleChangesNoAnswer() {
    Random random = Seeds.random("BuilderTest");
    int dims = 700;
    int rows = 26_000;
    float[][] vectors = new float[rows][dims];
    for (float[] vector : vectors) {
      double shift = random.nextInt(3) * 2;
      for (int d = 0; d < dims; d++) {
        vector[d] = (float) (shift + random.nextGaussian());
      }
    }
    List<byte[]> good = new ArrayList<>();
    for (int i = 0; i < rows; i += 100) {
      good.add(VectorCodec.encode(vectors[i]));
    }
    FlatIndex expected = build(vectors, null);
    List<List<byte[]>> samples =
        List.of(
            good,
            List.of(),
            List.of(new byte[0], new byte[5], VectorCodec.encode(new float[] {1, 2})),
            List.of(VectorCodec.encode(new float[dims])),
            Collections.nCopies(300, VectorCodec.encode(vectors[7])));
    for (List<byte[]> sample : samples) {
      FlatIndex index = build(vectors, sample);
      for (int i = 0; i < 5; i++) {
        Search search = Search.nearest(vectors[random.nextInt(rows)], Metric.values()[i % 3], 10);
        Neighbors wanted = expected.search(search, Checkpoint.NONE);
        Neighbors found = index.search(search, Checkpoint.NONE);
        assertArrayEquals(wanted.ordinals(), found.ordinals());
        assertArrayEquals(wanted.values(), found.values());
      }
    }
  }

  private static FlatIndex build(float[][] vectors, List<byte[]> sample) {
    try (FlatIndex.Builder builder = new FlatIndex.Builder(vectors.length, bytes -> {})) {
      if (sample != null) {
        builder.sample(sample);
      }
      for (int i = 0; i < vectors.length; i++) {
        builder.addLong(i, VectorCodec.encode(vectors[i]));
      }
      return builder.build();
    }
  }

  @Test
  void aBuilderCanBeLeftAtAnyTime() {
    for (int rows : new int[] {0, 1, 12_000, 25_000}) {
      try (FlatIndex.Builder builder = new FlatIndex.Builder()) {
        byte[] blob = VectorCodec.encode(new float[700]);
        builder.sample(List.of(blob));
        for (int i = 0; i < rows; i++) {
          builder.addLong(i, blob);
        }
        assertEquals(rows, builder.size());
      }
    }
  }
}
