/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.sql.function.EmbedAhead;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.apache.calcite.DataContext;

/**
 * Looks ahead in a statement that SQLite runs, for the texts that it is going to embed.
 *
 * <p>SQLite asks for one value at a time. So the same statement is run a second time, a little
 * ahead, on the same connection, with a function in place of {@code embed} that gives NULL and
 * takes note of the texts. Where SQLite makes many calls before its first row, the second run is
 * given up once it has seen enough, and later begun anew, past the calls that were made meanwhile.
 */
public final class EmbedScout {
  /** What {@code embed} and {@code llm_embed} are called in the statement that looks ahead. */
  public static final String NAME = "faiss_embed_ahead";

  private final Statement statement;
  private final EmbedAhead ahead;
  private PreparedStatement running;
  private ResultSet rows;
  private boolean looking;
  private boolean over;
  private long calls;
  private long seen;

  /** What looks ahead, ready to be run. */
  public interface Statement {
    /** Prepares it, with its parameters. */
    PreparedStatement prepare() throws SQLException;
  }

  /** Enough is seen; SQLite gets this as an error. */
  private static final class Enough extends RuntimeException {
    private static final long serialVersionUID = 1;

    private Enough() {
      super("enough", null, false, false);
    }
  }

  EmbedScout(DataContext root, Statement statement) {
    this.statement = statement;
    this.ahead = new EmbedAhead(root);
  }

  /** Before a call of the statement itself: embeds its text, with those that come after it. */
  void before(Object model, Object text) throws SQLException {
    calls++;
    if (over) {
      return;
    }
    ahead.want(model, text);
    if (!ahead.isEmpty()) {
      look();
      ahead.embed();
    }
  }

  private void look() throws SQLException {
    looking = true;
    try {
      if (running == null) {
        seen = 0;
        rows = null;
        running = statement.prepare();
        rows = running.executeQuery();
      }
      while (!ahead.isFull()) {
        if (!rows.next()) {
          over = true;
          break;
        }
      }
    } catch (SQLException e) {
      // Either enough is seen, or this run sees what the statement itself will say.
      over = !ahead.isFull();
      PreparedStatement ended = running;
      running = null;
      if (ended != null) {
        ended.close();
      }
    } finally {
      looking = false;
    }
  }

  /** Whether what happens, happens in the statement that looks ahead. */
  boolean isLooking() {
    return looking;
  }

  /** A call of the statement that looks ahead. */
  void note(Object model, Object text) {
    if (!looking) {
      return;
    }
    if (++seen > calls) {
      ahead.want(model, text);
      if (ahead.isFull() && rows == null || ahead.isOverfull()) {
        throw new Enough();
      }
    }
  }
}
