/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.server.FaissServer;
import io.github.calcitefaiss.server.Limits;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/console.md says of addresses and statements. */
class ConsoleDocumentTest {
  private static final Document DOCUMENT = new Document("console.md");
  private static final Pattern ROW =
      Pattern.compile(
          "(?m)^\\| \\[`([^`]+)`]\\(http://localhost:8765([^)]+)\\) \\|.*\\| (.+?) \\|$");

  private static FaissServer server;

  @BeforeAll
  static void serve() throws Exception {
    server =
        new FaissServer(
            new FaissServer.Options(
                "jdbc:faiss:examples/packages.db",
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

  private static String page(String address) throws Exception {
    HttpResponse<String> response =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(server.address() + address)).build(),
                HttpResponse.BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), address);
    return response.body().replaceAll("<[^>]*>", "");
  }

  @Test
  void eachAddressShowsWhatStandsBesideIt() throws Exception {
    Matcher rows = ROW.matcher(DOCUMENT.text());
    int found = 0;
    while (rows.find()) {
      assertEquals(rows.group(1), rows.group(2));
      String page = page(rows.group(2));
      assertTrue(page.contains(rows.group(3)), () -> rows.group(3) + " is not in\n" + page);
      found++;
    }
    assertEquals(7, found);
  }

  @Test
  void eachStatementIsRunAsItSays() throws Exception {
    int tried = 0;
    for (Document.Block block : DOCUMENT.blocks("sql")) {
      String sql = URLEncoder.encode(block.code(), StandardCharsets.UTF_8);
      String page = page("/packages?sql=" + sql + "&id=3");
      assertTrue(page.contains(block.output().strip()), page);
      tried++;
    }
    assertEquals(2, tried);
  }
}
