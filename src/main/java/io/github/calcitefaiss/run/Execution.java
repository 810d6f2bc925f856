/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.sql.SQLException;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.calcite.DataContext;

/**
 * One run of a statement: its cancel flag, the versions of the databases it reads, and what its
 * function calls remember.
 *
 * <p>However many scans and searches a run has, they all see one version of each database; where
 * that isn't possible the run fails with SQLSTATE {@link SqlState#CHANGED} and can be repeated.
 */
public final class Execution implements View {
  /** The runs of other drivers' contexts. */
  private static final Map<DataContext, Execution> RUNNING =
      Collections.synchronizedMap(new WeakHashMap<>());

  private final AtomicBoolean cancelFlag;
  private final RunView view;
  private final Map<Object, Object> memo = new ConcurrentHashMap<>();
  private final Map<Object, Pin> pins = new HashMap<>();
  private volatile boolean ended;

  private Execution(AtomicBoolean cancelFlag, RunView view) {
    this.cancelFlag = cancelFlag;
    this.view = view;
    if (view != null) {
      view.adopt(this);
    }
  }

  /**
   * The run that a generated program's context belongs to.
   *
   * @throws IllegalStateException if the context belongs to the planner, which would otherwise run
   *     a call once while preparing and freeze its answer
   */
  public static Execution of(DataContext root) {
    if (root instanceof Carrier carrier) {
      return carrier.execution();
    }
    Execution known = RUNNING.get(root);
    if (known == null) {
      AtomicBoolean cancelFlag = DataContext.Variable.CANCEL_FLAG.get(root);
      if (cancelFlag == null) {
        throw new IllegalStateException("not evaluated while planning");
      }
      known = RUNNING.computeIfAbsent(root, r -> begin(cancelFlag));
    }
    return known;
  }

  /** Begins a run of another driver's, which is cancelled by setting a flag. */
  public static Execution begin(AtomicBoolean cancelFlag) {
    return new Execution(cancelFlag, null);
  }

  /** Begins an execution of one of this driver's statements. */
  static Execution begin(StatementRun run) {
    return new Execution(run.flag(), run.view());
  }

  /** A context that knows its run; that of another driver is looked up in a map. */
  public interface Carrier extends DataContext {
    /** The run that it belongs to. */
    Execution execution();
  }

  /** Returns if the run may go on; throws an {@link SQLException} if it was stopped. */
  @Override
  public void check() {
    if (cancelFlag.get()) {
      throw FaissException.<RuntimeException>sneakyThrow(stopped());
    }
  }

  /** Whether the run was cancelled or its time is up. */
  public boolean isCancelled() {
    return cancelFlag.get();
  }

  /** The error that a stopped run ends with. */
  public SQLException stopped() {
    return view == null ? StatementRun.cancelled(null) : view.stopped();
  }

  /** What was computed for a key in this run, computing it if this is the first time. */
  @SuppressWarnings("unchecked")
  public <K, V> V memo(K key, Function<? super K, ? extends V> compute) {
    // Not computeIfAbsent: a computation may ask for another key.
    Object known = memo.get(key);
    if (known == null) {
      known = compute.apply(key);
      memo.put(key, known);
    }
    return (V) known;
  }

  /**
   * The version of a database that this run reads: that which was current when it first asked.
   *
   * @throws SQLException if the database can't be read
   */
  @Override
  @SuppressWarnings("unchecked")
  public synchronized <V> V version(Versioned<V, ?> database) throws SQLException {
    Pin pin = pins.computeIfAbsent(database, d -> new Pin());
    if (pin.version == null) {
      pin.version = view == null ? database.version(this) : view.version(database);
    }
    return (V) pin.version;
  }

  @Override
  public <V, L extends Versioned.Lease<V>, T> T read(
      Versioned<V, L> database, Reading<L, T> reading) throws SQLException {
    try (Snapshot<L> snapshot = snapshot(database)) {
      return reading.of(snapshot.lease());
    }
  }

  /** Begins to read, where that is possible the version that is known already. */
  private <V, L extends Versioned.Lease<V>> L lease(Versioned<V, L> database, Pin pin)
      throws SQLException {
    V wanted = version(database);
    L lease = view == null ? null : view.take(database);
    if (lease == null) {
      lease = database.snapshot(this, wanted);
    }
    if (!lease.version().equals(wanted)) {
      if (pin.used) {
        lease.close();
        throw changed(database);
      }
      pin.version = lease.version();
      if (view != null) {
        view.seen(database, lease.version());
      }
    }
    return lease;
  }

  /** Says that something of the version that {@link #version} gave is in the answer. */
  public synchronized void use(Versioned<?, ?> database) {
    pins.get(database).used = true;
  }

