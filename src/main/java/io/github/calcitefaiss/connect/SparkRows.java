/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import java.sql.Date;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.connect.SparkSession;

/**
 * The rows of a statement on the cluster, read by a thread of its own, so that whoever waits for
 * them can be cancelled; then the statement ends on the cluster too.
 */
final class SparkRows implements Enumerator<Object[]> {
  private static final int BATCH = 512;
  private static final int BATCHES = 4;
  private static final long POLL_MILLIS = 20;

  /** How often, in polls, a server that says nothing is asked whether it is there. */
  private static final int POLLS_A_REACH = 100;

  private static final AtomicLong NUMBER = new AtomicLong();

  /** Rows, or the error that ended them; an empty list is the end. */
  private record Batch(List<Object[]> rows, Throwable error) {}

  private final SparkServer server;
  private final Execution execution;
  private final String sql;
  private final Object[] arguments;
  private volatile SparkSession session;
  private final String tag = "calcite-faiss-" + NUMBER.incrementAndGet();
  private final BlockingQueue<Batch> queue = new ArrayBlockingQueue<>(BATCHES);
  private volatile boolean closed;
  private boolean ended;
  private boolean begun;
  private boolean again;
  private Iterator<Object[]> batch = List.<Object[]>of().iterator();
  private Object[] current;

  SparkRows(SparkServer server, Execution execution, String sql, Object[] arguments)
      throws SQLException {
    this.server = server;
    this.execution = execution;
    this.sql = sql;
    this.arguments = arguments;
    execution.check();
    start();
  }

  private void start() throws SQLException {
    reach();
    session = server.session();
    Thread reader = new Thread(this::read, tag);
    reader.setDaemon(true);
    reader.start();
  }

  /** A server that is gone has another session when it is back. */
  private void reach() throws SQLException {
    try {
      server.reach();
    } catch (SQLException e) {
      server.forget(session);
      throw e;
    }
  }

  private void read() {
    SparkSession session = this.session;
    try {
      session.addTag(tag);
      Iterator<Row> rows =
          (arguments.length == 0 ? session.sql(sql) : session.sql(sql, (Object) arguments))
              .toLocalIterator();
      List<Object[]> full = new ArrayList<>();
      while (!closed && rows.hasNext()) {
        full.add(values(rows.next()));
        if (full.size() == BATCH) {
          put(new Batch(full, null));
          full = new ArrayList<>();
        }
      }
      if (!full.isEmpty()) {
        put(new Batch(full, null));
      }
      put(new Batch(List.of(), null));
    } catch (Throwable e) {
      put(new Batch(List.of(), e));
    }
  }

  private void put(Batch more) {
    try {
      while (!closed && !queue.offer(more, POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        // Until there is room, or nobody waits any more.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Object[] values(Row row) {
    Object[] values = new Object[row.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = row.isNullAt(i) ? null : value(row, i);
    }
    return values;
  }

  private static Object value(Row row, int i) {
    Object value = row.get(i);
    if (value instanceof byte[] blob) {
      return new ByteString(blob);
    } else if (value instanceof Date date) {
      return (int) date.toLocalDate().toEpochDay();
    } else if (value instanceof LocalDate date) {
      return (int) date.toEpochDay();
    } else if (value instanceof Timestamp time) {
      return time.toInstant().toEpochMilli();
    } else if (value instanceof Instant time) {
      return time.toEpochMilli();
    } else if (value instanceof LocalDateTime time) {
      return time.toInstant(ZoneOffset.UTC).toEpochMilli();
    } else if (value instanceof scala.collection.Seq) {
      return new ArrayList<>(row.getList(i));
    } else if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      return value;
    }
    return value.toString();
  }

  @Override
  public Object[] current() {
    return current;
  }

  @Override
  public boolean moveNext() {
    try {
      while (!batch.hasNext()) {
        if (ended) {
          return false;
        }
        await();
      }
      current = batch.next();
      return true;
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  private void await() throws SQLException {
    Batch next = null;
    try {
      for (int polls = 1; next == null; polls++) {
        if (execution.isCancelled()) {
          SQLException stopped = execution.stopped();
          close();
          throw stopped;
        }
        if (polls % POLLS_A_REACH == 0) {
          reach();
        }
        next = queue.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted", "HY008");
    }
    if (next.error != null) {
      ended = true;
      if (next.error instanceof NoClassDefFoundError) {
        throw server.noClient(next.error);
      }
      String message = String.valueOf(next.error.getMessage());
      if (message.contains("SESSION") || message.contains("UNAVAILABLE")) {
        server.forget(session);
        if (!begun && !again) {
          // The server was started anew since the last statement, and doesn't know the session.
          again = true;
          ended = false;
          start();
          await();
          return;
        }
      }
      throw server.translated(next.error);
    }
    begun = true;
    ended = next.rows.isEmpty();
    batch = next.rows.iterator();
  }

  @Override
  public void reset() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (!ended) {
      ended = true;
      Thread end = new Thread(() -> session.interruptTag(tag), tag + "-end");
      end.setDaemon(true);
      end.start();
    }
    batch = List.<Object[]>of().iterator();
    queue.clear();
  }
}
