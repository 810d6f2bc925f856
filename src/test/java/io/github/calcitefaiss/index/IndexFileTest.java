/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read from an index's file is what was written, or nothing. */
class IndexFileTest {
  @TempDir Path folder;

  private static BruteForce rows(Random random, int size, int dims, int kind) {
    BruteForce all = new BruteForce();
    for (int i = 0; i < size; i++) {
      float[] vector = new float[dims];
      for (int d = 0; d < dims && i % 9 > 0; d++) {
        vector[d] = (float) random.nextGaussian();
      }
      Object[] ids = {(long) i, "i" + i + "é\ud83d", i + 0.5, new byte[] {(byte) i, 0, 7}};
      all.add(ids[kind < 4 ? kind : i % 4], vector);
    }
    return all;
  }

  private Path write(FlatIndex index, String label) throws IOException {
    Path file = folder.resolve("index");
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      IndexFile.write(channel, label, index, 3, Checkpoint.NONE);
    }
    return file;
  }

  private static IndexFile.Content read(Path file, String label) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return IndexFile.read(channel, label, bytes -> {}, Checkpoint.NONE);
    }
  }

  @Test
  void anIndexComesBackAsItWas() throws IOException {
    Random random = Seeds.random("anIndexComesBackAsItWas");
    for (int round = 0; round < 15; round++) {
      int dims = 1 + random.nextInt(70);
      BruteForce all = rows(random, round == 0 ? 1 : 1 + random.nextInt(9000), dims, round % 5);
      FlatIndex written = all.codes(new PlainKernel());
      IndexFile.Content content = read(write(written, "label é"), "label é");
      FlatIndex index = content.index();
      assertEquals(3, content.skipped());
      assertEquals(written.bytes(), index.bytes());
      assertEquals(written.zeroRows(), index.zeroRows());
      for (Metric metric : Metric.values()) {
        float[] query = all.vector(random.nextInt(all.size())).clone();
        query[0] += 0.25f;
        Search search = Search.nearest(query, metric, 1 + random.nextInt(20));
        BruteForce.assertSame(
            all.search(search),
            index.search(search, Checkpoint.NONE, all.floats(index)),
            metric + ", round " + round);
      }
    }
  }

  @Test
  void anEmptyIndexAndAnotherLabel() throws IOException {
    Path file = write(new FlatIndex.Builder().build(), "one");
    assertEquals(0, read(file, "one").index().size());
    assertNull(read(file, "two"));
  }

  @Test
  void everyFlippedBitAndEveryCutIsNoticed() throws IOException {
    Random random = Seeds.random("everyFlippedBitAndEveryCutIsNoticed");
    Path file = write(rows(random, 70, 5, 4).codes(new PlainKernel()), "label");
    byte[] whole = Files.readAllBytes(file);
    for (int i = 0; i < whole.length; i++) {
      byte[] flipped = whole.clone();
      flipped[i] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, flipped);
      refused(file, "byte " + i + " flipped");
    }
    for (int length = 0; length < whole.length; length += 1 + random.nextInt(20)) {
      Files.write(file, Arrays.copyOf(whole, length));
      refused(file, "cut to " + length);
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    refused(file, "longer");
    Files.write(file, whole);
    assertEquals(70, read(file, "label").index().size());
  }

  private static void refused(Path file, String what) {
    try {
      assertNull(read(file, "label"), what);
    } catch (IOException e) {
      assertTrue(e instanceof IndexFile.DamagedException, what + ": " + e);
    }
  }

  @Test
  void whatIsNoIndexIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("text"), "no index, but long enough for one");
    assertThrows(IndexFile.DamagedException.class, () -> read(file, "label"));
  }
}
