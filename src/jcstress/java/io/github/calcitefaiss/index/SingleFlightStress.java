/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;

/** One load for all who ask for a version at the same time, whoever gives up: under jcstress. */
public final class SingleFlightStress {
  private static final int BYTES = 8;
  private static final FlatIndex EMPTY = new FlatIndex.Builder().build();

  private SingleFlightStress() {}

  /** A cache with one table, whose loads are counted. */
  private abstract static class Table {
    private final IndexCache cache = new IndexCache(1000);
    private final AtomicInteger loads = new AtomicInteger();
    private final AtomicInteger open = new AtomicInteger();

    /** The version got, or -1 if the caller was cancelled. */
    final int get(int version, Checkpoint checkpoint) {
      try {
        IndexCache.Loader loader =
            () -> {
              open.incrementAndGet();
              return source(version);
            };
        Object got = cache.get("t", "g", 1000, version, loader, checkpoint).version();
        return (Integer) got;
      } catch (CancellationException e) {
        return -1;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    private IndexCache.Source source(int version) {
      return new IndexCache.Source() {
        @Override
        public void handOver(BooleanSupplier abandoned) {
          // There is nothing to hand over.
        }

        @Override
        public IndexCache.Entry load(
            Checkpoint checkpoint, IndexCache.Memory memory, IndexCache.Entry previous) {
          loads.incrementAndGet();
          memory.charge(BYTES);
          checkpoint.check();
          return new IndexCache.Entry(version, EMPTY, BYTES, 0, 0, 0);
        }

        @Override
        public void close() {
          open.decrementAndGet();
        }
      };
    }

    /** How many loads there were, once all have ended. */
    final int loads() {
      while (open.get() > 0) {
        Thread.onSpinWait();
      }
      return loads.get();
    }

    /** Indexes that memory is held for. */
    final int held() {
      IndexCache.Entry entry = cache.status("t").entry();
      while (cache.bytes() != (entry == null ? 0 : BYTES)) {
        Thread.onSpinWait();
        entry = cache.status("t").entry();
      }
      return entry == null ? 0 : 1;
    }
  }

  /** Two ask for one version: both get it, from one load. */
  @JCStressTest
  @Outcome(id = "1, 1, 1, 1", expect = ACCEPTABLE, desc = "one load for both")
  @Outcome(expect = FORBIDDEN, desc = "a second load, or another version")
  @State
  public static class SameVersion extends Table {
    /** Asks. */
    @Actor
    public void first(IIII_Result r) {
      r.r1 = get(1, Checkpoint.NONE);
    }

    /** Asks as well. */
    @Actor
    public void second(IIII_Result r) {
      r.r2 = get(1, Checkpoint.NONE);
    }

    /** Counts. */
    @Arbiter
    public void end(IIII_Result r) {
      r.r3 = loads();
      r.r4 = held();
    }
  }

  /** Two ask for two versions: each gets its own, and one stays. */
  @JCStressTest
  @Outcome(id = "1, 2, 2, 1", expect = ACCEPTABLE, desc = "each its own, the newer stays")
  @Outcome(expect = FORBIDDEN, desc = "another version than asked for, or memory lost")
  @State
  public static class TwoVersions extends Table {
    /** Asks for the older. */
    @Actor
    public void older(IIII_Result r) {
      r.r1 = get(1, Checkpoint.NONE);
    }

    /** Asks for the newer. */
    @Actor
    public void newer(IIII_Result r) {
      r.r2 = get(2, Checkpoint.NONE);
    }

    /** Counts. */
    @Arbiter
    public void end(IIII_Result r) {
      r.r3 = loads();
      r.r4 = held();
    }
  }

  /** One of two gives up at once: the other gets its answer all the same. */
  @JCStressTest
  @Outcome(id = "-1, 1, 1, 1", expect = ACCEPTABLE, desc = "cancelled, or one load for both")
  @Outcome(id = "-1, 1, 2, 1", expect = ACCEPTABLE, desc = "the abandoned load made room")
  @Outcome(id = "1, 1, 1, 1", expect = ACCEPTABLE, desc = "the answer was there before")
  @Outcome(id = "1, 1, 2, 1", expect = FORBIDDEN, desc = "a second load with nobody gone")
  @Outcome(expect = FORBIDDEN, desc = "harm to the one who waits")
  @State
  public static class OneGivesUp extends Table {
    private int looks;

    /** Gives up at the second look, while it waits. */
    @Actor
    public void impatient(IIII_Result r) {
      r.r1 =
          get(
              1,
              () -> {
                if (++looks > 1) {
                  throw new CancellationException();
                }
              });
    }

    /** Waits. */
    @Actor
    public void patient(IIII_Result r) {
      r.r2 = get(1, Checkpoint.NONE);
    }

    /** Counts. */
    @Arbiter
    public void end(IIII_Result r) {
      r.r3 = loads();
      r.r4 = held();
    }
  }
}
