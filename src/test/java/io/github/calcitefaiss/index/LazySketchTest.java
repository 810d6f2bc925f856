/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** When a sketch is made, and what becomes of searches when that fails. */
class LazySketchTest {
  private static final int ENOUGH = 300;

  @Test
  void aSearchDoesNotFailWhereNoThreadCanBeStarted() {
    LazySketch lazy =
        new LazySketch(
            true,
            body ->
                new Thread(body) {
                  @Override
                  public void start() {
                    throw new OutOfMemoryError("unable to create native thread");
                  }
                });
    AtomicInteger made = new AtomicInteger();
    for (int i = 0; i < 2 * ENOUGH; i++) {
      assertEquals(i >= ENOUGH, lazy.isTried(), "search " + i);
      assertNull(lazy.get(1, maker(made)));
    }
    assertTrue(lazy.isTried());
    assertEquals(0, made.get());
  }

  @Test
  void whatCannotBeMadeIsNotTriedAgain() throws InterruptedException {
    for (Throwable failure : List.of(new OutOfMemoryError("heap"), new IllegalStateException())) {
      List<Thread> threads = new ArrayList<>();
      AtomicInteger made = new AtomicInteger();
      LazySketch lazy =
          new LazySketch(
              true,
              body -> {
                threads.add(Daemons.thread("test", body));
                return threads.get(threads.size() - 1);
              });
      Supplier<Sketch> failing =
          () -> {
            made.incrementAndGet();
            throw LazySketchTest.<RuntimeException>unchanged(failure);
          };
      lazy.get(ENOUGH, failing);
      threads.get(0).join();
      assertTrue(lazy.isTried());
      assertNull(lazy.get(ENOUGH, failing));
      assertEquals(1, made.get());
    }
  }

  @Test
  void itIsMadeOnceHoweverManyAsk() throws InterruptedException {
    AtomicInteger made = new AtomicInteger();
    List<Thread> begun = new ArrayList<>();
    LazySketch lazy =
        new LazySketch(
            true,
            body -> {
              Thread thread = Daemons.thread("test", body);
              begun.add(thread);
              return thread;
            });
    List<Thread> asking = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread thread =
          new Thread(
              () -> {
                for (int search = 0; search < ENOUGH; search++) {
                  lazy.get(1 + search % 3, maker(made));
                }
              });
      asking.add(thread);
      thread.start();
    }
    for (Thread thread : asking) {
      thread.join();
    }
    assertEquals(1, begun.size());
    begun.get(0).join();
    assertEquals(1, made.get());
  }

  @Test
  void whatIsNotWantedIsNeverMade() {
    AtomicInteger made = new AtomicInteger();
    LazySketch lazy =
        new LazySketch(
            false,
            body -> {
              throw new AssertionError("a thread for what isn't wanted");
            });
    assertTrue(lazy.isTried());
    lazy.get(2 * ENOUGH, maker(made));
    assertEquals(0, made.get());
    assertFalse(new LazySketch(true).isTried());
  }

  private static Supplier<Sketch> maker(AtomicInteger made) {
    return () -> {
      made.incrementAndGet();
      return null;
    };
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> T unchanged(Throwable failure) throws T {
    throw (T) failure;
  }
}
