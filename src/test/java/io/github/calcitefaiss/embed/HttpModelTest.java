/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.embed.EmbeddingServer.Reply;
import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model behind a server that is slow, fails, lies, or is asked for too much. */
class HttpModelTest {
  private static final String KEY = "sk-a-secret-key";
  private static final String TEXT = "a text that nobody else may see";

  @TempDir Path folder;
  private EmbeddingServer server;

  @BeforeEach
  void start() throws Exception {
    server = new EmbeddingServer();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private HttpModel model(String keyEnv, String keyFile, Integer timeoutSeconds) {
    return new HttpModel(
        "lengths",
        ModelDescription.http(server.url(), "m", 3, keyEnv, keyFile, null, timeoutSeconds),
        Map.of("TEST_KEY", KEY)::get);
  }

  private List<Embedded> embed(String... texts) throws FaissException {
    return model(null, null, null).embed(List.of(texts), Checkpoint.NONE);
  }

  private String message(String... texts) {
    return assertThrows(FaissException.class, () -> embed(texts)).getMessage();
  }

  @Test
  void vectorsAreThoseOfTheirTextsWhateverTheirOrder() throws Exception {
    List<Embedded> vectors = embed("a", "b c d", "ü€");
    assertArrayEquals(new float[] {1, 0, 1}, vectors.get(0).get());
    assertArrayEquals(new float[] {5, 2, 1}, vectors.get(1).get());
    assertArrayEquals(new float[] {2, 0, 1}, vectors.get(2).get());
    assertEquals(1, server.calls.get());
    assertEquals(List.of("a", "b c d", "ü€"), server.texts);
    assertEquals(List.of("null"), server.keys);
  }

  @Test
  void theKeyComesFromAVariableOrAFile() throws Exception {
    model("TEST_KEY", null, null).embed(List.of("a"), Checkpoint.NONE);
    Path file = Files.writeString(folder.resolve("key"), "from-a-file\n");
    model(null, file.toString(), null).embed(List.of("a"), Checkpoint.NONE);
    assertEquals(List.of("Bearer " + KEY, "Bearer from-a-file"), server.keys);
    var e =
        assertThrows(
            FaissException.class,
            () -> model("NO_KEY", null, null).embed(List.of("a"), Checkpoint.NONE));
    assertTrue(e.getMessage().contains("variable NO_KEY, which is not set"), e.getMessage());
  }

  @Test
  void whatPassesIsTriedAgain() throws Exception {
    server.answer =
        (call, request) -> call < 4 ? new Reply(new int[] {0, 429, 503, 500}[call], "{}") : null;
    assertArrayEquals(new float[] {1, 0, 1}, embed("a").get(0).get());
    assertEquals(4, server.calls.get());
  }

  @Test
  void whatDoesNotPassIsSaidAfterFiveTries() {
    server.answer = (call, request) -> new Reply(503, KEY + TEXT, "0");
    assertEquals(
        "embedding model 'lengths' answered with the HTTP status 503, tried 5 times at most",
        message(TEXT));
    assertEquals(5, server.calls.get());
  }

  @Test
  void aBatchThatIsTooLongIsHalved() throws Exception {
    server.answer =
        (call, request) -> request.get("input").size() > 10 ? new Reply(413, "too long") : null;
    String[] texts = IntStream.range(0, 64).mapToObj(i -> "text " + i).toArray(String[]::new);
    List<Embedded> vectors = embed(texts);
    for (int i = 0; i < texts.length; i++) {
      assertArrayEquals(EmbeddingServer.vector(texts[i]), vectors.get(i).get());
    }
    // 64, 2 × 32, 4 × 16 are refused, 8 × 8 are taken.
    assertEquals(15, server.calls.get());
  }

  @Test
  void oneTextThatIsTooLongCostsNoOther() throws Exception {
    server.answer =
        (call, request) -> request.toString().contains("long long") ? new Reply(400, TEXT) : null;
    List<Embedded> vectors = embed("a", "b", "long long", "d");
    assertArrayEquals(new float[] {1, 0, 1}, vectors.get(3).get());
    assertNull(vectors.get(2).vector());
    String message = vectors.get(2).failure().getMessage();
    assertTrue(message.contains("refused this text (HTTP status 400)"), message);
    assertFalse(message.contains("long long") || message.contains(TEXT), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "200|{\"data\":[]}|gave 0 vectors for 2 texts",
        "200|{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}]}|gave 1 vectors for 2 texts",
        "200|{\"data\":[{\"embedding\":[1,2,3]},{\"embedding\":[1]}]}|1 dimensions, expected 3",
        "200|{\"data\":[{\"index\":0,\"embedding\":[1,2,3]},{\"index\":0,\"embedding\":[1,2,3]}]}"
            + "|indexes are not those",
        "200|{\"data\":[{\"embedding\":\"AAAA\"},{\"embedding\":\"AAAA\"}]}|no array of numbers",
        "200|{\"error\":\"a text that nobody else may see\"}|without the array 'data'",
        "200|<html>a text that nobody else may see</html>|no JSON",
        "401|a text that nobody else may see|it wants a key",
        "404|a text that nobody else may see|or no model m",
        "302|a text that nobody else may see|redirection, which is not followed",
      })
  void aWrongAnswerIsSaidWithoutWhatItHolds(int status, String body, String expected) {
    server.answer = (call, request) -> new Reply(status, body);
    String message = message(TEXT, "other");
    assertTrue(message.contains(expected), message);
    assertFalse(message.contains(TEXT), message);
    assertEquals(1, server.calls.get());
  }

  @Test
  void elementsThatAreNoNumbersAreAFailureOfTheirText() throws Exception {
    server.answer =
        (call, request) ->
            new Reply(200, "{\"data\":[{\"embedding\":[1,null,3]},{\"embedding\":[1e999,2,3]}]}");
    for (Embedded each : embed("a", "b")) {
      assertTrue(each.failure().getMessage().contains("no finite number"));
    }
  }

  @Test
  void anAnswerWithoutEndIsCutOff() {
    server.answer = (call, request) -> new Reply(200, "[" + "1, ".repeat(1_000_000) + "1]");
    assertTrue(message("a").contains("longer than 1 vectors of 3 dimensions can be"));
  }

  @Test
  void aServerThatIsNotThereIsSaidWithItsAddress() {
    String url = server.url();
    server.close();
    String message = message("a");
    assertTrue(message.contains("can't be reached at " + url.substring(7)), message);
  }

  @Test
  void aSlowServerIsLeftWhenTheTimeIsUp() {
    CountDownLatch never = new CountDownLatch(1);
    server.answer =
        (call, request) -> {
          never.await();
          return null;
        };
    HttpModel model = model(null, null, 1);
    var e = assertThrows(FaissException.class, () -> model.embed(List.of("a"), Checkpoint.NONE));
    assertTrue(e.getMessage().contains("gave no answer in 1 s"), e.getMessage());
    never.countDown();
  }

  @Test
  void aCancelEndsAWaitForAnAnswerAndAPauseBeforeTheNextTry() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    server.answer =
        (call, request) -> {
          asked.countDown();
          never.await();
          return null;
        };
    Checkpoint cancel =
        () -> {
          if (asked.getCount() == 0) {
            throw new CancellationException();
          }
        };
    assertThrows(
        CancellationException.class, () -> model(null, null, 60).embed(List.of("a"), cancel));
    never.countDown();

    CountDownLatch refused = new CountDownLatch(2);
    server.answer =
        (call, request) -> {
          refused.countDown();
          return new Reply(429, "", "3600");
        };
    Checkpoint second =
        () -> {
          if (refused.getCount() == 1) {
            throw new CancellationException();
          }
        };
    assertThrows(
        CancellationException.class, () -> model(null, null, 60).embed(List.of("a"), second));
    assertEquals(1, refused.getCount());
  }

