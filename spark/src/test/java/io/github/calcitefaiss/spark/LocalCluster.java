/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The script {@code spark/cluster}, and sessions of what it starts. */
final class LocalCluster {
  private LocalCluster() {}

  /** Runs the script, in a state of its own below {@code target}. */
  static String run(String state, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("./cluster"));
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile("cluster", ".out");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("CLUSTER_STATE", Path.of("target", state).toAbsolutePath() + "");
    Process process =
        builder.redirectOutput(out.toFile()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    assertTrue(process.waitFor(5, TimeUnit.MINUTES), "the script doesn't end");
    assertEquals(0, process.exitValue(), String.join(" ", command));
    return Files.readString(out);
  }

  /** The product's driver, with Connect's client before it. */
  static Driver driver() throws Exception {
    List<Path> client = new ArrayList<>();
    for (String jar : run("test-cluster", "client").strip().split(":")) {
      client.add(Path.of(jar));
    }
    return Product.driver(client);
  }

  /** A session of Spark's own client, which is found beside the driver. */
  static final class Session {
    private final ClassLoader loader;
    private final int port;
    private Object session;

    Session(Driver driver, int port) {
      this.loader = driver.getClass().getClassLoader();
      this.port = port;
    }

    /** The rows of a statement of Spark's SQL. */
    String text(String sql) throws Exception {
      ClassLoader before = Thread.currentThread().getContextClassLoader();
      Thread.currentThread().setContextClassLoader(loader);
      try {
        if (session == null) {
          Class<?> type = loader.loadClass("org.apache.spark.sql.connect.SparkSession");
          Object builder = type.getMethod("builder").invoke(null);
          builder = call(builder, "remote", "sc://127.0.0.1:" + port);
          session = call(builder, "create");
        }
        StringBuilder text = new StringBuilder();
        for (Object row : (List<?>) call(call(session, "sql", sql), "collectAsList")) {
          String cells = row.toString();
          text.append(cells, 1, cells.length() - 1).append('\n');
        }
        return text.toString();
      } catch (InvocationTargetException e) {
        throw (Exception) e.getCause();
      } finally {
        Thread.currentThread().setContextClassLoader(before);
      }
    }

    private static Object call(Object of, String method, String... argument) throws Exception {
      return argument.length == 0
          ? of.getClass().getMethod(method).invoke(of)
          : of.getClass().getMethod(method, String.class).invoke(of, argument[0]);
    }
  }
}
