/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.sql.SQLException;
import java.time.Duration;

/** A request that nobody made, so that what the first person asks for has been done before. */
record Rehearsal(String path, String query) implements Exchange {
  private static final int ROUNDS = 2;

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String header(String name) {
    return null;
  }

  @Override
  public String scheme() {
    return "http";
  }

  @Override
  public String user() {
    return null;
  }

  @Override
  public InputStream input() {
    return InputStream.nullInputStream();
  }

  @Override
  public void status(int code) {}

  @Override
  public void header(String name, String value) {}

  @Override
  public OutputStream body() {
    return OutputStream.nullOutputStream();
  }

  @Override
  public void abort() {}

  @Override
  public Watch whenGone(Runnable action) {
    return () -> {};
  }

  /** Connections of the server's, whose statements here are not told to its log. */
  record Silent(Access access) implements Access {
    @Override
    public Lease connect() throws SQLException {
      return access.connect();
    }

    @Override
    public Duration timeout() {
      return Duration.ofSeconds(5);
    }

    @Override
    public long rows() {
      return access.rows();
    }

    @Override
    public Trace begin(String user, String sql) {
      return (rows, error, left) -> {};
    }
  }

  /** Answers the first page and those of statements, which need no index. */
  static void of(Console console, Assets assets, String database) throws IOException {
    String path = "/" + Address.encode(database);
    assets.get("console.css");
    assets.get("console.js");
    for (int i = 0; i < ROUNDS; i++) {
      console.answer(new Rehearsal("/", null));
      console.answer(new Rehearsal(path, "sql=select+1+as+one,:a+as+a&a=1"));
    }
    console.answer(new Rehearsal(path + ".json", "sql=select+1"));
  }
}
