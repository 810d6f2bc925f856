/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Random;

/** The product as users have it, its -all jar, apart from Spark's libraries. */
final class Product {
  private Product() {}

  /** A driver with some jars before its own. */
  static Driver driver(List<Path> before) throws Exception {
    List<URL> urls = new ArrayList<>();
    for (Path jar : before) {
      urls.add(jar.toUri().toURL());
    }
    try (DirectoryStream<Path> jars =
        Files.newDirectoryStream(Path.of("../target"), "calcite-faiss-*-all.jar")) {
      for (Path jar : jars) {
        urls.add(jar.toUri().toURL());
      }
    }
    ClassLoader loader =
        new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
    return (Driver)
        loader
            .loadClass("io.github.calcitefaiss.FaissDriver")
            .getDeclaredConstructor()
            .newInstance();
  }

  static Connection open(Driver driver, Path file) throws SQLException {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(driver.getClass().getClassLoader());
    try {
      return driver.connect("jdbc:faiss:" + file, new Properties());
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  /** The rows of a statement as text, doubles to their last bit. */
  static String text(Connection connection, String sql) throws SQLException {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(connection.getClass().getClassLoader());
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      StringBuilder text = new StringBuilder();
      while (rows.next()) {
        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
          Object value = rows.getObject(i);
          text.append(i == 1 ? "" : ",");
          text.append(
              value instanceof Number n && !(value instanceof Double)
                  ? String.valueOf(n.longValue())
                  : String.valueOf(value));
        }
        text.append('\n');
      }
      return text.toString();
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  /** A table of vectors with ties, NULLs and texts that need care. */
  static void database(Path file, int rows, int dims, long seed) throws SQLException {
    Random random = new Random(seed);
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          "create table embeddings (id integer primary key, embedding blob, section integer,"
              + " name text)");
      try (PreparedStatement insert =
          connection.prepareStatement("insert into embeddings values (?, ?, ?, ?)")) {
        for (int i = 0; i < rows; i++) {
          insert.setLong(1, i * 3L + (i % 5 == 0 ? 1L << 40 : 0));
          float[] vector = new float[dims];
          for (int d = 0; d < dims; d++) {
            // Few values, so that distances are often the same.
            vector[d] = random.nextInt(3) - 1 + (i % 4 == 0 ? random.nextFloat() : 0);
          }
          insert.setBytes(
              2, i % 50 == 7 ? null : io.github.calcitefaiss.index.VectorCodec.encode(vector));
          insert.setInt(3, random.nextInt(6));
          insert.setString(4, "it's \\ n°" + i % 100);
          insert.addBatch();
        }
        insert.executeBatch();
      }
      connection.commit();
    }
  }

  static String json(Random random, int dims) {
    List<String> elements = new ArrayList<>();
    for (int d = 0; d < dims; d++) {
      elements.add(String.valueOf(random.nextInt(5) / 2.0 - 1));
    }
    return "'[" + String.join(", ", elements) + "]'";
  }

  /** Statements that both engines answer, and must answer alike. */
  static List<String> statements(Random random, int n, int dims) {
    List<String> functions =
        List.of("l2_distance", "l2_squared_distance", "l1_distance", "cosine_distance");
    List<String> conditions =
        List.of(
            "",
            " where section = 2",
            " where id > 3000 and section in (1, 3)",
            " where id < 30",
            " where name = 'it''s \\ n°7'",
            " where embedding is not null and section <> 0",
            " where section > 100");
    List<String> statements = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      String function = functions.get(random.nextInt(functions.size()));
      String vector = json(random, dims);
      String call =
          random.nextBoolean()
              ? function + "(embedding, " + vector + ")"
              : function + "(" + vector + ", embedding)";
      String where = conditions.get(random.nextInt(conditions.size()));
      int k = 1 + random.nextInt(40);
      String nulls = random.nextBoolean() ? " nulls last" : "";
      switch (random.nextInt(4)) {
        case 0:
          statements.add(
              "select id, "
                  + call
                  + " as d from embeddings"
                  + where
                  + " order by d"
                  + nulls
                  + ", id limit "
                  + k);
          break;
        case 1:
          statements.add(
              "select id, name from embeddings"
                  + where
                  + " order by "
                  + call
                  + nulls
                  + ", id limit "
                  + k
                  + " offset "
                  + random.nextInt(4));
          break;
        case 2:
          statements.add(
              "select id, cosine_similarity(embedding, "
                  + vector
                  + ") as d from embeddings"
                  + where
                  + " order by d desc nulls last, id limit "
                  + k);
          break;
        default:
          statements.add(
              "select faiss_agg_with_scores(id, embedding, "
                  + vector
                  + ", "
                  + k
                  + ") from embeddings"
                  + where);
      }
    }
    return statements;
  }

  static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (var all = Files.walk(folder)) {
        for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
