/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.calcitefaiss.server.FaissServer;
import io.github.calcitefaiss.server.Limits;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The requests of docs/server.md, one after the other, get the answers that stand below them. */
class ServerDocumentTest {
  private static final Document DOCUMENT = new Document("server.md");
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void requestsGetTheAnswersBelowThem() throws Exception {
    FaissServer.Options options =
        new FaissServer.Options(
            "jdbc:faiss:examples/packages.db",
            "127.0.0.1",
            0,
            null,
            false,
            null,
            null,
            Limits.DEFAULT,
            false);
    HttpClient http = HttpClient.newHttpClient();
    int sent = 0;
    try (FaissServer server = new FaissServer(options, line -> {})) {
      for (Document.Block block : DOCUMENT.blocks("json")) {
        HttpResponse<String> response =
            http.send(
                HttpRequest.newBuilder(URI.create(server.address() + "/"))
                    .POST(HttpRequest.BodyPublishers.ofString(block.code()))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
        JsonNode answer = JSON.readTree(response.body());
        shorten(answer);
        DOCUMENT.check(block, JSON.writeValueAsString(answer));
        sent++;
      }
    }
    assertEquals(8, sent);
  }

  /** Every option of the command is in the table, and the other way round. */
  @Test
  void theTableNamesEveryOption() throws Exception {
    String help = Terminal.run("serve", "--help").out();
    String text = DOCUMENT.text();
    for (String option : help.split("[^-a-z]+")) {
      if (option.startsWith("--") && !List.of("--help", "--version").contains(option)) {
        assertTrue(text.contains("`" + option) || text.contains("" + option + " "), option);
      }
    }
    for (String option : text.split("[^-a-z]+")) {
      if (option.matches("--[a-z-]+") && text.contains("| `" + option)) {
        assertTrue(help.contains(option), option);
      }
    }
  }

  private static void shorten(JsonNode node) {
    if (node instanceof ObjectNode object) {
      object.remove(List.of("signature", "rpcMetadata"));
      JsonNode rows = object.get("rows");
      if (rows != null && rows.size() > 3) {
        object.put("rows", "… " + rows.size() + " rows, the first " + rows.get(0));
      }
    }
    node.forEach(ServerDocumentTest::shorten);
  }
}
