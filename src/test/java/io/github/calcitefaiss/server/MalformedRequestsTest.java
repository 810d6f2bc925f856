/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a client is told whose requests are not what the protocol says. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MalformedRequestsTest {
  @TempDir static Path folder;
  private RunningServer server;

  @BeforeAll
  void start() throws Exception {
    server = RunningServer.start(RunningServer.database(folder), RunningServer.limits());
    server.post("{'request': 'openConnection', 'connectionId': 'c'}".replace('\'', '"'));
    String prepared =
        server
            .post(
                "{'request': 'prepare', 'connectionId': 'c', 'maxRowCount': -1, 'sql': 'select ?'}"
                    .replace('\'', '"'))
            .body();
    assertTrue(prepared.contains("\"id\":0"), prepared);
  }

  @AfterAll
  void stop() {
    server.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | it is empty",
        "{ | the text ends too early",
        "[] | it is neither an object of JSON nor a message of Avatica's protobuf",
        "hello | it is neither an object of JSON nor a message of Avatica's protobuf",
        "{'request': null} | its \"request\" is missing",
        "{'request': 'commit', 'x': 1} | a request of its kind has no field 'x'",
        "{'request': 'openConnection', 'connectionId': {}} | its field connectionId has a value of"
            + " another kind than it takes",
        "{'request': 'openConnection', 'connectionId': 'd', 'info': [1]} | its field info has a"
            + " value of another kind than it takes",
        "{'request': 'execute'} | it lacks the field 'statementHandle'",
        "{'request': 'prepare', 'connectionId': 'c'} | it lacks the field 'sql'",
        "{'request': 'prepareAndExecute', 'connectionId': 'c', 'statementId': 0} | it lacks the"
            + " field 'sql'",
        "{'request': 'syncResults', 'connectionId': 'c', 'statementId': 0} | it lacks the field"
            + " 'state'",
        "{'request': 'execute', 'statementHandle': {'connectionId': 'c', 'id': 0}} | it lacks the"
            + " field 'parameterValues'",
        "{'request': 'execute', 'statementHandle': {'connectionId': 'c', 'id': 0},"
            + " 'parameterValues': [1]} | its field parameterValues[1] has a value of another kind"
            + " than it takes",
        "{'request': 'execute', 'statementHandle': {'connectionId': 'c', 'id': 0},"
            + " 'parameterValues': [{'type': 'BYTE_STRING', 'value': '***'}]} | its field"
            + " parameterValues[1] has a value that isn't of its \"type\"",
      })
  void isToldWhatIsWrong(String body, String reason) throws Exception {
    HttpResponse<String> answer = server.post(body.replace('\'', '"'));
    assertEquals(400, answer.statusCode());
    if (body.startsWith("{") || body.isEmpty()) {
      assertEquals(
          "The request can't be read: " + reason,
          new ObjectMapper().readTree(answer.body()).get("errorMessage").textValue());
      assertFalse(answer.body().contains("apache"), answer.body());
    } else {
      // In protobuf, whose envelope has the name of a class.
      assertTrue(answer.body().contains("The request can't be read: " + reason), answer.body());
    }
  }

  @Test
  void aPropertyWithoutItsValueIsNamed() throws Exception {
    HttpResponse<String> answer =
        server.post(
            "{'request': 'openConnection', 'connectionId': 'e', 'info': {'schema': null}}"
                .replace('\'', '"'));
    assertTrue(
        answer.body().contains("Connection property 'schema' is null: expected a text"),
        answer.body());
  }

  @Test
  void noPageOfAnotherSiteCanPost() throws Exception {
    for (String header : new String[] {"Origin", "Sec-Fetch-Site"}) {
      HttpResponse<String> answer =
          server.post("{\"request\": \"openConnection\", \"connectionId\": \"f\"}", header, "x");
      assertEquals(403, answer.statusCode());
    }
  }
}
