/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The server as a process of its own, which a signal ends. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "there is no SIGTERM")
class ServeProcessTest {
  @Test
  void servesUntilItIsToldToStop() throws Exception {
    Process process =
        TestProcess.of(Main.class, List.of(), "serve", "--model", "model.json", "--port", "0")
            .start();
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String url = await(out, Pattern.compile("^serve: model.json at (http://127.0.0.1:\\d+) .*"));
      try (Connection connection =
              DriverManager.getConnection("jdbc:avatica:remote:serialization=PROTOBUF;url=" + url);
          Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("select count(*) from packages")) {
        assertTrue(rows.next());
        assertEquals(3576, rows.getLong(1));
      }
      await(out, Pattern.compile("^\\S+ (statement) user=- .*"));
      // Not the process's own method, which would close its output, too.
      process.toHandle().destroy();
      await(out, Pattern.compile("^\\S+ (stopped)$"));
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    } finally {
      process.destroyForcibly();
    }
  }

  private static String await(BufferedReader out, Pattern pattern) throws IOException {
    StringBuilder seen = new StringBuilder();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      Matcher matcher = pattern.matcher(line);
      if (matcher.matches()) {
        return matcher.group(1);
      }
      seen.append(line).append('\n');
    }
    throw new AssertionError("ended before " + pattern + ":\n" + seen);
  }
}