  @Test
  void noKeyAndNoTextIsInAMessageOrItsCauses() {
    for (int status : new int[] {401, 403, 404, 500, 400, 301}) {
      server.answer = (call, request) -> new Reply(status, KEY + " " + request, "0");
      HttpModel model = model("TEST_KEY", null, null);
      StringWriter said = new StringWriter();
      try {
        model.embed(List.of(TEXT), Checkpoint.NONE).get(0).get();
      } catch (FaissException e) {
        e.printStackTrace(new PrintWriter(said));
      }
      assertTrue(said.toString().contains(String.valueOf(status)), said.toString());
      assertFalse(said.toString().contains(KEY), said.toString());
      assertFalse(said.toString().contains(TEXT), said.toString());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "http://h,http://h/v1/embeddings",
    "http://h/,http://h/v1/embeddings",
    "https://h/v1,https://h/v1/embeddings",
    "https://h/api/v1/,https://h/api/v1/embeddings",
    "https://h/v1/embeddings,https://h/v1/embeddings",
  })
  void theAddressIsTheBaseOrTheWhole(String given, String address) {
    assertEquals(address, HttpModel.address(given).toString());
  }

  @ParameterizedTest
  @CsvSource({
    "ftp://h/v1,,must begin with http",
    "file:///etc/passwd,,must begin with http",
    "https://user:secret@h/v1,,no name",
    "https://h/v1?key=secret,,no name",
    "http://example.org/v1,KEY,only by https",
    "http://[,,can't be read",
  })
  void addressesThatGiveAKeyAwayAreRefused(String url, String keyEnv, String expected) {
    String problem = ModelDescription.http(url, "m", 3, keyEnv, null, null, null).problem();
    assertTrue(problem.contains(expected), problem);
    assertFalse(problem.contains("secret"), problem);
    assertNull(
        ModelDescription.http("http://localhost:1/v1", "m", 3, "KEY", null, null, null).problem());
  }
}
