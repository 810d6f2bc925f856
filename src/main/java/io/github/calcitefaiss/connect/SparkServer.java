/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.connect.SparkSession;

/** A Connect server, and the session that all statements of a schema share. */
final class SparkServer {
  private static final int PORT = 15002;
  private static final int REACH_MILLIS = 3000;

  private static final Pattern STATE = Pattern.compile("SQLSTATE: ([0-9A-Z]{5})");

  /** What our own functions say, within what Spark makes of it. */
  private static final Pattern OURS =
      Pattern.compile("(?:VectorException|ChangedException|IllegalArgumentException): ([^\\n]+)");

  private final String schema;
  private final String url;
  private final String host;
  private final int port;
  private SparkSession session;

  /** The URL is of the form {@code sc://host[:port][/;parameters]}. */
  SparkServer(String schema, String url) throws FaissException {
    this.schema = schema;
    this.url = url;
    try {
      URI uri = URI.create(url.replaceFirst(";.*", ""));
      if (!"sc".equals(uri.getScheme()) || uri.getHost() == null) {
        throw new IllegalArgumentException(url);
      }
      host = uri.getHost();
      port = uri.getPort() < 0 ? PORT : uri.getPort();
    } catch (IllegalArgumentException e) {
      throw new FaissException(
          SqlState.CONNECTION,
          "schema '"
              + schema
              + "': operand 'url' is '"
              + url
              + "', expected a Spark Connect server such as sc://host:15002");
    }
  }

  /** The host and port. */
  String address() {
    return host + ":" + port;
  }

  /** Says within seconds whether nobody answers; Spark's own client tries for a minute. */
  void reach() throws FaissException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), REACH_MILLIS);
    } catch (IOException e) {
      throw new FaissException(
          SqlState.CONNECTION,
          "schema '"
              + schema
              + "': no Spark Connect server answers at "
              + address()
              + " ("
              + e.getMessage()
              + "); is it started there, and is the port right?");
    }
  }

  /** The session, a new one if there is none. */
  synchronized SparkSession session() throws FaissException {
    if (session == null) {
      reach();
      try {
        session = SparkSession.builder().remote(url).create();
      } catch (NoClassDefFoundError e) {
        throw noClient(e);
      }
    }
    return session;
  }

  /** Leaves a session that the server may not know any more; null is the newest. */
  synchronized void forget(SparkSession gone) {
    if (gone == null || session == gone) {
      session = null;
    }
  }

  FaissException noClient(Throwable cause) {
    return new FaissException(
        SqlState.CONNECTION,
        "schema '"
            + schema
            + "' is on a Spark cluster, whose client is not on the class path; ./sqlline brings it,"
            + " elsewhere add org.apache.spark:spark-connect-client-jvm_2.13:4.2.0 with what it needs",
        cause);
  }

  /** What went wrong on the cluster, in a sentence. */
  FaissException translated(Throwable error) {
    StringBuilder all = new StringBuilder();
    for (Throwable e = error; e != null; e = e.getCause()) {
      all.append(e.getMessage()).append('\n');
    }
    Matcher ours = OURS.matcher(all);
    if (ours.find()) {
      String message = ours.group(1).replaceFirst("\\s+at [a-z].*", "").strip();
      boolean changed = ours.group().startsWith("Changed");
      return new FaissException(changed ? SqlState.CHANGED : SqlState.DATA, message, error);
    }
    Matcher state = STATE.matcher(all);
    String code = state.find() ? state.group(1) : SqlState.UNREADABLE;
    Throwable told = error;
    while (told.getMessage() == null && told.getCause() != null) {
      told = told.getCause();
    }
    String message = String.valueOf(told.getMessage()).lines().findFirst().orElse("");
    if (told.getMessage() == null) {
      message = told + " at " + java.util.Arrays.asList(told.getStackTrace()).subList(0, 8);
    }
    return new FaissException(
        code,
        "Spark at "
            + address()
            + ": "
            + message.replaceFirst("^\\[[A-Z_.]+\\] ", "").replaceAll("X'[0-9A-F]{16,}'", "X'…'"),
        error);
  }
}
