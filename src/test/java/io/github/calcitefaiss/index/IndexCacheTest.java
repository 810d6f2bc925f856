/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One load for all who wait, within the limit, whoever gives up meanwhile. */
class IndexCacheTest {
  private static final int STRESS = Integer.getInteger("faults.loads", 2000);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicInteger loads = new AtomicInteger();
  private final AtomicInteger opened = new AtomicInteger();
  private final AtomicInteger closed = new AtomicInteger();

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  private static FlatIndex index(int rows) {
    FlatIndex.Builder builder = new FlatIndex.Builder();
    for (int i = 0; i < rows; i++) {
      builder.add((long) i, new byte[] {0, 0, (byte) 0x80, 0x3f});
    }
    return builder.build();
  }

  private static IndexCache.Entry entry(Comparable<?> version, long bytes) {
    return new IndexCache.Entry(version, index(1), bytes, 0, 0, 0);
  }

  private interface Load {
    IndexCache.Entry load(Checkpoint checkpoint, IndexCache.Memory memory) throws Exception;
  }

  private IndexCache.Loader loader(Load load) {
    return () -> {
      opened.incrementAndGet();
      return new IndexCache.Source() {
        @Override
        public void handOver(BooleanSupplier abandoned) {
          assertFalse(abandoned.getAsBoolean());
        }

        @Override
        public IndexCache.Entry load(
            Checkpoint checkpoint, IndexCache.Memory memory, IndexCache.Entry previous)
            throws Exception {
          loads.incrementAndGet();
          return load.load(checkpoint, memory);
        }

        @Override
        public void close() {
          closed.incrementAndGet();
        }
      };
    };
  }

  private IndexCache.Loader loader(Comparable<?> version, long bytes) {
    return loader(
        (checkpoint, memory) -> {
          memory.charge(bytes);
          return entry(version, bytes);
        });
  }

  private static Checkpoint unless(AtomicBoolean cancelled) {
    return () -> {
      if (cancelled.get()) {
        throw new CancellationException();
      }
    };
  }

  private static void untilWaiting(IndexCache cache, int threads) {
    while (cache.waiting("t") < threads) {
      Thread.onSpinWait();
    }
  }

