/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.calcitefaiss.server.FaissServer;
import io.github.calcitefaiss.server.Limits;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Requests of Datasette's clients, of both generations, and what comes back. */
class DatasetteContractTest {
  private static final Path TABLE = Path.of("src/test/resources/console/datasette.requests");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir static Path folder;
  private static FaissServer server;

  @BeforeAll
  static void serve() throws Exception {
    Path file = folder.resolve("fix.ture.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      for (String sql :
          List.of(
              "create table simple (id integer primary key, content text)",
              "insert into simple values (1, 'hello'), (2, 'world'), (3, ''),"
                  + " (4, 'say \"hi\", twice' || char(10) || 'or so'), (5, '<b>&')",
              "create table sorted (id integer primary key, n real, kind text, tags text)",
              "insert into sorted values (1, 2.5, 'big', '[\"x\",\"y\"]'), (2, null, 'small', ''),"
                  + " (3, 2.5, 'big', '[\"y\"]'), (4, 1, 'big', null), (5, null, 'tiny', null)",
              "create table compound (a text, b integer, c text, primary key (a, b))",
              "insert into compound values ('a', 1, 'one'), ('a', 2, 'two'), ('b', 1, 'three')",
              "create table rowids (name text)",
              "insert into rowids values ('first'), ('second')",
              "create table texts (id text primary key, v integer)",
              "insert into texts values ('a/b,.json', 7)",
              "create table blobs (id integer primary key, data blob)",
              "insert into blobs values (1, x'00ff10')",
              "create table \"table/with/slashes.csv\" (id integer primary key, c text)",
              "insert into \"table/with/slashes.csv\" values (3, 'hey')",
              "create view a_view as select id, upper(content) as loud from simple",
              "create table many (id integer primary key)",
              "insert into many with recursive c(x) as (select 1 union all select x + 1 from c"
                  + " where x < 2500) select x from c")) {
        statement.execute(sql);
      }
    }
    server =
        new FaissServer(
            new FaissServer.Options(
                "jdbc:faiss:" + file,
                "127.0.0.1",
                0,
                null,
                false,
                null,
                null,
                Limits.DEFAULT,
                false),
            line -> {});
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static HttpResponse<byte[]> get(String address) throws Exception {
    String encoded = address.replace("\"", "%22").replace("'", "%27").replace("|", "%7C");
    for (String c : List.of("{", "}", "[", "]", "<", ">", "$")) {
      encoded =
          encoded.replace(c, String.format(java.util.Locale.ROOT, "%%%02X", (int) c.charAt(0)));
    }
    return HTTP.send(
        HttpRequest.newBuilder(URI.create(server.address() + encoded)).build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  /** What is worth comparing of a response. */
  private static String told(HttpResponse<byte[]> response) throws IOException {
    StringBuilder out = new StringBuilder();
    String type = response.headers().firstValue("Content-Type").orElse("");
    out.append("< ").append(response.statusCode()).append(' ').append(type).append('\n');
    for (String header : List.of("Link", "Content-Disposition")) {
      response
          .headers()
          .firstValue(header)
          .ifPresent(value -> out.append("< ").append(header + ": " + value).append('\n'));
    }
    String cache = response.headers().firstValue("Cache-Control").orElse("");
    if (cache.contains("max-age")) {
      out.append("< Cache-Control: ").append(cache).append('\n');
    }
    String body = new String(response.body(), StandardCharsets.UTF_8);
    if (type.equals("application/binary")) {
      body = "bytes " + java.util.HexFormat.of().formatHex(response.body());
    } else if (type.startsWith("application/json")) {
      if (!body.contains("Infinity")) {
        JsonNode node = JSON.readTree(body);
        if (node instanceof ObjectNode object) {
          object.remove("query_ms");
          if (object.path("rows").size() > 100) {
            object.put("rows", object.get("rows").size() + " rows");
          }
        }
        body = JSON.writeValueAsString(node);
      }
    }
    body.replace("\r", "\\r").lines().forEach(line -> out.append("< ").append(line).append('\n'));
    return out.toString().replace(server.address(), "http://HOST");
  }

  private record Example(String address, String expected) {}

  @TestFactory
  Stream<DynamicTest> requestsAndAnswers() throws Exception {
    List<Example> examples = new ArrayList<>();
    StringBuilder anew = new StringBuilder();
    String address = null;
    StringBuilder expected = new StringBuilder();
    for (String line : (Files.readString(TABLE) + "\n> ").lines().toList()) {
      if (line.startsWith("< ")) {
        expected.append(line).append('\n');
        continue;
      }
      if (address != null) {
        examples.add(new Example(address, expected.toString()));
        if (Boolean.getBoolean("docs.update")) {
          anew.append(told(get(address)));
        }
        address = null;
      }
      if (line.startsWith("> ") && line.length() > 2) {
        address = line.substring(2);
        expected.setLength(0);
      }
      anew.append(line).append('\n');
    }
    if (Boolean.getBoolean("docs.update")) {
      Files.writeString(TABLE, anew.toString().replaceAll("\n+> \n$", "\n"));
    }
    assertTrue(examples.size() > 90, () -> examples.size() + " examples");
    return examples.stream()
        .map(
            example ->
                DynamicTest.dynamicTest(
                    example.address(),
                    () -> assertEquals(example.expected(), told(get(example.address())))));
  }

  /** A statement's CSV has every row, however many. */
  @Test
  void csvOfAStatementIsStreamedToTheEnd() throws Exception {
    String sql = "with+recursive+c(x)+as+(select+1+union+all+select+x%2B1+from+c+limit+200000)";
    HttpResponse<byte[]> response = get("/fix~2Eture.csv?sql=" + sql + "+select+x+from+c");
    List<String> lines = new String(response.body(), StandardCharsets.UTF_8).lines().toList();
    assertEquals(200_001, lines.size());
    assertEquals("200000", lines.get(200_000));
  }

  @Test
  void rowsOfAStatementAreCutAtAThousandAndThatIsSaid() throws Exception {
    JsonNode answer = JSON.readTree(get("/fix~2Eture.json?sql=select+id+from+many").body());
    assertEquals(1000, answer.path("rows").size());
    assertTrue(answer.path("truncated").asBoolean());
    answer = JSON.readTree(get("/fix~2Eture.json?sql=select+id+from+many+limit+1000").body());
    assertTrue(!answer.path("truncated").asBoolean());
  }

  /** As a client does that follows next_url. */
  @Test
  void pagesTogetherAreTheTable() throws Exception {
    for (String sort : List.of("", "&_sort=n", "&_sort_desc=n", "&_sort=kind", "&_sort_desc=id")) {
      List<String> ids = new ArrayList<>();
      String next = "/fix~2Eture/sorted.json?_size=2&_shape=objects" + sort;
      while (next != null) {
        JsonNode page = JSON.readTree(get(next).body());
        page.path("rows").forEach(row -> ids.add(row.path("id").asText()));
        JsonNode url = page.get("next_url");
        next = url.isNull() ? null : url.asText().substring(server.address().length());
      }
      assertEquals(5, ids.size(), sort + ids);
      assertEquals(5, ids.stream().distinct().count(), sort + ids);
    }
  }
}
