/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sql.function.JsonFunctions;
import io.github.calcitefaiss.sql.function.JsonText;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.calcite.linq4j.Enumerator;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;

/**
 * Every way in for bytes that nobody checked, each with what must hold whatever they are: a right
 * answer, or the exception meant for wrong ones.
 */
public final class FuzzTargets {
  private static final String[] CALLS = {
    "SELECT faiss_search('f', 'docs', ?, 3)",
    "SELECT faiss_search_with_scores('f', 'docs', ?, 3)",
    "SELECT faiss_search('f', ?, X'0000803F', 3)",
    "SELECT faiss_search(?, 'docs', X'0000803F', 3)",
    "SELECT faiss_encode(?)",
    "SELECT faiss_decode(?)",
    "SELECT faiss_agg(id, embedding, ?, 2) FROM docs",
    "SELECT l2_distance(?, X'0000803F')",
    "SELECT json_extract('{\"a\": [1, {\"b\": 2}]}', ?)",
    "SELECT json_extract(?, '$[0].a')",
    "SELECT vec_to_json(?)",
    "SELECT vector_norm(?)"
  };

  private static List<PreparedStatement> prepared;

  private FuzzTargets() {}

  /** A blob as a vector, and back. */
  public static void codec(byte[] input) {
    float[] vector;
    try {
      vector = VectorCodec.decode(input);
    } catch (VectorException e) {
      return;
    }
    if (!Arrays.equals(input, VectorCodec.encode(vector))) {
      throw new AssertionError("not the same bytes again");
    }
  }

  /** A text as a vector, and back. */
  public static void vectorJson(byte[] input) {
    float[] vector;
    try {
      vector = VectorJson.parse(new String(input, UTF_8));
    } catch (VectorException e) {
      return;
    }
    if (!Arrays.equals(vector, VectorJson.parse(JsonText.ofVector(vector)))) {
      throw new AssertionError("not the same vector again");
    }
  }

  /** A first line as a path, the rest as JSON. */
  public static void json(byte[] input) throws SQLException {
    String text = new String(input, UTF_8);
    int newline = text.indexOf('\n');
    String path = newline < 0 ? "$" : text.substring(0, newline);
    String json = text.substring(newline + 1);
    try {
      JsonFunctions.jsonExtract(null, json, path);
      try (Enumerator<Object[]> rows = JsonFunctions.jsonEachAt(null, json, path).enumerator()) {
        while (rows.moveNext()) {
          rows.current();
        }
      }
    } catch (Exception e) {
      expectSqlException(e);
    }
  }

  /** A statement, for the parser. */
  public static void parser(byte[] input) {
    try {
      SqlParser.create(new String(input, UTF_8), FaissParser.CONFIG).parseStmt();
    } catch (SqlParseException e) {
      // As it should be.
    }
  }

  /** A first byte that chooses a call, the rest as its argument: a blob, or a text. */
  public static synchronized void arguments(byte[] input) throws SQLException {
    if (input.length == 0) {
      return;
    }
    if (prepared == null) {
      prepared = prepare();
    }
    PreparedStatement call = prepared.get((input[0] & 255) % CALLS.length);
    byte[] rest = Arrays.copyOfRange(input, 1, input.length);
    for (Object argument : new Object[] {rest, new String(rest, UTF_8)}) {
      try {
        call.setObject(1, argument);
        try (ResultSet rows = call.executeQuery()) {
          rows.next();
          rows.getObject(1);
        }
      } catch (SQLException e) {
        if (String.valueOf(e.getMessage()).startsWith("Internal error")) {
          throw e;
        }
      }
    }
  }

  private static List<PreparedStatement> prepare() throws SQLException {
    Path file;
    try {
      file = Files.createTempDirectory("fuzz").resolve("f.db");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    file.toFile().deleteOnExit();
    file.getParent().toFile().deleteOnExit();
    try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = writer.createStatement()) {
      statement.execute("CREATE TABLE docs (id INTEGER PRIMARY KEY, embedding BLOB)");
      statement.execute("INSERT INTO docs VALUES (1, X'0000803F'), (2, X'00000040')");
    }
    Connection connection = DriverManager.getConnection("jdbc:faiss:" + file);
    List<PreparedStatement> calls = new ArrayList<>();
    for (String sql : CALLS) {
      calls.add(connection.prepareStatement(sql));
    }
    return calls;
  }

  private static void expectSqlException(Exception e) throws SQLException {
    if (!(e instanceof SQLException)) {
      throw new AssertionError("no SQLException", e);
    } else if (e.getMessage() == null || e.getMessage().length() > 3000) {
      throw (SQLException) e;
    }
  }
}
