/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The view that a statement opens when it begins: its planning and all its executions ask each
 * database once which version is current.
 *
 * <p>It ends what the executions hold when the run is over. Planning may outlive it on another
 * thread, so what it reads on is an execution's only once it has been read.
 */
public final class RunView implements View, AutoCloseable {
  private final StatementRun run;
  private final List<Execution> executions = new ArrayList<>();
  private final Map<Object, Object> versions = new HashMap<>();
  private final Map<Object, Versioned.Lease<?>> leases = new HashMap<>();
  private boolean closed;

  RunView(StatementRun run) {
    this.run = run;
  }

  @Override
  public void check() {
    if (run.flag().get()) {
      throw FaissException.<RuntimeException>sneakyThrow(run.stopped(null));
    }
  }

  SQLException stopped() {
    return run.stopped(null);
  }

  @Override
  @SuppressWarnings("unchecked")
  public <V> V version(Versioned<V, ?> database) throws SQLException {
    synchronized (versions) {
      Object known = versions.get(database);
      if (known != null) {
        return (V) known;
      }
    }
    // Not under the lock: it may be a wait for a writer.
    V version = database.version(this);
    seen(database, version);
    return version;
  }

  /** Says that a newer version came before anything of the run used the older one. */
  void seen(Versioned<?, ?> database, Object version) {
    synchronized (versions) {
      versions.put(database, version);
    }
  }

  @Override
  public <V, L extends Versioned.Lease<V>, T> T read(
      Versioned<V, L> database, Reading<L, T> reading) throws SQLException {
    L lease = take(database);
    if (lease == null) {
      lease = database.snapshot(this, version(database));
      seen(database, lease.version());
    }
    T read;
    try {
      read = reading.of(lease);
    } catch (Throwable t) {
      lease.close();
      throw t;
    }
    keep(database, lease);
    return read;
  }

  /** What was read on before, for an execution to go on with; or null. */
  @SuppressWarnings("unchecked")
  synchronized <L extends Versioned.Lease<?>> L take(Versioned<?, L> database) {
    return (L) leases.remove(database);
  }

  private void keep(Versioned<?, ?> database, Versioned.Lease<?> lease) {
    synchronized (this) {
      if (!closed && leases.putIfAbsent(database, lease) == null) {
        return;
      }
    }
    lease.close();
  }

  synchronized void adopt(Execution started) {
    executions.add(started);
  }

  /** Releases every snapshot; called when the run's result is closed. */
  @Override
  public void close() {
    List<Execution> ending;
    List<Versioned.Lease<?>> unused;
    synchronized (this) {
      closed = true;
      ending = List.copyOf(executions);
      executions.clear();
      unused = List.copyOf(leases.values());
      leases.clear();
    }
    ending.forEach(Execution::end);
    unused.forEach(Versioned.Lease::close);
  }

  synchronized boolean isClosed() {
    return closed;
  }
}