  /**
   * A snapshot of the version that this run reads, shared by its scans.
   *
   * @return a handle to close when the scan is over
   * @throws SQLException if the database can't be read, or if the run already used a version that
   *     can't be had any more (SQLSTATE {@link SqlState#CHANGED})
   */
  @SuppressWarnings("unchecked")
  public synchronized <V, L extends Versioned.Lease<V>> Snapshot<L> snapshot(
      Versioned<V, L> database) throws SQLException {
    Pin pin = pins.computeIfAbsent(database, d -> new Pin());
    if (pin.lease == null) {
      L lease = lease(database, pin);
      lease.interruptWhen(pin::isInterrupted);
      pin.lease = lease;
    }
    pin.used = true;
    pin.users++;
    return new Snapshot<>(pin, (L) pin.lease);
  }

  /**
   * A snapshot of the version that this run reads, on a connection that nothing else of the run
   * uses: for a statement inside of which functions may ask for an index, whose loading reads on
   * another thread.
   *
   * @return a handle to close when the statement is over
   * @throws SQLException as for {@link #snapshot}
   */
  @SuppressWarnings("unchecked")
  public synchronized <V, L extends Versioned.Lease<V>> Snapshot<L> ownSnapshot(
      Versioned<V, L> database) throws SQLException {
    Pin shared = pins.computeIfAbsent(database, d -> new Pin());
    L lease = lease(database, shared);
    shared.used = true;
    Pin pin = new Pin();
    pin.version = lease.version();
    pin.used = true;
    pin.lease = lease;
    pin.users = 1;
    pins.put(pin, pin);
    lease.interruptWhen(pin::isInterrupted);
    return new Snapshot<>(pin, lease);
  }

  private static FaissException changed(Versioned<?, ?> database) {
    return new FaissException(
        SqlState.CHANGED,
        "database " + database + " changed while the statement ran; run it again");
  }

  private synchronized void release(Pin pin) {
    pin.users--;
    if (pin.spoiled) {
      if (pin.users == 0) {
        pin.discard();
      }
      return;
    }
    // Without a view nobody says when the run is over, and a snapshot kept would block writers.
    if (pin.users == 0 && (view == null || view.isClosed())) {
      pin.close();
    } else if (ended && pin.abandoned == null) {
      pin.discard();
    }
  }

  /** Releases every snapshot at once, for a run that gives up or goes another way. */
  public synchronized void end() {
    ended = true;
    for (Pin pin : pins.values()) {
      if (pin.users == 0) {
        pin.close();
      } else if (pin.abandoned == null && !pin.spoiled) {
        // An operator that failed left a scan open. Nobody will close it.
        pin.discard();
      }
    }
    memo.clear();
  }

  private final class Pin {
    private Object version;
    private boolean used;
    private Versioned.Lease<?> lease;
    private volatile int users;
    private volatile BooleanSupplier abandoned;

    /** Whether another thread is inside SQLite, and nothing of the connection may be touched. */
    private volatile boolean spoiled;

    private boolean isInterrupted() {
      BooleanSupplier load = abandoned;
      // A load goes on without the run that began it, unless that run has more to close.
      boolean over = ended || isCancelled();
      return load == null ? over : load.getAsBoolean() || over && users > 1;
    }

    private void close() {
      if (lease != null) {
        lease.close();
        lease = null;
      }
    }

    private void discard() {
      if (lease != null) {
        lease.discard();
        lease = null;
      }
    }
  }

  /** A scan's share of a database's snapshot. */
  public final class Snapshot<L extends Versioned.Lease<?>> implements AutoCloseable {
    private final Pin pin;
    private final L lease;
    private boolean handedOver;
    private boolean left;
    private boolean closed;

    private Snapshot(Pin pin, L lease) {
      this.pin = pin;
      this.lease = lease;
    }

    /** Lets another thread go on reading when this run is cancelled, until it is abandoned. */
    public void handOver(BooleanSupplier abandoned) {
      handedOver = true;
      pin.abandoned = abandoned;
    }

    /** Leaves the connection, and the closing of this, to a thread that is inside SQLite. */
    public void leave() {
      left = true;
      pin.spoiled = true;
    }

    /** Whether this is closed by the thread that it was left to. */
    public boolean isLeft() {
      return left;
    }

    /** Whether nothing of the connection may be touched; it is closed with all that is open. */
    public boolean isSpoiled() {
      return pin.spoiled;
    }

    /** The connection and version to read. */
    public L lease() {
      return lease;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        if (handedOver) {
          pin.abandoned = null;
        }
        release(pin);
      }
    }
  }
}
