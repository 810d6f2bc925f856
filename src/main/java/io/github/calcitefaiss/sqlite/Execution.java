/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import java.sql.SQLException;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.apache.calcite.DataContext;

/**
 * One run of a statement: its cancel flag, the versions of the databases it reads, and what its
 * function calls remember.
 *
 * <p>However many scans and searches a run has, they all see one version of each database; where
 * that isn't possible the run fails with SQLSTATE {@link FaissException#CHANGED} and can be
 * repeated.
 */
public final class Execution implements Checkpoint {
  private static final Map<DataContext, Execution> RUNNING =
      Collections.synchronizedMap(new WeakHashMap<>());

  private static final ThreadLocal<Owner> OWNER = new ThreadLocal<>();

  private final AtomicBoolean cancelFlag;
  private final Owner owner;
  private final Map<Object, Object> memo = new ConcurrentHashMap<>();
  private final Map<SqliteDatabase, Pin> pins = new HashMap<>();
  private boolean ended;

  private Execution(AtomicBoolean cancelFlag, Owner owner) {
    this.cancelFlag = cancelFlag;
    this.owner = owner;
    if (owner != null) {
      owner.adopt(this);
    }
  }

  /**
   * The run that a generated program's context belongs to.
   *
   * @throws IllegalStateException if the context belongs to the planner, which would otherwise run
   *     a call once while preparing and freeze its answer
   */
  public static Execution of(DataContext root) {
    Execution known = RUNNING.get(root);
    if (known != null) {
      return known;
    }
    AtomicBoolean cancelFlag = DataContext.Variable.CANCEL_FLAG.get(root);
    if (cancelFlag == null) {
      throw new IllegalStateException("not evaluated while planning");
    }
    return RUNNING.computeIfAbsent(root, r -> new Execution(cancelFlag, OWNER.get()));
  }

  /** Ends what the executions started on its behalf hold; made by the driver for each run. */
  public static final class Owner implements AutoCloseable {
    private volatile boolean timedOut;
    private Execution execution;
    private boolean closed;

    /** Makes this the owner of executions begun by this thread until the scope is closed. */
    public Scope enter() {
      Owner outer = OWNER.get();
      OWNER.set(this);
      return () -> OWNER.set(outer);
    }

    /** Records that the cancel flag was set because the time was up. */
    public void timedOut() {
      timedOut = true;
    }

    private synchronized void adopt(Execution started) {
      execution = started;
    }

    /** Releases every snapshot; called when the run's result is closed. */
    @Override
    public void close() {
      Execution ending;
      synchronized (this) {
        closed = true;
        ending = execution;
      }
      if (ending != null) {
        ending.end();
      }
    }

    private synchronized boolean isClosed() {
      return closed;
    }
  }

  /** The extent of {@link Owner#enter}. */
  public interface Scope extends AutoCloseable {
    @Override
    void close();
  }

  /** Returns if the run may go on; throws a {@link FaissException} if it was cancelled. */
  @Override
  public void check() {
    if (cancelFlag.get()) {
      throw cancelled().raise();
    }
  }

  /** Whether the run was cancelled or its time is up. */
  public boolean isCancelled() {
    return cancelFlag.get();
  }

  /** The error that a cancelled run ends with. */
  public FaissException cancelled() {
    return owner != null && owner.timedOut
        ? new FaissException(FaissException.TIMEOUT, "the statement took longer than its timeout")
        : new FaissException(FaissException.CANCELLED, "the statement was cancelled");
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
   * The version of a database that this run reads, which is the current one if it read none yet.
   *
   * @throws SQLException if the database can't be read
   */
  public synchronized DatabaseVersion version(SqliteDatabase database) throws SQLException {
    Pin pin = pins.get(database);
    if (pin == null) {
      pin = new Pin(database.version());
      pins.put(database, pin);
    }
    return pin.version;
  }

  /**
   * A snapshot of the version that this run reads, shared by its scans.
   *
   * @return a handle to close when the scan is over
   * @throws SQLException if the database can't be read, or if the run already read a version that
   *     can't be had any more (SQLSTATE {@link FaissException#CHANGED})
   */
  public synchronized Snapshot snapshot(SqliteDatabase database) throws SQLException {
    Pin pin = pins.get(database);
    if (pin == null || pin.lease == null) {
      SqliteDatabase.Lease lease = database.snapshot();
      if (pin != null && !pin.version.equals(lease.version())) {
        lease.close();
        throw new FaissException(
            FaissException.CHANGED,
            "database " + database + " changed while the statement ran; run it again");
      }
      if (pin == null) {
        pin = new Pin(lease.version());
        pins.put(database, pin);
      }
      lease.interruptWhen(this::isCancelled);
      pin.lease = lease;
    }
    pin.users++;
    return new Snapshot(pin);
  }

  private synchronized void release(Pin pin) {
    pin.users--;
    // Without an owner nobody says when the run is over, and a snapshot kept would block writers.
    if (pin.users == 0 && (owner == null || owner.isClosed() || ended)) {
      pin.close();
    }
  }

  private synchronized void end() {
    ended = true;
    for (Pin pin : pins.values()) {
      if (pin.users == 0) {
        pin.close();
      }
    }
    memo.clear();
  }

  private static final class Pin {
    private final DatabaseVersion version;
    private SqliteDatabase.Lease lease;
    private int users;

    private Pin(DatabaseVersion version) {
      this.version = version;
    }

    private void close() {
      if (lease != null) {
        lease.close();
        lease = null;
      }
    }
  }

  /** A scan's share of a database's snapshot. */
  public final class Snapshot implements AutoCloseable {
    private final Pin pin;
    private boolean closed;

    private Snapshot(Pin pin) {
      this.pin = pin;
    }

    /** The connection and version to read. */
    public SqliteDatabase.Lease lease() {
      return pin.lease;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        release(pin);
      }
    }
  }
}