  @Test
  void manyAskAndOneLoads() throws Exception {
    IndexCache cache = new IndexCache(1000);
    CountDownLatch go = new CountDownLatch(1);
    List<Future<IndexCache.Entry>> answers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      answers.add(
          threads.submit(
              () ->
                  cache.get(
                      "t",
                      "g",
                      1000,
                      1,
                      loader(
                          (checkpoint, memory) -> {
                            go.await();
                            memory.charge(10);
                            return entry(1, 10);
                          }),
                      Checkpoint.NONE)));
    }
    untilWaiting(cache, 20);
    go.countDown();
    for (Future<IndexCache.Entry> answer : answers) {
      assertSame(answers.get(0).get(), answer.get());
    }
    assertEquals(1, loads.get());
    assertEquals(opened.get(), closed.get());
    assertEquals(10, cache.bytes());
  }

  @Test
  void theOneWhoBeganMayLeaveAndTheOthersGetTheirAnswer() throws Exception {
    IndexCache cache = new IndexCache(1000);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicBoolean cancelled = new AtomicBoolean();
    IndexCache.Loader slow =
        loader(
            (checkpoint, memory) -> {
              begun.countDown();
              go.await();
              checkpoint.check();
              return entry(1, 10);
            });
    Future<IndexCache.Entry> first =
        threads.submit(() -> cache.get("t", "g", 1000, 1, slow, unless(cancelled)));
    begun.await();
    Future<IndexCache.Entry> second =
        threads.submit(() -> cache.get("t", "g", 1000, 1, slow, Checkpoint.NONE));
    untilWaiting(cache, 2);
    cancelled.set(true);
    ExecutionException e = assertThrows(ExecutionException.class, first::get);
    assertTrue(e.getCause() instanceof CancellationException);
    go.countDown();
    assertEquals(1, second.get().version());
    assertEquals(1, loads.get());
  }

  @Test
  void aLoadThatNobodyWaitsForEndsAndGivesItsMemoryBack() throws Exception {
    IndexCache cache = new IndexCache(1000);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    AtomicBoolean cancelled = new AtomicBoolean();
    Future<IndexCache.Entry> only =
        threads.submit(
            () ->
                cache.get(
                    "t",
                    "g",
                    1000,
                    1,
                    loader(
                        (checkpoint, memory) -> {
                          memory.charge(500);
                          begun.countDown();
                          try {
                            while (true) {
                              checkpoint.check();
                              Thread.onSpinWait();
                            }
                          } finally {
                            ended.countDown();
                          }
                        }),
                    unless(cancelled)));
    begun.await();
    cancelled.set(true);
    assertThrows(ExecutionException.class, only::get);
    ended.await();
    while (cache.bytes() != 0) {
      Thread.onSpinWait();
    }
    assertEquals(2, cache.get("t", "g", 1000, 2, loader(2, 10), Checkpoint.NONE).version());
  }

  @Test
  void anErrorReachesAllWhoWaitAndTheNextTriesAgain() throws Exception {
    IndexCache cache = new IndexCache(1000);
    CountDownLatch go = new CountDownLatch(1);
    List<Future<IndexCache.Entry>> answers = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      answers.add(
          threads.submit(
              () ->
                  cache.get(
                      "t",
                      "g",
                      1000,
                      1,
                      loader(
                          (checkpoint, memory) -> {
                            go.await();
                            throw new IOException("broken");
                          }),
                      Checkpoint.NONE)));
    }
    untilWaiting(cache, 5);
    go.countDown();
    for (Future<IndexCache.Entry> answer : answers) {
      ExecutionException e = assertThrows(ExecutionException.class, answer::get);
      assertEquals("broken", e.getCause().getMessage());
    }
    assertEquals(1, loads.get());
    assertEquals(1, cache.get("t", "g", 1000, 1, loader(1, 10), Checkpoint.NONE).version());
  }

  @Test
  void anOlderVersionTakesNoNewerOnesPlace() throws Exception {
    IndexCache cache = new IndexCache(1000);
    cache.get("t", "g", 1000, 5, loader(5, 10), Checkpoint.NONE);
    assertEquals(4, cache.get("t", "g", 1000, 4, loader(4, 10), Checkpoint.NONE).version());
    assertEquals(5, cache.status("t").entry().version());
    assertEquals(10, cache.bytes());
    assertNull(cache.get("t", "g", 1000, 6, () -> null, Checkpoint.NONE));
  }

  /** The heap may be full of other things than indexes, within their limit. */
  @Test
  void whereTheHeapIsFullTheOthersGoAndTheLoadIsTriedOnceMore() throws Exception {
    IndexCache cache = new IndexCache(1000);
    for (String other : List.of("a", "b")) {
      cache.get(other, "g", 1000, 1, loader(1, 100), Checkpoint.NONE);
    }
    AtomicInteger failures = new AtomicInteger(1);
    IndexCache.Loader tight =
        loader(
            (checkpoint, memory) -> {
              memory.charge(50);
              if (failures.getAndDecrement() > 0) {
                throw new OutOfMemoryError("as thrown by the JVM");
              }
              assertNull(cache.status("a").entry());
              return entry(1, 50);
            });
    assertEquals(1, cache.get("t", "g", 1000, 1, tight, Checkpoint.NONE).version());
    assertEquals(50, cache.bytes());
    assertEquals(3, closed.get());
    failures.set(2);
    Exception e =
        assertThrows(Exception.class, () -> cache.get("u", "g", 1000, 1, tight, Checkpoint.NONE));
    assertTrue(e.getCause() instanceof OutOfMemoryError, e.toString());
    assertEquals(0, cache.bytes());
  }

  @Test
  void workThatFailedIsDoneAgain() throws Exception {
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    try {
      CountDownLatch done = new CountDownLatch(3);
      timer.scheduleWithFixedDelay(
          Daemons.again(
              () -> {
                done.countDown();
                throw new OutOfMemoryError("as thrown by the JVM");
              }),
          0,
          1,
          TimeUnit.MILLISECONDS);
      assertTrue(done.await(20, TimeUnit.SECONDS));
    } finally {
      timer.shutdownNow();
    }
  }

  @Test
  void theIndexUnusedLongestMakesRoom() throws Exception {
    IndexCache cache = new IndexCache(100);
    for (String table : new String[] {"a", "b", "c"}) {
      cache.get(table, "g", 100, 1, loader(1, 30), Checkpoint.NONE);
    }
    cache.get("a", "g", 100, 1, loader(1, 30), Checkpoint.NONE);
    cache.get("d", "g", 100, 1, loader(1, 30), Checkpoint.NONE);
    assertNull(cache.status("b").entry());
    assertEquals(90, cache.bytes());
    // A newer version needs room beside the older one, which goes first.
    cache.get("d", "g", 100, 2, loader(2, 40), Checkpoint.NONE);
    assertEquals(100, cache.bytes());
    assertEquals(1, cache.status("a").entry().version());
    assertEquals(1, cache.status("c").entry().version());
    assertThrows(
        MemoryLimitException.class,
        () -> cache.get("e", "g", 100, 1, loader(1, 101), Checkpoint.NONE));
  }

  @Test
  void aGroupsLimitPutsOutNoOtherGroup() throws Exception {
    IndexCache cache = new IndexCache(1000);
    cache.get("other", "h", 1000, 1, loader(1, 30), Checkpoint.NONE);
    cache.get("a", "g", 50, 1, loader(1, 30), Checkpoint.NONE);
    cache.get("b", "g", 50, 1, loader(1, 30), Checkpoint.NONE);
    assertNull(cache.status("a").entry());
    assertEquals(1, cache.status("other").entry().version());
    MemoryLimitException e =
        assertThrows(
            MemoryLimitException.class,
            () -> cache.get("c", "g", 50, 1, loader(1, 60), Checkpoint.NONE));
    assertEquals(50, e.limit());
    assertEquals(1, cache.status("other").entry().version());
  }

  /** Everything at once, at random: nobody gets another version than asked for, nothing leaks. */
  @Test
  void inAnyOrder() throws Exception {
    assertEquals(0, refusedInAnyOrder(4000, 4000));
  }

  /** The same where there is room for two of eight: requests are refused, and nothing else. */
  @Test
  void inAnyOrderWithTooLittleMemory() throws Exception {
    assertTrue(refusedInAnyOrder(200, 150) > 0);
  }

  /** How many requests were refused for want of memory. All others must end as their load does. */
  private long refusedInAnyOrder(long limit, long groupLimit) throws Exception {
    long seed = Seeds.random("IndexCacheTest").nextLong();
    IndexCache cache = new IndexCache(limit);
    AtomicInteger newest = new AtomicInteger(2);
    List<Future<Integer>> threadsRefused = new ArrayList<>();
    for (int t = 0; t < 8; t++) {
      Random random = new Random(seed + t);
      threadsRefused.add(
          threads.submit(
              () -> {
                int refused = 0;
                for (int i = 0; i < STRESS / 16; i++) {
                  int version = random.nextInt(4) == 0 ? newest.incrementAndGet() : newest.get();
                  AtomicBoolean cancelled = new AtomicBoolean(random.nextInt(10) == 0);
                  try {
                    IndexCache.Entry entry =
                        cache.get(
                            "t" + random.nextInt(3),
                            "g" + random.nextInt(2),
                            groupLimit,
                            version,
                            loader(
                                (checkpoint, memory) -> {
                                  for (int part = 0; part < 4; part++) {
                                    memory.charge(20);
                                    Thread.yield();
                                    checkpoint.check();
                                  }
                                  if (version % 10 == 0) {
                                    throw new IOException("broken");
                                  } else if (version % 10 == 1) {
                                    throw new OutOfMemoryError("for a test");
                                  }
                                  return entry(version, 80);
                                }),
                            unless(cancelled));
                    assertEquals(version, entry.version());
                    assertTrue(version % 10 > 1, "a broken load's answer");
                  } catch (IOException e) {
                    assertEquals(0, version % 10);
                  } catch (MemoryLimitException e) {
                    refused++;
                  } catch (IllegalStateException e) {
                    // A load that the heap has no room for ends so as well.
                    assertTrue(cancelled.get() || version % 10 == 1, e.toString());
                  }
                }
                return refused;
              }));
    }
    long refused = 0;
    for (Future<Integer> thread : threadsRefused) {
      refused += thread.get();
    }
    while (closed.get() < opened.get()) {
      Thread.onSpinWait();
    }
    long held = 0;
    for (int t = 0; t < 3; t++) {
      IndexCache.Entry entry = cache.status("t" + t).entry();
      held += entry == null ? 0 : entry.bytes();
    }
    while (cache.bytes() != held) {
      Thread.onSpinWait();
    }
    return refused;
  }
}
