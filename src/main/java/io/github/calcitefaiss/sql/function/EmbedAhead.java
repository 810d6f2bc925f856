/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.embed.Embedder;
import io.github.calcitefaiss.embed.EmbeddingModel;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import org.apache.calcite.DataContext;
import org.apache.calcite.linq4j.AbstractEnumerable;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Enumerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Texts that a statement is going to embed, collected over some rows and embedded together, so that
 * their vectors are remembered when the statement asks for them one by one.
 *
 * <p>It changes no value: a text that is collected in vain costs time, one that is missed a call of
 * its own.
 */
public final class EmbedAhead {
  private static final int MOST = 1024;
  private static final long NANOS_A_LOG_LINE = 2_000_000_000L;
  private static final Logger LOGGER = LoggerFactory.getLogger(EmbedAhead.class);

  private final DataContext root;
  private final Execution execution;
  private final Map<EmbeddingModel, Set<String>> wanted = new LinkedHashMap<>();
  private final long begin = System.nanoTime();
  private long said = begin;
  private long embedded;
  private int count;
  private int window;

  /** For a run of a statement. */
  public EmbedAhead(DataContext root) {
    this.root = root;
    this.execution = Execution.of(root);
  }

  /**
   * Takes note of a text, unless its vector is remembered or it has none.
   *
   * @param model its model's name, or null for the usual one
   */
  public void want(Object model, Object text) {
    if (!(text instanceof String words) || words.isBlank()) {
      return;
    }
    EmbeddingModel chosen;
    try {
      chosen = EmbedFunctions.model("embed", root, model);
    } catch (FaissException e) {
      // Said by the call itself.
      return;
    }
    window = window == 0 ? chosen.batch() : window;
    if (!Embedder.ours().remembers(chosen, words)
        && wanted.computeIfAbsent(chosen, m -> new LinkedHashSet<>()).add(words)) {
      count++;
    }
  }

  /** Whether there is nothing to embed. */
  public boolean isEmpty() {
    return count == 0;
  }

  /** Whether more is collected than will be embedded at once. */
  public boolean isOverfull() {
    return count >= 2 * MOST;
  }

  /** Whether it's time to embed them. */
  public boolean isFull() {
    return window > 0 && count >= window;
  }

  /** Embeds what was collected; more is collected from then on. */
  public void embed() throws FaissException {
    try {
      for (Map.Entry<EmbeddingModel, Set<String>> entry : wanted.entrySet()) {
        Embedder.ours().all(entry.getKey(), List.copyOf(entry.getValue()), execution);
      }
    } catch (FaissException e) {
      throw Errors.noModel("embed", e);
    }
    wanted.clear();
    embedded += count;
    count = 0;
    sayHowFar();
    window = Math.max(window, Math.min(MOST, 2 * window));
  }

  private void sayHowFar() {
    long now = System.nanoTime();
    if (now - said > NANOS_A_LOG_LINE) {
      said = now;
      LOGGER.info(
          "{} texts embedded so far, {} texts/s",
          embedded,
          Math.round(embedded / ((now - begin) / 1e9)));
    }
  }

  /**
   * The same rows, of which each is given out when the texts in it are embedded; called by
   * generated code.
   *
   * @param columns where the texts are
   * @param models for each of them, where its model's name is; less than 0 for the usual model
   * @param most how many rows are wanted, at most
   */
  public static Enumerable<Object[]> rows(
      DataContext root, Enumerable<Object[]> input, int[] columns, int[] models, int most) {
    return new AbstractEnumerable<>() {
      @Override
      public Enumerator<Object[]> enumerator() {
        return new Rows(new EmbedAhead(root), input.enumerator(), columns, models, most);
      }
    };
  }

  private static final class Rows implements Enumerator<Object[]> {
    private final EmbedAhead ahead;
    private final Enumerator<Object[]> input;
    private final int[] columns;
    private final int[] models;
    private final int most;
    private final Queue<Object[]> rows = new ArrayDeque<>();
    private Object[] current;
    private boolean over;

    private Rows(
        EmbedAhead ahead, Enumerator<Object[]> input, int[] columns, int[] models, int most) {
      this.ahead = ahead;
      this.input = input;
      this.columns = columns;
      this.models = models;
      this.most = most;
    }

    @Override
    public Object[] current() {
      return current;
    }

    @Override
    public boolean moveNext() {
      if (rows.isEmpty() && !over) {
        read();
      }
      current = rows.poll();
      return current != null;
    }

    /** Rows until enough texts are in them, or enough rows. */
    private void read() {
      while (!ahead.isFull() && rows.size() < Math.min(most, MOST) && !over) {
        if (input.moveNext()) {
          Object[] row = input.current();
          rows.add(row);
          for (int i = 0; i < columns.length; i++) {
            if (models[i] < 0) {
              ahead.want(null, row[columns[i]]);
            } else if (row[models[i]] != null) {
              ahead.want(row[models[i]], row[columns[i]]);
            }
          }
        } else {
          over = true;
        }
      }
      try {
        ahead.embed();
      } catch (FaissException e) {
        throw e.raise();
      }
    }

    @Override
    public void reset() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
      input.close();
    }
  }
}
