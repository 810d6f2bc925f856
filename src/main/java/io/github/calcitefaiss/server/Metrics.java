/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.embed.EmbedStatistics;
import io.github.calcitefaiss.embed.Embedder;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;

/** The server's counters, and their text in Prometheus's exposition format. */
final class Metrics {
  private final LongAdder succeeded = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder abandoned = new LongAdder();
  private final LongAdder nanos = new LongAdder();
  private final LongAdder rows = new LongAdder();
  private final LongAdder refusedConnections = new LongAdder();
  private final AtomicInteger running = new AtomicInteger();
  private final Map<Integer, LongAdder> responses = new ConcurrentSkipListMap<>();

  /** How an execution of a statement ended. */
  enum Outcome {
    OK,
    ERROR,
    /** Closed by the client before its last row. */
    CLOSED
  }

  void statement(Outcome outcome, long statementNanos, long statementRows) {
    LongAdder counter =
        switch (outcome) {
          case OK -> succeeded;
          case ERROR -> failed;
          case CLOSED -> abandoned;
        };
    counter.increment();
    nanos.add(statementNanos);
    rows.add(statementRows);
  }

  void begin() {
    running.incrementAndGet();
  }

  void end() {
    running.decrementAndGet();
  }

  void connectionRefused() {
    refusedConnections.increment();
  }

  void response(int status) {
    responses.computeIfAbsent(status, s -> new LongAdder()).increment();
  }

  String text(IntSupplier connections) {
    StringBuilder out = new StringBuilder();
    head(out, "statements_total", "counter", "Executions of statements that ended.");
    line(out, "statements_total{outcome=\"ok\"}", succeeded.sum());
    line(out, "statements_total{outcome=\"error\"}", failed.sum());
    line(out, "statements_total{outcome=\"closed\"}", abandoned.sum());
    head(out, "statement_seconds", "summary", "Time spent in the driver for them.");
    out.append(
        String.format(Locale.ROOT, "calcite_faiss_statement_seconds_sum %.6f%n", nanos.sum() / 1e9)
            .replace("\r", ""));
    line(out, "statement_seconds_count", succeeded.sum() + failed.sum() + abandoned.sum());
    head(out, "rows_total", "counter", "Rows sent to clients.");
    line(out, "rows_total", rows.sum());
    head(out, "statements_running", "gauge", "Statements that the driver works on now.");
    line(out, "statements_running", running.get());
    head(out, "connections", "gauge", "Connections open now.");
    line(out, "connections", connections.getAsInt());
    head(out, "connections_refused_total", "counter", "Connections refused by a limit.");
    line(out, "connections_refused_total", refusedConnections.sum());
    head(out, "http_responses_total", "counter", "HTTP responses by their status.");
    responses.forEach(
        (status, count) -> line(out, "http_responses_total{code=\"" + status + "\"}", count.sum()));
    embedding(out);
    return out.toString();
  }

  private static void embedding(StringBuilder out) {
    EmbedStatistics embedded = Embedder.statistics();
    head(out, "embedded_texts_total", "counter", "Texts that an embedding model was given.");
    line(out, "embedded_texts_total", embedded.texts());
    head(out, "embedding_batches_total", "counter", "How often an embedding model was asked.");
    line(out, "embedding_batches_total", embedded.batches());
    head(out, "embedding_hits_total", "counter", "Texts whose vectors were remembered.");
    line(out, "embedding_hits_total", embedded.hits());
    head(out, "embedding_failures_total", "counter", "Texts and batches without a vector.");
    line(out, "embedding_failures_total", embedded.failures());
  }

  private static void head(StringBuilder out, String name, String type, String help) {
    out.append("# HELP calcite_faiss_").append(name).append(' ').append(help).append('\n');
    out.append("# TYPE calcite_faiss_").append(name).append(' ').append(type).append('\n');
  }

  private static void line(StringBuilder out, String name, long value) {
    out.append("calcite_faiss_").append(name).append(' ').append(value).append('\n');
  }
}
