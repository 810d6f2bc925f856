/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.sql.SQLException;

/** The targets for Jazzer; what it finds goes into their corpus, beside the test resources. */
class JazzerTest {
  @FuzzTest(maxDuration = "5m")
  void codec(byte[] input) {
    FuzzTargets.codec(input);
  }

  @FuzzTest(maxDuration = "5m")
  void vectorJson(byte[] input) {
    FuzzTargets.vectorJson(input);
  }

  @FuzzTest(maxDuration = "5m")
  void json(byte[] input) throws SQLException {
    FuzzTargets.json(input);
  }

  @FuzzTest(maxDuration = "5m")
  void parser(byte[] input) {
    FuzzTargets.parser(input);
  }

  @FuzzTest(maxDuration = "5m")
  void arguments(byte[] input) throws SQLException {
    FuzzTargets.arguments(input);
  }
}
